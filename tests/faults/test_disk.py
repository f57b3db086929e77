"""A disk that is full: what the commands of every day say, what they leave behind, and that they work afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import DatabaseError, SmartAbsen, StorageError
from smartabsen.attendance.board_rows import DayFilter
from smartabsen.attendance.desk import DayQuery
from smartabsen.privacy import export
from smartabsen.trust.audit import UNRECORDED
from tests.installation import Draw, enrol

SCRIPT = """
import json, resource, sys
from typer.testing import CliRunner
from smartabsen.cli.app import app

limits = resource.getrlimit(resource.RLIMIT_FSIZE)
found = {}
for command in json.loads(sys.argv[1]):
    runs = []
    for allowed in (0, limits[0]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, limits[1]))
        done = CliRunner().invoke(app, command, prog_name="smartabsen")
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        runs.append((done.exit_code, done.stderr.splitlines()))
    found[" ".join(command[:2])] = runs
print(json.dumps(found))
"""


MONTH = DayFilter(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def used(app: SmartAbsen, draw: Draw) -> SmartAbsen:
    """An installation with two people, a trained model and a punch."""
    for person in (1, 2):
        enrol(app, draw, person)
    app.train()
    app.punch("E1", key="first")
    return app


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of files are POSIX")
def test_every_command_says_it_in_one_line_and_works_when_there_is_space_again(
    used: SmartAbsen, draw: Draw, tmp_path: Path
) -> None:
    """What must write is refused, with what to do; what only reads works; no part of a file is left."""
    home = used.settings.home
    used.close()
    (log,) = used.settings.csv_dir.glob("*.csv")
    log.write_bytes(log.read_bytes() + b"torn")
    before = {path for path in home.rglob("*") if path.is_file()}
    commands = [
        ["csv", "rebuild"],
        ["enroll", "Contoh 3", str(draw("3.png", 3)), str(draw("3b.png", 3, size_px=150)), "--code", "E3"],
        ["train"],
        ["punch", "E2"],
        ["report"],
        ["privacy", "export", "E1", "--output", str(tmp_path / "export")],
        ["backup", "create"],
        ["employee", "list"],
    ]
    environment = {**os.environ, "SMARTABSEN_HOME": str(home), "SMARTABSEN_ENGINE": "fake"}
    command = [sys.executable, "-W", "error", "-c", SCRIPT, json.dumps(commands)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert {name: second[0] for name, (_, second) in found.items()} == dict.fromkeys(found, 0)
    assert found.pop("employee list")[0] == [0, []]
    for name, ((code, said), _) in found.items():
        problem = [line for line in said if line.startswith("Error: ")]
        assert (code in (1, 5), len(problem)) == (True, 1), (name, code, said)
        # SQLite takes a file that may not grow for a broken disk, not for a full one.
        assert "full" in problem[0] or "cannot be read or written" in problem[0], (name, said)
        assert said.index(problem[0]) == len(said) - 2, (name, said)
        assert name not in ("report", "privacy export") or said[-1] == UNRECORDED
    left = {path for path in home.rglob("*") if path.is_file()} - before
    assert not [path.name for path in left if path.name.endswith(".tmp") or path.parent.name.startswith(".")]


def refuse_entries(app: SmartAbsen) -> None:
    """Let the audit trail be full, and nothing else."""
    with app.services.database.write() as session:
        session.execute(text("CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no space'); END"))


@pytest.mark.parametrize(
    "look",
    [
        lambda app, target: app.privacy.export("E1", target),
        lambda app, _: app.report(date(2026, 11, 1), date(2026, 11, 30)),
        lambda app, _: app.export_days(DayQuery(MONTH), format="csv"),
        lambda app, _: app.templates_of("E1"),
    ],
    ids=["export of a person", "report", "export of days", "templates"],
)
def test_nothing_is_shown_that_cannot_be_recorded(
    used: SmartAbsen, tmp_path: Path, look: Callable[[SmartAbsen, Path], object]
) -> None:
    """The hint says why a command that only reads needs to write."""
    refuse_entries(used)
    with pytest.raises(DatabaseError, match="no space") as caught:
        look(used, tmp_path / "export")
    assert caught.value.hint == UNRECORDED
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize("found", [True, False], ids=["empty directory", "new one"])
def test_an_export_that_could_not_be_completed_leaves_nothing(
    used: SmartAbsen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    """The same command works when there is space again."""
    target = tmp_path / "export"
    if found:
        target.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(export, "write_atomically", lambda *_: (_ for _ in ()).throw(StorageError("full")))
        with pytest.raises(StorageError, match="full"):
            used.privacy.export("E1", target)
    assert target.exists() == found and not list(target.glob("*"))
    assert (used.privacy.export("E1", target).directory / "person.json").is_file()


def test_a_backup_is_made_although_the_trail_cannot_be_written(used: SmartAbsen) -> None:
    """Before a disk dies is when it is needed; what is missing is told."""
    refuse_entries(used)
    made = used.backups.create()
    assert used.backups.verify(made.path).audit_head
    assert [message for message, _ in used.remarks if "audit trail does not know of it" in message]
