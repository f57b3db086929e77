"""``smartabsen evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_, _
from .. import evaluation_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun()


@command(
    app,
    "evaluate",
    help=_("Measure how well people are recognised, with intervals of 95 %.")
    + "\n\n"
    + _("Without a folder it measures the enrolled gallery, each template against the others. What was computed of a "
        "folder's photos is kept sealed in the home: after Ctrl-C the same command goes on. “smartabsen privacy "
        "purge” deletes it a day later, and every erasure of a person at once."),
    example="smartabsen evaluate photos --report evaluation.html",
)  # fmt: skip
def evaluate(
    session: Session,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", readable=False, help=_("Folder with one sub-folder of photos for each person.")
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs", metavar="FILE", readable=False, help=_("Judge the pairs of this file, in LFW's format.")
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help=_("Write one HTML file with curves and worst pairs.")),
    ] = None,
    with_photos: Annotated[
        bool, typer.Option("--with-photos", help=_("Put photos of the worst pairs into the report."))
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help=_("Keep nothing of the photos; an interrupted run begins anew."))
    ] = False,
) -> Answer:
    """Measure, write the page when one was asked for, and answer with the figures."""
    if folder is None and (pairs or no_cache):
        raise InvalidInputError(N_("--pairs and --no-cache need a folder of photos."))
    with session.open() as app:
        session.tell_engine(app)
        if folder is None:
            measured = app.evaluation.of_gallery()
        else:
            with session.out.progress(_("Photos")) as progress:
                measured = app.evaluation.of_folder(folder, pairs=pairs, cache=not no_cache, on_progress=progress)
        if report is not None:
            app.evaluation.write_page(measured, report, with_photos=with_photos)
    return Answer(data=evaluation_view.as_json(measured), show=lambda out: evaluation_view.show(out, measured))
