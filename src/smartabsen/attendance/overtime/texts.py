"""What people read of overtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...kernel.i18n import N_, _
from ..rules.overtime_caps import CapFinding

STATES: Final[Mapping[str, str]] = {
    "ordered": N_("ordered"),
    "agreed": N_("agreed, not approved yet"),
    "approved": N_("approved, without consent yet"),
    "in_force": N_("in force"),
    "cancelled": N_("taken back"),
}
FINDINGS: Final[Mapping[str, str]] = {
    "overtime.cap_day": N_("{date}: {minutes} minutes of overtime, more than {cap} a day ({article})."),
    "overtime.cap_week": N_("Week from {date}: {minutes} minutes of overtime, more than {cap} ({article})."),
}


def describe_finding(value: CapFinding) -> str:
    """Return a sentence about a cap that is exceeded."""
    return _(FINDINGS[value.rule], date=value.day, minutes=value.minutes, cap=value.cap, article=value.article)
