"""Phones of employees: pairing, comparing with their owner alone, and the PIN for people without a face."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.trust import audit_rows

from .pages import attempt, burst, confirm, open_signin, post, rows, sign_in


def pair(library: SmartAbsen, phone: FlaskClient, code: str) -> None:
    """Pair a browser as the phone of an employee."""
    address = library.phones.start_pairing(code).url.partition("5001")[2]
    page = phone.get(address, headers={"User-Agent": "Mozilla/5.0 (Linux; Android 16)"})
    assert page.status_code == 200
    done = post(phone, "/pair", page.text, token=address.partition("token=")[2])
    assert "paired" in done.text
    assert phone.get(address).status_code == 410, "an invitation works once"


@pytest.fixture
def paired_flags(flags: dict[str, object]) -> None:
    """Only paired phones may confirm."""
    flags["signin.phone"] = "paired"


@pytest.mark.usefixtures("paired_flags")
def test_only_a_paired_phone_can_confirm(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """An unpaired one learns why, and changes nothing."""
    shown = open_signin(client)
    page = phone.get(f"/verify_qr?token={token()}")
    assert page.status_code == 403 and "not paired" in page.text
    form = phone.get("/verify_qr").text
    assert post(phone, "/verify_qr", form, token=token(), number=shown.number, action="confirm").status_code == 403
    assert client.get("/auth/status").json["state"] == "pending"


@pytest.mark.usefixtures("paired_flags")
def test_the_phone_of_one_and_the_face_of_another_write_nothing_but_the_audit(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """Lending a phone to a friend leaves a trace, and no attendance."""
    pair(people, phone, "E001")
    page = sign_in(client, phone, token)
    answer = attempt(client, page.text, burst(2), key="key-0001").json
    assert (answer["outcome"], answer["employee"]) == ("other_face", None)
    assert "Budi" not in json.dumps(answer) and "Siti" not in json.dumps(answer)
    assert rows(people, "punches") == 0
    with people.services.database.read() as session:
        entry = audit_rows.latest(session, 1)[0]
    assert (entry.action, entry.subject, entry.details["face_of"]) == ("checkin.other_face", "E001", "E002")
    assert attempt(client, page.text, burst(1), key="key-0002").json["employee"]["code"] == "E001"


def test_a_phone_and_a_pin_punch_without_a_face(people: SmartAbsen, phone: FlaskClient, web: Flask) -> None:
    """For who refused to be recognised, or whose camera is broken."""
    assert phone.get("/pin").status_code == 403
    pair(people, phone, "E002")
    people.phones.set_pin("E002", "481592")
    page = phone.get("/pin")
    key = re.search(r'name="key" value="(\w+)"', page.text)
    assert key
    wrong = post(phone, "/pin", page.text, pin="111222", key=key[1])
    assert wrong.status_code == 403 and "wrong" in wrong.text
    done = post(phone, "/pin", wrong.text, pin="481592", key=key[1])
    assert "Budi Santoso" in done.text
    assert ",pin," in next(people.settings.csv_dir.glob("*.csv")).read_text(encoding="utf-8")


def test_away_from_the_office_a_pin_needs_a_confirmation_at_a_screen(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """Nobody punches from home, and a phone on mobile data is no obstacle."""
    pair(people, phone, "E002")
    people.phones.set_pin("E002", "481592")
    outside = {"REMOTE_ADDR": "203.0.113.9"}
    assert "at the screen first" in phone.get("/pin", environ_base=outside).text
    shown = open_signin(client)
    assert "PIN" in confirm(phone, token(), shown.number).text
    assert 'name="pin"' in phone.get("/pin", environ_base=outside).text


def test_invitations_that_are_none_keep_nobody_from_pairing(people: SmartAbsen, web: Flask) -> None:
    """Only they are counted: one machine behind the office's address uses up nobody's tries."""
    stranger, honest = web.test_client(), web.test_client()
    page = stranger.get("/verify_qr").text
    assert [post(stranger, "/pair", page, token="x").status_code for _ in range(21)] == [410] * 20 + [429]
    token = people.phones.start_pairing("E001").token
    page = honest.get(f"/pair?token={token}").text
    assert post(honest, "/pair", page, token=token).status_code == 200
    assert len(people.phones.list_phones("E001")) == 1


def test_wrong_codes_of_others_keep_no_paired_phone_from_typing_one(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, web: Flask
) -> None:
    """All of an office share one address; a paired phone's wrong codes are counted apart, and end as well."""
    pair(people, phone, "E001")
    stranger, shown = web.test_client(), open_signin(client).access_code

    def look(browser: FlaskClient, code: str) -> int:
        page = browser.get("/verify_qr").text
        return post(browser, "/verify_qr", page, code=code, action="look").status_code

    assert [look(stranger, "BCDFGHJK") for _ in range(5)] == [410] * 5
    assert (look(stranger, shown), look(phone, shown)) == (410, 200)
    assert [look(phone, "BCDFGHJK") for _ in range(5)] == [410] * 5
    assert look(phone, shown) == 410
