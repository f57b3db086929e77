"""The enrolled photos on an employee's page: looked at and removed one by one."""

from __future__ import annotations

from flask.testing import FlaskClient

from smartabsen import SmartAbsen

from ..pages import csrf_of
from .test_people import photo, send_pictures

PAGE = "/admin/employees/1"


def test_one_photo_is_looked_at_and_removed(library: SmartAbsen, admin: FlaskClient) -> None:
    """The kept face is a JPEG for administrators; the other photo stays, and the removal is in the audit trail."""
    send_pictures(admin, photo(1))
    send_pictures(admin, photo(1, 120))
    first, second = library.photos.of("E001")
    shown = admin.get(f"{PAGE}/photos/{first.number}")
    assert (shown.mimetype, shown.data[:2]) == ("image/jpeg", b"\xff\xd8")
    data = {"csrf_token": csrf_of(admin.get(PAGE).text)}
    page = admin.post(f"{PAGE}/photos/{first.number}/remove", data=data, follow_redirects=True).text
    assert "was removed; the others stay" in page
    assert [each.number for each in library.photos.of("E001")] == [second.number]
    assert library.audit.entries(action="employee.remove_photo")


def test_a_photo_that_is_gone_is_not_found(admin: FlaskClient) -> None:
    """A second click, or a number of somebody else."""
    assert admin.get(f"{PAGE}/photos/99").status_code == 404
