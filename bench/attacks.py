"""Rendered presentations: a photo of a face that is moved, turned and bent in front of a camera, and a head that turns.

Everything is a function of the photo, the movement and the seed. The camera is a pinhole of 640 x 480 pixels and some
55 degrees; the wall behind stays where it is; every frame gets sensor noise of its own. Lengths are in eye distances
(about 6.3 cm), angles in degrees.

The *head* is no person: it is the photo on the relief of a mean face (the 68 points of a mean shape that the
insightface wheel carries), turned about an axis inside the skull. It has the parallax of a real head, but no
expressions and no change of light, and shows the same pixels of skin at each angle. It is called synthetic wherever it
is counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from smartabsen.kernel.domain import Face, ImageBGR

WIDTH, HEIGHT, FOCAL = 640, 480, 610.0
DISTANCE: Final = 8.0
"""Half a metre."""
NOISE: Final = 1.6
"""Standard deviation of the sensor noise in grey levels."""

Array = NDArray[np.float64]
Surface = Callable[[Array, Array], Array]
"""From places on the photo (right and down, origin between the eyes) to places in space, (..., 3); z towards the camera
is negative."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the photo is at one instant.

    Attributes:
        yaw, pitch, roll: Turn about the vertical, the horizontal and the line of sight; degrees. Positive yaw turns
            towards the right of the image, positive pitch upwards.
        x, y: Shift to the right and down.
        distance: From the camera.
        bend: 1 / radius of a cylinder for surfaces that are bent while they move; None for others.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    distance: float = DISTANCE
    bend: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """A photo with its face.

    Attributes:
        image_bgr: uint8 (H, W, 3).
        eyes_xy: Middle between the eyes in its pixels.
        eye_px: Distance of the eyes in its pixels.
        roll_deg: Tilt of the line between the eyes.
        mouth: How far the mouth is below the eyes, in eye distances.
        cut_out: Whether it is cut out along the head.
    """

    image_bgr: ImageBGR
    eyes_xy: tuple[float, float]
    eye_px: float
    roll_deg: float
    mouth: float
    cut_out: bool = False

    @classmethod
    def of(cls, image_bgr: ImageBGR, face: Face) -> Print:
        """Make one of a picture and the face that a detector with a mouth (ARCFACE5) found in it."""
        points = np.asarray(face.landmarks_xy, dtype=np.float64)
        across = points[1] - points[0]
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        eye_px = float(np.hypot(*across))
        return cls(
            image_bgr=image_bgr,
            eyes_xy=(float(eyes[0]), float(eyes[1])),
            eye_px=eye_px,
            roll_deg=math.degrees(math.atan2(across[1], across[0])),
            mouth=float(np.hypot(*(mouth - eyes))) / eye_px,
        )

    def look_up(self, right: Array, down: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the pixels of the photo at places on it."""
        angle = math.radians(self.roll_deg)
        x = self.eyes_xy[0] + self.eye_px * (right * math.cos(angle) - down * math.sin(angle))
        y = self.eyes_xy[1] + self.eye_px * (right * math.sin(angle) + down * math.cos(angle))
        return x.astype(np.float32), y.astype(np.float32)


def flat(right: Array, down: Array) -> Array:
    """A plane."""
    return np.stack([right, down, np.zeros_like(right)], axis=-1)


def bent(curvature: float, *, upright: bool) -> Surface:
    """A cylinder that bulges towards the camera; its axis is upright, or level.

    Args:
        curvature: 1 / radius, in 1 / eye distance: 0.5 is a radius of some 13 cm. Negative: hollow.
    """

    def place(right: Array, down: Array) -> Array:
        if abs(curvature) < 1e-9:
            return flat(right, down)
        along = np.clip((right if upright else down - 0.5) * curvature, -1.35, 1.35)
        arc, depth = np.sin(along) / curvature, (1.0 - np.cos(along)) / curvature
        return np.stack([arc, down, depth] if upright else [right, arc + 0.5, depth], axis=-1)

    return place


def folded(slope: float) -> Surface:
    """A sheet with a sharp fold along the nose."""

    def place(right: Array, down: Array) -> Array:
        cosine = 1.0 / math.sqrt(1.0 + slope**2)
        return np.stack([right * cosine, down, np.abs(right) * slope * cosine], axis=-1)

    return place


def head(mouth: float) -> Surface:
    """The relief of a mean face; see the module. ``mouth``: how far it is below the eyes on the photo."""
    grid = _relief()

    def place(right: Array, down: Array) -> Array:
        stretched = down * (_MEAN_MOUTH / mouth)
        column = (np.clip(right, -1.9, 1.9) + 2.0) * _STEPS
        row = (np.clip(stretched, -1.9, 2.9) + 2.0) * _STEPS
        height = cv2.remap(grid, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR)
        return np.stack([right, down, -height.astype(np.float64).reshape(right.shape)], axis=-1)

    return place


_STEPS: Final = 24
_MEAN_MOUTH: Final = 1.04


@lru_cache(maxsize=1)
def _relief() -> NDArray[np.float32]:
    """Height of the mean face over the plane through the eyes, in eye distances, from (-2, -2) to (2, 3)."""
    from insightface.data import get_object

    shape = np.asarray(get_object("meanshape_68.pkl"), dtype=np.float64)
    eyes = np.stack([shape[36:42].mean(axis=0), shape[42:48].mean(axis=0)])
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    points = (shape - eyes.mean(axis=0)) / distance
    # The skull above the brows and the sides of the head, for which the shape has no points.
    rim = [
        (1.3 * math.cos(angle), 0.35 + 1.75 * math.sin(angle), -0.9 if math.sin(angle) < -0.5 else -1.0)
        for angle in np.linspace(math.pi * 1.05, math.pi * 1.95, 9)
    ]
    forehead = [(x, -0.75, 0.12 - 0.35 * x * x) for x in (-0.7, -0.35, 0.0, 0.35, 0.7)]
    points = np.concatenate([points, np.array(rim), np.array(forehead)])
    size = np.linspace(-2.0, 3.0, 5 * _STEPS + 1)
    right, down = np.meshgrid(size[: 4 * _STEPS + 1], size)
    height = _thin_plate(points[:, :2], points[:, 2], np.stack([right.ravel(), down.ravel()], axis=1))
    smooth = cv2.GaussianBlur(np.clip(height, -1.2, 0.7).reshape(right.shape).astype(np.float32), (0, 0), 1.5)
    return np.asarray(smooth, dtype=np.float32)


def _thin_plate(known_xy: Array, values: Array, wanted_xy: Array, *, stiffness: float = 1e-3) -> Array:
    """Interpolate by a thin-plate spline (Duchon, 1977), slightly smoothed."""

    def kernel(first: Array, second: Array) -> Array:
        squared = ((first[:, None] - second[None]) ** 2).sum(axis=-1)
        return 0.5 * squared * np.log(squared + 1e-12)

    count = len(known_xy)
    plane = np.concatenate([np.ones((count, 1)), known_xy], axis=1)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = kernel(known_xy, known_xy) + stiffness * np.eye(count)
    system[:count, count:], system[count:, :count] = plane, plane.T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros(3)]))
    around = np.concatenate([np.ones((len(wanted_xy), 1)), wanted_xy], axis=1)
    result: Array = kernel(wanted_xy, known_xy) @ weights[:count] + around @ weights[count:]
    return result


def render(printed: Print, surface: Surface, pose: Pose, *, pivot: float = 0.0, seed: int = 0) -> ImageBGR:
    """Return one frame.

    Args:
        surface: The shape that the photo has.
        pose: Where it is.
        pivot: How far behind the photo the axis is about which it turns.
        seed: Of the sensor noise.
    """
    turn = _rotation(pose)
    offset = np.array([pose.x, pose.y, pose.distance + pivot])

    def project(right: Array, down: Array) -> Array:
        space = (surface(right, down) - [0.0, 0.5, pivot]) @ turn.T + offset
        return space[..., :2] / np.maximum(space[..., 2:], 0.5) * FOCAL + [WIDTH / 2, HEIGHT / 2]

    reach = 1.9 * FOCAL / pose.distance
    middle = project(np.zeros(1), np.full(1, 0.5))[0]
    left, top = max(0, int(middle[0] - 1.15 * reach)), max(0, int(middle[1] - 1.35 * reach))
    right, bottom = min(WIDTH, int(middle[0] + 1.15 * reach)), min(HEIGHT, int(middle[1] + 1.35 * reach))
    frame = _wall().copy()
    if right - left > 8 and bottom - top > 8:
        # Every third pixel is enough: what lies between changes evenly.
        size = (right - left, bottom - top)
        columns, rows = np.meshgrid(
            *(np.linspace(a, b - 1, 2 + (b - a) // 3) for a, b in ((left, right), (top, bottom)))
        )
        found = np.stack(_invert(project, columns, rows, pose.distance), axis=-1)
        across, down = np.moveaxis(_enlarge(found, size), -1, 0)
        x, y = printed.look_up(across, down)
        picture = cv2.remap(printed.image_bgr, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cover = _cover(across, down, printed.cut_out)[..., None]
        part = frame[top:bottom, left:right]
        part[:] = part * (1.0 - cover) + picture * cover
    noise = np.random.default_rng(seed).normal(0.0, NOISE, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def _enlarge(found: Array, size: tuple[int, int]) -> Array:
    """Return a grid of ``size`` (width, height) whose corners are those of the small one."""
    height, width = found.shape[:2]
    columns, rows = np.meshgrid(np.linspace(0, width - 1, size[0]), np.linspace(0, height - 1, size[1]))
    return np.asarray(cv2.remap(found, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR))


def _invert(project: Callable[[Array, Array], Array], x: Array, y: Array, distance: float) -> tuple[Array, Array]:
    """Return the places on the photo that lie behind pixels, by Newton's method."""
    across = (x - WIDTH / 2) * distance / FOCAL
    down = (y - HEIGHT / 2) * distance / FOCAL + 0.5
    step = 0.02
    for _ in range(9):
        here = project(across, down)
        by_right = (project(across + step, down) - here) / step
        by_down = (project(across, down + step) - here) / step
        miss_x, miss_y = x - here[..., 0], y - here[..., 1]
        determinant = by_right[..., 0] * by_down[..., 1] - by_right[..., 1] * by_down[..., 0]
        determinant = np.where(np.abs(determinant) < 1.0, np.inf, determinant)
        change = (miss_x * by_down[..., 1] - miss_y * by_down[..., 0]) / determinant
        across = across + np.clip(change, -0.5, 0.5)
        change = (by_right[..., 0] * miss_y - by_right[..., 1] * miss_x) / determinant
        down = down + np.clip(change, -0.5, 0.5)
    missed = np.hypot(*np.moveaxis(project(across, down) - np.stack([x, y], axis=-1), -1, 0)) > 2.0
    return np.where(missed, 99.0, across), np.where(missed, 99.0, down)


def _cover(right: Array, down: Array, cut_out: bool) -> Array:
    if cut_out:
        outside = np.hypot(right / 1.3, (down - 0.4) / 1.8) - 1.0
    else:
        outside = np.maximum(np.abs(right) / 1.75, np.abs(down - 0.45) / 2.1) - 1.0
    return np.clip(-outside * 25.0, 0.0, 1.0)


@lru_cache(maxsize=1)
def _wall() -> NDArray[np.float64]:
    """A wall with soft stains, uneven light and a shelf."""
    rng = np.random.default_rng(7)
    stains = cv2.GaussianBlur(rng.normal(0.0, 1.0, (HEIGHT, WIDTH)), (0, 0), 9.0)
    light = np.linspace(0.0, 25.0, WIDTH)[None] + np.linspace(12.0, 0.0, HEIGHT)[:, None]
    wall = 140.0 + light + 90.0 * stains
    wall[60:72, 30:210] -= 60.0
    wall[330:345, 470:620] += 45.0
    return np.repeat(wall[..., None], 3, axis=2) * np.array([0.94, 1.0, 1.03])


def _rotation(pose: Pose) -> Array:
    # A face that turns to the right of the image: what is near the camera (negative z) moves to the right.
    yaw, pitch, roll = (math.radians(angle) for angle in (-pose.yaw, pose.pitch, pose.roll))
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]])
    about_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1.0]])
    result: Array = about_z @ about_y @ about_x
    return result
