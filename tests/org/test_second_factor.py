"""The second factor: codes of an app that are good once, recovery codes, and what is stored of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import ConflictError, InvalidInputError, NotFoundError, Role, SmartAbsen, User
from smartabsen.org import passwords, second_factor_rows
from smartabsen.org.second_factor_rows import SecretSealer, code_at, find_step, secret_text
from smartabsen.org.users import CodeVerdict
from smartabsen.trust import audit_rows

PASSWORD = "empat kuda makan rumput"
RFC_SECRET = b"12345678901234567890"


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ROUNDS", 4)


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmartAbsen]:
    """An installation on each kind of database."""
    flags: dict[str, object] = {"home": str(tmp_path / "home"), "desk.login_tries": 3, "site.name": "Toko Contoh"}
    if request.param == "mariadb":
        flags["database_url"] = request.getfixturevalue("mariadb_url")
    with SmartAbsen.open(flags=flags) as opened:
        yield opened


class App:
    """An authenticator app with the secret of a user; its clock is one step behind where it must type twice."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def code(self, off: int = 0) -> str:
        return code_at(self.secret, int(time.time()) // 30 + off)


@pytest.fixture
def siti(app: SmartAbsen) -> User:
    return app.users.add("siti", PASSWORD, role=Role.ADMIN)


def set_up(app: SmartAbsen, user: User, monkeypatch: pytest.MonkeyPatch) -> tuple[App, tuple[str, ...]]:
    """Turn the second factor on with the code of the step before, so that the present one is still unused."""
    monkeypatch.setattr(second_factor_rows, "new_secret", lambda: RFC_SECRET)
    enrolment = app.users.begin_totp(user)
    phone = App(RFC_SECRET)
    return phone, app.users.turn_totp_on(user, enrolment.ticket, phone.code(-1))


@pytest.mark.parametrize(
    ("instant", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(instant: int, code: str) -> None:
    """Appendix B, the last six of the eight digits, for SHA-1."""
    assert code_at(RFC_SECRET, instant // 30) == code
    at = datetime.fromtimestamp(instant, UTC)
    assert find_step(RFC_SECRET, f" {code[:3]} {code[3:]} ", now=at) == instant // 30


@pytest.mark.parametrize(("off_s", "found"), [(-61, False), (-30, True), (30, True), (61, False)])
def test_a_phone_may_be_one_step_off(off_s: int, found: bool) -> None:
    """Neither two steps late nor two early."""
    now = 1_800_000_000
    code = code_at(RFC_SECRET, (now + off_s) // 30)
    assert (find_step(RFC_SECRET, code, now=datetime.fromtimestamp(now, UTC)) is not None) is found


@pytest.mark.parametrize("typed", ["", "00000", "abcdef", "１２３４５６", "\ud800", "0" * 500])
def test_what_is_no_code_is_wrong_and_no_error(typed: str) -> None:
    """Whatever is typed."""
    assert find_step(RFC_SECRET, typed, now=datetime.fromtimestamp(59, UTC)) is None


def test_a_code_is_asked_for_once_it_is_set_up(app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right password alone proves nothing any more."""
    phone, codes = set_up(app, siti, monkeypatch)
    assert (len(set(codes)), app.users.get("siti").has_totp) == (10, True)

    assert app.users.authenticate("siti", PASSWORD) is None
    assert app.users.authenticate("siti", PASSWORD, code=phone.code()) is not None
    with app.services.database.read() as session:
        entry = next(iter(audit_rows.latest(session)))
    assert (entry.action, dict(entry.details)) == ("user.login", {"factor": "totp"})


def test_a_step_is_used_once(app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looked over a shoulder comes too late; an older step than the last used one does not count either."""
    phone, _ = set_up(app, siti, monkeypatch)
    user = app.users.get("siti")
    code, before = phone.code(), phone.code(-1)

    assert app.users.check_code(user, code) is CodeVerdict.APP
    assert app.users.check_code(user, code) is CodeVerdict.WRONG
    assert app.users.check_code(user, before) is CodeVerdict.WRONG


def test_of_many_who_type_the_same_code_at_once_one_is_let_in(
    app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database decides."""
    phone, codes = set_up(app, siti, monkeypatch)
    user = app.users.get("siti")
    for code in (phone.code(), codes[0]):
        assert sum(verdict.is_right for verdict in all_at_once(app, user, code)) == 1
        app.users.enable("siti")


def all_at_once(app: SmartAbsen, user: User, code: str) -> list[CodeVerdict]:
    """Type a code in four browsers at once."""
    verdicts: list[CodeVerdict] = []
    threads = [threading.Thread(target=lambda: verdicts.append(app.users.check_code(user, code))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return verdicts


def test_wrong_codes_lock_the_codes_and_not_the_password(
    app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three; one entry; a known device has tries of its own; an administrator takes the lock away."""
    device = app.users.enter(siti)
    phone, codes = set_up(app, siti, monkeypatch)
    user = app.users.get("siti")
    for _ in range(3):
        assert app.users.check_code(user, "000000") is CodeVerdict.WRONG
    assert app.users.check_code(user, phone.code()) is CodeVerdict.LOCKED
    assert app.users.check_code(user, codes[0]) is CodeVerdict.LOCKED
    assert app.users.check_password("siti", PASSWORD).user is not None
    with app.services.database.read() as session:
        assert [entry.action for entry in audit_rows.latest(session)].count("user.totp_locked") == 1

    assert app.users.check_code(user, phone.code(), device=device) is CodeVerdict.APP
    app.users.enable("siti")
    assert app.users.check_code(user, codes[0]) is CodeVerdict.RECOVERY


def test_a_recovery_code_is_good_once(app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed as it was printed or without hyphens; new ones void the old."""
    _, codes = set_up(app, siti, monkeypatch)
    user = app.users.get("siti")
    assert app.users.check_code(user, codes[0].replace("-", " ").lower()) is CodeVerdict.RECOVERY
    assert app.users.check_code(user, codes[0]) is CodeVerdict.WRONG
    assert app.users.count_recovery_codes(user) == 9
    new = app.users.renew_recovery_codes(user)
    assert app.users.check_code(user, codes[1]) is CodeVerdict.WRONG
    assert app.users.check_code(user, new[0]) is CodeVerdict.RECOVERY


def test_nothing_of_it_is_stored_readable(app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the secret nor a recovery code, and the secret is in no ``repr``."""
    enrolment = app.users.begin_totp(siti)
    assert enrolment.secret not in repr(enrolment)
    _, codes = set_up(app, siti, monkeypatch)
    with app.services.database.read() as session:
        rows = str([session.execute(text(f"SELECT * FROM {table}")).all() for table in ("users", "recovery_codes")])
    assert RFC_SECRET.decode() not in rows and secret_text(RFC_SECRET) not in rows
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)


def test_a_ticket_belongs_to_its_user(app: SmartAbsen, siti: User) -> None:
    """What another session holds, or nobody made, is none."""
    budi = app.users.add("budi", PASSWORD)
    ticket = app.users.begin_totp(siti).ticket
    found = app.users.find_totp(siti, ticket)
    assert found is not None and "<svg" in found.svg
    for user, given in ((budi, ticket), (siti, ""), (siti, "AAAA"), (siti, "no base64!")):
        assert app.users.find_totp(user, given) is None
    with pytest.raises(NotFoundError):
        app.users.turn_totp_on(budi, ticket, "000000")
    with pytest.raises(InvalidInputError, match="code is wrong"):
        app.users.turn_totp_on(siti, ticket, "no code")
    assert not app.users.get("siti").has_totp


def test_an_administrator_removes_it_after_a_lost_phone(
    app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an entry; the recovery codes go with it."""
    _, codes = set_up(app, siti, monkeypatch)
    assert not app.users.turn_totp_off("siti").has_totp
    assert app.users.authenticate("siti", PASSWORD) is not None
    with app.services.database.read() as session:
        assert [entry.action for entry in audit_rows.latest(session)][:2] == ["user.login", "user.totp_off"]
        assert second_factor_rows.count_recovery_codes(session, siti.id) == 0
    with pytest.raises(ConflictError, match="no second factor"):
        app.users.turn_totp_off("siti")
    assert codes


def test_under_another_secret_of_the_server_only_a_recovery_code_helps(
    app: SmartAbsen, siti: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told apart from a wrong code, and nobody is let in without one."""
    phone, codes = set_up(app, siti, monkeypatch)
    user = app.users.get("siti")
    monkeypatch.setattr(app.users, "_sealer", SecretSealer(b"another secret of the server ..."))
    assert app.users.check_code(user, phone.code()) is CodeVerdict.FOREIGN
    assert app.users.check_code(user, codes[0]) is CodeVerdict.RECOVERY
