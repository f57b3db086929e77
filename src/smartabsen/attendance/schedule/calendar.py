"""The calendar: holidays, joint leave and whom they touch. Each change is written to the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol

from ...kernel.errors import ConflictError, InvalidInputError, NotFoundError
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...store.database import Session
from ...store.tables import CODE_LENGTH, NAME_LENGTH
from ...trust.work import Units, Work
from ..leave.model import Recounted
from . import calendar_rows
from .directory import Directory
from .holiday_sources import SourceName, load_holidays
from .model import CalendarDay, CalendarDiff, CalendarKind, Person, ScopeKind, Timetable, Touched
from .planning import load_plans
from .rules_calendar import diff_calendar
from .rules_plan import PlanBook, touched

MOST_YEARS: Final = 2
"""Of one sync: as many days as can be planned at once."""
EMPTY: Final = Timetable()


class FollowLeave(Protocol):
    """Brings leave in line with the calendar after a change."""

    def __call__(self, first: date, last: date, /, *, taken_before: bool) -> tuple[Recounted, ...]:
        """Return the leave that counts other days now."""


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """What was changed, and whose plans differ by it: their days are to be computed again.

    Attributes:
        leave: Leave that counts other days now, and joint leave that is taken or given back.
    """

    days: tuple[CalendarDay, ...]
    touched: tuple[Touched, ...]
    leave: tuple[Recounted, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync changes, or changed where it was applied.

    Attributes:
        leave: As in :class:`CalendarChange`.
    """

    years: tuple[int, ...]
    diff: CalendarDiff
    touched: tuple[Touched, ...]
    applied: bool
    leave: tuple[Recounted, ...] = ()


class Calendar:
    """The calendar of one installation.

    Args:
        units: Of its database.
        directory: Looks up people and places.
        follow: Brings leave in line after a change: called with the first and the last date, and whether joint leave
            of the past is taken as well.
    """

    def __init__(self, units: Units, directory: Directory, *, follow: FollowLeave | None = None) -> None:
        self._units = units
        self._directory = directory
        self._follow = follow or _nothing

    def list_days(self, first: date, last: date) -> tuple[CalendarDay, ...]:
        """Return the calendar of a range, both ends included."""
        with self._units.read() as session:
            return calendar_rows.days(session, first, last)

    def add(
        self, day: date, name: str, kind: CalendarKind, *, site: str = "", region: str = "", taken: bool = True
    ) -> CalendarChange:
        """Add a day.

        Args:
            site: Code of the only site that it is for; empty for all.
            region: Name of the only region that it is for; empty for all.
            taken: Whether the firm takes it, of joint leave.

        Raises:
            InvalidInputError: It has no name.
            ConflictError: There is a day of that kind on that date.
            NotFoundError: There is no such site.
        """
        name = checked_text(name, field=N_("name"), limit=NAME_LENGTH, required=True)
        region = checked_text(region, field=N_("region"), limit=CODE_LENGTH)

        def work(job: Work) -> CalendarChange:
            session = job.session
            site_id = self._directory.get_scope(session, ScopeKind.SITE, site).id if site else None
            new = CalendarDay(day, name, kind, region=region, site_id=site_id, taken=taken)
            if new.key in {each.key for each in calendar_rows.days(session, day, day)}:
                raise ConflictError(
                    N_("The calendar has a day of this kind on {date} already."),
                    hint=N_("Remove it first: smartabsen calendar remove {date}"),
                    date=day,
                )
            found = self._changing(session, [day], lambda: calendar_rows.add(session, [new]))
            details = {"date": day.isoformat(), "name": name, "kind": kind.value, "people": str(len(found))}
            job.record("calendar.add", subject=site, details=details)
            return CalendarChange((new,), found)

        return self._with_leave(work, day)

    def remove(self, day: date, *, kind: CalendarKind | None = None) -> CalendarChange:
        """Remove the days of a date, or the one of a kind.

        Raises:
            NotFoundError: There is none.
        """

        def work(job: Work) -> CalendarChange:
            session = job.session
            gone = [each for each in calendar_rows.days(session, day, day) if kind in (None, each.kind)]
            if not gone:
                raise NotFoundError(N_("The calendar has no such day on {date}."), date=day)
            found = self._changing(session, [day], lambda: calendar_rows.remove(session, gone))
            for each in gone:
                details = {"date": day.isoformat(), "name": each.name, "kind": each.kind.value}
                job.record("calendar.remove", details={**details, "people": str(len(found))})
            return CalendarChange(tuple(gone), found)

        return self._with_leave(work, day)

    def sync(
        self, years: Iterable[int], *, source: SourceName = "holidays", dry_run: bool, joint_taken: bool = True
    ) -> SyncReport:
        """Make the calendar of some years equal to a source. What a person entered stays. Nothing needs a network.

        Args:
            dry_run: Say what would change, and change nothing.
            joint_taken: Whether the firm takes joint leave that is added.

        Raises:
            InvalidInputError: There are too many years, they do not follow each other, or the source lacks one.
            MissingDependencyError: The library is not installed.
        """
        wanted_years = tuple(sorted(set(years)))
        if not wanted_years or wanted_years[-1] - wanted_years[0] >= MOST_YEARS:
            raise InvalidInputError(N_("Give one year, or two that follow each other."))
        wanted = [replace(day, taken=joint_taken) for day in load_holidays(source, wanted_years)]

        def work(job: Work) -> SyncReport:
            session = job.session
            diff = self._diff(session, wanted_years, wanted)
            if diff.is_empty:
                return SyncReport(wanted_years, diff, (), applied=True)
            days = sorted({each.day for each in (*diff.added, *diff.removed)})

            def apply() -> None:
                calendar_rows.remove(session, diff.removed)
                calendar_rows.add(session, diff.added)
                for _before, after in diff.changed:
                    calendar_rows.replace(session, after)

            found = self._changing(session, days, apply)
            details = {
                "source": wanted[0].source if wanted else source,
                "years": " ".join(map(str, wanted_years)),
                "added": str(len(diff.added)),
                "removed": str(len(diff.removed)),
                "changed": str(len(diff.changed)),
                "people": str(len({each.person.id for each in found})),
            }
            job.record("calendar.sync", details=details)
            return SyncReport(wanted_years, diff, found, applied=True)

        if not dry_run:
            report = self._units.write(work)
            first, last = date(wanted_years[0], 1, 1), date(wanted_years[-1], 12, 31)
            return replace(report, leave=self._follow(first, last, taken_before=False))
        with self._units.read() as session:
            return SyncReport(wanted_years, self._diff(session, wanted_years, wanted), (), applied=False)

    def take_joint_leave(self, day: date, *, taken: bool) -> CalendarChange:
        """Say whether the firm takes the joint leave of a date; where it does not, the date is an ordinary one.

        Raises:
            NotFoundError: There is no joint leave on that date.
        """

        def work(job: Work) -> CalendarChange:
            session = job.session
            before = _joint(session, day)
            after = [replace(each, taken=taken) for each in before]
            if after == before:
                return CalendarChange(tuple(after), ())

            def apply() -> None:
                for each in after:
                    calendar_rows.replace(session, each)

            found = self._changing(session, [day], apply)
            details = {"date": day.isoformat(), "name": after[0].name, "taken": str(taken).lower()}
            job.record("calendar.joint", details={**details, "people": str(len(found))})
            return CalendarChange(tuple(after), found)

        return self._with_leave(work, day)

    def opt_out(self, code: str, day: date, *, works: bool) -> tuple[Person, CalendarChange]:
        """Say whether a person works on a joint leave that the firm takes: it is an ordinary day for them then.

        Raises:
            NotFoundError: There is no such person, or no joint leave on that date.
        """

        def work(job: Work) -> tuple[Person, CalendarChange]:
            session = job.session
            person = self._directory.get_person(session, code)
            joint = _joint(session, day)
            before = self._book(session, [day])
            if not calendar_rows.set_worked(session, person.id, day, works=works):
                return person, CalendarChange(tuple(joint), ())
            found = touched(before, self._book(session, [day]), [day])
            details = {"date": day.isoformat(), "works": str(works).lower()}
            job.record("calendar.opt_out", subject=person.code, details=details)
            return person, CalendarChange(tuple(joint), found)

        person, change = self._units.write(work)
        return person, replace(change, leave=self._follow(day, day, taken_before=True))

    def _with_leave(self, job: Callable[[Work], CalendarChange], day: date) -> CalendarChange:
        # A unit of its own for each person: leave that could not follow does so in the night, or by “leave recount”.
        change = self._units.write(job)
        return replace(change, leave=self._follow(day, day, taken_before=True))

    def _diff(self, session: Session, years: Sequence[int], wanted: Sequence[CalendarDay]) -> CalendarDiff:
        known = calendar_rows.days(session, date(years[0], 1, 1), date(years[-1], 12, 31))
        return diff_calendar([day for day in known if day.day.year in years], wanted)

    def _changing(self, session: Session, days: Sequence[date], apply: Callable[[], None]) -> tuple[Touched, ...]:
        before = self._book(session, days)
        apply()
        return touched(before, self._book(session, days), days)

    def _book(self, session: Session, days: Sequence[date]) -> PlanBook:
        if not days:
            return PlanBook((), {}, EMPTY)
        return load_plans(session, self._directory, days[0], days[-1])


def _nothing(_first: date, _last: date, *, taken_before: bool) -> tuple[Recounted, ...]:  # noqa: ARG001 - of the port
    return ()


def _joint(session: Session, day: date) -> list[CalendarDay]:
    found = [each for each in calendar_rows.days(session, day, day) if each.kind is CalendarKind.JOINT]
    if not found:
        raise NotFoundError(N_("There is no joint leave on {date}."), date=day)
    return found
