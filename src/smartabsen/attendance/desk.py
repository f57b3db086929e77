"""What the dashboard shows, as frozen data: today, days, the month as a grid, lateness, employees, the audit trail.

Dates and times are local to the site.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import CameraTrouble, Employee, PunchMethod, Status
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from ..kernel.pages import PAGE, Page, clamp_page
from ..kiosk import camera_trouble_rows
from ..people import employee_rows as employees
from ..trust import audit_search_rows
from ..trust.audit_rows import AuditEntry
from ..trust.audit_search_rows import AuditFilter
from . import board_rows
from .absence import expected_days
from .board_rows import (
    ABSENT as ABSENT,
    SORT_KEYS as SORT_KEYS,
    DayFilter as DayFilter,
    DayRow as DayRow,
    DaySums as DaySums,
    SortKey as SortKey,
)

TODAY_ROWS: Final = 20
LAST_PUNCHES: Final = 10
MAX_PERIOD_DAYS: Final = 366
_QUARTER: Final = timedelta(minutes=15)
LETTERS: Final = {Status.PRESENT: "H", Status.LATE: "T", Status.EXCUSED: "I", Status.SICK: "S"}
"""One letter for each status, as Indonesian attendance sheets have them."""
NO_LETTER: Final = "-"


@dataclass(frozen=True, slots=True)
class QuarterHour:
    """Arrivals within the quarter of an hour that begins at ``start`` (local)."""

    start: datetime
    on_time: int
    late: int


@dataclass(frozen=True, slots=True)
class LastPunch:
    """A punch of today; ``at`` is local."""

    at: datetime
    employee_id: int
    code: str
    name: str
    method: PunchMethod
    kiosk: str
    status: Status | None


@dataclass(frozen=True, slots=True)
class Today:
    """The work date as it stands now.

    Attributes:
        sums: Over all active employees; ``sums.absent`` are those who are not there yet.
        late, missing: The first :data:`TODAY_ROWS` of them.
        cameras: Kiosks whose camera is in trouble now; times local.
    """

    work_date: date
    at: datetime
    sums: DaySums
    late: tuple[DayRow, ...]
    missing: tuple[DayRow, ...]
    last_punches: tuple[LastPunch, ...]
    arrivals: tuple[QuarterHour, ...]
    cameras: tuple[CameraTrouble, ...]


@dataclass(frozen=True, slots=True)
class DayQuery:
    """What the list of days shall show; see :class:`smartabsen.attendance.board_rows.DayFilter`."""

    wanted: DayFilter
    sort: SortKey = "date"
    descending: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class DayPage:
    """One page of days (times local), with sums over all pages."""

    page: Page[DayRow]
    sums: DaySums


@dataclass(frozen=True, slots=True)
class GridRow:
    """An employee's month: a letter for each day, empty where nobody was expected, and how often each is there."""

    employee_id: int
    code: str
    name: str
    letters: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class MonthGrid:
    """People and days of a month; today is a day of it or None.

    Attributes:
        counts: For each day, how many of all people on all pages have which letter.
    """

    first: date
    days: tuple[date, ...]
    today: date | None
    page: Page[GridRow]
    counts: tuple[tuple[tuple[str, int], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class LateWeek:
    """All employees' lateness from a Monday on; ``attended`` counts days with an arrival."""

    monday: date
    late_minutes: int
    late: int
    attended: int


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first, with local times; ``older`` continues the list, None at its end."""

    entries: tuple[AuditEntry, ...]
    older: int | None


class Desk:
    """Reads for the dashboard; nothing here writes.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def work_date(self) -> date:
        """Return the work date that it is now at the site."""
        return self._services.rules.work_date(self._services.instant())

    def today(self) -> Today:
        """Return who is in, late and not there yet, the last punches and the arrivals."""
        work_date = self.work_date()
        everyone = DayFilter(work_date, work_date, everyone=True)
        with self._services.database.read() as session:
            expected = expected_days(self._services, session, work_date, work_date)
            sums = board_rows.sum_days(session, everyone, expected)
            lateness, absence = replace(everyone, status=Status.LATE.value), replace(everyone, status=ABSENT)
            late = board_rows.find_days(session, lateness, sort="in", descending=True, limit=TODAY_ROWS)
            missing = board_rows.find_days(session, absence, expected, sort="name", limit=TODAY_ROWS)
            last = board_rows.find_last_punches(session, work_date, limit=LAST_PUNCHES)
            arrivals = board_rows.find_arrivals(session, work_date)
            cameras = camera_trouble_rows.find_all(session)
        return Today(
            work_date=work_date,
            at=self._services.instant().astimezone(self._zone),
            sums=sums,
            late=tuple(map(self._local, late)),
            missing=missing,
            last_punches=tuple(
                LastPunch(
                    one.punch.at.astimezone(self._zone),
                    one.punch.employee_id,
                    one.code,
                    one.name,
                    one.punch.method,
                    one.punch.kiosk,
                    one.punch.status,
                )
                for one in last
            ),
            arrivals=self._quarters(arrivals),
            cameras=tuple(replace(one, since=one.since.astimezone(self._zone)) for one in cameras),
        )

    def arrivals(self, work_date: date) -> tuple[QuarterHour, ...]:
        """Return the arrivals of a work date by quarter-hour, without a gap from the first to the last."""
        with self._services.database.read() as session:
            return self._quarters(board_rows.find_arrivals(session, work_date))

    def days(self, query: DayQuery) -> DayPage:
        """Return one page of days. A page beyond the last one is the last one.

        Raises:
            InvalidInputError: The period is not one, or longer than a year; the status or the sort key is unknown.
        """
        wanted = check_filter(query.wanted, query.sort)
        with self._services.database.read() as session:
            expected = expected_days(self._services, session, wanted.first, wanted.last)
            sums = board_rows.sum_days(session, wanted, expected)
            number, pages = clamp_page(query.page, sums.rows)
            rows = board_rows.find_days(
                session,
                wanted,
                expected,
                sort=query.sort,
                descending=query.descending,
                offset=(number - 1) * PAGE,
                limit=PAGE,
            )
        return DayPage(Page(tuple(map(self._local, rows)), number, pages, sums.rows), sums)

    def all_days(self, query: DayQuery) -> tuple[DayRow, ...]:
        """Return everything that :meth:`days` would show on all its pages."""
        wanted = check_filter(query.wanted, query.sort)
        with self._services.database.read() as session:
            expected = expected_days(self._services, session, wanted.first, wanted.last)
            rows = board_rows.find_days(session, wanted, expected, sort=query.sort, descending=query.descending)
        return tuple(map(self._local, rows))

    def month(self, first: date, *, search: str = "", page: int = 1) -> MonthGrid:
        """Return the month that a date lies in as a grid of people and days."""
        first = first.replace(day=1)
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        days = tuple(first + timedelta(days=number) for number in range(last.day))
        today = self.work_date()
        with self._services.database.read() as session:
            expected = expected_days(self._services, session, first, last)
            _, total = board_rows.find_grid(session, first, last, expected, search=search, limit=0)
            number, pages = clamp_page(page, total)
            people, _ = board_rows.find_grid(
                session, first, last, expected, search=search, offset=(number - 1) * PAGE, limit=PAGE
            )
            counts = board_rows.count_statuses(session, first, last, search=search)
        rows = tuple(_grid_row(person, days) for person in people)
        return MonthGrid(
            first,
            days,
            today if first <= today <= last else None,
            Page(rows, number, pages, total),
            tuple(tuple((LETTERS[each], counts.get(day, {}).get(each, 0)) for each in LETTERS) for day in days),
        )

    def late_weeks(self, last: date, *, weeks: int = 12) -> tuple[LateWeek, ...]:
        """Return the lateness of each week up to the one of a date, the earliest first; empty weeks are zeros."""
        monday = last - timedelta(days=last.weekday())
        mondays = [monday - timedelta(weeks=number) for number in reversed(range(weeks))]
        sums: dict[date, list[int]] = {each: [0, 0, 0] for each in mondays}
        with self._services.database.read() as session:
            for day in board_rows.find_late_days(session, mondays[0], monday + timedelta(days=6)):
                week = sums[day.work_date - timedelta(days=day.work_date.weekday())]
                for place, number in enumerate((day.late_minutes, day.late, day.attended)):
                    week[place] += number
        return tuple(LateWeek(each, *sums[each]) for each in mondays)

    def employees(self, *, search: str = "", include_inactive: bool = True, page: int = 1) -> Page[Employee]:
        """Return one page of employees, sorted by name."""
        model = self._services.active_model()
        with self._services.database.read() as session:
            _, total = employees.find_page(session, search=search, include_inactive=include_inactive, limit=0)
            number, pages = clamp_page(page, total)
            people, _ = employees.find_page(
                session,
                search=search,
                include_inactive=include_inactive,
                model=model,
                offset=(number - 1) * PAGE,
                limit=PAGE,
            )
        return Page(people, number, pages, total)

    def get_employee(self, employee_id: int) -> Employee:
        """Return the employee with a row id, as addresses of pages name them. Raises NotFoundError."""
        model = self._services.active_model()
        with self._services.database.read() as session:
            return employees.get_by_id(session, employee_id, model=model)

    def audit(
        self,
        *,
        actor: str = "",
        action: str = "",
        subject: str = "",
        first: date | None = None,
        last: date | None = None,
        before: int | None = None,
    ) -> AuditPage:
        """Return one page of the audit trail.

        Args:
            actor, subject: Parts of these.
            action: Beginning of the action's word.
            first, last: Calendar days at the site, both included.
            before: ``older`` of the page before.
        """
        wanted = AuditFilter(
            actor=actor.strip(),
            action=action.strip(),
            subject=subject.strip(),
            since=self._midnight(first) if first else None,
            until=self._midnight(last + timedelta(days=1)) if last else None,
        )
        with self._services.database.read() as session:
            found = audit_search_rows.find_entries(session, wanted, before=before, limit=PAGE + 1)
        entries = tuple(replace(entry, at=entry.at.astimezone(self._zone)) for entry in found[:PAGE])
        return AuditPage(entries, entries[-1].number if len(found) > PAGE else None)

    @property
    def _zone(self) -> tzinfo:
        return self._services.site_zone

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), tzinfo=self._zone).astimezone(UTC)

    def _local(self, row: DayRow) -> DayRow:
        return replace(
            row,
            clock_in=row.clock_in.astimezone(self._zone) if row.clock_in else None,
            clock_out=row.clock_out.astimezone(self._zone) if row.clock_out else None,
        )

    def _quarters(self, arrivals: Iterable[tuple[datetime, bool]]) -> tuple[QuarterHour, ...]:
        counts: Counter[tuple[datetime, bool]] = Counter()
        for at, late in arrivals:
            local = at.astimezone(self._zone)
            start = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
            counts[start.astimezone(UTC), late] += 1
        if not counts:
            return ()
        starts = [start for start, _late in counts]
        steps = (max(starts) - min(starts)) // _QUARTER
        every = (min(starts) + number * _QUARTER for number in range(steps + 1))
        return tuple(
            QuarterHour(start.astimezone(self._zone), counts[start, False], counts[start, True]) for start in every
        )


def check_filter(wanted: DayFilter, sort: str) -> DayFilter:
    """Return a filter as the database can use it.

    Raises:
        InvalidInputError: See :meth:`Desk.days`.
    """
    if wanted.last < wanted.first:
        raise InvalidInputError(
            N_("The period ends ({last}) before it begins ({first})."), first=wanted.first, last=wanted.last
        )
    if (wanted.last - wanted.first).days >= MAX_PERIOD_DAYS:
        raise InvalidInputError(N_("The period is longer than {most} days."), most=MAX_PERIOD_DAYS)
    if wanted.status not in ("", ABSENT, *(status.value for status in Status)):
        raise InvalidInputError(N_("There is no status “{status}”."), status=wanted.status[:20])
    if sort not in SORT_KEYS:
        raise InvalidInputError(N_("There is nothing to sort by named “{key}”."), key=sort[:20])
    return wanted


def _grid_row(person: board_rows.GridPerson, days: tuple[date, ...]) -> GridRow:
    def letter(day: date) -> str:
        if day in person.statuses:
            return LETTERS[person.statuses[day]]
        return NO_LETTER if day in person.absences else ""

    letters = tuple(map(letter, days))
    counts = tuple((each, letters.count(each)) for each in (*LETTERS.values(), NO_LETTER))
    return GridRow(person.employee_id, person.code, person.name, letters, counts)
