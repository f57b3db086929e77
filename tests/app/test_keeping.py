"""Audit trail, database and log through the facade and the command line, on a small real installation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from smartabsen import ConfigError, DatabaseError, InvalidInputError, SmartAbsen
from smartabsen.cli.app import app as program
from smartabsen.store import meta

from ..installation import Draw

Run = Callable[..., Result]


@pytest.fixture
def run(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line on the installation."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(flags["home"]))
    monkeypatch.setenv("SMARTABSEN_ENGINE", "fake")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(program, list(arguments), prog_name="smartabsen")

    return call


def answer(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def used(app: SmartAbsen) -> SmartAbsen:
    """An installation with an employee and a punch."""
    app.enrol("Contoh", [], code="E1")
    app.punch("E1", note="=late")
    return app


def test_what_was_done_is_listed_and_checked(used: SmartAbsen, run: Run) -> None:
    """With who did it, and to whom; by kind, person and number."""
    result = run("audit", "list", "--subject", "E1")
    assert result.exit_code == 0
    assert "punch.manual" in result.stdout and "note==late" in result.stdout
    assert [one["action"] for one in answer(run("audit", "list", "--limit", "1", "--json"))["data"]["entries"]] == [
        "punch.manual"
    ]
    verdict = answer(run("audit", "verify", "--json"))
    assert (verdict["status"], verdict["data"]["problems"]) == ("ok", [])
    assert run("audit", "verify", "--anchor", verdict["data"]["head"]).exit_code == 0


def test_an_edited_entry_is_found_by_the_command_line(used: SmartAbsen, run: Run) -> None:
    """Exit code 1, and the entry is named."""
    with used.services.database.connect(exclusive=True) as connection:
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE action = 'punch.manual'"))
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "was changed" in result.stdout and "not as it was written" in result.stderr


def test_an_edited_time_is_found_by_the_command_line(used: SmartAbsen, run: Run) -> None:
    """The auditor's first question: code, date, column, what stands there and what the punches give."""
    assert "1 punches and 1 days, each as it was written" in run("audit", "verify").stdout
    with used.services.database.connect(exclusive=True) as connection:
        connection.execute(text("UPDATE absensi SET menit_kerja = 480"))
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "menit_kerja is 480; the punches give 0." in result.stdout and "E1, " in result.stdout
    assert "attendance is not as it was written" in result.stderr
    (problem,) = answer(run("audit", "verify", "--json"))["data"]["attendance"]["problems"]
    assert (problem["kind"], problem["stored"], problem["derived"]) == ("differs", 480, 0)
    assert run("audit", "verify", "--no-attendance").exit_code == 0


def test_a_log_that_differs_is_part_of_the_check(used: SmartAbsen, run: Run) -> None:
    """A punch that was deleted with its day is still in the file; the next start notes that, and keeps the file."""
    with used.services.database.connect(exclusive=True) as connection:
        for table in ("absensi", "punches"):
            connection.execute(text(f"DELETE FROM {table}"))
    result = run("audit", "verify")
    assert result.exit_code == 1 and "has 1 others" in result.stdout
    used.reconcile_log()
    result = run("audit", "verify", "--json")
    (gone,) = answer(result)["data"]["record"]
    number = used.audit.entries(action="punch")[0].number
    assert (result.exit_code, gone["kind"], gone["code"], gone["entry"]) == (1, "punch_gone", "E1", number)
    result = run("audit", "verify")
    assert f"the punch of entry {number} was deleted" in result.stdout and "1 things are not" in result.stderr
    (entry,) = used.audit.entries(action="attendance.log_replaced")
    assert (used.settings.csv_dir / entry.details["file"]).exists()


def test_a_restore_is_told_with_the_command_that_checks_what_it_replaced(used: SmartAbsen, run: Run) -> None:
    """And that command works as it is printed."""
    made = used.backups.create(recipient="")
    used.backups.restore(made.path)
    (line,) = [line for line in run("audit", "verify").stdout.splitlines() if "safety copy" in line]
    arguments = line.partition("smartabsen ")[2].split()
    checked = run(*arguments)
    assert (arguments[:2], checked.exit_code) == (["audit", "verify"], 0) and "each as it was written" in checked.stdout
    assert run("audit", "verify", "--backup", made.path.name, "--anchor", arguments[-1]).exit_code == 1


def test_what_is_not_signed_is_signed_with_a_reason(used: SmartAbsen, run: Run, draw: Draw) -> None:
    """An employee and a punch are older than the key; somebody vouches for them."""
    used.enrol("Contoh", [draw("a.png", 1)], code="E1", consent=True)
    assert (
        "2 entries are from before there was a key; the signed ones after them prove them"
        in run("audit", "verify").stdout
    )
    counts = {"entries": 2, "punches": 1, "days": 0, "heads": 0}
    assert answer(run("audit", "sign", "--dry-run", "--json"))["data"] == counts
    refused = run("audit", "sign")
    assert refused.exit_code == 2 and "--reason" in refused.stderr
    assert answer(run("audit", "sign", "--reason", "checked with HR", "--json"))["data"] == counts
    assert "from before" not in run("audit", "verify").stdout


def test_an_anchor_is_read_exactly(used: SmartAbsen) -> None:
    """A mistyped one is a mistake of the command line, not a broken record."""
    with pytest.raises(InvalidInputError, match="no head"):
        used.audit.verify(anchor="12")


def test_an_export_has_every_entry_and_the_head(used: SmartAbsen, run: Run, tmp_path: Path) -> None:
    """The export is itself the last entry."""
    path = tmp_path / "trail.jsonl"
    assert run("audit", "export", str(path)).exit_code == 0
    *lines, last = map(json.loads, path.read_text().splitlines())
    assert lines[-1]["action"] == "audit.export"
    assert last["head"] == f"{lines[-1]['number']}:{lines[-1]['digest']}" == str(used.audit.verify().head)


def test_reads_and_exports_of_attendance_and_biometric_data_are_noted(used: SmartAbsen, tmp_path: Path) -> None:
    """Who looked at what, with the period."""
    from datetime import date

    report = used.report(date(2026, 11, 1), date(2026, 11, 30), code="E1")
    used.write_report(report, tmp_path / "november.csv", format="csv")
    used.templates_of("E1")
    found = used.audit.entries(limit=3)
    assert [(one.action, one.subject) for one in found] == [
        ("biometric.read", "E1"), ("attendance.export", ""), ("attendance.read", "E1"),
    ]  # fmt: skip
    assert found[1].details == {"from": "2026-11-01", "to": "2026-11-30", "file": "november.csv"}


def test_the_log_is_compared_and_made_anew(used: SmartAbsen, run: Run) -> None:
    """Verify changes nothing and says where; rebuild makes it equal and keeps what it does not know."""
    (log,) = used.settings.csv_dir.glob("*.csv")
    whole = log.read_bytes()
    assert run("csv", "verify").exit_code == 0
    log.write_bytes(whole + b"made up\n")
    result = run("csv", "verify", "--json")
    assert (result.exit_code, answer(result)["data"]["differences"]) == (
        1, [{"date": log.stem, "missing": 0, "unknown": 1}],
    )  # fmt: skip
    assert log.read_bytes() == whole + b"made up\n"
    rebuilt = answer(run("csv", "rebuild", "--json"))["data"]
    assert (rebuilt["rewritten"], len(rebuilt["kept"])) == ([log.stem], 1)
    assert log.read_bytes() == whole
    log.write_bytes(whole[:-5])
    assert answer(run("csv", "verify", "--json"))["data"]["differences"][0] == {
        "date": log.stem, "missing": 1, "unknown": 1,
    }  # fmt: skip
    log.unlink()
    assert run("csv", "verify").exit_code == 1
    assert "1 lines were missing" in run("csv", "rebuild").stdout
    assert log.read_bytes() == whole


def test_the_status_of_the_database_is_shown(used: SmartAbsen, run: Run) -> None:
    """Kind, schema, journal; an empty one is no trouble and is not made by looking."""
    found = answer(run("db", "status", "--json"))["data"]
    assert (found["kind"], found["state"], found["schema"]) == ("SQLite", "current", found["wanted"])
    assert "nothing was to be done" in run("db", "upgrade").stdout
    fresh = str(used.settings.home / "fresh")
    assert answer(run("db", "status", "--home", fresh, "--json"))["data"]["state"] == "empty"
    assert not Path(fresh, "smartabsen.db").exists()


def test_a_database_is_copied_by_the_command_line(used: SmartAbsen, run: Run, tmp_path: Path) -> None:
    """The copy can be used at once."""
    url = f"sqlite:///{tmp_path / 'copy.db'}"
    result = run("db", "copy", "--to", url)
    assert result.exit_code == 0, result.stderr
    assert "both databases hold the same" in result.stdout
    with SmartAbsen.open(flags={"home": str(tmp_path / "other"), "engine": "fake", "database_url": url}) as other:
        assert [one.code for one in other.employees()] == ["E1"]
        assert other.audit.verify().problems == ()
    assert [one.details for one in used.audit.entries(action="database.copy")] == [{"to": str(tmp_path / "copy.db")}]
    assert run("db", "copy", "--to", url).exit_code == 1
    assert len(used.audit.entries(action="database.copy")) == 1


def test_half_of_a_copy_is_refused_by_every_command_and_explained(used: SmartAbsen, run: Run) -> None:
    """Status and doctor tell; nothing else takes it for the whole, and it goes into no backup."""
    used.services.database.run_write(lambda session: meta.put(session, meta.COPY_OF, "another"))
    for command in (["employee", "list"], ["backup", "create"], ["db", "upgrade"], ["punch", "E1"]):
        result = run(*command)
        assert result.exit_code == 5 and "unfinished copy" in result.stderr, command
        assert "db copy" in result.stderr
    status = run("db", "status", "--json")
    assert (status.exit_code, answer(status)["data"]["state"]) == (5, "half_copied")
    assert "unfinished copy" in run("db", "status").stdout
    assert "unfinished copy" in run("doctor").stdout
    assert not list(used.settings.home.glob("backups/*.tar"))


@pytest.mark.mariadb
def test_the_password_of_the_database_comes_from_a_file_or_the_environment(
    flags: dict[str, object], mariadb_url: str, tmp_path: Path
) -> None:
    """It is taken where the address has none, and stands in no message."""
    from sqlalchemy.engine import make_url

    secret = tmp_path / "password"
    secret.write_text("not the right one\n")
    url = make_url(mariadb_url)
    for given in ({"database.password_file": str(secret)}, {"database.password": "not the right one"}):
        with (
            SmartAbsen.open(flags={**flags, "database_url": mariadb_url, **given}) as app,
            pytest.raises(DatabaseError, match="user name or password") as caught,
        ):
            app.employees()
        assert "right one" not in str(caught.value)
        assert "right one" not in repr(app.settings) and "right one" not in str(list(app.setting_values()))
    secret.write_text(f"{url.password or ''}\n")
    with SmartAbsen.open(flags={**flags, "database_url": mariadb_url, "database.password_file": str(secret)}) as app:
        assert app.employees() == ()
    secret.unlink()
    with (
        SmartAbsen.open(flags={**flags, "database_url": mariadb_url, "database.password_file": str(secret)}) as app,
        pytest.raises(ConfigError, match="cannot be read"),
    ):
        app.employees()


@pytest.mark.mariadb
def test_a_server_without_tls_is_not_used_where_tls_is_wanted(
    flags: dict[str, object], mariadb_url: str, tmp_path: Path
) -> None:
    """A setting that asks for safety never falls back to none."""
    with SmartAbsen.open(flags=flags) as own:
        authority = own.tls.init().authority
    wanted = {**flags, "database_url": mariadb_url, "database.tls_ca": str(authority)}
    with SmartAbsen.open(flags=wanted) as app, pytest.raises(DatabaseError, match="TLS"):
        app.employees()


def test_punches_that_wait_are_shown_by_doctor_and_by_the_status(used: SmartAbsen) -> None:
    """Those that the database refused for good, with the reason."""
    from smartabsen.attendance.punch import attempt_by_face

    used.enrol("Contoh 2", [], code="E2")
    for number, reason in ((1, ""), (2, "E2 is not active")):
        reading = used.services.clock.now()
        waiting = attempt_by_face(used.services, number, similarity=0.9, reading=reading)
        used.services.punch_queue.add(waiting, database_id="")
        if reason:
            used.services.punch_queue.refuse(number, reason)
    rows = [check for check in used.check_health() if check.name == "queue"]
    assert [dict(check.params).get("reason") for check in rows] == ["E2 is not active", None]
    assert used.databases.status().waiting == 1


def test_a_punch_by_hand_makes_the_log_equal_and_says_so(used: SmartAbsen, run: Run) -> None:
    """A line that got lost comes back with the next punch, not only with the next kiosk."""
    used.enrol("Contoh Lain", [], code="E2")
    used.punch("E2")
    (log,) = used.settings.csv_dir.glob("*.csv")
    whole = log.read_bytes()
    log.unlink()
    result = run("punch", "E1")
    assert result.exit_code == 0
    assert "Missing lines: 1." in result.stderr
    assert log.read_bytes().startswith(whole)
