"""Signing in with a phone: what each secret can do, and what ends a request."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smartabsen.kernel.domain import Employee, Kept, PairedPhone, SignInGrant, SignInState, VerifyOutcome
from smartabsen.kernel.errors import ConflictError, InvalidInputError, TooManyTriesError
from smartabsen.qr.memory import MemorySignIns
from smartabsen.qr.sync import CODE_LETTERS, CODE_TRIES, COLLECT_WITHIN, LIFETIME, QRSyncManager

SITI = Employee(1, "E001", "Siti", "", True, datetime(2026, 11, 1, tzinfo=UTC))
PHONE = PairedPhone(7, SITI, datetime(2026, 11, 1, tzinfo=UTC))
FOREIGN_TOKEN = "x" * 64


def ask(manager: QRSyncManager, session: str = "laptop") -> Any:
    return manager.generate_qr_code(session, kiosk="Lobby", place="Contoh")


def test_a_request_carries_what_laptop_and_phone_need(manager: QRSyncManager, clock: Any) -> None:
    """A token of 64 characters in the address, a code of eight consonants, a number of two digits, ten minutes."""
    request = ask(manager)

    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", request.token)
    assert request.url == f"https://absen.example/verify_qr?token={request.token}"
    assert re.fullmatch(f"[{CODE_LETTERS}]{{4}}-[{CODE_LETTERS}]{{4}}", request.access_code)
    assert 10 <= request.number <= 99
    assert (request.kiosk, request.place) == ("Lobby", "Contoh")
    assert request.expires_at - request.created_at == LIFETIME == timedelta(minutes=10)
    assert len(set(CODE_LETTERS)) == 20


def test_no_two_requests_are_alike(manager: QRSyncManager) -> None:
    """Tokens and codes are random, and numbers vary."""
    requests = [ask(manager, f"laptop-{number}") for number in range(50)]

    assert len({request.token for request in requests}) == 50
    assert len({request.access_code for request in requests}) == 50
    assert len({request.number for request in requests}) > 10


def test_secrets_are_not_shown_by_accident(manager: QRSyncManager) -> None:
    """Neither token nor code nor number is in what a log would hold."""
    request = ask(manager)

    assert request.token not in repr(request)
    assert request.access_code not in repr(request)
    assert "number" not in repr(request)


def test_the_store_gets_hashes_only(manager: QRSyncManager, signs: MemorySignIns) -> None:
    """Who reads the database learns neither token nor code nor session."""
    request = ask(manager)

    (stored,) = signs._requests.values()
    kept = str(dataclasses.astuple(stored))
    for secret in (request.token, request.access_code, request.access_code.replace("-", ""), "laptop"):
        assert secret not in kept


@pytest.mark.parametrize("by", ["token", "access_code"])
def test_a_phone_confirms_and_the_laptop_collects_once(manager: QRSyncManager, by: str) -> None:
    """By the QR or by the typed code; the second collection finds nothing."""
    request = ask(manager)
    assert manager.get_verification_status("laptop") is SignInState.PENDING

    assert manager.verify_qr_code(getattr(request, by), number=request.number) is VerifyOutcome.CONFIRMED
    assert manager.get_verification_status("laptop") is SignInState.VERIFIED
    assert manager.collect("laptop") == SignInGrant(None)
    assert manager.collect("laptop") is None
    assert manager.get_verification_status("laptop") is SignInState.DEAD


def test_the_token_collects_nothing_and_tells_nothing(manager: QRSyncManager) -> None:
    """Whoever photographs the QR has no session, and sees neither the state nor the grant."""
    request = ask(manager)
    manager.verify_qr_code(request.token, number=request.number)

    for stolen in (request.token, request.access_code, "another laptop"):
        assert manager.get_verification_status(stolen) is SignInState.DEAD
        assert manager.collect(stolen) is None
    assert manager.find_ask(request.token) is None
    assert manager.collect("laptop") is not None


def test_nothing_is_collected_before_the_confirmation(manager: QRSyncManager) -> None:
    """Asking early neither grants nor spoils."""
    request = ask(manager)

    assert manager.collect("laptop") is None
    assert manager.verify_qr_code(request.token, number=request.number) is VerifyOutcome.CONFIRMED


def test_looking_at_a_request_changes_nothing(manager: QRSyncManager, signs: MemorySignIns) -> None:
    """Link previews may fetch the address a thousand times."""
    request = ask(manager)
    before = dict(signs._requests)

    for _ in range(1000):
        found = manager.find_ask(request.token)
        manager.get_verification_status("laptop")
    assert found is not None
    assert (found.kiosk, found.place, found.expires_at) == ("Lobby", "Contoh", request.expires_at)
    assert signs._requests == before


def test_a_wrong_number_ends_the_request(manager: QRSyncManager) -> None:
    """Whoever cannot see the laptop's screen has one guess, and the laptop gets nothing."""
    request = ask(manager)
    wrong = 10 + (request.number - 9) % 90

    assert manager.verify_qr_code(request.token, number=wrong) is VerifyOutcome.WRONG_NUMBER
    assert manager.verify_qr_code(request.token, number=request.number) is VerifyOutcome.INVALID
    assert manager.get_verification_status("laptop") is SignInState.WRONG_NUMBER
    assert manager.collect("laptop") is None


def test_a_decline_ends_the_request_and_the_laptop_knows(manager: QRSyncManager) -> None:
    """“Not me” needs no number."""
    request = ask(manager)

    assert manager.verify_qr_code(request.token, number=None, decline=True) is VerifyOutcome.DECLINED
    assert manager.get_verification_status("laptop") is SignInState.DECLINED
    assert manager.verify_qr_code(request.token, number=request.number) is VerifyOutcome.INVALID


def test_a_forgotten_number_is_no_wrong_number(manager: QRSyncManager) -> None:
    """An empty field is refused, and the request lives on."""
    request = ask(manager)

    with pytest.raises(InvalidInputError, match="number is missing"):
        manager.verify_qr_code(request.token, number=None)
    assert manager.verify_qr_code(request.token, number=request.number) is VerifyOutcome.CONFIRMED


def test_unknown_expired_used_and_foreign_secrets_get_the_same_answer(manager: QRSyncManager, clock: Any) -> None:
    """No answer tells whether a secret was ever good."""
    used, expired = ask(manager, "one"), ask(manager, "two")
    manager.verify_qr_code(used.token, number=used.number)
    assert manager.find_ask(used.token) is None
    clock.pass_time(minutes=10)

    for secret in (used.token, expired.token, FOREIGN_TOKEN, "BCDF-GHJK", "", "short", "ü" * 64):
        assert manager.find_ask(secret, client="phone") is None
        assert manager.verify_qr_code(secret, number=expired.number, client=secret) is VerifyOutcome.INVALID


def test_a_request_expires_after_ten_minutes(manager: QRSyncManager, clock: Any) -> None:
    """Until then it is good, from then on it is dead, on both sides."""
    request = ask(manager)

    clock.pass_time(minutes=9, seconds=59.9)
    assert manager.find_ask(request.token) is not None
    clock.pass_time(seconds=0.1)
    assert manager.find_ask(request.token) is None
    assert manager.get_verification_status("laptop") is SignInState.DEAD


def test_a_confirmation_waits_two_minutes_for_its_laptop(manager: QRSyncManager, clock: Any) -> None:
    """A late confirmation can still be collected; one that nobody collected does not lie about."""
    late, forgotten = ask(manager, "one"), ask(manager, "two")
    manager.verify_qr_code(forgotten.token, number=forgotten.number)
    clock.pass_time(seconds=(LIFETIME - timedelta(seconds=1)).total_seconds())
    manager.verify_qr_code(late.token, number=late.number)

    clock.pass_time(seconds=30)
    assert manager.collect("two") is None
    assert manager.collect("one") is not None
    assert timedelta(seconds=30) < COLLECT_WITHIN < LIFETIME


def test_a_browser_has_one_request(manager: QRSyncManager) -> None:
    """A new one ends the one before, confirmed or not; other browsers keep theirs."""
    first, other = ask(manager), ask(manager, "other")
    second = ask(manager)

    assert manager.verify_qr_code(first.token, number=first.number) is VerifyOutcome.INVALID
    assert manager.verify_qr_code(second.token, number=second.number) is VerifyOutcome.CONFIRMED
    ask(manager)
    assert manager.get_verification_status("laptop") is SignInState.PENDING
    assert manager.collect("laptop") is None
    assert manager.find_ask(other.token) is not None


def test_a_typed_code_is_read_as_people_type_it(manager: QRSyncManager) -> None:
    """Small letters, blanks and a forgotten dash do not matter."""
    code = ask(manager).access_code

    for typed in (code.lower(), code.replace("-", " "), f" {code.replace('-', '')} "):
        assert manager.find_ask(typed, client="phone") is not None


def test_codes_are_not_looked_at_without_somebody_to_count(manager: QRSyncManager) -> None:
    """A page fetched by GET cannot be used to guess codes."""
    assert manager.find_ask(ask(manager).access_code) is None


def test_five_wrong_codes_and_no_more(manager: QRSyncManager, clock: Any) -> None:
    """After them even the right code gets a wrong one's answer, until the time is over; others are not hindered."""
    request = ask(manager)
    for _ in range(CODE_TRIES - 1):
        assert manager.find_ask("BBBB-BBBB", client="guesser") is None
    assert manager.verify_qr_code("BBBB-BBBB", number=10, client="guesser") is VerifyOutcome.INVALID

    assert manager.find_ask(request.access_code, client="guesser") is None
    assert manager.verify_qr_code(request.access_code, number=request.number, client="guesser") is VerifyOutcome.INVALID
    assert manager.find_ask(request.access_code, client="somebody") is not None
    clock.pass_time(minutes=10)
    again = ask(manager)
    assert manager.find_ask(again.access_code, client="guesser") is not None


def test_right_codes_are_not_counted(manager: QRSyncManager) -> None:
    """A phone that many people share may be used all day."""
    for number in range(3 * CODE_TRIES):
        request = ask(manager, f"laptop-{number}")
        assert manager.find_ask(request.access_code, client="shared") is not None
        outcome = manager.verify_qr_code(request.access_code, number=request.number, client="shared")
        assert outcome is VerifyOutcome.CONFIRMED


def test_a_code_of_ones_own_buys_no_further_guesses(manager: QRSyncManager) -> None:
    """A right code in between does not wipe out the wrong ones."""
    own = ask(manager, "own")
    target = ask(manager, "target")
    for _ in range(CODE_TRIES):
        manager.find_ask("BBBB-BBBB", client="guesser")
        manager.find_ask(own.access_code, client="guesser")

    assert manager.find_ask(target.access_code, client="guesser") is None


def test_only_paired_phones_answer_where_that_is_set(make_manager: Callable[..., QRSyncManager]) -> None:
    """Another phone is told so whatever it holds, and can neither confirm nor decline nor end the request."""
    manager = make_manager(paired_only=True)
    request = ask(manager)

    for secret in (request.token, FOREIGN_TOKEN):
        assert manager.verify_qr_code(secret, number=10) is VerifyOutcome.PHONE_NOT_PAIRED
        assert manager.verify_qr_code(secret, number=None, decline=True) is VerifyOutcome.PHONE_NOT_PAIRED
    assert manager.verify_qr_code(request.token, number=request.number, phone=PHONE) is VerifyOutcome.CONFIRMED
    assert manager.collect("laptop") == SignInGrant(SITI)


def test_a_confirmation_of_an_unpaired_phone_is_worth_nothing_once_pairing_is_demanded(
    make_manager: Callable[..., QRSyncManager],
) -> None:
    """The setting may have changed in between."""
    request = ask(make_manager())
    make_manager().verify_qr_code(request.token, number=request.number)

    assert make_manager(paired_only=True).collect("laptop") is None


def test_another_secret_of_the_server_knows_neither_codes_nor_sessions(
    make_manager: Callable[..., QRSyncManager],
) -> None:
    """Codes are few enough to try all: their hashes are keyed."""
    request = ask(make_manager())
    other = make_manager(key=b"o" * 32)

    assert other.find_ask(request.access_code, client="phone") is None
    assert other.get_verification_status("laptop") is SignInState.DEAD


def test_a_short_secret_of_the_server_is_refused(make_manager: Callable[..., QRSyncManager]) -> None:
    """32 bytes at least."""
    with pytest.raises(InvalidInputError, match="32 bytes"):
        make_manager(key=b"short")


def test_expired_requests_are_removed_on_the_way(manager: QRSyncManager, signs: MemorySignIns, clock: Any) -> None:
    """No daemon is needed: the next request sweeps, and whoever wants to can do it."""
    ask(manager, "one")
    ask(manager, "two")
    clock.pass_time(minutes=11)
    ask(manager, "three")
    assert len(signs._requests) == 1

    assert manager.cleanup_expired() == 0
    clock.pass_time(minutes=11)
    assert manager.cleanup_expired() == 1


def test_a_code_that_is_taken_is_made_anew(
    manager: QRSyncManager, signs: MemorySignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store refuses it, and the next one is tried; not for ever."""
    answers = iter([Kept.DUPLICATE, Kept.DUPLICATE])
    add = signs.add
    monkeypatch.setattr(signs, "add", lambda request, places: next(answers, None) or add(request, places=places))
    request = ask(manager)
    assert manager.find_ask(request.token) is not None

    monkeypatch.setattr(signs, "add", lambda request, places: Kept.DUPLICATE)
    with pytest.raises(ConflictError, match="No free access code"):
        ask(manager)


# --- places ------------------------------------------------------------------------------------------------


@pytest.fixture
def crowded(make_manager: Callable[..., QRSyncManager]) -> QRSyncManager:
    """A manager with three places at an address, all held by requests that nobody asks about."""
    manager = make_manager(places=3)
    for number in range(3):
        manager.generate_qr_code(f"crowd-{number}", kiosk="Lobby", address="192.0.2.7")
    return manager


def waiting(manager: QRSyncManager, *sessions: str) -> list[str]:
    return [each for each in sessions if manager.get_verification_status(each) is SignInState.PENDING]


def test_a_draft_is_kept_when_its_browser_asks(crowded: QRSyncManager, signs: MemorySignIns) -> None:
    """Until then no phone can answer it, and nothing was written; it takes the place of the oldest."""
    before = dict(signs._requests)
    request, draft = crowded.draft(kiosk="Lobby", place="Contoh")
    assert not crowded.has_free_place("192.0.2.7")
    assert crowded.find_ask(request.token) is None
    assert signs._requests == before

    assert crowded.can_keep(draft, address="192.0.2.7")
    assert crowded.keep_draft(draft, "laptop", kiosk="Lobby", place="Contoh", address="192.0.2.7")
    assert crowded.get_verification_status("laptop", request_id=request.id) is SignInState.PENDING
    assert crowded.get_verification_status("crowd-0") is SignInState.DEAD
    assert len(signs._requests) == 3
    assert crowded.verify_qr_code(request.token, number=request.number) is VerifyOutcome.CONFIRMED
    assert crowded.collect("laptop") is not None


def test_a_draft_is_kept_once_and_for_ten_minutes(crowded: QRSyncManager, clock: Any) -> None:
    """Whoever keeps the cookie of a draft gets nothing by sending it again, or late."""
    _, draft = crowded.draft(kiosk="Lobby")
    _, late = crowded.draft(kiosk="Lobby")
    assert crowded.keep_draft(draft, "laptop", kiosk="Lobby", address="192.0.2.7")

    assert not crowded.can_keep(draft, address="192.0.2.7")
    assert not crowded.keep_draft(draft, "another", kiosk="Lobby", address="192.0.2.7")
    clock.pass_time(minutes=10)
    assert not crowded.can_keep(late, address="192.0.2.7")


def test_who_asks_for_codes_without_end_displaces_nobody_who_waits(crowded: QRSyncManager, clock: Any) -> None:
    """A browser that asks how its request stands goes on, however many codes others fetch and never ask about."""
    _, draft = crowded.draft(kiosk="Lobby")
    assert crowded.keep_draft(draft, "laptop", kiosk="Lobby", address="192.0.2.7")
    for number in range(110):
        clock.pass_time(seconds=5)
        assert crowded.get_verification_status("laptop") is SignInState.PENDING
        crowded.generate_qr_code(f"more-{number}", kiosk="Lobby", address="192.0.2.7")


def test_who_waits_has_a_minute_undisturbed(crowded: QRSyncManager, clock: Any) -> None:
    """Where every place is held by a browser that asks, the next one is told when the oldest has had its minute."""
    crowd = [f"crowd-{number}" for number in range(3)]
    assert waiting(crowded, *crowd) == crowd
    with pytest.raises(TooManyTriesError) as told:
        crowded.has_free_place("192.0.2.7")
    assert told.value.params["seconds"] == 60
    with pytest.raises(TooManyTriesError):
        crowded.generate_qr_code("laptop", kiosk="Lobby", address="192.0.2.7")

    for _ in range(6):
        clock.pass_time(seconds=10)
        assert waiting(crowded, *crowd) == crowd
    crowded.generate_qr_code("laptop", kiosk="Lobby", address="192.0.2.7")
    assert waiting(crowded, *crowd) == crowd[1:]


def test_that_a_browser_asks_is_noted_now_and_then(
    crowded: QRSyncManager, signs: MemorySignIns, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once in ten seconds, and never for a request that holds no place."""
    noted: list[str] = []
    note = signs.note_asked
    monkeypatch.setattr(signs, "note_asked", lambda digest, now: noted.append(digest) or note(digest, now=now))
    ask(crowded)
    for _ in range(12):
        for session in ("laptop", "crowd-0"):
            crowded.get_verification_status(session)
        clock.pass_time(seconds=2)
    assert len(noted) == 3 and len(set(noted)) == 1


def test_a_terminal_and_other_addresses_are_not_crowded(crowded: QRSyncManager) -> None:
    """Places are counted for each address; who asks here by a command has none."""
    for number in range(10):
        crowded.generate_qr_code(f"terminal-{number}", kiosk="Lobby")
    assert crowded.has_free_place("") and crowded.has_free_place("192.0.2.8")
    assert len(waiting(crowded, *(f"crowd-{number}" for number in range(3)))) == 3
