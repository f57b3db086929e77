"""The options that every command takes, before its name and after it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..kernel.i18n import _

_PANEL = _("Options of every command")


# No postponed annotations here: Typer reads the parameters of this class as they stand.
@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalOptions:
    """Values of the options of every command; None and False mean: not given."""

    as_json: Annotated[
        bool, typer.Option("--json", help=_("Print one JSON object on stdout."), rich_help_panel=_PANEL)
    ] = False
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", readable=False, help=_("Directory of all data."), rich_help_panel=_PANEL),
    ] = None
    engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="NAME", help=_("Recognition engine."), rich_help_panel=_PANEL),
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda", "coreml"] | None,
        typer.Option("--device", help=_("Where ONNX models run; “doctor” shows it."), rich_help_panel=_PANEL),
    ] = None
    language: Annotated[
        Literal["auto", "id", "en"] | None,
        typer.Option("--language", help=_("Language of messages."), rich_help_panel=_PANEL),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help=_("No progress, no remarks on stderr."), rich_help_panel=_PANEL),
    ] = False
    debug: Annotated[
        bool, typer.Option("--debug", help=_("Show where an error comes from."), rich_help_panel=_PANEL)
    ] = False

    def over(self, base: "GlobalOptions") -> "GlobalOptions":
        """Return these options, each one that was not given taken from ``base``."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return GlobalOptions(**{name: value or getattr(base, name) for name, value in own.items()})

    def settings(self) -> dict[str, object]:
        """Return the options that are settings, by setting name."""
        given = {"home": self.home, "engine": self.engine, "recognition.device": self.device, "language": self.language}
        return {name: value for name, value in given.items() if value is not None}


def takes_global_options(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Give a Typer callback the options of every command.

    Args:
        callback: Called with keywords: its own parameters, and ``options``, a :class:`GlobalOptions`.

    Returns:
        A callback whose signature shows Typer the parameters of both.
    """
    own = inspect.signature(callback, eval_str=True).parameters
    common = inspect.signature(GlobalOptions).parameters

    def call(**values: Any) -> Any:
        options = GlobalOptions(**{name: values.pop(name) for name in common})
        return callback(options=options, **values)

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in (*own.items(), *common.items())
        if name != "options"
    ]
    call.__name__, call.__doc__ = callback.__name__, callback.__doc__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call
