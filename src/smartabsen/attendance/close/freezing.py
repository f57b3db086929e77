"""The form in which a period is frozen: plain data, always written the same way, so that its hash says what it was.

Nothing here depends on a language, on the settings of a machine or on a calendar: it says what was known then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..rules.model import DayKind, DayResult, DayStatus, Minutes, Reason
from ..rules.overtime import decimal_text, round_half_up
from .recap import OvertimeSum, Recap

VERSION: Final = 1
_PLACE: Final = frozenset({"zone", "local_in", "local_out", "site", "department", "revision"})
"""What a day says beside its result."""
_PAYROLL: Final = ("status", "kind", "shift", "in", "out", "minutes")
"""What makes an adjustment where it changes; reasons alone do not."""


def canonical(value: object) -> bytes:
    """Return plain data as bytes, the same for the same data."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def frozen_day(
    result: DayResult, *, revision: int = 0, zone: str = "UTC", site: str = "", department: str = ""
) -> dict[str, Any]:
    """Return a result as plain data."""
    local = ZoneInfo(zone)
    return {
        "date": result.work_date.isoformat(),
        "status": result.status.value,
        "kind": result.kind.value,
        "shift": result.shift,
        "in": _instant(result.clock_in),
        "out": _instant(result.clock_out),
        "minutes": {kind.value: count for kind, count in result.minutes.items() if count},
        "reasons": [_reason(each) for each in result.reasons],
        "ruleset": result.ruleset,
        "revision": revision,
        "zone": zone,
        "local_in": _local(result.clock_in, local),
        "local_out": _local(result.clock_out, local),
        "site": site,
        "department": department,
    }


def thawed(day: Mapping[str, Any]) -> DayResult:
    """Return of a frozen day what totals need: status, kind and minutes."""
    known = {kind.value for kind in Minutes}
    return DayResult(
        work_date=date.fromisoformat(day["date"]),
        status=DayStatus(day["status"]),
        clock_in=None,
        clock_out=None,
        punch_ids=(),
        minutes={Minutes(kind): count for kind, count in day["minutes"].items() if kind in known},
        reasons=(),
        kind=DayKind(day["kind"]),
        shift=str(day["shift"]),
        is_final=True,
        ruleset=str(day["ruleset"]),
    )


def same_result(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two frozen days say the same of the result; where the person belonged does not matter."""
    return {k: v for k, v in one.items() if k not in _PLACE} == {k: v for k, v in other.items() if k not in _PLACE}


def same_for_payroll(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two frozen days say the same of what is paid or deducted."""
    return all(one.get(name) == other.get(name) for name in _PAYROLL)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, int]:
    """Return what the minutes of a day changed by, those that did not left out."""
    was: Mapping[str, int] = before.get("minutes", {})
    now: Mapping[str, int] = after.get("minutes", {})
    changed = {kind: now.get(kind, 0) - was.get(kind, 0) for kind in sorted({*was, *now})}
    return {kind: minutes for kind, minutes in changed.items() if minutes}


def frozen_recap(value: Recap) -> dict[str, Any]:
    """Return totals as plain data."""
    return {
        "days": {status.value: count for status, count in value.days.items()},
        "minutes": {kind.value: count for kind, count in value.minutes.items()},
        "late_days": value.late_days,
        "early_days": value.early_days,
        "overtime": _overtime(value.overtime),
        "leave_taken": dict(value.leave.taken),
        "leave_left": dict(value.leave.left),
    }


def _overtime(value: OvertimeSum) -> dict[str, Any]:
    return {
        "minutes": value.minutes,
        "approved_minutes": value.approved,
        "tiers": {decimal_text(times): round_half_up(count) for times, count in value.tiers.items()},
        "units": decimal_text(value.units),
        "amount": value.amount,
    }


def _reason(value: Reason) -> dict[str, Any]:
    return {
        "rule": value.rule,
        "text": value.text,
        "params": dict(value.params),
        "article": value.article,
        "minutes": value.minutes,
    }


def _instant(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at is not None else ""


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds") if at is not None else ""
