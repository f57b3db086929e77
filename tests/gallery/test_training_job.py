"""Training in the background: one at a time, seen by all workers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from smartabsen import ConflictError, SmartAbsen, StorageError
from smartabsen.gallery import train, training_job
from smartabsen.gallery.training_job import JobState, TrainingJobs
from smartabsen.kernel.actors import acting_as
from smartabsen.store import meta
from smartabsen.trust import audit_rows

from ..installation import Draw


def test_a_training_runs_in_the_background_and_its_end_is_seen_by_another_worker(
    app: SmartAbsen, draw: Draw, flags: dict[str, object]
) -> None:
    """State, version and accuracy stand in the database; the audit trail has who asked for it."""
    app.enrol("Contoh Satu", [draw("a.png", 1), draw("b.png", 1, size_px=140)], code="E1")
    assert app.trainings.find().state is JobState.NONE
    with acting_as("siti"):
        app.trainings.start()
    assert app.trainings.wait(30)

    with SmartAbsen.open(flags=flags) as other:
        job = other.trainings.find()
    assert (job.state, job.started_by, job.step, job.employees, job.templates) == (JobState.ACTIVATED, "siti", 4, 1, 2)
    assert app.services.settings.assets_dir.joinpath("model_knn.npz").exists()
    with app.services.database.read() as session:
        told = [(entry.actor, entry.action) for entry in audit_rows.latest(session, 2)]
    assert told == [("siti", "model.train"), ("siti", "model.train_start")]


def test_a_second_training_is_refused_while_one_runs(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever worker is asked; meanwhile the step moves on."""
    go_on = threading.Event()
    monkeypatch.setattr(training_job, "BEAT_S", 0.01)

    def slow(*_: object, on_progress: Callable[[int, int], None], **__: object) -> None:
        on_progress(2, 4)
        go_on.wait(10)
        raise StorageError("The disk is full: {path} cannot be written.", path="x")

    monkeypatch.setattr(train, "train", slow)
    app.trainings.start()
    with pytest.raises(ConflictError, match="running"):
        TrainingJobs(app.services).start()
    while app.trainings.find().step != 2:
        assert app.trainings.find().state is JobState.RUNNING
    go_on.set()
    assert app.trainings.wait(10)
    job = app.trainings.find()
    assert (job.state, job.message, dict(job.params)) == (
        JobState.FAILED, "The disk is full: {path} cannot be written.", {"path": "x"},
    )  # fmt: skip


def test_a_training_that_breaks_says_so(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug ends the job and not the server; nobody is told more than its kind."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(train, "train", broken)
    app.trainings.start()
    assert app.trainings.wait(10)
    job = app.trainings.find()
    assert (job.state, dict(job.params)) == (JobState.FAILED, {"problem": "ZeroDivisionError"})


def test_a_training_whose_process_died_can_be_started_again(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a sign of life for a minute it counts as cut off."""
    app.trainings.start()
    app.trainings.wait(30)
    long_ago = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    with app.services.database.write() as session:
        fact = json.loads(meta.find(session, "training_job") or "")
        meta.put(session, "training_job", json.dumps({**fact, "state": "running", "beat_at": long_ago}))

    assert app.trainings.find().state is JobState.CUT_OFF
    assert app.trainings.start().state is JobState.RUNNING
    assert app.trainings.wait(30)
