"""Training from the dashboard: in the background, one at a time, with a state in the database that all workers see."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from ..app.bootstrap import Services
from ..kernel.actors import acting_as
from ..kernel.domain import TrainReport, WeakPerson, WeakReason
from ..kernel.errors import ConflictError, SmartAbsenError
from ..kernel.i18n import N_
from ..kernel.reading import parse_json
from ..store import meta
from ..store.clock import moment
from ..store.database import Session
from ..trust import audit_rows
from . import train

BEAT_S: Final = 2.0
WEAK_NAMED: Final = 50
"""So many are named on the page: the command names them all."""
SILENT_AFTER_S: Final = 60.0
"""A job that has not been heard of for so long was cut off with its process."""
_FACT: Final = "training_job"


class JobState(StrEnum):
    """How a training stands."""

    NONE = "none"
    RUNNING = "running"
    ACTIVATED = "activated"
    REFUSED = "refused"
    """Trained, but below the accuracy that is demanded."""
    FAILED = "failed"
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True)
class WeakFact:
    """Somebody who is recognised in few of their own photos; see :class:`smartabsen.kernel.domain.WeakPerson`."""

    code: str
    name: str
    recognised: int
    tried: int
    reasons: tuple[WeakReason, ...]
    resembles: str = ""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """The last training that the dashboard started.

    Attributes:
        started_by: A user of the dashboard.
        step, steps: How far it is.
        started_at, ended_at: UTC, ISO 8601; empty where not yet.
        accuracy: What the gate asked for; see :attr:`Gate.rate`.
        message, params: What went wrong, as a message id with its places.
        weak: Who is recognised in few of their own photos, the first of them.
        weak_people: How many these are in all.
    """

    state: JobState = JobState.NONE
    id: str = ""
    started_by: str = ""
    started_at: str = ""
    beat_at: str = ""
    ended_at: str = ""
    step: int = 0
    steps: int = train.STEPS
    version: str = ""
    employees: int = 0
    templates: int = 0
    accuracy: float | None = None
    demanded: float = 0.0
    message: str = ""
    params: tuple[tuple[str, str], ...] = ()
    weak: tuple[WeakFact, ...] = ()
    weak_people: int = 0


class TrainingJobs:
    """Starts trainings and tells how they stand.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread: threading.Thread | None = None

    def find(self) -> TrainingJob:
        """Return the last job, as it stands now."""
        with self._services.database.read() as session:
            return _read(meta.find(session, _FACT), moment(session))

    def start(self) -> TrainingJob:
        """Start a training in the background.

        Raises:
            ConflictError: One is running.
        """
        now = self._services.instant().isoformat()
        actor = self._services.actor
        job = TrainingJob(JobState.RUNNING, uuid.uuid4().hex, started_by=actor, started_at=now, beat_at=now)

        def work(session: Session) -> None:
            before = meta.find(session, _FACT)
            running = _read(before, moment(session)).state is JobState.RUNNING
            if running or not meta.compare_and_set(session, _FACT, expected=before, value=_text(job)):
                raise ConflictError(N_("A training is running already."), hint=N_("Wait until it has ended."))
            audit_rows.append(session, actor=actor, action="model.train_start")

        self._services.database.run_write(work)
        self._thread = threading.Thread(target=self._run, args=(job, actor), name="training", daemon=True)
        self._thread.start()
        return job

    def wait(self, timeout_s: float) -> bool:
        """Wait for a job that this object started; return whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def _run(self, job: TrainingJob, actor: str) -> None:
        progress = [0]
        ended = threading.Event()
        beat = threading.Thread(target=self._beat, args=(job, progress, ended), name="training beat", daemon=True)
        beat.start()
        try:
            with acting_as(actor):
                report = train.train(
                    self._services,
                    min_accuracy=None,
                    force=False,
                    on_progress=lambda done, _total: progress.__setitem__(0, done),
                )
            done = _ended(job, report)
        except SmartAbsenError as exc:
            done = replace(job, state=JobState.FAILED, message=exc.message_id, params=exc.text_params)
        except Exception as exc:  # noqa: BLE001 - a job must not end without a word; what it was stands in the state
            problem = (("problem", type(exc).__name__),)
            done = replace(job, state=JobState.FAILED, message=N_("Something broke: {problem}."), params=problem)
        finally:
            ended.set()
            beat.join()
        self._put(replace(done, step=job.steps, ended_at=self._services.instant().isoformat()))

    def _beat(self, job: TrainingJob, progress: list[int], ended: threading.Event) -> None:
        while not ended.wait(BEAT_S):
            self._put(replace(job, step=progress[0], beat_at=self._services.instant().isoformat()))

    def _put(self, job: TrainingJob) -> None:
        def work(session: Session) -> None:
            # A job that was taken for dead, and another one started since, must not come back.
            if _read(meta.find(session, _FACT), moment(session)).id == job.id:
                meta.put(session, _FACT, _text(job))

        # The next beat says it again; only the last word matters, and a job without one counts as cut off.
        try:
            self._services.database.run_write(work)
        except SmartAbsenError:
            return


def _ended(job: TrainingJob, report: TrainReport) -> TrainingJob:
    return replace(
        job,
        state=JobState.ACTIVATED if report.activated else JobState.REFUSED,
        version=report.version,
        employees=report.employees,
        templates=report.templates,
        accuracy=report.gate.rate.share,
        demanded=report.gate.demanded,
        weak=tuple(_weak_fact(one) for one in report.weak[:WEAK_NAMED]),
        weak_people=len(report.weak),
    )


def _weak_fact(one: WeakPerson) -> WeakFact:
    other = "" if one.resembles is None else f"{one.resembles.name} ({one.resembles.code})"
    return WeakFact(one.employee.code, one.employee.name, one.recognised, one.tried, one.reasons, other)


def _text(job: TrainingJob) -> str:
    return json.dumps(asdict(job))


def _read(text: str | None, now: datetime) -> TrainingJob:
    if text is None:
        return TrainingJob()
    stored: dict[str, Any] = parse_json(text)
    params = tuple((str(name), str(value)) for name, value in stored.pop("params"))
    weak = tuple(
        WeakFact(**{**one, "reasons": tuple(WeakReason(reason) for reason in one["reasons"])})
        for one in stored.pop("weak", ())
    )
    job = TrainingJob(**{**stored, "state": JobState(stored["state"]), "params": params, "weak": weak})
    silent = now - timedelta(seconds=SILENT_AFTER_S)
    if job.state is JobState.RUNNING and datetime.fromisoformat(job.beat_at) < silent:
        return replace(job, state=JobState.CUT_OFF)
    return job
