"""Corrections in the database: rows beside rows, decided under the employee's lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from smartabsen.attendance import correction_rows, day_rows, punch_rows, recording_rows
from smartabsen.attendance.correction_rows import Corrected
from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Employee, Outcome, Punch, PunchMethod, Status
from smartabsen.kernel.errors import ConflictError, InvalidInputError
from smartabsen.people import employee_rows
from smartabsen.store.database import Database

MONDAY = date(2026, 11, 2)
MakeAttempt = Callable[..., Punch]
Store = Callable[[Punch], Corrected]


@pytest.fixture
def late(database: Database, siti: Employee, rules: Rules, attempt: MakeAttempt) -> Punch:
    """Siti's punch at 08:30."""
    tried = attempt(siti.id, "2026-11-02 08:30")
    return database.run_write(lambda session: recording_rows.record(session, tried, rules)).punch


@pytest.fixture
def store(database: Database, rules: Rules) -> Store:
    return lambda entry: database.run_write(lambda session: correction_rows.store(session, entry, rules))


@pytest.fixture
def correction(siti: Employee, attempt: MakeAttempt) -> Callable[..., Punch]:
    """Makes entries of a correction."""

    def make(
        clock: str, supersedes: Punch | None = None, method: PunchMethod = PunchMethod.CORRECTION, reason: str = "queue"
    ) -> Punch:
        made = attempt(
            siti.id, f"2026-11-02 {clock}", note=reason, key=f"{method}-{clock}-{supersedes and supersedes.id}"
        )
        return replace(
            made, method=method, supersedes=supersedes.id if supersedes else None, similarity=None, liveness=None
        )

    return make


def test_a_correction_leaves_the_original_and_changes_the_day(
    database: Database, siti: Employee, late: Punch, store: Store, correction: Callable[..., Punch]
) -> None:
    """Both rows are there afterwards, the first one as it was; the day follows the second."""
    done = store(correction("07:55", late))

    with database.read() as session:
        assert punch_rows.get(session, late.id) == late
        assert {one.id for one in punch_rows.of_day(session, siti.id, MONDAY)} == {late.id, done.entry.id}
        assert day_rows.find(session, siti.id, MONDAY) == done.after
    assert (done.new, done.original, done.entry.supersedes) == (True, late, late.id)
    assert done.before is not None and done.after is not None
    assert (done.before.status, done.after.status) == (Status.LATE, Status.PRESENT)
    assert done.entry.status is Status.PRESENT


def test_the_same_correction_again_stores_nothing(late: Punch, store: Store, correction: Callable[..., Punch]) -> None:
    """A key stands for one entry; another one under the same key is refused."""
    first = store(correction("07:55", late))

    again = store(correction("07:55", late))

    assert (again.new, again.entry) == (False, first.entry)
    with pytest.raises(ConflictError, match="entered before"):
        store(replace(correction("07:50", late), key=first.entry.key))


def test_a_punch_is_corrected_once_and_the_correction_after_it(
    late: Punch, store: Store, correction: Callable[..., Punch]
) -> None:
    """Who looks at an old page is told; the entry that counts can be corrected again."""
    first = store(correction("07:55", late))

    with pytest.raises(ConflictError, match="corrected already"):
        store(correction("07:50", late))
    again = store(correction("08:05", first.entry))

    assert again.after is not None
    assert (again.after.status, again.after.late_minutes) == (Status.LATE, 5)


def test_taking_out_the_only_punch_ends_the_day_and_a_later_one_begins_it_again(
    database: Database,
    siti: Employee,
    late: Punch,
    rules: Rules,
    store: Store,
    correction: Callable[..., Punch],
    attempt: MakeAttempt,
) -> None:
    """No row is left of the day, and a punch taken out keeps nobody from punching within its cooldown."""
    done = store(correction("08:30", late, PunchMethod.VOID))
    with database.read() as session:
        assert day_rows.find(session, siti.id, MONDAY) is None
    assert (done.after, done.entry.status) == (None, Status.LATE)

    tried = attempt(siti.id, "2026-11-02 08:30:20")
    recorded = database.run_write(lambda session: recording_rows.record(session, tried, rules))

    assert (recorded.outcome, recorded.new) == (Outcome.RECOGNIZED, True)
    assert recorded.day.clock_in == tried.at


def test_leave_survives_corrections(
    database: Database, siti: Employee, late: Punch, store: Store, correction: Callable[..., Punch]
) -> None:
    """The status of a day of leave stays, whatever becomes of its times."""
    with database.write() as session:
        day_rows.set_leave(session, employee_id=siti.id, work_date=MONDAY, status=Status.SICK, note="doctor")

    moved = store(correction("09:00", late))
    gone = store(correction("09:00", moved.entry, PunchMethod.VOID))

    assert moved.after is not None and gone.after is not None
    assert (moved.after.status, moved.after.clock_in, moved.after.late_minutes) == (Status.SICK, moved.entry.at, 0)
    assert (gone.after.status, gone.after.clock_in) == (Status.SICK, None)


def test_a_forgotten_punch_can_be_added_for_somebody_who_left(
    database: Database, late: Punch, store: Store, correction: Callable[..., Punch]
) -> None:
    """The day lies before the deactivation; the departure gives the day its minutes."""
    with database.write() as session:
        employee_rows.update(session, "E001", active=False)

    done = store(correction("16:30"))

    assert done.original is None
    assert done.after is not None
    assert done.after.worked_minutes == 480


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_correction_needs_a_reason(late: Punch, store: Store, correction: Callable[..., Punch], reason: str) -> None:
    """Blanks are none."""
    with pytest.raises(InvalidInputError, match="reason"):
        store(correction("07:55", late, reason=reason))


def test_two_punches_of_one_person_never_stand_at_one_instant(
    late: Punch, store: Store, correction: Callable[..., Punch]
) -> None:
    """A forgotten punch that was recorded after all is refused; the same time with another reason is not."""
    with pytest.raises(ConflictError, match="at that time"):
        store(correction("08:30"))
    assert store(correction("08:30", late, reason="checked")).new


def test_a_punch_of_another_day_or_person_cannot_be_superseded(
    database: Database,
    siti: Employee,
    late: Punch,
    store: Store,
    correction: Callable[..., Punch],
    attempt: MakeAttempt,
) -> None:
    """A correction stays within the day, so that each day is derived from its own rows alone."""
    tuesday = replace(attempt(siti.id, "2026-11-03 08:00", note="x"), supersedes=late.id, method=PunchMethod.CORRECTION)
    with pytest.raises(ConflictError, match="another person or day"):
        store(tuesday)
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
    with pytest.raises(ConflictError, match="another person or day"):
        store(replace(correction("08:00", late), employee_id=budi.id, key="k"))


@pytest.mark.parametrize("method", [PunchMethod.CORRECTION, PunchMethod.VOID])
def test_a_day_can_be_derived_again_after_corrections(
    database: Database,
    siti: Employee,
    late: Punch,
    rules: Rules,
    store: Store,
    correction: Callable[..., Punch],
    method: PunchMethod,
) -> None:
    """What was derived at the correction is what the rules say of the rows."""
    done = store(correction("08:30" if method is PunchMethod.VOID else "07:00", late, method))

    with database.write() as session:
        assert recording_rows.derive_again(session, siti.id, MONDAY, rules) == done.after
