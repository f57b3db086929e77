"""``smartabsen demo``: what it hands to the demonstration, and what it shows of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smartabsen.cli.commands import demo
from smartabsen.domain import KioskEvent, KioskEventKind, Outcome, PunchResult, Report


@pytest.fixture
def homes(monkeypatch: pytest.MonkeyPatch, punched: PunchResult) -> list[tuple[Path, bool]]:
    """Run a made-up demonstration; the homes that it was given, and whether they existed."""
    given: list[tuple[Path, bool]] = []

    def run_demo(home: Path, *, say: Callable[[Any], None], console: Any, flags: dict[str, object]) -> Any:
        given.append((home, home.exists()))
        at = punched.punch.at
        for title, result in (
            ("Enrolling {count} people.", None),
            ("", KioskEvent(KioskEventKind.DECISION, at, Outcome.RECOGNIZED, punched)),
            ("", KioskEvent(KioskEventKind.DECISION, at, Outcome.UNKNOWN)),
        ):
            say(SimpleNamespace(title=title, params=(("count", "6"),), result=result, zone="Asia/Jakarta"))
        return SimpleNamespace(
            home=home, attendance=Report(date(2026, 11, 2), date(2026, 11, 2), "Asia/Jakarta", (), ()),
            csv_lines=("07:55,E001",), places=(("Database", str(home / "smartabsen.db")),), qr_text="██\n▀▀",
            address="http://127.0.0.1:5001/auth", recorded=6, refused=1, seconds=12.34, ok=flags == {},
        )  # fmt: skip

    monkeypatch.setattr(demo, "run_demo", run_demo)
    return given


def test_the_demonstration_is_shown_step_by_step(program: Any, homes: list[Any]) -> None:
    """Steps, decisions, log, places, QR and the plain word about what it does not prove."""
    result = program("demo")
    assert result.exit_code == 0
    for text in (
        "Enrolling 6 people.",
        "  07:55:00  Good morning, Siti Rahma. 07:55, Present.",
        "  07:55:00  Not recognised.",
        "07:55,E001",
        "██\n▀▀",
        "6 people recorded, 1 stranger refused, in 12.3 s.",
        "A phone does not reach 127.0.0.1",
        "These are samples of one photograph",
    ):
        assert text in result.stdout


def test_scripts_get_one_object(program: Any, homes: list[Any]) -> None:
    """No step is printed before the JSON."""
    exit_code, answer = program.json("demo")
    assert (exit_code, answer["data"]["recorded"], answer["data"]["refused"]) == (0, 6, 1)


def test_a_demonstration_that_went_wrong_fails(program: Any, homes: list[Any]) -> None:
    """The exit code of ``make demo`` can be trusted."""
    assert program("demo", "--engine", "dlib").exit_code == 1


def test_the_home_is_temporary_unless_it_is_to_be_kept(program: Any, homes: list[Any], tmp_path: Path) -> None:
    """Without --keep nothing is left behind."""
    program("demo")
    program("demo", "--keep", str(tmp_path / "kept"))
    (temporary, existed), (kept, _) = homes
    assert existed
    assert not temporary.exists()
    assert kept == tmp_path / "kept"
