"""Results as they are stored, for other subjects of attendance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ...store.database import Session
from ..rules.model import Minutes
from . import rows
from .encoding import result_of
from .model import StoredDay


def stored_days(session: Session, first: date, last: date) -> Mapping[tuple[int, date], StoredDay]:
    """Return the newest result of everybody's days in a range, both ends included."""
    ids = rows.people(session)
    found = rows.between(session, first, last, employee_ids=ids)
    return {(each.employee_id, each.result.work_date): each for each in found}


def contradicting_days(session: Session, first: date, last: date) -> frozenset[tuple[int, date]]:
    """Return the days whose owner's columns of late and worked minutes are not what the result counts."""
    known = rows.known(session, rows.people(session), first, last)
    return frozenset(
        key
        for key, row in known.items()
        if (row.facts.menit_terlambat, row.facts.menit_kerja)
        != tuple(result_of(key[1], row.facts).count(kind) for kind in (Minutes.LATE, Minutes.WORKED))
    )
