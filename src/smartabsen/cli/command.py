"""How a command is made: its options and those of every command in, an answer out, printed in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer

from ..kernel.i18n import set_language
from .answer import Answer
from .groups import INVOCATION, Invocation, NounCommand, NounGroup, example_text
from .options import GlobalOptions, takes_global_options
from .session import Session


def make_noun(name: str | None = None, *, help: str | None = None, example: str = "") -> typer.Typer:
    """Make the Typer of a noun: with a name for one that has commands of its own, without for a single command."""
    return typer.Typer(
        name=name,
        cls=NounGroup,
        help=help,
        epilog=example_text(example),
        no_args_is_help=True,
        add_completion=False,
    )


def command(
    app: typer.Typer, name: str, *, help: str, example: str
) -> Callable[[Callable[..., Answer | None]], Callable[..., Answer | None]]:
    """Register a function ``(session, ...) -> Answer`` as a command.

    Args:
        app: The Typer of the noun.
        name: Name of the command.
        help: What it does, in the current language; the first sentence stands in lists.
        example: A command line (or several lines), shown last in its help.

    Returns:
        A decorator. The function's parameters other than ``session`` become the command's; a function that has
        printed its result itself returns None.
    """

    def register(function: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
        def run(ctx: typer.Context, options: GlobalOptions, **values: Any) -> None:
            session = _start(ctx, options)
            answer = function(session, **values)
            if answer is not None:
                session.out.emit(session.command, answer)
                if answer.exit_code:
                    raise typer.Exit(answer.exit_code)

        context, options, _values = inspect.signature(run, eval_str=True).parameters.values()
        own = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in inspect.signature(function, eval_str=True).parameters.values()
            if parameter.name != "session"
        ]
        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__signature__ = inspect.Signature([context, options, *own])  # type: ignore[attr-defined]
        app.command(name, cls=NounCommand, help=help, epilog=example_text(example))(takes_global_options(run))
        return function

    return register


def _start(ctx: typer.Context, options: GlobalOptions) -> Session:
    root = ctx.find_root()
    options = options.over(root.obj)
    if options.language:
        set_language(options.language)
    invocation: Invocation = root.meta[INVOCATION]
    invocation.command = ctx.command_path.partition(" ")[2]
    invocation.as_json = options.as_json
    invocation.debug = options.debug
    return Session(invocation, options)
