"""Copies of a photo against other photos of the same person: from which cosine on two photos are nearly the same.

Each photo is embedded as it is and as a copy: encoded again, made smaller and larger, cropped by a twentieth, made
brighter, mirrored. Told are the lowest cosines of each kind of copy to its original, and the highest between
different photos of one person. LFW may hold a press photo twice under two numbers: the most similar pairs are named, to
be looked at.

    python -m bench.copies --engine openvino --people 150
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import ENGINES, SHARED
from bench.quality import central_face
from smartabsen.kernel.domain import ImageBGR
from smartabsen.recognition.alignment import align
from smartabsen.recognition.engines import Engine, build_engine

PHOTOS_OF_ONE: Final = 4
LEVELS: Final = (0.90, 0.93, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995)
Change = Callable[[ImageBGR], ImageBGR]


def changes() -> dict[str, Change]:
    """Return the kinds of copies."""
    return {
        "JPEG quality 80": lambda image: _jpeg(image, 80),
        "JPEG quality 40": lambda image: _jpeg(image, 40),
        "three quarters the size": lambda image: _scaled(image, 0.75),
        "half the size": lambda image: _scaled(image, 0.5),
        "one and a half times the size": lambda image: _scaled(image, 1.5),
        "cropped by a twentieth": _cropped,
        "cropped, smaller, JPEG 80": lambda image: _jpeg(_scaled(_cropped(image), 0.75), 80),
        "brighter by 20": lambda image: np.asarray(cv2.convertScaleAbs(image, beta=20), dtype=np.uint8),
        "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    }


def embed(engine: Engine, image: ImageBGR) -> NDArray[np.float32] | None:
    """Return the embedding of the face in the middle."""
    face = central_face(engine, image)
    return None if face is None else engine.embedder.embed([align(image, face, engine.embedder.template)])[0]


def measure(engine: Engine, people: list[list[Path]]) -> tuple[dict[str, list[float]], list[tuple[float, Path, Path]]]:
    """Return cosines of copies to their originals by kind, and of different photos of one person."""
    copies: dict[str, list[float]] = {name: [] for name in changes()}
    different = []
    for photos in people:
        originals = []
        for photo in photos:
            image = np.asarray(cv2.imread(str(photo)), dtype=np.uint8)
            original = embed(engine, image)
            if original is None:
                continue
            originals.append((photo, original))
            for name, change in changes().items():
                copy = embed(engine, change(image)) if len(originals) == 1 else None
                if copy is not None:
                    copies[name].append(float(original @ copy))
        different += [(float(one[1] @ two[1]), one[0], two[0]) for one, two in combinations(originals, 2)]
    return copies, sorted(different, key=lambda pair: -pair[0])


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    folders = sorted(path for path in (options.shared / "faces" / "lfw").iterdir() if path.is_dir())
    several = [photos[:PHOTOS_OF_ONE] for folder in folders if len(photos := sorted(folder.glob("*.jpg"))) > 1]
    people = several[:: max(1, len(several) // options.people)][: options.people]
    for name in options.engine or ENGINES:
        with build_engine(name, models_dir=options.shared / "models", threads=1) as engine:
            copies, different = measure(engine, people)
        print(
            f"\n{name}\n\n| what | number | lowest | 5 % below | half below | at least " + " | ".join(map(str, LEVELS))
        )
        for kind, cosines in [*copies.items(), ("different photos", [pair[0] for pair in different])]:
            values = np.array(cosines)
            parts = [f"{value:.3f}" for value in (values.min(), np.quantile(values, 0.05), np.median(values))]
            shares = [f"{(values >= level).mean():.1%}" for level in LEVELS]
            print(f"| {kind} | {len(values)} | " + " | ".join([*parts, *shares]) + " |", flush=True)
        for cosine, one, two in different[:12]:
            print(f"- {cosine:.3f} {one.name} {two.name}")


def _jpeg(image: ImageBGR, quality: int) -> ImageBGR:
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _scaled(image: ImageBGR, factor: float) -> ImageBGR:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=way), dtype=np.uint8)


def _cropped(image: ImageBGR) -> ImageBGR:
    rows, columns = image.shape[0] // 20, image.shape[1] // 20
    return image[rows:-rows, columns:-columns].copy()


if __name__ == "__main__":
    main()
