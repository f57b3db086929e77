"""Photos of LFW as a gallery, and frames of 640 x 480 that are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from smartabsen.kernel.domain import ImageBGR
from smartabsen.recognition.alignment import align
from smartabsen.recognition.engines import Engine
from smartabsen.recognition.matchers.base import Matcher

WIDTH, HEIGHT = 640, 480


def gallery_photos(shared: Path) -> list[list[Path]]:
    """Return the photos of each person to enrol."""
    lfw = shared / "faces" / "lfw"
    return [sorted((lfw / name).glob("*.jpg")) for name in (lfw / "gallery.txt").read_text().split()]


def fit(matcher: Matcher, engine: Engine, people: list[list[Path]]) -> None:
    """Enrol the largest face of each photo."""
    embeddings, labels = [], []
    for label, photos in enumerate(people):
        for photo in photos:
            image = read(photo)
            faces = engine.detector.detect(image)
            if faces:
                embeddings.append(engine.embedder.embed([align(image, faces[0], engine.embedder.template)])[0])
                labels.append(label)
    matcher.fit(np.stack(embeddings), np.array(labels, dtype=np.int64))


def scenes(probes: list[Path]) -> Iterator[tuple[str, Iterator[ImageBGR]]]:
    """Yield the name and the frames of each scene; there are always more frames."""
    spread = probes[:: max(1, len(probes) // 150)]
    yield "one face", map(one_face, cycle(spread))
    yield "five faces", (several(spread[start : start + 5]) for start in cycle(range(0, len(spread) - 4, 5)))


def one_face(photo: Path) -> ImageBGR:
    """Return a frame with a photo in its middle, whose edges are drawn out to the sides."""
    image = cv2.resize(read(photo), (HEIGHT, HEIGHT), interpolation=cv2.INTER_CUBIC)
    side = (WIDTH - HEIGHT) // 2
    return np.asarray(cv2.copyMakeBorder(image, 0, 0, side, side, cv2.BORDER_REPLICATE), dtype=np.uint8)


def several(photos: list[Path]) -> ImageBGR:
    """Return a frame with up to six photos in two rows."""
    frame = np.full((HEIGHT, WIDTH, 3), 110, dtype=np.uint8)
    columns, rows = 3, 2
    width, height = WIDTH // columns, HEIGHT // rows
    for place, photo in enumerate(photos):
        image = read(photo)
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        row, column = divmod(place, columns)
        frame[row * height : (row + 1) * height, column * width : (column + 1) * width] = image[
            top : top + height, left : left + width
        ]
    return frame


def read(photo: Path) -> ImageBGR:
    """Return a photo."""
    return np.asarray(cv2.imread(str(photo)), dtype=np.uint8)
