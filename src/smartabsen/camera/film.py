"""A synthetic camera: people of still pictures walk past, one after another, with movement, light and noise.

Everything is a function of the pictures and the seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from ..kernel.errors import StorageError
from ..kernel.i18n import N_
from .capture import quiet_cv2

if TYPE_CHECKING:
    from ..kernel.domain import BoxXYXY, FloatArray, ImageBGR

_WALL_BGR: Final = (172, 178, 182)
_FILM_QUALITY: Final = 30.0
"""On the scale of OpenCV's own encoder, where 30 gives about what 85 does for a JPEG file: some 45 KB a frame."""
_GRAIN_ROOM: Final = 64
_PAPER_BGR: Final = (240, 238, 236)
_PAPER_BORDER: Final = 0.08
"""White border of a print, as a part of its width."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture of one person, head and shoulders, and where the face is in it.

    Attributes:
        image_bgr: uint8 (H, W, 3).
        centre_xy: Centre of the face in pixels.
        face_px: Side of the face in pixels.
    """

    image_bgr: ImageBGR
    centre_xy: tuple[float, float]
    face_px: float


@dataclass(frozen=True, slots=True)
class Variation:
    """How one picture of a person differs from another one.

    Attributes:
        zoom: Factor of the size.
        rotation_deg: Turn about the centre, anticlockwise.
        shift_xy: Shift, as a share of width and height.
        brightness: Factor of all values.
        blur_px: Standard deviation of a Gaussian blur in pixels.
        noise: Standard deviation of added noise, in grey levels.
        jpeg_quality: Quality of a JPEG compression in between, 0..100.
    """

    zoom: float = 1.0
    rotation_deg: float = 0.0
    shift_xy: tuple[float, float] = (0.0, 0.0)
    brightness: float = 1.0
    blur_px: float = 0.0
    noise: float = 0.0
    jpeg_quality: int = 95


def crop_with_margin(image_bgr: ImageBGR, box_xyxy: BoxXYXY, *, face_px: float) -> Portrait:
    """Cut head and shoulders out of a picture, enlarged or reduced so that the face is ``face_px`` wide.

    Args:
        image_bgr: uint8 (H, W, 3).
        box_xyxy: The face. Detectors draw the box more or less tightly; the side of the square of the same area counts.
        face_px: Side of the face in the portrait.
    """
    cv2 = quiet_cv2()
    left, top, right, bottom = box_xyxy
    side = math.sqrt((right - left) * (bottom - top))
    scale = face_px / side
    width, height = round(2.3 * face_px), round(2.7 * face_px)
    centre = (width / 2.0, 0.44 * height)
    move = np.array(
        [
            [scale, 0.0, centre[0] - scale * (left + right) / 2.0],
            [0.0, scale, centre[1] - scale * (top + bottom) / 2.0],
        ]
    )
    way = cv2.INTER_LANCZOS4 if scale > 1.0 else cv2.INTER_AREA
    cut = cv2.warpAffine(image_bgr, move, (width, height), flags=way, borderMode=cv2.BORDER_REFLECT_101)
    return Portrait(image_bgr=cut, centre_xy=centre, face_px=face_px)


def vary(image_bgr: ImageBGR, variation: Variation, *, seed: int) -> ImageBGR:
    """Return another picture of the same scene, uint8.

    It is smaller than the first by what reduction, turn and shift would leave empty.
    """
    cv2 = quiet_cv2()
    height, width = image_bgr.shape[:2]
    turned = abs(math.sin(math.radians(variation.rotation_deg)))
    shrink = min(1.0, variation.zoom)
    left, up = variation.shift_xy
    size = (
        round(shrink * (width - turned * height) - 2.0 * abs(left) * width),
        round(shrink * (height - turned * width) - 2.0 * abs(up) * height),
    )
    move = cv2.getRotationMatrix2D((width / 2.0, height / 2.0), variation.rotation_deg, variation.zoom)
    move[:, 2] += ((size[0] - width) / 2.0 + left * width, (size[1] - height) / 2.0 + up * height)
    moved = cv2.warpAffine(image_bgr, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    if variation.blur_px > 0.0:
        moved = cv2.GaussianBlur(moved, (0, 0), variation.blur_px)
    grain = np.random.default_rng(seed).normal(0.0, variation.noise, (size[1], size[0], 1))
    seen = np.clip(moved * variation.brightness + grain, 0.0, 255.0).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, variation.jpeg_quality])
    return cast("ImageBGR", cv2.imdecode(packed, cv2.IMREAD_COLOR))


def walk_past(
    portraits: Sequence[Portrait],
    *,
    seed: int,
    size: tuple[int, int] = (640, 480),
    fps: float = 12.0,
    seconds_each: float = 2.0,
    seconds_between: float = 0.5,
) -> Iterator[ImageBGR]:
    """Yield the frames of a camera at which people arrive one after another.

    Each walks up (the face grows from a fifth to two fifths of the frame's height), bobs, sways and passes through
    changing light; before, between and after them nobody is there.

    Args:
        portraits: Who comes, in this order.
        seed: Paths, light and noise.
        size: Width and height of the frames.
        fps, seconds_each, seconds_between: Pace.
    """
    random = np.random.default_rng(seed)
    stage = _Stage(size, random)
    nobody = round(seconds_between * fps)
    for number, portrait in enumerate(portraits):
        yield from (stage.empty() for _ in range(nobody))
        walker = _Walker(portrait, stage=stage, from_left=number % 2 == 0, random=random)
        steps = max(2, round(seconds_each * fps))
        for step in range(steps):
            yield walker.frame(progress=step / (steps - 1), at_s=step / fps)
    yield from (stage.empty() for _ in range(nobody))


def hold_up(
    portrait: Portrait, *, seed: int, size: tuple[int, int] = (640, 480), fps: float = 12.0, seconds: float = 3.0
) -> Iterator[ImageBGR]:
    """Yield the frames of a camera to which a print of a portrait is held up: paper with a white border, a little
    shaky, brought nearer.

    Args:
        portrait: What is printed.
        seed: Light and noise.
        size: Width and height of the frames.
        fps, seconds: Pace and length.
    """
    cv2 = quiet_cv2()
    stage = _Stage(size, np.random.default_rng(seed))
    border = round(_PAPER_BORDER * portrait.image_bgr.shape[1])
    around = (border, border, border, border)
    paper = cv2.copyMakeBorder(portrait.image_bgr, *around, cv2.BORDER_CONSTANT, value=_PAPER_BGR)
    centre = (portrait.centre_xy[0] + border, portrait.centre_xy[1] + border)
    whole = np.ones(paper.shape[:2], np.float32)
    steps = max(2, round(seconds * fps))
    for step in range(steps):
        face_px = size[1] * (0.26 + 0.08 * step / (steps - 1))
        move = cv2.getRotationMatrix2D(centre, 2.5 * math.sin(step / 2.0), face_px / portrait.face_px)
        move[:, 2] += (size[0] / 2.0 - centre[0], 0.46 * size[1] - centre[1])
        print_bgr = cv2.warpAffine(paper, move, size, flags=cv2.INTER_AREA)
        mask = cv2.warpAffine(whole, move, size)
        scene = cv2.blendLinear(print_bgr, stage.wall, mask, 1.0 - mask)
        yield stage.film(cast("ImageBGR", scene), light=0.9, side_light=0.05)


def write_video(path: Path, frames: Iterable[ImageBGR], *, fps: float) -> int:
    """Write frames as Motion JPEG in an AVI file, which every OpenCV writes and reads without a codec of the system.

    Returns:
        The number of frames.

    Raises:
        StorageError: The file cannot be written.
    """
    cv2 = quiet_cv2()
    writer = None
    count = 0
    try:
        for image in frames:
            if writer is None:
                writer = cv2.VideoWriter(
                    str(path),
                    cv2.CAP_OPENCV_MJPEG,
                    cv2.VideoWriter_fourcc(*"MJPG"),
                    fps,
                    (image.shape[1], image.shape[0]),
                )
                if not writer.isOpened():
                    raise StorageError(
                        N_("The video “{path}” cannot be written."),
                        hint=N_("Check that the folder exists and the disk has room."),
                        path=path,
                    )
                writer.set(cv2.VIDEOWRITER_PROP_QUALITY, _FILM_QUALITY)
            writer.write(image)
            count += 1
    finally:
        if writer is not None:
            writer.release()
    return count


class _Stage:
    """A plain wall, and the camera that looks at it."""

    def __init__(self, size: tuple[int, int], random: np.random.Generator) -> None:
        cv2 = quiet_cv2()
        width, height = size
        self.size = size
        self._random = random
        rough = random.normal(0.0, 4.0, (4, 5)).astype(np.float32)
        uneven = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC)[:, :, None]
        down = np.linspace(6.0, -16.0, height, dtype=np.float32)[:, None, None]
        wall = np.array(_WALL_BGR, np.float32) + uneven + down
        self.wall: ImageBGR = np.clip(wall, 0.0, 255.0).astype(np.uint8)
        # One field of grain, cut at another place for each frame: drawing it anew would take most of the time.
        # Neighbouring pixels of a real sensor share some of it.
        grain = random.standard_normal((height + _GRAIN_ROOM, width + _GRAIN_ROOM), dtype=np.float32)
        grain = cv2.GaussianBlur(grain, (0, 0), 0.7)
        self._grain = (grain / grain.std())[:, :, None]

    def empty(self) -> ImageBGR:
        """Return a frame with nobody in it."""
        return self.film(self.wall, light=self._random.uniform(0.88, 0.92), side_light=0.0)

    def film(self, scene: ImageBGR, *, light: float, side_light: float) -> ImageBGR:
        """Return the scene as the camera gives it: lit from a side, not quite in focus, with noise."""
        cv2 = quiet_cv2()
        width, height = self.size
        soft = cv2.GaussianBlur(scene, (0, 0), self._random.uniform(0.4, 0.8))
        across = np.linspace(light * (1.0 - side_light), light * (1.0 + side_light), width, dtype=np.float32)
        x, y = self._random.integers(0, _GRAIN_ROOM, 2)
        seen = soft * across[None, :, None]
        seen += self._grain[y : y + height, x : x + width] * np.float32(self._random.uniform(2.0, 4.0))
        return cast("ImageBGR", np.clip(seen, 0.0, 255.0, out=seen).astype(np.uint8))


class _Walker:
    """One person's way up to the camera."""

    def __init__(self, portrait: Portrait, *, stage: _Stage, from_left: bool, random: np.random.Generator) -> None:
        self._portrait = portrait
        self._stage = stage
        self._mask = _silhouette(portrait)
        self._from_x = (0.3 if from_left else 0.7) + random.uniform(-0.05, 0.05)
        self._to_x = 0.5 + random.uniform(-0.07, 0.07)
        self._sway_deg = random.uniform(3.0, 6.0)
        self._pace_hz = random.uniform(1.6, 2.1)
        self._phase = random.uniform(0.0, 2.0 * math.pi)
        self._light = (random.uniform(0.7, 0.82), random.uniform(0.98, 1.1))
        self._side_light = random.uniform(-0.18, 0.18)

    def frame(self, *, progress: float, at_s: float) -> ImageBGR:
        """Return the frame at this share of the way, ``at_s`` after its beginning."""
        cv2 = quiet_cv2()
        width, height = self._stage.size
        eased = progress * progress * (3.0 - 2.0 * progress)
        face_px = height * (0.2 + 0.22 * eased)
        step = 2.0 * math.pi * self._pace_hz * at_s + self._phase
        x = width * (self._from_x + (self._to_x - self._from_x) * eased) + 0.04 * face_px * math.sin(step / 2.0)
        # The portrait ends at the chest: it stands on the lower edge of the frame.
        below = (self._portrait.image_bgr.shape[0] - self._portrait.centre_xy[1]) / self._portrait.face_px
        y = height - (below - 0.25) * face_px + 0.04 * face_px * abs(math.sin(step))
        move = cv2.getRotationMatrix2D(
            self._portrait.centre_xy, self._sway_deg * math.sin(step / 2.0), face_px / self._portrait.face_px
        )
        move[:, 2] += (x - self._portrait.centre_xy[0], y - self._portrait.centre_xy[1])
        return self._stage.film(
            self._before_wall(move),
            light=self._light[0] + (self._light[1] - self._light[0]) * progress,
            side_light=self._side_light,
        )

    def _before_wall(self, move: FloatArray) -> ImageBGR:
        cv2 = quiet_cv2()
        scene = self._stage.wall.copy()
        height, width = self._portrait.image_bgr.shape[:2]
        corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]) @ move.T
        left, top = np.clip(np.floor(corners.min(axis=0)), 0, self._stage.size).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, self._stage.size).astype(int)
        move = move - np.array([(0.0, 0.0, left), (0.0, 0.0, top)])
        size = (int(right - left), int(bottom - top))
        person = cv2.warpAffine(
            self._portrait.image_bgr, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
        mask = cv2.warpAffine(self._mask, move, size, flags=cv2.INTER_LINEAR)
        part = scene[top:bottom, left:right]
        part[:] = cv2.blendLinear(person, part, mask, 1.0 - mask)
        return scene


def _silhouette(portrait: Portrait) -> FloatArray:
    """Return float32 (H, W), 0..1: 1 over head and shoulders, soft at the edge."""
    cv2 = quiet_cv2()
    height, width = portrait.image_bgr.shape[:2]
    x, y = portrait.centre_xy
    face = portrait.face_px
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (round(x), round(y - 0.1 * face)), (round(0.72 * face), round(0.92 * face)), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (round(x), round(y + 1.75 * face)), (round(face), round(face)), 0, 0, 360, 255, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.08 * face).astype(np.float32) / 255.0
    # The sides of the picture must not show as lines.
    fade = np.clip(np.minimum(np.arange(width), np.arange(width)[::-1]) / (0.12 * face), 0.0, 1.0)
    return cast("FloatArray", (soft * fade).astype(np.float32))
