"""Shifts, patterns, assignments, rosters and presets in the database. Every function works in the session it is given.

Codes are compared folded; what is returned has them as they were written. Of two who add
the same at once on a server, one finds the other's row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...kernel.codes import code_key
from ...kernel.errors import ConflictError, NotFoundError
from ...kernel.i18n import N_
from ...store.clock import moment
from ...store.tables import (
    Base,
    PatternRow,
    PatternStepRow,
    PresetRow,
    PresetShiftRow,
    RosterDayRow,
    ShiftAssignmentRow,
    ShiftRow,
    ShiftVersionRow,
)
from ..rules.model import Shift, Span
from .model import (
    Assignment,
    Pattern,
    Preset,
    Replacement,
    RosterDay,
    Scope,
    ScopeKind,
    ShiftVersion,
    Step,
)

# --- shifts --------------------------------------------------------------------------------------------------


def shifts(session: Session) -> dict[str, tuple[ShiftVersion, ...]]:
    """Return the versions of all shifts by their codes, the oldest first: one statement."""
    query = (
        select(ShiftRow.code, ShiftVersionRow)
        .join(ShiftVersionRow, ShiftVersionRow.shift_id == ShiftRow.id)
        .order_by(ShiftRow.code_key, ShiftVersionRow.valid_from)
    )
    found: defaultdict[str, list[ShiftVersion]] = defaultdict(list)
    for code, row in session.execute(query):
        found[code].append(ShiftVersion(_shift(code, row), row.valid_from))
    return {code: tuple(versions) for code, versions in found.items()}


def find_shift_id(session: Session, code: str) -> int | None:
    """Return the row id of a shift, or None."""
    return session.scalar(select(ShiftRow.id).where(ShiftRow.code_key == code_key(code)))


def shift_ids(session: Session) -> dict[str, tuple[int, str]]:
    """Return row id and code of all shifts by their folded codes."""
    return {
        key: (row_id, code)
        for row_id, key, code in session.execute(select(ShiftRow.id, ShiftRow.code_key, ShiftRow.code))
    }


def add_shift(session: Session, code: str) -> int:
    """Add a shift without times, and return its row id."""
    row = ShiftRow(code=code, code_key=code_key(code), created_at=moment(session))
    if not try_add(session, row):
        raise code_taken(code)
    return row.id


def put_version(session: Session, shift_id: int, version: ShiftVersion) -> None:
    """Store what a shift is from a date on, in place of a version of the same date."""
    row = session.scalar(
        select(ShiftVersionRow)
        .where(ShiftVersionRow.shift_id == shift_id, ShiftVersionRow.valid_from == version.valid_from)
        .with_for_update()
    )
    if row is None:
        row = ShiftVersionRow(shift_id=shift_id, valid_from=version.valid_from)
        session.add(row)
    shift = version.shift
    row.name, row.spans, row.breaks = shift.name, _spans_text(shift.spans), _spans_text(shift.breaks)
    row.opens_before, row.closes_after = shift.opens_before, shift.closes_after
    row.grace_in, row.grace_out = shift.grace_in, shift.grace_out
    row.flexible_day, row.flexible_week = shift.flexible_day, shift.flexible_week
    row.early_counts, row.break_is_taken, row.rounding = shift.early_counts, shift.break_is_taken, shift.rounding
    row.created_at = moment(session)
    session.flush()


def is_shift_used(session: Session, shift_id: int) -> bool:
    """Return whether a pattern, a roster or a preset names a shift."""
    uses = (
        select(PatternStepRow.id).where(PatternStepRow.shift_id == shift_id),
        select(RosterDayRow.id).where(RosterDayRow.shift_id == shift_id),
        select(PresetShiftRow.id).where(
            or_(PresetShiftRow.shift_id == shift_id, PresetShiftRow.instead_id == shift_id)
        ),
    )
    return any(session.scalar(query.limit(1)) is not None for query in uses)


def delete_shift(session: Session, shift_id: int) -> None:
    """Delete a shift that nothing names, with its versions."""
    session.execute(delete(ShiftVersionRow).where(ShiftVersionRow.shift_id == shift_id))
    session.execute(delete(ShiftRow).where(ShiftRow.id == shift_id))


def _shift(code: str, row: ShiftVersionRow) -> Shift:
    return Shift(
        code=code,
        name=row.name,
        spans=_spans(row.spans),
        breaks=_spans(row.breaks),
        opens_before=row.opens_before,
        closes_after=row.closes_after,
        grace_in=row.grace_in,
        grace_out=row.grace_out,
        flexible_day=row.flexible_day,
        flexible_week=row.flexible_week,
        early_counts=row.early_counts,
        break_is_taken=row.break_is_taken,
        rounding=row.rounding,
    )


def _spans_text(spans: Iterable[Span]) -> str:
    return " ".join(f"{span.start}-{span.end}" for span in spans)


def _spans(text: str) -> tuple[Span, ...]:
    pairs = (part.partition("-") for part in text.split())
    return tuple(Span(int(start), int(end)) for start, _, end in pairs)


# --- patterns ------------------------------------------------------------------------------------------------


def patterns(session: Session) -> dict[str, Pattern]:
    """Return all patterns by their codes: two statements."""
    query = (
        select(PatternStepRow.pattern_id, ShiftRow.code, PatternStepRow.days)
        .join(ShiftRow, ShiftRow.id == PatternStepRow.shift_id, isouter=True)
        .order_by(PatternStepRow.pattern_id, PatternStepRow.place)
    )
    steps: defaultdict[int, list[Step]] = defaultdict(list)
    for pattern_id, shift, days in session.execute(query):
        steps[pattern_id].append(Step(shift, days))
    rows = session.scalars(select(PatternRow).order_by(PatternRow.code_key))
    return {row.code: Pattern(row.code, row.name, tuple(steps[row.id]), row.starts) for row in rows}


def find_pattern(session: Session, code: str) -> tuple[int, str] | None:
    """Return row id and code of a pattern, or None."""
    query = select(PatternRow.id, PatternRow.code).where(PatternRow.code_key == code_key(code))
    found = session.execute(query).first()
    return (found[0], found[1]) if found else None


def add_pattern(session: Session, pattern: Pattern, ids: Mapping[str, int]) -> None:
    """Add a pattern; ``ids`` are the row ids of its shifts."""
    now = moment(session)
    row = PatternRow(
        code=pattern.code, code_key=code_key(pattern.code), name=pattern.name, starts=pattern.starts, created_at=now
    )
    if not try_add(session, row):
        raise code_taken(pattern.code)
    for place, step in enumerate(pattern.steps):
        shift_id = None if step.shift is None else ids[step.shift]
        session.add(PatternStepRow(pattern_id=row.id, place=place, shift_id=shift_id, days=step.days))
    session.flush()


def is_pattern_used(session: Session, pattern_id: int) -> bool:
    """Return whether an assignment names a pattern."""
    query = select(ShiftAssignmentRow.id).where(ShiftAssignmentRow.pattern_id == pattern_id).limit(1)
    return session.scalar(query) is not None


def delete_pattern(session: Session, pattern_id: int) -> None:
    """Delete a pattern that nothing names."""
    session.execute(delete(PatternStepRow).where(PatternStepRow.pattern_id == pattern_id))
    session.execute(delete(PatternRow).where(PatternRow.id == pattern_id))


# --- assignments ---------------------------------------------------------------------------------------------


def assignments(session: Session, first: date, last: date) -> tuple[Assignment, ...]:
    """Return the assignments that are in force on some date of a range, the oldest first: one statement."""
    query = (
        select(ShiftAssignmentRow, PatternRow.code)
        .join(PatternRow, PatternRow.id == ShiftAssignmentRow.pattern_id)
        .where(
            ShiftAssignmentRow.first_date <= last,
            or_(ShiftAssignmentRow.last_date.is_(None), ShiftAssignmentRow.last_date >= first),
        )
        .order_by(ShiftAssignmentRow.first_date, ShiftAssignmentRow.id)
    )
    return tuple(_assignment(row, code) for row, code in session.execute(query))


def add_assignment(session: Session, scope: Scope, pattern_id: int, first: date, last: date | None) -> int:
    """Add an assignment, and return its row id."""
    row = ShiftAssignmentRow(
        scope=scope.kind.value,
        scope_id=scope.id,
        karyawan_id=scope.id if scope.kind is ScopeKind.EMPLOYEE else None,
        pattern_id=pattern_id,
        first_date=first,
        last_date=last,
        created_at=moment(session),
    )
    session.add(row)
    session.flush()
    return row.id


def get_assignment(session: Session, assignment_id: int) -> Assignment:
    """Return an assignment by its number. Raises NotFoundError."""
    query = (
        select(ShiftAssignmentRow, PatternRow.code)
        .join(PatternRow, PatternRow.id == ShiftAssignmentRow.pattern_id)
        .where(ShiftAssignmentRow.id == assignment_id)
    )
    found = session.execute(query).first()
    if found is None:
        raise NotFoundError(N_("There is no assignment with the number {number}."), number=assignment_id)
    return _assignment(*found)


def end_assignment(session: Session, assignment_id: int, last: date) -> None:
    """Let an assignment end on a date."""
    session.get_one(ShiftAssignmentRow, assignment_id).last_date = last
    session.flush()


def _assignment(row: ShiftAssignmentRow, pattern: str) -> Assignment:
    return Assignment(row.id, Scope(ScopeKind(row.scope), row.scope_id), pattern, row.first_date, row.last_date)


# --- rosters -------------------------------------------------------------------------------------------------


def roster(session: Session, first: date, last: date) -> dict[tuple[int, date], RosterDay]:
    """Return the single dates of a range by person and date: one statement."""
    query = (
        select(RosterDayRow.karyawan_id, RosterDayRow.work_date, ShiftRow.code, RosterDayRow.reason)
        .join(ShiftRow, ShiftRow.id == RosterDayRow.shift_id, isouter=True)
        .where(RosterDayRow.work_date.between(first, last))
    )
    return {
        (person, day): RosterDay(person, day, shift, reason) for person, day, shift, reason in session.execute(query)
    }


def put_roster_day(session: Session, employee_id: int, day: date, shift_id: int | None, reason: str) -> None:
    """Store a single date of a person, in place of what was decided for it before."""
    row = _roster_row(session, employee_id, day)
    if row is None:
        facts = {"shift_id": shift_id, "reason": reason, "created_at": moment(session)}
        if try_add(session, RosterDayRow(karyawan_id=employee_id, work_date=day, **facts)):
            return
        row = _roster_row(session, employee_id, day)
        assert row is not None
    row.shift_id, row.reason, row.created_at = shift_id, reason, moment(session)
    session.flush()


def delete_roster_day(session: Session, employee_id: int, day: date) -> bool:
    """Take a single date back; return whether there was one."""
    row = _roster_row(session, employee_id, day)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def _roster_row(session: Session, employee_id: int, day: date) -> RosterDayRow | None:
    return session.scalar(
        select(RosterDayRow)
        .where(RosterDayRow.karyawan_id == employee_id, RosterDayRow.work_date == day)
        .with_for_update()
    )


# --- presets -------------------------------------------------------------------------------------------------


def presets(session: Session) -> tuple[Preset, ...]:
    """Return all presets, the earliest first: two statements."""
    codes = {
        row_id: code for row_id, _key, code in session.execute(select(ShiftRow.id, ShiftRow.code_key, ShiftRow.code))
    }
    maps: defaultdict[int, list[Replacement]] = defaultdict(list)
    for each in session.scalars(select(PresetShiftRow).order_by(PresetShiftRow.id)):
        maps[each.preset_id].append(Replacement(codes[each.shift_id], codes[each.instead_id], each.weekday))
    rows = session.scalars(select(PresetRow).order_by(PresetRow.first_date, PresetRow.code_key))
    return tuple(Preset(row.code, row.name, row.first_date, row.last_date, tuple(maps[row.id])) for row in rows)


def find_preset_id(session: Session, code: str) -> int | None:
    """Return the row id of a preset, or None."""
    return session.scalar(select(PresetRow.id).where(PresetRow.code_key == code_key(code)))


def add_preset(session: Session, preset: Preset, ids: Mapping[str, int]) -> None:
    """Add a preset; ``ids`` are the row ids of its shifts."""
    row = PresetRow(
        code=preset.code,
        code_key=code_key(preset.code),
        name=preset.name,
        first_date=preset.first,
        last_date=preset.last,
        created_at=moment(session),
    )
    if not try_add(session, row):
        raise code_taken(preset.code)
    for each in preset.replacements:
        session.add(
            PresetShiftRow(
                preset_id=row.id, shift_id=ids[each.shift], instead_id=ids[each.instead], weekday=each.weekday
            )
        )
    session.flush()


def move_preset(session: Session, preset_id: int, first: date, last: date) -> None:
    """Let a preset begin and end on other dates."""
    row = session.get_one(PresetRow, preset_id)
    row.first_date, row.last_date = first, last
    session.flush()


def delete_preset(session: Session, preset_id: int) -> None:
    """Delete a preset."""
    session.execute(delete(PresetShiftRow).where(PresetShiftRow.preset_id == preset_id))
    session.execute(delete(PresetRow).where(PresetRow.id == preset_id))


def try_add(session: Session, row: Base) -> bool:
    """Add a row, and return whether it could be: False where one of the same key is there."""
    try:
        # The savepoint keeps the transaction usable where another process was faster.
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def code_taken(code: str) -> ConflictError:
    """Return the error for a code that something of its kind has already."""
    return ConflictError(N_("The code {code} is taken already."), code=code)
