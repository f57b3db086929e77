"""``smartabsen demo``: what it hands to the demonstration, and what it shows of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smartabsen.app.demo import ZONE, find_hours
from smartabsen.attendance.rules import Rules
from smartabsen.cli.commands import demo
from smartabsen.config.sections import AttendanceSettings
from smartabsen.kernel.domain import KioskEvent, KioskEventKind, Outcome, PunchResult, Report


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
            engine="open", photograph_refused=True,
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
        "These are samples of a few photographs",
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


@pytest.mark.parametrize("hour", range(24))
def test_everybody_is_punctual_at_any_time_of_day(hour: int) -> None:
    """Also where half an hour from now is another work date by the hours that a firm has."""
    for minute in (0, 29, 31, 52, 59):
        now = datetime(2026, 11, 30, hour, minute, 30, tzinfo=UTC)
        hours = {name.removeprefix("attendance."): value for name, value in find_hours(now).items()}
        attendance = AttendanceSettings(**hours)
        rules = Rules(attendance.start, 0, ZONE, attendance.day_starts_at, 60, 30)
        until = now + timedelta(minutes=10)
        assert rules.work_date(now) == rules.work_date(until)
        assert rules.start_of(rules.work_date(now)) > until


def demonstrate(models_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the real demonstration."""
    return subprocess.run(
        [sys.executable, "-m", "smartabsen", "demo", *arguments],
        env={**os.environ, "SMARTABSEN_MODELS_DIR": str(models_dir), "SMARTABSEN_LANGUAGE": "en", **variables},
        capture_output=True, text=True, check=False, timeout=1_200,
    )  # fmt: skip


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(("packs", "engine"), [(("sface", "openvino"), "open"), (("sface",), "sface")])
def test_everybody_is_recorded_and_the_stranger_and_a_photograph_are_refused(
    models_dir: Path, tmp_path: Path, packs: tuple[str, ...], engine: str
) -> None:
    """With the best engine whose files are there, and with the files of the liveness check."""
    for pack in (*packs, "minifasnet"):
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / pack).symlink_to(models_dir / pack)
    done = demonstrate(tmp_path / "models", "--json")
    assert done.returncode == 0, (done.stdout, done.stderr)
    report = json.loads(done.stdout)["data"]
    assert (report["engine"], report["recorded"], report["photograph_refused"]) == (engine, 6, True)
    assert report["refused"] >= 1


@pytest.mark.shared
@pytest.mark.slow
def test_without_the_files_of_the_liveness_check_one_line_says_so(models_dir: Path, tmp_path: Path) -> None:
    """Nothing else is missing."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sface").symlink_to(models_dir / "sface")
    done = demonstrate(tmp_path / "models")
    assert done.returncode == 0, (done.stdout, done.stderr)
    (line,) = [line for line in done.stdout.splitlines() if "guards the door" in line]
    assert "smartabsen models pull minifasnet" in line
    assert "6 people recorded" in done.stdout


def test_without_a_network_the_demonstration_says_what_to_do(tmp_path: Path) -> None:
    """Exit code 6, the address and the folder; nothing is left half done."""
    nowhere = "http://127.0.0.1:9"
    done = demonstrate(
        tmp_path / "models",
        PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull, https_proxy=nowhere, http_proxy=nowhere,
    )  # fmt: skip
    assert done.returncode == 6
    assert "face_recognition_sface" in done.stderr and str(tmp_path / "models" / "sface") in done.stderr
    assert "Traceback" not in done.stderr
