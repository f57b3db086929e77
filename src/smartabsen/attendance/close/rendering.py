"""Frozen parts become the rows of a profile, and these a file: the same bytes for the same parts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from ...store.sheet_writer import CellValue, Sheet, csv_text, steady_xlsx
from ..leave.model import days_text
from .profiles import Profile

Part: TypeAlias = Mapping[str, Any]
Row: TypeAlias = Mapping[str, CellValue]
_COUNTED: Final = ("days", "minutes", "tier", "adjustment")


def render(profile: Profile, parts: Iterable[Part], month: str) -> bytes:
    """Return an export; people in order of their codes."""
    ordered = sorted(parts, key=lambda each: str(each["code"]))
    header = [each.title for each in profile.columns]
    rows = [_cells(profile, row) for part in ordered for row in ROWS_OF[profile.rows](part, month)]
    if profile.format == "xlsx":
        return steady_xlsx(Sheet(month, header, rows))
    return csv_text(header, rows, separator=profile.separator).encode("utf-8")


def _cells(profile: Profile, row: Row) -> Sequence[CellValue]:
    return [_shown(profile, each.text if each.text else _value(row, each.field)) for each in profile.columns]


def _value(row: Row, name: str) -> CellValue:
    family = name.partition(".")[0]
    return row.get(name, 0 if "." in name and family in _COUNTED else "")


def _shown(profile: Profile, value: CellValue) -> CellValue:
    if isinstance(value, datetime):
        return value.strftime(profile.time_format) if profile.time_format else value
    if isinstance(value, date) and profile.date_format:
        return value.strftime(profile.date_format)
    return value


def _person(part: Part, month: str) -> Iterator[Row]:
    recap, adjustments = part["recap"], part["adjustments"]
    overtime = recap["overtime"]
    adjusted: Counter[str] = Counter()
    for each in adjustments:
        adjusted.update(each["minutes"])
    amounts = [each["amount"] for each in adjustments]
    yield {
        **_who(part),
        "month": month,
        **{f"days.{status}": count for status, count in recap["days"].items()},
        **{f"minutes.{kind}": count for kind, count in recap["minutes"].items()},
        **{f"tier.{times}": count for times, count in overtime["tiers"].items()},
        **{f"adjustment.{kind}": count for kind, count in adjusted.items()},
        "late_days": recap["late_days"],
        "early_days": recap["early_days"],
        "overtime_minutes": overtime["minutes"],
        "overtime_approved_minutes": overtime["approved_minutes"],
        "overtime_units": overtime["units"],
        "overtime_amount": overtime["amount"],
        "leave_taken": _leave(recap["leave_taken"]),
        "leave_left": _leave(recap["leave_left"]),
        "adjustments": len(adjustments),
        "adjustment_amount": None if None in amounts else sum(amounts),
    }


def _day(part: Part, month: str) -> Iterator[Row]:
    for day in part["days"]:
        yield {**_who(part), **_of_day(day), "row": "day", "month": month, **_minutes(day["minutes"])}
    for each in part["adjustments"]:
        told = each["after"] or each["before"]
        yield {
            **_who(part),
            **_of_day(told),
            "row": "adjustment",
            "month": each["month"],
            "date": date.fromisoformat(each["date"]),
            "amount": each["amount"],
            **_minutes(each["minutes"]),
        }


def _component(part: Part, month: str) -> Iterator[Row]:
    who = {"code": part["code"], "name": part["name"], "month": month}
    recap = part["recap"]
    for status, count in sorted(recap["days"].items()):
        yield {**who, "component": f"days.{status}", "quantity": count, "unit": "days"}
    for kind, count in sorted(recap["minutes"].items()):
        yield {**who, "component": f"minutes.{kind}", "quantity": count, "unit": "minutes"}
    overtime = recap["overtime"]
    if overtime["approved_minutes"]:
        yield {
            **who,
            "component": "overtime.pay",
            "quantity": overtime["units"],
            "unit": "units",
            "amount": overtime["amount"],
        }
    for kind, half_days in sorted(recap["leave_taken"].items()):
        yield {**who, "component": f"leave.{kind}", "quantity": days_text(half_days), "unit": "days"}
    for each in part["adjustments"]:
        for kind, minutes in sorted(each["minutes"].items()):
            name = f"adjustment.{each['date']}.{kind}"
            yield {**who, "component": name, "quantity": minutes, "unit": "minutes"}
        if each["amount"]:
            name = f"adjustment.{each['date']}.overtime.pay"
            yield {**who, "component": name, "quantity": 1, "unit": "amount", "amount": each["amount"]}


def _overtime(part: Part, month: str) -> Iterator[Row]:
    del month
    for day in part["days"]:
        paid = day["minutes"].get("overtime_approved", 0)
        if paid:
            early = sum(each["minutes"] or 0 for each in day["reasons"] if each["rule"] == "overtime.before")
            before = min(early, paid)
            yield {
                **_who(part),
                "date": date.fromisoformat(day["date"]),
                "shift": day["shift"],
                "before": before,
                "before_break": 0,
                "after": paid - before,
                "after_break": 0,
                "minutes": paid,
            }


def _punch(part: Part, month: str) -> Iterator[Row]:
    del month
    for day in part["days"]:
        for name, direction in (("local_in", "IN"), ("local_out", "OUT")):
            if day[name]:
                at = datetime.fromisoformat(day[name]).replace(tzinfo=None)
                yield {**_who(part), "site": day["site"], "at": at, "direction": direction}


ROWS_OF: Final = {"person": _person, "day": _day, "component": _component, "overtime": _overtime, "punch": _punch}


def _who(part: Part) -> dict[str, CellValue]:
    return {name: part[name] for name in ("code", "name", "site", "department")}


def _of_day(day: Mapping[str, Any]) -> dict[str, CellValue]:
    return {
        "site": day["site"],
        "department": day["department"],
        "date": date.fromisoformat(day["date"]),
        "status": day["status"],
        "day_kind": day["kind"],
        "shift": day["shift"],
        "in": day["local_in"][11:16],
        "out": day["local_out"][11:16],
        "in_at": day["local_in"],
        "out_at": day["local_out"],
        "ruleset": day["ruleset"],
        "revision": day["revision"],
    }


def _minutes(counted: Mapping[str, int]) -> dict[str, CellValue]:
    return {f"minutes.{kind}": count for kind, count in counted.items()}


def _leave(half_days: Mapping[str, int]) -> str:
    return "; ".join(f"{kind} {days_text(count)}" for kind, count in sorted(half_days.items()))
