"""Leave as people see it: requests, their days and steps, the ledger. Frozen; amounts are whole half days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from ...kernel.errors import InvalidInputError, SmartAbsenError
from ...kernel.i18n import N_
from ..rules.model import Portion

FULL_DAY = 2
"""Half days of a whole one."""


class RequestState(StrEnum):
    """What became of a request."""

    REQUESTED = "requested"
    """It waits for its first approval, or for its last one."""
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Entry(StrEnum):
    """Kinds of rows of the ledger."""

    GRANT = "grant"
    CARRY = "carry"
    """Days of the year before that may still be taken."""
    ADJUST = "adjust"
    TAKE = "take"
    """Days of leave; above zero where days are given back."""
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Letter:
    """An attachment: its file name and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class LeaveAsk:
    """What somebody asks for.

    Attributes:
        kind: Code of the kind.
        first, last: Both included; days off between them are not counted.
        portion: Half of each day, or all of it.
        letter: An attachment.
    """

    kind: str
    first: date
    last: date
    portion: Portion = Portion.FULL
    note: str = ""
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A row of the ledger.

    Attributes:
        account: Code of the balance.
        half_days: Above zero gives, below zero takes.
        day: The day of leave of a TAKE; of other entries the day they were made for.
        expires_on: Last day on which what it gives can be taken; None for ever.
        request_id: Of a TAKE.
        lot_id: Of an EXPIRE: the entry whose rest is gone.
    """

    id: int
    account: str
    entry: Entry
    half_days: int
    day: date
    expires_on: date | None = None
    request_id: int | None = None
    lot_id: int | None = None
    note: str = ""
    actor: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeaveStep:
    """What somebody decided about a request: ``approve``, ``reject``, ``withdraw``, ``add`` (by HR), ``recount``."""

    decision: str
    actor: str
    in_place_of: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """A request for leave.

    Attributes:
        kind, label: Code of the kind, and what people call it.
        account: Balance that it takes from; empty for none.
        half_days: What it counts: days on which the person works; a half day is 1.
        steps_wanted, steps_done: Approvals it needs, and has.
        steps: Decisions, the oldest first; filled where one request is looked at.
        letters: Names of its attachments; likewise.
    """

    id: int
    employee_id: int
    code: str
    name: str
    kind: str
    label: str
    account: str
    first: date
    last: date
    portion: Portion
    half_days: int
    state: RequestState
    steps_wanted: int
    steps_done: int
    note: str
    asked_by: str
    asked_at: datetime
    steps: tuple[LeaveStep, ...] = ()
    letters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaveBalance:
    """What somebody has left of one account.

    Attributes:
        half_days: The sum of the ledger.
        held: Of requests that have an approval and wait for the last one.
        entries: The ledger, the oldest first.
    """

    account: str
    label: str
    half_days: int
    held: int
    entries: tuple[LedgerEntry, ...]

    @property
    def free(self) -> int:
        """Half days that can still be approved."""
        return self.half_days - self.held


@dataclass(frozen=True, slots=True)
class LeaveSum:
    """Half days of leave of one person.

    Attributes:
        taken: In a range, by kind.
        left: Now, by account.
    """

    taken: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recounted:
    """A request whose days changed, as after a holiday was added.

    Attributes:
        given_back: Half days that it takes less now; below zero where it takes more.
    """

    request: LeaveRequest
    given_back: int


@dataclass(frozen=True, slots=True)
class BulkLeave:
    """What became of leave that was entered for many: requests, and for whom it was refused and why."""

    added: tuple[LeaveRequest, ...]
    refused: tuple[tuple[str, str, SmartAbsenError], ...]
    """Code, name and reason."""


def parse_days(text: str) -> int:
    """Return half days of a number of days that a person wrote: ``12``, ``0.5``, ``-1,5``.

    Raises:
        InvalidInputError: It is no number of whole or half days.
    """
    try:
        halves = Fraction(text.strip().replace(",", ".")) * FULL_DAY
    except (ValueError, ZeroDivisionError):
        halves = Fraction(1, 3)
    if halves.denominator != 1 or abs(halves) > FULL_DAY * 366:
        raise InvalidInputError(N_("“{given}” is no number of days: write 12 or 0.5."), given=text[:40])
    return int(halves)


def days_text(half_days: int) -> str:
    """Return half days as days: ``12``, ``0.5``, ``-1.5``."""
    whole, half = divmod(abs(half_days), FULL_DAY)
    return f"{'-' if half_days < 0 else ''}{whole}{'.5' if half else ''}"


def total(entries: Iterable[LedgerEntry]) -> int:
    """Return a balance: the sum of its entries, in half days."""
    return sum(each.half_days for each in entries)
