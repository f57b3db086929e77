"""Programs that run while the engine of their gallery is changed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from smartabsen import EngineMismatchError, KioskEvent, KioskEventKind, SmartAbsen
from smartabsen.gallery.enrolments import PictureFile
from smartabsen.recognition import engines
from smartabsen.store import meta

from ..installation import Draw
from ..machines import (
    OpenElsewhere as OpenElsewhere,
    elsewhere as elsewhere,
    known as known,
    office as office,
    office_flags as office_flags,
    run_kiosk as run_kiosk,
    shared as shared,
)


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
    troubles = (event for event in events if event.kind is KioskEventKind.TROUBLE)
    told = [event for event in troubles if "engine" in dict(event.params)]
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


@pytest.mark.usefixtures("second_engine")
def test_training_and_enrolling_in_a_program_that_runs_are_of_the_new_engine(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw
) -> None:
    """A server that loaded the old one before neither trains its leftovers nor refuses new pictures."""
    door = elsewhere(engine="auto")
    assert known(door, draw, 1) == ["E1"]
    reembed(office)
    report = door.train()
    assert (report.model.engine, report.employees) == ("other", 2)

    desk = elsewhere("desk", engine="auto")
    with office.services.database.write() as session:
        meta.put(session, meta.ACTIVE_MODEL, json.dumps(asdict(office.services.engine.identity)))
    assert desk.services.engine.identity.engine == "fake"
    with office.services.database.write() as session:
        meta.put(session, meta.ACTIVE_MODEL, json.dumps(asdict(report.model)))
    desk.enrolments.add("E3", "Contoh 3")
    picture_file = PictureFile("3.png", draw("3.png", 3).read_bytes())
    assert desk.enrolments.add_pictures("E3", [picture_file]).accepted == 1
