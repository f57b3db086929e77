"""Pages of working time: what they show, what they change, and that nothing typed is lost."""

from __future__ import annotations

import base64
import re
from datetime import date
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from smartabsen import Role, SmartAbsen
from smartabsen.attendance.leave.model import LeaveAsk, RequestState
from smartabsen.attendance.rules.model import Shift, Span
from smartabsen.attendance.schedule.model import OFF, ScopeKind
from smartabsen.people.employment.model import Changes

from ..pages import csrf_of, post
from .conftest import Login

FRIDAY = date(2026, 11, 13)
LETTER = b"%PDF-1.4 sample"


@pytest.fixture
def plan(library: SmartAbsen, people: None) -> None:
    """Ani works by a pattern."""
    library.shifts.add_shift(Shift("PAGI", "Pagi", (Span(480, 1020),)))
    library.shifts.add_shift(Shift("MALAM", "Malam", (Span(1320, 1800),)))
    library.shifts.add_pattern("KANTOR", "PAGI:5,OFF:2")
    library.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", date(2026, 11, 2))


@pytest.fixture
def manager(library: SmartAbsen, plan: None, login: Login) -> FlaskClient:
    """The browser of the manager of Ani's department; Bayu is of another one."""
    library.departments.add("GUDANG", name="Gudang")
    library.employments.change("E001", Changes(department="GUDANG"))
    library.users.set_role("budi", Role.MANAGER, department="GUDANG")
    return login("budi")


def fault_at(page: str, field: str) -> str:
    """The message that stands at a field."""
    found = re.search(rf'id="{field}-fault" role="alert">([^<]*)<', page)
    return found[1] if found else ""


def value_of(page: str, field: str) -> str:
    """What stands in a field."""
    found = re.search(rf'id="{field}" name="[^"]*" value="([^"]*)"', page)
    assert found, field
    return found[1]


REFUSED = {
    "zone": ("/admin/sites", "add-site", {"code": "MKS", "name": "Cabang", "zone": "Asia/Nowhere"}, "zone", "name"),
    "code of a site": ("/admin/sites", "add-site", {"code": "", "name": "Cabang", "zone": "Asia/Jakarta"}, "code",
                       "name"),
    "head": ("/admin/departments", "add-department", {"code": "A", "name": "Baru", "head": "E999"}, "head", "name"),
    "end of a shift": ("/admin/shifts", "add-shift", {"code": "SORE", "start-1": "14:00"}, "end-1", "start-1"),
    "grace": ("/admin/shifts", "add-shift",
              {"code": "SORE", "start-1": "14:00", "end-1": "22:00", "grace_in": "x"}, "grace_in", "end-1"),
    "cycle": ("/admin/patterns", "add-pattern", {"code": "LAIN", "cycle": "XXX:5"}, "cycle", "code"),
    "preset": ("/admin/presets", "add-preset",
               {"code": "PUASA", "first": "2026-02-18", "last": ""}, "last", "code"),
    "day of the calendar": ("/admin/calendar", "add-day", {"date": "2026-11-13", "name": "", "kind": "company"},
                            "name", "date"),
    "leave for nobody": ("/admin/leave/requests", "ask",
                         {"code": "E999", "kind": "sakit", "first": "2026-11-13", "portion": "full", "note": "flu"},
                         "code", "note"),
    "overtime": ("/admin/overtime", "order", {"code": "E001", "date": "2026-11-13", "hours": "30", "reason": "stock"},
                 "hours", "reason"),
    "policy": ("/admin/policies", "policy-grace",
               {"name": "grace", "value": "999", "scope": "firm", "valid_from": "2026-11-01"}, "value", "valid_from"),
    "clause": ("/admin/employees/1/terms", "terms", {"exempt": "x" * 600, "valid_from": "2026-11-01"}, "exempt",
               "valid_from"),
}  # fmt: skip
"""Page, form, what is typed, where the message stands, and another field that keeps what was typed."""


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_form_comes_back_filled_with_the_message_at_its_field(
    admin: FlaskClient, plan: None, case: str
) -> None:
    """Nothing that was typed is lost."""
    path, form, fields, field, kept = REFUSED[case]

    answer = post(admin, path, admin.get(path).text, form=form, **fields)

    assert answer.status_code == 422
    assert fault_at(answer.text, f"{form}-{field}")
    assert value_of(answer.text, f"{form}-{kept}") == fields[kept]


def test_a_night_shift_is_added_and_changed_from_a_date_on(admin: FlaskClient, library: SmartAbsen) -> None:
    """One that ends before it starts ends on the next day; dates before the change keep their times."""
    page = admin.get("/admin/shifts").text
    post(admin, "/admin/shifts", page, code="MALAM", **{"start-1": "22:00", "end-1": "06:00"})
    page = admin.get("/admin/shifts/one?code=MALAM").text
    assert value_of(page, "shift-start-1") == "22:00"
    times = {"start-1": "21:00", "end-1": "05:00"}
    post(admin, "/admin/shifts/one", page, code="MALAM", valid_from="2027-01-01", **times)

    known = library.shifts.get_shift("MALAM")

    assert known.on(FRIDAY).spans == (Span(1320, 1800),)
    assert known.on(date(2027, 1, 2)).spans == (Span(1260, 1740),)


def test_a_day_of_the_roster_is_decided_with_a_reason_and_taken_back(
    admin: FlaskClient, library: SmartAbsen, plan: None
) -> None:
    """Without a reason the form comes back; afterwards the pattern counts again."""
    page = admin.get("/admin/roster?month=2026-11&code=E001&day=2026-11-13").text
    wanted = {"form": "day", "code": "E001", "date": "2026-11-13", "shift": "MALAM"}
    refused = post(admin, "/admin/roster/day", page, **wanted, reason="")
    assert refused.status_code == 422 and fault_at(refused.text, "day-reason")
    assert '<option value="MALAM" selected>' in refused.text

    post(admin, "/admin/roster/day", page, **wanted, reason="for a colleague")
    assert library.roster.view(FRIDAY, FRIDAY).days[0].shift == "MALAM"
    assert "cell-decided" in admin.get("/admin/roster?month=2026-11").text
    post(admin, "/admin/roster/day", page, **{**wanted, "shift": ""}, reason="well again")
    assert library.roster.view(FRIDAY, FRIDAY).days == ()


def test_the_roster_goes_out_as_a_sheet_and_comes_back_with_verdicts(
    admin: FlaskClient, library: SmartAbsen, plan: None
) -> None:
    """The check writes nothing; the import writes what was looked at."""
    sheet = admin.get("/admin/roster/export.xlsx?month=2026-11")
    book = load_workbook(BytesIO(sheet.data))
    row = next(row for row in book.active.iter_rows() if row[0].value == "E001")
    assert row[14].value == "PAGI"
    row[14].value = OFF
    changed = BytesIO()
    book.save(changed)
    fields = {"form": "sheet", "month": "2026-11", "reason": "swap"}
    page = admin.get("/admin/roster?month=2026-11").text
    data = {"csrf_token": csrf_of(page), **fields, "sheet": (BytesIO(changed.getvalue()), "november.xlsx")}

    verdicts = admin.post("/admin/roster/check", data=data)

    assert "PAGI → OFF" in verdicts.text and library.roster.view(FRIDAY, FRIDAY).days == ()
    content = re.search(r'name="content" value="([^"]+)"', verdicts.text)
    assert content and base64.b64decode(content[1]) == changed.getvalue()
    post(admin, "/admin/roster/import", verdicts.text, **fields, name="november.xlsx", content=content[1])
    assert library.roster.view(FRIDAY, FRIDAY).days[0].shift is None


def test_the_official_calendar_is_shown_before_it_is_taken(admin: FlaskClient, library: SmartAbsen) -> None:
    """A look changes nothing."""
    page = admin.get("/admin/calendar/sync?year=2026&source=frozen").text
    assert "added" in page and library.calendar.list_days(date(2026, 1, 1), date(2026, 12, 31)) == ()
    post(admin, "/admin/calendar/sync", page, year="2026", source="frozen", joint_taken="1")
    assert library.calendar.list_days(date(2026, 1, 1), date(2026, 12, 31))


def test_terms_that_stay_are_not_said_again(admin: FlaskClient, library: SmartAbsen) -> None:
    """Only what differs is stored, so the history has one step for it."""
    page = admin.get("/admin/employees/1/terms").text
    site = library.sites.list_sites()[0].code
    post(admin, "/admin/employees/1/terms", page, site=site, week="6", shortest_day="5", exempt="")
    now = library.employments.on("E001")
    assert (now.week, now.shortest_day, now.exempt) == (6, 5, "")
    assert all(step.site_id is None for step in library.employments.history("E001").steps)


def test_leave_with_a_letter_is_asked_for_and_approved_by_two(
    admin: FlaskClient, library: SmartAbsen, login: Login
) -> None:
    """The first approval is a step; the same person cannot give the second one, and is told so on the page."""
    page = admin.get("/admin/leave/requests").text
    data = {
        "csrf_token": csrf_of(page), "form": "ask", "code": "E001", "kind": "sakit", "first": "2026-11-13",
        "portion": "full", "letter": (BytesIO(LETTER), "surat.pdf"),
    }  # fmt: skip
    made = admin.post("/admin/leave/requests", data=data)
    assert made.location == "/admin/leave/requests/1"
    assert admin.get("/admin/leave/requests/1/letters/1").data == LETTER

    page = admin.get(made.location).text
    assert post(admin, "/admin/leave/requests/1/approve", page, form="approve").status_code == 302
    again = post(admin, "/admin/leave/requests/1/approve", page, form="approve", reason="ok")
    assert again.status_code == 422 and "siti has approved this already" in again.text
    library.users.set_role("budi", Role.HR)
    other = login("budi")
    post(other, "/admin/leave/requests/1/approve", other.get(made.location).text, form="approve")
    assert library.leave_book.get(1).state is RequestState.APPROVED


def test_a_manager_decides_for_the_own_department_alone(manager: FlaskClient, library: SmartAbsen) -> None:
    """Requests, orders and plans of others are not there; entering leave as approved is HR's."""
    library.leave_book.request("E001", LeaveAsk("sakit", FRIDAY, FRIDAY))
    library.leave_book.request("E002", LeaveAsk("sakit", FRIDAY, FRIDAY))
    library.overtime.order("E002", FRIDAY, 60)
    for path in ("/admin/leave/requests", "/admin/overtime", "/admin/roster?month=2026-11"):
        page = manager.get(path)
        assert page.status_code == 200 and "Bayu" not in page.text
    page = manager.get("/admin/leave/requests").text
    ask = {"kind": "sakit", "first": "2026-11-16", "portion": "full"}
    assert manager.get("/admin/leave/requests/2").status_code == 404
    assert manager.get("/admin/leave/balances?code=E002").status_code == 404
    assert post(manager, "/admin/leave/requests/2/approve", page).status_code == 404
    assert post(manager, "/admin/overtime/1/approve", page).status_code == 404
    assert post(manager, "/admin/overtime", page, code="E002", date="2026-11-13", hours="1").status_code == 404
    assert post(manager, "/admin/leave/requests", page, code="E001", at_once="1", **ask).status_code == 403
    assert post(manager, "/admin/roster/day", page, code="E001", date="2026-11-13", reason="x").status_code == 403
    assert post(manager, "/admin/leave/requests/1/approve", page).status_code == 302
    assert library.leave_book.get(1).steps_done == 1


def test_the_navigation_has_what_a_role_may_see(admin: FlaskClient, manager: FlaskClient) -> None:
    """A manager has no shifts, policies or users."""
    assert 'href="/admin/policies"' in admin.get("/admin/roster").text
    page = manager.get("/admin/roster").text
    assert 'href="/admin/roster"' in page
    assert all(f'href="/admin/{name}"' not in page for name in ("policies", "shifts", "users", "sites"))
