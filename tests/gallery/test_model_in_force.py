"""Machines that share a database and not their home: each has the trained model in force."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import KioskEventKind, SmartAbsen, StorageError
from smartabsen.gallery import model_in_force
from smartabsen.gallery.gallery_watch import GalleryWatch
from smartabsen.gallery.model_file import ARRAYS_NAME, FACTS_NAME, load_model
from smartabsen.gallery.model_in_force import FILE_REPLACED, follow
from smartabsen.privacy.erase import forget_erased
from tests.faults.gate import Gate

from ..installation import Draw, enrol
from ..machines import (
    OpenElsewhere as OpenElsewhere,
    elsewhere as elsewhere,
    in_force as in_force,
    known as known,
    office as office,
    office_flags as office_flags,
    run_kiosk as run_kiosk,
    shared as shared,
    version as version,
    wait_until as wait_until,
)


def test_a_machine_that_never_trained_recognises_whom_another_one_trained(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """The very same model, made of the templates in the database; and the next one while it runs."""
    door = elsewhere()
    assert [check.level.value for check in door.check_readiness() if check.name == "model"] == ["ok"]
    assert known(door, draw, 1, 2) == ["E1", "E2"]
    assert version(door) == version(office) == in_force(office)

    enrol(office, draw, 3)
    assert known(door, draw, 3) == [None]
    office.train()
    assert known(door, draw, 3, 1) == ["E3", "E1"]
    assert version(door) == version(office)


def test_who_was_enrolled_since_the_training_is_in_no_model(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """Two machines never differ in whom they know, and nobody gets in past the gate of a training."""
    enrol(office, draw, 3)
    assert known(elsewhere(), draw, 3) == known(office, draw, 3) == [None]


def test_a_change_of_one_person_reaches_all_and_loses_no_newer_training(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """Also when it is made on a machine whose model is behind."""
    door, desk = elsewhere("door"), elsewhere("desk")
    assert known(door, draw, 1) == known(desk, draw, 1) == ["E1"]
    enrol(office, draw, 3)
    office.train()

    desk.deactivate_employee("E1")

    for app in (office, door, desk):
        assert known(app, draw, 1, 2, 3) == [None, "E2", "E3"]
        assert len(load_model(app.settings.assets_dir, app.services.key_chain.ring()).employee_ids) == 5
    door.activate_employee("E1")
    for app in (office, door, desk):
        assert known(app, draw, 1, 2, 3) == ["E1", "E2", "E3"]
        assert version(app) == in_force(app)


def test_two_changes_at_once_are_both_in_force(office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw) -> None:
    """Whoever comes second makes the change again on what the first one left."""
    enrol(office, draw, 3)
    office.train()
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    real, calls = model_in_force.replace_model, 0

    def meanwhile(*args: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            office.deactivate_employee("E2")
        real(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_in_force, "replace_model", meanwhile)
        door.deactivate_employee("E1")

    for app in (office, door):
        assert known(app, draw, 1, 2, 3) == [None, None, "E3"]
        assert set(load_model(app.settings.assets_dir, app.services.key_chain.ring()).employee_ids.tolist()) == {3}


def test_an_erased_person_leaves_every_machine(office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw) -> None:
    """Also one that was not running: at its next start."""
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    office.privacy.erase("E1", reason="asked for it")
    with GalleryWatch(door.services, poll_s=0.02):
        wait_until(lambda: version(door) == version(office))
    assert known(door, draw, 1, 2) == [None, "E2"]


def test_an_erased_person_leaves_the_machine_that_erases_though_another_one_was_faster(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the command ends, the face is in no file here."""
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    real = door.services.database.scrub

    def scrub() -> None:
        monkeypatch.undo()
        forget_erased(office.services)
        real()

    monkeypatch.setattr(door.services.database, "scrub", scrub)
    door.privacy.erase("E1", reason="asked for it")
    assert 1 not in load_model(door.settings.assets_dir, door.services.key_chain.ring()).employee_ids
    assert version(door) == version(office) == in_force(office)


@pytest.mark.parametrize("planted", ["a flipped bit", "a pickle", "facts of another program"])
def test_a_damaged_or_planted_file_is_made_again_said_and_recorded(
    office: SmartAbsen, draw: Draw, planted: str
) -> None:
    """The database has everything that it needs; the trail says which file of which kiosk, and what was wrong."""
    path = office.settings.assets_dir / ARRAYS_NAME
    content = path.read_bytes()
    if planted == "a flipped bit":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif planted == "a pickle":
        path.write_bytes(pickle.dumps({"embeddings": [1.0]}))
    else:
        path.with_name(FACTS_NAME).write_bytes(b"{}")
    with SmartAbsen.open(flags={**office_flags(office)}) as again:
        assert known(again, draw, 1, 2) == ["E1", "E2"]
        messages = [message for message, _ in again.remarks]
        assert any("is damaged" in message for message in messages), messages
        assert (FILE_REPLACED, (("path", str(path)),)) in again.remarks
        assert version(again) == in_force(again)
        (entry,) = again.audit.entries(action="model.file_replaced")
        assert entry.details["file"] == str(path) and entry.details["kiosk"] == again.services.kiosk_name
        assert "damaged" in entry.details["problem"]
    with SmartAbsen.open(flags={**office_flags(office)}) as later:
        assert known(later, draw, 1) == ["E1"]
        assert len(later.audit.entries(action="model.file_replaced")) == 1


def test_a_damaged_file_that_cannot_be_written_is_recorded_once(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that tries again and again fills no trail."""
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    path = door.settings.assets_dir / ARRAYS_NAME
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    tries = []

    def refuse(*_: object) -> None:
        tries.append(1)
        raise StorageError("The disk is full.")

    monkeypatch.setattr(model_in_force, "replace_model", refuse)
    with GalleryWatch(door.services, poll_s=0.02):
        wait_until(lambda: len(tries) > 3)
    assert len(office.audit.entries(action="model.file_replaced")) == 1


def test_killed_between_file_and_database_the_database_decides(
    office: SmartAbsen, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start has the model of before, as all other machines have."""
    before = in_force(office)
    enrol(office, draw, 3)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model_in_force, "_note", die)
        with pytest.raises(KeyboardInterrupt):
            office.train()
    assert version(office) != before == in_force(office)
    with SmartAbsen.open(flags=office_flags(office)) as again:
        assert known(again, draw, 3, 1) == [None, "E1"]
        assert version(again) == before


def test_never_half_of_it(office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw) -> None:
    """While the engine is being changed the templates are gone and the training is to come: the old model goes on."""
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    before = version(door)
    enrol(office, draw, 3)
    office.train()
    with office.services.database.write() as session:
        session.execute(text("UPDATE meta SET value = :to WHERE name = 'active_model'"), {"to": OTHER})
        session.execute(text("DELETE FROM templates WHERE karyawan_id = 1"))
    assert not follow(door.services)
    assert version(door) == before


OTHER = '{"engine": "other", "digest": "aa", "dimension": 64}'


def test_the_watch_goes_on_after_trouble(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that fails is made up for by a later one."""
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    key = door.services.key_chain.path
    key.rename(key.with_name("away"))
    enrol(office, draw, 3)
    office.train()
    with GalleryWatch(door.services, poll_s=0.02):
        time.sleep(0.2)
        key.with_name("away").rename(key)
        wait_until(lambda: version(door) == version(office))


def test_a_running_kiosk_of_another_machine_takes_over_a_new_training(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw, tmp_path: Path
) -> None:
    """Without a shared home and without a restart."""

    def train() -> None:
        enrol(office, draw, 3)
        office.train()

    events = run_kiosk(
        elsewhere(), tmp_path, until=lambda event: event.kind is KioskEventKind.MODEL_RELOADED, then=train
    )
    (reloaded,) = [event for event in events if event.kind is KioskEventKind.MODEL_RELOADED]
    assert dict(reloaded.params) == {"version": in_force(office), "people": "3"}


def test_whoever_was_erased_is_forgotten_though_another_row_is_damaged(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """One person's damage keeps nobody's face in a file."""
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    with office.services.database.write() as session:
        session.execute(text("UPDATE templates SET photo_digest = 'x' WHERE id = 3"))
    office.privacy.erase("E1", reason="asked for it")
    forget_erased(door.services)
    follow(door.services)
    assert 1 not in load_model(door.settings.assets_dir, door.services.key_chain.ring()).employee_ids


def test_a_notice_by_redis_is_followed_at_once(
    shared: dict[str, object], elsewhere: OpenElsewhere, draw: Draw, redis_url: str
) -> None:
    """By a watch that would look again in an hour; more often than it looks by itself when it begins."""
    door = elsewhere(redis_url=redis_url)
    assert known(door, draw, 1) == ["E1"]
    with (
        SmartAbsen.open(flags={**shared, "redis_url": redis_url}) as desk,
        GalleryWatch(door.services, poll_s=3600),
    ):
        for _ in range(2):
            desk.deactivate_employee("E1")
            wait_until(lambda: version(door) == version(desk))
            desk.activate_employee("E1")
            wait_until(lambda: version(door) == version(desk))
        desk.privacy.erase("E1", reason="asked for it")
        wait_until(lambda: version(door) == version(desk))
    assert known(door, draw, 1, 2) == [None, "E2"]


@pytest.mark.parametrize("state", ["silent", "closed"])
def test_a_redis_that_does_not_answer_keeps_nobody_from_following(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw, state: str
) -> None:
    """The database is asked as without it."""
    with Gate(state=state) as gate:
        door = elsewhere(redis_url=f"redis://127.0.0.1:{gate.port}/0")
        assert known(door, draw, 1) == ["E1"]
        with GalleryWatch(door.services, poll_s=0.02):
            enrol(office, draw, 3)
            office.train()
            wait_until(lambda: version(door) == version(office))
