"""Dates and months as options of commands."""

from __future__ import annotations

from datetime import date
from typing import overload

import typer

from ..kernel.dates import read_date
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import _, describe_error


@overload
def read_day(text: str, option: str) -> date: ...
@overload
def read_day(text: str | None, option: str) -> date | None: ...
def read_day(text: str | None, option: str) -> date | None:
    """Return the date that somebody gave; None where nobody did.

    Args:
        option: Where it was given, for the message.

    Raises:
        typer.BadParameter: It is no date.
    """
    if text is None:
        return None
    try:
        return read_date(text)
    except InvalidInputError as exc:
        raise typer.BadParameter(describe_error(exc)[0], param_hint=option) from exc


def read_month(text: str) -> date:
    """Return the first day of a month given as ``2026-11``. Raises typer.BadParameter."""
    try:
        return read_date(f"{text.strip()}-01")
    except InvalidInputError as exc:
        raise typer.BadParameter(_("“{given}” is no month: write 2026-11.", given=text), param_hint="--month") from exc
