"""The administrator's tour in a real browser: from the first login to the last logout."""

from __future__ import annotations

import base64
import json
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from time import time as time_s
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from smartabsen import PunchMethod, Role, SmartAbsen, Status
from smartabsen.attendance import recording_rows
from smartabsen.kernel.domain import Punch
from smartabsen.org.second_factor_rows import code_at
from smartabsen.store.database import Session
from smartabsen.store.tables import WebSessionRow

from .conftest import Office, People, read_qr_of, sync_api
from .test_flow_browser import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect = sync_api.expect
MakeOffice = Callable[..., Office]
PASSWORD = "empat kuda makan rumput"
PAGES = {
    "employees": "/admin/employees",
    "days": "/admin/attendance",
    "month": "/admin/attendance/month",
    "late": "/admin/attendance/late",
    "leave": "/admin/leave",
    "audit": "/admin/audit",
    "refusals": "/admin/refusals",
    "users": "/admin/users",
    "system": "/admin/system",
    "account": "/admin/account",
}


@pytest.fixture
def home(people: People, tmp_path: Path) -> Path:
    """A copy of the installation with eight weeks of attendance."""
    copied = Path(shutil.copytree(people.home, tmp_path / "home"))
    with SmartAbsen.open(flags={"home": str(copied), "engine": "dlib"}) as app:
        app.services.database.run_write(lambda session: _fill(app, session))
        today = app.desk.work_date()
        app.leave.enter("E003", today - timedelta(days=1), today + timedelta(days=2), Status.SICK, note="flu")
        app.reconcile_log()
    return copied


def _fill(app: SmartAbsen, session: Session) -> None:
    chance = random.Random(4)
    rules = app.services.rules
    for back in range(56, -1, -1):
        day = app.desk.work_date() - timedelta(days=back)
        for person in app.employees():
            if day.weekday() == 6 or chance.random() < 0.1:
                continue
            came = rules.start_of(day) + timedelta(minutes=chance.gauss(-8, 9))
            for number, at in enumerate((came, came + timedelta(hours=8.7))):
                if at < datetime.now(UTC):
                    key = f"sample-{person.id}-{day}-{number}"
                    punch = Punch(0, person.id, at, day, PunchMethod.FACE, "Front desk", key, similarity=0.8)
                    recording_rows.record(session, punch, rules)


def log_in(here: Office, name: str = "siti") -> None:
    here.laptop.goto(f"{here.address}/admin/")
    here.laptop.get_by_label("User name").fill(name)
    here.laptop.get_by_label("Password").fill(PASSWORD)
    here.laptop.get_by_role("button", name="Log in").click()
    expect(here.laptop.get_by_role("heading", name="Today", exact=True)).to_be_visible()


@pytest.fixture
def siti(home: Path, server: str) -> None:
    """An administrator."""
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        app.users.add("siti", PASSWORD, role=Role.ADMIN)


def fits(page: sync_api.Page) -> bool:
    """Whether nothing of a page is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_the_first_administrator_is_made_and_logs_out(office: MakeOffice, home: Path) -> None:
    """With the secret of the server; after the logout the way back is closed."""
    here = office(camera=False)
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        secret = app.users.issue_setup_secret()
    here.laptop.goto(f"{here.address}/admin/")
    here.laptop.get_by_role("link", name="Make the first administrator").click()
    here.laptop.get_by_label("Setup secret").fill(secret.lower())
    here.laptop.get_by_label("User name").fill("siti")
    here.laptop.get_by_label("Password", exact=True).fill(PASSWORD)
    here.laptop.get_by_label("Password again").fill(PASSWORD)
    assert_accessible(here.laptop)
    here.shoot(here.laptop, "admin-setup")
    here.laptop.get_by_role("button", name="Make the administrator").click()
    expect(here.laptop.get_by_text("Welcome, siti.")).to_be_visible()
    here.laptop.get_by_role("button", name="Log out").click()
    here.laptop.wait_for_url("**/admin/login")
    here.shoot(here.laptop, "admin-login")
    assert_accessible(here.laptop)
    here.laptop.go_back()
    here.laptop.reload()
    expect(here.laptop.get_by_role("button", name="Log in")).to_be_visible()


@pytest.mark.parametrize(("locale", "dark"), [("en", False), ("id", True)])
def test_every_page_is_accessible_and_fits_a_phone(office: MakeOffice, siti: None, locale: str, dark: bool) -> None:
    """In light and dark, English and Indonesian, at 1280 and 390 pixels, with screenshots."""
    here = office(camera=False, locale=locale, dark=dark)
    here.laptop.goto(f"{here.address}/admin/login?language=en")
    log_in(here)
    here.laptop.goto(f"{here.address}/admin/?language={locale}")
    for name, path in {"today": "/admin/", **PAGES}.items():
        here.laptop.goto(here.address + path)
        assert_accessible(here.laptop)
        here.shoot(here.laptop, f"admin-{name}-{locale}")
        here.laptop.set_viewport_size({"width": 390, "height": 844})
        assert fits(here.laptop), name
        assert_accessible(here.laptop)
        here.laptop.set_viewport_size({"width": 1280, "height": 800})
    here.laptop.goto(here.address + PAGES["employees"])
    here.laptop.locator("tbody th a").first.click()
    assert_accessible(here.laptop)
    here.shoot(here.laptop, f"admin-employee-{locale}")


def test_days_with_corrections_fit_a_phone(office: MakeOffice, siti: None, home: Path) -> None:
    """The word for screen readers beside a corrected row does not widen the page."""
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        day = app.desk.work_date() - timedelta(days=1)
        for person in app.employees():
            app.corrections.add(person.code, day, time(7, 12, 13), reason="sample")
    here = office(camera=False)
    log_in(here)
    here.laptop.set_viewport_size({"width": 390, "height": 844})
    here.laptop.goto(f"{here.address}/admin/attendance?from={day}&to={day}")
    assert here.laptop.locator(".corrected").count() > 0
    assert fits(here.laptop)
    here.laptop.goto(f"{here.address}/admin/attendance?from={day - timedelta(days=9)}&to={day}")
    assert fits(here.laptop)


def test_charts_show_their_newest_part_on_a_phone(office: MakeOffice, siti: None) -> None:
    """They are wider than the screen, and begin at the right."""
    here = office(camera=False)
    log_in(here)
    here.laptop.set_viewport_size({"width": 390, "height": 844})
    here.laptop.goto(f"{here.address}/admin/attendance/late")
    left, most = here.laptop.evaluate(
        "(box => [box.scrollLeft, box.scrollWidth - box.clientWidth])(document.querySelector('.chart-scroll'))"
    )
    assert most > 0 and abs(left - most) <= 1


def test_a_time_is_corrected_and_the_file_has_it(office: MakeOffice, siti: None) -> None:
    """By keyboard and pointer as a person would; the original is still there, struck out."""
    here = office(camera=False)
    log_in(here)
    page = here.laptop
    today = datetime.now().astimezone().date()
    period = f"{here.address}{PAGES['days']}?from={today - timedelta(days=9)}&to={today}"
    page.goto(period)
    rows = page.locator("tbody tr", has_text="Contoh Satu").filter(has=page.get_by_role("link"))
    rows.last.get_by_role("link").click()
    page.locator("details summary").first.click()
    page.get_by_label("Right time").first.fill("07:11")
    page.get_by_label("Reason").first.fill("Kiosk was off")
    page.get_by_role("button", name="Correct", exact=True).first.click()
    expect(page.get_by_text("the original stays in the record")).to_be_visible()
    expect(page.locator(".record .superseded")).to_have_count(1)
    expect(page.locator(".record .counts").filter(has_text="07:11:00")).to_be_visible()
    assert_accessible(page)
    here.shoot(page, "admin-day")
    page.goto(period)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Excel").click()
    book = load_workbook(BytesIO(waiting.value.path().read_bytes()))
    days, totals = (list(sheet.values) for sheet in book.worksheets)
    assert [day[10] for day in days[1:]].count("yes") == 1
    assert sum(day[7] for day in days[1:]) == sum(total[-2] for total in totals[1:])  # type: ignore[misc]


def test_a_new_employee_is_enrolled_at_the_camera_trained_and_gets_a_phone(
    office: MakeOffice, siti: None, home: Path
) -> None:
    """Added, photographed in the browser, judged, trained with progress, and paired by the QR on the screen."""
    here = office("stranger")
    log_in(here)
    page = here.laptop
    page.goto(f"{here.address}/admin/employees")
    page.get_by_role("link", name="Add").click()
    page.get_by_label("Code").fill("E100")
    page.get_by_label("Name", exact=True).fill("Contoh Baru")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Contoh Baru was added.")).to_be_visible()
    page.get_by_role("button", name="Use the camera").click()
    for number in (1, 2, 3):
        page.get_by_role("button", name="Take a picture").click()
        expect(page.locator("#chosen")).to_have_text(f"Pictures chosen: {number}")
        page.wait_for_timeout(400)
    assert_accessible(page)
    here.shoot(page, "admin-camera")
    page.get_by_role("button", name="Check and enrol").click()
    expect(page.get_by_text("Accepted.").first).to_be_visible(timeout=60_000)
    assert_accessible(page)
    here.shoot(page, "admin-verdicts")
    page.get_by_role("button", name="Train now").click()
    expect(page.get_by_text("of 7 people, and in use.")).to_be_visible(timeout=120_000)

    page.goto(f"{here.address}/admin/employees?search=E100")
    page.get_by_role("link", name="Contoh Baru").click()
    page.get_by_role("button", name="Pair a phone").click()
    text = read_qr_of(page)
    assert text.startswith(f"{here.address}/pair?token="), text
    assert_accessible(page)
    here.phone.goto(text)
    here.phone.get_by_role("button").last.click()
    expect(page.locator("#phones").get_by_role("button", name="Revoke")).to_be_visible(timeout=20_000)
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        assert len(app.phones.list_phones("E100")) == 1
        assert app.get_employee("E100").templates >= 1


def test_today_renews_itself(office: MakeOffice, siti: None, home: Path) -> None:
    """A punch appears without anybody touching the page."""
    here = office(camera=False)
    log_in(here)
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        app.enrolments.add("E200", "Contoh Tamu")
        app.punch("E200")
    expect(here.laptop.get_by_role("link", name="Contoh Tamu").first).to_be_visible(timeout=25_000)


@pytest.mark.parametrize(("locale", "dark"), [("en", False), ("id", True)])
def test_a_given_password_a_second_factor_and_a_proof(
    office: MakeOffice, siti: None, home: Path, locale: str, dark: bool
) -> None:
    """Budi changes the given password, reads the QR off the screen, logs in with a code and proves again who he is."""
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        app.users.add("budi", "lima kuda makan rumput", role=Role.ADMIN, temporary=True)
    here = office(camera=False, locale=locale, dark=dark)
    page = here.laptop

    def look(name: str) -> None:
        assert_accessible(page)
        here.shoot(page, f"admin-{name}-{locale}")
        page.set_viewport_size({"width": 390, "height": 844})
        assert fits(page), name
        assert_accessible(page)
        page.set_viewport_size({"width": 1280, "height": 800})

    def type_password(password: str) -> None:
        page.locator("#name").fill("budi")
        page.locator("#password").fill(password)
        page.locator("#password").press("Enter")

    page.goto(f"{here.address}/admin/login?language={locale}")
    look("login")
    type_password("lima kuda makan rumput")
    page.wait_for_url("**/admin/login/password")
    look("first-password")
    page.locator("#password").fill(PASSWORD)
    page.locator("#repeated").fill(PASSWORD)
    page.locator("#repeated").press("Enter")
    page.wait_for_url("**/admin/")

    page.goto(f"{here.address}/admin/account")
    page.locator('form[action$="/account/totp"] button').click()
    page.wait_for_url("**/admin/account/totp")
    look("totp")
    text = read_qr_of(page)
    uri = urlsplit(text)
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Toko%20Contoh:budi"), text
    secret = base64.b32decode(parse_qs(uri.query)["secret"][0])
    page.locator("#code").fill(code_at(secret, int(time_s()) // 30 - 1))
    page.locator("#code").press("Enter")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    look("recovery-codes")
    recovery = page.locator(".recovery-codes code").first.inner_text()

    page.goto(f"{here.address}/admin/account")
    look("account-with-totp")
    page.locator(".desk-user form button").click()
    page.wait_for_url("**/admin/login")
    type_password(PASSWORD)
    page.wait_for_url("**/admin/login/code")
    look("code")
    page.locator("#code").fill(code_at(secret, int(time_s()) // 30))
    page.locator("#code").press("Enter")
    page.wait_for_url("**/admin/")

    _forget_proofs(home)
    page.goto(f"{here.address}/admin/users")
    page.locator("#name").fill("tini")
    for field in ("#password", "#repeated"):
        page.locator(f"section[aria-labelledby=add-title] {field}").fill("enam kuda makan rumput")
    page.locator("section[aria-labelledby=add-title] button").click()
    expect(page.locator("#confirm_password")).to_be_focused()
    look("confirm")
    page.locator("#confirm_password").fill(PASSWORD)
    page.locator("#confirm_code").fill(recovery)
    page.locator("#confirm_code").press("Enter")
    expect(page.locator(".alert-success")).to_contain_text("tini")
    look("users-with-badges")


def _forget_proofs(home: Path) -> None:
    """Let every browser have proved long ago who sits before it."""
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app, app.services.database.write() as session:
        for row in session.scalars(select(WebSessionRow).where(WebSessionRow.user_id.is_not(None))):
            row.data = json.dumps({**json.loads(row.data), "proved_at": "2020-01-01T00:00:00+00:00"})
