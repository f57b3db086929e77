"""What people and scripts see of the audit trail, and of a check of it and of the attendance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from ..kernel.errors import IntegrityError
from ..kernel.i18n import N_, _
from ..kernel.messages import local_text
from .data import Json
from .output import Column, Output

if TYPE_CHECKING:
    from ..attendance.attendance_log import FileDifference
    from ..trust.audit import (
        AttendanceProblem,
        AttendanceVerdict,
        AuditEntry,
        AuditVerdict,
        BrokenSeal,
        FaceVerdict,
        RecordProblem,
        Unsigned,
    )

PROBLEMS: Final[Mapping[str, str]] = {
    "changed": N_("Entry {number} was changed."),
    "missing": N_("Entries from {number} on are missing."),
    "moved": N_("Entry {number} does not follow the one before it."),
    "foreign": N_("The row with id {number} was not added by smartabsen."),
    "cut_off": N_("The record ends at entry {number}, but a head says otherwise: entries were cut off or replaced."),
    "lost": N_(
        "This machine had written the record up to entry {number}; that end was cut off or replaced, and the record "
        "went on without it."
    ),
    "forged": N_("The signature of entry {number} does not fit: it was not written with the key."),
    "unsigned": N_(
        "Entries {number} to {last} are not signed: written where the key was missing, or by somebody else."
    ),
    "no_key": N_("Entry {number} is signed with a key that is not here."),
    "begun_again": N_("Signing begins a second time at entry {number}: its first beginning was taken away."),
    "other_database": N_("The database had another identity at entry {number}: somebody changed it."),
}

ATTENDANCE: Final[Mapping[str, str]] = {
    "punch_changed": N_("{code}, {date}: punch {punch} was changed or slipped in."),
    "punch_unsigned": N_("{code}, {date}: punch {punch} is not signed."),
    "punch_no_key": N_("{code}, {date}: punch {punch} is signed with a key that is not here."),
    "punch_unrecorded": N_("{code}, {date}: the record of who did what does not know the correction {punch}."),
    "day_changed": N_("{code}, {date}: the day was changed, or one of its punches was changed, slipped in or deleted."),
    "day_unsigned": N_("{code}, {date}: the day is not signed."),
    "day_no_key": N_("{code}, {date}: the day is signed with a key that is not here."),
    "day_missing": N_("{code}, {date}: there are punches, but the day was deleted."),
    "day_empty": N_("{code}, {date}: there is a day, but neither a punch nor a leave."),
    "differs": N_("{code}, {date}: {column} is {stored}; the punches give {derived}."),
}

RECORD: Final[Mapping[str, str]] = {
    "punch_gone": N_("{code}, {date}: the punch of entry {entry} was deleted, or another one put in its place."),
    "leave_differs": N_("{code}, {date}: the day is “{stored}”; entry {entry} has “{recorded}” as its leave."),
    "person_gone": N_("{code}: the employee of entry {entry} was deleted, and not erased."),
    "person_unrecorded": N_("{code}: the record of who did what does not know this employee."),
    "code_differs": N_("{code}: the employee of entry {entry} has the code {stored} now."),
    "name_differs": N_("{code}: the name was changed to “{stored}”; entry {entry} has “{recorded}”."),
    "active_differs": N_("{code}: whether the employee may punch is not what entry {entry} says."),
    "consent_gone": N_("{code}: the consent of {date} (entry {entry}) was deleted, or its text changed."),
    "consent_differs": N_("{code}: the consent of {date} (entry {entry}) was ended, or put in force again."),
    "consent_unrecorded": N_("{code}: the record of who did what does not know the consent of {date}."),
}

SEALED_KINDS: Final[Mapping[str, str]] = {"template": N_("template"), "crop": N_("kept face")}

SEALS: Final[Mapping[str, str]] = {
    "moved": N_("{code}: the {kind} {id} was sealed for {other}, and somebody moved it."),
    "broken": N_("{code}: the {kind} {id} was changed, or moved from somebody else."),
    "unsealed": N_("{code}: the {kind} {id} is not sealed: it was not stored by smartabsen."),
}


def entry(value: AuditEntry) -> Json:
    """One entry of the audit trail."""
    return {
        "number": value.number,
        "at": value.at.isoformat(),
        "actor": value.actor,
        "action": value.action,
        "subject": value.subject,
        "address": value.address,
        "details": dict(value.details),
        "digest": value.digest,
    }


def show_entries(out: Output, entries: Sequence[AuditEntry], zone: tzinfo) -> None:
    """Print entries."""
    columns = (
        Column(_("No."), number=True),
        Column(_("Time"), whole=True),
        Column(_("Who")),
        Column(_("Action")),
        Column(_("Whom or what")),
        Column(_("Address")),
        Column(_("Details")),
    )
    rows = [
        (
            str(each.number),
            f"{each.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            each.actor,
            each.action,
            each.subject,
            each.address,
            ", ".join(f"{name}={local_text(value, zone)}" for name, value in each.further.items() if value),
        )
        for each in entries
    ]
    out.table(columns, rows, empty=_("No entry matches."))


def verdict(value: AuditVerdict) -> Json:
    """What the check of the audit trail found."""
    return {
        "entries": value.entries,
        "head": str(value.head),
        "problems": [{"kind": each.kind.value, "number": each.number, "last": each.last} for each in value.problems],
        "signed": value.signed,
        "unsigned_before": value.unsigned_before,
        "erased": value.erased,
        "signatures_checked": value.signatures_checked,
        "restores": [
            {
                "number": each.number,
                "at": each.at.isoformat(),
                "actor": each.actor,
                "replaced": each.replaced,
                "safety": each.safety,
            }
            for each in value.restores
        ],
    }


def attendance(value: AttendanceVerdict) -> Json:
    """What the check of punches and days found."""
    return {
        "punches": value.punches,
        "days": value.days,
        "signed": value.signed,
        "problems": [
            {
                "kind": each.kind.value,
                "code": each.code,
                "date": each.work_date.isoformat(),
                "punch": each.punch,
                "column": each.column,
                "stored": _plain(each.stored),
                "derived": _plain(each.derived),
            }
            for each in value.problems
        ],
    }


def record(value: Sequence[RecordProblem]) -> list[Json]:
    """What differs from what the trail tells of."""
    return [
        {
            "kind": each.kind.value,
            "code": each.code,
            "date": each.day.isoformat() if each.day else "",
            "entry": each.entry,
            "stored": each.stored,
            "recorded": each.recorded,
        }
        for each in value
    ]


def show_record(out: Output, value: Sequence[RecordProblem]) -> None:
    """Print what differs from what the trail tells of."""
    for each in value:
        text = _(
            RECORD[each.kind],
            code=each.code,
            date=each.day or "",
            entry=each.entry,
            stored=each.stored or "-",
            recorded=each.recorded or "-",
        )
        out.line(text, "red")
    if not value:
        out.line(_("People, consents, leave and entered times are as the record has them."), "green")


def faces(value: FaceVerdict) -> Json:
    """What the check of the sealed faces found."""
    return {
        "rows": value.rows,
        "checked": value.checked,
        "problems": [
            {
                "kind": each.kind,
                "id": each.id,
                "code": each.code,
                "problem": each.problem,
                "belongs_to": each.belongs_to or None,
            }
            for each in value.broken
        ],
    }


def show_faces(out: Output, value: FaceVerdict) -> None:
    """Print what the check of the sealed faces found."""
    for each in value.broken:
        out.line(describe_seal(each), "red")
    if not value.checked:
        out.line(_("Sealed faces were not checked: there is no key here."), "yellow")
    elif not value.broken:
        out.line(_("{count} sealed faces, each its owner's.", count=value.rows), "green")


def describe_seal(row: BrokenSeal) -> str:
    """Return what is wrong with a sealed face, whose row it lies in, and whose it was."""
    text = SEALS["moved" if row.belongs_to else row.problem]
    kind = _(SEALED_KINDS[row.kind])
    return _(text, code=row.code, kind=kind, id=row.id, other=row.belongs_to)


def show_verdict(out: Output, value: AuditVerdict, zone: tzinfo) -> None:
    """Print what the check of the audit trail found."""
    for problem in value.problems:
        out.line(_(PROBLEMS[problem.kind], number=problem.number, last=problem.last), "red")
    if not value.problems:
        out.line(_("{count} entries, each as it was written.", count=value.entries), "green")
    if not value.signatures_checked:
        out.line(_("Signatures were not checked: there is no key here."), "yellow")
    elif value.unsigned_before:
        out.line(_("{count} entries are from before there was a key; the signed ones after them prove them as of then.",
                   count=value.unsigned_before))  # fmt: skip
    if value.erased:
        out.line(_("{count} entries belong to people who were erased: nobody sees any more what they said.",
                   count=value.erased))  # fmt: skip
    for each in value.restores:
        out.line(_("Entry {number}: {actor} restored a backup on {at}.", number=each.number, actor=each.actor,
                   at=f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}"), "yellow")  # fmt: skip
        if each.safety and each.replaced:
            command = f"smartabsen audit verify --backup {each.safety} --anchor {each.replaced}"
            out.line(_("What it replaced is in the safety copy; to check it: {command}", command=command))
    out.line(_("Head: {head}", head=value.head))


def show_attendance(out: Output, value: AttendanceVerdict, zone: tzinfo) -> None:
    """Print what the check of punches and days found."""
    for each in value.problems:
        out.line(_describe(each, zone), "red")
    if not value.problems:
        out.line(_("{punches} punches and {days} days, each as it was written; {signed} of them signed.",
                   punches=value.punches, days=value.days, signed=value.signed), "green")  # fmt: skip


def show_log(out: Output, found: Sequence[FileDifference]) -> None:
    """Print how the attendance log differs from the database."""
    for each in found:
        if each.lags:
            text = N_("{date}: the attendance log of this machine is behind the database by {count} lines.")
            out.line(_(text, date=each.work_date, count=each.missing), "yellow")
            continue
        out.line(_("{date}: the attendance log lacks {missing} lines of the database and has {unknown} others.",
                   date=each.work_date, missing=each.missing, unknown=each.unknown), "red")  # fmt: skip
    if any(each.lags for each in found):
        out.line(
            _("Nothing in it is wrong: the next start of a kiosk or server completes it, or smartabsen csv rebuild.")
        )
    if not found:
        out.line(_("The attendance log equals the database."), "green")


def unsigned(value: Unsigned) -> Json:
    """How many rows are not signed."""
    return {"entries": value.entries, "punches": value.punches, "days": value.days, "heads": value.heads}


def show_unsigned(out: Output, value: Unsigned, *, done: bool) -> None:
    """Print how many rows are not signed, or were signed now."""
    text = N_("Signed: {entries} entries, {punches} punches, {days} days.") if done else N_(
        "Not signed: {entries} entries, {punches} punches, {days} days."
    )  # fmt: skip
    out.line(_(text, entries=value.entries, punches=value.punches, days=value.days))
    if value.heads:
        text = N_("Answered for: {count} ends of the record that were lost.") if done else N_(
            "To be answered for: {count} ends of the record that were lost."
        )  # fmt: skip
        out.line(_(text, count=value.heads))


def failure(
    value: AuditVerdict,
    attendance: AttendanceVerdict | None,
    record: Sequence[RecordProblem],
    log: Sequence[FileDifference],
    faces: FaceVerdict | None,
) -> IntegrityError | None:
    """Return the error of a record or an attendance that is not as it was written.

    A log that only lacks lines is none: people punch on other machines as well.
    """
    wrong = [each for each in log if not each.lags]
    kinds = {problem.kind.value for problem in value.problems}
    kinds |= {problem.kind.value for problem in attendance.problems} if attendance is not None else set()
    kinds |= {problem.kind.value for problem in record}
    if value.problems:
        message = N_("The record of who did what is not as it was written: {count} problems.")
        count = len(value.problems)
    elif attendance is not None and attendance.problems:
        message, count = N_("The attendance is not as it was written: {count} problems."), len(attendance.problems)
    elif record:
        message, count = N_("{count} things are not as the record of who did what has them."), len(record)
    elif faces is not None and faces.broken:
        message, count = N_("{count} sealed faces are not their owners'."), len(faces.broken)
    elif wrong:
        message, count = N_("The attendance log differs from the database on {count} days."), len(wrong)
    else:
        return None
    hint = N_("Keep the database as it is, and compare it with the latest backup.")
    if kinds == {"lost"}:
        hint = N_(
            "Compare with the latest backup what is missing. If you know why, as after a crash of the database server: "
            "smartabsen audit sign"
        )
    elif kinds and all(kind.endswith(("unsigned", "no_key")) for kind in kinds):
        hint = N_(
            "If the key was missing there, or is lost for good, and you know where these rows come from: "
            "smartabsen audit sign"
        )
    return IntegrityError(message, hint=hint, count=count)


def _describe(problem: AttendanceProblem, zone: tzinfo) -> str:
    return _(
        ATTENDANCE[problem.kind],
        code=problem.code,
        date=problem.work_date,
        punch=problem.punch,
        column=problem.column,
        stored=_shown(problem.stored, zone),
        derived=_shown(problem.derived, zone),
    )


def _shown(value: datetime | str | int | None, zone: tzinfo) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%H:%M:%S}"
    return "-" if value is None else str(value)


def _plain(value: datetime | str | int | None) -> str | int | None:
    return value.isoformat() if isinstance(value, datetime) else value
