"""What the rules of working time speak of. Frozen, and free of any database: minutes are whole, instants are aware.

Times of day are minutes from local midnight of the work date; a span over midnight ends beyond 1,440 (24:00), and one
that lies wholly on the next morning starts beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from ...kernel.domain import Status

DayStatus: TypeAlias = Status
"""What became of a person's day."""


class DayKind(StrEnum):
    """What a date is for a person, as the tiers of overtime ask it (PP 35/2021, art. 31)."""

    WORKDAY = "workday"
    REST_DAY = "rest-day"
    HOLIDAY = "holiday"
    SHORTEST_DAY = "shortest-day"
    """A holiday on the shortest working day of a week of six days."""


class Minutes(StrEnum):
    """Kinds of minutes that a day's result counts; rows with a label in the database, so a new one is no migration."""

    EXPECTED = "expected"
    WORKED = "worked"
    """All counted work, overtime included; together with :attr:`BREAK` and :attr:`UNCOUNTED` it fills the time between
    arrival and departure."""
    BREAK = "break"
    """Between arrival and departure and no work: recorded, planned, or between the spans of a split shift."""
    UNCOUNTED = "uncounted"
    """Present and neither work nor break: came early where that does not count, or what rounding cut off."""
    LATE = "late"
    EARLY = "early"
    """Left before the end of the shift."""
    MISSING = "missing"
    """Of what was expected and neither worked nor excused, late and early minutes included."""
    OVERTIME = "overtime"
    """Beyond the shift, or on a day off: by the clock, approved or not."""
    OVERTIME_APPROVED = "overtime_approved"
    """What an order with consent and approval covers of :attr:`OVERTIME`: only that is paid."""
    LEAVE = "leave"
    """Of what was expected and covered by leave."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a day, in minutes from local midnight of the work date: ``Span(1320, 1800)`` is 22:00-06:00."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift as data.

    Attributes:
        spans: When work is expected, in order and apart; empty for a flexible shift without core time.
        breaks: Planned breaks inside the spans: no working time.
        opens_before: Minutes before the first span from which a punch belongs to this shift.
        closes_after: Minutes after the last span until which one does; then the day is judged.
        grace_in: Minutes after the start that are not late yet. Who exceeds them is late by all minutes from the start.
        grace_out: Minutes before the end that are not early yet; the same.
        flexible_day: Minutes that a day asks for, whenever they are worked; None where spans decide.
        flexible_week: Minutes that a week asks for.
        early_counts: Whether minutes worked before the start count (as overtime, where ordered); else they do not.
        break_is_taken: Whether the planned break is taken off where none was recorded.
        rounding: Minutes to which worked time is cut down; 1 is exact.
        open_end: Of a shift whose end nobody has said, minutes after the arrival from which the last punch is the
            departure: its span ends with the day, and nothing is asked of it but the arrival.
    """

    code: str
    name: str
    spans: tuple[Span, ...]
    breaks: tuple[Span, ...] = ()
    opens_before: int = 120
    closes_after: int = 240
    grace_in: int = 0
    grace_out: int = 0
    flexible_day: int | None = None
    flexible_week: int | None = None
    early_counts: bool = False
    break_is_taken: bool = True
    rounding: int = 1
    open_end: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """What was planned for a person and a work date.

    Attributes:
        zone: IANA name of the zone of the person's site on that date.
        shift: None on a day off.
        kind: Which tiers overtime on this date has.
        holiday: Name of the holiday, empty on other days. A holiday without a roster row of its own is a day off.
        source: Where the plan came from: ``roster``, ``employee``, ``department``, ``site``, ``calendar`` or ``none``.
        pattern: Code of the pattern, empty without one.
        is_planned: Whether anybody ever planned this date (an assignment, a roster row or a confirmed working week);
            without that no day is Alpa.
        joint_leave: Whether the date is off because joint leave (cuti bersama) is taken: a day of annual leave, no
            holiday. Who works all the same has an ordinary day: see :meth:`if_worked`.
        usual_shift: What would be worked if the date were no holiday and no joint leave; None where nothing would.
    """

    work_date: date
    zone: str
    shift: Shift | None
    kind: DayKind
    holiday: str = ""
    source: str = "none"
    pattern: str = ""
    is_planned: bool = True
    joint_leave: bool = False
    usual_shift: Shift | None = None

    def if_worked(self) -> PlannedDay:
        """Return the plan of somebody who came: on joint leave an ordinary day of the usual shift, else this plan."""
        return replace(self, shift=self.usual_shift, joint_leave=False) if self.joint_leave else self


class Portion(StrEnum):
    """How much of a day leave covers."""

    FULL = "full"
    MORNING = "morning"
    AFTERNOON = "afternoon"


@dataclass(frozen=True, slots=True)
class LeaveOnDay:
    """Approved leave on one date.

    Attributes:
        kind: Code of the kind, as ``tahunan`` or ``sakit``.
        status: What the day is called where the whole of it is covered: LEAVE, EXCUSED, SICK or DUTY.
        counts_as_work: Whether covered minutes count as worked (dinas luar, work from home).
    """

    kind: str
    label: str
    status: DayStatus
    portion: Portion = Portion.FULL
    counts_as_work: bool = False


@dataclass(frozen=True, slots=True)
class OvertimeOrder:
    """An order for overtime (SPL): only with the worker's consent and the approval it is paid."""

    minutes: int
    has_consent: bool
    is_approved: bool

    @property
    def counts(self) -> bool:
        """Whether what it covers is paid."""
        return self.has_consent and self.is_approved


@dataclass(frozen=True, slots=True)
class PunchAt:
    """A punch that counts, as the rules need it.

    Attributes:
        id: Row id.
        at: Its instant (aware).
        is_sure: Whether its time can be relied upon; see :attr:`.Punch.time_is_sure`.
    """

    id: int
    at: datetime
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """What the law of a ruleset limits, in minutes, and where it says so. The defaults are those of ``id-2021``.

    Attributes:
        overtime_day: Most overtime on a work day.
        overtime_week: Most overtime on the work days of a week.
        food_after: Overtime from which food and drink are due.
        break_after: Work in a row after which a break is due.
        break_least: How long that break is at least.
        articles: Where each of these, and overtime as such, is written.
    """

    overtime_day: int = 240
    overtime_week: int = 1080
    food_after: int = 240
    break_after: int = 240
    break_least: int = 30
    articles: Mapping[str, str] = field(
        default_factory=lambda: {
            "overtime_day": "PP 35/2021 art. 26(1)",
            "overtime_week": "PP 35/2021 art. 26(1)",
            "food_after": "PP 35/2021 art. 29(1)c",
            "break_after": "UU 13/2003 art. 79(2)a",
            "order": "PP 35/2021 art. 28",
            "exempt": "PP 35/2021 art. 27",
            "workday": "PP 35/2021 art. 31(1)",
            "rest-day": "PP 35/2021 art. 31(2)-(3)",
            "holiday": "PP 35/2021 art. 31(2)-(3)",
            "shortest-day": "PP 35/2021 art. 31(2)b",
        }
    )


ID_2021: Final = Limits()


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one person on one date: the contract, and the policies of the firm resolved for that date.

    Attributes:
        ruleset: Code of the ruleset of law in force, as ``id-2021``.
        week: Working days of the week of the contract, 5 or 6.
        exempt: Clause of PK, PP or PKB by which overtime is not paid (PP 35/2021, art. 27); empty where it is paid.
        employed: Whether the date lies between joining and leaving.
        min_departure: Minutes after the arrival from which a second punch is a departure.
        same_punch: Minutes within which a further punch repeats the one before.
        overtime_least: Overtime shorter than this is not counted.
        break_by_law: Whether the least break of the law is taken off where none was planned or recorded; else a reason
            says that it is due.
        limits: What the ruleset limits.
    """

    ruleset: str
    week: int = 5
    exempt: str = ""
    employed: bool = True
    min_departure: int = 1
    same_punch: int = 2
    overtime_least: int = 0
    break_by_law: bool = False
    limits: Limits = ID_2021


@dataclass(frozen=True, slots=True)
class DayInputs:
    """Everything that decides about one person's day, and nothing else.

    Attributes:
        plan: Of the day.
        before: Plan of the day before, whose window may still be open: its punches are not this day's.
        after: Plan of the next day.
        punches: Standing punches near the day, those of both neighbours included, in any order.
        leave: Approved leave on the date.
        orders: Orders for overtime on the date.
        now: The instant of the question: a window that is open then is not closed.
    """

    plan: PlannedDay
    before: PlannedDay
    after: PlannedDay
    punches: tuple[PunchAt, ...]
    terms: Terms
    now: datetime
    leave: tuple[LeaveOnDay, ...] = ()
    orders: tuple[OvertimeOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that applied to a day, for people.

    Attributes:
        rule: Stable code, as ``late`` or ``break.planned``.
        text: Message id of a sentence; ``params`` fill its places.
        article: Where it is written, as ``PP 35/2021 art. 31(1)`` or ``shift PAGI``; empty for a mere fact.
        minutes: What it counted; None where it counted none.
    """

    rule: str
    text: str
    params: Mapping[str, str] = field(default_factory=dict)
    article: str = ""
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class DayResult:
    """What became of a person's day.

    Attributes:
        clock_in: First punch of the day (aware), None without one.
        clock_out: Last punch that is a departure, None without one.
        punch_ids: The punches that were given to this day, in order of time.
        outside_ids: Punches of the date that lie in the window of no shift: they count for nothing.
        unsure_ids: Those of both whose time cannot be relied upon.
        suggested_out: Of a forgotten departure, the one that the shift suggests; else None.
        minutes: Whole minutes by kind; a kind that is missing is 0.
        is_final: Whether nothing that time alone brings can change it: the window has closed.
        ruleset: What it was judged by.
        entered: Leave that somebody entered for this very date, which stays with it; None where nobody did.
    """

    work_date: date
    status: DayStatus
    clock_in: datetime | None
    clock_out: datetime | None
    punch_ids: tuple[int, ...]
    minutes: Mapping[Minutes, int]
    reasons: tuple[Reason, ...]
    kind: DayKind
    shift: str
    is_final: bool
    ruleset: str
    outside_ids: tuple[int, ...] = ()
    unsure_ids: tuple[int, ...] = ()
    suggested_out: datetime | None = None
    entered: DayStatus | None = None

    def count(self, kind: Minutes) -> int:
        """Return the minutes of a kind."""
        return self.minutes.get(kind, 0)


def is_unplanned(result: DayResult) -> bool:
    """Return whether a day is off only because nobody planned it."""
    return result.status is Status.OFF and any(reason.rule == "unplanned" for reason in result.reasons)
