"""``smartabsen site``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import org_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun(
    "site",
    help=_("Add, list and confirm sites: where people work, and in which time zone."),
    example="smartabsen site list",
)

SiteCode = Annotated[str, typer.Argument(metavar="CODE", help=_("Code of the site."))]


@command(
    app,
    "add",
    help=_("Add a site."),
    example="smartabsen site add MKS --name Makassar --zone Asia/Makassar",
)
def add_site(
    session: Session,
    code: SiteCode,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=_("Name of the site."))],
    zone: Annotated[
        str, typer.Option("--zone", metavar="ZONE", help=_("Asia/Jakarta, Asia/Makassar, Asia/Jayapura ..."))
    ],
) -> Answer:
    """Add a site."""
    with session.open() as app:
        added = app.sites.add(code, name=name, zone=zone)
    return Answer(data={"site": org_view.site(added)}, show=lambda out: org_view.show_sites(out, (added,)))


@command(
    app,
    "list",
    help=_("List sites.")
    + "\n\n"
    + _("The first one is the site of every person and every kiosk for whom nobody named another."),
    example="smartabsen site list",
)
def list_sites(session: Session) -> Answer:
    """List sites, the first one first."""
    with session.open() as app:
        sites = app.sites.list_sites()
    return Answer(
        data={"sites": [org_view.site(each) for each in sites]},
        show=lambda out: org_view.show_sites(out, sites),
    )


@command(
    app,
    "confirm",
    help=_("Say that a site is right, or correct its name or zone.")
    + "\n\n"
    + _("The first start makes a site of the settings; it waits for this."),
    example="smartabsen site confirm UTAMA --name 'Kantor Makassar' --zone Asia/Makassar",
)
def confirm_site(
    session: Session,
    code: SiteCode,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help=_("Another name."))] = None,
    zone: Annotated[str | None, typer.Option("--zone", metavar="ZONE", help=_("Another time zone."))] = None,
) -> Answer:
    """Confirm a site."""
    with session.open() as app:
        site = app.sites.confirm(code, name=name, zone=zone)
    return Answer(data={"site": org_view.site(site)}, show=lambda out: org_view.show_sites(out, (site,)))
