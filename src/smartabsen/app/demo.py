"""The demonstration: the whole job in a home of its own, on photos that come with the installation."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ..kernel.domain import EnrolReport, KioskEvent, KioskEventKind, Outcome, Report, TrainReport
from ..kernel.errors import ConflictError
from ..kernel.i18n import N_
from ..kernel.reading import read_text
from ..qr.terminal import Terminal
from ..recognition.liveness.files import LIVENESS_PACK
from ..store.files import make_private_directory
from ..store.leftovers import DEMO, working_folder
from ..upkeep.demo_film import DemoMaterial, make_demo_material
from .demo_engine import find_engine
from .facade import SmartAbsen

NAMES: Final = ("Contoh Satu", "Contoh Dua", "Contoh Tiga", "Contoh Empat", "Contoh Lima", "Contoh Enam")
"""Sample names: “Sample One” to “Sample Six”."""
ZONE: Final = "Asia/Jakarta"
ADDRESS: Final = "http://127.0.0.1:5001/auth"
"""What a phone or laptop opens when a server runs with its defaults."""


_UNGUARDED: Final = N_(
    "Nothing guards the door: the files of the liveness check could not be fetched, so a photograph held up would be "
    "recorded as the person on it. In your own home: smartabsen models pull {pack}"
)


@dataclass(frozen=True, slots=True)
class DemoStep:
    """Something that was just done.

    Attributes:
        title: What, as a message id with ``params``; empty for a further result of the same step.
        result: An enrolment, the training, or an event of the kiosk.
        zone: IANA zone that times are shown in.
    """

    title: str = ""
    params: tuple[tuple[str, str], ...] = ()
    result: EnrolReport | TrainReport | KioskEvent | None = None
    zone: str = "Asia/Jakarta"


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What came of it.

    Attributes:
        ok: All six were recorded once, the stranger was refused, and so was the photograph where that was tried.
        engine: The engine that recognised.
        photograph_refused: Whether a photograph held up was refused; None where no liveness model was there to try.
        recorded: People recorded.
        refused: Refusals (UNKNOWN or AMBIGUOUS) of faces.
        attendance: The report of the day.
        csv_lines: Lines of the attendance log.
        places: What (a message id) lies where.
        address: What a phone would open.
        qr_text: Its QR for the terminal.
    """

    ok: bool
    engine: str
    photograph_refused: bool | None
    home: Path
    recorded: int
    refused: int
    seconds: float
    attendance: Report
    csv_lines: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    address: str
    qr_text: str


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Give a home for a demonstration that is gone after the ``with`` block, or swept by the next one."""
    with working_folder(Path(tempfile.gettempdir()), DEMO) as folder:
        # The folder itself has the mark of its owner in it, and a demonstration wants a new or empty one.
        home = folder / "home"
        make_private_directory(home)
        yield home


def run_demo(
    home: Path, *, say: Callable[[DemoStep], None], terminal: Terminal, flags: Mapping[str, object]
) -> DemoReport:
    """Enrol six people of two photographs, train, play a camera, and report.

    Args:
        home: A new or empty directory; everything is kept in it.
        say: Told each step.
        terminal: Where the QR will be shown.
        flags: Settings by dotted name, beside the home.

    Raises:
        ConflictError: The home is not empty.
        ModelError: No engine is there and none can be fetched.
    """
    started = time.monotonic()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise ConflictError(
            N_("{home} is not empty; the demonstration wants a directory of its own."),
            hint=N_("Name a new directory: smartabsen demo --keep DIR"),
            home=home,
        )
    engine = find_engine(
        home,
        flags,
        on_fetch=lambda name: say(DemoStep(N_("Fetching the engine {name} …"), (("name", name),))),
    )
    settings = {
        **find_hours(datetime.now(UTC)),
        "site.zone": ZONE,
        # The film is made of photographs, and would be refused like every photograph.
        "liveness.require": "off",
        **flags,
        "engine": engine.name,
        "models_dir": str(engine.models_dir),
        "home": str(home),
        "database_url": "",
    }
    with SmartAbsen.open(flags=settings) as app:
        zone = app.settings.site.zone
        say(DemoStep(N_("Engine: {name}"), (("name", engine.name),), zone=zone))
        say(DemoStep(N_("Making photos and a film of seven people …"), zone=zone))
        material = _make_material(app, home)
        say(DemoStep(N_("Enrolling six people, five photos each"), zone=zone))
        for number, (name, photos) in enumerate(material.photos.items(), start=1):
            code = f"C{number:03d}"
            say(DemoStep(result=app.enrol(name, photos, code=code, position="Contoh", consent=True), zone=zone))
        say(DemoStep(result=app.train(), zone=zone))
        params = (("frames", str(material.frames)),)
        say(DemoStep(N_("At the camera: six people and a stranger, {frames} frames"), params, zone=zone))
        decisions: list[KioskEvent] = []

        def on_event(event: KioskEvent) -> None:
            if event.kind is KioskEventKind.DECISION:
                decisions.append(event)
            say(DemoStep(result=event, zone=zone))

        app.run_kiosk(camera=str(material.film), on_event=on_event)
        today = _report_of(app, decisions)
        log = _log_lines(app.settings.csv_dir)
        recorded = [event for event in decisions if event.outcome is Outcome.RECOGNIZED]
        strangers = [event for event in decisions if event.outcome in (Outcome.UNKNOWN, Outcome.AMBIGUOUS)]
        names = sorted(event.result.employee.name for event in recorded if event.result is not None)
        photograph_refused = _hold_up_a_photograph(settings, material.photograph, say) if engine.guarded else None
        if photograph_refused is None:
            say(DemoStep(_UNGUARDED, (("pack", LIVENESS_PACK),), zone=zone))
        everybody = names == sorted(NAMES) and len(today.days) == len(NAMES)
        return DemoReport(
            ok=everybody and bool(strangers) and photograph_refused is not False,
            engine=engine.name,
            photograph_refused=photograph_refused,
            home=home,
            recorded=len(recorded),
            refused=len(strangers),
            seconds=time.monotonic() - started,
            attendance=today,
            csv_lines=log,
            places=(
                (N_("Home"), str(home)),
                (N_("Database"), str(home / "smartabsen.db")),
                (N_("Trained model"), str(app.settings.assets_dir)),
                (N_("Attendance log"), str(app.settings.csv_dir)),
                (N_("Photos and film"), str(material.film.parent)),
            ),
            address=ADDRESS,
            qr_text=terminal.draw_qr(ADDRESS),
        )


def find_hours(now: datetime) -> dict[str, object]:
    """Return the hours of the demonstration: work starts soon and on this work date, so that everybody is punctual.

    The work date begins an hour ago, or a start that lies behind the hour at which it ends would be that of the morning
    before, for which everybody is late.

    Args:
        now: Aware.
    """
    local = now.astimezone(ZoneInfo(ZONE))
    return {
        "attendance.day_starts_at": (local - timedelta(hours=1)).strftime("%H:%M"),
        "attendance.start": (local + timedelta(minutes=30)).strftime("%H:%M"),
    }


def _hold_up_a_photograph(settings: Mapping[str, object], film: Path, say: Callable[[DemoStep], None]) -> bool:
    """Return whether a print of somebody who is enrolled is refused at the camera, the liveness check being on."""
    decisions: list[KioskEvent] = []

    def on_event(event: KioskEvent) -> None:
        if event.kind is KioskEventKind.DECISION:
            decisions.append(event)
        say(DemoStep(result=event, zone=ZONE))

    say(DemoStep(N_("A photograph of {name} is held up to the camera"), (("name", NAMES[0]),), zone=ZONE))
    with SmartAbsen.open(flags={**settings, "liveness.require": "passive"}) as app:
        app.run_kiosk(camera=str(film), on_event=on_event)
    return bool(decisions) and all(event.outcome is Outcome.NOT_LIVE for event in decisions)


def _make_material(app: SmartAbsen, home: Path) -> DemoMaterial:
    directory = home / "demo"
    directory.mkdir(parents=True, exist_ok=True)
    detector = app.services.engine.detector
    return make_demo_material(directory, lambda image: [face.box_xyxy for face in detector.detect(image)], NAMES)


def _report_of(app: SmartAbsen, events: list[KioskEvent]) -> Report:
    """Return the report of the days that were punched: two of them when the demo runs over the start of a day."""
    days = [event.result.day.work_date for event in events if event.result is not None]
    today = app.services.rules.work_date(datetime.now(UTC))
    return app.report(min(days, default=today), max(days, default=today))


def _log_lines(directory: Path) -> tuple[str, ...]:
    files = sorted(directory.glob("*.csv"))
    return tuple(line for file in files for line in read_text(file, encoding="utf-8-sig").splitlines())
