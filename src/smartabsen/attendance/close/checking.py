"""Whether closed periods are as they were closed: row, audit trail, frozen parts, results of days and exports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from ...kernel.errors import KeyMissingError
from ...store.database import Session
from ...trust.work import recorded
from ..results.reading import contradicting_days, stored_days
from . import rows
from .freezing import digest, frozen_day, same_result
from .model import Period, PeriodProblem, ProblemKind
from .vault import PeriodVault


def problems_of(session: Session, period: Period, vault: PeriodVault) -> tuple[PeriodProblem, ...]:
    """Return what of a closed period is not as it was closed."""
    try:
        return tuple(_look(session, period, vault))
    except KeyMissingError:
        return (PeriodProblem(ProblemKind.NO_KEY, period.month),)


def _look(session: Session, period: Period, vault: PeriodVault) -> Iterator[PeriodProblem]:
    month = period.month
    told = recorded(session, "period.close", str(month)) or {}
    summary = _parsed(period.summary)
    if digest(period.summary.encode()) != period.hash or told.get("hash") != period.hash:
        yield PeriodProblem(ProblemKind.HASH, month)
    if list(period.rulesets) != list(summary.get("rulesets", ())):
        yield PeriodProblem(ProblemKind.RULESET, month)
    known = {str(uuid): str(each) for uuid, each in summary.get("people", ())}
    people = rows.people(session)
    of_uuid = {uuid: code for code, _name, uuid in people.values()}
    stored = dict(stored_days(session, month.first, month.last))
    edited = contradicting_days(session, month.first, month.last)
    erased = rows.erased(session)
    for part in rows.parts(session, period.id):
        expected = known.pop(part.name, None)
        code = of_uuid.get(part.name, part.name)
        plain = vault.find(period.id, part)
        if plain is None or expected is None or not expected == part.digest == digest(plain):
            yield PeriodProblem(ProblemKind.PART, month, code)
            continue
        assert part.employee_id is not None
        for frozen in json.loads(plain)["days"]:
            day = date.fromisoformat(frozen["date"])
            now = stored.pop((part.employee_id, day), None)
            is_same = now is not None and now.revision == frozen["revision"] and (part.employee_id, day) not in edited
            if now is None or not is_same or not same_result(frozen, frozen_day(now.result)):
                yield PeriodProblem(ProblemKind.RESULT, month, code, day)
    for uuid in sorted(set(known) - erased):
        yield PeriodProblem(ProblemKind.PART, month, of_uuid.get(uuid, uuid))
    gone = {people[employee_id][2] for employee_id, _ in stored}.intersection(erased)
    for employee_id, day in sorted(stored):
        # A day that was not there when the month was closed; of erased people nothing can be compared.
        if people[employee_id][2] not in gone:
            yield PeriodProblem(ProblemKind.RESULT, month, people[employee_id][0], day)
    for export in rows.exports(session, period.id):
        plain = vault.find(period.id, export)
        entry = recorded(session, "period.export", f"{month}/{export.name}") or {}
        if plain is None or not entry.get("digest") == export.digest == digest(plain):
            yield PeriodProblem(ProblemKind.EXPORT, month, profile=export.name)


def _parsed(summary: str) -> Mapping[str, Any]:
    try:
        found = json.loads(summary)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
