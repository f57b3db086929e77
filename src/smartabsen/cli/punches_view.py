"""Punches of files, as scripts and people see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..attendance.imports.model import TAKEN, ImportedPunches, LineVerdict, Verdict
from ..kernel.i18n import N_, _
from .answer import Answer
from .data import Json
from .output import Column, Output

_SHOWN: Final = 50
VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.NEW: N_("new"),
    Verdict.ADJUSTMENT: N_("new, in a closed month: an adjustment of the next one"),
    Verdict.KNOWN: N_("known already"),
    Verdict.UNKNOWN_PIN: N_("nobody has this PIN"),
    Verdict.FUTURE: N_("in the future"),
    Verdict.UNREADABLE: N_("cannot be read"),
}


def answer(value: ImportedPunches) -> Answer:
    """What became of a file; partly done (7) where lines were left out for a fault of theirs."""
    refused = [each for each in value.lines if each.verdict not in TAKEN and each.verdict is not Verdict.KNOWN]
    found: Json = {
        "dry_run": value.dry_run,
        "taken": value.taken,
        "counts": {verdict.value: value.counts.get(verdict, 0) for verdict in Verdict},
        "unknown_pins": dict(value.unknown_pins),
        "rows": [_line(each) for each in value.lines],
    }
    return Answer(data=found, show=lambda out: _show(out, value, refused), exit_code=7 if refused else 0)


def _line(value: LineVerdict) -> Json:
    line = value.line
    return {
        "line": line.line,
        "pin": line.pin,
        "at": line.at.isoformat() if line.at else None,
        "device": line.device,
        "code": value.code or None,
        "verdict": value.verdict.value,
    }


def _show(out: Output, value: ImportedPunches, refused: list[LineVerdict]) -> None:
    columns = (
        Column(_("Line"), number=True),
        Column(_("PIN"), whole=True),
        Column(_("Time"), whole=True),
        Column(_("Verdict")),
    )
    shown = [
        (
            str(each.line.line),
            each.line.pin,
            each.line.at.isoformat(sep=" ") if each.line.at else "",
            _(VERDICTS[each.verdict]),
        )
        for each in refused[:_SHOWN]
    ]
    if shown:
        out.table(columns, shown)
    if len(refused) > _SHOWN:
        out.line(_("{count} further lines; --json has all.", count=len(refused) - _SHOWN))
    for verdict in Verdict:
        if value.counts.get(verdict):
            out.line(f"{_(VERDICTS[verdict])}: {value.counts[verdict]}")
    if value.dry_run:
        out.line(_("Nothing was stored: a dry run."), "yellow")
