"""What people and scripts see of the database, the log and the backups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from ..kernel.errors import IntegrityError
from ..kernel.i18n import N_, _
from .answer import Json
from .output import Column, Output, yes_no

if TYPE_CHECKING:
    from ..attendance.attendance_log import FileDifference, LogRepair
    from ..upkeep.backups import BackupFile, Manifest, Restored
    from ..upkeep.databases import DatabaseStatus, SchemaStatus, TableCopy

STATES: Final[Mapping[str, str]] = {
    "empty": N_("The database is empty; the first use makes it ready."),
    "unfinished": N_("An upgrade was cut off; the next use completes it."),
    "current": N_("The schema is current ({head})."),
    "older": N_("The schema is {found}, this program wants {head}: smartabsen db upgrade"),
    "newer": N_("The schema ({found}) is newer than this program ({head}): update smartabsen."),
    "half_copied": N_("It is an unfinished copy of another database: run “smartabsen db copy” there again."),
    "foreign": N_("Another program's tables have our names."),
}


def database(status: DatabaseStatus) -> Json:
    """The state of the database."""
    facts = status.facts
    return {
        "kind": facts.kind,
        "version": facts.version,
        "address": facts.address,
        "journal": facts.journal_mode or None,
        "schema": status.schema.found or None,
        "wanted": status.schema.head,
        "state": status.schema.state.value,
        "risks": [_(risk) for risk in facts.risks],
        "waiting": status.waiting,
        "aside": [
            {"code": one.punch.code or None, "at": one.punch.at.isoformat(), "reason": one.refused}
            for one in status.aside
        ],
    }


def show_database(out: Output, status: DatabaseStatus) -> None:
    """Print the state of the database."""
    facts = status.facts
    out.line(_("{kind} {version} at {address}", kind=facts.kind, version=facts.version, address=facts.address))
    if facts.journal_mode:
        out.line(_("Journal mode {mode}: {reason}", mode=facts.journal_mode, reason=_(facts.journal_reason)))
    text = _(STATES[status.schema.state.value], found=status.schema.found, head=status.schema.head)
    out.line(text, "green" if status.ready else "red")
    for risk in facts.risks:
        out.line(_(risk), "yellow")
    if status.waiting:
        out.line(_("{count} punches wait on this kiosk for the database.", count=status.waiting), "yellow")
    for one in status.aside:
        at = one.punch.at.astimezone().isoformat(timespec="seconds")
        kept = _(
            "A punch of {code} at {at} is kept aside: {reason}", code=one.punch.code or "?", at=at, reason=one.refused
        )
        out.line(kept, "yellow")


def show_upgrade(out: Output, before: SchemaStatus) -> None:
    """Print what an upgrade did."""
    if before.found == before.head:
        out.line(_("The schema is current ({head}); nothing was to be done.", head=before.head))
    else:
        found = before.found or _("empty")
        out.line(_("The schema was upgraded from {found} to {head}.", found=found, head=before.head), "green")


def show_copy(out: Output, tables: Sequence[TableCopy]) -> None:
    """Print what a copy brought over."""
    columns = (Column(_("Table")), Column(_("Rows"), number=True), Column("SHA-256"))
    out.table(columns, [(each.name, str(each.rows), each.digest[:16]) for each in tables])
    out.line(_("Everything was copied, and both databases hold the same."), "green")


def differences(compared: int, found: Sequence[FileDifference]) -> Json:
    """What a comparison of the log found."""
    return {"days": compared, "differences": log_days(found)}


def log_days(found: Sequence[FileDifference]) -> list[Json]:
    """Days on which the log differs from the database."""
    return [{"date": str(each.work_date), "missing": each.missing, "unknown": each.unknown} for each in found]


def show_differences(out: Output, compared: int, found: Sequence[FileDifference]) -> None:
    """Print what a comparison of the log found."""
    columns = (Column(_("Date")), Column(_("Lines missing"), number=True), Column(_("Lines unknown"), number=True))
    if found:
        out.table(columns, [(str(each.work_date), str(each.missing), str(each.unknown)) for each in found])
    else:
        out.line(_("The attendance log equals the database: {days} days.", days=compared), "green")


def log_failure(found: Sequence[FileDifference]) -> IntegrityError | None:
    """Return the error of a log that differs."""
    if not found:
        return None
    return IntegrityError(
        N_("The attendance log differs from the database on {count} days."),
        hint=N_("The database is the truth; make the log equal to it: smartabsen csv rebuild"),
        count=len(found),
    )


def repair(value: LogRepair) -> Json:
    """What a rebuilding of the log did."""
    return {
        "days": value.checked,
        "added": value.added,
        "rewritten": [str(each) for each in value.rewritten],
        "kept": [str(each) for each in value.kept],
    }


def show_repair(out: Output, value: LogRepair) -> None:
    """Print what a rebuilding of the log did."""
    out.line(
        _(
            "{days} days: {added} lines were missing, {rewritten} files were written anew.",
            days=value.checked,
            added=value.added,
            rewritten=len(value.rewritten),
        ),
        "green",
    )
    for path in value.kept:
        out.line(_("Kept, for it held something else: {path}", path=path), "yellow")


def backup(value: BackupFile) -> Json:
    """A backup on the disk."""
    return {
        "path": str(value.path),
        "made_at": value.made_at.isoformat(),
        "bytes": value.size_bytes,
        "encrypted": value.encrypted,
        "safety": value.safety,
    }


def show_backups(out: Output, found: Sequence[BackupFile], zone: tzinfo) -> None:
    """Print the backups that there are."""
    columns = (Column(_("Time"), whole=True), Column("kB", number=True), Column(_("Encrypted")), Column(_("File")))
    rows = [
        (
            f"{each.made_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            str(each.size_bytes // 1000),
            yes_no(each.encrypted),
            str(each.path),
        )
        for each in found
    ]
    out.table(columns, rows, empty=_("There is no backup yet: smartabsen backup create"))


def manifest(value: Manifest) -> Json:
    """What a backup says of itself."""
    return {
        "made_at": value.made_at.isoformat(),
        "program": value.program,
        "schema": value.schema,
        "database_id": value.database_id,
        "kind": value.kind,
        "audit_head": value.audit_head,
        "files": [{"name": one.name, "bytes": one.size_bytes, "sha256": one.sha256} for one in value.files],
    }


def show_manifest(out: Output, value: Manifest, zone: tzinfo) -> None:
    """Print what a backup says of itself."""
    at = f"{value.made_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    out.line(_("The backup is whole: {count} files, made {at}.", count=len(value.files), at=at), "green")
    out.line(_("Head of the record of who did what: {head}", head=value.audit_head))


def show_restored(out: Output, done: Restored, zone: tzinfo) -> None:
    """Print what a restore did."""
    show_manifest(out, done.manifest, zone)
    if not done.changed:
        out.line(_("It could be restored; nothing was changed."))
        return
    out.line(_("Restored."), "green")
    if done.safety is not None:
        out.line(_("What was here before: {path}", path=done.safety))
