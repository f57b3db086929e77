"""Photos of one person that hang together with none of the others."""

from __future__ import annotations

import numpy as np
import pytest

from smartabsen.recognition.mixture import find_odd_ones

THRESHOLD = 0.5


def photos(*degrees: float) -> np.ndarray:
    """Embeddings on a half circle: two of them are similar when they are less than 60 degrees apart."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def odd(*degrees: float, settled: int = 0) -> list[bool]:
    found = find_odd_ones(photos(*degrees), threshold=THRESHOLD, settled=settled)
    return [each is not None for each in found]


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        ((0,), [False]),
        ((0, 10, 20), [False, False, False]),
        ((150, 0, 10), [True, False, False]),
        ((0, 10, 150, 160), [False, False, True, True]),
        ((0, 150), [False, True]),
    ],
)
def test_the_person_is_who_most_photos_show(degrees: tuple[float, ...], expected: list[bool]) -> None:
    """Where two groups are of one size, the earlier photo is the person's."""
    assert odd(*degrees) == expected


def test_a_chain_of_photos_is_one_person() -> None:
    """The ends of it are not alike, and each link is: somebody who turns."""
    assert odd(0, 50, 100, 150) == [False] * 4


def test_more_new_photos_do_not_outvote_the_ones_that_are_there() -> None:
    """One photo is enrolled, two of somebody else come: those two are told."""
    assert odd(0, 150, 160, settled=1) == [False, True, True]


def test_the_cosine_to_the_nearest_of_the_others_is_told() -> None:
    """It says by how much the threshold was missed."""
    found = find_odd_ones(photos(0, 10, 90), threshold=THRESHOLD)
    assert found[2] == pytest.approx(np.cos(np.radians(80)), abs=1e-6)


def test_no_photo_has_no_answer() -> None:
    """A person without photos."""
    assert find_odd_ones(np.empty((0, 2), dtype=np.float32), threshold=THRESHOLD) == []
