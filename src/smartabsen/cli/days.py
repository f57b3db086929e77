"""Dates and months as options of commands."""

from __future__ import annotations

from datetime import date

import typer

from ..kernel.dates import read_date
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import _, describe_error


def read_day(text: str, option: str) -> date:
    """Return the date that somebody gave.

    Args:
        option: Where it was given, for the message.

    Raises:
        typer.BadParameter: It is no date.
    """
    try:
        return read_date(text)
    except InvalidInputError as exc:
        raise typer.BadParameter(describe_error(exc)[0], param_hint=option) from exc


def read_day_if_any(text: str | None, option: str) -> date | None:
    """Return the same, None where nobody gave one."""
    return None if text is None else read_day(text, option)


def read_month(text: str) -> date:
    """Return the first day of a month given as ``2026-11``. Raises typer.BadParameter."""
    try:
        return read_date(f"{text.strip()}-01")
    except InvalidInputError as exc:
        raise typer.BadParameter(_("“{given}” is no month: write 2026-11.", given=text), param_hint="--month") from exc
