"""Builds inputs of a day from times as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from smartabsen.attendance.rules.day import judge_day
from smartabsen.attendance.rules.model import (
    DayInputs,
    DayKind,
    DayResult,
    DayStatus,
    LeaveOnDay,
    OvertimeOrder,
    PlannedDay,
    Portion,
    PunchAt,
    Shift,
    Span,
    Terms,
)

JAKARTA = "Asia/Jakarta"
TERMS = Terms("id-2021")
FRIDAY = date(2026, 11, 13)


def clock(text: str) -> int:
    """Return minutes of a time as ``08:00`` or, on the next day, ``30:00``."""
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def shift(*spans: str, breaks: Sequence[str] = (), code: str = "PAGI", **more: object) -> Shift:
    """Return a shift of spans as ``08:00-17:00``; one that ends before it begins, ends on the next day."""

    def span(text: str) -> Span:
        start, end = (clock(each) for each in text.split("-"))
        return Span(start, end if end > start else end + 1440)

    made = Shift(code, code.title(), tuple(map(span, spans)), tuple(map(span, breaks)))
    return replace(made, **more)  # type: ignore[arg-type]


OFFICE = shift("08:00-17:00", breaks=["12:00-13:00"])
NIGHT = shift("22:00-06:00", code="MALAM")


def plan(
    day: date, planned: Shift | None, *, kind: DayKind | None = None, zone: str = JAKARTA, **more: object
) -> PlannedDay:
    """Return a planned day; a day off is a rest day unless it says otherwise."""
    found = kind or (DayKind.WORKDAY if planned is not None else DayKind.REST_DAY)
    made = PlannedDay(day, zone, planned, found, source="roster")
    return replace(made, **more)  # type: ignore[arg-type]


def at(day: date, text: str, zone: str = JAKARTA) -> datetime:
    """Return the instant of a local time, as ``08:00``, ``08:00:30``, or ``+1 06:05`` on the next day."""
    ahead, _, wall = text.rpartition(" ")
    moment = datetime.strptime(wall, "%H:%M:%S" if wall.count(":") == 2 else "%H:%M").time()  # noqa: DTZ007
    return datetime.combine(day + timedelta(days=int(ahead or 0)), moment, tzinfo=ZoneInfo(zone))


def punches(day: date, *texts: str, zone: str = JAKARTA) -> tuple[PunchAt, ...]:
    """Return punches, numbered from 1."""
    return tuple(PunchAt(number, at(day, text, zone)) for number, text in enumerate(texts, 1))


def inputs(
    *texts: str,
    day: date = FRIDAY,
    planned: Shift | PlannedDay | None = OFFICE,
    before: Shift | PlannedDay | None = None,
    after: Shift | PlannedDay | None = None,
    now: str = "+2 12:00",
    terms: Terms = TERMS,
    leave: tuple[LeaveOnDay, ...] = (),
    orders: tuple[OvertimeOrder, ...] = (),
) -> DayInputs:
    """Return the inputs of a day."""

    def whole(each: Shift | PlannedDay | None, of: date) -> PlannedDay:
        return each if isinstance(each, PlannedDay) else plan(of, each)

    own = whole(planned, day)
    one = timedelta(days=1)
    return DayInputs(
        plan=own,
        before=whole(before, day - one),
        after=whole(after, day + one),
        punches=punches(day, *texts, zone=own.zone),
        terms=terms,
        now=at(day, now, own.zone),
        leave=leave,
        orders=orders,
    )


def judged(*texts: str, **more: object) -> DayResult:
    """Judge a day."""
    return judge_day(inputs(*texts, **more))  # type: ignore[arg-type]


def rules_of(result: DayResult) -> list[str]:
    """Return the codes of the reasons."""
    return [reason.rule for reason in result.reasons]


def times(result: DayResult, zone: str = JAKARTA) -> tuple[str, str]:
    """Return arrival and departure as a local clock shows them, with the day where it is another one."""

    def text(moment: datetime | None) -> str:
        if moment is None:
            return ""
        local = moment.astimezone(ZoneInfo(zone))
        ahead = (local.date() - result.work_date).days
        return f"{f'{ahead:+d} ' if ahead else ''}{local:%H:%M}"

    return text(result.clock_in), text(result.clock_out)


def annual(portion: Portion = Portion.FULL) -> LeaveOnDay:
    """Return annual leave."""
    return LeaveOnDay("tahunan", "Cuti tahunan", DayStatus.LEAVE, portion)


def on_duty(portion: Portion = Portion.FULL) -> LeaveOnDay:
    """Return work away from the site."""
    return LeaveOnDay("dinas", "Dinas luar", DayStatus.DUTY, portion, counts_as_work=True)


def order(minutes: int, *, has_consent: bool = True, is_approved: bool = True) -> OvertimeOrder:
    """Return an order for overtime."""
    return OvertimeOrder(minutes, has_consent, is_approved)
