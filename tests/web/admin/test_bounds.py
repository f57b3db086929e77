"""Dates and numbers in addresses and forms that make no sense."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from smartabsen import SmartAbsen

from ..pages import post
from .conftest import MONDAY

FAR = ("0001-01-01", "9999-12-31")


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize(
    "path",
    [
        "/admin/attendance?from={far}",
        "/admin/attendance?from={far}&to={far}",
        "/admin/attendance/month?month={far}",
        "/admin/attendance/late?to={far}",
        "/admin/attendance/export.csv?from={far}&to={far}",
        "/admin/audit?from={far}&to={far}",
        "/admin/leave?from={far}&to={far}",
    ],
)
def test_a_date_at_the_ends_of_the_calendar_is_left_out(admin: FlaskClient, path: str, far: str) -> None:
    """The page shows what it shows without it."""
    assert admin.get(path.format(far=far)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/admin/employees/99999999999999999999999999",
        f"/admin/attendance/{MONDAY}/99999999999999999999999999",
        "/admin/attendance/0001-01-01/1",
        "/admin/attendance/9999-12-31/1",
    ],
)
def test_what_cannot_be_there_is_not_found(admin: FlaskClient, path: str) -> None:
    """A number too large for a row, and a day outside the years of the pages."""
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize(("day", "status"), [("0001-01-01", 404), ("2001-01-01", 302)])
def test_no_punch_is_added_long_before_somebody_came(
    library: SmartAbsen, admin: FlaskClient, day: str, status: int
) -> None:
    """The page says which day is the earliest; nothing is written."""
    page = admin.get(f"/admin/attendance/{MONDAY}/1").text
    answer = post(admin, f"/admin/attendance/{day}/1/add", page, clock="08:00", reason="slip", key="a" * 32)
    assert answer.status_code == status
    assert not library.corrections.get_day("E001", date.fromisoformat(day)).entries
    if status == 302:
        assert "the earliest day is" in admin.get(f"/admin/attendance/{day}/1").text
