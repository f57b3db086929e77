"""``smartabsen logs``."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.i18n import _
from .. import logs_view
from ..answer import INTERRUPTED, Answer
from ..command import command, make_noun
from ..session import Session
from ..signals import stop_on_signals

app = make_noun()


@command(
    app,
    "logs",
    help=_("Show the security log of this machine: who was let in, who was refused and why, from which address.")
    + "\n\n"
    + _("Events that are alike are counted in one line. The files lie in “logs” in the home; see docs/security-log.md.")
    + "\n\n"
    + _("With --follow it goes on until Ctrl-C; with --json it then prints one line of JSON for each event."),
    example="smartabsen logs --since 2h\nsmartabsen logs --kind login.refused --json\nsmartabsen logs --follow",
)
def logs(
    session: Session,
    kind: Annotated[
        str, typer.Option("--kind", metavar="WORD", help=_("Only this kind; “login” takes “login.refused”, too."))
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="TIME", help=_("Only from then on: 30m, 2h, 7d, or a date as 30/11/2026 (and time).")
        ),
    ] = "",
    address: Annotated[str, typer.Option("--address", metavar="ADDRESS", help=_("Only from this address."))] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help=_("How many of the last ones."))] = 50,
    follow: Annotated[bool, typer.Option("--follow", help=_("Go on with what comes; Ctrl-C ends it."))] = False,
) -> Answer | None:
    """Show events, and go on with those to come where that is wanted."""
    with session.open() as app, stop_on_signals() as stop:
        zone = ZoneInfo(app.settings.site.zone)
        wanted = app.security.wanted(kind=kind, address=address, since=since, zone=zone, now=datetime.now(UTC))
        events = app.security.latest(wanted, limit=limit)
        if not follow:
            return Answer(
                data={"events": [logs_view.event(each) for each in events]},
                show=lambda out: logs_view.show_events(out, events, zone),
            )
        for each in events:
            logs_view.show_event(session.out, each, zone)
        for each in app.security.follow(stop.event, wanted):
            logs_view.show_event(session.out, each, zone)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)
    return None
