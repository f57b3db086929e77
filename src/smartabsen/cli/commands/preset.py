"""``smartabsen preset``."""

from typing import Annotated, Final, TypeAlias

import typer

from ...attendance.schedule.model import Replacement
from ...kernel.i18n import _
from .. import schedule_view
from ..answer import Answer
from ..command import command, make_noun
from ..days import read_day, read_day_if_any
from ..session import Session

app = make_noun(
    "preset",
    help=_("Other shifts between two dates, as in Ramadan: add, move, list, remove."),
    example="smartabsen preset list",
)

PresetCode: TypeAlias = Annotated[str, typer.Argument(metavar="CODE", help=_("Code of the preset."))]
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@command(
    app,
    "add",
    help=_("Put other shifts in place of those of patterns between two dates, both included.")
    + "\n\n"
    + _("A day of the week (mon, tue, wed, thu, fri, sat, sun) after the shift goes before all days: PAGI@fri=JUMAT."),
    example="smartabsen preset add P --from 2027-02-08 --to 2027-03-09 --map PAGI=PUASA",
)
def add_preset(
    session: Session,
    code: PresetCode,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help=_("First day."))],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help=_("Last day."))],
    maps: Annotated[
        list[str],
        typer.Option("--map", metavar="SHIFT[@DAY]=SHIFT", help=_("Which shift becomes which; may be given again.")),
    ],
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help=_("Name, for people."))] = "",
) -> Answer:
    """Add it."""
    begins, ends = read_day(first, "--from"), read_day(last, "--to")
    replacements = [_replacement(each) for each in maps]
    with session.open() as library:
        added = library.shifts.add_preset(code, begins, ends, replacements, name=name)
    return Answer(
        data={"preset": schedule_view.preset(added)}, show=lambda out: schedule_view.show_presets(out, (added,))
    )


@command(
    app,
    "move",
    help=_("Move a preset by days, or let it begin or end on another date."),
    example="smartabsen preset move RAMADAN --by 1",
)
def move_preset(
    session: Session,
    code: PresetCode,
    by: Annotated[int, typer.Option("--by", metavar="DAYS", help=_("Days later; negative: earlier."))] = 0,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help=_("Another first day."))] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help=_("Another last day."))] = None,
) -> Answer:
    """Move it."""
    begins, ends = read_day_if_any(first, "--from"), read_day_if_any(last, "--to")
    with session.open() as library:
        moved = library.shifts.move_preset(code, days=by, first=begins, last=ends)
    return Answer(
        data={"preset": schedule_view.preset(moved)}, show=lambda out: schedule_view.show_presets(out, (moved,))
    )


@command(app, "list", help=_("List presets."), example="smartabsen preset list")
def list_presets(session: Session) -> Answer:
    """List all presets."""
    with session.open() as library:
        presets = library.shifts.list_presets()
    return Answer(
        data={"presets": [schedule_view.preset(each) for each in presets]},
        show=lambda out: schedule_view.show_presets(out, presets),
    )


@command(app, "remove", help=_("Remove a preset."), example="smartabsen preset remove RAMADAN")
def remove_preset(session: Session, code: PresetCode) -> Answer:
    """Remove it."""
    with session.open() as library:
        library.shifts.remove_preset(code)
    removed = _("The preset {code} is removed.", code=code)
    return Answer(data={"code": code}, show=lambda out: out.line(removed))


def _replacement(text: str) -> Replacement:
    """Read ``PAGI@fri=JUMAT``."""
    left, equals, instead = (part.strip() for part in text.partition("="))
    shift, at, day = (part.strip() for part in left.partition("@"))
    weekday = day.lower()[:3]
    if not (shift and equals and instead) or (at and weekday not in _WEEKDAYS):
        raise typer.BadParameter(
            _("“{given}” cannot be read: it looks like PAGI=PUASA or PAGI@fri=JUMAT.", given=text), param_hint="--map"
        )
    return Replacement(shift, instead, _WEEKDAYS.index(weekday) if at else None)
