"""``smartabsen demo``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import demo_view
from ..answer import Answer, Problem
from ..command import command, make_noun
from ..session import Session, demo_home, run_demo

app = make_noun()


@command(
    app,
    "demo",
    help=_("Show the whole job on sample photos, in a home of its own.")
    + "\n\n"
    + _(
        "Enrols six people of two photographs, trains, plays a camera, records attendance. An engine that is not there "
        "yet is fetched (10 MB) and kept in the user's cache for the next time."
    ),
    example="smartabsen demo --keep my-demo",
)
def demo(
    session: Session,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", readable=False, help=_("Keep everything in this directory.")),
    ] = None,
) -> Answer:
    """Run the demonstration and show each step as it is done."""
    keep = keep or session.options.home
    with _home(keep) as home:
        report = run_demo(
            home,
            say=lambda step: demo_view.show_step(session.out, step),
            console=session.out.stdout,
            flags={name: value for name, value in session.options.settings().items() if name != "home"},
        )
    failed = () if report.ok else (Problem("demo", _("The demonstration did not go as it should.")),)
    return Answer(
        data=demo_view.report_data(report),
        show=lambda out: demo_view.show_report(out, report, kept=keep is not None),
        problems=failed,
        exit_code=1 if failed else 0,
    )


@contextmanager
def _home(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with demo_home() as folder:
        yield folder
