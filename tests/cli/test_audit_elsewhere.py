"""``audit verify`` on a machine whose log is behind: people punch on other machines, too, and that is no alarm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from smartabsen import SmartAbsen
from smartabsen.cli.app import app as program

Verify = Callable[..., Result]


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database of all machines."""
    return request.getfixturevalue("mariadb_url") if request.param == "mariadb" else f"sqlite:///{tmp_path / 'all.db'}"


@pytest.fixture
def verify(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Runs ``audit verify`` on a machine."""
    monkeypatch.setenv("SMARTABSEN_ENGINE", "fake")
    monkeypatch.setenv("SMARTABSEN_DATABASE_URL", url)

    def run(machine: str, *arguments: str) -> Result:
        monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / machine))
        return CliRunner().invoke(program, ["audit", "verify", *arguments], prog_name="smartabsen")

    return run


@pytest.fixture
def office(url: str, tmp_path: Path) -> Iterator[SmartAbsen]:
    """A machine with two people, one of whom punched there."""
    with SmartAbsen.open(flags={"home": str(tmp_path / "office"), "engine": "fake", "database_url": url}) as app:
        for person in (1, 2):
            app.enrol(f"Contoh {person}", [], code=f"E{person}")
        app.punch("E1", note="ticket")
        yield app


def punch_at_the_door(office: SmartAbsen, code: str) -> SmartAbsen:
    home = office.settings.home.with_name("door")
    flags = {"home": str(home), "engine": "fake", "database_url": office.settings.database_url}
    with SmartAbsen.open(flags=flags) as door:
        door.punch(code)
        door.reconcile_log()
    return door


def test_a_punch_elsewhere_is_a_remark(office: SmartAbsen, verify: Verify) -> None:
    """And a home without any file as well; nothing is written by the check."""
    punch_at_the_door(office, "E2")
    for machine in ("office", "fresh"):
        result = verify(machine)
        assert result.exit_code == 0, result.output
        assert "behind the database by" in result.stdout and "csv rebuild" in result.stdout
        assert "Keep the database" not in result.output
    assert not list((office.settings.home.with_name("fresh") / "Attendance").glob("*.csv"))


@pytest.mark.parametrize("policy", ["pseudonymise", "delete"])
def test_an_erasure_elsewhere_is_a_remark(office: SmartAbsen, verify: Verify, policy: str) -> None:
    """The lines of the erased person are not what somebody edited or made up."""
    door = punch_at_the_door(office, "E2")
    flags = {"home": str(office.settings.home), "engine": "fake", "database_url": office.settings.database_url}
    with SmartAbsen.open(flags={**flags, "privacy.attendance_after_erasure": policy}) as desk:
        desk.privacy.erase("E1", reason="asked for it")
    result = verify("door")
    assert result.exit_code == 0, result.output
    assert "behind the database by" in result.stdout
    assert b"ticket" in next(door.settings.csv_dir.glob("*.csv")).read_bytes()


@pytest.mark.parametrize("trouble", ["edited", "made up", "unknown"])
def test_what_is_wrong_stays_a_problem(office: SmartAbsen, verify: Verify, trouble: str) -> None:
    """A line that differs, one that nobody wrote, and one whose punch is gone from the database."""
    punch_at_the_door(office, "E2")
    log = next(office.settings.csv_dir.glob("*.csv"))
    if trouble == "edited":
        log.write_bytes(log.read_bytes().replace(b"ticket", b"tocket"))
    elif trouble == "made up":
        log.write_bytes(log.read_bytes() + log.read_bytes().splitlines()[-1].replace(b"1,E1", b"7,E1", 1) + b"\n")
    else:
        with office.services.database.connect(exclusive=True) as connection:
            for table in ("absensi", "punches"):
                connection.execute(text(f"DELETE FROM {table} WHERE karyawan_id = 1"))
    result = verify("office")
    assert result.exit_code == 1
    assert "others" in result.stdout and "Keep the database as it is" in result.stderr
    (day,) = json.loads(verify("office", "--json").stdout)["data"]["log"]
    assert day["unknown"] == 1
