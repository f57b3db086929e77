"""The program ``smartabsen``: its options and the list of its commands.

A command's module is imported when the command is called; ``smartabsen --help`` needs the sentences below only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Annotated, Final, NoReturn

import typer

from .._version import __version__
from ..kernel.driver_threads import is_any_left
from ..kernel.i18n import N_, _
from .groups import ProgramGroup, example_text
from .options import GlobalOptions, takes_global_options

COMMANDS: Final = {
    "demo": (".commands.demo", N_("Show the whole job on sample photos, in a home of its own.")),
    "enroll": (".commands.enroll", N_("Enrol a person from photos or from a camera.")),
    "import": (".commands.import_people", N_("Enrol many people from a table of names and photos.")),
    "employee": (
        ".commands.employee",
        N_("List, show, rename, deactivate and activate employees; look through their photos."),
    ),
    "train": (".commands.train", N_("Fit the matcher on all enrolled faces, and measure it.")),
    "evaluate": (".commands.evaluate", N_("Measure how well people are recognised, with intervals of 95 %.")),
    "calibrate": (".commands.calibrate", N_("Choose threshold and margin for the people enrolled here.")),
    "recognize": (".commands.recognize", N_("Tell who is in these pictures.")),
    "run-kiosk": (".commands.kiosk", N_("Recognise people at a camera and record their attendance.")),
    "qr": (".commands.qr", N_("Ask for a confirmation by phone.")),
    "phone": (".commands.phone", N_("Pair, list and revoke phones of employees; set their PINs.")),
    "why": (".commands.why", N_("Tell why people were refused at kiosks and in browsers, and by how much.")),
    "punch": (".commands.punch", N_("Record a punch by hand.")),
    "backup": (".commands.backup", N_("Make, list, check and restore backups.")),
    "db": (".commands.db", N_("Look at, upgrade or copy the database.")),
    "clock": (".commands.clock", N_("Check this machine's clock, or say that it is right.")),
    "csv": (".commands.csv", N_("Compare the attendance log with the database, or make it anew.")),
    "audit": (".commands.audit", N_("Show, check and export the record of who did what.")),
    "logs": (
        ".commands.logs",
        N_("Show the security log of this machine: who was let in, who was refused and why, from which address."),
    ),
    "report": (".commands.report", N_("Show or export attendance days and totals.")),
    "user": (
        ".commands.user",
        N_("Add, list, disable and enable users of the dashboard; set their passwords, end their sessions."),
    ),
    "reembed": (".commands.reembed", N_("Change the engine without calling everybody back.")),
    "keys": (".commands.keys", N_("Make, change and check the keys that faces are sealed with.")),
    "privacy": (".commands.privacy", N_("Consents, copies for people, erasure, retention periods.")),
    "models": (".commands.models", N_("List, verify, locate and fetch model files.")),
    "serve": (".commands.serve", N_("Run the web server.")),
    "tls": (".commands.tls", N_("Make certificates for https in a network of one's own.")),
    "doctor": (".commands.doctor", N_("Check this installation; each finding comes with its remedy.")),
    "config": (".commands.config", N_("Show the settings in force.")),
}


class SmartAbsenGroup(ProgramGroup):
    """The commands of smartabsen."""

    deferred = COMMANDS


app = typer.Typer(
    name="smartabsen",
    cls=SmartAbsenGroup,
    help=_("Attendance by face recognition: enrol, train, recognise at a camera, report."),
    epilog=example_text("smartabsen demo"),
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"smartabsen {__version__}")
        raise typer.Exit


@app.callback()
@takes_global_options
def program(
    ctx: typer.Context,
    options: GlobalOptions,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help=_("Print the version."))
    ] = False,
) -> None:
    """Keep the options that stand before the command; ``--version`` has ended the program by now."""
    ctx.obj = options


def main() -> None:
    """Run the program: the console script."""
    try:
        app(prog_name="smartabsen")
    except SystemExit as ended:
        if is_any_left():
            _leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        raise


def _leave(code: int) -> NoReturn:
    """End at once: everything is closed but what hangs in a driver, and taking the interpreter apart could abort it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
