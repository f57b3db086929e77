"""The blueprint of the administrators' pages, and what every one of them needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial, wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Blueprint, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from ...kernel.actors import acting_as
from ...kernel.errors import SmartAbsenError
from ...kernel.i18n import N_, _, describe_error
from ...kernel.messages import describe_verdict, fill
from ..library import library
from .access import ROUTES, current_user, may
from .charts import bar_chart, day_chart, week_chart
from .trail_words import describe_action, describe_details, describe_kind
from .words import clock, describe_method, describe_role, moment, status_text

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

_LAST_ID: Final = 2**31 - 1
NAVIGATION: Final = (
    ("today", N_("Today"), ("today",)),
    ("employees", N_("Employees"), ("employees", "employee", "new_employee", "enrol", "show_pairing")),
    ("days", N_("Attendance"), ("days", "month", "day", "late")),
    ("leave", N_("Leave"), ("leave",)),
    ("audit", N_("Audit trail"), ("audit",)),
    ("refusals", N_("Refusals"), ("refusals",)),
    ("users", N_("Users"), ("users",)),
    ("system", N_("System"), ("system", "check")),
)
"""Endpoint, title, and the endpoints at which it is the current one."""


@blueprint.url_value_preprocessor
def bound_ids(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Answer numbers in addresses that no row can have as the rows that are not there."""
    if any(isinstance(value, int) and value > _LAST_ID for value in (values or {}).values()):
        abort(404)


@blueprint.before_request
def act() -> None:
    """Let everything in this request be done in the name of the user who is logged in."""
    user = current_user()
    if user is not None:
        g.acting = ExitStack()
        g.acting.enter_context(acting_as(user.name))


@blueprint.teardown_request
def stop_acting(_error: BaseException | None) -> None:
    """End what :func:`act` began."""
    acting: ExitStack | None = g.pop("acting", None)
    if acting is not None:
        acting.close()


@blueprint.context_processor
def page_words() -> dict[str, Any]:
    """Give every page its navigation and the words for codes."""
    user = current_user()
    here = (request.endpoint or "").removeprefix("admin.")
    links = [
        (url_for(f"admin.{endpoint}"), endpoint, _(title), here in places)
        for endpoint, title, places in NAVIGATION
        if user is not None and may(user, ROUTES[f"admin.{endpoint}"].read)
    ]
    return {
        "user": user,
        "is_admin": user is not None and user.role.value == "admin",
        "admin_links": links,
        "bar_chart": partial(bar_chart, clock=clock),
        "day_chart": day_chart,
        "week_chart": week_chart,
        "describe_action": describe_action,
        "describe_details": describe_details,
        "describe_kind": describe_kind,
        "describe_method": describe_method,
        "describe_verdict": describe_verdict,
        "describe_role": describe_role,
        "status_text": status_text,
    }


blueprint.app_template_filter("clock")(clock)
blueprint.app_template_filter("moment")(moment)


def tells_problems(back: Callable[..., str]) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Show an error of a form as a message on the page it came from, instead of on a page of its own.

    Args:
        back: Gets the view's arguments and returns the address of that page.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def told(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            try:
                return view(*args, **kwargs)
            except SmartAbsenError as error:
                if error.http_status >= 500:
                    raise
                message, hint = describe_error(error)
                flash(f"{message} {hint}".strip(), "danger")
                return redirect(back(*args, **kwargs))

        return told

    return decorate


def done(message: str) -> None:
    """Show on the next page that something was done, and what people should know of it, as a log that is locked."""
    flash(message, "success")
    for text, params in library().take_remarks():
        flash(fill(text, params), "warning")
