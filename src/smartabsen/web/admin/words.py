"""Codes as people read them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask_babel import format_date, format_time, to_user_timezone

from ...kernel.domain import PunchMethod, Role, Status
from ...kernel.i18n import N_, _, current_language
from ...kernel.messages import STATUSES

_METHODS: Final = {
    PunchMethod.FACE: N_("Face"),
    PunchMethod.MANUAL: N_("By hand"),
    PunchMethod.PIN: N_("Phone and PIN"),
    PunchMethod.CORRECTION: N_("Correction"),
    PunchMethod.VOID: N_("Taken out"),
}
_ROLES: Final = {Role.ADMIN: N_("Administrator"), Role.VIEWER: N_("Viewer")}


def clock(at: datetime, *, seconds: bool = False) -> str:
    """Return a clock time of the site in 24 hours, as people in Indonesia read it in either language."""
    separator = "." if current_language() == "id" else ":"
    return str(format_time(at, separator.join(("HH", "mm", "ss") if seconds else ("HH", "mm"))))


def moment(at: datetime) -> str:
    """Return date and clock time of the site."""
    return f"{format_date(to_user_timezone(at), 'medium')}, {clock(at)}"


def describe_method(method: PunchMethod) -> str:
    """Return how a punch came about."""
    return _(_METHODS[method])


def describe_role(role: Role) -> str:
    """Return the name of a role."""
    return _(_ROLES[role])


def status_text(status: Status | None) -> str:
    """Return the name of a status; what is not there has one, too."""
    return _("Absent") if status is None else _(STATUSES[status])
