"""What every store of sign-in requests must do: the one in memory says what is meant, the database does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smartabsen.kernel.domain import Kept, PairedPhone, SignInState, StoredSignIn
from smartabsen.people import employee_rows
from smartabsen.qr import phone_rows
from smartabsen.qr.memory import MemorySignIns
from smartabsen.qr.sign_in_rows import SignInTable
from smartabsen.qr.sync import SignInStore
from smartabsen.store.database import Database

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)


def request(token: str, *, code: str = "", session: str = "") -> StoredSignIn:
    return StoredSignIn(
        token_hash=token,
        code_hash=code or f"code of {token}",
        session_hash=session or f"session of {token}",
        number=42,
        kiosk="Lobby",
        place="Contoh",
        created_at=NOW,
        expires_at=LATER,
    )


PLACES = ("place 0", "place 1", "place 2")


def made(second: int) -> StoredSignIn:
    """A request that was made so many seconds after the first."""
    return dataclasses.replace(request(f"t{second}"), created_at=NOW + timedelta(seconds=second))


class SignInStoreContract:
    """The contract: a test class for a store gives ``store`` and ``phone``."""

    def settle(
        self, store: SignInStore, token: str, state: SignInState = SignInState.VERIFIED, *, now: datetime = NOW
    ) -> bool:
        return store.settle(token, state, now=now, expires_at=LATER, phone=None)

    def test_a_request_is_found_by_each_of_its_hashes(self, store: SignInStore) -> None:
        """By token, code and session, and not by one under another's name."""
        one = request("t")
        assert store.add(one) is Kept.YES

        assert store.find("token", "t") == one
        assert store.find("code", one.code_hash) == one
        assert store.find("session", one.session_hash) == one
        assert store.find("session", "t") is None

    def test_a_session_has_one_request(self, store: SignInStore) -> None:
        """The later one takes the place of the earlier."""
        store.add(request("t1", session="s"))
        assert store.add(request("t2", session="s")) is Kept.YES

        assert store.find("token", "t1") is None
        assert store.find("session", "s") == request("t2", session="s")

    def test_a_code_that_is_taken_is_refused(self, store: SignInStore) -> None:
        """Two requests never share one."""
        store.add(request("t1", code="c"))

        assert store.add(request("t2", code="c")) is Kept.DUPLICATE
        assert store.find("code", "c") == request("t1", code="c")

    @pytest.mark.parametrize("state", [SignInState.VERIFIED, SignInState.DECLINED, SignInState.WRONG_NUMBER])
    def test_a_request_is_answered_once(self, store: SignInStore, state: SignInState) -> None:
        """Whatever the answer was, there is no second one."""
        store.add(request("t"))

        assert self.settle(store, "t", state)
        found = store.find("token", "t")
        assert found is not None
        assert found.state is state
        assert not self.settle(store, "t")
        assert store.find("token", "t") == found

    def test_what_is_expired_or_unknown_cannot_be_answered(self, store: SignInStore) -> None:
        """At its end a request is dead already."""
        store.add(request("t"))

        assert not self.settle(store, "t", now=LATER)
        assert not self.settle(store, "unknown")
        assert self.settle(store, "t", now=LATER - timedelta(microseconds=1))

    def test_an_answer_sets_the_end_anew(self, store: SignInStore) -> None:
        """A confirmation has a life of its own."""
        store.add(request("t"))
        soon = NOW + timedelta(minutes=2)
        store.settle("t", SignInState.VERIFIED, now=NOW, expires_at=soon, phone=None)

        assert store.collect("session of t", now=soon) is None
        assert store.collect("session of t", now=soon - timedelta(microseconds=1)) is not None

    @pytest.mark.parametrize("state", [None, SignInState.DECLINED, SignInState.WRONG_NUMBER])
    def test_only_a_confirmed_request_is_collected(self, store: SignInStore, state: SignInState | None) -> None:
        """Not a pending, declined or dead one."""
        store.add(request("t"))
        if state is not None:
            self.settle(store, "t", state)

        assert store.collect("session of t", now=NOW) is None

    def test_a_confirmed_request_is_collected_once_by_its_session(self, store: SignInStore) -> None:
        """Afterwards it is dead."""
        store.add(request("t"))
        self.settle(store, "t")

        assert store.collect("another session", now=NOW) is None
        collected = store.collect("session of t", now=NOW)
        assert collected is not None
        assert collected.token_hash == "t"
        assert store.collect("session of t", now=NOW) is None
        found = store.find("token", "t")
        assert found is not None
        assert found.state is SignInState.DEAD

    def test_the_paired_phone_says_whose_it_is(self, store: SignInStore, phone: PairedPhone) -> None:
        """What is collected names the employee."""
        store.add(request("t"))
        store.settle("t", SignInState.VERIFIED, now=NOW, expires_at=LATER, phone=phone)

        collected = store.collect("session of t", now=NOW)
        assert collected is not None
        assert collected.employee == phone.employee

    def test_an_address_has_as_many_waiting_as_places(self, store: SignInStore) -> None:
        """One more takes the place of the one that was heard of longest ago; what holds no place is not touched."""
        store.add(request("elsewhere"))
        for number in range(5):
            assert store.add(made(number), places=PLACES) is Kept.YES

        assert sorted(each.token_hash for each in store.find_holders(PLACES)) == ["t2", "t3", "t4"]
        assert {each.waits_at for each in store.find_holders(PLACES)} == set(PLACES)
        assert store.find("token", "t1") is None
        assert store.find("token", "elsewhere") is not None
        assert store.find_holders(()) == ()

    def test_a_session_that_asks_again_displaces_nobody_else(self, store: SignInStore) -> None:
        """It gets its own place again."""
        for number in range(3):
            store.add(made(number), places=PLACES)
        assert store.add(dataclasses.replace(made(3), session_hash="session of t1"), places=PLACES) is Kept.YES

        assert sorted(each.token_hash for each in store.find_holders(PLACES)) == ["t0", "t2", "t3"]

    def test_whose_browser_asks_keeps_the_place(self, store: SignInStore) -> None:
        """The oldest is asked about: another one goes, and none goes where all are."""
        for number in range(3):
            store.add(made(number), places=PLACES)
        store.note_asked("t0", now=NOW + timedelta(seconds=3))
        found = store.find("token", "t0")
        assert found is not None and found.asked_at == NOW + timedelta(seconds=3)
        assert store.add(made(3), places=PLACES) is Kept.YES
        assert sorted(each.token_hash for each in store.find_holders(PLACES)) == ["t0", "t2", "t3"]

        for token in ("t2", "t3"):
            store.note_asked(token, now=NOW + timedelta(seconds=4))
        assert store.add(made(5), places=PLACES) is Kept.NO_PLACE
        assert store.find("token", "t5") is None
        assert (
            store.add(dataclasses.replace(made(6), created_at=NOW + timedelta(seconds=60)), places=PLACES) is Kept.YES
        )

    def test_whoever_is_displaced_stays_where_the_other_one_is_not_kept(self, store: SignInStore) -> None:
        """A code that is taken costs nobody the place."""
        for number in range(3):
            store.add(made(number), places=PLACES)

        assert store.add(dataclasses.replace(made(3), code_hash="code of t2"), places=PLACES) is Kept.DUPLICATE
        assert sorted(each.token_hash for each in store.find_holders(PLACES)) == ["t0", "t1", "t2"]

    def test_what_was_answered_holds_no_place(self, store: SignInStore) -> None:
        """Who was confirmed is not displaced before the browser has collected, and makes room."""
        for number in range(3):
            store.add(made(number), places=PLACES)
        self.settle(store, "t0")
        for number in range(3, 9):
            assert store.add(made(number), places=PLACES) is Kept.YES

        assert len(store.find_holders(PLACES)) == 3
        assert store.collect("session of t0", now=NOW) is not None

    def test_only_what_has_expired_is_swept_away(self, store: SignInStore) -> None:
        """And the number is told."""
        store.add(request("t1"))
        store.add(dataclasses.replace(request("t2"), expires_at=LATER + timedelta(seconds=1)))

        assert store.sweep(now=LATER - timedelta(seconds=1)) == 0
        assert store.sweep(now=LATER) == 1
        assert store.find("token", "t1") is None
        assert store.find("token", "t2") is not None


class TestMemory(SignInStoreContract):
    """In memory."""

    @pytest.fixture
    def store(self) -> SignInStore:
        return MemorySignIns()

    @pytest.fixture
    def phone(self) -> PairedPhone:
        from smartabsen.kernel.domain import Employee

        return PairedPhone(1, Employee(1, "E001", "Siti", "", True, NOW), NOW)


class TestDatabase(SignInStoreContract):
    """In a database."""

    @pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
    def database(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
        url = request.getfixturevalue("mariadb_url") if request.param == "mariadb" else f"sqlite:///{tmp_path}/a.db"
        opened = Database(url)
        yield opened
        opened.close()

    @pytest.fixture
    def store(self, database: Database) -> SignInStore:
        return SignInTable(database)

    @pytest.fixture
    def phone(self, database: Database) -> PairedPhone:
        with database.write() as session:
            siti = employee_rows.add(session, code="E001", name="Siti")
            phone_rows.invite(session, siti.id, token="invitation", now=NOW, expires_at=LATER)
            accepted = phone_rows.accept(session, "invitation", credential="secret", label="Android", now=NOW)
            assert accepted is not None
            return accepted
