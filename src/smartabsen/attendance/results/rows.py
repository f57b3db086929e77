"""Results of days in the database: the newest one in the owner's table, older ones beside it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session, aliased

from ...kernel.domain import Punch, PunchMethod
from ...store.tables import Absensi, DayRevisionRow, Karyawan, PunchRow
from ...trust.signing_rows import sign_day
from ..rules.model import DayResult
from .encoding import DayFacts, facts_of, result_of
from .model import StoredDay

_FACTS: Final = tuple(field.name for field in dataclasses.fields(DayFacts))


@dataclasses.dataclass(frozen=True, slots=True)
class KnownDay:
    """A row of the newest result: its number, its revision and its columns."""

    row_id: int
    revision: int
    facts: DayFacts
    note: str
    signature: str | None
    judged_at: datetime | None

    @property
    def told(self) -> tuple[object, ...]:
        """What a day told before there were rules with a date."""
        return told_by(self.facts)


def told_by(facts: DayFacts) -> tuple[object, ...]:
    """Return of a result what days told before there were rules with a date."""
    return facts.jam_masuk, facts.jam_pulang, facts.status, facts.menit_terlambat, facts.menit_kerja


def people(session: Session) -> tuple[int, ...]:
    """Return the row ids of everybody, erased people included, in order."""
    return tuple(session.scalars(select(Karyawan.id).order_by(Karyawan.id)))


def lock(session: Session, employee_ids: Collection[int]) -> None:
    """Keep all others from writing about these people until the transaction ends; in order, against deadlocks."""
    session.execute(select(Karyawan.id).where(Karyawan.id.in_(employee_ids)).order_by(Karyawan.id).with_for_update())


def punches(
    session: Session, employee_ids: Collection[int], since: datetime, until: datetime
) -> Mapping[int, Sequence[Punch]]:
    """Return the punches that no correction has replaced or taken out, by person, in order of time."""
    later = aliased(PunchRow)
    query = (
        select(
            PunchRow.id,
            PunchRow.karyawan_id,
            PunchRow.at_utc,
            PunchRow.work_date,
            PunchRow.method,
            PunchRow.clock_trusted,
            PunchRow.clock_offset_s,
        )
        .where(
            PunchRow.karyawan_id.in_(employee_ids),
            PunchRow.at_utc.between(since, until),
            PunchRow.method != PunchMethod.VOID.value,
            ~select(later.id).where(later.supersedes_id == PunchRow.id).exists(),
        )
        .order_by(PunchRow.karyawan_id, PunchRow.at_utc, PunchRow.id)
    )
    found: defaultdict[int, list[Punch]] = defaultdict(list)
    for row_id, employee_id, at, work_date, method, trusted, offset_s in session.execute(query):
        found[employee_id].append(
            Punch(
                id=row_id,
                employee_id=employee_id,
                at=at,
                work_date=work_date,
                method=PunchMethod(method),
                kiosk="",
                key="",
                clock_trusted=trusted,
                clock_offset_s=offset_s,
            )
        )
    return found


def known(
    session: Session, employee_ids: Collection[int], first: date, last: date
) -> Mapping[tuple[int, date], KnownDay]:
    """Return the newest results of a range, both ends included."""
    columns = [getattr(Absensi, name) for name in _FACTS]
    query = select(
        Absensi.karyawan_id,
        Absensi.tanggal,
        Absensi.id,
        Absensi.revision,
        Absensi.keterangan,
        Absensi.signature,
        Absensi.judged_at,
        *columns,
    ).where(Absensi.karyawan_id.in_(employee_ids), Absensi.tanggal.between(first, last))
    return {
        (employee_id, day): KnownDay(row_id, revision or 0, DayFacts(*facts), note, signature, judged_at)
        for employee_id, day, row_id, revision, note, signature, judged_at, *facts in session.execute(query)
    }


def stored(employee_id: int, work_date: date, day: KnownDay) -> StoredDay:
    """Return a row as a result."""
    return StoredDay(employee_id, day.revision, result_of(work_date, day.facts), day.note, day.judged_at)


def find(session: Session, employee_id: int, work_date: date) -> StoredDay | None:
    """Return the newest result of a day, or None."""
    found = known(session, (employee_id,), work_date, work_date).get((employee_id, work_date))
    return stored(employee_id, work_date, found) if found is not None else None


def between(session: Session, first: date, last: date, *, employee_ids: Collection[int]) -> tuple[StoredDay, ...]:
    """Return the newest results of a range by person and date."""
    found = known(session, employee_ids, first, last)
    return tuple(stored(*key, found[key]) for key in sorted(found))


def older(session: Session, employee_id: int, work_date: date) -> tuple[StoredDay, ...]:
    """Return the results of a day that newer ones replaced, the oldest first."""
    query = (
        select(DayRevisionRow)
        .where(DayRevisionRow.karyawan_id == employee_id, DayRevisionRow.tanggal == work_date)
        .order_by(DayRevisionRow.revision)
    )
    return tuple(
        StoredDay(
            employee_id,
            row.revision,
            result_of(work_date, DayFacts(*(getattr(row, name) for name in _FACTS))),
            row.keterangan,
            row.judged_at,
        )
        for row in session.scalars(query)
    )


def write(session: Session, changes: Sequence[tuple[int, DayResult, KnownDay | None]], *, judged_at: datetime) -> None:
    """Store new results; each one's predecessor is kept with its signature. The caller holds the people's locks."""
    kept: list[dict[str, Any]] = []
    renewed: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    taken = _revisions(session, [(employee_id, result.work_date) for employee_id, result, before in changes if before])
    for employee_id, result, before in changes:
        columns = _columns(facts_of(result), judged_at)
        if before is None:
            own = {"karyawan_id": employee_id, "tanggal": result.work_date, "keterangan": "", "revision": 1}
            new.append(columns | own)
            continue
        last = taken.get((employee_id, result.work_date), -1)
        renewed.append(columns | {"id": before.row_id, "revision": max(before.revision, last) + 1})
        if last >= before.revision:
            # An older row was put back in place of a newer one; what was kept of it stays.
            continue
        kept.append(
            _columns(before.facts, before.judged_at)
            | {
                "karyawan_id": employee_id,
                "tanggal": result.work_date,
                "revision": before.revision,
                "keterangan": before.note,
                "signature": before.signature,
            }
        )
    if kept:
        session.execute(insert(DayRevisionRow), kept)
    if renewed:
        session.execute(update(Absensi), renewed)
    if new:
        session.execute(insert(Absensi), new)


def _revisions(session: Session, days: Collection[tuple[int, date]]) -> Mapping[tuple[int, date], int]:
    """Return the highest kept revision of days that have one: one statement."""
    if not days:
        return {}
    dates = [day for _, day in days]
    query = (
        select(DayRevisionRow.karyawan_id, DayRevisionRow.tanggal, func.max(DayRevisionRow.revision))
        .where(
            DayRevisionRow.karyawan_id.in_({employee_id for employee_id, _ in days}),
            DayRevisionRow.tanggal.between(min(dates), max(dates)),
        )
        .group_by(DayRevisionRow.karyawan_id, DayRevisionRow.tanggal)
    )
    return {(employee_id, day): last for employee_id, day, last in session.execute(query)}


def note(session: Session, employee_id: int, days: Collection[date], text: str) -> None:
    """Write a note to days that have a result; one that is signed is signed again."""
    own = Absensi.karyawan_id == employee_id
    for row in session.scalars(select(Absensi).where(own, Absensi.tanggal.in_(days), Absensi.keterangan != text)):
        row.keterangan = text
        if not row.revision:
            sign_day(session, row)
    session.flush()


def _columns(facts: DayFacts, judged_at: datetime | None) -> dict[str, Any]:
    # A result of the rules has no signature of its own: the audit trail and closed periods vouch for it.
    return {name: getattr(facts, name) for name in _FACTS} | {"signature": None, "judged_at": judged_at}
