"""Where the quality limits come from: photos that are made worse step by step, and which measure tells of errors.

**Steps.** For each step it shows how many faces are still found, how many each set of limits refuses, and how many of
the others are then not recognised. A limit is good where refusals rise together with what recognition loses, and where
photos as they are pass. The photos are those of ``../shared/faces/lfw``; each is compared with another one of its
person as it is. A turn of the head cannot be drawn: there all photos as they are are grouped by the turn that is
measured, and compared with all others.

**Measures.** The area under the ROC curve for telling copies that are not recognised from those that are (0.5: nothing
told; 1: everything), with the sign chosen so that worse is higher: over all copies of one kind, and over all.

    python -m bench.quality --engine insightface --engine openvino --pairs 120
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from bench import ENGINES
from smartabsen.kernel.domain import Face, Outcome, Quality
from smartabsen.recognition.alignment import align
from smartabsen.recognition.engines import Engine, build_engine
from smartabsen.recognition.quality import ENROLMENT_LIMITS, PROBE_LIMITS, QualityLimits, judge, measure_quality
from smartabsen.recognition.scores import compare_gallery

SHARED = Path(__file__).parents[2] / "shared"
SHARPNESS: Final = (0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 16.0, np.inf)
TURNS: Final = (0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 1.01)
PREDICTORS: Final[dict[str, Callable[[Quality], float]]] = {
    "smaller face": lambda quality: -quality.face_px,
    "darker": lambda quality: -quality.brightness,
    "brighter": lambda quality: quality.brightness,
    "less sharp": lambda quality: -quality.sharpness,
    "turned": lambda quality: abs(quality.yaw),
    "lower detection score": lambda quality: -quality.detection_score,
}

Image = NDArray[np.uint8]
Change = Callable[[Image], Image]


@dataclass
class Step:
    """What became of the photos after one change."""

    kind: str
    name: str
    photos: int = 0
    found: int = 0
    qualities: list[Quality] = field(default_factory=list)
    cosines: list[float] = field(default_factory=list)
    strangers: list[bool] = field(default_factory=list)

    def refused(self, limits: QualityLimits) -> NDArray[np.bool_]:
        """Which of the found faces the limits refuse."""
        return np.array([judge(quality, limits) is not None for quality in self.qualities], dtype=bool)


def changes() -> Iterator[tuple[str, str, Change]]:
    """Yield all steps: kind, name and change, from mild to strong."""
    yield "as it is", "as it is", lambda image: image
    for sigma in (1, 2, 3, 4, 6):
        yield (
            "out of focus",
            f"out of focus, sigma {sigma} px",
            lambda image, s=sigma: cv2.GaussianBlur(image, (0, 0), s),
        )
    for length in (5, 9, 15, 21):
        yield "moved", f"moved by {length} px", lambda image, n=length: cv2.filter2D(image, -1, np.full((1, n), 1 / n))
    for gain in (0.5, 0.35, 0.25, 0.15, 0.1):
        yield "dark", f"light x {gain}, with noise", lambda image, g=gain: expose(image, g, noise=3.0)
    for gain in (1.5, 2, 2.5, 3, 4):
        yield "bright", f"light x {gain}", lambda image, g=gain: expose(image, g)
    for size in (80, 60, 50, 40, 30, 20):
        yield "small", f"face of about {size} px", lambda image, s=size: shrink(image, s / 94)
    for noise in (10, 20, 40, 60):
        yield "noise", f"noise of {noise}", lambda image, n=noise: expose(image, 1.0, noise=n)
    for quality in (40, 20, 10, 5):
        yield "JPEG", f"JPEG of quality {quality}", lambda image, q=quality: encode(image, q)


def measure(engine: Engine, pairs: list[tuple[Path, Path]]) -> list[Step]:
    """Compare changed copies of the first photo of each pair with the second one as it is."""
    references = [_embed(engine, second) for _, second in pairs]
    steps = []
    for kind, name, change in changes():
        step = Step(kind, name)
        for (first, _), reference in zip(pairs, references, strict=True):
            step.photos += 1
            image = change(cv2.imread(str(first)))
            face = central_face(engine, image)
            if face is None or reference is None:
                continue
            crop = align(image, face, engine.embedder.template)
            step.found += 1
            step.qualities.append(measure_quality(face, crop, engine.embedder.template))
            embedding = engine.embedder.embed([crop])[0]
            step.cosines.append(float(embedding @ reference))
            near = sorted(
                float(embedding @ other) for other in references if other is not None and other is not reference
            )
            step.strangers.append(near[-1] >= engine.threshold and near[-1] - near[-2] >= engine.margin)
        steps.append(step)
    return steps


@dataclass(frozen=True, slots=True, eq=False)
class Everybody:
    """All photos as they are: their qualities; which have others of their person, and which of those were missed."""

    qualities: list[Quality]
    mated: NDArray[np.bool_]
    missed: NDArray[np.bool_]


def search_all(engine: Engine, people: list[list[Path]]) -> Everybody:
    """Search each photo among all others."""
    qualities, embeddings, labels = [], [], []
    for number, photos in enumerate(people):
        for photo in photos:
            image = cv2.imread(str(photo))
            face = central_face(engine, image)
            if face is not None:
                crop = align(image, face, engine.embedder.template)
                qualities.append(measure_quality(face, crop, engine.embedder.template))
                embeddings.append(engine.embedder.embed([crop])[0])
                labels.append(number)
    scores = compare_gallery(np.stack(embeddings), np.array(labels, dtype=np.int64), balance=engine.balance)
    recognised = (scores.own >= engine.threshold) & (scores.own - scores.other >= engine.margin)
    return Everybody(qualities, np.isfinite(scores.own), ~recognised)


def limits_of(engine: Engine) -> dict[str, QualityLimits]:
    """Return the limits in force with an engine."""
    kiosk = PROBE_LIMITS.with_least(min_face_px=PROBE_LIMITS.min_face_px, min_sharpness=engine.probe_sharpness)
    return {"enrolment": ENROLMENT_LIMITS, "kiosk": kiosk}


def show(engine: Engine, steps: list[Step], everybody: Everybody) -> None:
    """Print the figures as Markdown."""
    print(f"### {engine.name}: photos as they are\n\n| limits | faces | refused | why |\n|---|---|---|---|")
    for name, limits in limits_of(engine).items():
        counts = Counter(judge(quality, limits) for quality in everybody.qualities)
        refused = counts.total() - counts[None]
        why = ", ".join(f"{reason} {count}" for reason, count in counts.most_common() if reason is not None)
        print(f"| {name} | {counts.total()} | {100 * refused / counts.total():.2f} % | {why} |")
    print("\n| sine of the turn | photos with others of the person | not recognised | refused at a kiosk |")
    print("|---|---:|---:|---:|")
    turns = np.array([abs(quality.yaw) for quality in everybody.qualities])
    refusals = np.array([judge(quality, PROBE_LIMITS) is Outcome.TURNED_AWAY for quality in everybody.qualities])
    for low, high in pairwise(TURNS):
        inside = everybody.mated & (turns >= low) & (turns < high)
        cells = [_percent(part[inside].sum(), int(inside.sum())) for part in (everybody.missed, refusals)]
        print(f"| {low} to {high} | {inside.sum()} | " + " | ".join(cells) + " |")
    print(f"\n### {engine.name}: photos made worse, threshold {engine.threshold:.3f}\n")
    print(
        "| change | found | light | sharpness | refused at enrolment | at a kiosk | not recognised | of those passed |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for step in steps:
        missed = np.array(step.cosines) < engine.threshold
        enrolment, kiosk = (step.refused(limits) for limits in limits_of(engine).values())
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
    show_sharpness(engine, [step for step in steps if step.kind in ("as it is", "out of focus", "moved")])
    show_measures(engine, steps, everybody)


def show_sharpness(engine: Engine, steps: list[Step]) -> None:
    """Print what blur does, by the sharpness that is measured: where errors begin, a kiosk should refuse."""
    sharpness = np.array([quality.sharpness for step in steps for quality in step.qualities])
    missed = np.array([cosine for step in steps for cosine in step.cosines]) < engine.threshold
    strangers = np.array([taken for step in steps for taken in step.strangers])
    print(f"\n### {engine.name}: blurred and moved, by sharpness\n")
    print("| sharpness | faces | not recognised | recognised as somebody else, left out |\n|---|---:|---:|---:|")
    for low, high in pairwise(SHARPNESS):
        inside = (sharpness >= low) & (sharpness < high)
        cells = [_percent(part[inside].sum(), int(inside.sum())) for part in (missed, strangers)]
        print(f"| {low:g} to {high:g} | {inside.sum()} | " + " | ".join(cells) + " |")


def show_measures(engine: Engine, steps: list[Step], everybody: Everybody) -> None:
    """Print which measure tells of errors, over the copies of each kind together with the photos as they are."""
    kinds = list(dict.fromkeys(step.kind for step in steps[1:]))
    groups = {kind: [step for step in steps if step.kind in ("as it is", kind)] for kind in kinds}
    groups["all"] = steps
    qualities = {name: [each for step in group for each in step.qualities] for name, group in groups.items()}
    missed = {
        name: np.array([cosine < engine.threshold for step in group for cosine in step.cosines])
        for name, group in groups.items()
    }
    qualities["photos as they are"] = [
        q for q, there in zip(everybody.qualities, everybody.mated, strict=True) if there
    ]
    missed["photos as they are"] = everybody.missed[everybody.mated]
    heads = [f"{name} ({wrong.sum()} of {len(wrong)})" for name, wrong in missed.items()]
    print(f"\n### {engine.name}: which measure tells of errors\n\n| measure | " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * len(heads))
    for measure_name, value in PREDICTORS.items():
        areas = [area([value(q) for q in qualities[name]], wrong) for name, wrong in missed.items()]
        print(f"| {measure_name} | " + " | ".join(f"{each:.2f}" for each in areas) + " |", flush=True)
    print()


def area(values: list[float], positive: NDArray[np.bool_]) -> float:
    """Return the chance that a positive has a higher value than a negative, ties counting half."""
    ranks = rankdata(values)
    count, rest = int(positive.sum()), int((~positive).sum())
    if not count or not rest:
        return float("nan")
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def main() -> None:
    """Measure the engines that were named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    people = sorted(path for path in (options.shared / "faces" / "lfw").iterdir() if path.is_dir())
    photos = [sorted(person.glob("*.jpg")) for person in people]
    pairs = [(own[0], own[1]) for own in photos if len(own) > 1]
    pairs = pairs[:: max(1, len(pairs) // options.pairs)][: options.pairs]
    for name in options.engine or ["insightface"]:
        engine = build_engine(name, models_dir=options.shared / "models", threads=1)
        show(engine, measure(engine, pairs), search_all(engine, photos))


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


def expose(image: Image, gain: float, *, noise: float = 0.0) -> Image:
    """Return the photo in other light, clipped where it is too bright, with noise of this deviation."""
    grain = np.random.default_rng(0).normal(0.0, noise, image.shape) if noise else 0.0
    return np.clip(image * np.float64(gain) + grain, 0, 255).astype(np.uint8)


def encode(image: Image, quality: int) -> Image:
    """Return the photo as JPEG keeps it."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


def shrink(image: Image, factor: float) -> Image:
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
