"""Photos in their four turns: how often the right one is found, what becomes of the faces, and what it costs.

    python -m bench.turns --faces ../shared/faces/lfw --models ../shared/models --engine openvino --every 4

Each photo is given as it is and turned by 90, 180 and 270 degrees. Counted are those that come out upright, in another
turn, and refused as unclear; and the cosine of their embedding to that of the photo as it is.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from smartabsen.kernel.domain import Outcome
from smartabsen.recognition.engines import build_engine
from smartabsen.recognition.images import Picture, decode_image
from smartabsen.recognition.quality import NO_LIMITS
from smartabsen.recognition.recognizer import Recognizer
from smartabsen.recognition.upright import find_upright


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args(arguments)
    with build_engine(given.engine, models_dir=given.models, threads=1) as engine:
        recognizer = Recognizer(engine.detector, engine.embedder, limits=NO_LIMITS)
        found: dict[int, Counter[str]] = {turn: Counter() for turn in range(4)}
        cosines: dict[int, list[float]] = {turn: [] for turn in range(4)}
        plain_s = upright_s = 0.0
        for path in sorted(given.faces.rglob("*.jpg"))[:: given.every]:
            picture = decode_image(path.read_bytes())
            assert isinstance(picture, Picture), path
            started = time.perf_counter()
            seen = recognizer.observe(picture.image_bgr)
            plain_s += time.perf_counter() - started
            for turn in range(4):
                turned = np.ascontiguousarray(np.rot90(picture.image_bgr, turn))
                started = time.perf_counter()
                upright = find_upright(recognizer, turned)
                upright_s += (time.perf_counter() - started) * (turn == 0)
                found[turn][_name(turn, upright.quarters, clear=upright.clear, seen=bool(upright.faces))] += 1
                if seen and upright.faces and upright.clear:
                    again = recognizer.examine(upright.image_bgr, upright.faces[:1])[0]
                    if seen[0].embedding is not None and again.embedding is not None:
                        cosines[turn].append(float(seen[0].embedding @ again.embedding))
    print(f"engine {given.engine}, OpenCV {cv2.__version__}")
    for turn in range(4):
        share = np.mean(np.array(cosines[turn]) >= engine.threshold)
        print(f"turned {90 * turn:3d}: {dict(found[turn])}, above the threshold {share:.4f}")
    photos = found[0].total()
    before_ms, now_ms = (1000 * seconds / photos for seconds in (plain_s, upright_s))
    print(f"upright photos: {before_ms:.1f} ms to find and embed a face; {now_ms:.1f} ms to find it upright")


def _name(turn: int, quarters: int, *, clear: bool, seen: bool) -> str:
    if not seen:
        return Outcome.NO_FACE.value
    if not clear:
        return Outcome.NOT_UPRIGHT.value
    return "upright" if (turn + quarters) % 4 == 0 else "wrong turn"


if __name__ == "__main__":
    main()
