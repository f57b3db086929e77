"""What is wrong with a setting, in sentences of the catalogue: pydantic itself speaks English only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Final, TypeAlias

from pydantic import ValidationError

from ..kernel.errors import ConfigError
from ..kernel.i18n import N_

_Problem: TypeAlias = Mapping[str, object]

_SEE_ALL: Final = N_("“smartabsen config show” lists all settings and what they mean.")
_WHOLE_NUMBER = N_("The setting {name} (from {origin}) is not usable: a whole number is wanted.")
_NUMBER = N_("The setting {name} (from {origin}) is not usable: a number is wanted.")
_YES_OR_NO = N_("The setting {name} (from {origin}) is not usable: true or false is wanted.")
_TEXT = N_("The setting {name} (from {origin}) is not usable: a text in quotes is wanted.")
_SENTENCES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _WHOLE_NUMBER),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), _YES_OR_NO),
    **dict.fromkeys(("string_type", "path_type"), _TEXT),
    "greater_than_equal": N_("The setting {name} (from {origin}) is not usable: at least {ge} is wanted."),
    "greater_than": N_("The setting {name} (from {origin}) is not usable: more than {gt} is wanted."),
    "less_than_equal": N_("The setting {name} (from {origin}) is not usable: at most {le} is wanted."),
    "less_than": N_("The setting {name} (from {origin}) is not usable: less than {lt} is wanted."),
    "string_too_short": N_("The setting {name} (from {origin}) is not usable: at least {min_length} characters."),
    "string_too_long": N_("The setting {name} (from {origin}) is not usable: at most {max_length} characters."),
    "literal_error": N_("The setting {name} (from {origin}) is not usable: one of {known} is wanted."),
}
"""By pydantic's stable name of what is wrong; the places are filled from what it tells beside it."""
# 7.30 is how Indonesia writes half past seven.
_CLOCK: Final = re.compile(r"\s*([01]?\d|2[0-3])[:.]([0-5]\d)(?:[:.]([0-5]\d))?\s*")


class SettingRefusedError(ValueError):
    """Raised by a validator of ours.

    Args:
        message: One English sentence with the places ``{name}`` and ``{origin}``, a message id.
        hint: What to do next, a message id.
        params: Values for further places.
    """

    def __init__(self, message: str, *, hint: str = _SEE_ALL, **params: object) -> None:
        self.message_id = message
        self.hint_id = hint
        self.params = params
        super().__init__(message)


def read_clock(value: object) -> time:
    """Return a time of day without a zone: of TOML itself, or of a text as ``07:30``, ``7:30`` or ``07.30``.

    Raises:
        SettingRefusedError: It is none; a number such as ``7`` could be hours, minutes or seconds.
    """
    if isinstance(value, time) and value.tzinfo is None:
        return value
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise SettingRefusedError(
            N_("The setting {name} (from {origin}) is not usable: “{value}” is no time of day."),
            hint=N_('Write hours and minutes in quotes and without a zone, as "07:00".'),
            value=value,
        )
    return time(int(found[1]), int(found[2]), int(found[3] or 0))


def error_of(invalid: ValidationError, origins: Mapping[str, str]) -> ConfigError:
    """Return the error that tells the first of the problems.

    Args:
        origins: Where each setting that was given comes from.
    """
    problem = invalid.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    context: _Problem = problem.get("ctx", {})
    params = {"name": name, "origin": origins.get(name, "default")}
    refused = context.get("error")
    if isinstance(refused, SettingRefusedError):
        return ConfigError(refused.message_id, hint=refused.hint_id, **params, **refused.params)
    if problem["type"] in _SENTENCES:
        known = " / ".join(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
        return ConfigError(_SENTENCES[problem["type"]], hint=_SEE_ALL, **params, **{**context, "known": known})
    sentence = N_("The setting {name} (from {origin}) is not usable: {problem}.")
    return ConfigError(sentence, hint=_SEE_ALL, **params, problem=problem["msg"].rstrip("."))
