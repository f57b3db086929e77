"""Paired phones and invitations: once, hashed, revocable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from smartabsen.kernel.domain import Employee, PairedPhone, SignInState, StoredSignIn
from smartabsen.kernel.errors import NotFoundError
from smartabsen.people import employee_rows
from smartabsen.qr import phone_rows, pin_rows
from smartabsen.qr.sign_in_rows import SignInTable
from smartabsen.store.database import Database
from smartabsen.trust import audit_rows

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=10)


@pytest.fixture
def pair(database: Database, siti: Employee) -> Callable[..., PairedPhone]:
    """Pairs phones of Siti."""

    def make(credential: str = "secret", *, label: str = "Android") -> PairedPhone:
        with database.write() as session:
            phone_rows.invite(session, siti.id, token=f"invitation {credential}", now=NOW, expires_at=SOON)
            phone = phone_rows.accept(session, f"invitation {credential}", credential=credential, label=label, now=NOW)
            assert phone is not None
            return phone

    return make


def test_an_invitation_works_once(database: Database, siti: Employee) -> None:
    """It can be looked at often, and used once."""
    with database.write() as session:
        phone_rows.invite(session, siti.id, token="t", now=NOW, expires_at=SOON)
    with database.read() as session:
        assert [phone_rows.find_invitation(session, "t", now=NOW) for _ in range(3)] == [(siti, SOON)] * 3
    with database.write() as session:
        first = phone_rows.accept(session, "t", credential="a", label="", now=NOW)
        second = phone_rows.accept(session, "t", credential="b", label="", now=NOW)

    assert first is not None
    assert first.employee == siti
    assert second is None


def test_an_invitation_expires(database: Database, siti: Employee) -> None:
    """At its end it is gone for looking and for using."""
    with database.write() as session:
        phone_rows.invite(session, siti.id, token="t", now=NOW, expires_at=SOON)
        assert phone_rows.find_invitation(session, "t", now=SOON) is None
        assert phone_rows.accept(session, "t", credential="a", label="", now=SOON) is None


def test_a_new_invitation_ends_the_one_before(database: Database, siti: Employee) -> None:
    """Whoever found the earlier QR has nothing; expired ones of others are removed on the way."""
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
        phone_rows.invite(session, budi.id, token="old", now=NOW, expires_at=NOW + timedelta(seconds=1))
        phone_rows.invite(session, siti.id, token="t1", now=NOW, expires_at=SOON)
        phone_rows.invite(session, siti.id, token="t2", now=NOW + timedelta(seconds=1), expires_at=SOON)

        assert phone_rows.find_invitation(session, "t1", now=NOW) is None
        assert phone_rows.find_invitation(session, "t2", now=NOW) is not None
        assert session.scalar(text("SELECT count(*) FROM pairings")) == 1


def test_only_hashes_are_stored(database: Database, siti: Employee, pair: Callable[..., PairedPhone]) -> None:
    """Neither the invitation nor what the phone keeps can be read from the database."""
    pair("secret of the phone")
    with database.write() as session:
        phone_rows.invite(session, siti.id, token="secret of the QR", now=NOW, expires_at=SOON)
        rows = [*session.execute(text("SELECT * FROM phones")), *session.execute(text("SELECT * FROM pairings"))]

    assert len(rows) == 2
    assert "secret" not in str(rows)


def test_a_phone_is_known_by_its_secret_until_it_is_revoked(
    database: Database, pair: Callable[..., PairedPhone]
) -> None:
    """Revoking works at once, and once; the others stay."""
    lost, kept = pair("lost"), pair("kept")
    with database.read() as session:
        assert phone_rows.find_by_credential(session, "lost") == lost
        assert phone_rows.find_by_credential(session, "guess") is None
    with database.write() as session:
        assert phone_rows.revoke(session, lost.id, at=NOW) == lost

    with database.write() as session:
        assert phone_rows.find_by_credential(session, "lost") is None
        assert phone_rows.find(session, lost.id) is None
        assert phone_rows.find_all(session) == (kept,)
        assert not phone_rows.use(session, lost.id, at=NOW)
        with pytest.raises(NotFoundError, match="number 1"):
            phone_rows.revoke(session, lost.id, at=NOW)
        with pytest.raises(NotFoundError, match="number 99"):
            phone_rows.revoke(session, 99, at=NOW)


def test_the_phone_of_an_inactive_employee_does_not_count(
    database: Database, siti: Employee, pair: Callable[..., PairedPhone]
) -> None:
    """Nor can one be paired; both come back with the employee."""
    phone = pair()
    with database.write() as session:
        phone_rows.invite(session, siti.id, token="t", now=NOW, expires_at=SOON)
        employee_rows.update(session, "E001", active=False)
        assert phone_rows.find_by_credential(session, "secret") is None
        assert not phone_rows.use(session, phone.id, at=NOW)
        assert phone_rows.find_invitation(session, "t", now=NOW) is None
        assert phone_rows.accept(session, "t", credential="x", label="", now=NOW) is None
        employee_rows.update(session, "E001", active=True)
        assert phone_rows.find_by_credential(session, "secret") == phone


def test_a_list_is_of_all_or_of_one(database: Database, siti: Employee, pair: Callable[..., PairedPhone]) -> None:
    """With the label on one line, and when each was used last."""
    phone = pair(label="And\nroid")
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
        assert phone_rows.use(session, phone.id, at=SOON)

    with database.read() as session:
        (listed,) = phone_rows.find_all(session, siti.id)
        assert phone_rows.find_all(session, budi.id) == ()
    assert (listed.label, listed.last_used_at) == ("And roid", SOON)


def request(token: str = "t") -> StoredSignIn:
    return StoredSignIn(token, f"c{token}", f"s{token}", 42, "Lobby", "Contoh", NOW, SOON)


def test_a_phone_that_was_revoked_can_neither_answer_nor_vouch(
    database: Database, pair: Callable[..., PairedPhone]
) -> None:
    """Also when it confirmed just before: the laptop gets nothing, not even a grant for anybody."""
    phone, table = pair(), SignInTable(database)
    for token in ("before", "after"):
        table.add(request(token))
    assert table.settle("before", SignInState.VERIFIED, now=NOW, expires_at=SOON, phone=phone)
    with database.write() as session:
        phone_rows.revoke(session, phone.id, at=NOW)

    assert table.collect("sbefore", now=NOW) is None
    assert not table.settle("after", SignInState.VERIFIED, now=NOW, expires_at=SOON, phone=phone)
    found = table.find("token", "after")
    assert found is not None
    assert found.state is SignInState.PENDING


def test_answers_are_in_the_audit_trail(database: Database, pair: Callable[..., PairedPhone]) -> None:
    """Who confirmed, declined or missed the number, where; refused second answers are not news."""
    phone, table = pair(), SignInTable(database)
    for token, state, by in (
        ("a", SignInState.VERIFIED, phone),
        ("b", SignInState.DECLINED, None),
        ("c", SignInState.WRONG_NUMBER, None),
    ):
        table.add(request(token))
        assert table.settle(token, state, now=NOW, expires_at=SOON, phone=by)
        assert not table.settle(token, state, now=NOW, expires_at=SOON, phone=by)

    with database.read() as session:
        entries = audit_rows.latest(session)[::-1]
    assert [(each.action, each.actor, each.subject) for each in entries] == [
        ("signin.confirm", "E001", "E001"),
        ("signin.decline", "phone", "Lobby"),
        ("signin.wrong_number", "phone", "Lobby"),
    ]
    assert entries[0].details == {"kiosk": "Lobby", "place": "Contoh", "phone": str(phone.id)}


def test_an_employee_can_be_forgotten(database: Database, siti: Employee, pair: Callable[..., PairedPhone]) -> None:
    """Phones, invitations, PIN and answered requests: nothing stands in the way of deleting the employee."""
    phone, table = pair(), SignInTable(database)
    table.add(request())
    table.settle("t", SignInState.VERIFIED, now=NOW, expires_at=SOON, phone=phone)
    with database.write() as session:
        phone_rows.invite(session, siti.id, token="t", now=NOW, expires_at=SOON)
        pin_rows.put(session, siti.id, pin_hash="x", key_id="k", now=NOW)

        phone_rows.forget_employee(session, siti.id)
        session.execute(text("DELETE FROM karyawan"))
