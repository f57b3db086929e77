"""Machines that share a database and not their home: each has the trained model in force, on both kinds of database."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import EngineMismatchError, KioskEvent, KioskEventKind, SmartAbsen
from smartabsen.camera.fake import FakeSource
from smartabsen.core import model_in_force
from smartabsen.core.erase import forget_erased
from smartabsen.core.gallery_watch import GalleryWatch
from smartabsen.core.model_in_force import follow
from smartabsen.recognition import engines
from smartabsen.store import model_record
from smartabsen.store.model_file import ARRAYS_NAME, load_model
from tests.faults.gate import Gate

from .conftest import Draw, enrol, outcomes, picture

OpenElsewhere = Callable[..., SmartAbsen]


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def shared(request: pytest.FixtureRequest, flags: dict[str, object], tmp_path: Path) -> dict[str, object]:
    """Settings of the machine that trains, with the database elsewhere."""
    url = request.getfixturevalue("mariadb_url") if request.param == "mariadb" else f"sqlite:///{tmp_path / 'all.db'}"
    return {**flags, "database_url": url}


@pytest.fixture
def office(shared: dict[str, object], draw: Draw) -> Iterator[SmartAbsen]:
    """A machine that enrolled two people and trained."""
    with SmartAbsen.open(flags=shared) as app:
        for person in (1, 2):
            enrol(app, draw, person, photos=2)
        app.train()
        yield app


@pytest.fixture
def elsewhere(shared: dict[str, object], office: SmartAbsen, tmp_path: Path) -> Iterator[OpenElsewhere]:
    """Opens a further machine: a home of its own with the same keys."""
    opened: list[SmartAbsen] = []

    def open_one(name: str = "door", **more: object) -> SmartAbsen:
        home = tmp_path / name
        if not home.exists():
            (home / "secrets").mkdir(parents=True)
            shutil.copy(office.services.key_chain.path, home / "secrets" / "keys.json")
        opened.append(SmartAbsen.open(flags={**shared, "home": str(home), **more}))
        return opened[-1]

    yield open_one
    for app in opened:
        app.close()


def version(app: SmartAbsen) -> str:
    return load_model(app.settings.assets_dir, app.services.key_chain.ring()).version


def in_force(app: SmartAbsen) -> str | None:
    with app.services.database.read() as session:
        return model_record.find_version(session)


def known(app: SmartAbsen, draw: Draw, *people: int) -> list[str | None]:
    return [faces[0][1] for faces in outcomes(app, *(draw(f"probes/{person}.png", person) for person in people))]


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
    office.privacy.erase("E1")
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
    door.privacy.erase("E1")
    assert 1 not in load_model(door.settings.assets_dir, door.services.key_chain.ring()).employee_ids
    assert version(door) == version(office) == in_force(office)


def test_a_damaged_or_planted_file_is_made_again_and_said(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """The database has everything that it needs."""
    path = office.settings.assets_dir / ARRAYS_NAME
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with SmartAbsen.open(flags={**office_flags(office)}) as again:
        assert known(again, draw, 1, 2) == ["E1", "E2"]
        assert any("is damaged" in message for message, _ in again.remarks)
        assert version(again) == in_force(again)


def office_flags(app: SmartAbsen) -> dict[str, object]:
    return {
        "home": str(app.settings.home),
        "engine": "fake",
        "recognition.matcher": "exact",
        "database_url": app.settings.database_url,
    }


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


def wait_until(reached: Callable[[], bool], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


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


@pytest.fixture
def second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine for drawn faces: the same parts under another name are another identity."""
    spec = replace(engines.ENGINES["fake"], name="other")
    monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "other": spec})


def reembed(office: SmartAbsen) -> None:
    with SmartAbsen.open(flags={**office_flags(office), "engine": "other"}) as app:
        assert app.reembedding.run(mode="switch").switched


@pytest.mark.usefixtures("second_engine")
def test_a_program_that_runs_changes_to_the_new_engine(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """Where the settings leave the choice to the gallery; on the machine of the change and on others."""
    door = elsewhere(engine="auto")
    assert known(door, draw, 1) == ["E1"]
    reembed(office)
    assert known(door, draw, 1, 2) == ["E1", "E2"]
    assert door.services.engine.identity.engine == "other"


@pytest.mark.usefixtures("second_engine")
def test_a_program_that_is_set_to_the_old_engine_says_so(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """And what to set."""
    door = elsewhere(engine="fake")
    assert known(door, draw, 1) == ["E1"]
    reembed(office)
    with pytest.raises(EngineMismatchError, match="other"):
        known(door, draw, 1)


def run_kiosk(app: SmartAbsen, tmp_path: Path, *, until: Callable[[KioskEvent], bool], then: Callable[[], None]):
    """Run a kiosk before person 1, do something when it has greeted once, and end when an event is as wanted."""
    camera = FakeSource(repeat(picture(1)), live=True, period_s=0.05)
    app.services.open_camera = lambda *_args, **_kwargs: camera  # type: ignore[method-assign]
    events: list[KioskEvent] = []
    stop, greeted = threading.Event(), threading.Event()

    def take(event: KioskEvent) -> None:
        events.append(event)
        if event.kind is KioskEventKind.DECISION and not greeted.is_set():
            greeted.set()
            threading.Thread(target=then).start()
        if until(event):
            stop.set()

    app.run_kiosk(camera=str(tmp_path / "lens"), on_event=take, stop=stop, max_seconds=30)
    return events


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


@pytest.mark.usefixtures("second_engine")
def test_a_running_kiosk_changes_to_the_new_engine(
    office: SmartAbsen, elsewhere: OpenElsewhere, tmp_path: Path
) -> None:
    """It says so, and recognises with it; the camera stays open."""
    door = elsewhere(engine="auto")
    changed: list[KioskEvent] = []

    def again(event: KioskEvent) -> bool:
        if event.kind is KioskEventKind.MODEL_RELOADED:
            changed.append(event)
        return bool(changed) and event.kind is KioskEventKind.DECISION

    events = run_kiosk(door, tmp_path, until=again, then=lambda: reembed(office))
    told = [event for event in events if event.kind is KioskEventKind.TROUBLE]
    assert [dict(event.params)["engine"].split()[0].startswith("other") for event in told] == [True]
    assert changed and events[-1].kind is KioskEventKind.SUMMARY
    assert door.services.engine.identity.engine == "other"


@pytest.mark.usefixtures("second_engine")
def test_a_running_kiosk_without_the_new_engine_ends_with_the_reason(
    office: SmartAbsen, elsewhere: OpenElsewhere, tmp_path: Path
) -> None:
    """Its service manager starts it again, and it says the same until somebody mends it."""
    with pytest.raises(EngineMismatchError, match="other"):
        run_kiosk(elsewhere(engine="fake"), tmp_path, until=lambda _: False, then=lambda: reembed(office))


def test_whoever_was_erased_is_forgotten_though_another_row_is_damaged(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """One person's damage keeps nobody's face in a file."""
    door = elsewhere()
    assert known(door, draw, 1) == ["E1"]
    with office.services.database.write() as session:
        session.execute(text("UPDATE templates SET photo_digest = 'x' WHERE id = 3"))
    office.privacy.erase("E1")
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
        desk.privacy.erase("E1")
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
