"""A double of the library: it answers with made-up results, and remembers how it was called."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from smartabsen.app.facade import SmartAbsen
from smartabsen.cli import session
from smartabsen.cli.app import app
from smartabsen.config import load_settings
from smartabsen.kernel import i18n
from smartabsen.kernel.domain import (
    AttendanceDay,
    AutomaticLimits,
    Check,
    CheckLevel,
    ConsentText,
    DecisionLimits,
    Employee,
    EnrolReport,
    Face,
    Gate,
    Identification,
    ImageResult,
    ImportReport,
    ImportRow,
    ImportVerdict,
    KioskEvent,
    KioskEventKind,
    KioskSummary,
    LandmarkScheme,
    LicenceClass,
    MixedPerson,
    ModelIdentity,
    ModelStatus,
    Outcome,
    PersonAccuracy,
    PhotoVerdict,
    Punch,
    PunchMethod,
    PunchResult,
    Quality,
    Rate,
    Report,
    ReportDay,
    ReportTotal,
    Status,
    TemplateFacts,
    TrainReport,
    WeakPerson,
)

SITI = Employee(1, "E001", "Siti Rahma", "Cashier", True, datetime(2026, 11, 1, 1, tzinfo=UTC), 2)
MODEL = ModelIdentity("dlib", "0123456789abcdef" * 4, 128)
QUALITY = Quality(face_px=120.25, brightness=128.0, sharpness=250.0, yaw=0.1, detection_score=0.99)
REFUSED = PhotoVerdict("night.jpg", Outcome.TOO_DARK, QUALITY)
ACCEPTED = PhotoVerdict("front.jpg", Outcome.ACCEPTED, QUALITY)
# 07:55 in Jakarta.
ZONE = ZoneInfo("Asia/Jakarta")
AT = datetime(2026, 11, 2, 0, 55, tzinfo=UTC)
PUNCH = Punch(7, 1, AT, date(2026, 11, 2), PunchMethod.FACE, "gate", "key-1", similarity=0.81)
DAY = AttendanceDay(1, date(2026, 11, 2), AT, None, Status.PRESENT)
PUNCHED = PunchResult(Outcome.RECOGNIZED, SITI, PUNCH, DAY)


class FakeApp:
    """Answers like the library, with what the test put into it; a call that the library would not take fails.

    Attributes:
        calls: Method name and arguments of each call, in order.
        raises: Raised by the next call of a method, by its name.
    """

    def __init__(self, flags: Mapping[str, object], home: Path) -> None:
        self.flags = dict(flags)
        self.settings = load_settings({"home": home, **flags}).settings
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.raises: dict[str, BaseException] = {}
        self.notices: tuple[str, ...] = ()
        self.remarks: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
        self.closed = False
        self.verdicts: tuple[PhotoVerdict, ...] = (ACCEPTED, REFUSED)
        self.people: tuple[Employee, ...] = (SITI,)
        self.rows: tuple[ImportRow, ...] = (_row(2, "E001", ImportVerdict.IMPORTED),)
        self.interrupted = False
        self.mixed: tuple[MixedPerson, ...] = ()
        self.weak: tuple[WeakPerson, ...] = ()
        self.accuracies: tuple[PersonAccuracy, ...] = ()
        self.accuracy = 1.0
        self.images: tuple[ImageResult, ...] = (_image("a.jpg", SITI), _image("b.jpg", None))
        self.events: tuple[KioskEvent, ...] = ()
        self.checks: tuple[Check, ...] = (Check("python", CheckLevel.OK, "3.11"),)
        self.model_state = "installed"
        self.privacy = SimpleNamespace(
            consents=lambda code: (),
            demands_consent=self.settings.privacy.consent == "require",
            has_consent=lambda code: False,
            consent_text=lambda: ConsentText("en", "7", "Text of the consent.", "ab" * 32),
        )
        self.published = "00ff"
        self.lost = 0
        # The site's day begins at five.
        self.desk = SimpleNamespace(work_date=lambda: (self.now().astimezone(ZONE) - timedelta(hours=5)).date())
        self.clock_at = datetime.now(UTC)
        self.calibration = SimpleNamespace(state=lambda: "none")
        self.run: Callable[..., None] = lambda **_: None

    def __getattr__(self, name: str) -> Any:
        answer = _ANSWERS[name]

        def call(*args: Any, **kwargs: Any) -> Any:
            inspect.signature(getattr(SmartAbsen, name)).bind(self, *args, **kwargs)
            self.calls.append((name, args, kwargs))
            if name in self.raises:
                raise self.raises.pop(name)
            return answer(self, *args, **kwargs)

        return call

    def close(self) -> None:
        self.closed = True


def _face() -> Face:
    box = (10.04, 20.0, 110.0, 140.0)
    return Face(box, 0.99, np.zeros((5, 2), np.float32), LandmarkScheme.ARCFACE5)


def _image(name: str, who: Employee | None) -> ImageResult:
    outcome = Outcome.RECOGNIZED if who else Outcome.UNKNOWN
    similarity = np.float32(0.812345) if who else np.float32(0.1)
    return ImageResult(name, (Identification(_face(), QUALITY, outcome, who, similarity, 0.4),))  # type: ignore[arg-type]


def _row(line: int, code: str, verdict: ImportVerdict, reason: str = "", detail: str = "") -> ImportRow:
    return ImportRow(line, code, f"Name {code}", "", verdict, reason, detail, photos=(ACCEPTED,))


def _enrol(app: FakeApp, name: str, *_: Any, on_event: Callable[..., None] | None = None, **__: Any) -> EnrolReport:
    for verdict in app.verdicts if on_event else ():
        on_event(1)
        on_event(verdict)
    return EnrolReport(SITI, created=True, verdicts=app.verdicts)


AUTOMATIC = AutomaticLimits(6, 0.001, 0.5, 0.5, None, None, None, "", 0, is_bound=False)


def _train(app: FakeApp, *, min_accuracy: float | None, force: bool) -> TrainReport:
    demanded = 0.99 if min_accuracy is None else min_accuracy
    rate = Rate(round(20 * app.accuracy), 20)
    return TrainReport(
        model=MODEL, version="abcdef012345", trained_at=AT, matcher="knn", k=1, chosen_matcher="knn",
        employees=6, templates=24, people=app.accuracies, confused=(), suspects=(), single_template=(SITI,),
        gate=Gate(DecisionLimits(0.5, 0.05, 0.5, 0.05, None, False, AUTOMATIC, 0.5), rate, rate, demanded),
        activated=force or app.accuracy >= demanded,
        mixed=app.mixed,
        weak=app.weak,
    )  # fmt: skip


def _kiosk(app: FakeApp, *, on_event: Callable[[KioskEvent], None], stop: Any, **kwargs: Any) -> KioskSummary:
    for event in app.events:
        on_event(event)
    app.run(stop=stop)
    summary = KioskSummary(12, 1.25, 1, 0, 1, "stopped" if stop.is_set() else "end_of_recording", lost=app.lost)
    on_event(KioskEvent(KioskEventKind.SUMMARY, AT, summary=summary))
    return summary


def _report(app: FakeApp, first: date, last: date, *, code: str | None = None) -> Report:
    local = AT.astimezone(ZONE)
    days = (ReportDay("E001", SITI.name, DAY.work_date, local, None, Status.PRESENT, 0, 0),)
    totals = (ReportTotal("E001", SITI.name, 1, 0, 0, 0, 0, 0, 0),)
    return Report(first, last, "Asia/Jakarta", days, totals)


def _report_text(app: FakeApp, report: Report, *, totals: bool) -> str:
    rows = [f"{day.work_date},{day.code},{day.name}" for day in report.days]
    return "\n".join(["date,code,name", *rows, ""])


def _write_report(app: FakeApp, report: Report, path: Path, *, format: str, totals: bool) -> None:
    path.write_text(_report_text(app, report, totals=totals), encoding="utf-8-sig")


def _pull(app: FakeApp, name: str, *, accept_noncommercial: bool, on_progress: Any) -> tuple[ModelStatus, ...]:
    return _models(app)[:1]


def _models(app: FakeApp) -> tuple[ModelStatus, ...]:
    return (
        ModelStatus(
            "openvino", "openvino", "detection", "Apache-2.0", LicenceClass.FREE, "https://example.org",
            app.model_state, "/models/openvino", (("a.xml", "00ff"),), (app.published,),
        ),
    )  # fmt: skip


_ANSWERS: dict[str, Callable[..., Any]] = {
    "now": lambda app: app.clock_at,
    "setting_values": lambda app: tuple(load_settings({"home": app.settings.home, **app.flags}).values()),
    "pack_to_fetch": lambda app: None,
    "engine_choice": lambda app: SimpleNamespace(name="dlib", why="the built-in engine"),
    "enrol": _enrol,
    "enrol_from_camera": _enrol,
    "import_people": lambda app, *_, dry_run, **__: ImportReport(app.rows, dry_run, app.interrupted),
    "write_rejects": lambda app, report, path: Path(path).write_text("rejects"),
    "employees": lambda app, **_: app.people,
    "get_employee": lambda app, code: app.people[0],
    "templates_of": lambda app, code: (TemplateFacts(3, MODEL, QUALITY, "front.jpg", "aa" * 32, AT),),
    "rename_employee": lambda app, code, name: app.people[0],
    "deactivate_employee": lambda app, code, **_: app.people[0],
    "activate_employee": lambda app, code, **_: app.people[0],
    "train": _train,
    "identify": lambda app, images, **_: app.images,
    "run_kiosk": _kiosk,
    "punch": lambda app, code, **_: PUNCHED,
    "report": _report,
    "write_report": _write_report,
    "report_text": _report_text,
    "models": _models,
    "pull_models": _pull,
    "check_health": lambda app: app.checks,
}


class Program:
    """Runs the command line on the double.

    Attributes:
        library: The double that the command opened; before that, changes to make to it go into ``prepare``.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.prepare: Callable[[FakeApp], None] = lambda _: None
        self.library: FakeApp | None = None

    def open_app(self, flags: Mapping[str, object]) -> FakeApp:
        self.library = FakeApp(flags, self._home)
        self.prepare(self.library)
        return self.library

    def __call__(self, *arguments: str, **kwargs: Any) -> Result:
        return CliRunner().invoke(app, list(arguments), prog_name="smartabsen", **kwargs)

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run with --json; the exit code, and the one object that was printed."""
        result = self(*arguments, "--json")
        assert result.stdout.count("\n") == 1, result.output
        answer = json.loads(result.stdout)
        assert list(answer) == ["command", "status", "data", "errors"]
        return result.exit_code, answer


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """The command line on the double, in English, with the process's language put back afterwards."""
    program = Program(tmp_path)
    monkeypatch.setattr(session, "open_app", program.open_app)
    before = list(i18n._process_language)
    yield program
    i18n._process_language[:] = before


@pytest.fixture
def punched() -> PunchResult:
    """The punch of Siti at 07:55 in Jakarta."""
    return PUNCHED


@pytest.fixture
def siti() -> Employee:
    """An employee."""
    return SITI
