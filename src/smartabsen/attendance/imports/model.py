"""Lines of files with punches, and what became of each. Frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a line, or would."""

    NEW = "new"
    ADJUSTMENT = "adjustment"
    """New, and its day lies in a closed month: it goes into the next one as an adjustment."""
    KNOWN = "known"
    """The same device, PIN and time was taken in before, or stands above in the file."""
    UNKNOWN_PIN = "unknown_pin"
    """Nobody has this PIN as code."""
    FUTURE = "future"
    UNREADABLE = "unreadable"


TAKEN = frozenset({Verdict.NEW, Verdict.ADJUSTMENT})


@dataclass(frozen=True, slots=True)
class PunchLine:
    """A line of a file.

    Attributes:
        line: Where it stands; the first is 1.
        pin: By which the device knows the person: text, so ``00123`` stays what it is.
        at: Reading of the device's clock, without a zone; None where it cannot be read.
        device: Its name or serial number; empty where the file does not say.
    """

    line: int
    pin: str
    at: datetime | None
    device: str = ""


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """What became of one line; ``code`` is the employee's."""

    line: PunchLine
    verdict: Verdict
    code: str = ""


@dataclass(frozen=True, slots=True)
class ImportedPunches:
    """What became of a file.

    Attributes:
        counts: Lines by verdict.
        unknown_pins: PINs that nobody has, with how many lines each.
        lines: The verdict of each line, in the order of the file.
    """

    counts: Mapping[Verdict, int]
    unknown_pins: Mapping[str, int]
    lines: tuple[LineVerdict, ...]
    dry_run: bool = False

    @property
    def taken(self) -> int:
        """How many punches were stored, or would be."""
        return sum(self.counts.get(each, 0) for each in TAKEN)
