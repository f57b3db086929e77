"""Phones of employees: paired once, revocable, and punches by PIN."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smartabsen import SmartAbsen
from smartabsen.kernel.domain import Outcome, PairedPhone, PunchMethod, SecurityKind
from smartabsen.kernel.errors import (
    BusyError,
    ConflictError,
    DeniedError,
    InvalidInputError,
    NotFoundError,
    TooManyTriesError,
)
from smartabsen.org.hashing import HashingQueue
from smartabsen.qr import pin_rows
from smartabsen.trust import audit_rows

PIN = "493817"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """bcrypt at its real cost takes a quarter of a second."""
    monkeypatch.setattr(pin_rows, "_ROUNDS", 4)


@pytest.fixture
def phone(app: SmartAbsen) -> PairedPhone:
    """The paired phone of E1, who has a PIN."""
    app.enrol("Contoh Satu", [], code="E1")
    app.phones.set_pin("E1", PIN)
    return pair(app, "E1")


def pair(app: SmartAbsen, code: str, label: str = "Android") -> PairedPhone:
    credential = app.phones.complete_pairing(app.phones.start_pairing(code).token, label=label)
    found = app.phones.find_phone(credential.value)
    assert found is not None
    return found


def audited(app: SmartAbsen) -> list[tuple[str, str, str]]:
    with app.services.database.read() as session:
        return [(each.action, each.actor, each.subject) for each in audit_rows.latest(session)[::-1]]


# --- pairing -----------------------------------------------------------------------------------------------


def test_an_invitation_pairs_one_phone(app: SmartAbsen) -> None:
    """Its QR leads to the server's page; the phone gets a secret of its own."""
    app.enrol("Contoh Satu", [], code="E1")
    pairing = app.phones.start_pairing("e1", actor="admin")
    assert pairing.url == f"http://127.0.0.1:5001/pair?token={pairing.token}"
    assert pairing.token not in repr(pairing)
    assert app.phones.find_pairing(pairing.token) == pairing

    credential = app.phones.complete_pairing(pairing.token, label="Android")
    found = app.phones.find_phone(credential.value)
    assert found is not None
    assert (found.id, found.employee.code, found.label) == (credential.phone_id, "E1", "Android")
    assert app.phones.list_phones() == app.phones.list_phones("E1") == (found,)
    assert credential.value not in (pairing.token, repr(credential))
    assert audited(app)[-2:] == [("phone.invite", "admin", "E1"), ("phone.pair", "E1", "E1")]


def test_used_replaced_and_unknown_invitations_get_the_same_answer(app: SmartAbsen) -> None:
    """Nobody learns whether a token was ever good."""
    app.enrol("Contoh Satu", [], code="E1")
    used = app.phones.start_pairing("E1").token
    app.phones.complete_pairing(used)
    replaced = app.phones.start_pairing("E1").token
    app.phones.start_pairing("E1")

    errors = []
    for token in (used, replaced, "x" * 64, ""):
        assert app.phones.find_pairing(token) is None
        with pytest.raises(NotFoundError) as caught:
            app.phones.complete_pairing(token)
        errors.append((str(caught.value), caught.value.hint))
    assert len(set(errors)) == 1


def test_who_is_unknown_or_inactive_is_not_invited(app: SmartAbsen) -> None:
    """With the reason."""
    app.enrol("Contoh Satu", [], code="E1")
    app.deactivate_employee("E1")
    with pytest.raises(ConflictError, match="not active"):
        app.phones.start_pairing("E1")
    with pytest.raises(NotFoundError, match="E9"):
        app.phones.start_pairing("E9")
    with pytest.raises(NotFoundError, match="E9"):
        app.phones.list_phones("E9")


def test_a_revoked_phone_is_a_stranger(app: SmartAbsen, phone: PairedPhone) -> None:
    """At once, and it is in the audit trail who did it."""
    other = pair(app, "E1", "iPhone")
    assert app.phones.revoke(phone.id, actor="admin").id == phone.id

    assert app.phones.list_phones("E1") == (other,)
    with pytest.raises(DeniedError, match="not paired any more"):
        app.phones.punch_by_pin(phone, PIN, key="k1")
    with pytest.raises(NotFoundError):
        app.phones.revoke(phone.id)
    assert ("phone.revoke", "admin", "E1") in audited(app)


def test_waiting_for_a_phone_ends_when_it_is_paired(app: SmartAbsen, phone: PairedPhone) -> None:
    """The new one is told, not one that was paired before."""
    pairing = app.phones.start_pairing("E1")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(lambda: app.phones.wait(pairing, stop=threading.Event(), poll_s=0.01))
        credential = app.phones.complete_pairing(pairing.token)
        found = waiting.result(timeout=20)
    assert found is not None
    assert found.id == credential.phone_id != phone.id


def test_waiting_for_a_phone_can_be_ended(app: SmartAbsen, phone: PairedPhone) -> None:
    """And an invitation that died without a phone gives none."""
    pairing, stop = app.phones.start_pairing("E1"), threading.Event()
    stop.set()
    assert app.phones.wait(pairing, stop=stop) is None
    app.phones.start_pairing("E1")
    assert app.phones.wait(pairing, stop=threading.Event()) is None


# --- PINs --------------------------------------------------------------------------------------------------


def test_phone_and_pin_make_a_punch(app: SmartAbsen, phone: PairedPhone) -> None:
    """Marked as such, in the log and in the audit trail; the same key stores it once."""
    first = app.phones.punch_by_pin(phone, PIN, key="k1")
    again = app.phones.punch_by_pin(phone, PIN, key="k1")

    assert (first.outcome, first.punch.method, first.punch.similarity) == (Outcome.RECOGNIZED, PunchMethod.PIN, None)
    assert again.punch.id == first.punch.id
    assert app.phones.punch_by_pin(phone, PIN, key="k2").outcome is Outcome.ALREADY_RECORDED
    (log,) = app.settings.csv_dir.glob("*.csv")
    assert len(log.read_text(encoding="utf-8-sig").splitlines()) == 2
    assert audited(app).count(("punch.pin", "E1", "E1")) == 1


def test_a_wrong_pin_writes_no_punch(app: SmartAbsen, phone: PairedPhone) -> None:
    """But a line of the security log; how many there were stands in the entry of the right one."""
    before = audited(app)
    with pytest.raises(DeniedError, match="PIN is wrong") as caught:
        app.phones.punch_by_pin(phone, "000000", key="k1")

    assert (caught.value.http_status, caught.value.exit_code) == (403, 1)
    assert not list(app.settings.csv_dir.glob("*.csv"))
    assert audited(app) == before
    assert [event.reason for event in app.security.events() if event.kind == SecurityKind.PIN_REFUSED] == ["wrong"]

    app.phones.punch_by_pin(phone, PIN, key="k1")
    with app.services.database.read() as session:
        (entry,) = audit_rows.find(session, action="punch.pin")
    assert entry.details["failed"] == "1"


def test_one_lock_is_one_entry(app: SmartAbsen, phone: PairedPhone) -> None:
    """Not one for each wrong PIN, and none for those that come while it is locked."""
    before = audited(app)
    for _ in range(8):
        with pytest.raises(DeniedError):
            app.phones.punch_by_pin(phone, "000000", key="k")
    assert audited(app)[len(before) :] == [("pin.locked", "E1", "E1")]


def test_the_fifth_try_locks_nothing_when_it_is_the_right_one(app: SmartAbsen, phone: PairedPhone) -> None:
    """It is counted before it is compared, and forgiven afterwards."""
    for _ in range(4):
        with pytest.raises(DeniedError):
            app.phones.punch_by_pin(phone, "000000", key="k")
    app.phones.punch_by_pin(phone, PIN, key="k")
    assert "pin.locked" not in [action for action, _, _ in audited(app)]


def test_a_lock_that_a_new_pin_lifted_meanwhile_is_no_entry(
    app: SmartAbsen, phone: PairedPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fifth wrong PIN is compared while an administrator sets a new one."""
    matches: Any = pin_rows.PinHasher.matches
    for _ in range(4):
        with pytest.raises(DeniedError):
            app.phones.punch_by_pin(phone, "000000", key="k")

    def change_first(hasher: Any, *args: Any) -> bool:
        app.phones.set_pin("E1", "271849")
        return bool(matches(hasher, *args))

    monkeypatch.setattr(pin_rows.PinHasher, "matches", change_first)
    with pytest.raises(DeniedError):
        app.phones.punch_by_pin(phone, "000000", key="k")
    assert "pin.locked" not in [action for action, _, _ in audited(app)]


def test_the_key_of_a_stored_punch_is_no_way_around_the_pin(app: SmartAbsen, phone: PairedPhone) -> None:
    """Whoever repeats an attempt needs the PIN again."""
    app.phones.punch_by_pin(phone, PIN, key="k1")
    with pytest.raises(DeniedError):
        app.phones.punch_by_pin(phone, "000000", key="k1")


def test_five_wrong_pins_lock_even_the_right_one(app: SmartAbsen, phone: PairedPhone) -> None:
    """The answer says how long to wait; a new PIN lifts the lock."""
    for _ in range(5):
        with pytest.raises(DeniedError):
            app.phones.punch_by_pin(phone, "000000", key="k")
    with pytest.raises(TooManyTriesError) as caught:
        app.phones.punch_by_pin(phone, PIN, key="k")
    assert (caught.value.http_status, caught.value.hint) == (
        429,
        "Try again in 15 minutes, use the camera, or ask your administrator.",
    )
    assert 0 < int(str(caught.value.params["seconds"])) <= 900

    app.phones.set_pin("E1", "271849")
    assert app.phones.punch_by_pin(phone, "271849", key="k").outcome is Outcome.RECOGNIZED


def test_who_gets_no_turn_at_hashing_has_not_tried_the_pin(
    app: SmartAbsen, phone: PairedPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd at the login locks nobody's PIN."""
    monkeypatch.setattr("smartabsen.qr.phones.HASHING", HashingQueue(at_once=1, inside=0))
    for _ in range(6):
        with pytest.raises(BusyError):
            app.phones.punch_by_pin(phone, PIN, key="k")
    monkeypatch.undo()
    assert app.phones.punch_by_pin(phone, PIN, key="k").outcome is Outcome.RECOGNIZED


def test_a_right_pin_after_four_wrong_ones_starts_anew(app: SmartAbsen, phone: PairedPhone) -> None:
    """People mistype."""
    for round_number in range(3):
        for _ in range(4):
            with pytest.raises(DeniedError):
                app.phones.punch_by_pin(phone, "000000", key="k")
        app.phones.punch_by_pin(phone, PIN, key=f"k{round_number}")


def test_wrong_pins_without_end_block_it(app: SmartAbsen, phone: PairedPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until somebody sets a new one."""
    monkeypatch.setattr(pin_rows, "MAX_FAILURES", 3)
    for _ in range(3):
        with pytest.raises(DeniedError):
            app.phones.punch_by_pin(phone, "000000", key="k")
    with pytest.raises(TooManyTriesError, match="blocked") as caught:
        app.phones.punch_by_pin(phone, PIN, key="k")
    assert caught.value.hint == "Ask your administrator for a new one, or use the camera."
    assert audited(app)[-1] == ("pin.blocked", "E1", "E1")


@pytest.mark.parametrize(
    ("pin", "words"),
    [
        ("12345", "six digits"),
        ("1234567", "six digits"),
        ("49381a", "six digits"),
        ("\u0664\u0669\u0663\u0668\u0661\u0667", "six digits"),
        ("", "six digits"),
        ("000000", "too easy"),
        ("123456", "too easy"),
        ("654321", "too easy"),
        ("890123", "too easy"),
        ("121212", "too easy"),
    ],
)
def test_a_pin_that_everybody_tries_first_is_refused(app: SmartAbsen, pin: str, words: str) -> None:
    """And so is what is no PIN."""
    app.enrol("Contoh Satu", [], code="E1")
    with pytest.raises(InvalidInputError, match=words) as caught:
        app.phones.set_pin("E1", pin)
    assert not pin or pin not in str(caught.value)


def test_a_pin_can_be_taken_away(app: SmartAbsen, phone: PairedPhone) -> None:
    """Then there is none to punch with."""
    assert app.phones.has_pin("E1")
    app.phones.remove_pin("E1")

    assert not app.phones.has_pin("E1")
    with pytest.raises(NotFoundError, match="has no PIN"):
        app.phones.punch_by_pin(phone, PIN, key="k")
    with pytest.raises(NotFoundError, match="has no PIN"):
        app.phones.remove_pin("E1")
    assert [action for action, _, _ in audited(app) if action.startswith("pin")] == ["pin.set", "pin.remove"]


def test_a_pin_of_another_secret_of_the_server_is_said_to_be_one(
    app: SmartAbsen, phone: PairedPhone, flags: dict[str, object]
) -> None:
    """Instead of calling the right PIN wrong."""
    secret = {"server.secret_key": "8Jk2vQxR7mWp4NzT9cYb3HdF6gLs1aEu"}
    with SmartAbsen.open(flags={**flags, **secret}) as other, pytest.raises(ConflictError, match="another secret"):
        other.phones.punch_by_pin(phone, PIN, key="k")
    assert app.phones.punch_by_pin(phone, PIN, key="k").outcome is Outcome.RECOGNIZED


def test_a_pin_that_changes_while_it_is_compared_makes_no_punch(
    app: SmartAbsen, phone: PairedPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is not good any more."""
    matches: Any = pin_rows.PinHasher.matches

    def change_first(hasher: Any, *args: Any) -> bool:
        app.phones.set_pin("E1", "271849")
        return bool(matches(hasher, *args))

    monkeypatch.setattr(pin_rows.PinHasher, "matches", change_first)
    with pytest.raises(DeniedError):
        app.phones.punch_by_pin(phone, PIN, key="k")


def test_an_inactive_employee_does_not_punch(app: SmartAbsen, phone: PairedPhone) -> None:
    """Whatever the phone and the PIN."""
    app.deactivate_employee("E1")
    with pytest.raises(DeniedError):
        app.phones.punch_by_pin(phone, PIN, key="k")
