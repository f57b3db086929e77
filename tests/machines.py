"""Machines that share a database, each with a home of its own, on both kinds of database."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from smartabsen import KioskEvent, KioskEventKind, SmartAbsen
from smartabsen.camera.fake import FakeSource
from smartabsen.gallery import model_rows
from smartabsen.gallery.model_file import load_model

from .installation import Draw, enrol, outcomes, picture

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
        return model_rows.find_version(session)


def known(app: SmartAbsen, draw: Draw, *people: int) -> list[str | None]:
    return [faces[0][1] for faces in outcomes(app, *(draw(f"probes/{person}.png", person) for person in people))]


def office_flags(app: SmartAbsen) -> dict[str, object]:
    return {
        "home": str(app.settings.home),
        "engine": "fake",
        "recognition.matcher": "exact",
        "database_url": app.settings.database_url,
    }


def wait_until(reached: Callable[[], bool], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def moving(person: int) -> Iterator[np.ndarray]:
    """Somebody who moves, for ever and never in the same way: a still picture or a film records nobody."""
    random = np.random.default_rng(7)
    place = 0
    for count in itertools.count():
        place = int(np.clip(place + random.integers(-4, 5), -40, 40))
        image = np.roll(picture(person), place, axis=1)
        image[0, 0] = count % 251, count // 251 % 251, 0
        yield image


def run_kiosk(app: SmartAbsen, tmp_path: Path, *, until: Callable[[KioskEvent], bool], then: Callable[[], None]):
    """Run a kiosk before person 1, do something when it has greeted once, and end when an event is as wanted."""
    camera = FakeSource(moving(1), live=True, period_s=0.05)
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
