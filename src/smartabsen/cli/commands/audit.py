"""``smartabsen audit``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.i18n import _
from .. import audit_view, keeping_view, period_view
from ..answer import Answer
from ..command import command, make_noun
from ..output import Output
from ..parameters import Reason
from ..session import Session

if TYPE_CHECKING:
    from ...attendance.attendance_log import FileDifference
    from ...attendance.close.model import PeriodProblem
    from ...trust.audit import AttendanceVerdict, AuditVerdict, FaceVerdict, RecordProblem

app = make_noun("audit", help=_("Show, check and export the record of who did what."), example="smartabsen audit list")


@command(
    app,
    "list",
    help=_("List the last entries, the newest first."),
    example="smartabsen audit list --subject E001\nsmartabsen audit list --action punch --limit 20",
)
def list_entries(
    session: Session,
    actor: Annotated[str, typer.Option("--actor", metavar="NAME", help=_("Only what this one did."))] = "",
    action: Annotated[
        str, typer.Option("--action", metavar="WORD", help=_("Only this action; “punch” takes “punch.manual”, too."))
    ] = "",
    subject: Annotated[str, typer.Option("--subject", metavar="CODE", help=_("Only what concerns this one."))] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help=_("How many."))] = 50,
) -> Answer:
    """List entries."""
    with session.open() as app:
        entries = app.audit.entries(actor=actor, action=action, subject=subject, limit=limit)
        zone = ZoneInfo(app.settings.site.zone)
    return Answer(
        data={"entries": [audit_view.entry(each) for each in entries]},
        show=lambda out: audit_view.show_entries(out, entries, zone),
    )


@command(
    app,
    "verify",
    help=_("Check that no entry, punch or day was changed, deleted, moved or cut off behind smartabsen's back.")
    + "\n\n"
    + _(
        "Prints the head of the record; kept elsewhere and given later as --anchor, it shows a record written anew. "
        "docs/audit.md says what is proven against whom."
    ),
    example="smartabsen audit verify\nsmartabsen audit verify --anchor 123:HASH",
)
def verify(
    session: Session,
    anchor: Annotated[
        str, typer.Option("--anchor", metavar="HEAD", help=_("A head that was printed or exported earlier."))
    ] = "",
    attendance: Annotated[
        bool,
        typer.Option(
            "--attendance/--no-attendance",
            help=_("Check punches, days, people, consents, sealed faces and the CSV files, too."),
        ),
    ] = True,
    backup: Annotated[
        Path | None,
        typer.Option("--backup", metavar="FILE", readable=False, help=_("Check the record in this backup instead.")),
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity", metavar="FILE", readable=False, help=_("File with the secret key of an encrypted backup.")
        ),
    ] = None,
) -> Answer:
    """Check the chain and the attendance; exit code 1 where something is broken."""
    with session.open() as app:
        zone = ZoneInfo(app.settings.site.zone)
        if backup is not None:
            in_backup = app.backups.verify_trail(app.backups.find(backup), identity=identity, anchor=anchor)
            return _answer(in_backup, None, (), (), None, (), zone)
        _days, log = app.attendance_log.verify() if attendance else (0, ())
        found = app.audit.verify_attendance() if attendance else None
        record = app.audit.compare_record() if attendance else ()
        faces = app.audit.verify_faces() if attendance else None
        periods = app.periods.verify() if attendance else ()
        return _answer(app.audit.verify(anchor=anchor), found, record, log, faces, periods, zone)


def _answer(
    verdict: "AuditVerdict",
    attendance: "AttendanceVerdict | None",
    record: "Sequence[RecordProblem]",
    log: "Sequence[FileDifference]",
    faces: "FaceVerdict | None",
    periods: "Sequence[PeriodProblem]",
    zone: ZoneInfo,
) -> Answer:
    def show(out: Output) -> None:
        audit_view.show_verdict(out, verdict, zone)
        if attendance is not None:
            audit_view.show_attendance(out, attendance, zone)
            audit_view.show_record(out, record)
            audit_view.show_log(out, log)
            period_view.show_problems(out, periods)
        if faces is not None:
            audit_view.show_faces(out, faces)

    facts = audit_view.verdict(verdict)
    if attendance is not None:
        facts |= {"attendance": audit_view.attendance(attendance), "log": keeping_view.log_days(log)}
        facts["record"] = audit_view.record(record)
        facts["periods"] = [period_view.problem(each) for each in periods]
    if faces is not None:
        facts["faces"] = audit_view.faces(faces)
    failure = audit_view.failure(verdict, attendance, record, log, faces) or period_view.failure(periods)
    return Answer.of(facts, show, failure)


@command(
    app,
    "sign",
    help=_("Vouch for entries, punches and days that are not signed, as they are now.")
    + "\n\n"
    + _(
        "They are from before there was a key, or from a machine without it. Look first where they come from: "
        "whoever signs says that they are right. Rows with a wrong signature are left as they are."
    ),
    example="smartabsen audit sign --dry-run\nsmartabsen audit sign --reason 'state at the upgrade, checked with HR'",
)
def sign(
    session: Session,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only count them."))] = False,
) -> Answer:
    """Sign what is not signed."""
    with session.open() as app:
        found = app.audit.unsigned() if dry_run else app.audit.sign(reason=session.ask_reason(reason))
    return Answer(
        data=audit_view.unsigned(found), show=lambda out: audit_view.show_unsigned(out, found, done=not dry_run)
    )


@command(
    app,
    "export",
    help=_("Write all entries to a file, one JSON object a line, with the head as the last line."),
    example="smartabsen audit export audit-2026.jsonl",
)
def export(
    session: Session, path: Annotated[Path, typer.Argument(metavar="FILE", help=_("The file to write."))]
) -> Answer:
    """Export all entries."""
    with session.open() as app:
        head = app.audit.export(path)
    return Answer(
        data={"path": str(path), "entries": head.number, "head": str(head)},
        show=lambda out: out.line(_("{count} entries written to {path}.", count=head.number, path=path)),
    )
