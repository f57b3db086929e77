"""The shift of an installation that nobody has planned: the start of work of the machine that was upgraded, with dates.

It is kept in the database, so all machines judge by the same one. A start that is changed in the settings of that
machine holds from that day on; settings of other machines do not count. When work ends it does not know.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Final

from ...kernel.reading import parse_json
from ...store import meta
from ...store.database import Session
from ...trust.work import Units, Work
from ..rules.model import DayKind, PlannedDay, Shift, Span
from .model import Placement

CODE: Final = "KERJA"
"""What the shift is called."""
SOURCE: Final = "settings"
"""What plans by it name as their source."""
_FACT: Final = "first_shift"
_BEGINNING: Final = date(1970, 1, 1)
_DAY: Final = 1440


@dataclass(frozen=True, slots=True)
class StartOfWork:
    """What the settings of a machine say of a day of work.

    Attributes:
        start: Start of work, local.
        grace: Minutes after it that are not late yet.
        day_starts_at: Local time at which a work date begins; a start before it lies on the next calendar day.
        min_departure: Minutes after the arrival from which a punch is a departure.
    """

    start: time
    grace: int
    day_starts_at: time
    min_departure: int

    @property
    def shift(self) -> Shift:
        """The shift: from the start to the end of the work date, nothing being asked but the arrival."""
        begins = _minutes(self.day_starts_at)
        start = _minutes(self.start) + (_DAY if self.start < self.day_starts_at else 0)
        return Shift(
            CODE,
            CODE,
            (Span(start, begins + _DAY),),
            opens_before=start - begins,
            closes_after=0,
            grace_in=self.grace,
            open_end=self.min_departure,
        )


@dataclass(frozen=True, slots=True)
class FirstShift:
    """The shift of an installation that nobody has planned.

    Attributes:
        owner: The machine whose settings it has.
        versions: From which date on holds what, the oldest first; at least one.
        confirmed_from: Since when a working week of it is confirmed; None: nobody is absent by it.
    """

    owner: str
    versions: tuple[tuple[date, StartOfWork], ...]
    confirmed_from: date | None = None

    def on(self, day: date) -> StartOfWork:
        """Return what holds on a date."""
        place = bisect_right([first for first, _ in self.versions], day)
        return self.versions[max(0, place - 1)][1]

    def plan(self, plan: PlannedDay, placement: Placement) -> PlannedDay:
        """Return what is planned where nobody planned anything; other plans stay as they are."""
        if plan.is_planned or plan.holiday or not placement.is_employed:
            return plan
        is_confirmed = self.confirmed_from is not None and self.confirmed_from <= plan.work_date
        if is_confirmed and not is_usual_workday(plan.work_date, placement.week):
            return replace(plan, kind=DayKind.REST_DAY, is_planned=True, source=SOURCE)
        shift = self.on(plan.work_date).shift
        return replace(
            plan, shift=shift, usual_shift=shift, kind=DayKind.WORKDAY, is_planned=is_confirmed, source=SOURCE
        )


def is_usual_workday(day: date, week: int) -> bool:
    """Return whether a date is one of the first five or six days of its week."""
    return day.weekday() < week


def load(session: Session, here: FirstShift) -> FirstShift:
    """Return the shift as the database has it; ``here`` before any machine could enter its own."""
    stored = meta.find(session, _FACT)
    return _read(stored) if stored is not None else here


def enter(units: Units, here: FirstShift, today: date) -> None:
    """Enter the settings of this machine where no machine has, or those that changed where they are its own.

    Raises:
        DatabaseError: It cannot be written.
    """
    with units.read() as session:
        stored = meta.find(session, _FACT)
    if stored is not None and _followed(_read(stored), here, today) is None:
        return

    def work(job: Work) -> None:
        meta.lock(job.session)
        now = meta.find(job.session, _FACT)
        if now is None:
            meta.put(job.session, _FACT, _written(here))
            return
        after = _followed(_read(now), here, today)
        if after is None:
            return
        meta.put(job.session, _FACT, _written(after))
        before, changed = _read(now).on(today), here.on(today)
        details = {"valid_from": today.isoformat(), "before": _in_words(before), "after": _in_words(changed)}
        job.record("shift.change", subject=CODE, details=details)

    units.write(work)


def confirm(units: Units, here: FirstShift, first: date) -> FirstShift:
    """Confirm that people work the days of their contract's week, from a date on: from then on they can be absent."""

    def work(job: Work) -> FirstShift:
        meta.lock(job.session)
        before = load(job.session, here)
        after = replace(before, confirmed_from=first)
        if after != before:
            meta.put(job.session, _FACT, _written(after))
            was = before.confirmed_from.isoformat() if before.confirmed_from else ""
            details = {"before": was, "after": first.isoformat()}
            job.record("shift.confirm", subject=CODE, details=details)
        return after

    return units.write(work)


def first_version(owner: str, start: StartOfWork) -> FirstShift:
    """Return the shift by the settings of a machine, for all dates."""
    return FirstShift(owner, ((_BEGINNING, start),))


def _followed(stored: FirstShift, here: FirstShift, today: date) -> FirstShift | None:
    """Return the shift with what changed in the settings that it was made of; None where nothing did."""
    wanted = here.on(today)
    if stored.owner != here.owner or stored.versions[-1][1] == wanted:
        return None
    kept = tuple(each for each in stored.versions if each[0] < today)
    return replace(stored, versions=(*kept, (today, wanted)))


def _read(stored: str) -> FirstShift:
    found = parse_json(stored.encode())
    confirmed = found.get("confirmed_from")
    return FirstShift(
        found["owner"],
        tuple(
            (
                date.fromisoformat(each["from"]),
                StartOfWork(
                    time.fromisoformat(each["start"]),
                    each["grace"],
                    time.fromisoformat(each["day_starts_at"]),
                    each["min_departure"],
                ),
            )
            for each in found["versions"]
        ),
        date.fromisoformat(confirmed) if confirmed else None,
    )


def _written(shift: FirstShift) -> str:
    versions = [
        {
            "from": first.isoformat(),
            "start": each.start.isoformat(),
            "grace": each.grace,
            "day_starts_at": each.day_starts_at.isoformat(),
            "min_departure": each.min_departure,
        }
        for first, each in shift.versions
    ]
    confirmed = shift.confirmed_from.isoformat() if shift.confirmed_from else None
    return json.dumps({"owner": shift.owner, "versions": versions, "confirmed_from": confirmed})


def _in_words(start: StartOfWork) -> str:
    return f"{start.start:%H:%M} +{start.grace} min"


def _minutes(clock: time) -> int:
    return 60 * clock.hour + clock.minute
