"""``smartabsen backup``."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.i18n import _
from .. import keeping_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

File = Annotated[Path, typer.Argument(metavar="FILE", readable=False, help=_("The backup, as “backup list” shows it."))]
Identity = Annotated[
    Path | None,
    typer.Option(
        "--identity", metavar="FILE", readable=False, help=_("File with the secret key of an encrypted backup.")
    ),
]

app = make_noun("backup", help=_("Make, list, check and restore backups."), example="smartabsen backup create")


@command(
    app,
    "create",
    help=_("Make a backup of database, trained model, attendance log and settings, while people punch.")
    + "\n\n"
    + _("It holds no keys and no passwords. Copy it to another machine."),
    example="smartabsen backup create\nsmartabsen backup create --recipient age1... --keep 14",
)
def create(
    session: Session,
    recipient: Annotated[
        str | None, typer.Option("--recipient", metavar="KEY", help=_("Public key (age1...) to encrypt to."))
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=0, metavar="N", help=_("How many backups stay; 0 keeps all."))
    ] = None,
) -> Answer:
    """Make a backup."""
    with session.open() as app:
        made = app.backups.create(recipient=recipient, keep=keep)
    return Answer(
        data=keeping_view.backup(made),
        show=lambda out: out.line(_("Written: {path}", path=made.path), "green"),
    )


@command(app, "list", help=_("List the backups, the newest first."), example="smartabsen backup list")
def list_backups(session: Session) -> Answer:
    """List backups."""
    with session.open() as app:
        found = app.backups.list()
        zone = ZoneInfo(app.settings.site.zone)
    return Answer(
        data={"backups": [keeping_view.backup(each) for each in found]},
        show=lambda out: keeping_view.show_backups(out, found, zone),
    )


@command(
    app,
    "verify",
    help=_("Check a backup: its digests, and that the database in it is whole."),
    example="smartabsen backup verify backups/smartabsen-20261124T010203Z.tar",
)
def verify(session: Session, path: File, identity: Identity = None) -> Answer:
    """Check a backup."""
    with session.open() as app:
        manifest, zone = app.backups.verify(path, identity=identity), ZoneInfo(app.settings.site.zone)
    return Answer(
        data=keeping_view.manifest(manifest), show=lambda out: keeping_view.show_manifest(out, manifest, zone)
    )


@command(
    app,
    "restore",
    help=_("Put a backup in the place of what is there, which is backed up before.")
    + "\n\n"
    + _("Stop kiosks and servers first. Everything is checked before anything is changed."),
    example="smartabsen backup restore backups/smartabsen-20261124T010203Z.tar --dry-run",
)
def restore(
    session: Session,
    path: File,
    identity: Identity = None,
    force_foreign: Annotated[
        bool, typer.Option("--force-foreign", help=_("Accept the backup of another installation."))
    ] = False,
    without_key: Annotated[
        bool,
        typer.Option("--without-key", help=_("Accept faces that no key here opens: nobody is recognised until it is.")),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Check everything, change nothing."))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
) -> Answer:
    """Restore a backup; asks on a terminal."""
    question = _("What is here now is replaced by the backup. Go on?")
    if not (yes or dry_run) and session.out.can_ask() and not session.out.confirm(question):
        session.out.warn(_("Nothing was changed."))
        raise typer.Exit(1)
    with session.open() as app:
        done = app.backups.restore(
            path, identity=identity, force_foreign=force_foreign, without_key=without_key, dry_run=dry_run
        )
        zone = ZoneInfo(app.settings.site.zone)
    data = {**keeping_view.manifest(done.manifest), "changed": done.changed, "safety": done.safety and str(done.safety)}
    return Answer(data=data, show=lambda out: keeping_view.show_restored(out, done, zone))
