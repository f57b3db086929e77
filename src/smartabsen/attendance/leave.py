"""Leave: Izin and Sakit for a range of days, and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import Employee, Status
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..store.database import Session
from ..trust import audit_rows
from . import day_rows as days, leave_rows, recording_rows
from .leave_rows import LeaveDay

MAX_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class LeaveChange:
    """What became of a range of days.

    Attributes:
        changed: The dates that are different now; a repetition changes none.
    """

    employee: Employee
    first: date
    last: date
    changed: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class LeaveSpan:
    """Days of leave in a row with the same status and note."""

    employee_id: int
    code: str
    name: str
    first: date
    last: date
    status: Status
    note: str

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


class Leave:
    """The leave of one installation.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def enter(self, code: str, first: date, last: date, status: Status, *, note: str = "") -> LeaveChange:
        """Enter leave for each day from ``first`` to ``last``, both included; punches on these days keep their times.

        Args:
            status: EXCUSED or SICK.

        Returns:
            The days that changed: entering the same again changes nothing.

        Raises:
            NotFoundError: There is no employee with that code.
            InvalidInputError: ``last`` is before ``first``, the range is longer than a year, or the note too long.
        """
        wanted = tuple(_range(first, last))

        def work(session: Session) -> LeaveChange:
            employee = employee_rows.lock(session, employee_rows.get(session, code).id)
            known = {day.work_date: day for day in leave_rows.between(session, first, last, employee_id=employee.id)}
            changed = tuple(
                each
                for each in wanted
                if each not in known or known[each].status is not status or known[each].note != note.strip()
            )
            for each in changed:
                days.set_leave(session, employee_id=employee.id, work_date=each, status=status, note=note)
            before = sorted({day.status.value for day in known.values()})
            self._note(session, "leave.enter", employee, changed, before=", ".join(before), after=status, note=note)
            return LeaveChange(employee, first, last, changed)

        return self._services.database.run_write(work)

    def take_back(self, code: str, first: date, last: date) -> LeaveChange:
        """Take leave back on each day of a range: a day becomes what its punches say, or is gone without any.

        Raises:
            NotFoundError: There is no employee with that code.
            InvalidInputError: ``last`` is before ``first``, or the range is longer than a year.
        """
        tuple(_range(first, last))

        def work(session: Session) -> LeaveChange:
            employee = employee_rows.lock(session, employee_rows.get(session, code).id)
            known = leave_rows.between(session, first, last, employee_id=employee.id)
            for day in known:
                recording_rows.clear_leave(session, employee.id, day.work_date, self._services.rules)
            changed = tuple(day.work_date for day in known)
            before = ", ".join(sorted({day.status.value for day in known}))
            self._note(session, "leave.take_back", employee, changed, before=before)
            return LeaveChange(employee, first, last, changed)

        return self._services.database.run_write(work)

    def between(self, first: date, last: date, *, code: str | None = None) -> tuple[LeaveDay, ...]:
        """Return the days of leave of a period, the latest first, of one employee or all. Raises NotFoundError."""
        with self._services.database.read() as session:
            employee_id = employee_rows.get(session, code).id if code else None
            return leave_rows.between(session, first, last, employee_id=employee_id)[::-1]

    def spans(self, first: date, last: date, *, code: str | None = None) -> tuple[LeaveSpan, ...]:
        """Return the same with days in a row put together, the latest first. Raises NotFoundError."""
        open_spans: dict[int, LeaveSpan] = {}
        spans: list[LeaveSpan] = []
        for day in self.between(first, last, code=code)[::-1]:
            span = open_spans.get(day.employee_id)
            follows = span is not None and span.last + timedelta(days=1) == day.work_date
            if span is not None and follows and (span.status, span.note) == (day.status, day.note):
                open_spans[day.employee_id] = replace(span, last=day.work_date)
                continue
            if span is not None:
                spans.append(span)
            open_spans[day.employee_id] = LeaveSpan(
                day.employee_id, day.code, day.name, day.work_date, day.work_date, day.status, day.note
            )
        return tuple(sorted([*spans, *open_spans.values()], key=lambda span: (span.first, span.code), reverse=True))

    def _note(
        self, session: Session, action: str, employee: Employee, changed: tuple[date, ...], **details: str
    ) -> None:
        if not changed:
            return
        told = {"from": changed[0].isoformat(), "to": changed[-1].isoformat(), "days": str(len(changed)), **details}
        audit_rows.append(session, actor=self._services.actor, action=action, subject=employee.code, details=told)


def _range(first: date, last: date) -> Iterator[date]:
    if last < first:
        raise InvalidInputError(N_("The period ends ({last}) before it begins ({first})."), first=first, last=last)
    if (last - first).days >= MAX_DAYS:
        raise InvalidInputError(N_("At most {most} days can be entered at once."), most=MAX_DAYS)
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
