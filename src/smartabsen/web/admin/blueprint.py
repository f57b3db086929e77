"""The blueprint of the administrators' pages, and what every one of them needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Blueprint, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from ...kernel.actors import acting_as
from ...kernel.domain import User
from ...kernel.errors import SmartAbsenError
from ...kernel.i18n import N_, _, describe_error
from ...kernel.messages import describe_verdict, fill
from ..library import library
from .access import ROUTES, current_user, may
from .charts import bar_chart, day_chart, week_chart
from .filled import fault_of, is_refused, typed, typed_list
from .trail_words import describe_action, describe_details, describe_kind
from .words import clock, describe_method, describe_role, moment, status_text

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

_LAST_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the navigation.

    Attributes:
        endpoint: Its view.
        title: Message id.
        others: Views at which it is the current one, too.
    """

    endpoint: str
    title: str
    others: tuple[str, ...] = ()

    def is_at(self, endpoint: str) -> bool:
        """Return whether a view belongs to it."""
        return endpoint == self.endpoint or endpoint in self.others


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that belong together; ``name`` is that of the icon."""

    name: str
    title: str
    places: tuple[Place, ...]


NAVIGATION: Final = (
    Group("today", N_("Today"), (Place("today", N_("Today")),)),
    Group("days", N_("Attendance"), (Place("days", N_("Attendance"), ("month", "day", "late")),)),
    Group(
        "employees",
        N_("People"),
        (
            Place(
                "employees",
                N_("Employees"),
                (
                    "employee",
                    "new_employee",
                    "enrol",
                    "show_pairing",
                    "terms",
                    "change_terms",
                    "change_employment_dates",
                    "recode_employee",
                ),
            ),
            Place("departments", N_("Departments"), ("add_department", "change_department")),
            Place("sites", N_("Sites"), ("add_site", "confirm_site", "assign_kiosk")),
        ),
    ),
    Group(
        "shifts",
        N_("Working time"),
        (
            Place("roster", N_("Roster"), ("set_roster_day", "check_roster_sheet", "import_roster_sheet")),
            Place("shifts", N_("Shifts"), ("shift", "add_shift", "change_shift", "remove_shift")),
            Place("patterns", N_("Patterns"), ("add_pattern", "remove_pattern")),
            Place("assignments", N_("Assignments"), ("assign_pattern", "end_assignment")),
            Place("presets", N_("Presets"), ("add_preset", "move_preset", "remove_preset")),
            Place(
                "calendar",
                N_("Calendar"),
                ("add_calendar_day", "remove_calendar_day", "take_joint_leave", "show_calendar_sync", "sync_calendar"),
            ),
            Place("policies", N_("Policies"), ("set_policy",)),
        ),
    ),
    Group(
        "leave",
        N_("Leave and overtime"),
        (
            Place(
                "leave_requests",
                N_("Requests"),
                ("leave_request", "ask_for_leave", "approve_leave", "reject_leave", "withdraw_leave"),
            ),
            Place("leave_balances", N_("Balances"), ("grant_leave", "adjust_leave")),
            Place("leave_kinds", N_("Kinds of leave"), ("put_leave_kind",)),
            Place("leave", N_("Excused and sick days")),
            Place(
                "overtime",
                N_("Overtime"),
                ("order_overtime", "consent_to_overtime", "approve_overtime", "cancel_overtime"),
            ),
        ),
    ),
    Group(
        "system",
        N_("System"),
        (
            Place("system", N_("System"), ("check",)),
            Place("users", N_("Users")),
            Place("audit", N_("Audit trail")),
            Place("refusals", N_("Refusals")),
        ),
    ),
)
"""All pages by what they are about."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the navigation, as a page shows it; of a group, with those of its pages."""

    address: str
    name: str
    title: str
    is_current: bool
    pages: tuple[Link, ...] = ()


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
    links = [link for group in NAVIGATION if (link := _link(group, user, here)) is not None]

    def can(endpoint: str) -> bool:
        return user is not None and may(user, ROUTES[f"admin.{endpoint}"], "POST")

    return {
        "user": user,
        "may_change": can("edit_employee"),
        "may_check": can("check"),
        "may_change_organisation": can("add_site"),
        "may_plan": can("add_shift"),
        "may_approve": can("approve_leave"),
        "may_ask": can("ask_for_leave"),
        "typed": typed,
        "typed_list": typed_list,
        "fault_of": fault_of,
        "is_refused": is_refused,
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


def _link(group: Group, user: User | None, here: str) -> Link | None:
    """Return the link of a group with those of its pages that a user may see; None without any."""
    pages = tuple(
        Link(url_for(f"admin.{place.endpoint}"), place.endpoint, _(place.title), place.is_at(here))
        for place in group.places
        if user is not None and may(user, ROUTES[f"admin.{place.endpoint}"])
    )
    if not pages:
        return None
    current = any(page.is_current for page in pages)
    return Link(pages[0].address, group.name, _(group.title), current, pages if len(pages) > 1 else ())


blueprint.app_template_filter("clock")(clock)
blueprint.app_template_filter("moment")(moment)


def in_one_state(view: Callable[P, R]) -> Callable[P, R]:
    """Let all that a view reads before it writes be of one state of the database, in one transaction.

    For views that wait for nothing: see :meth:`.Units.together`.
    """

    @wraps(view)
    def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        with library().units.together():
            return view(*args, **kwargs)

    return reading


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
