"""Live people and what a hung camera gives, drawn up from a seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import Face, ImageBGR, LandmarkScheme
from smartabsen.recognition.liveness.freshness import (
    PROVING_S,
    STILL_S,
    Freshness,
    FreshnessWatch,
    SeenFrame,
    pack,
    unpack,
)

SIZE_WH = (160, 120)
BOX = (50.0, 25.0, 110.0, 100.0)
FPS = 10.0
LOOP_S = 3.0
UNEVEN_FPS = [6.0, 8.0, 12.0]
LIVE = [(0.75, 0.0), (0.75, 3.0), (2.0, 1.5), (5.0, 3.0)]
"""Sway in pixels, noise in grey levels."""


def scene(seed: int = 1) -> ImageBGR:
    """Something with the contrast and the softness of a face."""
    rough = np.random.default_rng(seed).integers(0, 255, (SIZE_WH[1], SIZE_WH[0], 3), dtype=np.uint8)
    soft = cv2.GaussianBlur(rough, (0, 0), 3)
    return cv2.normalize(soft, None, 20, 230, cv2.NORM_MINMAX).astype(np.uint8)


class Camera:
    """Shows a scene that sways as heads do, with the noise of a sensor and a running clock.

    Heads sway sideways, up and down, towards the camera, and tilt: a place comes back, a pose hardly does.
    """

    def __init__(self, *, sway_px: float = 2.0, noise: float = 1.5, clock: bool = True, seed: int = 5) -> None:
        self._random = np.random.default_rng(seed)
        self._scene = scene()
        self._noise, self._clock = noise, clock
        self._count = 0
        self._turns = self._random.uniform(0.1, 0.8, (6, 4)), self._random.uniform(0.0, 1.0, (6, 4))
        self._sway_px = sway_px

    def frame(self, at_s: float) -> ImageBGR:
        speeds, starts = self._turns
        x, y, nearer, tilt = self._sway_px * np.sin(2 * np.pi * (at_s * speeds + starts)).sum(axis=0) / 6**0.5
        # A pixel of either is one at the edge of the face.
        return self.shown(x, y, scale=1.0 + nearer / 40.0, tilt=tilt / 40.0)

    def shown(self, x: float, y: float, *, scale: float = 1.0, tilt: float = 0.0) -> ImageBGR:
        shift = cv2.getRotationMatrix2D((80.0, 62.0), np.degrees(tilt), scale)
        shift[:, 2] += x, y
        image = cv2.warpAffine(self._scene, shift, SIZE_WH, borderMode=cv2.BORDER_REFLECT)
        if self._noise:
            image = cv2.add(image, self._random.normal(0.0, self._noise, image.shape), dtype=cv2.CV_8U)
        if self._clock:
            self._count += 1
            text = f"08:{self._count // 60:02d}:{self._count % 60:02d}"
            cv2.putText(image, text, (50, 98), cv2.FONT_HERSHEY_PLAIN, 0.8, (255, 255, 255), 1)
        return np.asarray(image, dtype=np.uint8)


def uneven(fps: float, lasting_s: float, *, seed: int = 3) -> list[float]:
    """Return times of frames as a busy machine takes them."""
    gaps_s = np.random.default_rng(seed).gamma(3.0, 1.0 / fps / 3.0, int(2 * lasting_s * fps))
    times_s = np.cumsum(np.maximum(gaps_s, 0.02))
    return [float(at_s) for at_s in times_s[times_s <= lasting_s]]


def watch(
    images: Iterable[ImageBGR],
    *,
    kept: tuple[SeenFrame, ...] = (),
    proving_s: float = PROVING_S,
    times_s: Sequence[float] | None = None,
):
    """Return what is known after each frame, and the watch; frames are even where no times are given."""
    guard = FreshnessWatch(kept=kept, proving_s=proving_s)
    random = np.random.default_rng(9)
    known = []
    for number, image in enumerate(images):
        box = tuple(edge + random.normal(0.0, 0.4) for edge in BOX)
        face = Face(box, 1.0, np.zeros((5, 2), np.float32), LandmarkScheme.ARCFACE5)  # type: ignore[arg-type]
        at_s = number / FPS if times_s is None else times_s[number]
        guard.add(image, {1: face}, frozenset({1}), 50.0 + at_s)
        known.append(guard.judge(1))
    return known, guard


def taken(camera: Camera, times_s: Iterable[float]) -> Iterable[ImageBGR]:
    return (camera.frame(at_s) for at_s in times_s)


def even(count: int) -> list[float]:
    return [number / FPS for number in range(count)]


@pytest.mark.parametrize("fps", [8.0, 12.0])
@pytest.mark.parametrize(("sway_px", "noise"), LIVE)
def test_somebody_alive_is_fresh_when_the_camera_was_watched_for_a_while(
    sway_px: float, noise: float, fps: float
) -> None:
    """Also one who stands still: heads sway by some pixels. From 8 uneven frames a second on it takes five seconds."""
    times_s = uneven(fps, 9.0)
    known, _ = watch(taken(Camera(sway_px=sway_px, noise=noise), times_s), times_s=times_s)
    at_s = np.array(times_s) - times_s[0]
    assert {each for each, when in zip(known, at_s, strict=True) if when < PROVING_S - 0.01} == {Freshness.UNKNOWN}
    assert {each for each, when in zip(known, at_s, strict=True) if when > PROVING_S + 0.5} == {Freshness.FRESH}


def test_fewer_frames_take_longer_and_too_few_prove_nothing() -> None:
    """Frames that lie far apart hide what happens between them; somebody is told why nobody is recorded."""
    slow_s, slower_s = uneven(4.0, 14.0), uneven(1.5, 60.0)
    known, guard = watch(taken(Camera(), slow_s), times_s=slow_s)
    fresh_s = slow_s[known.index(Freshness.FRESH)] - slow_s[0]
    assert 1.3 * PROVING_S < fresh_s < 2.4 * PROVING_S
    assert not guard.lacks_frames
    known, guard = watch(taken(Camera(), slower_s), times_s=slower_s)
    assert Freshness.FRESH not in known and Freshness.REPLAYED not in known
    assert guard.lacks_frames


def test_once_the_camera_is_known_somebody_alive_is_fresh_within_a_second() -> None:
    """Nobody waits at a kiosk that has run for a while."""
    known, _ = watch(taken(Camera(), even(10)), proving_s=0.0)
    assert known[-1] is Freshness.FRESH


def test_a_camera_that_was_away_proves_itself_anew() -> None:
    """What comes after a broken connection may be kept pictures."""
    times_s = [*even(80), *(at_s + 15.0 for at_s in even(30))]
    known, _ = watch(taken(Camera(), times_s), times_s=times_s)
    assert known[79] is Freshness.FRESH
    assert set(known[80:]) == {Freshness.UNKNOWN}


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("clock", [True, False])
def test_a_still_picture_is_never_fresh(noise: float, clock: bool) -> None:
    """Not with new noise in each frame, nor with a clock that runs over the face."""
    known, _ = watch(taken(Camera(noise=noise, clock=clock), [0.0] * 70), proving_s=0.0)
    assert Freshness.FRESH not in known
    # A clock in the same place again, without any noise, is the same frame again.
    told = {known[int(STILL_S * FPS) + 1], known[-1]}
    assert told == {Freshness.STILL} or (not noise and Freshness.REPLAYED in told and Freshness.UNKNOWN not in told)


@pytest.mark.parametrize(("sway_px", "noise"), LIVE)
@pytest.mark.parametrize("fps", UNEVEN_FPS)
@pytest.mark.parametrize("seed", [3, 4])
def test_a_loop_of_three_seconds_is_never_fresh(noise: float, sway_px: float, fps: float, seed: int) -> None:
    """Not where each round has other noise, another time on its clock, and other frames of the film, unevenly."""
    camera = Camera(noise=noise, sway_px=sway_px)
    times_s = uneven(fps, 15.0, seed=seed)
    # The camera's own frames come 12 a second: a round shows the very same ones, as far as they are taken.
    known, _ = watch(taken(camera, (int(at_s % LOOP_S * 12) / 12 for at_s in times_s)), times_s=times_s)
    assert Freshness.FRESH not in known
    assert known[-1] is Freshness.REPLAYED


@pytest.mark.parametrize(("first_fps", "fps"), [(4.0, 12.0), (12.0, 5.0), *((fps, fps) for fps in UNEVEN_FPS)])
def test_a_film_that_was_seen_before_a_restart_is_known_through_its_whole_length(first_fps: float, fps: float) -> None:
    """However long it is, wherever it begins; what the same camera shows next is new.

    Where few frames of the first run were seen, less is known to be new, so that is asked at equal rates only.
    """
    first_s = uneven(first_fps, 20.0, seed=6)
    _, before = watch(taken(Camera(), first_s), times_s=first_s)
    kept = unpack(pack(before.worth_keeping))
    again_s, later_s = [at_s for at_s in uneven(fps, 20.0, seed=7) if at_s > 1.5], uneven(fps, 12.0, seed=8)
    again, _ = watch(taken(Camera(), again_s), kept=kept, times_s=again_s)
    assert Freshness.FRESH not in again and again[-1] is Freshness.REPLAYED
    if first_fps == fps:
        later, _ = watch(taken(Camera(seed=8), later_s), kept=kept, times_s=later_s)
        assert later[-1] is Freshness.FRESH and Freshness.REPLAYED not in later


def test_a_photo_that_is_pushed_to_and_fro_proves_nothing() -> None:
    """All that it does was seen before, though in another order."""
    times_s = uneven(10.0, 15.0)
    camera = Camera()
    pushed = (camera.shown(float(np.round(2 * np.sin(2 * np.pi * at_s / 4.4))), 0.0) for at_s in times_s)
    known, _ = watch(pushed, times_s=times_s)
    assert Freshness.FRESH not in known


def test_the_very_same_pixels_come_back_only_from_a_film() -> None:
    """One frame is enough; a camera that gives its last frame twice is none."""
    camera = Camera()
    images = list(taken(camera, even(30)))
    twice, _ = watch([image for image in images for _ in range(2)], proving_s=0.0)
    assert Freshness.REPLAYED not in twice
    known, _ = watch([*images, images[3]], proving_s=0.0)
    assert (known[-2], known[-1]) == (Freshness.FRESH, Freshness.REPLAYED)


def test_a_repetition_is_believed_again_after_as_much_that_is_new_as_at_a_start() -> None:
    """A few seconds without a sign are not enough where nothing new came."""
    camera = Camera()
    images = list(taken(camera, even(30)))
    new = list(taken(camera, (20.0 + at_s for at_s in even(80))))
    nobody_s = [number / FPS + (30.0 if number > 30 else 0.0) for number in range(len(images) + 1 + len(new))]
    known, _ = watch([*images, images[3], *new], times_s=nobody_s, proving_s=0.0)
    first = known.index(Freshness.FRESH, 31)
    assert set(known[30:first]) == {Freshness.REPLAYED}
    assert nobody_s[first] - nobody_s[31] >= PROVING_S - 0.2


def test_what_is_kept_is_no_picture_of_anybody() -> None:
    """Five waves in each of 48 parts of a frame, some hundred bytes; damaged bytes are no frames."""
    _, guard = watch(taken(Camera(), even(10)))
    data = pack(guard.worth_keeping)
    assert len(data) == 10 * (8 + 16 + 2 * 5 * 48)
    assert unpack(data[:-1]) == () and unpack(b"") == ()
    assert unpack(b"\xff" * len(data)) == ()


def test_faces_at_the_edge_and_of_no_size_are_no_trouble() -> None:
    """Detectors give boxes that lie outside, or have no pixel."""
    guard = FreshnessWatch()
    boxes = [(-50.0, -50.0, -10.0, -10.0), (150.0, 110.0, 900.0, 900.0), (10.0, 10.0, 10.0, 10.0)]
    faces = {
        number: Face(box, 1.0, np.zeros((5, 2), np.float32), LandmarkScheme.ARCFACE5)
        for number, box in enumerate(boxes)
    }
    for moment in range(30):
        guard.add(Camera().frame(moment / FPS), faces, frozenset(faces), moment / FPS)
    assert {guard.judge(number) for number in faces} <= set(Freshness)
