"""Shifts, patterns, presets, rosters and the calendar at the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smartabsen.cli.app import app

Run = Callable[[str], dict[str, Any]]


def call(line: str) -> Result:
    return CliRunner().invoke(app, shlex.split(line), prog_name="smartabsen")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an installation with one employee, and returns its data."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMARTABSEN_ENGINE", "fake")

    def do(line: str) -> dict[str, Any]:
        done = call(f"{line} --json")
        assert done.exit_code == 0, done.output
        envelope = json.loads(done.stdout)
        assert (envelope["status"], envelope["errors"]) == ("ok", [])
        found: dict[str, Any] = envelope["data"]
        return found

    do("enroll 'Siti Contoh' --code E001 --no-photos")
    return do


def test_a_firm_is_set_up_with_the_commands_of_the_manual(run: Run) -> None:
    """Shifts of each kind, a pattern, an assignment, a single date, and the plan that follows."""
    shift = run("shift add PAGI --start 08:00 --end 17:00 --break 12:00-13:00 --grace-in 10")["shift"]
    assert (shift["spans"], shift["breaks"], shift["grace_in"]) == (["08:00-17:00"], ["12:00-13:00"], 10)
    run("shift add MALAM --start 22:00 --end 06:00 --opens-before 120 --closes-after 240")
    split = run("shift add SPLIT --span 06:00-10:00 --span 17:00-21:00")["shift"]
    assert split["spans"] == ["06:00-10:00", "17:00-21:00"]
    assert run("shift add BEBAS --flexible-week 40:00")["shift"]["flexible_week"] == "40:00"
    assert [each["code"] for each in run("shift list")["shifts"]] == ["BEBAS", "MALAM", "PAGI", "SPLIT"]

    pattern = run("pattern add KANTOR --cycle PAGI:5,OFF:2 --starts 2026-11-02")["pattern"]
    assert (pattern["cycle"], pattern["days"], pattern["starts"]) == ("PAGI:5,OFF:2", 7, "2026-11-02")
    assigned = run("roster assign --employee E001 --pattern KANTOR --from 2026-11-01")["assignment"]
    assert (assigned["scope"], assigned["code"], assigned["to"]) == ("employee", "E001", None)
    changed = run("roster set E001 2026-11-13 MALAM --reason swapped")
    assert (changed["before"]["shift"], changed["after"]["shift"]) == ("PAGI", "MALAM")

    listed = run("roster list --from 2026-11-09 --to 2026-11-15")
    assert [day["shift"] for day in listed["days"]] == [*["PAGI"] * 4, "MALAM", None, None]
    assert listed["roster"] == [{"code": "E001", "date": "2026-11-13", "shift": "MALAM", "reason": "swapped"}]
    assert run("roster clear E001 2026-11-13 --reason back")["after"]["shift"] == "PAGI"
    ended = run(f"roster end {assigned['id']} --on 2026-11-30")["assignment"]
    assert ended["to"] == "2026-11-30"
    assert "PAGI" in call("roster list --from 2026-11-09 --to 2026-11-15").stdout


def test_a_shift_is_changed_from_a_date_on(run: Run) -> None:
    """What is not given stays."""
    run("shift add PAGI --start 08:00 --end 17:00 --break 12:00-13:00 --grace-in 10")
    changed = run("shift set PAGI --start 07:30 --end 16:30 --valid-from 2099-12-01")["shift"]
    assert (changed["spans"], changed["breaks"], changed["grace_in"]) == (["07:30-16:30"], ["12:00-13:00"], 10)
    (listed,) = run("shift list")["shifts"]
    assert (listed["spans"], len(listed["versions"])) == (["08:00-17:00"], 2)
    assert "07:30-16:30" in call("shift list").stdout
    assert run("shift remove PAGI") == {"code": "PAGI"}


def test_a_preset_is_added_and_moved(run: Run) -> None:
    """With a shift of its own on Fridays."""
    for code in ("PAGI", "PUASA", "JUMAT"):
        run(f"shift add {code} --start 08:00 --end 15:00")
    given = "preset add RAMADAN --from 2027-02-08 --to 2027-03-09 --map PAGI=PUASA --map PAGI@fri=JUMAT"
    assert run(given)["preset"]["shifts"] == [
        {"shift": "PAGI", "instead": "PUASA", "weekday": None},
        {"shift": "PAGI", "instead": "JUMAT", "weekday": 4},
    ]
    moved = run("preset move RAMADAN --by 1")["preset"]
    assert (moved["from"], moved["to"]) == ("2027-02-09", "2027-03-10")
    assert len(run("preset list")["presets"]) == 1
    assert "RAMADAN" in call("preset list").stdout
    run("preset remove RAMADAN")
    assert call("preset add R --from 2027-02-08 --to 2027-03-09 --map PAGI").exit_code == 2


def test_a_holiday_is_added_and_removed_and_says_whom_it_touches(run: Run) -> None:
    """And joint leave is taken or worked."""
    run("shift add PAGI --start 08:00 --end 17:00")
    run("pattern add KANTOR --cycle PAGI:5,OFF:2")
    run("roster assign --employee E001 --pattern KANTOR --from 2026-01-01")
    added = run("calendar add 2026-11-13 'Hari Contoh' --kind public")
    assert added["touched"] == [
        {"code": "E001", "name": "Siti Contoh", "date": "2026-11-13", "before": "PAGI", "after": "OFF"}
    ]
    (day,) = run("calendar list --year 2026")["days"]
    assert (day["name"], day["kind"], day["source"], day["taken"]) == ("Hari Contoh", "public", "admin", None)
    assert len(run("calendar remove 2026-11-13")["touched"]) == 1
    run("calendar add 2026-12-24 'Cuti Bersama' --kind joint")
    assert run("calendar work 2026-12-24 --employee E001")["touched"][0]["after"] == "PAGI"
    assert run("calendar take 2026-12-24 --employee E001")["touched"][0]["after"] == "OFF"
    assert run("calendar work 2026-12-24")["days"][0]["taken"] is False


def test_a_sync_shows_the_difference_and_asks_first(run: Run) -> None:
    """Nobody is there to answer, so nothing is written without --yes; an estimate says so."""
    dry = run("calendar sync --year 2027 --dry-run")
    assert (len(dry["added"]), dry["applied"]) == (26, False)
    unanswered = call("calendar sync --year 2027 --json")
    assert unanswered.exit_code == 2
    assert run("calendar list --year 2027")["days"] == []
    assert run("calendar sync --year 2027 --yes")["applied"] is True
    assert "Hari Raya Idul Fitri (perkiraan)" in call("calendar list --year 2027").stdout
    assert run("calendar sync --year 2027 --source frozen --dry-run")["added"] == []


def test_a_roster_goes_out_and_in_as_a_sheet(run: Run, tmp_path: Path) -> None:
    """A rejected row is told with exit code 7."""
    run("shift add PAGI --start 08:00 --end 17:00")
    path = tmp_path / "roster.csv"
    assert run(f"roster export {path} --month 2026-11")["people"] == 1
    path.write_text("code,2026-11-02\nE001,PAGI\nE009,PAGI\n", encoding="utf-8")
    done = call(f"roster import {path} --month 2026-11 --reason november --json")
    data = json.loads(done.stdout)["data"]
    assert (done.exit_code, data["changed"], data["rejected"]) == (7, 1, 1)
    assert "E009" in call(f"roster import {path} --month 2026-11 --dry-run").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        "shift add PAGI --start 08:00",
        "shift add PAGI --start 08:00 --end 17:00 --span 06:00-10:00",
        "shift add PAGI --start pagi --end 17:00",
        "shift add PAGI",
        "roster assign --pattern KANTOR --from 2026-11-01",
        "roster assign --employee E001 --site JKT --pattern KANTOR --from 2026-11-01",
        "roster assign --employee E001 --pattern KANTOR --from 31/13/2026",
        "roster export x.xlsx --month november",
        "roster set E001 2026-11-02 OFF",
        "calendar add 2026-11-13 X --kind public --worked",
    ],
)
def test_what_cannot_be_read_is_a_usage_error(run: Run, arguments: str) -> None:
    """Nothing is written."""
    assert call(f"{arguments} --json").exit_code == 2
