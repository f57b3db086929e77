"""``smartabsen recognize``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ... import wire
from ...kernel.domain import ImageResult
from ...kernel.errors import PartlyDoneError
from ...kernel.i18n import N_, _
from .. import tables
from ..answer import Answer, Problem, problem_of
from ..command import command, make_noun
from ..parameters import Detector
from ..session import Session

app = make_noun()


@command(
    app,
    "recognize",
    help=_("Tell who is in these pictures.") + "\n\n" + _("Exit code 7 when some of them cannot be read, 1 when all."),
    example="smartabsen recognize group.jpg --draw marked/",
)
def recognize(
    session: Session,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", readable=False, help=_("Pictures, or folders of them."))
    ],
    draw: Annotated[
        Path | None,
        typer.Option(
            "--draw",
            metavar="OUT",
            readable=False,
            help=_("Write copies with boxes and names: a directory, or the file to write of one picture."),
        ),
    ] = None,
    detector: Detector = None,
) -> Answer:
    """Identify every face of every picture, in the order given."""
    with session.open({"recognition.detector": detector}) as app:
        session.tell_engine(app)
        results = app.identify(images, draw_dir=draw)
    problems, exit_code = _problems(results)
    return Answer(
        data={"images": [wire.Image.of(result) for result in results]},
        show=lambda out: tables.show_images(out, results),
        problems=problems,
        exit_code=exit_code,
    )


def _problems(results: Sequence[ImageResult]) -> tuple[tuple[Problem, ...], int]:
    unread = [result for result in results if result.outcome is not None]
    if not unread:
        return (), 0
    if len(unread) == len(results):
        return (Problem("unreadable", _("None of the pictures can be read.")),), 1
    error = PartlyDoneError(N_("Pictures that cannot be read: {count} of {all}."), count=len(unread), all=len(results))
    return (problem_of(error),), error.exit_code
