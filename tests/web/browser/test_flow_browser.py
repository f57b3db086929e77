"""Sign-in and attendance in real browsers: a laptop with a camera, a phone that reads its screen."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from smartabsen import SmartAbsen

from .conftest import NAMES, Office, sync_api

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect = sync_api.expect
MakeOffice = Callable[..., Office]


def punches(home: Path) -> list[tuple[str, str]]:
    """Name and method of each punch in the database."""
    with sqlite3.connect(home / "smartabsen.db") as connection:
        rows = connection.execute(
            "SELECT k.nama, p.method FROM punches p JOIN karyawan k ON k.id = p.karyawan_id ORDER BY p.id"
        ).fetchall()
    connection.close()
    return [(str(name), str(method)) for name, method in rows]


def log_lines(home: Path) -> list[str]:
    """Lines of the attendance log of all days."""
    files = sorted((home / "Attendance").glob("*.csv"))
    return [line for file in files for line in file.read_text(encoding="utf-8-sig").splitlines()[1:]]


def audit_actions(home: Path) -> list[str]:
    """Actions in the audit trail."""
    with sqlite3.connect(home / "smartabsen.db") as connection:
        rows = connection.execute("SELECT action FROM audit ORDER BY id").fetchall()
    connection.close()
    return [str(action) for (action,) in rows]


def assert_accessible(page: sync_api.Page) -> None:
    """No violation that axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    serious = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    assert [one for one, full in zip(serious, found, strict=True) if full["impact"] in ("serious", "critical")] == []


def test_the_phone_confirms_and_the_face_is_recorded(office: MakeOffice, home: Path) -> None:
    """The whole job, with screenshots of each page."""
    here = office()
    number = here.open_signin()
    assert_accessible(here.laptop)
    here.shoot(here.laptop, "signin")
    here.scan()
    expect(here.phone.get_by_text("Front desk")).to_be_visible()
    assert_accessible(here.phone)
    here.shoot(here.phone, "verify")
    here.confirm(number)
    expect(here.phone.get_by_role("heading", name="Confirmed")).to_be_visible()
    here.shoot(here.phone, "confirmed")
    here.laptop.wait_for_url("**/web_attendance", timeout=20_000)
    expect(here.laptop.locator("#take")).to_be_enabled(timeout=20_000)
    assert_accessible(here.laptop)
    here.shoot(here.laptop, "camera")
    here.take_pictures()
    expect(here.laptop.locator("#greeting")).to_contain_text(NAMES[0], timeout=30_000)
    assert_accessible(here.laptop)
    here.shoot(here.laptop, "recorded")
    assert punches(home) == [(NAMES[0], "face")]
    (line,) = log_lines(home)
    assert NAMES[0] in line and ",face," in line


def test_the_attendance_page_works_with_the_keyboard_alone(office: MakeOffice, home: Path) -> None:
    """The button has the focus when the camera is there; Enter records."""
    here = office()
    here.sign_in()
    expect(here.laptop.locator("#take")).to_be_focused(timeout=20_000)
    here.laptop.keyboard.press("Enter")
    expect(here.laptop.locator("#done")).to_be_focused(timeout=30_000)
    assert punches(home) == [(NAMES[0], "face")]


def test_a_stranger_is_told_so_and_nothing_is_written(office: MakeOffice, home: Path) -> None:
    """The page says what to do, and lets them try again."""
    here = office("stranger")
    here.sign_in()
    here.take_pictures()
    expect(here.laptop.locator("#status")).to_contain_text("Not recognised", timeout=30_000)
    here.shoot(here.laptop, "stranger")
    expect(here.laptop.locator("#take")).to_be_enabled()
    assert punches(home) == [] and log_lines(home) == []


def test_an_answer_that_is_lost_on_the_way_is_asked_for_again(office: MakeOffice, home: Path) -> None:
    """The server has recorded it; the page sends the same pictures under the same key, and one punch stands."""
    here = office()
    here.sign_in()
    sent: list[tuple[str, bytes]] = []

    def lose_the_first(route: sync_api.Route) -> None:
        body = route.request.post_data_buffer or b""
        key = re.search(rb'name="key"\r\n\r\n([0-9a-f]{32})\r\n', body)
        assert key is not None
        frames = body.partition(b'name="frames"')[2]
        sent.append((key[1].decode(), frames[: frames.rfind(b"\r\n--")]))
        if len(sent) == 1:
            assert route.fetch().status == 200
            route.abort()
        else:
            route.continue_()

    here.laptop.route("**/process_attendance", lose_the_first)
    here.take_pictures()
    status = here.laptop.locator("#status")
    expect(status).to_have_text(
        here.laptop.locator("#capture").get_attribute("data-text-offline") or "", timeout=30_000
    )
    assert punches(home) == [(NAMES[0], "face")]
    assert here.errors == ["Failed to load resource: net::ERR_FAILED"]
    here.errors.clear()

    here.take_pictures()
    expect(here.laptop.locator("#greeting")).to_contain_text(NAMES[0], timeout=30_000)
    (key, frames), (again, same_frames) = sent
    assert key == again
    assert _pictures(frames) == _pictures(same_frames)
    assert punches(home) == [(NAMES[0], "face")]
    assert len(log_lines(home)) == 1


def _pictures(form: bytes) -> list[bytes]:
    """The JPEG files of a form, whose boundary differs from one sending to the next."""
    found = re.findall(rb"\r\n\r\n(\xff\xd8.*?\xff\xd9)\r\n--", form + b"\r\n--", re.DOTALL)
    assert len(found) == 6
    return found


def test_a_wrong_number_ends_the_request_and_the_laptop_shows_a_new_code(office: MakeOffice, home: Path) -> None:
    """Nobody gets a second guess."""
    here = office()
    number = here.open_signin()
    here.scan()
    dead = here.phone.url
    here.confirm("10" if number != "10" else "11")
    expect(here.phone.get_by_role("heading", name="That is not the number")).to_be_visible()
    here.shoot(here.phone, "wrong-number")
    expect(here.laptop.locator("#state")).to_contain_text("A wrong number was typed", timeout=15_000)
    expect(here.laptop.locator("#signin.is-stale")).to_have_count(0, timeout=15_000)
    assert here.read_qr() != dead
    here.phone.goto(dead)
    expect(here.phone.get_by_role("heading", name="This code is not valid")).to_be_visible()
    assert punches(home) == []


def test_the_laptop_says_that_the_phone_declined(office: MakeOffice) -> None:
    """And shows a new code."""
    here = office()
    here.open_signin()
    here.scan()
    here.phone.get_by_role("button", name="Not me").click()
    expect(here.phone.get_by_role("heading", name="Declined")).to_be_visible()
    expect(here.laptop.locator("#state")).to_contain_text("not me", timeout=15_000)


def test_an_expired_code_is_renewed_by_the_page_and_refused_to_the_phone(office: MakeOffice, home: Path) -> None:
    """The clock of the server decides."""
    here = office()
    here.open_signin()
    address = here.read_qr()
    past = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with sqlite3.connect(home / "smartabsen.db", timeout=10) as connection:
        connection.execute("UPDATE qr_tokens SET expires_at = ?", (past,))
    connection.close()
    here.phone.goto(address)
    expect(here.phone.get_by_role("heading", name="This code is not valid")).to_be_visible()
    expect(here.laptop.locator("#signin.is-stale")).to_have_count(1, timeout=15_000)
    expect(here.laptop.locator("#signin.is-stale")).to_have_count(0, timeout=15_000)
    assert here.read_qr() != address


def test_the_countdown_renews_the_code(office: MakeOffice) -> None:
    """At its end, without anybody touching the page."""
    here = office()
    here.laptop.clock.install()
    here.open_signin()
    before = here.read_qr()
    here.laptop.clock.fast_forward("10:01")
    here.laptop.clock.fast_forward("00:05")
    expect(here.laptop.locator("#countdown")).to_contain_text("9:5", timeout=15_000)
    assert here.read_qr() != before


def test_a_code_is_used_once(office: MakeOffice) -> None:
    """The second phone gets the same answer as for a code that never was."""
    here = office()
    number = here.open_signin()
    here.scan()
    address = here.phone.url
    here.confirm(number)
    here.phone.goto(address)
    expect(here.phone.get_by_role("heading", name="This code is not valid")).to_be_visible()


def test_the_phone_of_one_with_the_face_of_another_writes_only_into_the_audit_trail(
    settings: dict[str, str], home: Path, request: pytest.FixtureRequest
) -> None:
    """Where only paired phones may confirm, the face is compared with the phone's owner alone."""
    settings["SMARTABSEN_SIGNIN_PHONE"] = "paired"
    server = request.getfixturevalue("server")
    here = request.getfixturevalue("office")(NAMES[1])
    with SmartAbsen.open(flags={"home": str(home), "server.public_url": server}) as app:
        pairing = app.phones.start_pairing("E001")
    here.phone.goto(pairing.url)
    here.shoot(here.phone, "pair")
    here.phone.get_by_role("button", name="Pair this phone").click()
    expect(here.phone.get_by_role("heading", name="This phone is paired")).to_be_visible()
    here.sign_in()
    here.take_pictures()
    expect(here.laptop.locator("#status")).to_contain_text("does not belong to the phone", timeout=30_000)
    # What is read: the fake camera is named after its film.
    read = here.laptop.locator("body").inner_text()
    assert NAMES[1] not in read and NAMES[0] not in read
    assert punches(home) == []
    assert "checkin.other_face" in audit_actions(home)


def test_without_a_camera_the_page_says_what_to_do(office: MakeOffice) -> None:
    """No camera at all."""
    here = office(camera=False)
    here.sign_in()
    expect(here.laptop.locator("#status")).to_contain_text("camera", timeout=20_000)
    expect(here.laptop.locator("#retry")).to_be_visible()
    here.shoot(here.laptop, "no-camera")


def test_on_plain_http_the_page_says_why_there_is_no_camera(office: MakeOffice) -> None:
    """Browsers hide cameras from pages that were not protected on their way."""
    here = office()
    here.laptop.add_init_script(
        "Object.defineProperty(window, 'isSecureContext', {get: () => false});"
        "Object.defineProperty(navigator, 'mediaDevices', {get: () => undefined});"
    )
    here.sign_in()
    expect(here.laptop.locator("#status")).to_contain_text("https", timeout=20_000)


def test_pages_in_indonesian_and_in_the_dark(office: MakeOffice) -> None:
    """What a first user in Indonesia sees at night; contrast is good there, too."""
    here = office(dark=True, locale="id-ID")
    here.open_signin()
    expect(here.laptop.get_by_role("heading", name="Catat absensi Anda")).to_be_visible()
    assert here.laptop.locator("html").get_attribute("data-bs-theme") == "dark"
    assert_accessible(here.laptop)
    here.shoot(here.laptop, "signin-dark")
    here.scan()
    assert_accessible(here.phone)
    here.shoot(here.phone, "verify-dark")
    here.laptop.locator("#theme-switch").click()
    assert here.laptop.locator("html").get_attribute("data-bs-theme") == "light"


def test_two_windows_do_not_take_the_code_from_each_other(office: MakeOffice) -> None:
    """The older one says where the code is and takes it over when asked to."""
    here = office()
    here.open_signin()
    newer = here.laptop.context.new_page()
    newer.goto(here.laptop.url)
    here.laptop.bring_to_front()
    take_over = here.laptop.locator("#take-over")
    expect(take_over).to_be_visible(timeout=20_000)
    expect(here.laptop.locator("#state")).to_have_text("Another window of this browser shows the code now.")
    assert_accessible(here.laptop)
    take_over.click()
    expect(here.laptop.locator("#take-over")).to_be_hidden()
    newer.bring_to_front()
    expect(newer.locator("#take-over")).to_be_visible(timeout=20_000)


def test_the_page_polls_calmly(office: MakeOffice) -> None:
    """No faster than every second, slower with time, and never told that it was too fast."""
    here = office()
    asked: list[tuple[float, int]] = []
    here.laptop.on(
        "response",
        lambda answer: asked.append((time.monotonic(), answer.status)) if "/auth/status" in answer.url else None,
    )
    here.open_signin()
    here.laptop.wait_for_timeout(9_000)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(asked)]
    assert 3 <= len(asked) <= 7 and min(gaps) > 1.0
    assert {status for _, status in asked} <= {200, 304}


@pytest.mark.parametrize("settings", [{"SMARTABSEN_ENGINE": "dlib", "SMARTABSEN_LIVENESS_REQUIRE": "active"}])
def test_who_does_not_move_as_asked_is_not_recorded(office: MakeOffice, home: Path) -> None:
    """The page says what to do, the server sees that it was not done; another movement is offered."""
    here = office()
    number = here.open_signin()
    here.scan()
    here.confirm(number)
    here.laptop.wait_for_url("**/web_attendance", timeout=20_000)
    expect(here.laptop.locator("#take")).to_be_enabled(timeout=20_000)
    here.take_pictures()
    expect(here.laptop.locator("#status")).to_have_text("Look straight at the camera.", timeout=45_000)
    here.shoot(here.laptop, "movement")
    expect(here.laptop.locator("#other")).to_be_visible(timeout=90_000)
    assert_accessible(here.laptop)
    assert punches(home) == []
    here.laptop.locator("#other").click()
    expect(here.laptop.locator("#status")).to_have_text("Look straight at the camera.", timeout=45_000)
