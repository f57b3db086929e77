"""What a firm decides of its working time where the law leaves it open: the known policies, and their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Final

from ...kernel.errors import InvalidInputError, NotFoundError
from ...kernel.i18n import N_
from ..rules.exceptions import DEFAULT_RULES, ExceptionKind, Severity
from ..rules.overtime import HourRounding, PastTiers
from ..standing import Scope

_YES: Final = "yes"
_NO: Final = "no"
INHERIT: Final = "inherit"
"""The value by which a scope says nothing any more: the next wider one holds again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The policies in force for a person on a date; the defaults are what holds where nobody decided.

    Attributes:
        hour_rounding: What becomes of the hour's wage before it is multiplied.
        past_tiers: What becomes of overtime past the last step of the law.
        grace: Minutes after the start that are not late yet, where the shift says nothing.
        min_departure: Minutes after the arrival from which a punch is a departure.
        same_punch: Minutes within which a further punch repeats the one before.
        overtime_least: Overtime shorter than this is not counted.
        food: Minutes of overtime on a day from which food is due.
        break_by_law: Whether the least break of the law is taken off where none was planned or recorded.
        critical: Exceptions that keep a month from being closed.
        unordered_grace: Minutes of overtime without an order that are no exception yet.
        exception_window: Days after the date for which an exception is raised; 0 for always.
        leave_steps: Approvals that a request for leave needs.
        leave_notice: Days that leave must be asked for ahead.
        leave_in_a_row: Days of one request at most; 0 without a limit.
        annual_days: Days of annual leave that are granted for each year of service.
        annual_by_night: Whether a server grants them by itself on the day that they are due.
    """

    hour_rounding: HourRounding = HourRounding.EXACT
    past_tiers: PastTiers = PastTiers.REFUSE
    grace: int = 0
    min_departure: int = 1
    same_punch: int = 2
    overtime_least: int = 0
    food: int = 240
    break_by_law: bool = False
    critical: frozenset[ExceptionKind] = frozenset(
        kind for kind, rule in DEFAULT_RULES.items() if rule.severity is Severity.CRITICAL
    )
    unordered_grace: int = DEFAULT_RULES[ExceptionKind.OVERTIME_UNORDERED].grace
    exception_window: int = 0
    leave_steps: int = 2
    leave_notice: int = 0
    leave_in_a_row: int = 0
    annual_days: int = 12
    annual_by_night: bool = False


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """A policy that the program knows.

    Attributes:
        name: As in ``KEY=VALUE``.
        about: Message id of a sentence.
        least, most: Range of a number; None for one that is chosen from words.
        words: What it may be; empty for a number.
        many: Whether several of the words may stand together, with commas.
    """

    name: str
    about: str
    least: int = 0
    most: int = 0
    words: tuple[str, ...] = ()
    many: bool = False

    @property
    def allowed(self) -> str:
        """What it may be, for people."""
        if not self.words:
            return f"{self.least}-{self.most}"
        return (", " if self.many else " | ").join(self.words)

    @property
    def default(self) -> str:
        """The value that holds where nobody decided, as it is written."""
        return written(getattr(Policy(), self.name))

    def check(self, value: str) -> str:
        """Return a value as it is stored.

        Raises:
            InvalidInputError: It is out of range, or not one of the words.
        """
        given = value.strip().lower()
        if given == INHERIT:
            return given
        if self.words:
            chosen = [each.strip() for each in given.split(",") if each.strip()] if self.many else [given]
            if all(each in self.words for each in chosen):
                return ",".join(each for each in self.words if each in chosen)
        elif given.isascii() and given.isdecimal() and self.least <= int(given) <= self.most:
            return str(int(given))
        raise InvalidInputError(
            N_("{key} cannot be “{value}”; it may be: {allowed}."),
            key=self.name,
            value=value[:40],
            allowed=self.allowed,
        )

    def read(self, stored: str) -> object:
        """Return a stored value as :class:`Policy` has it."""
        if self.name == "hour_rounding":
            return HourRounding(stored)
        if self.name == "past_tiers":
            return PastTiers(stored)
        if self.many:
            return frozenset(ExceptionKind(each) for each in stored.split(",") if each)
        return stored == _YES if self.words else int(stored)


KEYS: Final[Mapping[str, PolicyKey]] = {
    key.name: key
    for key in (
        PolicyKey(
            "hour_rounding",
            N_("What becomes of the hour's wage before it is multiplied; the ministry cuts it (floor)."),
            words=tuple(HourRounding),
        ),
        PolicyKey(
            "past_tiers",
            N_("Overtime past the last step of the law: refuse it, or pay it four times."),
            words=tuple(PastTiers),
        ),
        PolicyKey("grace", N_("Minutes after the start that are not late yet, where the shift says nothing."), 0, 180),
        PolicyKey("min_departure", N_("Minutes after the arrival from which a punch is a departure."), 0, 720),
        PolicyKey("same_punch", N_("Minutes within which a further punch repeats the one before."), 0, 60),
        PolicyKey("overtime_least", N_("Overtime of fewer minutes is not counted."), 0, 240),
        PolicyKey("food", N_("Minutes of overtime on a day from which food is due; the law says 240."), 0, 240),
        PolicyKey(
            "critical",
            N_("Exceptions that keep a month from being closed until somebody settled them."),
            words=tuple(ExceptionKind),
            many=True,
        ),
        PolicyKey(
            "break_by_law",
            N_("Whether the break that the law demands is taken off where none was planned or recorded."),
            words=(_YES, _NO),
        ),
        PolicyKey("unordered_grace", N_("Minutes of overtime without an order that are no exception yet."), 0, 240),
        PolicyKey("exception_window", N_("Days after a date for which its exceptions are raised; 0: always."), 0, 366),
        PolicyKey("leave_steps", N_("Approvals that leave needs, each by somebody else."), 1, 2),
        PolicyKey("leave_notice", N_("Days that leave from a balance must be asked for ahead."), 0, 90),
        PolicyKey("leave_in_a_row", N_("Days of one request for leave from a balance; 0 without a limit."), 0, 60),
        PolicyKey("annual_days", N_("Days of annual leave after each twelve months; by law 12."), 12, 60),
        PolicyKey(
            "annual_by_night",
            N_("Whether a server grants annual leave by itself on the day it is due."),
            words=(_YES, _NO),
        ),
    )
}
"""All policies, by name."""


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """A decision: from a date on, a policy has a value for somebody.

    Attributes:
        scope_id: Row id of the site, department or person; 0 for the firm.
        of: Code of that site, department or person; empty for the firm.
    """

    id: int
    name: str
    value: str
    scope: Scope
    scope_id: int
    of: str
    valid_from: date
    set_by: str
    set_at: datetime


def get_key(name: str) -> PolicyKey:
    """Return a policy by its name.

    Raises:
        NotFoundError: There is none.
    """
    key = KEYS.get(name.strip().lower())
    if key is None:
        raise NotFoundError(N_("There is no policy “{name}”; known are: {known}."), name=name, known=", ".join(KEYS))
    return key


def written(value: object) -> str:
    """Return a value of a policy as people write it."""
    if isinstance(value, frozenset):
        return ",".join(each for each in ExceptionKind if each in value)
    if isinstance(value, bool):
        return _YES if value else _NO
    return str(value)


assert {field.name for field in fields(Policy)} == set(KEYS), "each policy has a key and a field"
