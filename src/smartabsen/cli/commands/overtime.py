"""``smartabsen overtime``."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

import typer

from ...attendance.rules.model import DayKind
from ...attendance.rules.overtime import HourRounding, PastTiers, Wage, parse_hours
from ...kernel.i18n import _
from .. import overtime_view
from ..answer import Answer
from ..command import command, make_noun
from ..parameters import Code, read_day
from ..session import Session

app = make_noun(
    "overtime",
    help=_("Order overtime, note consent and approval, list orders; explain what hours are worth."),
    example="smartabsen overtime explain --wage 5000000 --week 5 --day workday --hours 3",
)

OrderId = Annotated[int, typer.Argument(metavar="ID", help=_("Number of the order; “overtime list” shows it."))]
KindOfDay: TypeAlias = Literal["workday", "rest-day", "holiday", "shortest-day"]
_RUPIAH = re.compile(r"\d{1,12}|\d{1,3}(?:[.,_]\d{3}){1,3}")


@command(
    app,
    "explain",
    help=_("Explain what hours of overtime are worth by the law: units, the hour's wage, the amount, each step.")
    + "\n\n"
    + _("Nothing is stored. Wages are whole rupiah: basic pay without allowances, or the wage of a day."),
    example="smartabsen overtime explain --wage 5000000 --week 5 --day workday --hours 3\n"
    "smartabsen overtime explain --daily 150000 --week 6 --day holiday --hours 1:30",
)
def explain(
    session: Session,
    week: Annotated[int, typer.Option("--week", min=5, max=6, help=_("Working days of the week: 5 or 6."))],
    day: Annotated[KindOfDay, typer.Option("--day", help=_("Kind of the day."))],
    hours: Annotated[str, typer.Option("--hours", metavar="HOURS", help=_("Overtime: 3, 1.5 or 1:30."))],
    wage: Annotated[
        str | None, typer.Option("--wage", metavar="RUPIAH", help=_("Basic pay of a month, without allowances."))
    ] = None,
    fixed: Annotated[
        str | None, typer.Option("--fixed", metavar="RUPIAH", help=_("Fixed allowances of a month."))
    ] = None,
    variable: Annotated[
        str | None, typer.Option("--variable", metavar="RUPIAH", help=_("Variable allowances of a month."))
    ] = None,
    daily: Annotated[str | None, typer.Option("--daily", metavar="RUPIAH", help=_("Wage of a day."))] = None,
    minimum: Annotated[
        str | None, typer.Option("--minimum", metavar="RUPIAH", help=_("Minimum wage of a month at the place."))
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help=_("The law of this day; by default today's."))
    ] = None,
    hour_rounding: Annotated[
        HourRounding,
        typer.Option("--hour-rounding", help=_("What becomes of the hour's wage before it is multiplied.")),
    ] = HourRounding.EXACT,
    past_tiers: Annotated[
        PastTiers, typer.Option("--past-tiers", help=_("Hours past the last step of the law: refuse them, or 4x."))
    ] = PastTiers.REFUSE,
) -> Answer:
    """Explain hours."""
    if (wage is None) == (daily is None):
        raise typer.BadParameter(_("Give --wage or --daily, one of them."))
    if daily is not None and (fixed is not None or variable is not None):
        raise typer.BadParameter(_("--fixed and --variable belong to --wage."))
    paid = Wage(
        basic=_rupiah(wage, "--wage"),
        fixed=_rupiah(fixed, "--fixed"),
        variable=_rupiah(variable, "--variable"),
        daily=None if daily is None else _rupiah(daily, "--daily"),
        minimum=_rupiah(minimum, "--minimum"),
    )
    with session.open() as library:
        found = library.overtime.explain(
            parse_hours(hours),
            DayKind(day),
            paid,
            week=week,
            on=library.today() if on is None else read_day(on, "--on"),
            hour_rounding=hour_rounding,
            past_tiers=past_tiers,
        )
    return Answer(data=overtime_view.explained(found), show=lambda out: overtime_view.show_explained(out, found))


@command(
    app,
    "order",
    help=_("Order overtime for an employee on a day (SPL).")
    + "\n\n"
    + _("It is paid once the worker agreed (“overtime consent”) and it is approved (“overtime approve”)."),
    example="smartabsen overtime order E001 2026-12-04 --minutes 120 --reason closing",
)
def order(
    session: Session,
    code: Code,
    date: Annotated[str, typer.Argument(metavar="DATE", help=_("The working day, as 4/12/2026 or 2026-12-04."))],
    minutes: Annotated[int, typer.Option("--minutes", metavar="N", help=_("How long."))],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("What for."))] = "",
) -> Answer:
    """Order overtime."""
    with session.open() as library:
        ordered = library.overtime.order(code, read_day(date, "DATE"), minutes, reason=reason)
    return overtime_view.answer(ordered)


@command(
    app,
    "consent",
    help=_("Note that the worker agrees to an order."),
    example="smartabsen overtime consent 12",
)
def consent(session: Session, order_id: OrderId) -> Answer:
    """Note the consent."""
    with session.open() as library:
        return overtime_view.answer(library.overtime.consent(order_id))


@command(app, "approve", help=_("Approve an order."), example="smartabsen overtime approve 12")
def approve(session: Session, order_id: OrderId) -> Answer:
    """Approve."""
    with session.open() as library:
        return overtime_view.answer(library.overtime.approve(order_id))


@command(app, "cancel", help=_("Take an order back."), example="smartabsen overtime cancel 12")
def cancel(session: Session, order_id: OrderId) -> Answer:
    """Cancel."""
    with session.open() as library:
        return overtime_view.answer(library.overtime.cancel(order_id))


@command(
    app,
    "list",
    help=_("List the orders of a period: names and durations, consent, approval, and caps that are exceeded.")
    + "\n\n"
    + _("By default from a month ago to a month ahead. --week adds up by person: names and durations."),
    example="smartabsen overtime list --from 2026-12-01 --to 2026-12-31\nsmartabsen overtime list --week 2026-12-04",
)
def list_orders(
    session: Session,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help=_("First day, as 1/11/2026 or 2026-11-01."))
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help=_("Last day."))] = None,
    week: Annotated[
        str | None, typer.Option("--week", metavar="DATE", help=_("The week of this day, Monday to Sunday."))
    ] = None,
    employee: Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("Only this employee."))] = None,
) -> Answer:
    """List orders."""
    if week is not None:
        if first is not None or last is not None:
            raise typer.BadParameter(_("--week stands in the place of --from and --to."))
        day = read_day(week, "--week")
        monday = day - timedelta(days=day.weekday())
        first, last = monday.isoformat(), (monday + timedelta(days=6)).isoformat()
    show = overtime_view.show_orders if week is None else overtime_view.show_weeks
    with session.open() as library:
        begin = library.today() - timedelta(days=31) if first is None else read_day(first, "--from")
        end = max(begin, library.today()) + timedelta(days=31) if last is None else read_day(last, "--to")
        orders = library.overtime.orders(begin, end, code=employee)
        findings = library.overtime.findings(begin, end, code=employee)
    return Answer(data=overtime_view.orders(orders, findings), show=lambda out: show(out, orders, findings))


def _rupiah(text: str | None, option: str) -> Fraction:
    if text is None:
        return Fraction(0)
    if not _RUPIAH.fullmatch(text.strip()):
        raise typer.BadParameter(_("“{given}” is no amount of whole rupiah.", given=text), param_hint=option)
    return Fraction(re.sub(r"\D", "", text))
