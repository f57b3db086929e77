"""``smartabsen tls``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import tls_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun("tls", help=_("Make certificates for https in a network of one's own."))


@app.callback()
def noun() -> None:
    """Keep “init” a command of its own: Typer takes the only one of a noun for the noun."""


@command(
    app,
    "init",
    help=_("Make a private certificate authority and a certificate for this machine's names and addresses.")
    + "\n\n"
    + _("Phones and computers that trust the authority open the server's pages by https, with a camera.")
    + " "
    + _("Run it again to renew the certificate; the authority stays, and so does the trust."),
    example="smartabsen tls init\nsmartabsen tls init --name absen.kantor.lan",
)
def init(
    session: Session,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help=_("A further name or address of the server; can be repeated.")),
    ] = None,
    new_authority: Annotated[
        bool, typer.Option("--new-authority", help=_("Make a new authority; all devices must trust it again."))
    ] = False,
) -> Answer:
    """Make the files and tell what to do with them."""
    with session.open() as app:
        made = app.tls.init(tuple(names or ()), new_authority=new_authority)
        show = tls_view.show_files(app, made)
    return Answer(data=tls_view.files(made), show=show)
