"""Films of presentations: prints under many movements, a cut between two photos, and a head that turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bench.attacks import DISTANCE, NOISE, Array, Pose, Print, Surface, bent, flat, folded, head, render
from smartabsen.kernel.domain import ImageBGR

FPS: Final = 15.0
SECONDS: Final = 2.4


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of holding a photo in front of the camera.

    Attributes:
        name: What is done.
        move: The pose for a swing from 0 (as at the start) to 1 (as far as it goes) and back, and an instant from 0 to
            1 for what shakes meanwhile.
        shape: The surface for a pose.
        cut_out: Whether the photo is cut out along the head.
    """

    name: str
    move: Callable[[float, float], Pose]
    shape: Callable[[Pose], Surface] = lambda _: flat
    cut_out: bool = False


def _turned(angle: float, **other: float) -> Callable[[float, float], Pose]:
    return lambda swing, _: Pose(yaw=angle * swing, **other)  # type: ignore[arg-type]


def _shake(_: float, instant: float) -> Pose:
    rng = np.random.default_rng(round(instant * 1e6))
    yaw, pitch, roll, x, y = rng.normal(0.0, [9.0, 9.0, 5.0, 0.12, 0.12])
    return Pose(yaw=yaw, pitch=pitch, roll=roll, x=x, y=y)


def _bent(curvature: float, *, upright: bool = True) -> Callable[[Pose], Surface]:
    return lambda _: bent(curvature, upright=upright)


def _bending(pose: Pose) -> Surface:
    return bent(pose.bend or 0.0, upright=True)


PRINTS: Final = (
    Kind("held still", lambda *_: Pose()),
    Kind("waved sideways", lambda swing, _: Pose(x=1.2 * swing)),
    Kind("moved closer", lambda swing, _: Pose(distance=DISTANCE - 3.0 * swing)),
    Kind("turned in its plane", lambda swing, _: Pose(roll=25.0 * swing)),
    Kind("turned by 15", _turned(15.0)),
    Kind("turned by 30", _turned(30.0)),
    Kind("turned by 45", _turned(45.0)),
    Kind("turned by 60", _turned(60.0)),
    Kind("turned by 40, near", _turned(40.0, distance=5.0)),
    Kind("turned askew", lambda swing, _: Pose(yaw=35.0 * swing, pitch=25.0 * swing)),
    Kind("turned, shifted, tilted", lambda swing, _: Pose(yaw=40.0 * swing, roll=15.0 * swing, x=-0.6 * swing)),
    Kind("shaken", _shake),
    Kind("cut out, turned by 35", _turned(35.0), cut_out=True),
    Kind("bent a little, turned by 30", _turned(30.0), _bent(0.3)),
    Kind("bent, turned by 30", _turned(30.0), _bent(0.6)),
    Kind("bent, turned by 45", _turned(45.0), _bent(0.6)),
    Kind("bent hard, turned by 30", _turned(30.0), _bent(0.9)),
    Kind("bent level, turned by 30", _turned(30.0), _bent(0.4, upright=False)),
    Kind("hollow, turned by 30", _turned(30.0), _bent(-0.5)),
    Kind("being bent", lambda swing, _: Pose(bend=0.8 * swing), _bending),
    Kind("being bent while turned by 35", lambda swing, _: Pose(yaw=35.0 * swing, bend=0.7 * swing), _bending),
    Kind("cut out, bent, turned by 35", _turned(35.0), _bent(0.6), cut_out=True),
    Kind("folded along the nose, turned by 25", _turned(25.0), lambda _: folded(0.4)),
    Kind("folded sharply, turned by 25", _turned(25.0), lambda _: folded(0.8)),
)
"""Photos on paper; the turn is about the axis that the challenge asks for."""


def swing(instant: float) -> float:
    """Return how far a movement has come: rest, away, rest, back, rest; 0..1."""
    start, there, back, end = 0.15, 0.55, 0.65, 0.9
    if instant <= start or instant >= end:
        return 0.0
    if instant < there:
        return 0.5 - 0.5 * math.cos(math.pi * (instant - start) / (there - start))
    return 1.0 if instant <= back else 0.5 + 0.5 * math.cos(math.pi * (instant - back) / (end - back))


def towards(pose: Pose, direction: str) -> Pose:
    """Return the pose with the turn to the right done to the ``right`` or ``left`` of the image, or ``up``."""
    if direction == "up":
        return replace(pose, yaw=pose.pitch, pitch=pose.yaw)
    return replace(pose, yaw=-pose.yaw, x=-pose.x, roll=-pose.roll) if direction == "left" else pose


def film_print(printed: Print, kind: Kind, direction: str, *, seed: int = 0) -> Iterator[ImageBGR]:
    """Yield the frames of one print."""
    printed = replace(printed, cut_out=kind.cut_out)
    for number, instant in enumerate(_instants()):
        pose = kind.move(swing(instant), instant)
        shape = kind.shape(pose)
        if direction == "up":
            # What is bent about the upright axis for a turn is bent about the level one here.
            shape = _lie_down(kind, pose)
        yield render(printed, shape, towards(pose, direction), seed=seed + number)


def film_head(printed: Print, direction: str, *, angle: float, seed: int = 0) -> Iterator[ImageBGR]:
    """Yield the frames of the synthetic head that does what is asked, not quite steadily."""
    relief = head(printed.mouth)
    printed = replace(printed, cut_out=True)
    rng = np.random.default_rng(seed)
    drift = np.cumsum(rng.normal(0.0, [0.25, 0.25, 0.15, 0.006, 0.006], (round(SECONDS * FPS), 5)), axis=0)
    for number, instant in enumerate(_instants()):
        asked = towards(Pose(yaw=angle * swing(instant)), direction)
        yaw, pitch, roll, x, y = drift[number]
        pose = replace(asked, yaw=asked.yaw + yaw, pitch=asked.pitch + pitch, roll=roll, x=x, y=y)
        yield render(printed, relief, pose, pivot=1.3, seed=seed + number)


def film_cut(printed: Print, direction: str, *, fade_frames: int = 0, seed: int = 0) -> Iterator[ImageBGR]:
    """Yield a photo from the front, then one of the same head turned by 22 degrees; cut, or faded over some frames."""
    straight, turned = (
        render(replace(printed, cut_out=True), head(printed.mouth), towards(Pose(yaw=angle), direction), pivot=1.3)
        for angle in (0.0, 22.0)
    )
    for number, instant in enumerate(_instants()):
        share = float(0.35 < instant < 0.65)
        if fade_frames:
            share = min(1.0, max(0.0, (min(instant - 0.3, 0.8 - instant) * SECONDS * FPS) / fade_frames))
        picture = straight * (1.0 - share) + turned * share
        noise = np.random.default_rng(seed + number).normal(0.0, NOISE, picture.shape)
        yield np.clip(picture + noise, 0, 255).astype(np.uint8)


def _instants() -> Sequence[float]:
    count = round(SECONDS * FPS)
    return [number / (count - 1) for number in range(count)]


def _lie_down(kind: Kind, pose: Pose) -> Surface:
    surface = kind.shape(pose)

    def place(right: Array, down: Array) -> Array:
        space = surface(down - 0.5, right + 0.5)
        return np.stack([space[..., 1] - 0.5, space[..., 0] + 0.5, space[..., 2]], axis=-1)

    return surface if surface is flat else place
