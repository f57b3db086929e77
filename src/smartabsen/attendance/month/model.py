"""The month as frozen data: totals of people and departments, the grid with its signs, lateness and Alpa."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ..close.recap import Recap
from ..rules.model import DayResult


class Sign(StrEnum):
    """What stands in a cell of the grid."""

    PRESENT = "H"
    LATE = "T"
    EXCUSED = "I"
    SICK = "S"
    LEAVE = "C"
    DUTY = "D"
    OFF = "L"
    HOLIDAY = "N"
    PENDING = "B"
    ABSENT = "A"
    OUTSIDE = "x"
    """Before the person joined, or after the last day."""
    UNKNOWN = "-"
    """Employed, and no result: a date that nobody has judged."""


@dataclass(frozen=True, slots=True)
class PersonDays:
    """A person and their days in a period.

    Attributes:
        department: Code of the last date of the period on which the person was employed; empty without one.
        employed: The dates that lie inside of the employment.
        days: Results by date; a date without one is missing.
    """

    employee_id: int
    code: str
    name: str
    department: str
    employed: frozenset[date]
    days: Mapping[date, DayResult]


@dataclass(frozen=True, slots=True)
class PersonRecap:
    """What the days of one person add up to."""

    employee_id: int
    code: str
    name: str
    department: str
    recap: Recap


@dataclass(frozen=True, slots=True)
class DepartmentRecap:
    """What the days of the people of one department add up to; the empty code is for who has none."""

    department: str
    people: int
    recap: Recap


@dataclass(frozen=True, slots=True)
class SignRow:
    """One person's line of the grid: a sign for each date of the period."""

    employee_id: int
    code: str
    name: str
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How often and how long somebody came late in a period."""

    employee_id: int
    code: str
    name: str
    department: str
    days: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Absence:
    """The days on which somebody was expected and did not come.

    Attributes:
        never_came: Whether the person came on no day of the period.
    """

    employee_id: int
    code: str
    name: str
    department: str
    dates: tuple[date, ...]
    never_came: bool
