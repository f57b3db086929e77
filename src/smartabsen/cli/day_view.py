"""How ``smartabsen day`` shows days, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ..attendance.results.look import DayLook
from ..attendance.results.model import Recomputed
from ..attendance.results.texts import MINUTES
from ..attendance.rules.model import Minutes
from ..attendance.rules.reasons import describe_reason
from ..kernel.i18n import _
from ..kernel.messages import STATUSES
from .output import Column, Output

Json: TypeAlias = dict[str, object]
_NONE = "-"


def day(found: DayLook) -> Json:
    """A day of a person."""
    result = found.result
    came, left = found.local(result.clock_in), found.local(result.clock_out)
    overtime = result.count(Minutes.OVERTIME)
    return {
        "code": found.place.code,
        "date": result.work_date.isoformat(),
        "site": found.place.site,
        "shift": result.shift or None,
        "expected_minutes": result.count(Minutes.EXPECTED),
        "status": result.status.value,
        "clock_in": came.isoformat() if came else None,
        "clock_out": left.isoformat() if left else None,
        "worked_minutes": result.count(Minutes.WORKED),
        "break_minutes": result.count(Minutes.BREAK),
        "late_minutes": result.count(Minutes.LATE),
        "early_minutes": result.count(Minutes.EARLY),
        "missing_minutes": result.count(Minutes.MISSING),
        "overtime": {
            "minutes": overtime,
            "approved_minutes": result.count(Minutes.OVERTIME_APPROVED),
            "units": None,
        },
        "reasons": [
            {
                "rule": reason.rule,
                "text": describe_reason(reason),
                "article": reason.article or None,
                "minutes": reason.minutes,
            }
            for reason in result.reasons
        ],
        "ruleset": result.ruleset or None,
        "revision": found.revision,
    }


def show_day(out: Output, found: DayLook) -> None:
    """Print a day with its reasons."""
    result = found.result
    came, left = found.local(result.clock_in), found.local(result.clock_out)
    out.line(f"{found.place.name} ({found.place.code}), {result.work_date}: {_(STATUSES[result.status])}")
    if came is not None:
        out.line(f"{came:%H:%M} - {f'{left:%H:%M}' if left else _NONE}")
    for kind, label in MINUTES.items():
        if result.count(kind):
            out.line(f"{_(label)}: {result.count(kind)} min")
    for reason in result.reasons:
        article = f" ({reason.article})" if reason.article else ""
        out.line(f"- {describe_reason(reason)}{article}")


def recomputed(done: Recomputed, codes: Mapping[int, str], *, dry_run: bool) -> Json:
    """What judging a range again changed."""
    return {
        "from": done.first.isoformat(),
        "to": done.last.isoformat(),
        "dry_run": dry_run,
        "judged": done.judged,
        "changed": done.changed,
        "closed": done.closed,
        "differences": [
            {
                "code": codes.get(each.employee_id, ""),
                "date": each.work_date.isoformat(),
                "before": each.before.result.status.value if each.before is not None else None,
                "after": each.after.status.value,
                "revision": each.revision,
                "closed": each.is_closed,
            }
            for each in done.differences
        ],
    }


def show_recomputed(out: Output, done: Recomputed, codes: Mapping[int, str], *, dry_run: bool) -> None:
    """Print what differs, and how many."""
    columns = (
        Column(_("Date"), whole=True),
        Column(_("Code"), whole=True),
        Column(_("Before"), whole=True),
        Column(_("After"), whole=True),
    )
    rows = [
        (
            each.work_date.isoformat(),
            codes.get(each.employee_id, ""),
            _(STATUSES[each.before.result.status]) if each.before is not None else _NONE,
            _(STATUSES[each.after.status]),
        )
        for each in done.differences
    ]
    out.table(columns, rows)
    text = _("Days that would change: {changed} of {judged}.") if dry_run else _("Days changed: {changed} of {judged}.")
    out.line(text.format(changed=done.changed, judged=done.judged))
