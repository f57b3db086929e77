"""An installation with the fake engine, and drawn photos of people who do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from smartabsen import Outcome, SmartAbsen
from smartabsen.recognition.detectors.fake import draw_face

Draw = Callable[..., Path]


def picture(*people: int, size_px: int = 160, shade: int = 90, **kwargs: Any) -> np.ndarray:
    """Return an image of drawn faces side by side."""
    image = np.full((240, 320 * max(1, len(people)), 3), shade, dtype=np.uint8)
    for place, person in enumerate(people):
        draw_face(image, person, centre_xy=(160 + 320 * place, 120), size_px=size_px, **kwargs)
    return image


def enrol(app: SmartAbsen, draw: Draw, person: int, *, photos: int = 3) -> None:
    """Enrol a drawn person as E<number>."""
    files = [draw(f"photos/{person}-{number}.png", person, size_px=130 + 12 * number) for number in range(photos)]
    report = app.enrol(f"Contoh {person}", files, code=f"E{person}")
    assert report.accepted == photos, report.verdicts


def outcomes(app: SmartAbsen, *images: Path) -> list[list[tuple[Outcome, str | None]]]:
    """Identify and return outcome and code of each face of each image."""
    return [
        [(face.outcome, face.employee.code if face.employee else None) for face in result.faces]
        for result in app.identify(images)
    ]


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def home(request: pytest.FixtureRequest, flags: dict[str, object]) -> dict[str, object]:
    """Settings of an installation on each kind of database."""
    if request.param == "mariadb":
        flags["database_url"] = request.getfixturevalue("mariadb_url")
    return flags


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Draw a photo: ``draw("a.png", 1)`` is person 1; each name gives other bytes."""

    def make(name: str, *people: int, **kwargs: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shade = 60 + sum(name.encode()) % 90
        cv2.imwrite(str(path), picture(*people, **{"shade": shade, **kwargs}))
        return path

    return make


@pytest.fixture
def flags(tmp_path: Path) -> dict[str, object]:
    """Settings of a small installation in a temporary home."""
    return {
        "home": str(tmp_path / "home"),
        "engine": "fake",
        "recognition.matcher": "exact",
        "kiosk.votes": 2,
        "kiosk.sound": "off",
    }


@pytest.fixture
def app(flags: dict[str, object]) -> Iterator[SmartAbsen]:
    """The facade on that installation."""
    with SmartAbsen.open(flags=flags) as opened:
        yield opened
