"""The pages about attendance: lists, files, the month, and corrections that leave the original."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, time
from html import unescape

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from smartabsen import SmartAbsen, Status

from ..pages import post
from .conftest import MONDAY

DAY = f"/admin/attendance/{MONDAY}/1"


def keys_of(page: str) -> list[str]:
    return re.findall(r'name="key" value="([0-9a-f]{32})"', page)


def test_a_correction_leaves_the_original(library: SmartAbsen, admin: FlaskClient) -> None:
    """Both times are on the page, one struck out; the database has both rows; the trail has who, why and what."""
    page = admin.get(DAY).text
    fields = {"punch": "1", "clock": "07:55", "reason": "clock was wrong", "key": keys_of(page)[0]}
    assert post(admin, f"{DAY}/correct", page, **fields).status_code == 302

    shown = admin.get(DAY).text
    assert "the original stays" in shown
    assert 'class="superseded"' in shown and "08:30:00" in shown
    assert 'class="counts"' in shown and "07:55:00" in shown and "in place of #1" in shown
    assert [(f"{e.at:%H:%M}", e.counts) for e in library.corrections.get_day("E001", MONDAY).entries] == [
        ("07:55", True),
        ("08:30", False),
    ]
    (day,) = library.report(MONDAY, MONDAY, code="E001").days
    assert day.status is Status.PRESENT
    entry = library.audit.entries(action="punch.correction")[0]
    assert (entry.actor, entry.action, entry.details["reason"]) == ("siti", "punch.correction", "clock was wrong")


def test_a_form_that_is_sent_twice_corrects_once(library: SmartAbsen, admin: FlaskClient) -> None:
    """The second answer is the same; nothing new is stored."""
    page = admin.get(DAY).text
    fields = {"clock": "17:00", "reason": "forgotten", "key": keys_of(page)[-1]}
    for _ in range(2):
        assert post(admin, f"{DAY}/add", page, **fields).status_code == 302
    assert len(library.corrections.get_day("E001", MONDAY).entries) == 2


def test_a_form_that_is_sent_again_with_another_time_is_told_in_words(library: SmartAbsen, admin: FlaskClient) -> None:
    """As the button Back of a browser does; the key within the form says nothing to people."""
    page = admin.get(DAY).text
    key = keys_of(page)[-1]
    for clock in ("17:00", "17:30"):
        post(admin, f"{DAY}/add", page, clock=clock, reason="forgotten", key=key)
    shown = admin.get(DAY).text
    assert "This was entered before, with another time or reason." in shown and f"correction-{key}" not in shown
    assert len(library.corrections.get_day("E001", MONDAY).entries) == 2


def test_the_day_says_who_corrected(library: SmartAbsen, admin: FlaskClient) -> None:
    """The name of the user beside the entry; what came from a kiosk has none."""
    page = admin.get(DAY).text
    post(admin, f"{DAY}/void", page, punch="1", reason="slip", key="b" * 32)
    entries = library.corrections.get_day("E001", MONDAY).entries
    assert [entry.by for entry in entries if entry.punch.supersedes] == ["siti"]
    assert "by siti" in admin.get(DAY).text


def test_today_shows_the_first_missing_people_and_sends_them_once(library: SmartAbsen, admin: FlaskClient) -> None:
    """A page of two hundred names helps nobody; the first poll brings nothing that the page has."""
    for number in range(30):
        library.enrolments.add(f"X{number:03}", f"Contoh {number:03}")
    page = admin.get("/admin/").text
    assert page.count("Contoh 0") == 18 and "Show all 32" in page
    found = re.search(r'data-etag="([^"]+)"', page)
    assert found is not None
    part = admin.get("/admin/today/part", headers={"If-None-Match": unescape(found[1])})
    assert (part.status_code, part.data) == (304, b"")


def test_dates_of_leave_are_read_as_they_are_typed(library: SmartAbsen, admin: FlaskClient) -> None:
    """Where a browser has no calendar: the day before the month; a day that does not exist is called so."""
    page = admin.get("/admin/leave").text
    typed = {"code": "E001", "from": "01/12/2026", "to": "2 Desember 2026"}
    post(admin, "/admin/leave", page, status="Sakit", **typed)
    (span,) = library.leave.spans(date(2026, 1, 1), date(2026, 12, 31))
    assert (span.first, span.last) == (date(2026, 12, 1), date(2026, 12, 2))
    post(admin, "/admin/leave", page, status="Sakit", **{**typed, "from": "31/02/2026"})
    assert "does not exist" in admin.get("/admin/leave").text
    assert "does not exist" in admin.get("/admin/leave?from=30/02/2026").text


def test_one_day_of_leave_is_one_day(admin: FlaskClient) -> None:
    """Not "1 days"."""
    page = admin.get("/admin/leave").text
    day = {"code": "E001", "from": "2026-11-03", "to": "2026-11-03"}
    post(admin, "/admin/leave", page, status="Sakit", **day)
    assert "Ani Contoh: one day entered." in admin.get("/admin/leave").text
    post(admin, "/admin/leave/back", page, **day)
    assert "Ani Contoh: one day taken back." in admin.get("/admin/leave").text


def test_a_punch_is_taken_out_and_brought_back(library: SmartAbsen, admin: FlaskClient) -> None:
    """Both with a reason; the day is gone in between."""
    page = admin.get(DAY).text
    post(admin, f"{DAY}/void", page, punch="1", reason="somebody else's", key="a" * 32)
    assert library.report(MONDAY, MONDAY).days == ()
    assert "Bring back" in admin.get(DAY).text
    post(admin, f"{DAY}/correct", page, punch="2", clock="08:05", reason="hers after all", key="b" * 32)
    assert [day.late_minutes for day in library.report(MONDAY, MONDAY, code="E001").days] == [5]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"punch": "1", "clock": "07:55", "reason": " ", "key": "a" * 32}, "is empty"),
        ({"punch": "1", "clock": "7.55", "reason": "x", "key": "a" * 32}, "looks like 07:55"),
        ({"punch": "1", "clock": "25:00", "reason": "x", "key": "a" * 32}, "looks like 07:55"),
    ],
)
def test_a_correction_that_cannot_be_is_told_on_the_same_page(
    admin: FlaskClient, fields: dict[str, str], words: str
) -> None:
    """Nothing is stored."""
    answer = post(admin, f"{DAY}/correct", admin.get(DAY).text, **fields)
    assert answer.location == DAY
    page = admin.get(DAY).text
    assert words in page and "in place of" not in page


def test_a_page_corrects_only_what_it_shows(admin: FlaskClient) -> None:
    """A punch of another person, and a key that no page made, are refused."""
    page = admin.get(DAY).text
    other = f"/admin/attendance/{MONDAY}/2"
    assert post(admin, f"{other}/correct", page, punch="1", clock="07:00", reason="x", key="a" * 32).status_code == 404
    assert post(admin, f"{DAY}/correct", page, punch="1", clock="07:00", reason="x", key="mine").status_code == 400
    assert admin.get("/admin/attendance/2026-13-01/1").status_code == 404
    assert admin.get("/admin/attendance/2026-11-02/99").status_code == 404


def fill(library: SmartAbsen) -> None:
    for code, day, clock in (("E002", 2, time(7, 50)), ("E001", 3, time(8, 10)), ("E002", 3, time(9, 0))):
        library.corrections.add(code, date(2026, 11, day), clock, reason="x")
    library.leave.enter("E001", date(2026, 11, 4), date(2026, 11, 4), Status.SICK)


def tile(page: str, title: str) -> str:
    found = re.search(rf'tile-number">([^<]*)</span><span class="tile-text">{title}<', page)
    assert found, title
    return found[1]


def test_files_open_and_add_up_to_what_the_page_shows(library: SmartAbsen, admin: FlaskClient) -> None:
    """CSV and XLSX of the same period and filter: the rows, and the sums on the page."""
    fill(library)
    period = "from=2026-11-02&to=2026-11-04"
    page = admin.get(f"/admin/attendance?{period}").text
    text = admin.get(f"/admin/attendance/export.csv?{period}")
    book = admin.get(f"/admin/attendance/export.xlsx?{period}")
    rows = list(csv.DictReader(io.StringIO(text.data.decode("utf-8-sig"))))
    days, totals = (list(sheet.values) for sheet in load_workbook(io.BytesIO(book.data)).worksheets)

    assert len(rows) == len(days) - 1 == 5
    late = int(tile(page, "Minutes late"))
    assert late == 30 + 10 + 60
    assert late == sum(int(row["Minutes late"]) for row in rows)
    assert late == sum(total[-2] for total in totals[1:])  # type: ignore[misc]
    assert text.headers["Content-Disposition"] == 'attachment; filename="smartabsen-2026-11-02-2026-11-04.csv"'
    only = admin.get(f"/admin/attendance/export.csv?{period}&search=ani&status=Sakit").data.decode("utf-8-sig")
    assert len(only.splitlines()) == 2
    assert admin.get("/admin/attendance/export.pdf").status_code == 404


def test_a_list_is_filtered_and_sorted_as_the_address_says(library: SmartAbsen, admin: FlaskClient) -> None:
    """Links in the heads sort; nonsense in the address is left out and never an error."""
    fill(library)
    page = admin.get("/admin/attendance?from=2026-11-02&to=2026-11-03&sort=late&order=desc").text
    assert 'aria-sort="descending"' in page
    assert [row for row in re.findall(r'<td class="text-end d-none d-sm-table-cell">(\d*)</td>', page) if row][:3] == [
        "60",
        "30",
        "10",
    ]
    strange = "/admin/attendance?from=2026-11-99&to=x&status=%27&sort=drop&page=-1&search=%25"
    assert admin.get(strange).status_code == 200
    assert admin.get("/admin/attendance?from=2020-01-01&to=2026-11-03").status_code == 400


def test_names_are_shown_and_never_run(admin: FlaskClient) -> None:
    """A name with markup in it is text on every page that has it."""
    for path in ("/admin/", "/admin/employees", "/admin/employees/2", "/admin/attendance/month", "/admin/leave"):
        page = admin.get(path).text
        assert "<b>Contoh</b>" not in page
        assert "Bayu &lt;b&gt;Contoh" in page


def test_the_month_and_the_weeks_show_pictures_beside_tables(library: SmartAbsen, admin: FlaskClient) -> None:
    """Letters in a table with a chart of the same; late minutes by week with their numbers."""
    fill(library)
    month = admin.get("/admin/attendance/month?month=2026-11-15").text
    assert "November 2026" in month and "<svg" in month
    assert re.findall(r'tabindex="-1">(\S)</a>', month)[:5] == ["·", "T", "T", "S", "·"]
    late = admin.get("/admin/attendance/late?to=2026-11-08").text
    assert "<svg" in late and "<td>100</td><td>3</td><td>4</td>" in late


def test_today_is_polled_without_being_sent_again(library: SmartAbsen, admin: FlaskClient) -> None:
    """304 while nothing changes; a punch changes it."""
    first = admin.get("/admin/today/part")
    again = admin.get("/admin/today/part", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    library.punch("E001")
    changed = admin.get("/admin/today/part", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and "Ani Contoh" in changed.text


def test_leave_is_entered_and_taken_back(library: SmartAbsen, admin: FlaskClient) -> None:
    """Days in a row are one line; taking back takes the line."""
    page = admin.get("/admin/leave?from=2026-11-01&to=2026-11-30").text
    fields = {"code": "E001", "status": "Sakit", "from": "2026-11-09", "to": "2026-11-11", "note": "flu"}
    post(admin, "/admin/leave", page, **fields)
    shown = admin.get("/admin/leave?from=2026-11-01&to=2026-11-30").text
    assert "Ani Contoh: 3 days entered." in shown and shown.count("Take back") == 1
    post(admin, "/admin/leave/back", page, code="E001", **{"from": "2026-11-09", "to": "2026-11-11"})
    assert library.leave.between(date(2026, 11, 1), date(2026, 11, 30)) == ()
    assert post(admin, "/admin/leave", page, **{**fields, "status": "Hadir"}).status_code == 400
    post(admin, "/admin/leave", page, **{**fields, "from": "2026-11-12"})
    assert "before it begins" in admin.get("/admin/leave").text


def test_absent_over_a_period_is_listed_and_exported(admin: FlaskClient) -> None:
    """Bayu did not come on the Monday on which Ani did; nobody was expected on the days without anybody."""
    address = "/admin/attendance?from=2026-11-01&to=2026-11-08&status=absent"
    page = admin.get(address).text
    assert 'value="absent" selected' in page
    assert "Bayu" in page and "Ani Contoh" not in page
    text = admin.get(address.replace("attendance?", "attendance/export.csv?")).data.decode("utf-8-sig")
    rows = text.splitlines()[1:]
    assert [row.split(",")[:2] for row in rows] == [["2026-11-02", "E002"]]
