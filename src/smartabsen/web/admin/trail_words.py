"""The audit trail in words: what was done, of which kind it is, and its details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from ...i18n import N_, _
from ...messages import local_text
from ..library import library

ACTIONS: Final = {
    "clock.accept": N_("Clock of a machine accepted"),
    "attendance.export": N_("Attendance exported"),
    "attendance.log_replaced": N_("Log held what the database does not know"),
    "attendance.read": N_("Attendance looked at"),
    "audit.export": N_("Audit trail exported"),
    "audit.sign": N_("Unsigned rows signed"),
    "audit.signing_begins": N_("Signing began"),
    "backup.create": N_("Backup made"),
    "backup.restore": N_("Backup restored"),
    "biometric.compare": N_("Enrolled faces compared"),
    "biometric.identify": N_("Pictures compared with everybody"),
    "biometric.read": N_("Enrolled faces looked at"),
    "checkin.liveness_unavailable": N_("Liveness could not be checked"),
    "checkin.other_face": N_("Another face than the phone's owner"),
    "consent.record": N_("Consent recorded"),
    "database.copy": N_("Database copied"),
    "database.upgrade": N_("Database upgraded"),
    "employee.activate": N_("Employee activated"),
    "employee.deactivate": N_("Employee deactivated"),
    "employee.edit": N_("Employee edited"),
    "employee.enrol": N_("Employee enrolled"),
    "employee.rename": N_("Employee renamed"),
    "gallery.engine": N_("Engine changed"),
    "keys.delete_broken": N_("Broken rows deleted"),
    "keys.discard": N_("Faces without a key discarded"),
    "keys.init": N_("Key made"),
    "keys.rotate": N_("Key changed"),
    "leave.enter": N_("Leave entered"),
    "leave.take_back": N_("Leave taken back"),
    "model.calibrate": N_("Threshold chosen"),
    "model.calibrate_forget": N_("Chosen threshold dropped"),
    "model.file_replaced": N_("Damaged or planted model file made anew"),
    "model.forget": N_("Taken out of the model"),
    "model.recall": N_("Put into the model again"),
    "model.train": N_("Model trained"),
    "model.train_start": N_("Training started"),
    "phone.invite": N_("Phone invited"),
    "phone.pair": N_("Phone paired"),
    "phone.revoke": N_("Phone revoked"),
    "pin.remove": N_("PIN removed"),
    "pin.set": N_("PIN set"),
    "pin.wrong": N_("Wrong PIN"),
    "privacy.erase": N_("Person or face erased"),
    "privacy.export": N_("Personal data copied for the person"),
    "privacy.purge": N_("Old data deleted"),
    "punch.correction": N_("Time corrected"),
    "punch.face": N_("Punch by face"),
    "punch.manual": N_("Punch by hand"),
    "punch.pin": N_("Punch by phone and PIN"),
    "punch.void": N_("Punch taken out"),
    "signin.confirm": N_("Sign-in confirmed"),
    "signin.decline": N_("Sign-in declined"),
    "signin.wrong_number": N_("Wrong number at sign-in"),
    "user.add": N_("User added"),
    "user.disable": N_("User disabled"),
    "user.enable": N_("User enabled"),
    "user.locked": N_("Account locked"),
    "user.login": N_("Logged in"),
    "user.login_failed": N_("Wrong password"),
    "user.logout": N_("Logged out"),
    "user.passwd": N_("Password set"),
    "user.recovery_code": N_("Recovery code used"),
    "user.recovery_codes": N_("Recovery codes made"),
    "user.role": N_("Role changed"),
    "user.session_end": N_("Session ended"),
    "user.sessions_end": N_("Sessions ended"),
    "user.setup": N_("First administrator made"),
    "user.setup_secret": N_("Setup secret made"),
    "user.totp_locked": N_("Too many wrong codes"),
    "user.totp_off": N_("Second factor removed"),
    "user.totp_on": N_("Second factor set up"),
    "user.unknown_locked": N_("Unknown user name tried many times"),
}
KINDS: Final = {
    "": N_("Everything"),
    "attendance.": N_("Attendance"),
    "audit.": N_("Audit trail"),
    "backup.": N_("Backups"),
    "biometric.": N_("Faces looked at"),
    "checkin.": N_("Check-in"),
    "clock.": N_("Clocks"),
    "consent.": N_("Consents"),
    "database.": N_("Database"),
    "employee.": N_("Employees"),
    "gallery.": N_("Engine"),
    "keys.": N_("Keys"),
    "leave.": N_("Leave"),
    "model.": N_("Trainings"),
    "phone.": N_("Phones"),
    "pin.": N_("PINs"),
    "privacy.": N_("Erasures and copies"),
    "punch.": N_("Punches and corrections"),
    "signin.": N_("Sign-ins"),
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
    "factor": N_("second factor"),
    "failed": N_("wrong passwords before"),
    "tries": N_("wrong tries"),
    "device": N_("device"),
    "left": N_("left"),
    "ended": N_("session"),
    "sessions": N_("sessions"),
    "phone": N_("phone"),
    "label": N_("name"),
    "kiosk": N_("kiosk"),
    "face_of": N_("face of"),
    "format": N_("format"),
    "rows": N_("rows"),
    "photos": N_("pictures"),
    "model": N_("model"),
    "place": N_("place"),
    "file": N_("file"),
    "made_at": N_("made at"),
    "templates": N_("pictures"),
    "people": N_("people"),
    "threshold": N_("threshold"),
    "margin": N_("margin"),
    "target_fpir": N_("false alarms wanted"),
    "deleted": N_("deleted"),
    "scope": N_("scope"),
    "crops": N_("kept faces"),
    "attendance_before": N_("attendance before"),
    "log_copies": N_("copies of the log"),
    "key": N_("key"),
    "damaged": N_("damaged, left out"),
    "forgotten": N_("keys forgotten"),
    "version": N_("text"),
    "known": N_("time trusted before"),
    "now": N_("time accepted"),
    "sha256": N_("digest"),
    "problem": N_("problem"),
    "entries": N_("entries"),
    "punches": N_("punches"),
    "punch_ids": N_("punches deleted"),
    "mode": N_("mode"),
    "replaced": N_("record that was replaced"),
    "safety": N_("safety copy"),
    "employee": N_("row of the employee"),
    "name": N_("name"),
    "added": N_("added"),
    "employees": N_("people"),
    "lost": N_("ends that were lost"),
    "database": N_("identity of the database"),
}
"""Details of the audit trail, in the order in which they are read."""


def describe_kind(kind: str) -> str:
    """Return the name of a kind of entries of the audit trail."""
    return _(KINDS[kind])


def describe_details(details: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the details of an entry of the audit trail that say something: names (bare where unknown) and values."""
    order = [*(name for name in _DETAILS if name in details), *(name for name in details if name not in _DETAILS)]
    zone = ZoneInfo(library().settings.site.zone)
    return [
        (_(_DETAILS[name]) if name in _DETAILS else name, local_text(details[name], zone))
        for name in order
        if details[name]
    ]


def describe_action(action: str) -> str:
    """Return what an entry of the audit trail tells of; the bare word where it is another program's."""
    known = ACTIONS.get(action)
    return _(known) if known is not None else action
