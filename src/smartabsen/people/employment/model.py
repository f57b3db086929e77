"""What was agreed with people, as frozen data: dated rows, and what holds for one person on one date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

BEGINNING: Final = date(1970, 1, 1)
"""Since when holds what was said of somebody for the first time, without a date."""
WEEKS: Final = (5, 6)
"""How many days a week of work may have (PP 35/2021, art. 21)."""
USUAL_WEEK: Final = 5


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed from a date on; None says nothing of it, so what an earlier row says goes on.

    Attributes:
        valid_from: First day.
        site_id, department_id: Row ids.
        week: Days of work in a week, 5 or 6.
        shortest_day: Weekday of the shortest day of a week of six, Monday being 0.
        exempt: Clause of PK, PP or PKB by which overtime is not paid (PP 35/2021, art. 27); empty: it is paid.
    """

    valid_from: date
    site_id: int | None = None
    department_id: int | None = None
    week: int | None = None
    shortest_day: int | None = None
    exempt: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an id of a site or a department leads, for people.

    Attributes:
        zone: IANA name, of a site only.
    """

    id: int
    code: str
    name: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Employment:
    """What holds for one person on one date.

    Attributes:
        code, name: As they are today.
        site: Code; the first site where nobody said another one. Empty only before there is any.
        zone: IANA name of the zone of the site.
        department: Code; empty without one.
        week, shortest_day, exempt: As in :class:`Agreed`; what was never said is 5, None and empty.
        joined, left: First and last day of the employment; None where unknown.
    """

    employee_id: int
    code: str
    name: str
    work_date: date
    site_id: int | None
    site: str
    zone: str
    department_id: int | None
    department: str
    week: int
    shortest_day: int | None
    exempt: str
    joined: date | None
    left: date | None

    @property
    def is_employed(self) -> bool:
        """Whether the date lies between joining and leaving, both included."""
        return (self.joined is None or self.joined <= self.work_date) and (
            self.left is None or self.work_date <= self.left
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """What shall be different for a person; None leaves it alone.

    Attributes:
        site, department: Codes.
        week, shortest_day, exempt: As in :class:`Agreed`.
        joined, left: First and last day of the employment.
        stays: Takes a last day back.
    """

    site: str | None = None
    department: str | None = None
    week: int | None = None
    shortest_day: int | None = None
    exempt: str | None = None
    joined: date | None = None
    left: date | None = None
    stays: bool = False

    @property
    def is_dated(self) -> bool:
        """Whether anything in it holds from a date on."""
        return any(value is not None for value in self.dated.values())

    @property
    def dated(self) -> dict[str, object]:
        """What holds from a date on, by name."""
        return {
            "site": self.site,
            "department": self.department,
            "week": self.week,
            "shortest_day": self.shortest_day,
            "exempt": self.exempt,
        }

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.is_dated and self.joined is None and self.left is None and not self.stays


NO_CHANGES: Final = Changes()


@dataclass(frozen=True, slots=True)
class Wage:
    """Parts of a wage in whole rupiah: by the month, or by the day.

    Attributes:
        basic: Basic pay of a month.
        fixed, variable: Allowances of a month: those that are always paid, and those that depend on attendance.
        daily: Pay of a day; None where the wage is a month's.
    """

    basic: int = field(default=0, repr=False)
    fixed: int = field(default=0, repr=False)
    variable: int = field(default=0, repr=False)
    daily: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DatedWage:
    """A wage and the first day on which it holds."""

    valid_from: date
    wage: Wage
