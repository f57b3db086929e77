"""Codes as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from flask_babel import format_date, format_time, to_user_timezone

from ...domain import PhotoVerdict, PunchMethod, Role, Status
from ...i18n import N_, _, current_language
from ...messages import STATUSES, describe_outcome, fill

_METHODS: Final = {
    PunchMethod.FACE: N_("Face"),
    PunchMethod.MANUAL: N_("By hand"),
    PunchMethod.PIN: N_("Phone and PIN"),
    PunchMethod.CORRECTION: N_("Correction"),
    PunchMethod.VOID: N_("Taken out"),
}
_ROLES: Final = {Role.ADMIN: N_("Administrator"), Role.VIEWER: N_("Viewer")}
_ACTIONS: Final = {
    "attendance.export": N_("Attendance exported"),
    "checkin.other_face": N_("Another face than the phone's owner"),
    "employee.activate": N_("Employee activated"),
    "employee.deactivate": N_("Employee deactivated"),
    "employee.edit": N_("Employee edited"),
    "employee.enrol": N_("Employee enrolled"),
    "employee.rename": N_("Employee renamed"),
    "leave.enter": N_("Leave entered"),
    "leave.take_back": N_("Leave taken back"),
    "model.forget": N_("Taken out of the model"),
    "model.train": N_("Model trained"),
    "model.train_start": N_("Training started"),
    "phone.invite": N_("Phone invited"),
    "phone.pair": N_("Phone paired"),
    "phone.revoke": N_("Phone revoked"),
    "pin.remove": N_("PIN removed"),
    "pin.set": N_("PIN set"),
    "pin.wrong": N_("Wrong PIN"),
    "punch.correction": N_("Time corrected"),
    "punch.manual": N_("Punch by hand"),
    "punch.void": N_("Punch taken out"),
    "user.add": N_("User added"),
    "user.disable": N_("User disabled"),
    "user.enable": N_("User enabled"),
    "user.locked": N_("Account locked"),
    "user.login": N_("Logged in"),
    "user.login_failed": N_("Wrong password"),
    "user.logout": N_("Logged out"),
    "user.passwd": N_("Password set"),
    "user.role": N_("Role changed"),
    "user.setup": N_("First administrator made"),
    "user.setup_secret": N_("Setup secret made"),
}


_KINDS: Final = {
    "": N_("Everything"),
    "attendance.": N_("Exports"),
    "employee.": N_("Employees"),
    "leave.": N_("Leave"),
    "model.": N_("Trainings"),
    "phone.": N_("Phones"),
    "pin.": N_("PINs"),
    "punch.": N_("Punches and corrections"),
    "user.": N_("Users"),
}


_DETAILS: Final = {
    "date": N_("date"),
    "from": N_("from"),
    "to": N_("to"),
    "days": N_("days"),
    "at": N_("time"),
    "before": N_("before"),
    "after": N_("afterwards"),
    "name_before": N_("name before"),
    "name_after": N_("name afterwards"),
    "position_before": N_("position before"),
    "position_after": N_("position afterwards"),
    "reason": N_("reason"),
    "note": N_("note"),
    "day_before": N_("the day before it"),
    "day_after": N_("the day afterwards"),
    "punch": N_("punch"),
    "entry": N_("entry"),
    "role": N_("role"),
    "phone": N_("phone"),
    "label": N_("name"),
    "kiosk": N_("kiosk"),
    "face_of": N_("face of"),
    "format": N_("format"),
    "rows": N_("rows"),
    "photos": N_("pictures"),
    "model": N_("model"),
}
"""Details of the audit trail, in the order in which they are read."""


def clock(at: datetime, *, seconds: bool = False) -> str:
    """Return a clock time of the site in 24 hours, as people in Indonesia read it in either language."""
    separator = "." if current_language() == "id" else ":"
    return str(format_time(at, separator.join(("HH", "mm", "ss") if seconds else ("HH", "mm"))))


def moment(at: datetime) -> str:
    """Return date and clock time of the site."""
    return f"{format_date(to_user_timezone(at), 'medium')}, {clock(at)}"


def describe_kind(kind: str) -> str:
    """Return the name of a kind of entries of the audit trail."""
    return _(_KINDS[kind])


def describe_details(details: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the details of an entry of the audit trail that say something: names (bare where unknown) and values."""
    order = [*(name for name in _DETAILS if name in details), *(name for name in details if name not in _DETAILS)]
    return [(_(_DETAILS[name]) if name in _DETAILS else name, details[name]) for name in order if details[name]]


def describe_verdict(verdict: PhotoVerdict) -> tuple[str, str]:
    """Return what became of a picture and what to do; both may name the employee whom the face looks like."""
    sentence, next_step = describe_outcome(verdict.outcome)
    if verdict.detail:
        sentence = fill(verdict.detail, verdict.params)
    if verdict.copy_of:
        text = N_("Nearly the same as {photo}, and teaches nothing new. Take one in other light, or turned a little.")
        return sentence, _(text, photo=verdict.copy_of)
    if verdict.accepted and verdict.quality is not None and verdict.quality.covered:
        return sentence, _("Mouth and chin seem to be covered. Without a mask people are recognised better.")
    if verdict.similar_to is None:
        return sentence, next_step
    who = _("Looks like {name} ({code}).", name=verdict.similar_to.name, code=verdict.similar_to.code)
    return sentence, f"{who} {next_step}"


def describe_method(method: PunchMethod) -> str:
    """Return how a punch came about."""
    return _(_METHODS[method])


def describe_role(role: Role) -> str:
    """Return the name of a role."""
    return _(_ROLES[role])


def describe_action(action: str) -> str:
    """Return what an entry of the audit trail tells of; the bare word where it is another program's."""
    known = _ACTIONS.get(action)
    return _(known) if known is not None else action


def status_text(status: Status | None) -> str:
    """Return the name of a status; what is not there has one, too."""
    return _("Absent") if status is None else _(STATUSES[status])
