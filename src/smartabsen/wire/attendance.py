"""Punches, days and reports, and the lines of a kiosk."""

from __future__ import annotations

from typing import Any, Self

from pydantic import AliasPath, Field

from ..kernel import domain
from .base import CosineOrNone, Instant, LocalTime, Seconds, Wire, WorkDate
from .people import Person


class Punched(Wire):
    """The answer to a punch, with the sentence that greets the person."""

    outcome: domain.Outcome
    employee: Person
    at: Instant = Field(validation_alias=AliasPath("punch", "at"))
    method: domain.PunchMethod = Field(validation_alias=AliasPath("punch", "method"))
    date: WorkDate = Field(validation_alias=AliasPath("day", "work_date"))
    status: domain.Status = Field(validation_alias=AliasPath("day", "status"))
    late_minutes: int = Field(validation_alias=AliasPath("day", "late_minutes"))
    clock_trusted: bool = Field(validation_alias=AliasPath("punch", "clock_trusted"))
    clock_offset_s: float | None = Field(validation_alias=AliasPath("punch", "clock_offset_s"))
    message: str


class Decision(Wire):
    """One line of a kiosk: a decision on a person."""

    event: domain.KioskEventKind = Field(validation_alias="kind")
    outcome: domain.Outcome
    employee: Person | None
    at: Instant
    date: WorkDate | None
    status: domain.Status | None
    similarity: CosineOrNone
    covered: bool
    track: int | None
    message: str

    @classmethod
    def of(cls, value: domain.KioskDecision | domain.KioskDelivered, /, **more: Any) -> Self:
        """Make it of a decision, or of one that was delivered from the queue."""
        result: domain.PunchResult | None = value.result
        decided = None if isinstance(value, domain.KioskDelivered) else value
        return super().of(
            value,
            employee=result.employee if result else decided and decided.employee,
            date=result.day.work_date if result else None,
            status=result.day.status if result else None,
            covered=bool(decided and decided.covered),
            track=decided and decided.track,
            **more,
        )


class Prompt(Wire):
    """One line of a kiosk: what the person of a track is asked to do, to prove that they are there."""

    event: domain.KioskEventKind = Field(validation_alias="kind")
    prompt: domain.LivenessPrompt = Field(validation_alias=AliasPath("request", "prompt"))
    stage: domain.MovementStage = Field(validation_alias=AliasPath("request", "stage"))
    step: int = Field(validation_alias=AliasPath("request", "step"))
    steps: int = Field(validation_alias=AliasPath("request", "steps"))
    at: Instant
    track: int
    employee: Person | None
    message: str


class CameraEvent(Wire):
    """One line of a kiosk: its camera gives no picture that is of any use, or gives one again."""

    event: domain.KioskEventKind = Field(validation_alias="kind")
    at: Instant
    camera: str | None
    message: str


class KioskSummary(Wire):
    """The last line of a kiosk."""

    event: domain.KioskEventKind = domain.KioskEventKind.SUMMARY
    frames: int
    seconds: Seconds
    recorded: int
    already_recorded: int
    refused: int
    pending: int
    lost: int
    reason: str


class ReportDay(Wire):
    """A day of a report; ``jam_masuk`` and ``jam_pulang`` are local times of the site, as in the database."""

    code: str
    name: str
    date: WorkDate = Field(validation_alias="work_date")
    jam_masuk: LocalTime = Field(validation_alias="clock_in")
    jam_pulang: LocalTime = Field(validation_alias="clock_out")
    status: str
    late_minutes: int
    worked_minutes: int

    @classmethod
    def of(cls, value: domain.ReportDay, /, **more: Any) -> Self:
        """Make it of a day; one without a status is an absence."""
        return super().of(value, status=value.status.value if value.status else "absent", **more)


class ReportTotal(Wire):
    """The totals of one person."""

    code: str
    name: str
    present: int
    late: int
    excused: int
    sick: int
    absent: int
    late_minutes: int
    worked_minutes: int


class Attendance(Wire):
    """Days and totals of a report."""

    first: WorkDate = Field(serialization_alias="from")
    last: WorkDate = Field(serialization_alias="to")
    zone: str
    days: tuple[ReportDay, ...]
    totals: tuple[ReportTotal, ...]

    @classmethod
    def of(cls, value: domain.Report, /, **more: Any) -> Self:
        """Make it of a report."""
        return super().of(value, days=tuple(map(ReportDay.of, value.days)), **more)
