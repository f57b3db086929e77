"""The page of refusals, and remarks that come with what was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient

from smartabsen import Outcome, SmartAbsen
from smartabsen.gallery import refusal_rows
from smartabsen.kernel.domain import Refusal

from ..pages import post
from .conftest import MONDAY

DAY = f"/admin/attendance/{MONDAY}/1"


def test_administrators_see_why_and_by_how_much(library: SmartAbsen, admin: FlaskClient) -> None:
    """With what to do, the newest first; whoever was not compared has no distance."""
    assert "Nobody was refused lately." in admin.get("/admin/refusals").text
    now = datetime.now(UTC)
    with library.services.database.write() as session:
        refusal_rows.add_many(
            session,
            [
                Refusal(now, "Front desk", Outcome.UNKNOWN, 0.31, 0.40, 0.1, 0.05),
                Refusal(now, "Front desk", Outcome.AMBIGUOUS, 0.5, 0.40, 0.02, 0.05),
                Refusal(now, "Front desk", Outcome.TURNED_AWAY, 0.75, 0.5, None, 0.0),
                Refusal(now, "Front desk", Outcome.NOT_LIVE, 0.3, 0.8, None, 0.0),
                Refusal(now, "Back door", Outcome.NO_FACE, None, 0.40, None, 0.05),
            ],
        )
    page = unescape(admin.get("/admin/refusals").text)
    assert "similarity 0.310, 0.400 is needed" in page
    assert "lead over a second person 0.020, 0.050 is needed" in page
    assert "turn of the head 0.750, at most 0.500 is allowed" in page and "score of liveness 0.300" in page
    assert page.index("Back door") < page.index("Front desk")


def test_a_log_that_cannot_be_written_is_told(
    library: SmartAbsen, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, on the page after the correction."""
    append = library.services.csv_log.append

    def locked(*args: object) -> bool:
        appended = append(*args)  # type: ignore[arg-type]
        library.services.remarks.append(("The log is open elsewhere.", ()))
        return appended

    monkeypatch.setattr(library.services.csv_log, "append", locked)
    page = admin.get(DAY).text
    post(admin, f"{DAY}/void", page, punch="1", reason="slip", key="c" * 32)
    assert "The log is open elsewhere." in admin.get(DAY).text
    assert "The log is open elsewhere." not in admin.get(DAY).text and library.remarks == ()


def test_all_refusals_that_are_kept_can_be_paged_through(library: SmartAbsen, admin: FlaskClient) -> None:
    """The list says how many there are, and does not end at a number without a word."""
    now = datetime.now(UTC)
    with library.services.database.write() as session:
        refusal_rows.add_many(
            session,
            (
                Refusal(now - timedelta(minutes=number), f"kiosk-{number}", Outcome.UNKNOWN, 0.4, 0.5, None, 0.1)
                for number in range(123)
            ),
        )
    pages = [admin.get("/admin/refusals", query_string={"page": number}).text for number in (1, 2, 3)]
    assert all("123" in page for page in pages)
    assert "kiosk-0<" in pages[0] and "kiosk-122<" in pages[2]
    assert sum(page.count("<td>kiosk-") for page in pages) == 123
