"""``run-kiosk``: lines for scripts, greetings for people, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from smartabsen.cli.commands import kiosk as kiosk_command
from smartabsen.cli.kiosk_view import KioskView
from smartabsen.cli.output import Output
from smartabsen.kernel.domain import KioskEvent, KioskEventKind, LivenessPrompt, MovementRequest, MovementStage, Outcome
from smartabsen.kernel.errors import CameraBusyError
from smartabsen.kernel.i18n import use_language
from smartabsen.kernel.messages import PROMPTS

JAKARTA = ZoneInfo("Asia/Jakarta")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Outcome, str]]:
    """What was played: sound mode, outcome and sentence."""
    plays: list[tuple[str, Outcome, str]] = []

    class Sound:
        def __init__(self, mode: str, *, notice: Callable[[str], None]) -> None:
            self.mode = mode

        def play(self, outcome: Outcome, text: str) -> None:
            plays.append((self.mode, outcome, text))

        def close(self) -> None:
            plays.append((self.mode, Outcome.ACCEPTED, "closed"))

    monkeypatch.setattr(kiosk_command, "Sound", Sound)
    return plays


@pytest.fixture
def events(punched: Any) -> tuple[KioskEvent, ...]:
    """A session: started, one person greeted, one refused, the camera lost and back."""
    at = punched.punch.at
    return (
        KioskEvent(KioskEventKind.STARTED, at, detail="No window: {why}.", params=(("why", "no display"),)),
        KioskEvent(KioskEventKind.DECISION, at, Outcome.RECOGNIZED, punched, similarity=0.81, track=1),
        KioskEvent(KioskEventKind.DECISION, at, Outcome.TOO_DARK, track=2),
        KioskEvent(KioskEventKind.CAMERA_LOST, at, detail="The camera is gone."),
        KioskEvent(KioskEventKind.CAMERA_BACK, at, detail="The camera is back."),
    )


@pytest.fixture
def kiosk(program: Any, heard: Any, events: Any) -> Any:
    """The program, whose kiosk tells these events."""
    program.prepare = lambda library: setattr(library, "events", events)
    return program


def test_scripts_get_a_line_for_each_movement_that_is_asked_for(kiosk: Any, punched: Any) -> None:
    """With a stable word, the track it is meant for, and the sentence that the person reads."""
    event = KioskEvent(
        KioskEventKind.PROMPT,
        punched.punch.at,
        track=3,
        detail=PROMPTS[LivenessPrompt.TURN_LEFT],
        request=MovementRequest(LivenessPrompt.TURN_LEFT, 1, 2, MovementStage.NOTICED, 0.4),
        employee=punched.employee,
    )
    kiosk.prepare = lambda library: setattr(library, "events", (event,))
    first, _last = map(json.loads, kiosk("run-kiosk", "--headless", "--json").stdout.splitlines())
    assert first == {
        "event": "prompt",
        "prompt": "turn_left",
        "stage": "noticed",
        "step": 1,
        "steps": 2,
        "at": "2026-11-02T00:55:00+00:00",
        "track": 3,
        "employee": {"code": "E001", "name": "Siti Rahma"},
        "message": "Siti Rahma: Seen. Slowly further. (step 1 of 2)",
    }


def test_scripts_get_one_line_for_each_decision_and_a_last_one(kiosk: Any) -> None:
    """Everything else goes to stderr; a reader of stdout needs to know few kinds of lines."""
    result = kiosk("run-kiosk", "--headless", "--json")
    first, second, lost, back, last = map(json.loads, result.stdout.splitlines())
    assert [lost["event"], lost["message"], back["event"]] == ["camera_lost", "The camera is gone.", "camera_back"]
    assert result.exit_code == 0
    assert first == {
        "event": "decision",
        "outcome": "recognized",
        "employee": {"code": "E001", "name": "Siti Rahma"},
        "at": "2026-11-02T00:55:00+00:00",
        "date": "2026-11-02",
        "status": "Hadir",
        "similarity": 0.81,
        "covered": False,
        "track": 1,
        "message": "Good morning, Siti Rahma. 07:55, Present.",
    }
    assert (second["event"], second["outcome"], second["employee"]) == ("decision", "too_dark", None)
    assert (last["event"], last["recorded"], last["refused"], last["reason"]) == (
        "summary", 1, 1, "end_of_recording",
    )  # fmt: skip
    assert "The camera is gone." in result.stderr


def test_people_are_greeted_refused_and_told_what_happens(kiosk: Any) -> None:
    """A greeting has name, time and status; a refusal has reason and next step."""
    result = kiosk("run-kiosk")
    assert result.stdout.splitlines() == [
        "07:55:00  Good morning, Siti Rahma. 07:55, Present.",
        "07:55:00  Too dark. Face the light.",
        "The recording has ended. 1 recorded, 0 recorded before, 1 refused; 12 frames in 1.2 s.",
    ]
    assert result.stderr.splitlines() == [
        "Engine dlib: the built-in engine",
        "No window: no display.",
        "The camera is gone.",
        "The camera is back.",
    ]


def test_decisions_are_heard_as_the_settings_say(kiosk: Any, heard: list[Any]) -> None:
    """The option is a setting; both kinds of decisions have a sound."""
    kiosk("run-kiosk", "--sound", "voice", "--json")
    assert heard[:-1] == [
        ("voice", Outcome.RECOGNIZED, "Good morning, Siti Rahma. 07:55, Present."),
        ("voice", Outcome.TOO_DARK, "Too dark. Face the light."),
    ]
    assert heard[-1][2] == "closed"


def test_the_library_gets_the_camera_the_time_and_whether_to_open_a_window(kiosk: Any) -> None:
    """``--headless`` means no window; without it the library decides."""
    kiosk("run-kiosk", "--camera", "door.mp4", "--headless", "--max-seconds", "2.5")
    name, _, options = next(call for call in kiosk.library.calls if call[0] == "run_kiosk")
    chosen = {key: options[key] for key in ("camera", "max_seconds", "window")}
    assert (name, chosen) == ("run_kiosk", {"camera": "door.mp4", "max_seconds": 2.5, "window": False})
    kiosk("run-kiosk")
    assert next(call for call in kiosk.library.calls if call[0] == "run_kiosk")[2]["window"] is True


def test_a_kiosk_that_cannot_start_answers_like_any_command(kiosk: Any) -> None:
    """A busy camera is exit code 4 and one line of JSON."""
    kiosk.prepare = lambda library: library.raises.update(run_kiosk=CameraBusyError("Busy."))
    assert kiosk.json("run-kiosk")[0] == 4


def test_a_punch_that_could_be_stored_nowhere_shows_in_the_exit_code(kiosk: Any) -> None:
    """A supervisor must not believe that all was recorded."""
    assert kiosk("run-kiosk").exit_code == 0
    kiosk.prepare = lambda library: setattr(library, "lost", 1)
    assert kiosk("run-kiosk").exit_code == 7


def terminal(width: int) -> tuple[KioskView, StringIO]:
    """Return a view on a terminal of so many columns, and what is written to that."""
    screen = StringIO()
    out = Output(as_json=False, quiet=False)
    out.stdout = Console(file=screen, force_terminal=True, width=width)
    return KioskView(out, JAKARTA, lambda *_: None), screen


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_always_shows_the_state_below_the_decisions(events: Any, width: int, language: str) -> None:
    """Camera, speed, counts, the last decision and how to end it are whole, however narrow the terminal is."""
    view, screen = terminal(width)
    with use_language(language), view.running():
        for event in [*events, KioskEvent(KioskEventKind.RUNNING, events[0].at, frames_per_s=14.6)]:
            view.on_event(event)
        state = str(view._status()).splitlines()
    words = {
        "en": ("Camera on", "15 pictures/s", "1 recorded, 1 refused", "Ctrl-C ends"),
        "id": ("Kamera menyala", "15 gambar/dtk", "1 tercatat, 1 ditolak", "Ctrl-C untuk berhenti"),
    }[language]
    assert all(any(word in line for line in state) for word in words), state
    assert all(len(line) <= width for line in state)
    assert state[-1].startswith("07:55:00  ")
    assert state[0] in screen.getvalue()


def test_a_lost_camera_shows_in_the_state_until_it_is_back(events: Any) -> None:
    """Whoever walks by sees that nobody is recognised."""
    view, _ = terminal(80)
    with view.running():
        view.on_event(KioskEvent(KioskEventKind.CAMERA_LOST, events[0].at, detail="The camera is gone."))
        assert str(view._status()).startswith("Camera lost, trying again")
        view.on_event(KioskEvent(KioskEventKind.CAMERA_BACK, events[0].at, detail="The camera is back."))
        assert str(view._status()).startswith("Camera on")


def test_the_start_and_a_new_model_are_told_once_above_the_state(events: Any) -> None:
    """They are read once, and do not push the counts off the screen."""
    view, screen = terminal(80)
    with view.running():
        for kind, detail in ((KioskEventKind.STARTED, "Camera: 0."), (KioskEventKind.MODEL_RELOADED, "New model 1.")):
            view.on_event(KioskEvent(kind, events[0].at, detail=detail))
        assert not {"Camera: 0.", "New model 1."} & set(str(view._status()).splitlines())
    assert screen.getvalue().count("Camera: 0.") == screen.getvalue().count("New model 1.") == 1


def test_people_whose_punch_is_kept_are_told_and_later_that_it_is_delivered(kiosk: Any, punched: Any) -> None:
    """By name where it is known; it is no refusal, and the end says how many wait."""
    at = punched.punch.at
    kiosk.prepare = lambda library: setattr(
        library,
        "events",
        (
            KioskEvent(KioskEventKind.DECISION, at, Outcome.PENDING, employee=punched.employee, track=1),
            KioskEvent(KioskEventKind.DECISION, at, Outcome.PENDING, track=2),
            KioskEvent(KioskEventKind.DELIVERED, at, Outcome.RECOGNIZED, punched),
        ),
    )
    shown = kiosk("run-kiosk").stdout.splitlines()
    assert shown[:3] == [
        "07:55:00  Siti Rahma, 07:55: kept on this kiosk. It counts as soon as the database answers.",
        "07:55:00  Recognised at 07:55, kept on this kiosk. It counts as soon as the database answers.",
        "07:55:00  In the database now: Good morning, Siti Rahma. 07:55, Present.",
    ]
    first, second, third, _ = map(json.loads, kiosk("run-kiosk", "--json").stdout.splitlines())
    assert (first["event"], first["outcome"], first["employee"]["code"]) == ("decision", "pending", "E001")
    assert (second["outcome"], second["employee"], third["event"]) == ("pending", None, "delivered")


def test_the_live_line_says_that_the_camera_is_lost_until_it_is_back(events: Any) -> None:
    """In another colour, so that somebody across the room sees it."""
    out = Output(as_json=False, quiet=False)
    out.stdout = Console(file=StringIO(), force_terminal=True, width=80)
    view = KioskView(out, JAKARTA, lambda *_: None)
    view.on_event(events[3])
    assert "red" in str(view._status().style) and "Camera lost" in view._status().plain
    view.on_event(events[4])
    assert "red" not in str(view._status().style)


KIOSK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv.pop(1))
import conftest
from smartabsen.cli import session
from smartabsen.cli.app import main

def wait(*, stop):
    print("ready", file=sys.stderr, flush=True)
    stop.wait(20)

def open_app(flags):
    library = conftest.FakeApp(flags, Path("."))
    library.run = wait
    return library

session.open_app = open_app
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it_with_a_summary(tmp_path: Path, number: int, exit_code: int) -> None:
    """A service manager's SIGTERM is a good end; Ctrl-C is told apart."""
    command = [
        sys.executable,
        "-c",
        KIOSK,
        str(Path(__file__).parent),
        "run-kiosk",
        "--sound",
        "off",
        "--json",
        "--quiet",
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stderr.readline() == "ready\n"
        started = time.monotonic()
        process.send_signal(number)
        summary = json.loads(process.stdout.read())
        assert process.wait(timeout=20) == exit_code
        assert process.stderr.read() == ""
    assert (summary["event"], summary["reason"]) == ("summary", "stopped")
    assert time.monotonic() - started < 10
