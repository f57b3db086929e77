"""What results of days are called: kinds of minutes, and the words of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...kernel.i18n import N_
from ..rules.model import Minutes

MINUTES: Final[Mapping[Minutes, str]] = {
    Minutes.EXPECTED: N_("Expected"),
    Minutes.WORKED: N_("Worked"),
    Minutes.BREAK: N_("Break"),
    Minutes.UNCOUNTED: N_("Not counted"),
    Minutes.LATE: N_("Late"),
    Minutes.EARLY: N_("Left early"),
    Minutes.MISSING: N_("Missing"),
    Minutes.OVERTIME: N_("Overtime"),
    Minutes.OVERTIME_APPROVED: N_("Overtime approved"),
    Minutes.LEAVE: N_("Leave"),
}
