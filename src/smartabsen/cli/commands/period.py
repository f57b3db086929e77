"""``smartabsen period``."""

from pathlib import Path
from typing import Annotated

import typer

from ...attendance.close.model import Month
from ...attendance.close.profiles import NAMES, find_profile
from ...kernel.i18n import _
from .. import period_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun(
    "period",
    help=_("Check a month, close it, export it for payroll; open a closed one again."),
    example="smartabsen period check 2026-11",
)

MonthArgument = Annotated[str, typer.Argument(metavar="MONTH", help=_("The month, as 2026-11."))]


@command(
    app,
    "check",
    help=_("Check what stands in the way of closing a month; of a closed one, whether it is as it was closed.")
    + "\n\n"
    + _("The days of an open month are judged again first. Exit code 1 where something stands in the way."),
    example="smartabsen period check 2026-11",
)
def check(session: Session, month: MonthArgument) -> Answer:
    """Check a month."""
    with session.open() as library:
        found = library.periods.check(Month.parse(month))
    return period_view.checked(found)


@command(
    app,
    "close",
    help=_("Close a month: its results never change any more; what comes later goes into the next one."),
    example="smartabsen period close 2026-11",
)
def close(session: Session, month: MonthArgument) -> Answer:
    """Close a month."""
    with session.open() as library:
        closed = library.periods.close(Month.parse(month))
    return Answer(data=period_view.period(closed), show=lambda out: period_view.show_closed(out, closed))


@command(
    app,
    "reopen",
    help=_("Ask that a closed month is opened again (--reason), or confirm it (--confirm).")
    + "\n\n"
    + _("Two people are needed: who asked does not confirm. This command acts as the user of the system."),
    example="smartabsen period reopen 2026-11 --reason 'Wrong roster'\nsmartabsen period reopen 2026-11 --confirm 3",
)
def reopen(
    session: Session,
    month: MonthArgument,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help=_("Why."))] = None,
    confirm: Annotated[
        int | None, typer.Option("--confirm", metavar="ID", help=_("Number of the request of another person."))
    ] = None,
) -> Answer:
    """Ask, or confirm."""
    if (reason is None) == (confirm is None):
        raise typer.BadParameter(_("Give --reason to ask, or --confirm with the number of a request."))
    with session.open() as library:
        if confirm is None:
            wish = library.periods.ask_to_reopen(Month.parse(month), reason=reason or "")
        else:
            wish = library.periods.reopen(confirm, month=Month.parse(month))
    return Answer(data=period_view.wish(wish), show=lambda out: period_view.show_wish(out, wish))


@command(
    app,
    "export",
    help=_("Write a closed month for payroll: the same file ever after, whatever changes later.")
    + "\n\n"
    + _("Profiles: {names}; or a TOML file of your own.", names=", ".join(NAMES)),
    example="smartabsen period export 2026-11 --profile xlsx --output november.xlsx",
)
def export(
    session: Session,
    month: MonthArgument,
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help=_("What the receiver wants, or a FILE.toml."))
    ] = "csv",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", readable=False, help=_("By default period-MONTH-PROFILE.")),
    ] = None,
) -> Answer:
    """Export a month."""
    wanted = find_profile(profile)
    with session.open() as library:
        found = library.period_exports.export(Month.parse(month), wanted)
        path = library.period_exports.write(found, output)
    data = {"month": month, "profile": found.profile, "output": str(path), "sha256": found.digest}
    return Answer(data=data, show=lambda out: period_view.show_export(out, path, wanted))


@command(app, "list", help=_("List the months that were closed."), example="smartabsen period list")
def list_periods(session: Session) -> Answer:
    """List months."""
    with session.open() as library:
        found = library.periods.list()
    return Answer(
        data={"periods": [period_view.period(each) for each in found]},
        show=lambda out: period_view.show_periods(out, found),
    )
