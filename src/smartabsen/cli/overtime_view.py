"""Overtime, as scripts and people see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from ..attendance.overtime.model import Order, Ordered, Said
from ..attendance.rules.overtime import OvertimeExplained, decimal_text
from ..attendance.rules.overtime_caps import CapFinding
from ..kernel.i18n import N_, _
from .answer import Answer, Json
from .output import Column, Output, yes_no

STATES: Final[Mapping[str, str]] = {
    "ordered": N_("ordered"),
    "agreed": N_("agreed, not approved yet"),
    "approved": N_("approved, without consent yet"),
    "in_force": N_("in force"),
    "cancelled": N_("taken back"),
}
FINDINGS: Final[Mapping[str, str]] = {
    "overtime.cap_day": N_("{date}: {minutes} minutes of overtime, more than {cap} a day ({article})."),
    "overtime.cap_week": N_("Week from {date}: {minutes} minutes of overtime, more than {cap} ({article})."),
}


def explained(value: OvertimeExplained) -> Json:
    """What hours of overtime are worth; units and the hour's wage as decimal strings."""
    return {
        "units": decimal_text(value.units),
        "hour_wage": decimal_text(value.hour_wage),
        "amount": value.amount,
        "parts": [
            {
                "from_hour": _number(part.from_hour),
                "to_hour": _number(part.to_hour),
                "multiplier": _number(part.multiplier),
                "article": part.article,
            }
            for part in value.parts
        ],
        "ruleset": value.ruleset,
        "base": decimal_text(value.base.amount),
        "base_articles": list(value.base.articles),
    }


def show_explained(out: Output, value: OvertimeExplained) -> None:
    """Print the steps, then units, the hour's wage and the amount."""
    columns = (
        Column(_("Hours"), whole=True),
        Column(_("Times"), number=True),
        Column(_("Units"), number=True),
        Column(_("Article")),
    )
    rows = [
        (
            f"{decimal_text(part.from_hour, places=2)}-{decimal_text(part.to_hour, places=2)}",
            decimal_text(part.multiplier),
            decimal_text(part.units),
            part.article,
        )
        for part in value.parts
    ]
    out.table(columns, rows)
    articles = ", ".join(value.base.articles)
    out.line(_("Base of a month: {base} ({articles})", base=decimal_text(value.base.amount), articles=articles))
    out.line(_("Wage of an hour: {wage}", wage=decimal_text(value.hour_wage)))
    out.line(_("Units: {units}", units=decimal_text(value.units)))
    out.line(_("Amount: Rp {amount}", amount=f"{value.amount:,}".replace(",", ".")))
    out.line(_("Ruleset: {ruleset}", ruleset=value.ruleset))


def order(value: Order) -> Json:
    """An order."""
    return {
        "id": value.id,
        "code": value.code,
        "name": value.name,
        "date": value.work_date.isoformat(),
        "minutes": value.minutes,
        "reason": value.reason,
        "state": value.state,
        "food_due": value.is_food_due,
        "ordered": _said(value.ordered),
        "consent": _said(value.consent),
        "approval": _said(value.approval),
        "cancelled": _said(value.cancelled),
    }


def answer(value: Ordered) -> Answer:
    """The answer of a command about one order."""

    def show(out: Output) -> None:
        show_orders(out, (value.order,), {value.order.code: value.findings})

    return Answer(data={**order(value.order), "findings": [_finding(each) for each in value.findings]}, show=show)


def orders(values: Sequence[Order], findings: Mapping[str, Sequence[CapFinding]]) -> Json:
    """The list that the law asks for, and the caps that are exceeded."""
    found = [{"code": code, **_finding(each)} for code, caps in findings.items() for each in caps]
    return {"orders": [order(each) for each in values], "findings": found}


def show_orders(out: Output, values: Sequence[Order], findings: Mapping[str, Sequence[CapFinding]]) -> None:
    """Print orders, then the caps that are exceeded."""
    columns = (
        Column(_("Number"), number=True),
        Column(_("Date"), whole=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Minutes"), number=True),
        Column(_("State")),
        Column(_("Food due"), whole=True),
    )
    rows = [
        (
            str(each.id),
            str(each.work_date),
            each.code,
            each.name,
            str(each.minutes),
            _(STATES[each.state]),
            yes_no(each.is_food_due),
        )
        for each in values
    ]
    out.table(columns, rows, empty=_("No orders for overtime."))
    for code, caps in findings.items():
        for each in caps:
            out.warn(f"{code}: {describe_finding(each)}")


def describe_finding(value: CapFinding) -> str:
    """Return a sentence about a cap that is exceeded."""
    return _(FINDINGS[value.rule], date=value.day, minutes=value.minutes, cap=value.cap, article=value.article)


def _finding(value: CapFinding) -> Json:
    return {
        "rule": value.rule,
        "date": value.day.isoformat(),
        "minutes": value.minutes,
        "cap": value.cap,
        "article": value.article,
        "text": describe_finding(value),
    }


def _said(value: Said | None) -> Json | None:
    return None if value is None else {"by": value.by, "at": value.at.isoformat()}


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)
