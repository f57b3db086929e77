"""Where the quality limits come from: photos that are made worse step by step.

For each step it shows how many faces are still found, how many each set of limits refuses, and how many of the
others are then not recognised. A limit is good where refusals rise together with what recognition loses, and where
photos as they are pass. The photos are those of ``../shared/faces/lfw``.

    python -m bench.quality --engine insightface --engine openvino --pairs 120
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from smartabsen.domain import Face, Outcome, Quality
from smartabsen.recognition.alignment import align
from smartabsen.recognition.engines import Engine, build_engine
from smartabsen.recognition.quality import ENROLMENT_LIMITS, PROBE_LIMITS, QualityLimits, judge, measure_quality

SHARED = Path(__file__).parents[2] / "shared"
LIMITS = {"enrolment": ENROLMENT_LIMITS, "kiosk": PROBE_LIMITS}

Image = NDArray[np.uint8]
Change = Callable[[Image], Image]


@dataclass
class Step:
    """What became of the photos after one change."""

    name: str
    photos: int = 0
    found: int = 0
    qualities: list[Quality] = field(default_factory=list)
    cosines: list[float] = field(default_factory=list)

    def refused(self, limits: QualityLimits) -> NDArray[np.bool_]:
        """Which of the found faces the limits refuse."""
        return np.array([judge(quality, limits) is not None for quality in self.qualities], dtype=bool)


def changes() -> Iterator[tuple[str, Change]]:
    """Yield all steps: name and change, from mild to strong."""
    yield "as it is", lambda image: image
    for sigma in (1, 2, 3, 4, 6):
        yield f"out of focus, sigma {sigma} px", lambda image, s=sigma: cv2.GaussianBlur(image, (0, 0), s)
    for length in (5, 9, 15, 21):
        yield f"moved by {length} px", lambda image, n=length: cv2.filter2D(image, -1, np.full((1, n), 1 / n))
    for gain in (0.5, 0.35, 0.25, 0.15, 0.1):
        yield f"light x {gain}, with noise", lambda image, g=gain: _expose(image, g, noise=3.0)
    for gain in (1.5, 2, 2.5, 3):
        yield f"light x {gain}", lambda image, g=gain: _expose(image, g)
    for size in (80, 60, 50, 40, 30, 20):
        yield f"face of about {size} px", lambda image, s=size: _shrink(image, s / 94)


def measure(engine: Engine, pairs: list[tuple[Path, Path]]) -> list[Step]:
    """Compare changed copies of the first photo of each pair with the second one as it is."""
    references = [_embed(engine, second) for _, second in pairs]
    steps = []
    for name, change in changes():
        step = Step(name)
        for (first, _), reference in zip(pairs, references, strict=True):
            step.photos += 1
            image = change(cv2.imread(str(first)))
            face = central_face(engine, image)
            if face is None or reference is None:
                continue
            crop = align(image, face, engine.embedder.template)
            step.found += 1
            step.qualities.append(measure_quality(face, crop, engine.embedder.template))
            step.cosines.append(float(engine.embedder.embed([crop])[0] @ reference))
        steps.append(step)
    return steps


def count_refusals(engine: Engine, photos: list[Path]) -> dict[str, Counter[Outcome | None]]:
    """Count what each set of limits says of photos as they are."""
    verdicts: dict[str, Counter[Outcome | None]] = {name: Counter() for name in LIMITS}
    for photo in photos:
        image = cv2.imread(str(photo))
        face = central_face(engine, image)
        if face is not None:
            crop = align(image, face, engine.embedder.template)
            quality = measure_quality(face, crop, engine.embedder.template)
            for name, limits in LIMITS.items():
                verdicts[name][judge(quality, limits)] += 1
    return verdicts


def show(engine: Engine, steps: list[Step], verdicts: dict[str, Counter[Outcome | None]]) -> None:
    """Print the figures as Markdown."""
    print(f"### {engine.name}: photos as they are\n\n| limits | faces | refused | why |\n|---|---|---|---|")
    for name, counts in verdicts.items():
        refused = counts.total() - counts[None]
        why = ", ".join(f"{reason} {count}" for reason, count in counts.most_common() if reason is not None)
        print(f"| {name} | {counts.total()} | {100 * refused / counts.total():.2f} % | {why} |")
    print(f"\n### {engine.name}: photos made worse, threshold {engine.threshold:.3f}\n")
    print(
        "| change | found | light | sharpness | refused at enrolment | at a kiosk | not recognised | of those passed |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for step in steps:
        missed = np.array(step.cosines) < engine.threshold
        enrolment, kiosk = (step.refused(limits) for limits in LIMITS.values())
        cells = [
            step.name,
            _percent(step.found, step.photos),
            _median([quality.brightness for quality in step.qualities]),
            _median([quality.sharpness for quality in step.qualities]),
            _percent(enrolment.sum(), step.found),
            _percent(kiosk.sum(), step.found),
            _percent(missed.sum(), step.found),
            _percent(missed[~kiosk].sum(), int((~kiosk).sum())),
        ]
        print("| " + " | ".join(cells) + " |")
    print()


def main() -> None:
    """Measure the engines that were named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=["insightface", "openvino", "dlib"])
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    people = sorted(path for path in (options.shared / "faces" / "lfw").iterdir() if path.is_dir())
    photos = [sorted(person.glob("*.jpg")) for person in people]
    pairs = [(own[0], own[1]) for own in photos if len(own) > 1]
    pairs = pairs[:: max(1, len(pairs) // options.pairs)][: options.pairs]
    for name in options.engine or ["insightface"]:
        engine = build_engine(name, models_dir=options.shared / "models", threads=1)
        verdicts = count_refusals(engine, [photo for own in photos for photo in own])
        show(engine, measure(engine, pairs), verdicts)


def _embed(engine: Engine, photo: Path) -> NDArray[np.float32] | None:
    image = cv2.imread(str(photo))
    face = central_face(engine, image)
    return None if face is None else engine.embedder.embed([align(image, face, engine.embedder.template)])[0]


def central_face(engine: Engine, image: Image) -> Face | None:
    """Return the face that the photo is of: in LFW, the one in the middle."""
    height, width = image.shape[:2]

    def from_middle(face: Face) -> float:
        left, top, right, bottom = face.box_xyxy
        return float(np.hypot((left + right - width) / 2, (top + bottom - height) / 2))

    near = [face for face in engine.detector.detect(image) if from_middle(face) < 0.2 * width]
    return min(near, key=from_middle, default=None)


def _expose(image: Image, gain: float, *, noise: float = 0.0) -> Image:
    grain = np.random.default_rng(0).normal(0.0, noise, image.shape) if noise else 0.0
    return np.clip(image * np.float64(gain) + grain, 0, 255).astype(np.uint8)


def _shrink(image: Image, factor: float) -> Image:
    """Shrink the photo, and fill up to its old size, as a face farther from the camera would look."""
    height, width = image.shape[:2]
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    bottom, right = height - small.shape[0] - top, width - small.shape[1] - left
    return np.asarray(cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REFLECT_101), dtype=np.uint8)


def _percent(part: float, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _median(values: list[float]) -> str:
    return f"{np.median(values):.0f}" if values else "-"


if __name__ == "__main__":
    main()
