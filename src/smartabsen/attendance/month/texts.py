"""What signs of the grid mean, for its legend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...kernel.i18n import N_
from .model import Sign

SIGNS: Final[Mapping[Sign, str]] = {
    Sign.PRESENT: N_("Present"),
    Sign.LATE: N_("Late"),
    Sign.EXCUSED: N_("Excused"),
    Sign.SICK: N_("Sick"),
    Sign.LEAVE: N_("On leave"),
    Sign.DUTY: N_("On duty elsewhere"),
    Sign.OFF: N_("Day off"),
    Sign.HOLIDAY: N_("Holiday"),
    Sign.PENDING: N_("Not yet"),
    Sign.ABSENT: N_("Absent without leave"),
    Sign.OUTSIDE: N_("Outside the employment"),
    Sign.UNKNOWN: N_("Not judged"),
}
