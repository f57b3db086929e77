"""What forms and addresses bring, read into values; what cannot be read is an error with the field's name."""

from __future__ import annotations

import re
from datetime import date, time

from flask import flash, request

from ...kernel.dates import read_date
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_, Message, describe_error

_TIME = re.compile(r"\d{2}:\d{2}(:\d{2})?")
_MAX_TEXT = 2_000


def text(name: str) -> str:
    """Return a field of a form without blanks around it, empty where it is missing."""
    return request.form.get(name, "")[:_MAX_TEXT].strip()


def secret(name: str) -> str:
    """Return a password as it was typed."""
    return request.form.get(name, "")[: 2 * _MAX_TEXT]


def form_date(name: str, title: str) -> date:
    """Return a date of a form. Raises InvalidInputError."""
    given = text(name)
    if not given:
        raise InvalidInputError(N_("The {field} is empty."), field=Message(title))
    return read_date(given)


def form_time(name: str, title: str) -> time:
    """Return a clock time of a form. Raises InvalidInputError."""
    given = text(name)
    try:
        if _TIME.fullmatch(given):
            return time.fromisoformat(given)
    except ValueError:
        pass
    raise InvalidInputError(N_("The {field} cannot be read: it looks like 07:55."), field=Message(title))


def arg_date(name: str, default: date) -> date:
    """Return a date of the address, the default where it is missing; one that cannot be read is told on the page."""
    given = arg_text(name)
    if not given:
        return default
    try:
        return read_date(given)
    except InvalidInputError as error:
        flash(describe_error(error)[0], "danger")
        return default


def arg_text(name: str) -> str:
    """Return a text of the address."""
    return request.args.get(name, "")[:100].strip()


def arg_page() -> int:
    """Return the number of a page in the address, 1 where it is none."""
    given = request.args.get("page", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 1
