"""Proving again who one is, before what matters most is changed: the form that was typed waits meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import make_response, render_template, request, session
from werkzeug.wrappers import Response

from ...kernel.i18n import _
from ..device_cookie import find_device
from ..faults import Problem, answers_json, fail
from ..library import library
from ..places import page_path
from . import forms
from .access import current_user

P = ParamSpec("P")
T = TypeVar("T")

_PROVED_AT: Final = "proved_at"
PASSWORD: Final = "confirm_password"  # noqa: S105 - the name of a field
CODE: Final = "confirm_code"
_OURS: Final = frozenset({PASSWORD, CODE, "csrf_token"})


def note_proof() -> None:
    """Keep in the session that its user has proved who they are, just now."""
    session[_PROVED_AT] = library().now().isoformat()


def needs_proof(action: str) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """Ask for the password, and the code where there is a second factor, unless this session gave them lately.

    The page that asks carries what was typed, and sends it on with the password: the view then goes on as it would.

    Args:
        action: What is about to be done, a message id.
    """

    def decorate(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def asked(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            if _is_proved() or (PASSWORD in request.form and _prove()):
                return view(*args, **kwargs)
            return _ask(action, refused=PASSWORD in request.form)

        return asked

    return decorate


def _is_proved() -> bool:
    at = session.get(_PROVED_AT)
    valid = timedelta(minutes=library().settings.desk.confirm_minutes)
    # Not from the future either: a clock that was set back does not make it last.
    return at is not None and timedelta(0) <= library().now() - datetime.fromisoformat(at) < valid


def _prove() -> bool:
    user = current_user()
    assert user is not None, "the access table lets nobody in without"
    if not library().users.confirm(user, forms.secret(PASSWORD), forms.text(CODE), device=find_device()):
        return False
    note_proof()
    return True


def _ask(action: str, *, refused: bool) -> Response:
    if answers_json():
        problem = Problem("confirmation_needed", _("Confirm that it is you."), _("Log in again, then repeat it."))
        return fail(problem, 403)
    page = render_template(
        "admin/confirm.html",
        action=_(action),
        refused=refused,
        typed=[(name, value) for name, value in request.form.items(multi=True) if name not in _OURS],
        back=page_path(),
        minutes=library().settings.desk.confirm_minutes,
        lock_minutes=library().settings.desk.lock_minutes,
    )
    return make_response(page, 403)
