"""What forms and addresses bring, read into values; what cannot be read is an error with the field's name."""

from __future__ import annotations

import re
from datetime import date, time

from flask import request

from ...errors import InvalidInputError
from ...i18n import N_, Message

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2})?")
_MAX_TEXT = 2_000
_FIRST, _LAST = date(2000, 1, 1), date(2100, 12, 31)
"""Of the dates that pages show: what lies outside is a slip, and at the ends of the calendar there is no next day."""


def text(name: str) -> str:
    """Return a field of a form without blanks around it, empty where it is missing."""
    return request.form.get(name, "")[:_MAX_TEXT].strip()


def secret(name: str) -> str:
    """Return a password as it was typed."""
    return request.form.get(name, "")[: 2 * _MAX_TEXT]


def form_date(name: str, title: str) -> date:
    """Return a date of a form. Raises InvalidInputError."""
    return _date(text(name), title)


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
    """Return a date of the address, the default where it is missing or none."""
    return parse_date(request.args.get(name, "")) or default


def parse_date(given: str) -> date | None:
    """Return a date as ``2026-11-30`` within the years that pages show, or None."""
    try:
        day = date.fromisoformat(given) if _DATE.fullmatch(given) else None
    except ValueError:
        return None
    return day if day is not None and _FIRST <= day <= _LAST else None


def arg_text(name: str) -> str:
    """Return a text of the address."""
    return request.args.get(name, "")[:100].strip()


def arg_page() -> int:
    """Return the number of a page in the address, 1 where it is none."""
    given = request.args.get("page", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 1


def _date(given: str, title: str) -> date:
    day = parse_date(given)
    if day is None:
        raise InvalidInputError(N_("The {field} cannot be read: it looks like 2026-11-30."), field=Message(title))
    return day
