"""Attendance: days in a list and as a month, lateness by week, and files of what is shown."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any, cast

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from ...attendance.desk import ABSENT, SORT_KEYS, DayFilter, DayQuery, SortKey
from ...attendance.desk_export import ExportFormat
from ...kernel.domain import Status
from ..library import library
from . import forms
from .blueprint import blueprint
from .charts import letter_class

_WEEKS = 12


@blueprint.get("/attendance")
def days() -> str:
    """List days of a date or a period, also of who was expected and has none."""
    query = read_query()
    found = library().desk.days(query)
    wanted = query.wanted
    library().audit.note_page("attendance.read", **{"from": wanted.first.isoformat(), "to": wanted.last.isoformat()})
    return render_template(
        "admin/days.html",
        query=query,
        found=found,
        arrivals=library().desk.arrivals(wanted.first) if wanted.first == wanted.last else (),
        statuses=[*Status, None],
        absent=ABSENT,
        today=library().desk.work_date(),
        arguments=arguments(query),
        sorted_by=_sort_links(query),
        periods=_periods(query.wanted.first),
    )


@blueprint.get("/attendance/month")
def month() -> str:
    """Show a month as a grid of people and days."""
    first = forms.arg_date("month", library().desk.work_date())
    search = forms.arg_text("search")
    grid = library().desk.month(first, search=search, page=forms.arg_page())
    days = {"from": grid.days[0].isoformat(), "to": grid.days[-1].isoformat()}
    library().audit.note_page("attendance.read", **days)
    return render_template(
        "admin/month.html",
        grid=grid,
        search=search,
        letter_class=letter_class,
        until=library().desk.work_date(),
        before=grid.first - timedelta(days=1),
        after=grid.days[-1] + timedelta(days=1),
    )


@blueprint.get("/attendance/late")
def late() -> str:
    """Show late minutes by week."""
    last = forms.arg_date("to", library().desk.work_date())
    weeks = library().desk.late_weeks(last, weeks=_WEEKS)
    library().audit.note_page("attendance.read", to=last.isoformat())
    return render_template("admin/late.html", weeks=weeks, last=last)


@blueprint.get("/attendance/export.<format>")
def export(format: str) -> Response:
    """Send the days of a query as a file."""
    if format not in ("csv", "xlsx"):
        abort(404)
    file = library().export_days(read_query(), format=cast(ExportFormat, format))
    response = Response(file.data, content_type=file.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


def read_query() -> DayQuery:
    """Return the query that the address describes; what is no value there is left out."""
    today = library().desk.work_date()
    first = forms.arg_date("from", today)
    last = forms.arg_date("to", first)
    if last < first:
        first, last = last, first
    status = forms.arg_text("status")
    known = {status.value for status in Status} | {ABSENT}
    sort = forms.arg_text("sort")
    wanted = DayFilter(
        first,
        last,
        search=forms.arg_text("search"),
        status=status if status in known else "",
        everyone=True,
    )
    default: SortKey = "name" if first == last else "date"
    return DayQuery(
        wanted,
        sort=sort if sort in SORT_KEYS else default,
        descending=request.args.get("order") == "desc",
        page=forms.arg_page(),
    )


def arguments(query: DayQuery) -> dict[str, Any]:
    """Return a query as arguments of an address, without the page."""
    given = {
        "from": query.wanted.first.isoformat(),
        "to": query.wanted.last.isoformat(),
        "search": query.wanted.search,
        "status": query.wanted.status,
        "sort": query.sort,
        "order": "desc" if query.descending else "",
    }
    return {name: value for name, value in given.items() if value}


def _sort_links(query: DayQuery) -> dict[str, tuple[str, str]]:
    """Return, for each column, the address that sorts by it and how it is sorted now (as ARIA says it)."""
    links: dict[str, tuple[str, str]] = {}
    for key in SORT_KEYS:
        here = key == query.sort
        order = "desc" if here and not query.descending else ""
        state = ("descending" if query.descending else "ascending") if here else "none"
        given = {**arguments(query), "sort": key, "order": order}
        links[key] = (url_for("admin.days", **{name: value for name, value in given.items() if value}), state)
    return links


def _periods(day: date) -> dict[str, dict[str, str]]:
    monday = day - timedelta(days=day.weekday())
    first = day.replace(day=1)
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    spans = {
        "before": (day - timedelta(days=1), day - timedelta(days=1)),
        "after": (day + timedelta(days=1), day + timedelta(days=1)),
        "week": (monday, monday + timedelta(days=6)),
        "month": (first, last),
    }
    return {name: {"from": begin.isoformat(), "to": end.isoformat()} for name, (begin, end) in spans.items()}
