"""``smartabsen db``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import keeping_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun("db", help=_("Look at, upgrade or copy the database."), example="smartabsen db status")


@command(
    app,
    "status",
    help=_("Show the database, the version of its schema, and what could go wrong. Nothing is changed."),
    example="smartabsen db status",
)
def status(session: Session) -> Answer:
    """Show the state of the database; exit code 5 where this program cannot use it."""
    with session.open() as app:
        found = app.databases.status()
    return Answer(
        data=keeping_view.database(found),
        show=lambda out: keeping_view.show_database(out, found),
        exit_code=0 if found.ready else 5,
    )


@command(
    app,
    "upgrade",
    help=_("Bring the schema of the database to this version of smartabsen.")
    + "\n\n"
    + _("Stop kiosks and servers and make a backup first. Cut off in the middle, it can be run again."),
    example="smartabsen db upgrade",
)
def upgrade(session: Session) -> Answer:
    """Upgrade the schema."""
    with session.open() as app:
        before = app.databases.upgrade()
    return Answer(
        data={"before": before.found, "now": before.head},
        show=lambda out: keeping_view.show_upgrade(out, before),
    )


@command(
    app,
    "copy",
    help=_("Copy everything into an empty database of either kind, and compare both.")
    + "\n\n"
    + _("Stop kiosks and servers first. Cut off in the middle, it goes on where it was."),
    example="smartabsen db copy --to mysql+pymysql://absen@db.example.com/smartabsen",
)
def copy(
    session: Session,
    to: Annotated[str, typer.Option("--to", metavar="URL", help=_("Address of the other database."))],
) -> Answer:
    """Copy the database."""
    with session.open() as app, session.out.progress(_("Copying")) as progress:
        copied = app.databases.copy(to, on_progress=progress)
    tables = [{"table": each.name, "rows": each.rows, "sha256": each.digest} for each in copied]
    return Answer(data={"tables": tables}, show=lambda out: keeping_view.show_copy(out, copied))
