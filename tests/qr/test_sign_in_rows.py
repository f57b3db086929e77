"""Sign-in requests between processes: what is decided in one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from smartabsen.kernel.domain import Employee, Kept, StoredSignIn
from smartabsen.people import employee_rows
from smartabsen.qr import phone_rows, pin_rows
from smartabsen.qr.sign_in_rows import SignInTable
from smartabsen.store.database import Database

TOKENS = 20
WORKERS = 4


def fill(database: Database, count: int) -> None:
    table, now = SignInTable(database), datetime.now(UTC)
    for number in range(count):
        token = f"t{number}"
        one = StoredSignIn(token, f"c{token}", f"s{token}", 42, "Lobby", "", now, now + timedelta(minutes=10))
        assert table.add(one) is Kept.YES


@pytest.mark.slow
def test_of_many_processes_one_confirms_and_one_collects(
    database_url: str, run_workers: Callable[..., list[str]]
) -> None:
    """Each token is confirmed exactly once and collected exactly once, with one entry in the audit trail."""
    database = Database(database_url)
    fill(database, TOKENS)

    lines = [
        line.split() for answer in run_workers(WORKERS, "sign-in", database_url, TOKENS) for line in answer.splitlines()
    ]
    counts = Counter((what, token) for what, token, done in lines if done == "True")
    with database.read() as session:
        entries = session.scalar(text("SELECT count(*) FROM audit WHERE action = 'signin.confirm'"))
    database.close()

    assert len(lines) == 2 * WORKERS * TOKENS
    assert counts == {(what, f"t{number}"): 1 for what in ("confirm", "collect") for number in range(TOKENS)}
    assert entries == TOKENS


@pytest.mark.slow
def test_of_many_processes_one_pairs_its_phone(database_url: str, run_workers: Callable[..., list[str]]) -> None:
    """An invitation makes one phone, however many use it at the same moment."""
    database = Database(database_url)
    now = datetime.now(UTC)
    with database.write() as session:
        siti = employee_rows.add(session, code="E001", name="Siti")
        phone_rows.invite(session, siti.id, token="t", now=now, expires_at=now + timedelta(minutes=10))

    answers = [answer.strip() for answer in run_workers(WORKERS, "pair", database_url)]
    with database.read() as session:
        assert len(phone_rows.find_all(session)) == 1
    database.close()
    assert Counter(answers) == {"True": 1, "False": WORKERS - 1}


@pytest.mark.slow
def test_of_many_processes_five_try_a_pin(database_url: str, run_workers: Callable[..., list[str]]) -> None:
    """Trying at the same moment does not get past the limit."""
    database = Database(database_url)
    with database.write() as session:
        siti = employee_rows.add(session, code="E001", name="Siti")
        pin_rows.put(session, siti.id, pin_hash="x", key_id="k", now=datetime.now(UTC))
    database.close()

    answers = " ".join(run_workers(WORKERS, "pin", database_url, 4)).split()
    assert Counter(answers) == {"allowed": 5, "locked": 4 * WORKERS - 5}


@pytest.mark.slow
def test_processes_that_ask_for_one_browser_leave_one_request(
    database_url: str, run_workers: Callable[..., list[str]]
) -> None:
    """A reloaded page makes requests at the same moment: one stands in the end."""
    database = Database(database_url)
    database.run_write(lambda session: None)

    answers = " ".join(run_workers(4, "ask", database_url, 10)).split()
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM qr_tokens")) == 1
    database.close()
    assert answers.count("True") == 40


@pytest.mark.slow
def test_processes_that_ask_at_one_address_leave_as_many_as_places(
    database_url: str, run_workers: Callable[..., list[str]]
) -> None:
    """At no moment more, whoever looks; and each of them was kept."""
    database = Database(database_url)
    database.run_write(lambda session: None)

    lines = "".join(run_workers(4, "crowd", database_url, 20, "p0", "p1", "p2")).splitlines()
    with database.read() as session:
        held = session.execute(text("SELECT waits_at, token FROM qr_tokens")).all()
    database.close()
    assert len(lines) == 80
    assert {line.split()[0] for line in lines} == {"yes"}
    assert max(int(line.split()[1]) for line in lines) == 3
    assert sorted(place for place, _ in held) == ["p0", "p1", "p2"]


def test_looking_writes_nothing(database: Database, siti: Employee) -> None:
    """Finding a request and sweeping without anything expired are reads."""
    fill(database, 1)
    table = SignInTable(database)
    statements: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    table.find("token", "t0")
    table.find("session", "st0")
    assert table.sweep(now=datetime.now(UTC)) == 0
    assert not [each for each in statements if each.startswith(("UPDATE", "INSERT", "DELETE"))]
