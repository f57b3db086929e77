"""The program's group of commands: it loads a command when it is called, and is where errors become text."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from itertools import pairwise
from typing import Any, ClassVar, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ..kernel.errors import SmartAbsenError
from ..kernel.i18n import _
from ..kernel.reading import unreadable_error
from .answer import INTERRUPTED, Problem, print_envelope, print_problem, problem_of
from .usage import usage_sentence, with_suggestion

INVOCATION = "smartabsen.invocation"
"""Key in a context's ``meta``: the :class:`Invocation` in force."""

# Typer's own copy of click is private: its contexts are Any here.


class Invocation:
    """Who called, and how they want errors; a command that got as far as to run knows better than the arguments.

    Args:
        arguments: As typed, for errors before any command was found.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.command = ""
        as_format = "--format=json" in arguments or ("--format", "json") in pairwise(arguments)
        self.as_json = "--json" in arguments or as_format
        self.debug = "--debug" in arguments


def example_text(example: str) -> str:
    """Return the last paragraph of a help: command lines that work."""
    return _("Example:") + "\n\n" + example.strip()


class DeferredCommand(TyperCommand):
    """A command that is known by name and by one sentence, and imported when somebody calls it.

    Args:
        name: Its name.
        module: Module below this package that holds its ``app``.
        summary: Message id of the sentence in the list of commands.
    """

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, short_help=_(summary))
        self._module = module

    def load(self) -> Any:
        """Import and return the command itself."""
        command = get_command(import_module(self._module, __package__).app)
        command.name = self.name
        return command


class NounCommand(TyperCommand):
    """A command whose help speaks the current language throughout."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        with _errors_know_their_command(ctx):
            return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        _translate_help(self, ctx)
        super().format_help(ctx, formatter)


class NounGroup(TyperGroup):
    """The commands of a noun."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options before the command."""
        with _errors_know_their_command(ctx):
            return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        _translate_help(self, ctx)
        super().format_help(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command to run."""
        name = args[0]
        if name not in self.commands and not name.startswith("-") and not ctx.resilient_parsing:
            unknown = _("There is no command {name}.", name=name)
            raise typer.BadParameter(with_suggestion(unknown, get_close_matches(name, self.commands)), ctx=ctx)
        return super().resolve_command(ctx, args)


class ProgramGroup(NounGroup):
    """The root group. Subclasses name their commands in ``deferred``."""

    deferred: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Name of each command to its module and summary."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (module, summary) in self.deferred.items():
            self.commands[name] = DeferredCommand(name, module, summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command to run, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, DeferredCommand) else command, rest

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program on streams that can print any name."""
        for stream in (sys.stdout, sys.stderr):
            # Not every stand-in for a stream can be reconfigured; those that cannot are not consoles in cp1252.
            with contextlib.suppress(AttributeError, ValueError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        return super().main(*args, **kwargs)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the program's own options."""
        invocation = Invocation(args)
        with _boundary(invocation):
            context = super().make_context(info_name, args, parent, **extra)
        context.meta[INVOCATION] = invocation
        return context

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _boundary(ctx.meta[INVOCATION]):
            return super().invoke(ctx)


def _translate_help(command: Any, ctx: Any) -> None:
    """Put what Typer itself says in a help into the current language; only its “Usage:” cannot be reached."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    rich_utils.REQUIRED_LONG_STRING = _("[required]")
    rich_utils.DEFAULT_STRING = _("[default: {}]")
    texts = {
        "help": _("Show this help and exit."),
        "install_completion": _("Install completion for the current shell."),
        "show_completion": _("Show completion for the current shell, to copy it or to adapt the installation."),
    }
    for parameter in command.get_params(ctx):
        if parameter.name in texts:
            parameter.help = texts[parameter.name]


@contextlib.contextmanager
def _errors_know_their_command(context: Any) -> Iterator[None]:
    """Let errors point to the help of the command that was called; Typer leaves it out of some."""
    try:
        yield
    except typer.TyperException as error:
        if getattr(error, "ctx", None) is None:
            error.ctx = context  # type: ignore[attr-defined]
        raise


@contextlib.contextmanager
def _boundary(invocation: Invocation) -> Iterator[None]:
    """Turn every error into text and an exit code."""
    try:
        yield
    except SmartAbsenError as error:
        _fail(invocation, problem_of(error), error.exit_code)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        _fail_usage(invocation, error)
    except (KeyboardInterrupt, typer.Abort):
        _fail(invocation, Problem("interrupted", _("Interrupted.")), INTERRUPTED)
    except (typer.Exit, BrokenPipeError):
        raise
    except OSError as error:
        if error.filename is None:
            _fail_bug(invocation, error)
        known = unreadable_error(error)
        _fail(invocation, problem_of(known), known.exit_code)
    except Exception as error:  # noqa: BLE001 - the last line of defence: people get a sentence, not a traceback
        _fail_bug(invocation, error)


def _fail_bug(invocation: Invocation, error: Exception) -> NoReturn:
    what = f"{type(error).__name__}: {error}"
    problem = Problem(
        "bug",
        _("This is a bug in smartabsen: {what}", what=what),
        _("Please report it with the command, and what it prints with --debug."),
    )
    _fail(invocation, problem, 1)


def _fail_usage(invocation: Invocation, error: typer.TyperException) -> NoReturn:
    context: Any = getattr(error, "ctx", None)
    program, _space, command = context.command_path.partition(" ") if context else ("smartabsen", "", "")
    command = command or invocation.command
    invocation.command = command
    hint = _("See: {command} --help", command=f"{program} {command}".strip())
    _fail(invocation, Problem("usage", usage_sentence(error), hint), getattr(error, "exit_code", 2))


def _fail(invocation: Invocation, problem: Problem, exit_code: int) -> NoReturn:
    if invocation.debug:
        traceback.print_exc()
    if invocation.as_json:
        print_envelope(invocation.command, "failed", None, [problem])
    else:
        print_problem(problem)
    raise typer.Exit(exit_code)
