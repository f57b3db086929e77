"""``smartabsen punches``."""

from pathlib import Path
from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import punches_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun(
    "punches",
    help=_("Take punches of other devices in, from their files."),
    example="smartabsen punches import attlog.dat --dry-run",
)


@app.callback()
def noun() -> None:
    """Hold the one command of this noun."""


@command(
    app,
    "import",
    help=_("Take the punches of a file in: attlog.dat of ZKTeco, a CSV of BioTime, or a table with PIN and time.")
    + "\n\n"
    + _(
        "The PIN is the code of the employee, as text: 00123 is not 123. Times are those of the person's site. The "
        "same device, PIN and time is taken once. What falls into a closed month goes into the next one."
    ),
    example="smartabsen punches import attlog.dat --terminal Lobby --dry-run",
)
def import_punches(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="FILE", help=_("The file: .dat, .csv or .xlsx."))],
    terminal: Annotated[
        str, typer.Option("--terminal", metavar="NAME", help=_("The device, where the file does not say it."))
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only say what would become of each line."))] = False,
) -> Answer:
    """Import punches."""
    with session.open() as library:
        found = library.punch_import.take(path, device=terminal, dry_run=dry_run)
    return punches_view.answer(found)
