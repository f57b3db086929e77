"""Comparing the audit trail with what it tells of: is everything still there that somebody with a key entered?

A signature proves a row that is there. It says nothing of one that was deleted, and an older state of a row has a good
signature as well. So corrections, punches by hand or phone, leave, people and consents are looked for as the trail has
them last: its entries are signed, and numbered without gaps. Entries of erased people say nothing any more, and
attendance that a retention period took is not looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..attendance.day_rows import LEAVE
from ..kernel.domain import PunchMethod
from ..store.tables import Absensi, AuditRow, ConsentRow, Karyawan, PunchRow
from ..trust.audit_rows import read_details
from ..trust.signing_rows import find_beginning
from .erasure_rows import FACE, erased_entirely

_PUNCHES: Final = {f"punch.{method.value}": method.value for method in PunchMethod}
_PAGE: Final = 1_000
_LONGEST_LEAVE_DAYS: Final = 1_000


class RecordProblemKind(StrEnum):
    """What a comparison can find."""

    PUNCH_GONE = "punch_gone"
    """A punch that the trail tells of is gone, or another one stands in its place."""
    LEAVE_DIFFERS = "leave_differs"
    """A day is on leave, or is not, other than the trail says."""
    PERSON_GONE = "person_gone"
    """An employee whom the trail knows is gone, and was not erased."""
    PERSON_UNRECORDED = "person_unrecorded"
    """An employee whom the trail does not know."""
    CODE_DIFFERS = "code_differs"
    """An employee's row has another code than the one it was added with."""
    NAME_DIFFERS = "name_differs"
    """An employee has another name than the trail says last."""
    ACTIVE_DIFFERS = "active_differs"
    """An employee may punch, or may not, other than the trail says last."""
    CONSENT_GONE = "consent_gone"
    """A consent that was recorded is gone, or is to another text."""
    CONSENT_DIFFERS = "consent_differs"
    """A consent that ended is in force again, or one in force has ended."""
    CONSENT_UNRECORDED = "consent_unrecorded"
    """A consent that the trail does not know."""


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """One thing that is not as the trail has it.

    Attributes:
        code: The employee's, as the trail has it.
        day: The date that it is about; None where it is about the person.
        entry: Number of the entry that says otherwise; 0 where there is none.
        stored, recorded: What stands in the database, and what the trail says; empty where nothing is.
    """

    kind: RecordProblemKind
    code: str
    day: date | None = None
    entry: int = 0
    stored: str = ""
    recorded: str = ""


@dataclass(slots=True)
class _Punch:
    entry: int
    code: str
    day: date
    methods: frozenset[str]


@dataclass(slots=True)
class _Person:
    entry: int
    code: str
    name: str | None = None
    name_entry: int = 0


@dataclass(slots=True)
class _Consent:
    entry: int
    ended: bool = False


@dataclass(slots=True)
class _Told:
    """What the trail says in the end."""

    punches: dict[int, _Punch] = field(default_factory=dict)
    leave: dict[tuple[str, date], tuple[int, str]] = field(default_factory=dict)
    people: dict[int, _Person] = field(default_factory=dict)
    active: dict[str, tuple[int, bool]] = field(default_factory=dict)
    consents: dict[str, dict[tuple[datetime, str], _Consent]] = field(default_factory=lambda: defaultdict(dict))
    problems: list[RecordProblem] = field(default_factory=list)

    def read(self, number: int, action: str, code: str, details: Mapping[str, str]) -> None:
        if action in _PUNCHES and "entry" in details:
            method = frozenset({_PUNCHES[action]})
            self._see_punch(number, code, details, "entry", method)
            if "punch" in details:
                self._see_punch(number, code, details, "punch", frozenset(_PUNCHES.values()))
        elif action in ("leave.enter", "leave.take_back"):
            for each in _days(details):
                self.leave[code, each] = (number, str(details.get("after", "")))
        elif action == "privacy.purge":
            self._forget_before(_date(details, "attendance_before"))
        elif action in ("employee.enrol", "employee.rename", "employee.edit"):
            self._see_person(number, code, details)
        elif action in ("employee.activate", "employee.deactivate"):
            self.active[code] = (number, action == "employee.activate")
        elif action == "consent.record":
            at = _instant(details, "at")
            if at is not None:
                self.consents[code][at, str(details.get("sha256", ""))] = _Consent(number)
        elif action == "privacy.erase" and details.get("scope") == FACE:
            for consent in self.consents[code].values():
                consent.ended = True

    def _see_punch(
        self, number: int, code: str, details: Mapping[str, str], name: str, methods: frozenset[str]
    ) -> None:
        day, row_id = _date(details, "date"), str(details[name])
        if day is None or not row_id.isdecimal():
            return
        seen = _Punch(number, code, day, methods)
        before = self.punches.get(int(row_id))
        if before is not None and name == "entry":
            # Its number is free again only if it was deleted.
            self.problems.append(RecordProblem(RecordProblemKind.PUNCH_GONE, before.code, before.day, before.entry))
        if before is None or name == "entry":
            self.punches[int(row_id)] = seen

    def _forget_before(self, first_kept: date | None) -> None:
        if first_kept is not None:
            self.punches = {row_id: each for row_id, each in self.punches.items() if each.day >= first_kept}
            self.leave = {key: told for key, told in self.leave.items() if key[1] >= first_kept}

    def _see_person(self, number: int, code: str, details: Mapping[str, str]) -> None:
        row_id = str(details.get("employee", ""))
        if not row_id.isdecimal():
            return
        person = self.people.setdefault(int(row_id), _Person(number, code))
        was = details.get("from", details.get("name_before"))
        if was is not None and person.name is not None and was != person.name:
            # Whoever changed it here was shown a name that nobody had entered.
            self.problems.append(
                RecordProblem(RecordProblemKind.NAME_DIFFERS, code, None, person.name_entry, was, person.name)
            )
        now = details.get("to", details.get("name_after", details.get("name")))
        if now is not None:
            person.name, person.name_entry = now, number
        if "added" in details:
            self.active[code] = (number, True)


def compare(session: Session, zone: tzinfo) -> tuple[RecordProblem, ...]:
    """Compare what the trail tells of with the tables; what is missing or differs is named, ordered by employee.

    Args:
        zone: Of the site, for the days of consents.
    """
    told = _Told()
    for number, action, code, details in _entries(session):
        told.read(number, action, code, read_details(details))
    problems = [
        *told.problems,
        *_look_at_punches(session, told),
        *_look_at_leave(session, told),
        *_look_at_people(session, told),
        *_look_at_consents(session, told, zone),
    ]
    return tuple(sorted(dict.fromkeys(problems), key=lambda one: (one.code, one.day or date.min, one.entry, one.kind)))


def _look_at_punches(session: Session, told: _Told) -> Iterator[RecordProblem]:
    query = select(PunchRow.id, Karyawan.kode, PunchRow.work_date, PunchRow.method).join(
        Karyawan, Karyawan.id == PunchRow.karyawan_id
    )
    wanted = sorted(told.punches)
    for start in range(0, len(wanted), _PAGE):
        ids = wanted[start : start + _PAGE]
        found = {row_id: rest for row_id, *rest in session.execute(query.where(PunchRow.id.in_(ids)))}
        for row_id in ids:
            seen = told.punches[row_id]
            code, day, method = found.get(row_id, (None, None, None))
            if (code, day) != (seen.code, seen.day) or method not in seen.methods:
                yield RecordProblem(RecordProblemKind.PUNCH_GONE, seen.code, seen.day, seen.entry)


def _look_at_leave(session: Session, told: _Told) -> Iterator[RecordProblem]:
    query = (
        select(Karyawan.kode, Absensi.tanggal, Absensi.status)
        .join(Karyawan, Karyawan.id == Absensi.karyawan_id)
        .where(Absensi.status.in_([status.value for status in LEAVE]))
    )
    found = {(code, day): status for code, day, status in session.execute(query)}
    for (code, day), (number, status) in told.leave.items():
        stored = found.get((code, day), "")
        if stored != status:
            yield RecordProblem(RecordProblemKind.LEAVE_DIFFERS, code, day, number, stored, status)


def _look_at_people(session: Session, told: _Told) -> Iterator[RecordProblem]:
    rows = {row.id: row for row in session.execute(select(Karyawan.id, Karyawan.kode, Karyawan.nama, Karyawan.aktif))}
    for row_id, person in told.people.items():
        row = rows.get(row_id)
        if row is None:
            yield RecordProblem(RecordProblemKind.PERSON_GONE, person.code, None, person.entry)
            continue
        if row.kode != person.code:
            kind = RecordProblemKind.CODE_DIFFERS
            yield RecordProblem(kind, person.code, None, person.entry, row.kode, person.code)
        if person.name is not None and row.nama != person.name:
            kind = RecordProblemKind.NAME_DIFFERS
            yield RecordProblem(kind, person.code, None, person.name_entry, row.nama, person.name)
    state = {row.kode: row.aktif for row in rows.values()}
    for code, (number, active) in told.active.items():
        if code in state and state[code] != active:
            yield RecordProblem(RecordProblemKind.ACTIVE_DIFFERS, code, None, number)
    begun = find_beginning(session)
    if begun is None or begun.employees is None:
        return
    forgotten = erased_entirely(session)
    for row_id, row in rows.items():
        if row_id > begun.employees and row_id not in told.people and row_id not in forgotten:
            yield RecordProblem(RecordProblemKind.PERSON_UNRECORDED, row.kode)


def _look_at_consents(session: Session, told: _Told, zone: tzinfo) -> Iterator[RecordProblem]:
    query = select(Karyawan.kode, ConsentRow.at_utc, ConsentRow.text_sha256, ConsentRow.withdrawn_at).join(
        Karyawan, Karyawan.id == ConsentRow.karyawan_id
    )
    stored: dict[str, dict[tuple[datetime, str], bool]] = defaultdict(dict)
    for code, at, sha256, withdrawn_at in session.execute(query):
        stored[code][at, sha256] = withdrawn_at is not None
    for code, recorded in told.consents.items():
        for key, consent in recorded.items():
            day = key[0].astimezone(zone).date()
            ended = stored[code].get(key)
            if ended is None:
                yield RecordProblem(RecordProblemKind.CONSENT_GONE, code, day, consent.entry)
            elif ended != consent.ended:
                yield RecordProblem(RecordProblemKind.CONSENT_DIFFERS, code, day, consent.entry)
    for code, found in stored.items():
        for key in found:
            if key not in told.consents.get(code, {}):
                yield RecordProblem(RecordProblemKind.CONSENT_UNRECORDED, code, key[0].astimezone(zone).date())


def _entries(session: Session) -> Iterator[tuple[int, str, str, str]]:
    """Yield number, action, subject and details of the entries that tell of rows, in the order of the chain."""
    wanted = [
        *_PUNCHES, "leave.enter", "leave.take_back", "privacy.purge", "privacy.erase", "employee.enrol",
        "employee.rename", "employee.edit", "employee.activate", "employee.deactivate", "consent.record",
    ]  # fmt: skip
    query = select(AuditRow.number, AuditRow.action, AuditRow.subject, AuditRow.details).order_by(AuditRow.number)
    after = 0
    while True:
        page = session.execute(query.where(AuditRow.number > after).limit(_PAGE)).all()
        for number, action, subject, details in page:
            if action in wanted:
                yield number or 0, action, subject, details
        if len(page) < _PAGE:
            return
        after = page[-1][0] or 0


def _days(details: Mapping[str, str]) -> Iterable[date]:
    first, last = _date(details, "from"), _date(details, "to")
    if first is None or last is None:
        return ()
    count = min((last - first).days + 1, _LONGEST_LEAVE_DAYS)
    return (first + timedelta(days=number) for number in range(count))


def _date(details: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(str(details.get(name, "")))
    except ValueError:
        return None


def _instant(details: Mapping[str, str], name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(details.get(name, "")))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
