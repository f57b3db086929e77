"""Who was expected on which day, as far as that can be known without a calendar.

A day counts for absences when it is over and somebody of the firm came on it: on Sundays and holidays nobody does. Of
a single day that is today, everybody who is not there yet is shown. Somebody is expected from the day on which they
were added until they were deactivated; those who were added on the first day of all, with whom the firm began here,
are expected from the first day that is recorded.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ..app.bootstrap import Services
from ..store.database import Session
from . import board_rows
from .board_rows import Expected


def expected_days(services: Services, session: Session, first: date, last: date) -> Expected:
    """Return the days of a period, both ends included, on which who has no entry was absent."""
    today = services.rules.work_date(services.instant())
    founders = board_rows.first_added(session)
    if founders is not None:
        founders = _end(services, founders.astimezone(services.site_zone).date())
    if first == last == today:
        # Who is active now: a work day goes on after midnight, and who was deactivated since is not missing.
        return Expected(((today, services.instant()),), founders)
    came = board_rows.days_with_arrivals(session, first, min(last, today - timedelta(days=1)))
    return Expected(tuple((day, _end(services, day)) for day in came), founders)


def _end(services: Services, day: date) -> datetime:
    """Return the UTC instant at which a calendar day of the site is over."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=services.site_zone).astimezone(UTC)
