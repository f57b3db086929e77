"""``smartabsen shift``."""

from dataclasses import replace
from typing import Annotated, TypeAlias

import typer

from ...attendance.rules.model import Shift
from ...attendance.schedule.rules_times import read_clock, read_length, read_range, span_of
from ...kernel.dates import FIRST_DAY
from ...kernel.i18n import _
from .. import schedule_view
from ..answer import Answer
from ..command import command, make_noun
from ..days import read_day, read_day_if_any
from ..session import Session

app = make_noun("shift", help=_("Add, change, list and remove shifts."), example="smartabsen shift list")

ShiftCode: TypeAlias = Annotated[str, typer.Argument(metavar="CODE", help=_("Code of the shift, as PAGI."))]
Name: TypeAlias = Annotated[str | None, typer.Option("--name", metavar="TEXT", help=_("Name, for people."))]
Start: TypeAlias = Annotated[str | None, typer.Option("--start", metavar="TIME", help=_("When work starts, as 08:00."))]
End: TypeAlias = Annotated[
    str | None, typer.Option("--end", metavar="TIME", help=_("When it ends; before the start: on the next day."))
]
Spans: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--span",
        metavar="TIME-TIME",
        help=_("A stretch of work instead of --start and --end; several make a split shift. One that starts before the "
               "previous one ended lies on the next day."),
    ),
]  # fmt: skip
Breaks: TypeAlias = Annotated[
    list[str] | None, typer.Option("--break", metavar="TIME-TIME", help=_("A planned break; may be given again."))
]
GraceIn: TypeAlias = Annotated[
    int | None, typer.Option("--grace-in", metavar="MIN", help=_("Minutes after the start that are not late yet."))
]
GraceOut: TypeAlias = Annotated[
    int | None, typer.Option("--grace-out", metavar="MIN", help=_("Minutes before the end that are not early yet."))
]
OpensBefore: TypeAlias = Annotated[
    int | None,
    typer.Option("--opens-before", metavar="MIN", help=_("So long before the start a punch belongs to the shift.")),
]
ClosesAfter: TypeAlias = Annotated[
    int | None,
    typer.Option("--closes-after", metavar="MIN", help=_("So long after the end; then the day is judged.")),
]
FlexibleDay: TypeAlias = Annotated[
    str | None, typer.Option("--flexible-day", metavar="H:MM", help=_("Hours that a day asks for, whenever worked."))
]
FlexibleWeek: TypeAlias = Annotated[
    str | None, typer.Option("--flexible-week", metavar="H:MM", help=_("Hours that a week asks for, as 40:00."))
]
EarlyCounts: TypeAlias = Annotated[
    bool | None,
    typer.Option("--early-counts/--early-does-not-count", help=_("Whether work before the start counts.")),
]
BreakTaken: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--break-taken/--break-as-recorded", help=_("Whether the planned break is taken off where none was recorded.")
    ),
]
Rounding: TypeAlias = Annotated[
    int | None, typer.Option("--rounding", metavar="MIN", help=_("Cut worked time down to so many minutes."))
]


@command(
    app,
    "add",
    help=_("Add a shift."),
    example="smartabsen shift add PAGI --start 08:00 --end 17:00 --break 12:00-13:00\n"
    "smartabsen shift add SPLIT --span 06:00-10:00 --span 17:00-21:00\n"
    "smartabsen shift add BEBAS --flexible-week 40:00",
)
def add_shift(
    session: Session,
    code: ShiftCode,
    start: Start = None,
    end: End = None,
    span: Spans = None,
    pause: Breaks = None,
    name: Name = None,
    grace_in: GraceIn = None,
    grace_out: GraceOut = None,
    opens_before: OpensBefore = None,
    closes_after: ClosesAfter = None,
    flexible_day: FlexibleDay = None,
    flexible_week: FlexibleWeek = None,
    early_counts: EarlyCounts = None,
    break_taken: BreakTaken = None,
    rounding: Rounding = None,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", metavar="DATE", help=_("From when; for all dates by default."))
    ] = None,
) -> Answer:
    """Add it."""
    shift = _described(
        Shift(code, "", ()), start, end, span, pause,
        name=name, grace_in=grace_in, grace_out=grace_out, opens_before=opens_before, closes_after=closes_after,
        flexible_day=flexible_day, flexible_week=flexible_week, early_counts=early_counts,
        break_is_taken=break_taken, rounding=rounding,
    )  # fmt: skip
    day = read_day_if_any(valid_from, "--valid-from") or FIRST_DAY
    with session.open() as library:
        added = library.shifts.add_shift(shift, valid_from=day)
    facts = {"shift": schedule_view.shift(added, day)}
    return Answer(data=facts, show=lambda out: schedule_view.show_shift(out, added))


@command(
    app,
    "set",
    help=_("Change a shift from a date on; dates before keep their times.")
    + "\n\n"
    + _("What is not given stays as it is. --start and --end, or --span, replace all spans; --break all breaks."),
    example="smartabsen shift set PAGI --start 07:30 --end 16:30 --valid-from 2026-12-01",
)
def set_shift(
    session: Session,
    code: ShiftCode,
    valid_from: Annotated[str, typer.Option("--valid-from", metavar="DATE", help=_("From when."))],
    start: Start = None,
    end: End = None,
    span: Spans = None,
    pause: Breaks = None,
    no_break: Annotated[bool, typer.Option("--no-break", help=_("The shift has no break any more."))] = False,
    name: Name = None,
    grace_in: GraceIn = None,
    grace_out: GraceOut = None,
    opens_before: OpensBefore = None,
    closes_after: ClosesAfter = None,
    flexible_day: FlexibleDay = None,
    flexible_week: FlexibleWeek = None,
    early_counts: EarlyCounts = None,
    break_taken: BreakTaken = None,
    rounding: Rounding = None,
) -> Answer:
    """Store another version of it."""
    day = read_day(valid_from, "--valid-from")
    with session.open() as library:
        known = library.shifts.get_shift(code).on(day)
        shift = _described(
            replace(known, breaks=()) if no_break else known, start, end, span, pause,
            name=name, grace_in=grace_in, grace_out=grace_out, opens_before=opens_before, closes_after=closes_after,
            flexible_day=flexible_day, flexible_week=flexible_week, early_counts=early_counts,
            break_is_taken=break_taken, rounding=rounding,
        )  # fmt: skip
        changed = library.shifts.change_shift(shift, valid_from=day)
    facts = {"shift": schedule_view.shift(changed, day)}
    return Answer(data=facts, show=lambda out: schedule_view.show_shift(out, changed))


@command(
    app,
    "confirm",
    help=_("Confirm the working week of people for whom nothing is planned: from then on they can be absent."),
    example="smartabsen shift confirm --from 2026-12-01",
)
def confirm_week(
    session: Session,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help=_("From when; today by default."))] = None,
) -> Answer:
    """Confirm it."""
    with session.open() as library:
        day = read_day_if_any(first, "--from") or library.today()
        library.confirm_week(day)
    message = _("The working week counts from {date} on.", date=day)
    return Answer(data={"from": day.isoformat()}, show=lambda out: out.line(message))


@command(app, "list", help=_("List shifts with their versions."), example="smartabsen shift list")
def list_shifts(session: Session) -> Answer:
    """List all shifts."""
    with session.open() as library:
        shifts = library.shifts.list_shifts()
    return Answer(
        data={"shifts": [schedule_view.shift_history(each) for each in shifts]},
        show=lambda out: schedule_view.show_shifts(out, shifts),
    )


@command(
    app,
    "remove",
    help=_("Remove a shift that no pattern, roster or preset names."),
    example="smartabsen shift remove PAGI",
)
def remove_shift(session: Session, code: ShiftCode) -> Answer:
    """Remove it."""
    with session.open() as library:
        library.shifts.remove_shift(code)
    removed = _("The shift {code} is removed.", code=code)
    return Answer(data={"code": code}, show=lambda out: out.line(removed))


def _described(
    shift: Shift,
    start: str | None,
    end: str | None,
    spans: list[str] | None,
    breaks: list[str] | None,
    *,
    flexible_day: str | None,
    flexible_week: str | None,
    **numbers: str | int | None,
) -> Shift:
    """Return a shift with what was given put in place of what it has."""
    if (start is None) != (end is None) or (spans and start is not None):
        raise typer.BadParameter(_("Give --start and --end, or --span."))
    given: dict[str, object] = {name: value for name, value in numbers.items() if value is not None}
    if start is not None and end is not None:
        given["spans"] = (span_of(read_clock(start), read_clock(end)),)
    if spans:
        given["spans"] = tuple(read_range(each) for each in spans)
    if breaks:
        given["breaks"] = tuple(read_range(each) for each in breaks)
    if flexible_day is not None:
        given["flexible_day"] = read_length(flexible_day)
    if flexible_week is not None:
        given["flexible_week"] = read_length(flexible_week)
    return replace(shift, **given)  # type: ignore[arg-type]
