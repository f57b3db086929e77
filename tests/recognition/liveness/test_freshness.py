"""Live people and what a hung camera gives, drawn up from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest

from smartabsen.domain import Face, ImageBGR, LandmarkScheme
from smartabsen.recognition.liveness.freshness import (
    PROVING_S,
    STANDS_S,
    STILL_S,
    Freshness,
    FreshnessWatch,
    SeenFrame,
    pack,
    unpack,
)

SIZE_WH = (320, 240)
BOX = (100.0, 50.0, 220.0, 200.0)
FPS = 10.0
LOOP = 30
"""Frames of three seconds."""


def scene(seed: int = 1) -> ImageBGR:
    """Something with the contrast and the softness of a face."""
    rough = np.random.default_rng(seed).integers(0, 255, (SIZE_WH[1], SIZE_WH[0], 3), dtype=np.uint8)
    soft = cv2.GaussianBlur(rough, (0, 0), 6)
    return cv2.normalize(soft, None, 20, 230, cv2.NORM_MINMAX).astype(np.uint8)


class Camera:
    """Shows a scene that sways by some pixels, with the noise of a sensor and a running clock, encoded as JPEG."""

    def __init__(self, *, sway_px: float = 4.0, noise: float = 3.0, clock: bool = True, seed: int = 5) -> None:
        self._random = np.random.default_rng(seed)
        self._scene = scene()
        self._noise, self._clock = noise, clock
        self._count = 0
        turns = self._random.uniform(0.1, 0.8, (6, 2)), self._random.uniform(0.0, 1.0, (6, 2))
        times = np.arange(400)[:, None, None] / FPS
        self._path = sway_px * np.sin(2 * np.pi * (times * turns[0] + turns[1])).sum(axis=1) / 6**0.5

    def frame(self, moment: int) -> ImageBGR:
        x, y = self._path[moment]
        shift = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
        image = cv2.warpAffine(self._scene, shift, SIZE_WH, borderMode=cv2.BORDER_REFLECT)
        if self._noise:
            image = np.clip(image + self._random.normal(0.0, self._noise, image.shape), 0, 255).astype(np.uint8)
        if self._clock:
            self._count += 1
            text = f"08:{self._count // 60:02d}:{self._count % 60:02d}"
            cv2.putText(image, text, (105, 195), cv2.FONT_HERSHEY_PLAIN, 1.5, (255, 255, 255), 2)
        return cv2.imdecode(cv2.imencode(".jpg", image)[1], cv2.IMREAD_COLOR).astype(np.uint8)


def watch(images: Iterable[ImageBGR], *, kept: tuple[SeenFrame, ...] = (), proving_s: float = PROVING_S):
    """Return what is known after each frame, and the watch."""
    guard = FreshnessWatch(kept=kept, proving_s=proving_s)
    random = np.random.default_rng(9)
    known = []
    for number, image in enumerate(images):
        box = tuple(edge + random.normal(0.0, 0.7) for edge in BOX)
        face = Face(box, 1.0, np.zeros((5, 2), np.float32), LandmarkScheme.ARCFACE5)  # type: ignore[arg-type]
        guard.add(image, {1: face}, frozenset({1}), 50.0 + number / FPS)
        known.append(guard.judge(1))
    return known, guard


def taken(camera: Camera, moments: Iterable[int]) -> Iterable[ImageBGR]:
    return (camera.frame(moment) for moment in moments)


@pytest.mark.parametrize("sway_px", [1.5, 4.0, 10.0])
@pytest.mark.parametrize("noise", [0.0, 2.0, 6.0])
def test_somebody_alive_is_fresh_when_the_camera_was_watched_for_a_while(sway_px: float, noise: float) -> None:
    """Also one who stands still: heads sway by some pixels."""
    known, _ = watch(taken(Camera(sway_px=sway_px, noise=noise), range(100)))
    assert set(known[: int(PROVING_S * FPS)]) == {Freshness.UNKNOWN}
    assert set(known[int(PROVING_S * FPS) + 1 :]) == {Freshness.FRESH}


def test_once_the_camera_is_known_somebody_alive_is_fresh_within_a_second() -> None:
    """Nobody waits at a kiosk that has run for a while."""
    known, _ = watch(taken(Camera(), range(10)), proving_s=0.0)
    assert known[-1] is Freshness.FRESH


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0, 8.0, 15.0])
@pytest.mark.parametrize("clock", [True, False])
def test_a_still_picture_is_never_fresh(noise: float, clock: bool) -> None:
    """Not with new noise in each frame, nor with a clock that runs over the face."""
    known, _ = watch(taken(Camera(noise=noise, clock=clock), [0] * 100), proving_s=0.0)
    assert Freshness.FRESH not in known
    assert known[int(STILL_S * FPS) + 1] is known[-1] is Freshness.STILL


@pytest.mark.parametrize("noise", [0.0, 2.0, 6.0])
@pytest.mark.parametrize("sway_px", [3.0, 10.0])
@pytest.mark.parametrize("skip", [lambda n: n, lambda n: n + n % 2], ids=["each", "unevenly"])
def test_a_loop_of_three_seconds_is_never_fresh(noise: float, sway_px: float, skip: Callable[[int], int]) -> None:
    """Not where each round has other noise, another time on its clock, and other frames of the film."""
    camera = Camera(noise=noise, sway_px=sway_px)
    known, _ = watch(taken(camera, (skip(number) % LOOP for number in range(120))))
    assert Freshness.FRESH not in known
    assert known[-1] is Freshness.REPLAYED


def test_a_film_that_was_seen_before_a_restart_is_known() -> None:
    """However long it is; what the same camera shows next is new."""
    _, before = watch(taken(Camera(), range(150)))
    kept = unpack(pack(before.worth_keeping))
    again, _ = watch(taken(Camera(seed=5), range(20, 100)), kept=kept, proving_s=2.0)
    later, _ = watch(taken(Camera(), range(160, 240)), kept=kept, proving_s=2.0)
    assert Freshness.FRESH not in again and again[-1] is Freshness.REPLAYED
    assert later[-1] is Freshness.FRESH and Freshness.REPLAYED not in later


def test_the_very_same_pixels_come_back_only_from_a_film() -> None:
    """One frame is enough; a camera that gives its last frame twice is none."""
    camera = Camera()
    images = list(taken(camera, range(30)))
    twice, _ = watch([image for image in images for _ in range(2)], proving_s=0.0)
    assert Freshness.REPLAYED not in twice
    known, guard = watch([*images, images[3]], proving_s=0.0)
    assert (known[-2], known[-1]) == (Freshness.FRESH, Freshness.REPLAYED)
    face = Face(BOX, 1.0, np.zeros((5, 2), np.float32), LandmarkScheme.ARCFACE5)
    guard.add(camera.frame(200), {1: face}, frozenset({1}), 50.0 + 3.1 + STANDS_S)
    assert guard.judge(1) is Freshness.FRESH


def test_what_is_kept_is_no_picture_of_anybody() -> None:
    """Five waves in each of 48 parts of a frame, some hundred bytes; damaged bytes are no frames."""
    _, guard = watch(taken(Camera(), range(10)))
    data = pack(guard.worth_keeping)
    assert len(data) == 10 * (8 + 16 + 2 * 5 * 48)
    assert unpack(data[:-1]) == () and unpack(b"") == ()
    assert unpack(b"\xff" * len(data)) == ()


def test_faces_at_the_edge_and_of_no_size_are_no_trouble() -> None:
    """Detectors give boxes that lie outside, or have no pixel."""
    guard = FreshnessWatch()
    boxes = [(-50.0, -50.0, -10.0, -10.0), (310.0, 230.0, 900.0, 900.0), (10.0, 10.0, 10.0, 10.0)]
    faces = {
        number: Face(box, 1.0, np.zeros((5, 2), np.float32), LandmarkScheme.ARCFACE5)
        for number, box in enumerate(boxes)
    }
    for moment in range(30):
        guard.add(Camera().frame(moment), faces, frozenset(faces), moment / FPS)
    assert {guard.judge(number) for number in faces} <= set(Freshness)
