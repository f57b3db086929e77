"""What a command answers, and the one JSON object that scripts get of it.

``status`` follows from the exit code: ``ok`` is 0, ``partial`` is 7 (some was done, some refused; also 130 when an
interrupted command could say what it did), everything else is ``failed``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from ..kernel.errors import PartlyDoneError, SmartAbsenError
from ..kernel.i18n import _, describe_error

if TYPE_CHECKING:
    from .output import Output

INTERRUPTED = 130
_PARTIAL = (PartlyDoneError.exit_code, INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as people and scripts see it: stable code, one sentence, what to do next (may be empty)."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of a command.

    Attributes:
        data: What ``--json`` prints as ``data``; plain JSON values.
        show: Prints the same for people.
        problems: What went wrong.
        exit_code: See the module.
    """

    data: Mapping[str, object]
    show: Callable[[Output], None]
    problems: tuple[Problem, ...] = ()
    exit_code: int = 0

    @property
    def status(self) -> str:
        """``ok``, ``partial`` or ``failed``."""
        if self.exit_code in _PARTIAL:
            return "partial"
        return "failed" if self.exit_code else "ok"

    @classmethod
    def of(cls, data: Mapping[str, object], show: Callable[[Output], None], failure: SmartAbsenError | None) -> Answer:
        """Make the answer of a command that did what it could, with the error that says what it could not."""
        if failure is None:
            return cls(data=data, show=show)
        return cls(data=data, show=show, problems=(problem_of(failure),), exit_code=failure.exit_code)


def problem_of(error: SmartAbsenError) -> Problem:
    """Translate an error into the current language."""
    message, hint = describe_error(error)
    return Problem(error.code, message, hint)


def print_envelope(command: str, status: str, data: Mapping[str, object] | None, problems: Sequence[Problem]) -> None:
    """Print the JSON object of a command on stdout."""
    print_json({"command": command, "status": status, "data": data, "errors": [asdict(each) for each in problems]})


def print_json(value: Mapping[str, object]) -> None:
    """Print one line of JSON on stdout and flush it; any stream encoding carries it without loss."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(value)
    typer.echo(text)


def print_problem(problem: Problem) -> None:
    """Print an error for people on stderr: one line, and what to do next, where addresses have their own lines."""
    typer.secho(_("Error:") + " ", fg="red", bold=True, nl=False, err=True)
    typer.echo(one_line(problem.message), err=True)
    for line in problem.hint.splitlines():
        typer.echo(one_line(line), err=True)


def one_line(text: str) -> str:
    """Return ``text`` as one line that cannot steer a terminal: names come from files that others wrote."""
    return "".join(_harmless(character) for character in " ".join(text.splitlines()))


def _harmless(character: str) -> str:
    return character if character.isprintable() or character in "\u200c\u200d" else "\N{REPLACEMENT CHARACTER}"
