"""Wrong command lines, told in the person's language: what Typer itself says is English only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import typer

from ..kernel.i18n import N_, _

_VALUE_PROBLEMS: Final = (
    (re.compile(r"is not one of (?P<known>.+?)\.?$"), N_("choose one of {known}")),
    (re.compile(r"valid integer"), N_("a whole number is wanted")),
    (re.compile(r"valid (number|float)"), N_("a number is wanted")),
    (re.compile(r"greater than or equal to (?P<least>\S+)"), N_("at least {least} is wanted")),
    (re.compile(r"less than or equal to (?P<most>\S+)"), N_("at most {most} is wanted")),
)
"""What Typer and pydantic say of a value, in the words of the versions that we allow; other words stay English."""


def usage_sentence(error: typer.TyperException) -> str:
    """Say in the current language what is wrong with a command line, where the error tells enough."""
    option: str | None = getattr(error, "option_name", None)
    param: Any = getattr(error, "param", None)
    if option and hasattr(error, "possibilities"):
        return with_suggestion(_("There is no option {option}.", option=option), error.possibilities or ())
    if option:
        needs_value = "require" in error.message
        text = N_("The option {option} needs a value.") if needs_value else N_("The option {option} takes no value.")
        return _(text, option=option)
    if isinstance(error, typer.BadParameter) and param is not None:
        name = param.opts[0] if param.param_type_name == "option" else param.display_name_raw.upper()
        if not error.message:
            return _("{name} is missing.", name=name)
        return _("{name} cannot be used: {problem}.", name=name, problem=_value_problem(error.message))
    extra = re.search(r"unexpected extra arguments? ?\(?s?\)? ?\((.*)\)", error.message)
    if extra:
        return _("These arguments are too many: {arguments}.", arguments=extra[1])
    return error.message


def with_suggestion(sentence: str, names: Sequence[str]) -> str:
    """Add what may have been meant."""
    suggestion = _("Did you mean {names}?", names=", ".join(names))
    return f"{sentence} {suggestion}" if names else sentence


def _value_problem(message: str) -> str:
    for pattern, text in _VALUE_PROBLEMS:
        found = pattern.search(message)
        if found:
            places = {name: value.replace("'", "") for name, value in found.groupdict().items()}
            return _(text, **places)
    return message.rstrip(".")
