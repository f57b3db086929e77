"""A kiosk of another machine that is killed starts again without its database, whatever model it has taken over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smartabsen import DatabaseAwayError, SmartAbsen
from smartabsen.gallery.gallery_watch import GalleryWatch
from smartabsen.kiosk.start import Start, open_without_waiting

from ..installation import Draw, enrol
from ..machines import (
    OpenElsewhere as OpenElsewhere,
    elsewhere as elsewhere,
    office as office,
    shared as shared,
    version as version,
    wait_until as wait_until,
)


def start_without_database(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start a kiosk of the same home in a new program, while the database does not answer."""

    def refuse(**_: object) -> None:
        raise DatabaseAwayError("The database does not answer.")

    with SmartAbsen(app.services.loaded) as again, monkeypatch.context() as patch:
        patch.setattr(again.services.database, "read", refuse)
        return open_without_waiting(again.services)


def erase_a_face(office: SmartAbsen, draw: Draw) -> None:
    office.privacy.erase("E1", reason="asked for it", scope="face")


def erase_a_person(office: SmartAbsen, draw: Draw) -> None:
    office.privacy.erase("E1", reason="asked for it")


def deactivate(office: SmartAbsen, draw: Draw) -> None:
    office.deactivate_employee("E1")


def train(office: SmartAbsen, draw: Draw) -> None:
    enrol(office, draw, 3)
    office.train()


@pytest.mark.parametrize(
    "change", [erase_a_face, erase_a_person, deactivate, train], ids=lambda change: change.__name__
)
def test_a_killed_kiosk_starts_with_the_model_that_it_followed(
    office: SmartAbsen,
    elsewhere: OpenElsewhere,
    draw: Draw,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[SmartAbsen, Draw], None],
) -> None:
    """However the model came about: made anew, or the one of before without somebody."""
    door = elsewhere()
    open_without_waiting(door.services)
    with GalleryWatch(door.services, poll_s=0.02):
        change(office, draw)
        wait_until(lambda: version(door) == version(office))
    start = start_without_database(door, monkeypatch)
    assert start.gallery.version == version(office)


def test_a_killed_kiosk_starts_with_a_model_that_came_into_force_again(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody left and came back: the version is the one of before."""
    door = elsewhere()
    open_without_waiting(door.services)
    before = version(door)
    with GalleryWatch(door.services, poll_s=0.02):
        office.deactivate_employee("E1")
        wait_until(lambda: version(door) == version(office))
        office.activate_employee("E1")
        wait_until(lambda: version(door) == before)
    assert start_without_database(door, monkeypatch).gallery.version == before


def test_killed_between_the_file_and_its_note_the_next_round_makes_up_for_it(
    office: SmartAbsen, elsewhere: OpenElsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is the model in force already: nothing else is to be written."""
    door = elsewhere()
    open_without_waiting(door.services)
    door.services.punch_queue.note_fact("gallery", "another one")
    with GalleryWatch(door.services, poll_s=0.02):
        wait_until(lambda: (door.services.punch_queue.find_fact("gallery") or "").startswith(version(door)))
    assert start_without_database(door, monkeypatch).gallery.version == version(office)
