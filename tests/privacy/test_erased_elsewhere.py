"""Who is erased on one machine is in no file of the others: not in their logs, nor in copies of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smartabsen import SmartAbsen
from smartabsen.gallery.gallery_watch import GalleryWatch
from smartabsen.kernel.domain import Punch, PunchMethod
from smartabsen.kiosk.start import open_without_waiting

from ..machines import (
    OpenElsewhere as OpenElsewhere,
    elsewhere as elsewhere,
    office as office,
    shared as shared,
    wait_until as wait_until,
)

NAMES = (b"E1", b"Contoh 1", b"ticket of one")
REASON = "asked for it"


def files_of(app: SmartAbsen) -> dict[str, bytes]:
    # Under the lock of the log: no writer is in between.
    with app.services.csv_log.locked():
        found = [path for path in app.settings.csv_dir.glob("*.csv*") if not path.name.startswith(".")]
        return {path.name: path.read_bytes() for path in found}


def named(app: SmartAbsen) -> list[bytes]:
    """Which words about the erased person are in log and copies of a home."""
    content = b"\n".join(files_of(app).values())
    return [word for word in NAMES if word in content]


def edit_log(app: SmartAbsen, line: bytes) -> None:
    with next(app.settings.csv_dir.glob("*.csv")).open("ab") as file:
        file.write(line + b"\n")


@pytest.fixture
def door(office: SmartAbsen, elsewhere: OpenElsewhere) -> Iterator[SmartAbsen]:
    """A machine whose log and an older copy of it know both people."""
    machine = elsewhere()
    machine.punch("E1", note="ticket of one")
    machine.punch("E2", note="ticket of two")
    edit_log(machine, b"999,E1,Contoh 1,made up")
    edit_log(machine, b"998,E2,Contoh 2,made up as well")
    machine.reconcile_log()
    assert len(files_of(machine)) == 2 and named(machine) == list(NAMES)
    return machine


def by_reconciling(door: SmartAbsen) -> None:
    door.reconcile_log()


def by_starting_a_kiosk(door: SmartAbsen) -> None:
    open_without_waiting(door.services)


def by_applying(door: SmartAbsen) -> None:
    assert door.privacy.apply_tombstones() == 1
    assert door.privacy.apply_tombstones() == 0


def by_rebuilding(door: SmartAbsen) -> None:
    door.attendance_log.rebuild()


def by_running_on(door: SmartAbsen) -> None:
    with GalleryWatch(door.services, poll_s=0.02):
        wait_until(lambda: not named(door))


@pytest.mark.parametrize(
    "follow", [by_reconciling, by_starting_a_kiosk, by_applying, by_rebuilding, by_running_on], ids=lambda f: f.__name__
)
def test_no_file_of_another_machine_names_an_erased_person(
    office: SmartAbsen, door: SmartAbsen, follow: Callable[[SmartAbsen], None]
) -> None:
    """Its log has the pseudonym, its copies have the others' lines alone, and nobody is told of tampering."""
    clues = len(office.audit.entries(action="attendance.log_replaced"))
    erased = office.privacy.erase("E1", reason=REASON)
    assert named(door) == list(NAMES)

    follow(door)

    assert named(door) == []
    files = files_of(door)
    assert sum(erased.pseudonym.encode() in content for content in files.values()) == 1
    assert any(b"made up as well" in content for content in files.values())
    assert len(office.audit.entries(action="attendance.log_replaced")) == clues
    assert door.attendance_log.verify()[1] == ()
    door.attendance_log.rebuild()
    assert files_of(door) == files


def test_a_machine_that_runs_follows_an_erasure_that_comes_later(office: SmartAbsen, door: SmartAbsen) -> None:
    """The watch looks into log and copies again with each new tombstone."""
    with GalleryWatch(door.services, poll_s=0.02):
        wait_until(lambda: door.services.erased_here.tombstones.read() == ())
        office.privacy.erase("E1", reason=REASON)
        wait_until(lambda: not named(door))
        wait_until(lambda: len(door.services.erased_here.tombstones.read()) == 1)


def test_an_erasure_hides_nothing_else_that_was_changed(office: SmartAbsen, door: SmartAbsen) -> None:
    """A line with another time stays a clue, under the pseudonym, and so does a line that somebody made up."""
    log = next(door.settings.csv_dir.glob("*.csv"))
    line = next(line for line in log.read_bytes().split(b"\n") if b"ticket of one" in line)
    cells = line.split(b",")
    cells[4] = b"03:21:09"
    log.write_bytes(log.read_bytes().replace(line, b",".join(cells)))
    edit_log(door, b"997,E2,Contoh 2,slipped in")
    office.privacy.erase("E1", reason=REASON)

    door.reconcile_log()

    assert named(door) == []
    kept = [content for name, content in files_of(door).items() if ".replaced-" in name]
    assert any(b"slipped in" in content and b",03:21:09," in content for content in kept)
    assert [b"ticket of two" in content for content in kept].count(True) == len(kept)


def test_deleted_attendance_leaves_the_logs_of_all_machines(
    shared: dict[str, object], office: SmartAbsen, door: SmartAbsen
) -> None:
    """Nothing in the database knows the punches any more; the entry of the erasure lists their numbers."""
    clues = len(office.audit.entries(action="attendance.log_replaced"))
    with SmartAbsen.open(flags={**shared, "privacy.attendance_after_erasure": "delete"}) as desk:
        desk.privacy.erase("E1", reason=REASON)
        assert desk.audit.verify().problems == ()
    door.reconcile_log()
    assert named(door) == []
    assert len(office.audit.entries(action="attendance.log_replaced")) == clues
    assert b"ticket of two" in b"".join(files_of(door).values())


def test_a_day_of_nobody_else_is_no_file_any_more(
    shared: dict[str, object], office: SmartAbsen, elsewhere: OpenElsewhere
) -> None:
    """Where attendance is deleted, the last line takes the file with it."""
    door = elsewhere()
    door.punch("E1", note="ticket of one")
    with SmartAbsen.open(flags={**shared, "privacy.attendance_after_erasure": "delete"}) as desk:
        desk.privacy.erase("E1", reason=REASON)
    door.reconcile_log()
    assert files_of(door) == {}


def test_waiting_punches_and_evaluated_faces_leave_the_other_machine_too(office: SmartAbsen, door: SmartAbsen) -> None:
    """Nobody else's do."""
    now = datetime.now(UTC)
    for code in ("E1", "E2"):
        owner = office.get_employee(code).id
        punch = Punch(0, owner, now, now.date(), PunchMethod.FACE, "k", f"waiting-{code}")
        door.services.punch_queue.add(punch, database_id="this")
    office.privacy.erase("E1", reason=REASON)
    door.reconcile_log()
    assert [waiting.punch.key for waiting in door.services.punch_queue.oldest()] == ["waiting-E2"]


def test_killed_before_it_was_done_it_is_done_at_the_next_start(
    office: SmartAbsen, door: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies are first: the lines of the log still say whom to look for."""
    office.privacy.erase("E1", reason=REASON)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(door.services.csv_log, "check", die)
        with pytest.raises(KeyboardInterrupt):
            door.reconcile_log()
    assert named(door) != []
    door.reconcile_log()
    assert named(door) == []


def test_an_older_log_that_comes_back_is_found_by_privacy_apply(
    office: SmartAbsen, door: SmartAbsen, tmp_path: Path
) -> None:
    """Also by a machine that followed the erasure already."""
    before = files_of(door)
    office.privacy.erase("E1", reason=REASON)
    door.reconcile_log()
    for name, content in before.items():
        (door.settings.csv_dir / name).write_bytes(content)
    assert named(door) == list(NAMES)
    assert door.privacy.apply_tombstones() == 1
    assert named(door) == []
