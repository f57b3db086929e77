"""The whole sign-in with two browsers: the computer shows, the phone confirms, the face is recorded."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from smartabsen import SmartAbsen
from smartabsen.kiosk.checkin import CheckInResult
from smartabsen.recognition import quality
from smartabsen.web import attendance, auth
from smartabsen.web.factory import MAX_BODY_BYTES
from smartabsen.web.server import _watching

from .pages import Shown, attempt, burst, confirm, open_signin, post, rows, sign_in


def test_a_confirmed_face_is_recorded_in_the_database_and_in_the_log(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """The job, from the QR to the row."""
    page = sign_in(client, phone, token)
    assert "camera=(self)" in page.headers["Permissions-Policy"]
    answer = attempt(client, page.text, burst(1)).json
    assert (answer["outcome"], answer["employee"]) == ("recognized", {"code": "E001", "name": "Siti Rahma"})
    assert "Siti Rahma" in answer["message"]
    assert set(answer) == {"outcome", "message", "next_step", "employee", "punch"}
    assert rows(people, "punches") == rows(people, "absensi") == 1
    log = next(people.settings.csv_dir.glob("*.csv")).read_text(encoding="utf-8")
    assert "Siti Rahma" in log and ",face," in log


def test_no_answer_tells_how_similar_somebody_was(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """Neither a number between 0 and 1 nor a name of somebody else leaves the server."""
    page = sign_in(client, phone, token)
    for key, person in enumerate((9, None, 1)):
        said = attempt(client, page.text, burst(person), key=f"key-{key:04}").text
        assert "Budi" not in said and not re.search(r"0\.\d{2,}", said), said


def test_a_key_that_comes_with_other_pictures_is_refused(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """Before anything was recorded and afterwards: nobody gets the answer to what somebody else sent."""
    page = sign_in(client, phone, token)
    assert attempt(client, page.text, burst(None)).json["punch"] is None
    other = attempt(client, page.text, burst(1))
    assert (other.status_code, other.json["error"]["code"]) == (409, "key_reused")
    assert rows(people, "punches") == 0
    done = attempt(client, page.text, burst(1), key="key-0002")
    assert done.json["employee"]["code"] == "E001"
    assert attempt(client, page.text, burst(2), key="key-0002").status_code == 409
    assert attempt(client, page.text, burst(1), key="key-0002").json == done.json
    assert rows(people, "punches") == 1
    people.security.close()
    assert sum(each.count for each in people.security.events() if each.kind == "key.reused") == 2


def test_an_answer_that_was_lost_is_given_again(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """The same key gets the same answer and one row; another key gets nothing more out of this sign-in."""
    page = sign_in(client, phone, token)
    first, again = (attempt(client, page.text, burst(1)) for _ in range(2))
    assert first.json == again.json
    assert rows(people, "punches") == 1
    assert attempt(client, page.text, burst(2), key="key-0002").status_code == 401
    assert client.get("/web_attendance").location == "/auth"


def test_one_sign_in_records_one_person_however_many_come_at_once(
    people: SmartAbsen,
    web: Flask,
    client: FlaskClient,
    phone: FlaskClient,
    token: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bursts of several faces with one cookie, all let in before the first is stored: the database takes one."""
    page = sign_in(client, phone, token)
    cookie = client.get_cookie("smartabsen")
    assert cookie is not None
    together, inside = people.checkin.attempt, threading.Barrier(3)

    def wait_for_all(*args: Any, **kwargs: Any) -> CheckInResult:
        inside.wait(20)
        return together(*args, **kwargs)

    monkeypatch.setattr(people.checkin, "attempt", wait_for_all)

    def send(number: int) -> int:
        browser = web.test_client()
        browser.set_cookie("smartabsen", cookie.value)
        return attempt(browser, page.text, burst(1 + number % 2), key=f"key-{number:04}").status_code

    with ThreadPoolExecutor(3) as pool:
        answers = sorted(pool.map(send, (1, 2, 4)))
    assert rows(people, "punches") == 1
    assert answers in ([200, 401, 401], [200, 200, 401]), (
        "the same person's second burst is answered, and stores nothing"
    )


@pytest.mark.parametrize(
    ("frames", "outcome"),
    [
        (lambda: burst(9), "unknown"),
        (lambda: burst(None), "no_face"),
        (lambda: burst(1, size_px=40), "too_small"),
        (lambda: burst(1)[:1] * 4, "not_a_camera"),
        (lambda: burst(1, step_px=0), "not_a_camera"),
        (lambda: [b"GIF89a" + bytes([n]) for n in range(4)], "unreadable"),
    ],
)
def test_a_refusal_says_why_and_writes_nothing(
    people: SmartAbsen,
    client: FlaskClient,
    phone: FlaskClient,
    token: Callable[[], str],
    frames: Callable[[], list[bytes]],
    outcome: str,
) -> None:
    """A stranger, nobody, somebody far away, one picture again and again, one that stands still, none at all."""
    page = sign_in(client, phone, token)
    answer = attempt(client, page.text, frames())
    assert answer.status_code == 200
    assert answer.json["outcome"] == outcome
    assert answer.json["message"] and answer.json["employee"] is answer.json["punch"] is None
    assert answer.json["next_step"] and "BMP" not in answer.text
    assert rows(people, "punches") == 0


def test_a_stranger_with_a_covered_mouth_is_told_to_lower_the_mask(
    people: SmartAbsen,
    client: FlaskClient,
    phone: FlaskClient,
    token: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The browser shows the next step that the server says."""
    monkeypatch.setattr(quality, "COVERED_APART", -1.0)
    page = sign_in(client, phone, token)
    assert "mask" in attempt(client, page.text, burst(9)).json["next_step"]


def test_who_was_refused_may_try_again(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """The sign-in lasts five minutes, not one try."""
    page = sign_in(client, phone, token)
    attempt(client, page.text, burst(None), key="key-0001")
    assert attempt(client, page.text, burst(2), key="key-0002").json["employee"]["code"] == "E002"


def test_too_much_is_refused_before_it_is_decoded(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """More than 5 MB, or more pictures than a burst has."""
    page = sign_in(client, phone, token)
    body = bytes(MAX_BODY_BYTES + 1)
    large = client.post("/process_attendance", data=body, content_type="multipart/form-data; boundary=x")
    assert (large.status_code, large.json["error"]["code"]) == (413, "too_large")
    assert attempt(client, page.text, burst(1, frames=13)).status_code == 400
    assert attempt(client, page.text, burst(1, frames=2)).json["error"]["code"] == "invalid_input"
    assert attempt(client, page.text, burst(1), key="../x").status_code == 400


def test_a_wrong_number_ends_the_request(client: FlaskClient, phone: FlaskClient, token: Callable[[], str]) -> None:
    """Whoever cannot see the screen gets no second try."""
    shown = open_signin(client)
    wrong = "10" if shown.number != "10" else "11"
    assert confirm(phone, token(), wrong).status_code == 409
    assert client.get("/auth/status").json["state"] == "wrong_number"
    assert phone.get(f"/verify_qr?token={token()}").status_code == 410


def test_declining_is_told_to_the_computer(client: FlaskClient, phone: FlaskClient, token: Callable[[], str]) -> None:
    """The person at the screen learns that the phone said no."""
    open_signin(client)
    assert "Declined" in confirm(phone, token(), "", action="decline").text
    assert client.get("/auth/status").json["state"] == "declined"


def test_unknown_expired_used_and_foreign_secrets_get_one_answer(
    library: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """Nobody learns from a refusal whether a code ever existed."""
    used = open_signin(client)
    used_token = token()
    confirm(phone, used_token, used.number)
    open_signin(client)
    expired_token = token()
    with library.services.database.write() as session:
        session.execute(text("UPDATE qr_tokens SET expires_at = :then"), {"then": datetime(2026, 1, 1)})  # noqa: DTZ001
    pages = {secret: phone.get(f"/verify_qr?token={secret}") for secret in (used_token, expired_token, "A" * 64, "x")}
    assert {page.status_code for page in pages.values()} == {410}
    bodies = {re.sub(r'nonce="[^"]+"|token=[\w-]+', "", page.text) for page in pages.values()}
    assert len(bodies) == 1


def test_fetching_the_address_changes_nothing(
    library: SmartAbsen, client: FlaskClient, web: Flask, token: Callable[[], str]
) -> None:
    """Link previews come by GET and HEAD, as often as they like, and the database is as it was."""
    shown = open_signin(client)
    before = {table: rows(library, table) for table in ("qr_tokens", "web_sessions", "rate_limits", "audit")}
    for _ in range(20):
        agent = web.test_client()
        assert agent.get(f"/verify_qr?token={token()}").status_code == 200
        assert agent.head(f"/verify_qr?token={token()}").status_code == 200
    assert {table: rows(library, table) for table in before} == before
    assert client.get("/auth/status").json["state"] == "pending"
    assert confirm(web.test_client(), token(), shown.number).status_code == 200


def test_who_has_the_code_can_neither_collect_nor_ask(
    client: FlaskClient, phone: FlaskClient, web: Flask, token: Callable[[], str]
) -> None:
    """Only the browser that asked has what collects: a photo of the QR is worth nothing."""
    shown = open_signin(client)
    confirm(phone, token(), shown.number)
    thief = web.test_client()
    assert thief.get("/auth/status").json["state"] == "dead"
    assert post(thief, "/auth", thief.get("/verify_qr").text).location == "/auth"
    assert thief.get("/web_attendance").location == "/auth"
    assert thief.post("/process_attendance").status_code == 401


def test_the_session_has_a_new_id_after_the_grant(
    client: FlaskClient, phone: FlaskClient, web: Flask, token: Callable[[], str]
) -> None:
    """An id that somebody planted before is worth nothing afterwards."""
    shown = open_signin(client)
    planted = client.get_cookie("smartabsen")
    assert planted is not None
    confirm(phone, token(), shown.number)
    post(client, "/auth", shown.text)
    renewed = client.get_cookie("smartabsen")
    assert renewed is not None and renewed.value != planted.value
    thief = web.test_client()
    thief.set_cookie("smartabsen", planted.value)
    assert thief.get("/web_attendance").location == "/auth"


def test_a_typed_code_does_what_the_qr_does(client: FlaskClient, phone: FlaskClient) -> None:
    """For phones without a camera; spaces, case and the dash do not matter."""
    shown = open_signin(client)
    typed = shown.access_code.lower().replace("-", " ")
    ask = post(phone, "/verify_qr", phone.get("/verify_qr").text, code=typed, action="look")
    assert ask.status_code == 200 and 'name="code"' in ask.text
    done = post(phone, "/verify_qr", ask.text, code=typed, number=shown.number, action="confirm")
    assert "Confirmed" in done.text
    assert client.get("/auth/status").json["state"] == "verified"


def test_codes_cannot_be_guessed(client: FlaskClient, phone: FlaskClient) -> None:
    """After five wrong ones the right one is refused too."""
    shown = open_signin(client)
    page = phone.get("/verify_qr").text
    for _ in range(5):
        assert post(phone, "/verify_qr", page, code="BBBBBBBB", action="look").status_code == 410
    assert post(phone, "/verify_qr", page, code=shown.access_code, action="look").status_code == 410


@pytest.mark.parametrize("number", ["", "5", "123", "ab", "٤٢"])
def test_a_number_that_is_none_is_asked_for_again(
    client: FlaskClient, phone: FlaskClient, token: Callable[[], str], number: str
) -> None:
    """A slip of the thumb does not end the request."""
    shown = open_signin(client)
    answer = confirm(phone, token(), number)
    assert answer.status_code == 400 and "two digits" in answer.text
    assert confirm(phone, token(), shown.number).status_code == 200


def test_asking_again_writes_nothing_and_an_unchanged_answer_is_short(
    library: SmartAbsen, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser may poll: that it is there has been noted, so nothing is written, and 304 has no body."""
    open_signin(client)
    assert client.get("/auth/status").json["state"] == "pending"
    clock = library.services.database.now()
    monkeypatch.setattr(library.signin, "_clock", lambda: clock)
    monkeypatch.setattr(library.services.database, "run_write", lambda work: pytest.fail("a poll wrote"))
    first = client.get("/auth/status")
    again = client.get("/auth/status", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.json["state"], again.status_code, again.data) == ("pending", 304, b"")


def test_asking_faster_than_every_second_is_told_to_wait(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """429, and how long."""
    monkeypatch.setattr(auth.POLL, "every_s", 1.0)
    open_signin(client)
    assert client.get("/auth/status").status_code == 200
    fast = client.get("/auth/status")
    assert (fast.status_code, fast.headers["Retry-After"]) == (429, "1")
    assert fast.json["error"]["code"] == "too_many_requests"


@pytest.mark.parametrize("path", ["/auth", "/auth/status", "/web_attendance"])
def test_a_computer_elsewhere_is_sent_away(client: FlaskClient, path: str) -> None:
    """With a sentence; the pages for phones work from everywhere."""
    outside = {"REMOTE_ADDR": "203.0.113.9"}
    answer = client.get(path, environ_base=outside)
    assert answer.status_code == 403
    assert "office" in json.dumps(answer.json) if answer.is_json else "office" in answer.text
    assert client.get("/verify_qr", environ_base=outside).status_code == 200


def test_a_forged_header_neither_moves_the_client_nor_the_address(
    client: FlaskClient, token: Callable[[], str], web: Flask, library: SmartAbsen
) -> None:
    """Without a trusted proxy such headers are air, and no page is shown under another name."""
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "127.0.0.1"}
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/auth", environ_base=elsewhere, headers=forged).status_code == 403
    page = client.get("/auth", headers={"Host": "evil.example", "Accept": "text/html"})
    assert page.status_code == 421 and "evil.example" not in page.text
    assert library.signin.address.startswith("http://127.0.0.1:5001/")
    assert client.get("/", headers=forged).location == "/auth"


def test_an_older_window_learns_that_another_one_has_the_code(client: FlaskClient) -> None:
    """And not that its own code is good: the answers of the two are told apart by their id, in the ETag as well."""
    older, newer = (
        unescape(re.search(r'data-status="([^"]+)"', open_signin(client).text)[1])  # type: ignore[index]
        for _ in range(2)
    )
    answers = {path: client.get(path) for path in (older, newer)}
    assert [answer.json["state"] for answer in answers.values()] == ["replaced", "pending"]
    assert [path.endswith(answer.json["request"]) for path, answer in answers.items()] == [True, True]
    tags = {answer.headers["ETag"] for answer in answers.values()}
    assert len(tags) == 2
    stale = client.get(older, headers={"If-None-Match": answers[newer].headers["ETag"]})
    assert stale.status_code == 200


def test_looking_at_the_head_of_the_page_makes_no_request(
    library: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """Monitors come by HEAD, also in the browser's own name; the open request lives on."""
    assert client.head("/auth").status_code == 200
    assert rows(library, "qr_tokens") == 0
    shown = open_signin(client)
    assert client.head("/auth").status_code == 200
    assert confirm(phone, token(), shown.number).status_code == 200


def test_the_countdown_ends_when_the_request_does(client: FlaskClient) -> None:
    """The page renews itself by what the server says is left."""
    shown = open_signin(client)
    found = re.search(r'data-seconds="(\d+)"', shown.text)
    assert found and 590 <= int(found[1]) <= 600


def test_no_page_of_the_phone_carries_the_token_of_another(
    client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """The sign-in page itself shows it as a picture only, and outcomes do not repeat it."""
    shown: Shown = open_signin(client)
    assert token() not in shown.text
    assert token() not in confirm(phone, token(), shown.number).text


def test_a_sign_in_ends_after_five_minutes(
    client: FlaskClient,
    phone: FlaskClient,
    token: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever comes back from lunch begins again."""
    from smartabsen.web import grants

    monkeypatch.setattr(grants, "LIFETIME", timedelta(0))
    shown = open_signin(client)
    confirm(phone, token(), shown.number)
    post(client, "/auth", shown.text)
    assert client.get("/web_attendance").location == "/auth"
    assert client.post("/process_attendance").status_code == 401


def test_the_camera_page_loads_what_the_first_attempt_needs(
    people: SmartAbsen, web: Flask, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """While the person looks for the button; without a trained model the page is the same."""
    web.config[attendance.WARM_UP] = True
    sign_in(client, phone, token)
    _wait_for_warm_up()
    assert people.checkin.is_warm


def _wait_for_warm_up() -> None:
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join(20)


def test_a_server_loads_at_its_start_what_the_first_attempt_needs(people: SmartAbsen) -> None:
    """In the background; each worker for itself."""
    _watching(people)
    _wait_for_warm_up()
    assert people.checkin.is_warm


def test_a_server_with_nobody_to_recognise_loads_no_engine(library: SmartAbsen) -> None:
    """It may be there for the dashboard, for codes and PINs alone."""
    _watching(library)
    _wait_for_warm_up()
    assert library.services.loaded_engine is None and not library.checkin.is_warm


def test_pages_speak_both_languages(client: FlaskClient, phone: FlaskClient, token: Callable[[], str]) -> None:
    """And show times as the language does, in the zone of the site."""
    client.get("/auth")
    address = f"/verify_qr?token={token()}"
    here = datetime.now(UTC) + timedelta(hours=7)
    assert "Is it you?" in phone.get(address).text
    page = phone.get(address, headers={"Accept-Language": "id"}).text
    assert 'lang="id"' in page and "Apakah ini Anda?" in page
    assert re.search(rf"<dd>{here:%H}\.\d\d</dd>", page), "Indonesian times have a dot"
