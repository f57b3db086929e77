"""``smartabsen serve``."""

from pathlib import Path
from typing import Annotated

import typer

from ...kernel.i18n import _
from ...upkeep.overtime import Overtime
from .. import serve_view
from ..answer import INTERRUPTED, Answer
from ..command import command, make_noun
from ..session import Session
from ..signals import stop_on_signals

app = make_noun()


@command(
    app,
    "serve",
    help=_("Run the web server.")
    + "\n\n"
    + _("It has the sign-in by phone, attendance in the browser, and the pages of the administrators.")
    + "\n\n"
    + _("Checks what it needs, says what to do where something is missing, and ends well on SIGTERM or Ctrl-C.")
    + " "
    + _("See docs/server.md for https, production and tunnels."),
    example="smartabsen serve\nsmartabsen serve --host 0.0.0.0\nsmartabsen serve --production --workers 4",
)
def serve(
    session: Session,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help=_("Address to listen on; 0.0.0.0 lets the network in.")),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", help=_("Port to listen on; 0 takes a free one, which it says."))
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help=_("Several worker processes; needs SMARTABSEN_SECRET_KEY."))
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help=_("Worker processes of a production server."))
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", readable=False, help=_("Certificate (PEM) for https."))
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", readable=False, help=_("Key (PEM) of the certificate."))
    ] = None,
) -> Answer:
    """Check, serve, and say how long it was."""
    flags = {
        "server.host": host,
        "server.port": port,
        "server.production": production or None,
        "server.workers": workers,
        "server.tls_cert": tls_cert,
        "server.tls_key": tls_key,
    }
    # Around everything that has to end, the database among it.
    with Overtime() as overtime, session.open(flags) as app, stop_on_signals() as stop:
        seconds = serve_view.serve(session.out, app, stop.event, overtime)
        address = app.serving.address
    return Answer(
        data={"address": address, "seconds": round(seconds, 1)},
        show=lambda out: out.note(_("The server has ended.")),
        exit_code=INTERRUPTED if stop.interrupted else 0,
    )
