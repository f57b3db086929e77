"""Periods as people see them: what stands in the way of closing one, what was frozen, and what came later. Frozen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ..rules.exceptions import DayException

_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar; ``str()`` gives ``2026-11``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Return the month that a person wrote. Raises InvalidInputError."""
        found = _MONTH.fullmatch(text.strip())
        if found is None or not 2000 <= int(found[1]) <= 2999:
            raise InvalidInputError(N_("“{given}” is no month: write it as 2026-11."), given=text[:40])
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month of a date."""
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return (self.first + timedelta(days=32)).replace(day=1) - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, slots=True)
class Period:
    """A month that was closed.

    Attributes:
        is_closed: False after it was opened again.
        hash: SHA-256 of everything that was frozen, as hexadecimal digits.
        rulesets: Codes of the law that its days were judged by.
        summary: What the hash covers: people with the digest of each part, totals.
    """

    id: int
    month: Month
    is_closed: bool
    closed_by: str
    closed_at: datetime
    hash: str
    rulesets: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Found:
    """An exception of a person's day or week."""

    code: str
    name: str
    exception: DayException
    blocks: bool


class ProblemKind(StrEnum):
    """What is not as it was closed."""

    HASH = "hash"
    """The row of the period, or its entry of the audit trail, is another one."""
    PART = "part"
    """What was frozen of a person is missing or was changed."""
    RULESET = "ruleset"
    RESULT = "result"
    """A result of a day is not the one that was frozen."""
    EXPORT = "export"
    """An export is not the one that was written."""
    NO_KEY = "no_key"
    """What is frozen cannot be opened here: the key is missing."""


@dataclass(frozen=True, slots=True)
class PeriodProblem:
    """One thing that is not as it was closed: whose it is, and the date or the profile."""

    kind: ProblemKind
    month: Month
    code: str = ""
    work_date: date | None = None
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a day of a closed period is now, and was when it was last paid.

    Attributes:
        month: The closed period that the day lies in.
        before, after: The day as it is frozen; see :func:`.freezing.frozen_day`. Empty where there was or is none.
        minutes: Differences by kind, those that are 0 left out.
    """

    code: str
    name: str
    month: Month
    work_date: date
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    minutes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PeriodCheck:
    """What a look at a period found.

    Attributes:
        period: None where it was never closed.
        people, days: How many results it has.
        unfinished: Days that time alone may still change, with the code of the employee.
        unpayable: Days whose overtime passes the last step of the law, with the code of the employee.
        found: Exceptions, critical ones first.
        adjustments: Of earlier periods, which this one would carry.
        problems: Of a closed one.
    """

    month: Month
    period: Period | None
    is_over: bool
    people: int
    days: int
    unfinished: tuple[tuple[str, date], ...]
    unpayable: tuple[tuple[str, date], ...]
    found: tuple[Found, ...]
    adjustments: tuple[Adjustment, ...]
    problems: tuple[PeriodProblem, ...] = ()

    @property
    def blocking(self) -> tuple[Found, ...]:
        """The critical exceptions."""
        return tuple(each for each in self.found if each.blocks)

    @property
    def can_close(self) -> bool:
        """Whether nothing stands in the way."""
        return self.is_over and not (self.unfinished or self.unpayable or self.blocking or self.problems)


@dataclass(frozen=True, slots=True)
class Reopening:
    """A wish to open a closed period again; another person confirms it."""

    id: int
    month: Month
    period_id: int
    reason: str
    asked_by: str
    asked_at: datetime
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class PeriodFile:
    """An export.

    Attributes:
        name: Of the file, as ``period-2026-11-csv.csv``.
        digest: SHA-256 of its bytes.
    """

    name: str
    profile: str
    content: bytes
    digest: str
