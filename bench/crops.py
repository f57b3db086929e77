"""How near a template of a kept face is to the template of the photo itself, for every change of the engine.

python -m bench.crops --photos 120
python -m bench.crops --photos 60 --enlarge 3

Photos of LFW are 250 pixels wide: their crops are kept as they are. ``--enlarge 3`` makes them as large as those of a
phone, so that crops are reduced.
"""

from __future__ import annotations

import argparse
from itertools import permutations

import cv2
import numpy as np

from bench import ENGINES, SHARED
from smartabsen.kernel.domain import Face, ImageBGR
from smartabsen.recognition.crops import cut_crop, read_crop
from smartabsen.recognition.engines import build_engine
from smartabsen.recognition.images import Picture, decode_image
from smartabsen.recognition.quality import NO_LIMITS
from smartabsen.recognition.recognizer import Recognizer


def read_photos(count: int, *, enlarge: int) -> list[ImageBGR]:
    """Return the first photo of so many people."""
    folders = sorted((SHARED / "faces" / "lfw").iterdir())
    found = [decode_image(next(iter(sorted(folder.glob("*.jpg")))).read_bytes()) for folder in folders[:count]]
    images = [picture.image_bgr for picture in found if isinstance(picture, Picture)]
    if enlarge == 1:
        return images
    return [
        np.asarray(cv2.resize(image, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        for image in images
    ]


def compare(images: list[ImageBGR], old: Recognizer, new: Recognizer) -> tuple[list[float], list[int]]:
    """Return the cosines between both templates, and the bytes of the kept pictures."""
    cosines, sizes = [], []
    for image in images:
        by_old, by_new = old.find(image), new.find(image)
        if not by_old or not by_new or not _same(by_old[0], by_new[0]):
            continue
        crop = cut_crop(image, by_old[0])
        (kept,) = new.examine(*_listed(read_crop(crop, new.detector)))
        (fresh,) = new.examine(image, by_new[:1])
        assert kept.embedding is not None and fresh.embedding is not None
        cosines.append(float(kept.embedding @ fresh.embedding))
        sizes.append(len(crop.picture))
    return cosines, sizes


def _listed(found: tuple[ImageBGR, Face]) -> tuple[ImageBGR, list[Face]]:
    return found[0], [found[1]]


def _same(one: Face, other: Face) -> bool:
    distance = np.hypot(*(np.add(one.box_xyxy[:2], one.box_xyxy[2:]) - np.add(other.box_xyxy[:2], other.box_xyxy[2:])))
    return bool(distance / 2 < one.size_px / 2)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.crops", description=__doc__)
    parser.add_argument("--photos", type=int, default=120)
    parser.add_argument("--enlarge", type=int, default=1)
    options = parser.parse_args()
    images = read_photos(options.photos, enlarge=options.enlarge)
    engines = {name: build_engine(name, models_dir=SHARED / "models") for name in ENGINES}
    recognizers = {name: Recognizer(each.detector, each.embedder, limits=NO_LIMITS) for name, each in engines.items()}
    print("| enrolled with | changed to | photos | lowest cosine | median | below the threshold | kept picture |")
    print("|---|---|---|---|---|---|---|")
    for old, new in permutations(ENGINES, 2):
        cosines, sizes = compare(images, recognizers[old], recognizers[new])
        below = sum(cosine < engines[new].threshold for cosine in cosines)
        kilobytes = np.median(sizes) / 1000
        lowest, median = min(cosines), np.median(cosines)
        print(
            f"| {old} | {new} | {len(cosines)} | {lowest:.3f} | {median:.3f} | {below} | {kilobytes:.0f} kB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
