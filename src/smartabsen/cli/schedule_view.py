"""Shifts, patterns, presets, rosters and the calendar for people, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ..attendance.schedule.model import OFF, CalendarDay, CalendarDiff, CalendarKind, Pattern, Preset, Touched
from ..attendance.schedule.rules_cycles import show_cycle
from ..attendance.schedule.rules_times import show_length, show_span
from ..attendance.schedule.texts import CALENDAR_KINDS, WEEKDAYS, breaks_in_words, times_in_words
from ..kernel.i18n import _
from ..kernel.messages import fill
from .answer import Json
from .output import Cell, Column, Output, yes_no

if TYPE_CHECKING:
    from ..attendance.rules.model import PlannedDay, Shift
    from ..attendance.schedule.calendar import CalendarChange, SyncReport
    from ..attendance.schedule.grid import GridReport, GridRow
    from ..attendance.schedule.roster import NamedAssignment, RosterChange, RosterView
    from ..attendance.schedule.service import ShiftHistory

_STYLES = {"changed": "green", "rejected": "red"}

# --- shifts and patterns -------------------------------------------------------------------------------------


def shift(value: Shift, valid_from: date | None = None) -> Json:
    """A shift; times of day are those of the work date, and of the day after where they are earlier."""
    return {
        "code": value.code,
        "name": value.name,
        "spans": [show_span(span) for span in value.spans],
        "breaks": [show_span(span) for span in value.breaks],
        "opens_before": value.opens_before,
        "closes_after": value.closes_after,
        "grace_in": value.grace_in,
        "grace_out": value.grace_out,
        "flexible_day": None if value.flexible_day is None else show_length(value.flexible_day),
        "flexible_week": None if value.flexible_week is None else show_length(value.flexible_week),
        "early_counts": value.early_counts,
        "break_is_taken": value.break_is_taken,
        "rounding": value.rounding,
        "valid_from": None if valid_from is None else valid_from.isoformat(),
    }


def shift_history(value: ShiftHistory) -> Json:
    """A shift as it is today, with all its versions."""
    versions = [shift(each.shift, each.valid_from) for each in value.versions]
    return {**shift(value.current.shift, value.current.valid_from), "versions": versions}


def show_shifts(out: Output, shifts: Sequence[ShiftHistory]) -> None:
    """Print shifts, each version on a line."""
    columns = (
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("From"), whole=True),
        Column(_("Times"), whole=True),
        Column(_("Breaks"), whole=True),
        Column(_("Window")),
        Column(_("Grace")),
    )
    rows = [
        (
            each.code,
            version.shift.name,
            version.valid_from.isoformat() if len(each.versions) > 1 else "",
            times_in_words(version.shift),
            breaks_in_words(version.shift),
            f"-{version.shift.opens_before} +{version.shift.closes_after}",
            f"{version.shift.grace_in}/{version.shift.grace_out}",
        )
        for each in shifts
        for version in each.versions
    ]
    out.table(columns, rows, empty=_("No shifts."))


def show_shift(out: Output, value: Shift) -> None:
    """Print one shift on a line."""
    breaks = f" ({breaks_in_words(value)})" if value.breaks else ""
    out.line(f"{value.code}: {times_in_words(value)}{breaks}")


def pattern(value: Pattern) -> Json:
    """A pattern."""
    return {
        "code": value.code,
        "name": value.name,
        "cycle": show_cycle(value.steps),
        "days": value.length,
        "starts": value.starts.isoformat() if value.starts else None,
    }


def show_patterns(out: Output, patterns: Sequence[Pattern]) -> None:
    """Print patterns."""
    columns = (
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Cycle")),
        Column(_("Days"), number=True),
        Column(_("Begins"), whole=True),
    )
    rows = [
        (each.code, each.name, show_cycle(each.steps), str(each.length), each.starts.isoformat() if each.starts else "")
        for each in patterns
    ]
    out.table(columns, rows, empty=_("No patterns."))


def preset(value: Preset) -> Json:
    """A preset."""
    return {
        "code": value.code,
        "name": value.name,
        "from": value.first.isoformat(),
        "to": value.last.isoformat(),
        "shifts": [
            {"shift": each.shift, "instead": each.instead, "weekday": each.weekday} for each in value.replacements
        ],
    }


def show_presets(out: Output, presets: Sequence[Preset]) -> None:
    """Print presets."""
    columns = (
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("From"), whole=True),
        Column(_("To"), whole=True),
        Column(_("Shifts")),
    )
    rows = [
        (
            each.code,
            each.name,
            each.first.isoformat(),
            each.last.isoformat(),
            ", ".join(
                f"{one.shift}{'' if one.weekday is None else f' ({_(WEEKDAYS[one.weekday])})'} → {one.instead}"
                for one in each.replacements
            ),
        )
        for each in presets
    ]
    out.table(columns, rows, empty=_("No presets."))


# --- rosters -------------------------------------------------------------------------------------------------


def assignment(value: NamedAssignment) -> Json:
    """An assignment."""
    each = value.assignment
    return {
        "id": each.id,
        "scope": each.scope.kind.value,
        "code": value.code,
        "pattern": each.pattern,
        "from": each.first.isoformat(),
        "to": each.last.isoformat() if each.last else None,
    }


def planned(value: PlannedDay) -> Json:
    """What is planned for a date."""
    return {
        "date": value.work_date.isoformat(),
        "shift": value.shift.code if value.shift else None,
        "kind": value.kind.value,
        "holiday": value.holiday,
        "joint_leave": value.joint_leave,
        "source": value.source,
        "pattern": value.pattern,
        "zone": value.zone,
        "is_planned": value.is_planned,
    }


def roster_change(value: RosterChange) -> Json:
    """A single date of a person."""
    return {
        "code": value.person.code,
        "changed": value.has_changed,
        "before": planned(value.before),
        "after": planned(value.after),
    }


def show_roster_change(out: Output, value: RosterChange) -> None:
    """Print what a date was and is."""
    before, after = (plan_cell(each) for each in (value.before, value.after))
    out.line(f"{value.person.code} {value.person.name}, {value.after.work_date}: {before} → {after}")


def roster(view: RosterView) -> Json:
    """A range of dates: assignments, single dates, plans."""
    codes = {person.id: person.code for person in view.people}
    return {
        "from": view.first.isoformat(),
        "to": view.last.isoformat(),
        "assignments": [assignment(each) for each in view.assignments],
        "roster": [
            {
                "code": codes[each.employee_id],
                "date": each.work_date.isoformat(),
                "shift": each.shift or OFF,
                "reason": each.reason,
            }
            for each in view.days
        ],
        "days": [
            {"code": person.code, "name": person.name, **planned(view.book.plan(person.id, day))}
            for person in view.people
            for day in _dates(view.first, view.last)
        ],
    }


def show_roster(out: Output, view: RosterView) -> None:
    """Print assignments, then a grid of people and dates."""
    columns = (
        Column(_("Number"), number=True),
        Column(_("For")),
        Column(_("Pattern"), whole=True),
        Column(_("From"), whole=True),
        Column(_("To"), whole=True),
    )
    rows = [
        (
            str(each.assignment.id),
            f"{_scope(each)} {each.code}",
            each.assignment.pattern,
            each.assignment.first.isoformat(),
            each.assignment.last.isoformat() if each.assignment.last else "",
        )
        for each in view.assignments
    ]
    out.table(columns, rows, empty=_("Nobody has a pattern yet: smartabsen roster assign"))
    out.line()
    dates = _dates(view.first, view.last)
    grid = (Column(_("Code"), whole=True), Column(_("Name")), *(Column(f"{day:%d/%m}", whole=True) for day in dates))
    out.table(
        grid,
        [
            (person.code, person.name, *(plan_cell(view.book.plan(person.id, day)) for day in dates))
            for person in view.people
        ],
        empty=_("No employees."),
    )
    for day in dates:
        if names := {plan.holiday for plan in (view.book.plan(each.id, day) for each in view.people) if plan.holiday}:
            out.line(f"{day:%d/%m}: {', '.join(sorted(names))}")


def plan_cell(value: PlannedDay) -> str:
    """Return what is planned for a date in a word: a shift, OFF, or a dash where nobody planned it."""
    if value.shift is not None:
        return value.shift.code
    return OFF if value.is_planned or value.holiday else "-"


def _scope(value: NamedAssignment) -> str:
    words = {"employee": _("employee"), "department": _("department"), "site": _("site")}
    return words[value.assignment.scope.kind.value]


def _dates(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def grid(report: GridReport) -> Json:
    """What became of a sheet."""
    return {
        "changed": sum(row.verdict.value == "changed" for row in report.rows),
        "unchanged": sum(row.verdict.value == "unchanged" for row in report.rows),
        "rejected": sum(row.verdict.value == "rejected" for row in report.rows),
        "dry_run": report.dry_run,
        "rows": [_grid_row(row) for row in report.rows],
    }


def _grid_row(row: GridRow) -> Json:
    return {
        "line": row.line,
        "code": row.code,
        "name": row.name,
        "verdict": row.verdict.value,
        "changes": [{"date": each.day.isoformat(), "before": each.before, "after": each.after} for each in row.changes],
        "message": fill(row.detail, row.params),
    }


def show_grid(out: Output, report: GridReport) -> None:
    """Print the verdict of each row."""
    words = {"changed": _("changed"), "unchanged": _("unchanged"), "rejected": _("rejected")}
    columns = (
        Column(_("Line"), number=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Verdict"), whole=True),
        Column(_("Changes")),
    )
    rows = [
        (
            str(row.line),
            row.code,
            row.name,
            Cell(words[row.verdict.value], _STYLES.get(row.verdict.value, "")),
            fill(row.detail, row.params)
            or ", ".join(f"{each.day:%d/%m} {each.before} → {each.after}" for each in row.changes),
        )
        for row in report.rows
    ]
    out.table(columns, rows, empty=_("The file has no rows."))
    if report.dry_run:
        out.note(_("Nothing was written: this was a dry run."))


# --- calendar ------------------------------------------------------------------------------------------------


def calendar_day(value: CalendarDay) -> Json:
    """A day of the calendar; ``name`` says "(perkiraan)" where the date is an estimate."""
    return {
        "date": value.day.isoformat(),
        "name": value.label,
        "kind": value.kind.value,
        "region": value.region,
        "site_id": value.site_id,
        "source": value.source,
        "tentative": value.tentative,
        "taken": value.taken if value.kind is CalendarKind.JOINT else None,
    }


def touched(value: Touched) -> Json:
    """Somebody whose plan differs now."""
    return {
        "code": value.person.code,
        "name": value.person.name,
        "date": value.day.isoformat(),
        "before": value.before or OFF,
        "after": value.after or OFF,
    }


def calendar_change(value: CalendarChange) -> Json:
    """Days that were added, removed or decided, and whom they touch."""
    return {
        "days": [calendar_day(each) for each in value.days],
        "touched": [touched(each) for each in value.touched],
    }


def show_calendar(out: Output, days: Sequence[CalendarDay]) -> None:
    """Print days of the calendar."""
    columns = (
        Column(_("Date"), whole=True),
        Column(_("Day"), whole=True),
        Column(_("Name")),
        Column(_("Kind")),
        Column(_("Taken"), whole=True),
        Column(_("Source")),
    )
    rows = [
        (
            each.day.isoformat(),
            _(WEEKDAYS[each.day.weekday()]),
            each.label,
            _(CALENDAR_KINDS[each.kind]),
            yes_no(each.taken) if each.kind is CalendarKind.JOINT else "",
            each.source,
        )
        for each in days
    ]
    out.table(columns, rows, empty=_("The calendar has no days there: smartabsen calendar sync"))


def show_change(out: Output, value: CalendarChange) -> None:
    """Print days that changed, and whom they touch."""
    show_calendar(out, value.days)
    show_touched(out, value.touched)


def show_touched(out: Output, found: Sequence[Touched]) -> None:
    """Print whose plans differ."""
    if not found:
        out.note(_("Nobody's plan changes."))
        return
    out.line(_("Plans that change: {count}", count=len(found)))
    columns = (
        Column(_("Date"), whole=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Before"), whole=True),
        Column(_("Now"), whole=True),
    )
    rows = [
        (each.day.isoformat(), each.person.code, each.person.name, each.before or OFF, each.after or OFF)
        for each in found
    ]
    out.table(columns, rows)


def sync(report: SyncReport) -> Json:
    """What a sync changes."""
    return {
        "years": list(report.years),
        "applied": report.applied,
        "added": [calendar_day(each) for each in report.diff.added],
        "removed": [calendar_day(each) for each in report.diff.removed],
        "changed": [
            {"before": calendar_day(before), "after": calendar_day(after)} for before, after in report.diff.changed
        ],
        "kept": [calendar_day(each) for each in report.diff.kept],
        "touched": [touched(each) for each in report.touched],
    }


def diff_lines(diff: CalendarDiff) -> list[str]:
    """Return a sync as lines with + - and ~ in front, by date."""
    lines = [(each.day, "+", each) for each in diff.added]
    lines += [(each.day, "-", each) for each in diff.removed]
    lines += [(after.day, "~", after) for _before, after in diff.changed]
    ordered = sorted(lines, key=lambda line: (line[0], line[1]))
    return [f"{sign} {day} {each.label} ({_(CALENDAR_KINDS[each.kind])})" for day, sign, each in ordered]


def show_diff(out: Output, diff: CalendarDiff) -> None:
    """Print what a sync changes."""
    if diff.is_empty:
        out.note(_("The calendar is as it should be: nothing changes."))
    for line in diff_lines(diff):
        out.line(line)
    for each in diff.kept:
        out.note(_("{date} stays as it was entered: {name}", date=each.day, name=each.name))
