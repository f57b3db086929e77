"""``smartabsen models``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ... import wire
from ...kernel.domain import ModelStatus
from ...kernel.errors import LicenceError, ModelDamagedError
from ...kernel.i18n import N_, _, describe_error
from .. import tables
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

if TYPE_CHECKING:
    from ...app.facade import SmartAbsen
    from ..output import Output

app = make_noun("models", help=_("List, verify, locate and fetch model files."), example="smartabsen models list")


@command(
    app,
    "list",
    help=_("List model packs: state, licence, where from."),
    example="smartabsen models list",
)
def list_models(session: Session) -> Answer:
    """List the packs that smartabsen knows."""
    with session.open() as app:
        models = app.models()
    return Answer(
        data={"models": [wire.Model.of(each) for each in models]}, show=lambda out: tables.show_models(out, models)
    )


@command(
    app,
    "verify",
    help=_("Compare installed files with their published digests.") + "\n\n" + _("Exit code 6 when one differs."),
    example="smartabsen models verify",
)
def verify_models(session: Session) -> Answer:
    """Verify the digests of all installed packs."""
    with session.open() as app:
        models = app.models()
    different = ", ".join(each.name for each in models if each.state == "different")
    damaged = ModelDamagedError(
        N_("Not the published files: {names}."),
        hint=N_("Files of your own may differ; otherwise delete them and use “smartabsen models pull”."),
        names=different,
    )
    return Answer.of(
        {"models": [wire.Model.of(each) for each in models]},
        lambda out: tables.show_models(out, models),
        damaged if different else None,
    )


@command(app, "path", help=_("Print the directory of model files."), example="smartabsen models path")
def print_path(session: Session) -> Answer:
    """Print where model files lie."""
    with session.open() as app:
        path = str(app.settings.models_dir)
    return Answer(data={"path": path}, show=lambda out: out.block(path))


@command(
    app,
    "pull",
    help=_("Fetch a model pack and check it against its published digest.")
    + "\n\n"
    + _("With an engine's models come those of the liveness check."),
    example="smartabsen models pull sface\nsmartabsen models pull open",
)
def pull_model(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("As “smartabsen models list” names it."))],
    accept_noncommercial: Annotated[
        bool,
        typer.Option("--accept-noncommercial", help=_("You may use weights for non-commercial research only.")),
    ] = False,
) -> Answer:
    """Pull a pack; somebody at a terminal may accept its licence there."""
    with session.open() as app:
        try:
            packs = _pull(session, app, name, accept=accept_noncommercial)
        except LicenceError as error:
            if not session.out.can_ask() or not session.out.confirm(_licence_question(error)):
                raise
            packs = _pull(session, app, name, accept=True)
    return Answer(data={"models": [wire.Model.of(each) for each in packs]}, show=lambda out: _show_pulled(out, packs))


@command(
    app,
    "install",
    help=_("Install model files that lie on this machine, after checking them.")
    + "\n\n"
    + _("PATH is a folder, a zip archive or a file. Files of a known pack must be the published ones."),
    example="smartabsen models install ~/Downloads/buffalo_l.zip --accept-noncommercial",
)
def install_models(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="PATH", readable=False, help=_("Where the files lie."))],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help=_("Name for a pack of your own ONNX files."))
    ] = None,
    accept_noncommercial: Annotated[
        bool,
        typer.Option("--accept-noncommercial", help=_("You may use weights for non-commercial research only.")),
    ] = False,
) -> Answer:
    """Install a pack; somebody at a terminal may accept its licence there."""
    with session.open() as app:
        try:
            packs = app.install_models(path, name=name, accept_noncommercial=accept_noncommercial)
        except LicenceError as error:
            if not session.out.can_ask() or not session.out.confirm(_licence_question(error)):
                raise
            packs = app.install_models(path, name=name, accept_noncommercial=True)
    return Answer(
        data={"models": [wire.Model.of(each) for each in packs]}, show=lambda out: tables.show_models(out, packs)
    )


def _pull(session: Session, app: "SmartAbsen", name: str, *, accept: bool) -> tuple[ModelStatus, ...]:
    with session.out.progress(name) as progress:
        return app.pull_models(name, accept_noncommercial=accept, on_progress=progress)


def _licence_question(error: LicenceError) -> str:
    question = _("Do you accept that?")
    return f"{describe_error(error)[0]} {question}"


def _show_pulled(out: "Output", packs: tuple[ModelStatus, ...]) -> None:
    tables.show_models(out, packs)
    for missing in (each.name for each in packs if each.state == "missing"):
        out.note(
            _(
                "The files of “{name}” could not be fetched: without them a photo held up to the camera is not told "
                "from a face. Try again later: smartabsen models pull {name}"
            ).format(name=missing)
        )
