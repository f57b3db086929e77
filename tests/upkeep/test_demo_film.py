"""The demo's people and its camera."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from smartabsen.camera.sources import open_source
from smartabsen.kernel.errors import MissingDependencyError, ModelError
from smartabsen.upkeep import demo_film
from smartabsen.upkeep.demo_film import ENROLMENT, DemoMaterial, make_demo_material

NAMES = ["Ani", "Budi", "Citra", "Dewi", "Eko", "Fajar"]
# Faces of the group photo, in no order, with a false one that is smaller than all of them.
SIX = [(734, 365, 838, 470), (65, 284, 170, 389), (275, 179, 363, 267), (452, 300, 578, 425), (870, 67, 1000, 197)]
SIX += [(1114, 284, 1218, 389), (10, 10, 60, 60)]


ONE = {112: (10, 5, 88, 112), 512: (175, 76, 266, 167)}


def boxes_of(image: np.ndarray) -> Sequence[tuple[float, float, float, float]]:
    """Stands in for a detector: the photos are told apart by their width."""
    return SIX if image.shape[1] == 1280 else [ONE[image.shape[1]]]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> DemoMaterial:
    """What the demo works with, made once: tests only look at it."""
    return make_demo_material(tmp_path_factory.mktemp("demo"), boxes_of, NAMES, stranger="Orang lain")


def test_six_people_with_photos_and_a_film_with_a_stranger(material: DemoMaterial) -> None:
    """Every name has its photos; the film plays, and the stranger comes in the middle of it."""
    assert list(material.photos) == NAMES
    assert all(len(photos) == len(ENROLMENT) for photos in material.photos.values())
    assert [name for name in material.order if name != "Orang lain"] == NAMES
    assert 0 < material.order.index("Orang lain") < 6
    film = open_source(str(material.film))
    count = 0
    while film.read(1.0) is not None:
        count += 1
    assert count == material.frames
    assert count / material.fps < 30


def test_no_photo_of_the_enrolment_is_twice_there(material: DemoMaterial) -> None:
    """Enrolment refuses the same file a second time."""
    photos = [path.read_bytes() for paths in material.photos.values() for path in paths]
    assert len(set(photos)) == len(NAMES) * len(ENROLMENT)


def test_the_material_is_the_same_each_time(material: DemoMaterial, tmp_path: Path) -> None:
    """Two demos on one machine show the same."""
    make_demo_material(tmp_path, boxes_of, NAMES)
    first, second = (
        {path.name: path.read_bytes() for path in directory.iterdir()} for directory in (material.film.parent, tmp_path)
    )
    assert first == second


def test_a_detector_that_misses_people_is_told(tmp_path: Path) -> None:
    """Before anything is enrolled, with the counts."""
    with pytest.raises(ModelError, match="finds 5 of the 6 faces"):
        make_demo_material(tmp_path, lambda image: SIX[:5], NAMES)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setattr(demo_film, "find_spec", lambda package: None)
    with pytest.raises(MissingDependencyError) as caught:
        make_demo_material(tmp_path, boxes_of, NAMES)
    assert "pip install 'insightface'" in caught.value.hint


def test_the_packages_of_the_photos_are_not_imported() -> None:
    """Importing them takes seconds, and the demo has none to lose."""
    code = (
        "import sys\n"
        "from smartabsen.upkeep.demo_film import _portraits, _SIXTH_PHOTO\n"
        "_portraits(_SIXTH_PHOTO, lambda image: [(175, 76, 266, 167)], count=1)\n"
        "assert not {'skimage', 'insightface'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
