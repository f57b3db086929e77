"""What people and scripts see of the audit trail, the database, the log and the backups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from ..errors import IntegrityError
from ..i18n import N_, _
from .data import Json
from .output import Column, Output

if TYPE_CHECKING:
    from ..core.audit import AuditEntry, AuditVerdict

PROBLEMS: Final[Mapping[str, str]] = {
    "changed": N_("Entry {number} was changed."),
    "missing": N_("Entries from {number} on are missing."),
    "moved": N_("Entry {number} does not follow the one before it."),
    "foreign": N_("The row with id {number} was not added by smartabsen."),
    "cut_off": N_("The record ends at entry {number}, but its head says otherwise: entries were cut off or replaced."),
}


def entry(value: AuditEntry) -> Json:
    """One entry of the audit trail."""
    return {
        "number": value.number,
        "at": value.at.isoformat(),
        "actor": value.actor,
        "action": value.action,
        "subject": value.subject,
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
        Column(_("Details")),
    )
    rows = [
        (
            str(each.number),
            f"{each.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            each.actor,
            each.action,
            each.subject,
            ", ".join(f"{name}={value}" for name, value in each.details.items() if value),
        )
        for each in entries
    ]
    out.table(columns, rows, empty=_("No entry matches."))


def verdict(value: AuditVerdict) -> Json:
    """What the check of the audit trail found."""
    return {
        "entries": value.entries,
        "head": str(value.head),
        "problems": [{"kind": each.kind.value, "number": each.number} for each in value.problems],
    }


def show_verdict(out: Output, value: AuditVerdict) -> None:
    """Print what the check of the audit trail found."""
    for problem in value.problems:
        out.line(_(PROBLEMS[problem.kind], number=problem.number), "red")
    if not value.problems:
        out.line(_("{count} entries, each as it was written.", count=value.entries), "green")
    out.line(_("Head: {head}", head=value.head))


def failure(value: AuditVerdict) -> IntegrityError | None:
    """Return the error of a broken audit trail."""
    if not value.problems:
        return None
    return IntegrityError(
        N_("The record of who did what is not as it was written: {count} problems."),
        hint=N_("Keep the database as it is, and compare it with the latest backup."),
        count=len(value.problems),
    )
