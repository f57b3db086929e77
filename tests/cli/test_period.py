"""``smartabsen period`` and ``punches``, as scripts call them. The month of the tests has long been over."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from smartabsen.cli.app import app

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an installation with one employee, and returns its data."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMARTABSEN_ENGINE", "fake")
    monkeypatch.chdir(tmp_path)

    def do(line: str, *, code: int = 0) -> dict[str, Any]:
        done = CliRunner().invoke(app, shlex.split(f"{line} --json"), prog_name="smartabsen")
        assert done.exit_code == code, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        data: dict[str, Any] = found["data"] if code in (0, 7) else found
        return data

    do("employee add E001 --name 'Siti Contoh'")
    do("shift add PAGI --start 08:00 --end 17:00 --break 12:00-13:00")
    do("pattern add KANTOR --cycle PAGI:5,OFF:2 --starts 2025-10-06")
    do("roster assign --employee E001 --pattern KANTOR --from 2025-10-01")
    return do


def test_a_month_from_the_file_of_a_device_to_payroll(run: Run, tmp_path: Path) -> None:
    """Import, check, settle, close, export; who asks to open it again does not confirm."""
    file = tmp_path / "attlog.dat"
    file.write_text(
        "E001\t2025-10-06 07:55:00\t1\nE001\t2025-10-07 07:55:00\t1\nE001\t2025-10-07 17:00:00\t1\n"
        "E9\t2025-10-07 08:00:00\t1\n"
    )
    dry = run("punches import attlog.dat --dry-run", code=7)
    assert (dry["taken"], dry["unknown_pins"]) == (3, {"E9": 1})
    assert run("punches import attlog.dat", code=7)["taken"] == 3
    assert run("punches import attlog.dat", code=7)["counts"]["known"] == 3

    found = CliRunner().invoke(app, ["period", "check", "2025-10", "--json"], prog_name="smartabsen")
    assert found.exit_code == 1
    checked = json.loads(found.stdout)["data"]
    assert [(each["kind"], each["date"]) for each in checked["exceptions"] if each["blocks"]] == [
        ("forgotten-departure", "2025-10-06")
    ]
    assert run("period close 2025-10", code=1)["errors"]
    file.write_text("E001\t2025-10-06 17:00:00\t1\n")
    run("punches import attlog.dat")
    assert run("period check 2025-10")["can_close"]
    closed = run("period close 2025-10")
    assert (closed["closed"], len(closed["hash"])) == (True, 64)

    written = run("period export 2025-10 --profile days --output a.csv")
    assert run("period export 2025-10 --profile days --output b.csv")["sha256"] == written["sha256"]
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert run("period check 2025-10")["problems"] == []
    assert [each["month"] for each in run("period list")["periods"]] == ["2025-10"]

    wish = run("period reopen 2025-10 --reason 'wrong roster'")
    assert run(f"period reopen 2025-10 --confirm {wish['id']}", code=1)["errors"]
