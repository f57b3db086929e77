"""Users of the dashboard: proving who one is, locks, and how the first administrator comes about."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smartabsen import BusyError, ConflictError, InvalidInputError, NotFoundError, Role, SmartAbsen, User
from smartabsen.core.actors import acting_as
from smartabsen.core.users import Users
from smartabsen.store import audit, meta, passwords, users as store_users
from smartabsen.store.hashing import HashingQueue

PASSWORD = "empat kuda makan rumput"


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ROUNDS", 4)


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmartAbsen]:
    """An installation on each kind of database."""
    flags: dict[str, object] = {"home": str(tmp_path / "home"), "desk.login_tries": 3}
    if request.param == "mariadb":
        flags["database_url"] = request.getfixturevalue("mariadb_url")
    with SmartAbsen.open(flags=flags) as opened:
        yield opened


@pytest.fixture
def siti(app: SmartAbsen) -> User:
    return app.users.add("Siti", PASSWORD, role=Role.ADMIN)


def actions(app: SmartAbsen) -> list[tuple[str, str, str]]:
    with app.services.database.read() as session:
        return [(entry.actor, entry.action, entry.subject) for entry in audit.latest(session)]


def test_a_name_and_its_password_prove_the_user(app: SmartAbsen, siti: User) -> None:
    """Names are compared without case; the sign-in is noted with the time and in the audit trail."""
    user = app.users.authenticate(" SITI ", PASSWORD)

    assert user is not None
    assert (user.name, user.role, user.last_login_at is not None) == ("siti", Role.ADMIN, True)
    assert actions(app)[0] == ("siti", "user.login", "siti")


@pytest.mark.parametrize(("name", "password"), [("siti", "wrong"), ("nobody", PASSWORD), ("", ""), ("x" * 500, "y")])
def test_a_wrong_password_and_an_unknown_name_look_alike(app: SmartAbsen, siti: User, name: str, password: str) -> None:
    """Both are None, whatever was typed."""
    assert app.users.authenticate(name, password) is None


def test_wrong_passwords_lock_the_account_and_the_right_one_does_not_help(app: SmartAbsen, siti: User) -> None:
    """After the tries the lock holds for the right password, too; a restart or another address changes nothing."""
    for _ in range(3):
        assert app.users.authenticate("siti", "wrong") is None

    assert app.users.authenticate("siti", PASSWORD) is None
    assert Users(app.services).authenticate("siti", PASSWORD) is None
    locked_until = app.users.get("siti").locked_until
    assert locked_until is not None
    assert timedelta(minutes=14) < locked_until - datetime.now(UTC) < timedelta(minutes=16)
    assert [action for _, action, _ in actions(app)][:3] == ["user.locked", "user.login_failed", "user.login_failed"]


def test_a_lock_ends_by_itself_and_by_an_administrator(app: SmartAbsen, siti: User) -> None:
    """When its time is over, and by ``user enable``; then all tries are there again."""
    for _ in range(3):
        app.users.authenticate("siti", "wrong")
    long_ago = datetime.now(UTC) - timedelta(seconds=1)
    with app.services.database.write() as session:
        session.get(store_users.UserRow, siti.id).locked_until = long_ago  # type: ignore[union-attr]

    assert app.users.authenticate("siti", "wrong") is None
    assert app.users.authenticate("siti", PASSWORD) is not None
    for _ in range(3):
        app.users.authenticate("siti", "wrong")
    app.users.enable("siti")
    assert app.users.authenticate("siti", PASSWORD) is not None


def test_the_right_password_takes_wrong_ones_back(app: SmartAbsen, siti: User) -> None:
    """Only wrong ones in a row count."""
    for _ in range(4):
        assert app.users.authenticate("siti", "wrong") is None
        assert app.users.authenticate("siti", "wrong too") is None
        assert app.users.authenticate("siti", PASSWORD) is not None


def test_tries_at_the_same_moment_are_counted_before_they_are_looked_at(
    app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 12 guesses at once no more than the allowed three reach the password."""
    looked_at: list[str | None] = []
    real = passwords.is_password
    monkeypatch.setattr(passwords, "is_password", lambda p, stored: (looked_at.append(stored), real(p, stored))[1])
    threads = [threading.Thread(target=app.users.authenticate, args=("siti", "guess")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(stored is not None for stored in looked_at) == 3


def test_sessions_end_with_the_password_and_with_the_account(app: SmartAbsen, siti: User) -> None:
    """Whoever had a session open when the password was stolen or changed has none afterwards."""
    app.users.add("budi", PASSWORD, role=Role.ADMIN)
    began_at = datetime.now(UTC)
    assert app.users.find_by_session(siti.id, began_at) == siti

    app.users.set_password("siti", "lima kuda makan rumput")
    assert app.users.find_by_session(siti.id, began_at) is None
    assert app.users.find_by_session(siti.id, datetime.now(UTC)) is not None

    app.users.disable("siti")
    assert app.users.find_by_session(siti.id, datetime.now(UTC)) is None
    assert app.users.authenticate("siti", "lima kuda makan rumput") is None
    assert app.users.find_by_session(99, began_at) is None


def test_the_last_administrator_stays(app: SmartAbsen, siti: User) -> None:
    """Nobody can shut everybody out of the dashboard; with a second one it works."""
    for change in (lambda: app.users.disable("siti"), lambda: app.users.set_role("siti", Role.VIEWER)):
        with pytest.raises(ConflictError, match="last administrator"):
            change()
    app.users.add("budi", PASSWORD, role=Role.ADMIN)
    assert app.users.set_role("siti", Role.VIEWER).role is Role.VIEWER
    assert not app.users.disable("siti").active


def test_a_user_name_exists_once_and_has_a_form(app: SmartAbsen, siti: User) -> None:
    """What stands in the audit trail as an actor must be one word without an @."""
    with pytest.raises(ConflictError, match="already"):
        app.users.add("SITI", PASSWORD)
    for name in ("", "siti@home", "a b", "-x", "x" * 33, "sïti"):
        with pytest.raises(InvalidInputError, match="user name"):
            app.users.add(name, PASSWORD)
    with pytest.raises(NotFoundError):
        app.users.set_password("nobody", PASSWORD)


def test_changes_are_written_in_the_name_of_who_acts(app: SmartAbsen, siti: User) -> None:
    """At the command line the user of the system, in the dashboard the user of the dashboard."""
    with acting_as("siti"):
        app.users.add("budi", PASSWORD)
        app.users.set_role("budi", Role.ADMIN)
        app.users.set_role("budi", Role.ADMIN)
    assert actions(app)[:2] == [("siti", "user.role", "budi"), ("siti", "user.add", "budi")]
    assert "@" in actions(app)[2][0]


def test_the_setup_secret_makes_one_administrator(app: SmartAbsen) -> None:
    """Typed with or without hyphens and case; used, it is worth nothing."""
    assert app.users.needs_setup()
    secret = app.users.issue_setup_secret()

    user = app.users.set_up(secret.replace("-", " ").lower(), "siti", PASSWORD)

    assert (user.role, app.users.needs_setup()) == (Role.ADMIN, False)
    with pytest.raises(NotFoundError, match="setup secret"):
        app.users.set_up(secret, "budi", PASSWORD)
    with pytest.raises(ConflictError, match="a user already"):
        app.users.issue_setup_secret()


def test_a_setup_secret_that_is_wrong_old_or_replaced_is_refused_alike(app: SmartAbsen) -> None:
    """The database holds its digest only."""
    with pytest.raises(NotFoundError, match="setup secret"):
        app.users.set_up("ABCD-ABCD-ABCD-ABCD-ABCD", "siti", PASSWORD)
    first = app.users.issue_setup_secret()
    second = app.users.issue_setup_secret()
    with app.services.database.read() as session:
        fact = meta.find(session, "setup_secret") or ""
    assert second not in fact
    with app.services.database.write() as session:
        meta.put(session, "setup_secret", fact.replace("T", "T").replace(str(datetime.now(UTC).year), "2020"))
    for secret in (first, second):
        with pytest.raises(NotFoundError, match="setup secret"):
            app.users.set_up(secret, "siti", PASSWORD)


def test_of_several_people_with_the_setup_secret_one_becomes_administrator(app: SmartAbsen) -> None:
    """The database decides."""
    secret = app.users.issue_setup_secret()
    made: list[User] = []

    def try_it(name: str) -> None:
        try:
            made.append(app.users.set_up(secret, name, PASSWORD))
        except NotFoundError:
            return

    threads = [threading.Thread(target=try_it, args=(f"user{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(made), len(app.users.list_users())] == [1, 1]


def test_who_gets_no_turn_at_hashing_has_not_tried(
    app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd at the login locks nobody's account."""
    monkeypatch.setattr("smartabsen.core.users.HASHING", HashingQueue(at_once=0, waiting=0))
    for _ in range(app.settings.desk.login_tries + 1):
        with pytest.raises(BusyError):
            app.users.authenticate("siti", PASSWORD)
    monkeypatch.undo()
    assert app.users.authenticate("siti", PASSWORD) is not None
