"""Punches, days and reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from .people import Employee
from .words import Outcome, PunchMethod, Status


@dataclass(frozen=True, slots=True)
class Punch:
    """One raw clock event. It is never changed.

    Attributes:
        id: Row id; 0 before it is stored.
        employee_id: Who, by row id.
        at: UTC instant, whole seconds or finer.
        work_date: Local work date that it counts for.
        method: How.
        kiosk: Name of the kiosk or of the person's machine.
        key: Idempotency key, unique: the same attempt stored twice is one row.
        similarity: Cosine of the decision, None for methods without a face.
        model_digest: Digest of the embedder, empty without a face.
        note: Why, for manual punches.
        liveness: Score of the liveness check, None where none was made.
        status: The day's status as it was when the punch was stored: what the person was told. None before that.
        supersedes: Id of the punch that this one replaces or takes out; that one stays as it is and no longer counts.
        clock_trusted: Whether the machine's clock was right: near the database server's, or, where there is no server,
            neither set back nor before this program was written.
        clock_offset_s: Seconds that the machine's clock was ahead of the database server's, which ``at`` follows; None
            where no server told the time, and ``at`` is the machine's own.
        taken_at: Reading of the machine's steady clock at the attempt, only while it waits in a queue.
        person: Of an attempt: UUID of the employee, which decides; empty where only the row id is known.
        code: Of an attempt: the employee's code when it was made, for people.
    """

    id: int
    employee_id: int
    at: datetime
    work_date: date
    method: PunchMethod
    kiosk: str
    key: str
    similarity: float | None = None
    model_digest: str = ""
    note: str = ""
    liveness: float | None = None
    status: Status | None = None
    supersedes: int | None = None
    clock_trusted: bool = True
    clock_offset_s: float | None = None
    taken_at: str = ""
    person: str = ""
    code: str = ""

    @property
    def time_is_sure(self) -> bool:
        """Whether ``at`` can be relied upon: a right clock, the server's time, or a person's word."""
        return self.clock_trusted or self.clock_offset_s is not None or self.method is PunchMethod.CORRECTION


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A look at the clock; see :class:`Punch` for what each part means."""

    at: datetime
    trusted: bool = True
    offset_s: float | None = None
    taken_at: str = ""


@dataclass(frozen=True, slots=True)
class AttendanceDay:
    """One employee's day, derived from punches or entered as leave.

    Attributes:
        clock_in: First punch, UTC; None on a day of leave without a punch.
        clock_out: Last punch that is late enough to be a departure, UTC.
        late_minutes: Whole minutes after the start of work, 0 within the grace.
        worked_minutes: Whole minutes between both, 0 without a departure.
    """

    employee_id: int
    work_date: date
    clock_in: datetime | None
    clock_out: datetime | None
    status: Status
    late_minutes: int = 0
    worked_minutes: int = 0


@dataclass(frozen=True, slots=True)
class PunchResult:
    """The answer to an attempt to punch.

    Attributes:
        outcome: RECOGNIZED when a punch was stored (or had been stored under the same key), ALREADY_RECORDED within
            the cooldown.
        punch: The punch that counts: the new one, or the one that stands.
        day: The day as it is now.
        new: Whether this attempt stored the punch, and not an earlier one with the same key.
    """

    outcome: Outcome
    employee: Employee
    punch: Punch
    day: AttendanceDay
    new: bool = False


@dataclass(frozen=True, slots=True)
class ReportDay:
    """One line of a report: a day with the employee's code and name; times are local to the site.

    Attributes:
        status: None where somebody was expected and did not come.
    """

    code: str
    name: str
    work_date: date
    clock_in: datetime | None
    clock_out: datetime | None
    status: Status | None
    late_minutes: int
    worked_minutes: int


@dataclass(frozen=True, slots=True)
class ReportTotal:
    """Sums of one employee over the period of a report."""

    code: str
    name: str
    present: int
    late: int
    excused: int
    sick: int
    absent: int
    late_minutes: int
    worked_minutes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Days and totals from ``first`` to ``last``, both included, in the zone of the site."""

    first: date
    last: date
    zone: str
    days: tuple[ReportDay, ...]
    totals: tuple[ReportTotal, ...]
