"""Signing in as an installation is set: addresses, pictures, waiting at a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smartabsen import QRSyncManager, SmartAbsen
from smartabsen.kernel.domain import SignInRequest, SignInState, VerifyOutcome
from smartabsen.org.addresses import is_local, public_url
from smartabsen.qr.terminal import Terminal

Open = Callable[..., SmartAbsen]


@pytest.fixture
def open_app(flags: dict[str, object], request: pytest.FixtureRequest) -> Open:
    """Opens the same installation with other settings."""

    def make(**changes: object) -> SmartAbsen:
        opened = SmartAbsen.open(flags={**flags, **{name.replace("__", "."): value for name, value in changes.items()}})
        request.addfinalizer(opened.close)
        return opened

    return make


def pair(app: SmartAbsen, code: str) -> Any:
    credential = app.phones.complete_pairing(app.phones.start_pairing(code).token)
    return app.phones.find_phone(credential.value)


def test_it_is_a_manager_with_the_names_of_the_settings(open_app: Open) -> None:
    """Kiosk and place are those set, unless others are given."""
    app = open_app(site__name="Toko Contoh", site__kiosk="Pintu 1", server__public_url="https://absen.example/")

    request = app.signin.generate_qr_code("laptop")
    assert isinstance(app.signin, QRSyncManager)
    assert (request.kiosk, request.place) == ("Pintu 1", "Toko Contoh")
    assert request.url.startswith("https://absen.example/verify_qr?token=")
    assert app.signin.address == "https://absen.example/verify_qr"
    other = app.signin.generate_qr_code("laptop", kiosk="Lobby", place="Cabang")
    assert (other.kiosk, other.place) == ("Lobby", "Cabang")


def test_another_process_on_the_same_home_answers(open_app: Open) -> None:
    """Token and typed code work: the secret of the home is shared."""
    laptop, phone = open_app(), open_app()
    by_token, by_code = laptop.signin.generate_qr_code("one"), laptop.signin.generate_qr_code("two")

    assert phone.signin.verify_qr_code(by_token.token, number=by_token.number) is VerifyOutcome.CONFIRMED
    assert phone.signin.verify_qr_code(by_code.access_code, number=by_code.number) is VerifyOutcome.CONFIRMED


def test_only_the_phone_of_an_employee_confirms_where_that_is_set(open_app: Open) -> None:
    """And the laptop learns whose it was."""
    app = open_app(signin__phone="paired")
    app.enrol("Contoh", [], code="E1")
    request = app.signin.generate_qr_code("laptop")

    assert app.signin.verify_qr_code(request.token, number=request.number) is VerifyOutcome.PHONE_NOT_PAIRED
    outcome = app.signin.verify_qr_code(request.token, number=request.number, phone=pair(app, "E1"))
    grant = app.signin.collect("laptop")
    assert outcome is VerifyOutcome.CONFIRMED
    assert grant is not None
    assert grant.employee is not None
    assert grant.employee.code == "E1"


def test_an_employee_who_left_in_between_is_not_let_in(open_app: Open) -> None:
    """Neither as themselves nor as anybody."""
    app = open_app()
    app.enrol("Contoh", [], code="E1")
    request = app.signin.generate_qr_code("laptop")
    app.signin.verify_qr_code(request.token, number=request.number, phone=pair(app, "E1"))
    app.deactivate_employee("E1")

    assert app.signin.collect("laptop") is None


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:5001"),
        ({"server.port": 8080, "server.host": "192.0.2.7"}, "http://192.0.2.7:8080"),
        ({"server.host": "::1"}, "http://[::1]:5001"),
        ({"server.host": "absen.lan", "server.tls_cert": "c.pem", "server.tls_key": "k.pem"}, "https://absen.lan:5001"),
        ({"server.public_url": "https://absen.example", "server.host": "0.0.0.0"}, "https://absen.example"),
    ],
)
def test_the_address_is_the_one_set_or_that_of_the_server(
    flags: dict[str, object], settings: dict[str, object], address: str
) -> None:
    """Never what a request claims."""
    with SmartAbsen.open(flags={**flags, **settings}) as app:
        assert app.signin.public_url == address


def test_a_server_for_the_network_is_reached_by_the_machines_own_address(flags: dict[str, object]) -> None:
    """0.0.0.0 is no address that a phone can open."""
    with SmartAbsen.open(flags={**flags, "server.host": "0.0.0.0"}) as app:
        assert "0.0.0.0" not in public_url(app.settings)


@pytest.mark.parametrize(
    ("address", "local"),
    [("http://127.0.0.1:5001", True), ("http://localhost", True), ("http://[::1]:1", True), ("http://a.lan", False)],
)
def test_an_address_of_this_machine_alone_is_known(address: str, local: bool) -> None:
    """Phones do not reach it."""
    assert is_local(address) is local


def test_a_request_is_drawn_once(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that asks for the same picture again costs nothing."""
    from smartabsen.qr import render

    request = app.signin.generate_qr_code("laptop")
    first = app.signin.render_svg(request)
    monkeypatch.setattr(render, "_code", None)
    assert app.signin.render_svg(request) is first


def test_a_request_is_drawn_for_the_terminal(app: SmartAbsen) -> None:
    """Half blocks where they can be shown, pairs of characters where not."""
    request = app.signin.generate_qr_code("laptop")

    blocks = app.signin.render_terminal(request, Terminal("utf-8"))
    pairs = app.signin.render_terminal(request, Terminal("cp1252"))
    assert "▄" in blocks
    pairs.encode("cp1252")
    assert set(pairs) == {"#", " ", "\n"}


# --- waiting -----------------------------------------------------------------------------------------------


def ask(app: SmartAbsen, answer: Callable[[SignInRequest], object], **options: Any) -> tuple[Any, list[SignInRequest]]:
    shown: list[SignInRequest] = []

    def show(request: SignInRequest) -> None:
        shown.append(request)
        answer(request)

    given = {"stop": threading.Event(), "poll_s": 0.01, **options}
    return app.signin.ask(show=show, **given), shown


def test_waiting_ends_with_the_confirmation(app: SmartAbsen) -> None:
    """Which another thread gives, later."""
    with ThreadPoolExecutor() as pool:

        def later(request: SignInRequest) -> None:
            pool.submit(lambda: (time.sleep(0.1), app.signin.verify_qr_code(request.token, number=request.number)))

        answer, _ = ask(app, later)
    assert (answer.state, answer.confirmed, answer.employee) == (SignInState.VERIFIED, True, None)


def test_waiting_tells_whose_phone_it_was(app: SmartAbsen) -> None:
    """A paired one."""
    app.enrol("Contoh", [], code="E1")
    phone = pair(app, "E1")
    answer, _ = ask(app, lambda each: app.signin.verify_qr_code(each.token, number=each.number, phone=phone))
    assert answer.employee.code == "E1"


def test_waiting_ends_with_a_decline(app: SmartAbsen) -> None:
    """Also where dead requests are renewed."""
    answer, shown = ask(app, lambda each: app.signin.verify_qr_code(each.token, number=None, decline=True), renew=True)
    assert (answer.state, len(shown)) == (SignInState.DECLINED, 1)


def test_a_wrong_number_is_followed_by_another_request_only_where_that_is_wanted(app: SmartAbsen) -> None:
    """A kiosk asks again, a script is told."""

    def second_time_right(request: SignInRequest) -> None:
        right = len(seen) == 1
        seen.append(request)
        app.signin.verify_qr_code(request.token, number=request.number if right else 0)

    seen: list[SignInRequest] = []
    assert ask(app, second_time_right)[0].state is SignInState.WRONG_NUMBER
    seen.clear()
    answer, shown = ask(app, second_time_right, renew=True)
    assert answer.confirmed
    assert len(shown) == 2
    assert shown[0].token != shown[1].token


@pytest.mark.parametrize("how", ["stop", "time"])
def test_waiting_ends_when_somebody_has_had_enough(app: SmartAbsen, how: str) -> None:
    """By a signal or after some seconds: the request is simply not answered."""
    stop = threading.Event()
    if how == "stop":
        stop.set()
    answer, _ = ask(app, lambda _: None, stop=stop, max_seconds=0.05 if how == "time" else None)
    assert (answer.state, answer.confirmed) == (SignInState.PENDING, False)


# --- the server's secret -----------------------------------------------------------------------------------


def test_a_home_makes_itself_a_secret_once(open_app: Open, flags: dict[str, object]) -> None:
    """For its owner only; later programs read the same."""
    from pathlib import Path

    first = open_app().secret
    path = Path(str(flags["home"])) / "secrets" / "server.key"
    assert len(path.read_text().strip()) == 64
    assert (first.origin, first.weak, len(first.value)) == ("home", False, 32)
    assert open_app().secret == first
    assert first.value.hex() not in repr(first)
    if path.stat().st_mode & 0o777 != 0o666:  # Windows has no modes
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_programs_that_start_at_once_make_one_secret(flags: dict[str, object]) -> None:
    """Whoever comes second reads what the first one made."""
    from pathlib import Path

    from smartabsen.store.secret_file import read_or_make_secret

    path = Path(str(flags["home"])) / "secrets" / "server.key"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: read_or_make_secret(path), range(16)))) == 1


@pytest.mark.parametrize(
    ("text", "weak"),
    [
        ("geheim", True),
        ("a" * 64, True),
        ("ababababababababababababababababababab", True),
        ("change-me-change-me-change-me-1234567890", True),
        ("this-is-my-secret-key-for-the-office-2026", True),
        ("8Jk2vQxR7mWp4NzT9cYb3HdF6gLs1aEu", False),
        ("3f9a7c1e5b8d2046af13c9e87b5d6024", False),
    ],
)
def test_a_secret_that_is_set_wins_and_is_judged(open_app: Open, text: str, weak: bool) -> None:
    """Short, monotonous and obvious ones are told apart; none is shown."""
    secret = open_app(server__secret_key=text).secret
    assert (secret.origin, secret.weak) == ("setting", weak)
    assert text not in repr(secret)


def test_keys_for_different_purposes_differ(app: SmartAbsen) -> None:
    """What is learnt about one says nothing about another."""
    keys = {app.secret.derive(purpose) for purpose in ("sign-in", "pin", "csrf")}
    assert [len(key) for key in keys] == [32, 32, 32]
    assert app.secret.value not in keys
