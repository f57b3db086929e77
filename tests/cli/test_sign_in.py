"""``qr``, ``phone`` and ``run-kiosk --require-qr``: a real installation, and a phone that answers at once."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smartabsen import SmartAbsen
from smartabsen.cli import sign_in_view
from smartabsen.cli.app import app as program_app
from smartabsen.kernel import i18n
from smartabsen.kernel.domain import SignInRequest
from smartabsen.qr import pin_rows
from smartabsen.qr.signin import SignIn
from smartabsen.qr.terminal import Terminal

Answer = Callable[[SignIn, SignInRequest], object]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmartAbsen]:
    """An installation with one employee, which the command line uses too."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMARTABSEN_SITE_KIOSK", "Lobby")
    monkeypatch.setattr(pin_rows, "_ROUNDS", 4)
    before = list(i18n._process_language)
    with SmartAbsen.open() as opened:
        opened.enrol("Contoh Satu", [], code="E1")
        yield opened
    i18n._process_language[:] = before


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(program_app, list(arguments), prog_name="smartabsen", **options)


@pytest.fixture
def phone(library: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[SignInRequest]]:
    """Lets a phone answer each request as soon as it is made; gives the requests."""

    def answer_with(answer: Answer) -> list[SignInRequest]:
        requests: list[SignInRequest] = []
        generate: Any = SignIn.generate_qr_code

        def generate_and_answer(self: SignIn, session: str, **options: Any) -> SignInRequest:
            requests.append(generate(self, session, **options))
            answer(library.signin, requests[-1])
            return requests[-1]

        monkeypatch.setattr(SignIn, "generate_qr_code", generate_and_answer)
        return requests

    return answer_with


@pytest.fixture
def signals() -> Iterator[None]:
    """Python's own handling of both signals, whatever this process inherited: a background job ignores Ctrl-C."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def confirm(signin: SignIn, request: SignInRequest) -> None:
    signin.verify_qr_code(request.token, number=request.number)


def decline(signin: SignIn, request: SignInRequest) -> None:
    signin.verify_qr_code(request.token, number=None, decline=True)


def mistype(signin: SignIn, request: SignInRequest) -> None:
    signin.verify_qr_code(request.token, number=0)


def picture(text: str, *, encoding: str = "utf-8", dark: bool = True) -> str:
    """The QR as a terminal without colours gets it; that phones read these is tested where they are drawn."""
    return Terminal(encoding, dark=dark).draw_qr(text)


def test_a_request_is_shown_and_its_confirmation_reported(library: SmartAbsen, phone: Any) -> None:
    """A QR that can be read, address, code and number; then who confirmed, and exit code 0."""
    requests = phone(confirm)
    result = run("qr")

    (request,) = requests
    assert result.stdout.startswith(picture(request.url))
    assert result.stdout.splitlines()[-4:] == [
        "Scan this with a phone, or open http://127.0.0.1:5001/verify_qr there and type the code.",
        f"Code: {request.access_code}",
        f"Number to type on the phone: {request.number}",
        "Confirmed by a phone.",
    ]
    assert "Phones do not reach http://127.0.0.1:5001" in result.stderr
    assert result.exit_code == 0


def test_scripts_get_one_object_and_people_the_qr(library: SmartAbsen, phone: Any) -> None:
    """With --json the picture goes to stderr, and no secret is in the object."""
    requests = phone(confirm)
    result = run("qr", "--json")

    assert json.loads(result.stdout) == {
        "command": "qr",
        "status": "ok",
        "data": {"state": "verified", "employee": None},
        "errors": [],
    }
    assert picture(requests[0].url) in result.stderr
    assert f"Code: {requests[0].access_code}" in result.stderr


@pytest.mark.parametrize(
    ("answer", "state", "message"),
    [
        (decline, "declined", "The request was declined on the phone."),
        (mistype, "wrong_number", "A wrong number was typed on the phone; that ended the request."),
        (lambda *_: None, "pending", "No phone confirmed in time."),
    ],
)
def test_without_a_confirmation_the_exit_code_is_1(
    library: SmartAbsen, phone: Any, answer: Answer, state: str, message: str
) -> None:
    """With the reason."""
    phone(answer)
    result = run("qr", "--json", "--max-seconds", "0")

    answered = json.loads(result.stdout)
    assert (result.exit_code, answered["status"], answered["data"]["state"]) == (1, "failed", state)
    assert [(each["code"], each["message"]) for each in answered["errors"]] == [("denied", message)]


def test_a_paired_phone_is_named(library: SmartAbsen, phone: Any) -> None:
    """People and scripts learn whose it was."""
    credential = library.phones.complete_pairing(library.phones.start_pairing("E1").token)
    paired = library.phones.find_phone(credential.value)
    phone(lambda signin, request: signin.verify_qr_code(request.token, number=request.number, phone=paired))

    assert run("qr").stdout.endswith("Confirmed by the phone of Contoh Satu (E1).\n")
    assert json.loads(run("qr", "--json").stdout)["data"]["employee"] == {"code": "E1", "name": "Contoh Satu"}


def test_an_old_windows_terminal_can_show_it(library: SmartAbsen, phone: Any) -> None:
    """In cp1252 there are no half blocks: two characters for each module."""
    requests = phone(confirm)
    result = CliRunner(charset="cp1252").invoke(program_app, ["qr"], prog_name="smartabsen")

    assert result.exit_code == 0
    assert result.stdout.startswith(picture(requests[0].url, encoding="cp1252"))


def test_a_light_terminal_without_colours_gets_the_dark_modules(library: SmartAbsen, phone: Any) -> None:
    """--light prints what is left out on a dark one."""
    requests = phone(confirm)
    assert run("qr", "--light").stdout.startswith(picture(requests[0].url, dark=False))


def test_a_terminal_that_is_too_narrow_still_gets_code_and_number(
    library: SmartAbsen, phone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture is left out, with the reason."""
    requests = phone(confirm)
    monkeypatch.setattr(sign_in_view, "terminal_of", lambda *_, **__: Terminal("utf-8", columns=20))
    result = run("qr")

    assert "The QR code needs 49 columns, and the terminal has 20." in result.stderr
    assert f"Code: {requests[0].access_code}" in result.stdout
    assert result.exit_code == 0


def test_a_phone_confirms_by_the_pages_of_the_server(library: SmartAbsen, phone: Any) -> None:
    """The command and the server share the database and nothing else: the phone types code and number."""
    from smartabsen.web import create_app

    client = create_app(library).test_client()

    def by_browser(_: SignIn, request: SignInRequest) -> None:
        page = client.get(request.url.removeprefix("http://127.0.0.1:5001"))
        assert "Lobby" in page.text
        (csrf,) = set(re.findall(r'name="csrf_token" value="([^"]+)"', page.text))
        typed = {"code": request.access_code.lower(), "number": str(request.number)}
        client.post("/verify_qr", data={"csrf_token": csrf, "action": "confirm", **typed})

    phone(by_browser)
    assert json.loads(run("qr", "--json").stdout)["data"]["state"] == "verified"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.usefixtures("signals")
def test_ctrl_c_ends_the_waiting(library: SmartAbsen, phone: Any) -> None:
    """With exit code 130, and an object for scripts."""
    phone(lambda *_: os.kill(os.getpid(), signal.SIGINT))
    result = run("qr", "--json")

    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["data"]["state"]) == (130, "pending")
    assert [error["code"] for error in answer["errors"]] == ["interrupted"]


# --- phones ------------------------------------------------------------------------------------------------


def test_pairing_shows_the_invitation(library: SmartAbsen) -> None:
    """QR, whose it is, and the address for who cannot scan it."""
    result = run("phone", "pair", "e1", "--no-wait")

    *_, sentence, url = result.stdout.splitlines()
    assert url.startswith("http://127.0.0.1:5001/pair?token=")
    assert result.stdout.startswith(picture(url))
    assert sentence == "For the phone of Contoh Satu (E1): scan this, or open the address there."
    assert "It works once, until " in result.stderr
    assert library.phones.find_pairing(url.partition("token=")[2]) is not None


def test_pairing_waits_for_the_phone(library: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """And names it."""
    from smartabsen.qr.phones import Phones

    render: Any = Phones.render_terminal

    def render_and_pair(self: Phones, pairing: Any, terminal: Any) -> str:
        library.phones.complete_pairing(pairing.token, label="Android")
        return str(render(self, pairing, terminal))

    monkeypatch.setattr(Phones, "render_terminal", render_and_pair)
    answer = json.loads(run("phone", "pair", "E1", "--json").stdout)
    assert (answer["status"], answer["data"]["phone"]["id"], answer["data"]["phone"]["label"]) == ("ok", 1, "Android")
    assert "Android" in run("phone", "pair", "E1").stdout


def test_phones_are_listed_and_revoked(library: SmartAbsen) -> None:
    """By their numbers; a second time there is nothing to revoke."""
    assert run("phone", "list").stderr == "No paired phones.\n"
    library.phones.complete_pairing(library.phones.start_pairing("E1").token, label="Android")

    (listed,) = json.loads(run("phone", "list", "--json").stdout)["data"]["phones"]
    assert (listed["id"], listed["label"], listed["last_used_at"]) == (1, "Android", None)
    assert listed["employee"] == {"code": "E1", "name": "Contoh Satu"}
    assert "Contoh Satu" in run("phone", "list", "E1").stdout
    assert run("phone", "revoke", "1", "--yes").stdout == "Revoked: phone 1 of Contoh Satu.\n"
    assert library.phones.list_phones() == ()
    again = run("phone", "revoke", "1", "--yes", "--json")
    assert (again.exit_code, json.loads(again.stdout)["errors"][0]["code"]) == (1, "not_found")


def test_a_pin_comes_from_stdin_and_never_from_the_command_line(library: SmartAbsen) -> None:
    """Nor is it in any answer."""
    result = run("phone", "pin", "E1", input="493817\n")
    assert (result.exit_code, result.output) == (0, "The PIN of Contoh Satu is set.\n")
    assert library.phones.has_pin("E1")

    easy = run("phone", "pin", "E1", "--json", input="123456\n")
    assert (easy.exit_code, json.loads(easy.stdout)["errors"][0]["message"]) == (2, "This PIN is too easy to guess.")
    assert run("phone", "pin", "E1", "--remove").stdout == "Contoh Satu has no PIN now.\n"
    assert not library.phones.has_pin("E1")


def test_an_unknown_employee_is_told_before_a_pin_is_asked_for(library: SmartAbsen) -> None:
    """Exit code 1."""
    assert run("phone", "pin", "E9", "--json", input="493817\n").exit_code == 1
    assert run("phone", "pair", "E9", "--json").exit_code == 1


# --- the kiosk ---------------------------------------------------------------------------------------------


@pytest.fixture
def kiosk(library: SmartAbsen, program: Any) -> Any:
    """The program, whose kiosk is a double and whose requests are real."""
    program.prepare = lambda double: setattr(double, "signin", library.signin)
    return program


def test_a_kiosk_opens_its_camera_after_the_confirmation(kiosk: Any, phone: Any) -> None:
    """The QR goes where people look, and the decisions follow."""
    requests = phone(confirm)
    result = kiosk("run-kiosk", "--require-qr", "--sound", "off")

    assert result.exit_code == 0
    assert picture(requests[0].url) in result.stdout
    assert "Confirmed by a phone." in result.stderr
    assert kiosk.library.calls[-1][0] == "run_kiosk"


def test_a_kiosk_asks_again_after_a_wrong_number(kiosk: Any, phone: Any) -> None:
    """Until somebody confirms; scripts see nothing of it on stdout."""
    requests: list[SignInRequest] = []
    requests = phone(lambda *given: (mistype if len(requests) == 1 else confirm)(*given))
    result = kiosk("run-kiosk", "--require-qr", "--sound", "off", "--json")

    assert len(requests) == 2
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["summary"]


def test_a_declined_kiosk_opens_no_camera(kiosk: Any, phone: Any) -> None:
    """Exit code 1."""
    phone(decline)
    result = kiosk("run-kiosk", "--require-qr", "--sound", "off")

    assert result.exit_code == 1
    assert "run_kiosk" not in [name for name, *_ in kiosk.library.calls]
    assert "declined on the phone" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.usefixtures("signals")
def test_a_kiosk_that_is_stopped_while_it_asks_opens_no_camera(
    kiosk: Any, phone: Any, number: signal.Signals, exit_code: int
) -> None:
    """A service manager's SIGTERM is a good end."""
    phone(lambda *_: os.kill(os.getpid(), number))
    result = kiosk("run-kiosk", "--require-qr", "--sound", "off")

    assert result.exit_code == exit_code
    assert "run_kiosk" not in [name for name, *_ in kiosk.library.calls]
