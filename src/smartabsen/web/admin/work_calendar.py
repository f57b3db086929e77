"""The calendar of a year: holidays and joint leave, and making it equal to the official one."""

from __future__ import annotations

from datetime import date
from typing import Final, cast

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...attendance.schedule.holiday_sources import SourceName
from ...attendance.schedule.model import CalendarDay, CalendarDiff, CalendarKind, Touched
from ...attendance.schedule.texts import CALENDAR_KINDS
from ...kernel.errors import InvalidInputError, MissingDependencyError
from ...kernel.i18n import N_, _, describe_error
from ..library import library
from . import filled, forms
from .blueprint import blueprint, done
from .filled import shows_again
from .people_choice import people_to_choose

_KINDS: Final = {kind.value: kind for kind in CalendarKind}
_SOURCES: Final = ("frozen", "holidays")


@blueprint.get("/calendar")
def calendar() -> str:
    """List the days of a year."""
    return _page(_year(forms.arg_text("year")))


@blueprint.post("/calendar")
@shows_again(lambda: _page(_year(forms.text("date")[:4])))
def add_calendar_day() -> Response:
    """Add a day."""
    kind = _KINDS.get(forms.text("kind"))
    if kind is None:
        abort(400)
    day = filled.day("date", N_("date"))
    with filled.at("name" if not forms.text("name") else "date"):
        change = library().calendar.add(day, forms.text("name"), kind, site=forms.text("site"))
    done(_("{name} is in the calendar.", name=forms.text("name")) + " " + _touched(change.touched))
    return redirect(url_for("admin.calendar", year=day.year))


@blueprint.post("/calendar/remove")
@shows_again(lambda: _page(_year(forms.text("date")[:4])))
def remove_calendar_day() -> Response:
    """Remove a day."""
    day = filled.day("date", N_("date"))
    change = library().calendar.remove(day, kind=_KINDS.get(forms.text("kind")))
    gone = ", ".join(each.name for each in change.days)
    done(_("{name} is no longer in the calendar.", name=gone) + " " + _touched(change.touched))
    return redirect(url_for("admin.calendar", year=day.year))


@blueprint.post("/calendar/joint")
@shows_again(lambda: _page(_year(forms.text("date")[:4])))
def take_joint_leave() -> Response:
    """Say whether the firm takes a joint leave, or whether one person works on it."""
    day = filled.day("date", N_("date"))
    if code := forms.text("code"):
        works = forms.text("works") == "1"
        person, change = library().calendar.opt_out(code, day, works=works)
        text = N_("{name} works on {date}.") if works else N_("{name} takes the joint leave of {date}.")
        done(_(text, name=person.name, date=day))
    else:
        taken = forms.text("taken") == "1"
        change = library().calendar.take_joint_leave(day, taken=taken)
        text = N_("The joint leave of {date} is taken.") if taken else N_("{date} is an ordinary day of work.")
        done(_(text, date=day) + " " + _touched(change.touched))
    return redirect(url_for("admin.calendar", year=day.year))


@blueprint.get("/calendar/sync")
def show_calendar_sync() -> Response | str:
    """Show what would change, before it does."""
    year, source = _year(forms.arg_text("year")), _source(forms.arg_text("source"))
    try:
        report = library().calendar.sync([year], source=source, dry_run=True)
    except (InvalidInputError, MissingDependencyError) as error:
        flash(" ".join(describe_error(error)).strip(), "danger")
        return redirect(url_for("admin.calendar", year=year))
    return render_template(
        "admin/calendar_sync.html",
        year=year,
        source=source,
        diff=report.diff,
        kinds=CALENDAR_KINDS,
        added_and_removed=_added_and_removed,
    )


@blueprint.post("/calendar/sync")
@shows_again(lambda: _page(_year(forms.text("year"))))
def sync_calendar() -> Response:
    """Make a year equal to a source."""
    year, source = _year(forms.text("year")), _source(forms.text("source"))
    report = library().calendar.sync([year], source=source, dry_run=False, joint_taken=filled.ticked("joint_taken"))
    if report.diff.is_empty:
        done(_("The calendar of {year} was equal already.", year=year))
    else:
        done(_("The calendar of {year} is equal to the official one.", year=year) + " " + _touched(report.touched))
    return redirect(url_for("admin.calendar", year=year))


def _page(year: int) -> str:
    today = library().desk.work_date()
    sites = library().sites.list_sites()
    return render_template(
        "admin/calendar.html",
        year=year,
        today=today,
        days=library().calendar.list_days(date(year, 1, 1), date(year, 12, 31)),
        kinds=CALENDAR_KINDS,
        kind_options=[(kind.value, _(text)) for kind, text in CALENDAR_KINDS.items()],
        sites={site.id: site.code for site in sites},
        site_options=[(site.code, f"{site.name} ({site.code})") for site in sites],
        people=people_to_choose(),
    )


def _added_and_removed(diff: CalendarDiff) -> list[tuple[str, CalendarDay]]:
    days = [("+", each) for each in diff.added] + [("-", each) for each in diff.removed]
    return sorted(days, key=lambda each: (each[1].day, each[0]))


def _touched(found: tuple[Touched, ...]) -> str:
    people = len({each.person.id for each in found})
    if not people:
        return _("Nobody's plan changes.")
    return (
        _("It changes the plan of one person.")
        if people == 1
        else _("It changes the plans of {count} people.", count=people)
    )


def _year(given: str) -> int:
    if given.isascii() and given.isdecimal() and 2000 <= int(given[:4]) <= 2100:
        return int(given[:4])
    return library().desk.work_date().year


def _source(given: str) -> SourceName:
    return cast(SourceName, given) if given in _SOURCES else "frozen"
