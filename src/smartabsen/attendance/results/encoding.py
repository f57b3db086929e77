"""How a result becomes columns and back: kinds of minutes, reasons and marks are JSON, always written the same way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from ..rules.model import DayKind, DayResult, DayStatus, Minutes, Reason

ENTERABLE: Final = frozenset({DayStatus.EXCUSED, DayStatus.SICK})
"""Leave that can be entered for a date without a request."""


@dataclass(frozen=True, slots=True)
class DayFacts:
    """The columns of a result, but for whose it is, its revision and when it was judged."""

    jam_masuk: datetime | None
    jam_pulang: datetime | None
    status: str
    menit_terlambat: int
    menit_kerja: int
    ruleset: str | None
    shift: str | None
    kind: str | None
    is_final: bool | None
    minutes: str | None
    reasons: str | None
    marks: str | None


def facts_of(result: DayResult) -> DayFacts:
    """Return a result as columns."""
    return DayFacts(
        jam_masuk=_utc(result.clock_in),
        jam_pulang=_utc(result.clock_out),
        status=result.status.value,
        menit_terlambat=result.count(Minutes.LATE),
        menit_kerja=result.count(Minutes.WORKED),
        ruleset=result.ruleset,
        shift=result.shift,
        kind=result.kind.value,
        is_final=result.is_final,
        minutes=_text({kind.value: count for kind, count in result.minutes.items()}),
        reasons=_text([_reason(each) for each in result.reasons]),
        marks=_text(_marks(result)),
    )


def result_of(work_date: date, facts: DayFacts) -> DayResult:
    """Return columns as a result. Kinds of minutes that this program does not know are left out."""
    marks: dict[str, Any] = json.loads(facts.marks or "{}")
    if facts.minutes is None:
        counted = {Minutes.LATE: facts.menit_terlambat, Minutes.WORKED: facts.menit_kerja}
        minutes = {kind: count for kind, count in counted.items() if count}
    else:
        known = {kind.value for kind in Minutes}
        minutes = {Minutes(kind): count for kind, count in json.loads(facts.minutes).items() if kind in known}
    suggested = marks.get("suggested_out")
    return DayResult(
        work_date=work_date,
        status=DayStatus(facts.status),
        clock_in=facts.jam_masuk,
        clock_out=facts.jam_pulang,
        punch_ids=tuple(marks.get("punches", ())),
        minutes=minutes,
        reasons=tuple(
            Reason(each["rule"], each["text"], each.get("params", {}), each.get("article", ""), each.get("minutes"))
            for each in json.loads(facts.reasons or "[]")
        ),
        kind=DayKind(facts.kind) if facts.kind else DayKind.WORKDAY,
        shift=facts.shift or "",
        is_final=bool(facts.is_final) if facts.is_final is not None else True,
        ruleset=facts.ruleset or "",
        outside_ids=tuple(marks.get("outside", ())),
        unsure_ids=tuple(marks.get("unsure", ())),
        suggested_out=datetime.fromisoformat(suggested) if suggested else None,
        entered=_entered(facts, marks),
    )


def _entered(facts: DayFacts, marks: Mapping[str, Any]) -> DayStatus | None:
    if facts.kind is None:
        # From before there were rules with a date: leave was a status that somebody entered for the day.
        return DayStatus(facts.status) if DayStatus(facts.status) in ENTERABLE else None
    return DayStatus(marks["entered"]) if "entered" in marks else None


def _marks(result: DayResult) -> Mapping[str, object]:
    suggested = _utc(result.suggested_out)
    marks: dict[str, object] = {
        "punches": result.punch_ids,
        "outside": result.outside_ids,
        "unsure": result.unsure_ids,
        "suggested_out": suggested.isoformat() if suggested else "",
        "entered": result.entered.value if result.entered is not None else "",
    }
    return {name: value for name, value in marks.items() if value}


def _reason(reason: Reason) -> Mapping[str, object]:
    found: dict[str, object] = {"rule": reason.rule, "text": reason.text}
    if reason.params:
        found["params"] = dict(reason.params)
    if reason.article:
        found["article"] = reason.article
    if reason.minutes is not None:
        found["minutes"] = reason.minutes
    return found


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at is not None else None
