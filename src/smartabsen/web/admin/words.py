"""Codes as people read them."""

from __future__ import annotations

from typing import Final

from ...domain import PhotoVerdict, PunchMethod, Role, Status
from ...i18n import N_, _
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


def describe_kind(kind: str) -> str:
    """Return the name of a kind of entries of the audit trail."""
    return _(_KINDS[kind])


def describe_verdict(verdict: PhotoVerdict) -> tuple[str, str]:
    """Return what became of a picture and what to do; both may name the employee whom the face looks like."""
    sentence, next_step = describe_outcome(verdict.outcome)
    if verdict.detail:
        sentence = fill(verdict.detail, verdict.params)
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
