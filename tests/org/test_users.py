"""Users of the dashboard: proving who one is, locks, and how the first administrator comes about."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text, update

from smartabsen import BusyError, ConflictError, InvalidInputError, NotFoundError, Role, SmartAbsen, User
from smartabsen.kernel.actors import acting_as
from smartabsen.org import passwords
from smartabsen.org.hashing import HashingQueue
from smartabsen.org.users import Users
from smartabsen.store import meta
from smartabsen.store.tables import SignInTryRow
from smartabsen.trust import audit_rows

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
        return [(entry.actor, entry.action, entry.subject) for entry in audit_rows.latest(session)]


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
    assert [action for _, action, _ in actions(app)] == ["user.locked", "user.add"]


def test_a_lock_ends_by_itself_and_by_an_administrator(app: SmartAbsen, siti: User) -> None:
    """When its time is over, and by ``user enable``; then all tries are there again."""
    for _ in range(3):
        app.users.authenticate("siti", "wrong")
    long_ago = datetime.now(UTC) - timedelta(seconds=1)
    with app.services.database.write() as session:
        session.execute(update(SignInTryRow).values(locked_until=long_ago))

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


def test_one_lock_is_one_entry_however_many_tries_brought_it_at_once(app: SmartAbsen, siti: User) -> None:
    """Of 12 wrong passwords at the same moment one fills the counter; its entry says how many there were."""
    threads = [threading.Thread(target=app.users.authenticate, args=("siti", "guess")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with app.services.database.read() as session:
        locks = [dict(entry.details) for entry in audit_rows.latest(session) if entry.action == "user.locked"]
    assert locks == [{"tries": "3", "device": "unknown"}]


def test_wrong_passwords_before_the_right_one_stand_in_its_entry(app: SmartAbsen, siti: User) -> None:
    """Two slips are no entries of their own and are not lost either."""
    app.users.authenticate("siti", "wrong")
    app.users.authenticate("siti", "wrong")
    app.users.authenticate("siti", PASSWORD)

    with app.services.database.read() as session:
        entry = next(iter(audit_rows.latest(session)))
    assert (entry.action, dict(entry.details)) == ("user.login", {"failed": "2"})


def test_a_known_device_is_not_locked_out_by_others(app: SmartAbsen, siti: User) -> None:
    """Strangers lock strangers: the administrator's own browser goes on, and has tries of its own."""
    device = app.users.enter(siti)
    for _ in range(5):
        app.users.authenticate("siti", "wrong")

    assert app.users.get("siti").locked_until is not None
    assert app.users.authenticate("siti", PASSWORD) is None
    assert app.users.authenticate("siti", "wrong", device=device) is None
    assert app.users.authenticate("siti", PASSWORD, device=device) is not None
    # The lock of strangers stays: whoever guesses gets no new tries because the owner came by.
    assert app.users.authenticate("siti", PASSWORD) is None


def test_a_known_device_whose_tries_are_used_up_is_a_stranger(app: SmartAbsen, siti: User) -> None:
    """A stolen browser guesses three times, then it shares the tries of all strangers."""
    device = app.users.enter(siti)
    for _ in range(3):
        assert app.users.authenticate("siti", "wrong", device=device) is None
    assert app.users.get("siti").locked_until is None
    for _ in range(3):
        assert app.users.authenticate("siti", "wrong", device=device) is None
    assert app.users.authenticate("siti", PASSWORD, device=device) is None
    app.users.enable("siti")
    assert app.users.authenticate("siti", PASSWORD, device=device) is not None


def test_a_device_is_known_for_those_who_signed_in_on_it(app: SmartAbsen, siti: User) -> None:
    """Not for another account, not under a secret that was planted, and not after a password that somebody else set."""
    budi = app.users.add("budi", PASSWORD)
    device = app.users.enter(siti, device="planted by somebody")
    assert device != "planted by somebody"
    assert not app.users.knows_device("siti", "planted by somebody")
    assert (app.users.knows_device(" SITI", device), app.users.knows_device("budi", device)) == (True, False)
    assert app.users.enter(budi, device=device) == device
    assert app.users.knows_device("budi", device)
    with app.services.database.read() as session:
        assert device not in str(session.execute(text("SELECT * FROM known_devices")).all())

    app.users.set_password("siti", "lima kuda makan rumput")
    assert (app.users.knows_device("siti", device), app.users.knows_device("budi", device)) == (False, True)


def test_a_name_that_nobody_has_costs_the_same_statements(app: SmartAbsen, siti: User) -> None:
    """From the first try to the lock and behind it, known, unknown and disabled names run the same SQL and hashing."""
    app.users.add("budi", PASSWORD)
    app.users.disable("budi")
    app.users.authenticate("siti", PASSWORD)
    statements: list[str] = []
    event.listen(
        app.services.database._engine, "before_cursor_execute", lambda *args: statements.append(args[2].split("(")[0])
    )
    ran = {}
    for name in ("siti", "nobody", "budi"):
        ran[name] = []
        for _ in range(4):
            statements.clear()
            assert app.users.authenticate(name, "wrong") is None
            # A connection that is made anew introduces itself.
            ran[name].append([each for each in statements if not each.startswith("SET SESSION")])
    assert ran["nobody"] == ran["siti"]
    assert ran["budi"] == ran["siti"]


def test_a_password_that_somebody_else_gave_is_marked_until_it_is_changed(app: SmartAbsen, siti: User) -> None:
    """The user's own choice takes the mark away, and must be another one."""
    given = app.users.add("budi", PASSWORD, temporary=True)
    assert (given.must_change_password, siti.must_change_password) == (True, False)
    with pytest.raises(InvalidInputError, match="that you have now"):
        app.users.change_password(given, PASSWORD)
    assert not app.users.change_password(given, "lima kuda makan rumput").must_change_password
    assert app.users.set_password("budi", "enam kuda makan rumput", temporary=True).must_change_password


def test_users_of_the_version_before_sign_in_unchanged(app: SmartAbsen, siti: User) -> None:
    """Their rows know nothing of the new columns."""
    with app.services.database.write() as session:
        session.execute(text("UPDATE users SET must_change = NULL, totp_secret = NULL, failed_attempts = 2"))
    user = app.users.authenticate("siti", PASSWORD)
    assert user is not None
    assert (user.must_change_password, user.has_totp) == (False, False)


def test_sessions_are_listed_and_ended(app: SmartAbsen, siti: User) -> None:
    """One, the others, or all, by whoever may; a session of somebody else is not among them."""
    other = app.users.add("budi", PASSWORD)
    sessions = app.web_sessions
    ends = {"idle_s": 600, "absolute_s": 6000}
    first, second, third = (
        sessions.create({}, user_id=siti.id, address=f"192.0.2.{n}", label="Firefox, Windows", **ends) for n in range(3)
    )
    theirs = sessions.create({}, user_id=other.id, **ends)

    listed = app.users.list_sessions("siti")
    assert {each.address for each in listed} == {"192.0.2.0", "192.0.2.1", "192.0.2.2"}
    assert {each.label for each in listed} == {"Firefox, Windows"}
    assert not any(sid[:8] in str(listed) for sid in (first, second, third))

    app.users.end_session("siti", sessions.find_listed_id(first))
    assert (sessions.load(first), sessions.load(second) is None) == (None, False)
    with pytest.raises(NotFoundError, match="no such session"):
        app.users.end_session("siti", sessions.find_listed_id(theirs))
    assert app.users.end_other_sessions(siti, keep=third) == 1
    assert sessions.load(second) is None
    assert app.users.end_sessions("siti") == 1
    assert sessions.load(third) is None
    assert sessions.load(theirs) is not None
    assert [action for _, action, _ in actions(app)][:3] == [
        "user.sessions_end",
        "user.sessions_end",
        "user.session_end",
    ]


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
    monkeypatch.setattr("smartabsen.org.users.HASHING", HashingQueue(at_once=1, inside=0))
    for _ in range(app.settings.desk.login_tries + 1):
        with pytest.raises(BusyError):
            app.users.authenticate("siti", PASSWORD)
    monkeypatch.undo()
    assert app.users.authenticate("siti", PASSWORD) is not None
