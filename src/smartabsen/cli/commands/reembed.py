"""``smartabsen reembed``."""

from typing import Annotated, Literal

import typer

from ...kernel.i18n import _
from .. import privacy_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun()


@command(
    app,
    "reembed",
    help=_("Change the engine without calling everybody back.")
    + "\n\n"
    + _(
        "--engine names the engine to change to. Look first: --dry-run and --shadow compare, and name who would be "
        "recognised differently and who needs new photos. It can be interrupted; the same command goes on."
    ),
    example="smartabsen reembed --engine openvino --dry-run\nsmartabsen reembed --engine openvino --yes",
)
def reembed(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Compare, store nothing."))] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help=_("Store the new templates and compare; the engine in use stays."))
    ] = False,
    force: Annotated[bool, typer.Option("--force", help=_("Change whatever the new accuracy."))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
) -> Answer:
    """Compare, or change."""
    if dry_run and shadow:
        raise typer.BadParameter(_("Give either --dry-run or --shadow."))
    mode: Literal["dry_run", "shadow", "switch"] = "dry_run" if dry_run else "shadow" if shadow else "switch"
    with session.open() as app:
        if mode == "switch":
            question = _("Templates of the engine in use are replaced, and kiosks must be started again. Go on?")
            privacy_view.confirm(session, question, yes=yes)
        with session.out.progress(_("Faces")) as progress:
            report = app.reembedding.run(mode=mode, force=force, on_progress=progress)
    return Answer(data=privacy_view.reembedded(report), show=lambda out: privacy_view.show_reembedded(out, report))
