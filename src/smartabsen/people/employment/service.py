"""Employment: what was agreed with whom from when on, changing codes, and what holds on a date.

What is said of a person for the first time holds from the beginning; a change holds from today, or from the date given.
So a person who moves keeps where they were before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from ...kernel.codes import checked_code
from ...kernel.domain import Employee
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...org.departments import service as departments
from ...org.sites import service as sites
from ...store.database import Session
from ...store.tables import NOTE_LENGTH
from ...trust.work import Units, Work
from .. import employee_rows
from . import rows
from .model import BEGINNING, Changes, Employment, Placement
from .rows import FormerCode
from .rules import History, check_changes, first_day, history, weekday_name

_DATED: Final = {"site": "site_id", "department": "department_id"}
_WHEN: Final = ((0, "before"), (1, "after"))


class Employments:
    """The employments of one installation.

    Args:
        units: Of its database.
        now: Returns the time (UTC) by the database.
        home_zone: Of this machine's settings: the date of today where a person has no site.
    """

    def __init__(self, units: Units, *, now: Callable[[], datetime], home_zone: ZoneInfo) -> None:
        self._units = units
        self._now = now
        self._home_zone = home_zone

    # --- asking ---------------------------------------------------------------------------------------------

    def today(self) -> date:
        """Return the date that it is now at the first site."""
        with self._units.read() as session:
            first = sites.directory(session).first
        return self._date_in(first.zone if first else "")

    def on(self, code: str, day: date | None = None) -> Employment:
        """Return what holds for a person on a date; today where the person is for None. Raises NotFoundError."""
        with self._units.read() as session:
            found = self._history(session, employee_rows.get(session, code).id)
        return found.on(day) if day is not None else self._now_of(found)

    def history(self, code: str) -> History:
        """Return the terms of a person over time. Raises NotFoundError."""
        with self._units.read() as session:
            return self._history(session, employee_rows.get(session, code).id)

    def histories(self, ids: Collection[int] | None = None) -> Mapping[int, History]:
        """Return the terms of all people over time, by row id: five statements, whoever and how many they are.

        Args:
            ids: Row ids of those who are wanted; None for everybody.
        """
        with self._units.read() as session:
            return histories(session, ids)

    def between(
        self, first: date, last: date, ids: Collection[int] | None = None
    ) -> Mapping[tuple[int, date], Employment]:
        """Return what holds for everybody on each date of a range, both ends included; as :meth:`histories`.

        Dates on which somebody is not employed are there too, and say so.
        """
        days = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
        return {(row_id, day): each.on(day) for row_id, each in self.histories(ids).items() for day in days}

    def everybody_on(self, day: date | None = None) -> Mapping[int, Employment]:
        """Return what holds for everybody on a date, by row id; for None today, where each of them is."""
        found = self.histories()
        return {row_id: self._now_of(each) if day is None else each.on(day) for row_id, each in found.items()}

    def former_codes(self, code: str) -> tuple[FormerCode, ...]:
        """Return the codes that somebody had before, the oldest first. Raises NotFoundError."""
        with self._units.read() as session:
            return rows.former_codes(session, employee_rows.get(session, code).id)

    # --- changing -------------------------------------------------------------------------------------------

    def check(self, changes: Changes) -> None:
        """Refuse changes that could not be stored, before anything else is.

        Raises:
            NotFoundError: There is no such site or department.
            InvalidInputError: They contradict each other.
        """
        check_changes(changes, joined=changes.joined, left=changes.left)
        with self._units.read() as session:
            _resolved(session, changes)

    def change(self, code: str, changes: Changes, *, valid_from: date | None = None) -> Employment:
        """Change what holds for a person, and return what holds now.

        Args:
            valid_from: From when on site, department, week, shortest day and exemption hold. None: what is said for
                the first time holds from the beginning, a change from today.

        Raises:
            NotFoundError: There is no such employee, site or department.
            InvalidInputError: It changes nothing, or contradicts itself.
        """
        if changes.is_empty:
            raise InvalidInputError(N_("Nothing is given that could be changed."))
        if changes.exempt is not None:
            clause = checked_text(changes.exempt, field=N_("clause"), limit=NOTE_LENGTH)
            changes = replace(changes, exempt=clause)
        return self._now_of(self._units.write(lambda job: self.change_in(job, code, changes, valid_from=valid_from)))

    def change_in(self, job: Work, code: str, changes: Changes, *, valid_from: date | None = None) -> History:
        """Do the same within a unit of work that somebody else began."""
        session = job.session
        employee = employee_rows.lock(session, employee_rows.get(session, code).id)
        before = self._history(session, employee.id)
        said = _resolved(session, changes)
        joined = changes.joined or before.joined
        left = None if changes.stays else (changes.left or before.left)
        check_changes(changes, joined=joined, left=left)
        today = self._now_of(before).work_date
        known = rows.agreed(session, (employee.id,)).get(employee.id, [])
        whom = {"employee": str(employee.id)}
        by_day: dict[date, dict[str, object]] = {}
        for name, value in said.items():
            day = first_day(name, known, asked=valid_from, today=today)
            by_day.setdefault(day, {})[name] = value
        for day, terms in by_day.items():
            rows.put_agreed(session, employee.id, day, terms)
        dates = (joined, left) != (before.joined, before.left)
        if dates:
            rows.put_dates(session, employee.id, joined=joined, left=left)
        after = self._history(session, employee.id)
        if dates:
            told = {"joined": (before.joined, joined), "left": (before.left, left)}
            job.record("employment.change", subject=employee.code, details=whom | _told(told))
        for day in by_day:
            if difference := _difference(before.on(day), after.on(day)):
                job.record("employment.change", subject=employee.code, details=whom | difference)
        return after

    def recode(self, old: str, new: str) -> Employee:
        """Give an employee another code; attendance, faces and phones stay theirs.

        The old code is remembered: nobody else gets it without somebody being told whose it was.

        Raises:
            NotFoundError: There is no employee with the old code.
            InvalidInputError: The new one cannot be a code.
            ConflictError: Somebody else has it, or had it.
        """
        new = checked_code(new)

        def work(job: Work) -> Employee:
            before = employee_rows.lock(job.session, employee_rows.get(job.session, old).id)
            if before.code == new:
                return before
            holder = employee_rows.find(job.session, new)
            if holder is not None and holder.id != before.id:
                raise employee_rows.code_exists(new)
            employee_rows.refuse_former_code(job.session, new, except_for=before.id)
            rows.recode(job.session, before.id, new)
            after = employee_rows.get(job.session, new)
            details = {"employee": str(before.id), "from": before.code, "to": after.code}
            job.record("employee.recode", subject=after.code, details=details)
            return after

        return self._units.write(work)

    # --------------------------------------------------------------------------------------------------------

    def _history(self, session: Session, employee_id: int) -> History:
        return histories(session, (employee_id,))[employee_id]

    def _now_of(self, found: History) -> Employment:
        # The zone may be another one tomorrow; a day of doubt at a change of zone moves nothing but the default.
        return found.on(self._date_in(found.on(self._date_in("")).zone))

    def _date_in(self, zone: str) -> date:
        return self._now().astimezone(ZoneInfo(zone) if zone else self._home_zone).date()


def histories(session: Session, ids: Collection[int] | None = None) -> Mapping[int, History]:
    """Return the terms of people over time in a session that is open, by row id: five statements in all.

    Args:
        ids: Row ids of those who are wanted; None for everybody.
    """
    known = sites.directory(session)
    placed = {each.id: Placement(each.id, each.code, each.name, each.zone) for each in known.sites}
    parts = {each.id: Placement(each.id, each.code, each.name) for each in departments.directory(session).departments}
    agreed = rows.agreed(session, ids)
    return {
        person.id: history(
            employee_id=person.id,
            code=person.code,
            name=person.name,
            joined=person.joined,
            left=person.left,
            agreed=agreed.get(person.id, ()),
            sites=placed,
            departments=parts,
            first_site=placed[known.first.id] if known.first else None,
            added=person.added,
            ended=person.ended,
        )
        for person in rows.people(session, ids)
    }


def first_added(session: Session) -> datetime | None:
    """Return when the first of all employees was added (UTC); None where there is none."""
    return rows.first_added(session)


def _resolved(session: Session, changes: Changes) -> dict[str, object]:
    """Return what is said from a date on, sites and departments by their ids."""
    said: dict[str, object] = {}
    for name, value in changes.dated.items():
        if value is None:
            continue
        if name == "site":
            value = sites.directory(session).get(str(value)).id
        elif name == "department":
            value = departments.directory(session).get(str(value)).id
        said[_DATED.get(name, name)] = value
    return said


def _difference(before: Employment, after: Employment) -> dict[str, str]:
    """Return for the audit trail what is different from a date on."""
    pairs: dict[str, tuple[object, object]] = {
        "site": (before.site, after.site),
        "department": (before.department, after.department),
        "week": (before.week, after.week),
        "shortest_day": (weekday_name(before.shortest_day), weekday_name(after.shortest_day)),
        "exempt": (before.exempt, after.exempt),
    }
    told = _told(pairs)
    return {**told, "from": "" if after.work_date == BEGINNING else after.work_date.isoformat()} if told else {}


def _told(pairs: Mapping[str, tuple[object, object]]) -> dict[str, str]:
    changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return {f"{name}_{when}": _text(pair[place]) for name, pair in changed.items() for place, when in _WHEN}


def _text(value: object) -> str:
    return "" if value is None else str(value)
