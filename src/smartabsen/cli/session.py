"""One run of a command: its options, its output, and the way into the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..kernel.i18n import _, set_language
from ..kernel.messages import fill
from .groups import Invocation
from .options import GlobalOptions
from .output import Output

if TYPE_CHECKING:
    from rich.console import Console

    from ..app.demo import DemoReport, DemoStep
    from ..app.facade import SmartAbsen
    from ..kernel.domain import Check, TableQuestion
    from ..kernel.errors import ConfigError
    from ..qr.terminal import Terminal


def open_app(flags: Mapping[str, object]) -> SmartAbsen:
    """Open the library. It is imported here, so that help and usage errors do without it."""
    from ..app.facade import SmartAbsen

    return SmartAbsen.open(flags=flags)


def check_machine(problem: ConfigError) -> tuple[Check, ...]:
    """Check what can be checked where the settings cannot be read."""
    from ..upkeep import doctor

    return doctor.check_machine(problem)


def run_demo(
    home: Path, *, say: Callable[[DemoStep], None], console: Console, flags: Mapping[str, object]
) -> DemoReport:
    """Run the demonstration of the library."""
    from ..app import demo

    return demo.run_demo(home, say=say, terminal=terminal_of(console), flags=flags)


def demo_home() -> AbstractContextManager[Path]:
    """Give a home for a demonstration that nobody keeps."""
    from ..app import demo

    return demo.temporary_home()


def terminal_of(console: Console, *, dark: bool = True) -> Terminal:
    """Return what a console can show of a QR.

    Args:
        dark: Whether its background is dark; counts where there are no colours.
    """
    from ..qr.terminal import Terminal

    on_screen = console.is_terminal
    return Terminal(
        console.encoding,
        color=on_screen and not console.no_color,
        columns=console.width if on_screen else None,
        dark=dark,
    )


class Session:
    """What a command works with.

    Attributes:
        options: The options of every command, as given.
        command: Name of the command, as ``employee list``.
        out: Where its results and remarks go.
    """

    def __init__(self, invocation: Invocation, options: GlobalOptions) -> None:
        self._invocation = invocation
        self._told: set[str] = set()
        self.options = options
        self.command = invocation.command
        self.out = Output(as_json=options.as_json, quiet=options.quiet)

    def use_json(self) -> None:
        """Answer as ``--json`` does."""
        self._invocation.as_json = self.out.as_json = True

    @contextmanager
    def open(self, settings: Mapping[str, object] | None = None) -> Iterator[SmartAbsen]:
        """Open the library for a ``with`` block and speak the language of its settings.

        Args:
            settings: Settings by dotted name that the command's own options give; None values are left out.
        """
        given = {name: value for name, value in (settings or {}).items() if value is not None}
        app = open_app({**self.options.settings(), **given})
        set_language(app.settings.language)
        try:
            yield app
        finally:
            self.tell_notices(app)
            app.close()

    def tell_notices(self, app: SmartAbsen, warn: Callable[[str], None] | None = None) -> None:
        """Show what the library wants people to know (licences, mended files), each once; ``--quiet`` does not hide it.

        Args:
            warn: Shows it; stderr by default.
        """
        for notice in app.notices:
            if notice not in self._told:
                self._told.add(notice)
                (warn or self.out.warn)(_(notice))
        for detail, params in app.remarks:
            remark = fill(detail, params)
            if remark not in self._told:
                self._told.add(remark)
                (warn or self.out.warn)(remark)

    def tell_calibration(self, app: SmartAbsen) -> None:
        """Say so when threshold and margin were chosen for fewer people, or for another model."""
        if app.calibration.state() in ("outgrown", "other_engine"):
            self.out.warn(_("The calibration no longer fits: run “smartabsen calibrate”, then “smartabsen train”."))

    def ask(self, question: str) -> None:
        """Ask before something that cannot be taken back lightly; ends the command where the answer is no.

        Raises:
            typer.BadParameter: Nobody is there to answer.
        """
        if not self.out.can_ask():
            raise typer.BadParameter(_("Nobody is at a terminal to confirm this; say --yes if it is meant."))
        if not self.out.confirm(question):
            self.out.warn(_("Nothing was changed."))
            raise typer.Exit(1)

    def ask_reason(self, given: str) -> str:
        """Return why something is done, asked for on a terminal where the command line does not say it.

        Raises:
            typer.BadParameter: It is not given, and nobody is there to ask.
        """
        if given.strip():
            return given
        if not self.out.can_ask():
            raise typer.BadParameter(_("This needs a reason for the record of who did what: --reason TEXT."))
        return self.out.ask(_("Reason, for the record of who did what"))

    def choose(self, question: TableQuestion) -> int:
        """Ask at the terminal which sheet or column of a table is meant, and return its place among the choices."""
        if question.about == "sheet":
            asked = _("Several sheets have people. Which one is meant?")
        else:
            asked = _("Which column is the {column}?", column=question.column)
        listed = [f"{number}  {choice}" for number, choice in enumerate(question.choices, start=1)]
        self.out.tell("\n".join((asked, *listed)))
        while True:
            given = self.out.ask(_("Number"))
            if given.isdecimal() and 1 <= int(given) <= len(question.choices):
                return int(given) - 1
            self.out.tell(_("A number from 1 to {most}.", most=len(question.choices)))

    def prepare_engine(self, app: SmartAbsen) -> None:
        """Say which engine works; at a terminal, offer to fetch one to those who have none yet."""
        pack = app.pack_to_fetch()
        if pack is None:
            self.tell_engine(app)
            return
        question = _("There is no engine to recognise faces with yet. Fetch “{name}” now (10 MB)?", name=pack)
        if self.out.can_ask() and self.out.confirm(question):
            with self.out.progress(pack) as progress:
                app.pull_models(pack, on_progress=progress)
            self.tell_engine(app)

    def tell_engine(self, app: SmartAbsen, note: Callable[[str], None] | None = None) -> None:
        """Say which engine works, and why that one.

        Args:
            note: Shows it; stderr by default.
        """
        choice = app.engine_choice()
        (note or self.out.note)(_("Engine {name}: {why}", name=choice.name, why=_(choice.why)))
