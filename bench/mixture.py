"""Two persons under one code: how often they are told, and how often one person is taken for two.

Of the people of ``../shared/faces/lfw`` with enough photos, one person's first photos are judged together (none
should be told), then with photos of the next person among them (at least one should).

    python -m bench.mixture --engine openvino
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import ENGINES, SHARED
from bench.copies import embed
from smartabsen.recognition.engines import Engine, build_engine
from smartabsen.recognition.mixture import find_odd_ones

MIXES: Final = ((1, 1), (1, 2), (2, 2), (3, 1), (4, 1))
"""Photos of the one and of the other."""


def read(engine: Engine, folder: Path, most: int) -> NDArray[np.float32]:
    """Return the embeddings (N, D) of a person's first photos that show a face."""
    found = []
    for photo in sorted(folder.glob("*.jpg"))[:most]:
        embedding = embed(engine, np.asarray(cv2.imread(str(photo)), dtype=np.uint8))
        if embedding is not None:
            found.append(embedding)
    return np.stack(found) if found else np.empty((0, engine.identity.dimension), dtype=np.float32)


def count_told(groups: list[NDArray[np.float32]], threshold: float) -> str:
    """Return in how many groups of photos at least one is told, of how many."""
    told = sum(any(each is not None for each in find_odd_ones(group, threshold=threshold)) for group in groups)
    return f"{told} of {len(groups)}"


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    folders = sorted(path for path in (options.shared / "faces" / "lfw").iterdir() if path.is_dir())
    folders = [folder for folder in folders if len(list(folder.glob("*.jpg"))) > 1][: options.people]
    for name in options.engine or ENGINES:
        with build_engine(name, models_dir=options.shared / "models", threads=1) as engine:
            people = [read(engine, folder, 5) for folder in folders]
            threshold = engine.threshold
        print(f"\n{name}\n\n| photos | told |\n|---|---:|")
        for size in (2, 3, 5):
            groups = [person[:size] for person in people if len(person) >= size]
            print(f"| {size} of one person | {count_told(groups, threshold)} |")
        for one, other in MIXES:
            pairs = pairwise(people)
            groups = [np.concatenate([a[:one], b[:other]]) for a, b in pairs if len(a) >= one and len(b) >= other]
            print(f"| {one} of one person, {other} of another | {count_told(groups, threshold)} |", flush=True)


if __name__ == "__main__":
    main()
