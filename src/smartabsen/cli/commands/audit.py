"""``smartabsen audit``."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...i18n import _
from .. import keeping_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

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
        data={"entries": [keeping_view.entry(each) for each in entries]},
        show=lambda out: keeping_view.show_entries(out, entries, zone),
    )


@command(
    app,
    "verify",
    help=_("Check that no entry was changed, deleted, moved or cut off.")
    + "\n\n"
    + _("Prints the head of the record; kept elsewhere and given later as --anchor, it shows a record written anew."),
    example="smartabsen audit verify\nsmartabsen audit verify --anchor 123:HASH",
)
def verify(
    session: Session,
    anchor: Annotated[
        str, typer.Option("--anchor", metavar="HEAD", help=_("A head that was printed or exported earlier."))
    ] = "",
) -> Answer:
    """Check the chain; exit code 1 where it is broken."""
    with session.open() as app:
        verdict = app.audit.verify(anchor=anchor)
    return Answer.of(
        keeping_view.verdict(verdict),
        lambda out: keeping_view.show_verdict(out, verdict),
        keeping_view.failure(verdict),
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
