"""Forgetting a person in the audit trail: that something was done, when and by whom stays; about whom and what goes.

The chain holds (see ``store.audit``), and the entry of the erasure lists the numbers of the entries that were emptied:
a verification calls those erased, and any other emptied entry changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..people import employee_rows
from ..store.tables import AuditRow
from ..trust.audit_rows import read_details

ERASING: Final = "privacy.erase"
"""The action of entries that list emptied ones."""
ENTRIES: Final = "entries"
PUNCHES: Final = "punch_ids"
"""In the entry of an erasure that deletes attendance: which punches, for the logs of other machines."""
EMPTY: Final = "{}"
_OTHERS: Final = ("face_of",)
"""Details of entries about somebody else that hold a person's code."""
_MOST_RANGES: Final = 3_000
"""Of one list, so that it fits into the details of an entry on every kind of database."""


def empty_entries(session: Session, code: str, pseudonym: str) -> tuple[str, ...]:
    """Take a person out of all entries, and return the numbers of those, as lists to be entered.

    Args:
        code: Of the person, as it was until now.
        pseudonym: What stands in its place.
    """
    key = employee_rows.code_key(code)
    numbers = []
    query = select(AuditRow.id, AuditRow.number, AuditRow.actor, AuditRow.subject, AuditRow.details)
    for row in session.execute(query.order_by(AuditRow.number)).all():
        details = read_details(row.details)
        named = [row.subject, *(str(details[name]) for name in _OTHERS if name in details)]
        if all(employee_rows.code_key(each) != key for each in named):
            continue
        values = {"subject": pseudonym, "details": EMPTY, "salt": None}
        if row.actor == row.subject:
            values["actor"] = pseudonym
        session.execute(update(AuditRow).where(AuditRow.id == row.id).values(**values))
        numbers.append(row.number or 0)
    session.expire_all()
    return listed(numbers)


def listed(numbers: Iterable[int]) -> tuple[str, ...]:
    """Return numbers as lists of ranges, each short enough to be entered."""
    ranges = list(_ranges(numbers))
    return tuple(" ".join(ranges[at : at + _MOST_RANGES]) for at in range(0, len(ranges), _MOST_RANGES))


def deleted_punches(session: Session, pseudonym: str) -> frozenset[int]:
    """Return the row ids of the punches that were deleted with an erased person."""
    query = select(AuditRow.details).where(AuditRow.action == ERASING, AuditRow.subject == pseudonym)
    lists = [str(read_details(details).get(PUNCHES, "")) for details in session.scalars(query)]
    return frozenset(number for each in lists for number in _numbers(each))


def erased_numbers(session: Session) -> Mapping[int, tuple[int, str]]:
    """Return the entries that erasures emptied: number of the erasing entry and the pseudonym, by their number."""
    found: dict[int, tuple[int, str]] = {}
    query = select(AuditRow).where(AuditRow.action == ERASING, AuditRow.number > 0).order_by(AuditRow.number)
    for row in session.scalars(query):
        for number in _numbers(str(read_details(row.details).get(ENTRIES, ""))):
            found[number] = (row.number or 0, row.subject)
    return found


def _ranges(numbers: Iterable[int]) -> Iterable[str]:
    first = last = None
    for number in sorted(numbers):
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None:
            yield str(first) if first == last else f"{first}-{last}"
        first = last = number
    if first is not None:
        yield str(first) if first == last else f"{first}-{last}"


def _numbers(text: str) -> Iterable[int]:
    for part in text.split():
        first, _, last = part.partition("-")
        if first.isdecimal() and (not last or last.isdecimal()):
            yield from range(int(first), min(int(last or first), int(first) + 10_000_000) + 1)
