"""Forms that lose nothing: one that is refused comes back as it was typed, with the message at its field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Final, ParamSpec

from flask import g, make_response, request
from werkzeug.wrappers import Response

from ...kernel.errors import InvalidInputError, SmartAbsenError
from ...kernel.i18n import N_, Message, describe_error
from . import forms

P = ParamSpec("P")

REFUSED: Final = 422
"""Status of a page that shows a form again."""
_FORM: Final = "form"
"""Hidden field with the name of the form: several stand on one page."""
_FIELDS: Final = {"clause": "exempt"}
"""Words of messages for a field whose name in the form is another one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a form that was refused.

    Attributes:
        form: Its name.
        field: Where the message stands; empty above the form.
    """

    form: str
    field: str
    text: str


def shows_again(page: Callable[..., str | Response]) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Show a page again when its form is refused, filled with what was typed.

    Args:
        page: The view of the page; it gets the arguments of the view that is decorated.
    """

    def decorate(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def told(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                return view(*args, **kwargs)
            except SmartAbsenError as error:
                if error.http_status >= 500:
                    raise
                message, hint = describe_error(error)
                g.fault = Fault(forms.text(_FORM), _field_of(error), f"{message} {hint}".strip())
                return make_response(page(*args, **kwargs), REFUSED)

        return told

    return decorate


@contextmanager
def at(field: str) -> Iterator[None]:
    """Let the message of an error stand at a field of the form."""
    try:
        yield
    except SmartAbsenError:
        g.setdefault("fault_at", field)
        raise


def day(name: str, title: str) -> date:
    """Return a date of a form. Raises InvalidInputError."""
    with at(name):
        return forms.form_date(name, title)


def day_if_any(name: str, title: str) -> date | None:
    """Return a date of a form, None where nothing was typed. Raises InvalidInputError."""
    return day(name, title) if forms.text(name) else None


def number(name: str, title: str, *, default: int = 0) -> int:
    """Return a whole number of a form, the default where nothing was typed. Raises InvalidInputError."""
    given = forms.text(name)
    if not given:
        return default
    with at(name):
        if not (given.isascii() and given.isdigit() and len(given) < 7):
            raise InvalidInputError(N_("The {field} is no whole number."), field=Message(title))
        return int(given)


def ticked(name: str) -> bool:
    """Return whether a box is ticked."""
    return forms.text(name) == "1"


def typed(form: str, name: str, default: object = "") -> str:
    """Return what stands in a field: as it was typed where the form was refused."""
    fault: Fault | None = g.get("fault")
    if fault is not None and fault.form == form:
        return request.form.get(name, "")
    return "" if default is None else str(default)


def typed_list(form: str, name: str, default: Sequence[str]) -> Sequence[str]:
    """Return which boxes of a name are ticked: as they were where the form was refused."""
    return request.form.getlist(name) if is_refused(form) else default


def fault_of(form: str, field: str) -> str:
    """Return the message that stands at a field; for an empty one, above the form."""
    fault: Fault | None = g.get("fault")
    return fault.text if fault is not None and (fault.form, fault.field) == (form, field) else ""


def is_refused(form: str) -> bool:
    """Return whether it is this form that was refused."""
    fault: Fault | None = g.get("fault")
    return fault is not None and fault.form == form


def _field_of(error: SmartAbsenError) -> str:
    """Return which field an error is about: the one being read, else the one whose text the message repeats."""
    if (known := g.get("fault_at")) is not None:
        return str(known)
    named = str(error.params.get("field", ""))
    if (field := _FIELDS.get(named, named)) and field in request.form:
        return field
    values = {name: str(value).strip().casefold() for name, value in error.params.items() if str(value).strip()}
    for name, value in values.items():
        if forms.text(name).casefold() == value:
            return name
    for name in request.form:
        if name not in (_FORM, "csrf_token") and forms.text(name).casefold() in values.values():
            return name
    return ""
