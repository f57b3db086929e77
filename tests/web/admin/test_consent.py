"""Consent on the employee page: the text, the tick, and what is recorded."""

from __future__ import annotations

from html import unescape

import pytest
from flask.testing import FlaskClient

from smartabsen import SmartAbsen

from ..pages import csrf_of
from .test_people import photo, send_pictures

PAGE = "/admin/employees/1"
AGREED = "has read this text and agrees"


@pytest.fixture
def demanding(flags: dict[str, object]) -> None:
    """The policy that no face is enrolled without consent."""
    flags["privacy.consent"] = "require"


def send(browser: FlaskClient, consent: str = "") -> str:
    data = {"csrf_token": csrf_of(browser.get(PAGE).text), "pictures": [photo(1)], "consent": consent}
    return unescape(browser.post(f"{PAGE}/pictures", data=data, follow_redirects=True).text)


@pytest.mark.usefixtures("demanding")
def test_no_face_is_enrolled_without_a_demanded_consent(library: SmartAbsen, admin: FlaskClient) -> None:
    """The form comes back with the reason; nothing of the picture is stored."""
    assert "Ani Contoh has not agreed to face recognition" in unescape(send_pictures(admin, photo(1)))
    assert library.get_employee("E001").templates == 0 and library.privacy.find_consent("E001") is None


@pytest.mark.usefixtures("demanding")
def test_a_tick_records_who_agreed_to_which_text(library: SmartAbsen, admin: FlaskClient) -> None:
    """By the user who is logged in, for the text on the page, which is not asked for again."""
    text = library.privacy.consent_text("en")
    page = unescape(admin.get(PAGE).text)
    assert (
        AGREED in page and text.text.splitlines()[0] in page and "required" in page.partition('id="consent"')[2][:200]
    )
    assert "1 of 1 pictures accepted." in send(admin, text.sha256)
    consent = library.privacy.find_consent("E001")
    assert consent is not None
    assert (consent.recorded_by, consent.text_sha256, consent.language) == ("siti", text.sha256, "en")
    page = admin.get(PAGE).text
    assert "Agreed to face recognition" in page and AGREED not in page
    assert "1 of 1 pictures accepted." in send_pictures(admin, photo(1, 120))


def test_a_tick_under_a_text_that_has_changed_is_refused(library: SmartAbsen, admin: FlaskClient) -> None:
    """What the person read is not what is in force."""
    assert "has changed meanwhile" in send(admin, "0" * 64)
    assert library.privacy.find_consent("E001") is None and library.get_employee("E001").templates == 0


def test_a_recorded_consent_is_optional_by_default(library: SmartAbsen, admin: FlaskClient) -> None:
    """Without a tick the picture is enrolled, and the page says that no consent is recorded."""
    assert "1 of 1 pictures accepted." in send_pictures(admin, photo(1))
    assert "No consent to face recognition is recorded." in admin.get(PAGE).text


@pytest.mark.parametrize(
    ("keeps", "told"), [(True, "a small picture of the face itself"), (False, "never the picture")]
)
def test_the_page_says_what_is_kept_of_a_face(
    flags: dict[str, object], request: pytest.FixtureRequest, keeps: bool, told: str
) -> None:
    """As the setting has it."""
    flags["enrolment.keep_crops"] = keeps
    admin: FlaskClient = request.getfixturevalue("admin")
    assert told in admin.get(PAGE).text
