"""``smartabsen kiosk``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import org_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun(
    "kiosk",
    help=_("List kiosks, and say at which site each stands."),
    example="smartabsen kiosk list",
)


@command(
    app,
    "list",
    help=_("List kiosks that were assigned to a site or have recorded a punch lately, and this machine's."),
    example="smartabsen kiosk list",
)
def list_kiosks(session: Session) -> Answer:
    """List kiosks by name."""
    with session.open() as app:
        kiosks = app.sites.kiosks()
    return Answer(
        data={"kiosks": [org_view.kiosk(each) for each in kiosks]},
        show=lambda out: org_view.show_kiosks(out, kiosks),
    )


@command(
    app,
    "assign",
    help=_("Say at which site a kiosk stands."),
    example="smartabsen kiosk assign Lobby --site MKS",
)
def assign_kiosk(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("Name of the kiosk, as its punches have it."))],
    site: Annotated[str, typer.Option("--site", metavar="CODE", help=_("Code of the site."))],
) -> Answer:
    """Assign a kiosk."""
    with session.open() as app:
        assigned = app.sites.assign_kiosk(name, site=site)
    return Answer(data={"kiosk": org_view.kiosk(assigned)}, show=lambda out: org_view.show_kiosks(out, (assigned,)))
