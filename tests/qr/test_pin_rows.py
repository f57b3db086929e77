"""PINs: hashed under the server's secret, and few tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from smartabsen.kernel.domain import Employee
from smartabsen.kernel.errors import NotFoundError
from smartabsen.qr import pin_rows
from smartabsen.qr.pin_rows import LOCK, MAX_FAILURES, TRIES, PinHasher, PinTry
from smartabsen.store.database import Database

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def hasher() -> PinHasher:
    """A hasher that is quicker than a real one."""
    return PinHasher(b"k" * 32, rounds=4)


@pytest.fixture
def with_pin(database: Database, siti: Employee) -> Employee:
    """Siti, who has a PIN."""
    with database.write() as session:
        pin_rows.put(session, siti.id, pin_hash="hash", key_id="k", now=NOW)
    return siti


def begin(database: Database, employee: Employee, *, after: timedelta = timedelta(), key_id: str = "k") -> PinTry:
    with database.write() as session:
        return pin_rows.begin_try(session, employee.id, key_id=key_id, now=NOW + after).verdict


def test_a_hash_fits_its_pin_and_its_owner_only(hasher: PinHasher) -> None:
    """Two people with one PIN have different hashes, and bcrypt's salt differs each time."""
    hashed = hasher.hash(1, "493817")

    assert hashed.startswith("$2b$")
    assert hasher.matches(1, "493817", hashed)
    assert not hasher.matches(1, "493818", hashed)
    assert not hasher.matches(2, "493817", hashed)
    assert hasher.hash(1, "493817") != hashed


def test_a_hash_is_worth_nothing_without_the_servers_secret(hasher: PinHasher) -> None:
    """Six digits could be tried through; and the two secrets can be told apart."""
    other = PinHasher(b"o" * 32, rounds=4)

    assert not other.matches(1, "493817", hasher.hash(1, "493817"))
    assert other.key_id != hasher.key_id
    assert len(hasher.key_id) == 16


def test_the_real_cost_is_high() -> None:
    """2^12 rounds, as bcrypt's hash itself says."""
    assert PinHasher(b"k" * 32).hash(1, "493817").startswith("$2b$12$")


def test_a_pin_is_set_replaced_and_removed(database: Database, siti: Employee) -> None:
    """One for each employee."""
    with database.write() as session:
        assert not pin_rows.exists(session, siti.id)
        for each in ("one", "two"):
            pin_rows.put(session, siti.id, pin_hash=each, key_id="k", now=NOW)
        assert session.scalar(text("SELECT pin_hash FROM pins")) == "two"
        assert pin_rows.remove(session, siti.id)
        assert not pin_rows.remove(session, siti.id)
        with pytest.raises(NotFoundError):
            pin_rows.put(session, 99, pin_hash="x", key_id="k", now=NOW)


def test_a_missing_pin_and_one_of_another_secret_are_told(database: Database, siti: Employee) -> None:
    """Neither can be compared, and neither is counted."""
    assert begin(database, siti) is PinTry.MISSING
    with database.write() as session:
        pin_rows.put(session, siti.id, pin_hash="hash", key_id="k", now=NOW)
    assert [begin(database, siti, key_id="other") for _ in range(10)] == [PinTry.FOREIGN] * 10


def test_five_wrong_pins_lock_for_a_quarter_of_an_hour(database: Database, with_pin: Employee) -> None:
    """Then there are five more, and no sooner."""
    assert [begin(database, with_pin) for _ in range(TRIES + 2)] == [PinTry.ALLOWED] * TRIES + [PinTry.LOCKED] * 2
    assert begin(database, with_pin, after=LOCK - timedelta(seconds=1)) is PinTry.LOCKED
    assert [begin(database, with_pin, after=LOCK) for _ in range(TRIES + 1)] == [PinTry.ALLOWED] * TRIES + [
        PinTry.LOCKED
    ]


def test_twenty_wrong_pins_block_until_a_new_one_is_set(database: Database, with_pin: Employee) -> None:
    """Patience does not help a guesser: twenty guesses at a million."""
    for step in range(MAX_FAILURES):
        assert begin(database, with_pin, after=(step // TRIES) * LOCK) is PinTry.ALLOWED
    assert begin(database, with_pin, after=timedelta(days=400)) is PinTry.BLOCKED

    with database.write() as session:
        pin_rows.put(session, with_pin.id, pin_hash="new", key_id="k", now=NOW)
    assert begin(database, with_pin) is PinTry.ALLOWED


def test_the_right_pin_forgives_the_wrong_ones(database: Database, with_pin: Employee) -> None:
    """Unless it was changed while it was compared."""
    for _ in range(TRIES):
        begin(database, with_pin)
    with database.write() as session:
        assert not pin_rows.forgive(session, with_pin.id, pin_hash="the one before")
    assert begin(database, with_pin) is PinTry.LOCKED
    with database.write() as session:
        assert pin_rows.forgive(session, with_pin.id, pin_hash="hash")
    assert begin(database, with_pin) is PinTry.ALLOWED
