"""Advice helps where it stands: nobody at the door or on a phone has a terminal, settings or the server's files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.kernel.domain import Outcome
from smartabsen.kernel.errors import ConflictError, ModelError, NotTrainedError, SmartAbsenError, StorageError
from smartabsen.kernel.i18n import use_language
from smartabsen.kernel.messages import OUTCOMES, describe_at_camera
from smartabsen.web import create_app
from smartabsen.web.faults import describe_to_visitor

from .pages import attempt, burst, open_signin, post, sign_in

STAFF_ONLY = re.compile(r"smartabsen [a-z]|SMARTABSEN_|--[a-z]|/home|\.[a-z]+_[a-z]")
TEMPLATES = Path(create_app.__code__.co_filename).parent / "templates"


@pytest.fixture
def library(flags: dict[str, object]) -> SmartAbsen:
    """An installation where only paired phones may confirm."""
    return SmartAbsen.open(flags=flags | {"signin.phone": "paired"})


def test_a_paired_phone_in_another_browser_is_told_where_to_open_the_code(
    client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """The commonest reason is a scanner's own browser; the page's address carries the code."""
    open_signin(client)
    answer = phone.get(f"/verify_qr?token={token()}")
    assert answer.status_code == 403
    assert "open the code in the browser in which you paired it (copy the address there)" in answer.text
    assert "open this page in the browser in which you paired it" in phone.get("/pin").text


def test_a_phone_without_a_pin_is_told_whom_to_ask(library: SmartAbsen, phone: FlaskClient) -> None:
    """And no command; nor is the owner who is not active any more."""
    library.enrolments.add("E001", "Ani Contoh")
    pairing = library.phones.start_pairing("E001")
    form = phone.get(pairing.url[pairing.url.index("/pair") :]).text
    post(phone, "/pair", form, token=pairing.token)
    answer = post(phone, "/pin", phone.get("/pin").text, pin="284617", key="a" * 32)
    assert "Ask your administrator for one" in answer.text
    assert not STAFF_ONLY.search(re.sub(r"<[^>]+>", "", answer.text))


def test_who_stands_before_a_server_without_a_model_is_told_whom_to_tell(
    flags: dict[str, object], tmp_path: Path
) -> None:
    """The command that trains it is for the server's log."""
    with SmartAbsen.open(flags=flags) as library:
        web = create_app(library)
        browser, visitor = web.test_client(), web.test_client()
        urls: list[str] = []
        render = library.signin.render_svg
        library.signin.render_svg = lambda asked: (urls.append(asked.url), render(asked))[1]  # type: ignore[method-assign, func-returns-value]
        page = sign_in(browser, visitor, lambda: urls[-1].partition("token=")[2])
        answer = attempt(browser, page.text, burst(1))
        assert answer.json["error"]["code"] == "not_trained"
        assert "administrator" in answer.json["error"]["hint"]
        assert not STAFF_ONLY.search(answer.text)


@pytest.mark.parametrize(
    "error",
    [
        StorageError("No permission for {path}.", hint="Check the rights of {place}.", path="/home/x", place="/home"),
        ConflictError("It is not active.", hint="If that is wrong: smartabsen employee activate {code}", code="E1"),
        NotTrainedError("There is no trained model yet.", hint="Enrol people, then: smartabsen train"),
        ModelError("It is missing.", hint="See signin.allowed_networks."),
    ],
)  # fmt: skip
def test_no_visitor_reads_a_command_a_setting_or_a_path(web: Flask, error: SmartAbsenError) -> None:
    """Users of the dashboard do: they can tell their IT staff what it says."""
    with web.test_request_context("/process_attendance"), use_language("en"):
        assert not STAFF_ONLY.search(" ".join(describe_to_visitor(error)))
    with web.test_request_context("/admin/"), use_language("en"):
        assert describe_to_visitor(error)[1] == error.hint


@pytest.mark.parametrize("outcome", list(OUTCOMES))
def test_nobody_before_a_camera_is_advised_about_files(outcome: Outcome) -> None:
    """There is nothing to choose there."""
    if outcome in (Outcome.DUPLICATE_FACE, Outcome.DUPLICATE_PHOTO, Outcome.TOO_MANY_PHOTOS):
        return
    with use_language("en"):
        _sentence, next_step = describe_at_camera(outcome)
    assert not re.search(r"\bfile\b|JPEG|pixels", next_step)


def test_pages_for_everybody_name_no_command() -> None:
    """Those of the dashboard are for staff."""
    for page in TEMPLATES.glob("*.html"):
        assert not re.search(r"smartabsen [a-z]|SMARTABSEN_|--host", page.read_text("utf-8")), page.name
