"""What covers a face: masks, glasses, head-scarves, drawn on photos; what enrolment with them does; and hints.

**Occlusions.** Two photos of each of so many people: the first is covered, by the landmarks of the uncovered one, and
is the probe; the second is enrolled as it is, covered likewise, or both ways. Told are how often the covered face is
found, how often a kiosk would refuse it for its quality, and for each way of enrolment how often the person is not
recognised among all these people, and how often somebody is once the person is left out: a stranger with that cover. At
the end, the uncovered first photo against people who are enrolled covered, at the engine's threshold and margin. Drawn
covers are flat; real ones have folds, and glasses reflect. Four masks are photos of real ones, from the package
insightface (``data/images/mask_*.jpg``), laid over nose, mouth and chin.

**Hints.** Could the aligned crop itself tell that the lower half is covered? For each hint, areas under the ROC curve:
masked faces told from the same ones without; photos not recognised told from those that are, among both; the same among
the masked alone; the same among all photos as they are. Then, where one in a hundred photos as they are raises a false
alarm: masked faces found, and photos not recognised found.

    python -m bench.occlusion --engine openvino --pairs 60
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import ENGINES, SHARED
from bench.quality import area, central_face
from smartabsen.kernel.domain import Face, FloatArray, ImageBGR, Outcome
from smartabsen.recognition.alignment import AlignmentTemplate, align
from smartabsen.recognition.engines import Engine, build_engine
from smartabsen.recognition.matchers.exact import ExactMatcher
from smartabsen.recognition.quality import PROBE_LIMITS, judge, measure_colour_apart, measure_quality
from smartabsen.recognition.scores import compare_gallery

Hint = Callable[[ImageBGR, AlignmentTemplate], float]
Cover = Callable[[ImageBGR, NDArray[np.float64]], None]


def covers() -> dict[str, Cover | None]:
    """Return the covers by name; each draws on a photo, given eyes, nose and corners of the mouth (5, 2)."""
    return {
        "as it is": None,
        "clear glasses": lambda image, points: _glasses(image, points, dark=False),
        "sunglasses": lambda image, points: _glasses(image, points, dark=True),
        "mask": _mask,
        **{f"real mask, {path.stem.removeprefix('mask_')}": partial(_real_mask, _read(path)) for path in _real_masks()},
        "mask and sunglasses": lambda image, points: (_mask(image, points), _glasses(image, points, dark=True))[0],
        "head-scarf over forehead, cheeks and chin": _scarf,
        "hand over half of the face": _half,
    }


def hints() -> dict[str, Hint]:
    """Return the hints by name: from an aligned crop and the landmarks in it; higher is more covered."""
    return {
        "colour of the mouth unlike that of the brow": measure_colour_apart,
        "mouth brighter or darker than the brow": _luma_apart,
        "mouth flat beside the eyes": _flat_mouth,
        "less red at the mouth": _less_red,
    }


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """What became of the photos under one cover.

    Attributes:
        photos, found, refused: Covered photos, those whose face is found, and those that a kiosk would refuse.
        not_recognised, strangers: By the way of enrolment, and out of ``photos`` and ``found``.
        bare: Uncovered photos that are not recognised where people are enrolled covered.
    """

    photos: int
    found: int
    refused: int
    not_recognised: dict[str, int]
    strangers: dict[str, int]
    bare: int


def measure(engine: Engine, pairs: list[tuple[Path, Path]]) -> Iterator[tuple[str, Covered]]:
    """Yield the name of each cover and what became of the photos under it."""
    shown = [(_read(first), _read(second)) for first, second in pairs]
    faces = [tuple(central_face(engine, image) for image in both) for both in shown]
    shown, faces = zip(*[(s, f) for s, f in zip(shown, faces, strict=True) if None not in f], strict=True)
    points = [tuple(_points(face) for face in both) for both in faces]
    plain = [tuple(_embed(engine, image) for image in both) for both in shown]
    owners = np.arange(len(shown))
    enrolled = np.stack([second for _, second in plain])
    for name, cover in covers().items():
        probes: list[NDArray[np.float32] | None] = []
        refused = 0
        references = enrolled.copy()
        for place, (images, of_both) in enumerate(zip(shown, points, strict=True)):
            first, second = (image.copy() for image in images)
            if cover is not None:
                cover(first, of_both[0])
                cover(second, of_both[1])
            face = central_face(engine, first)
            if face is None:
                probes.append(None)
            else:
                crop = align(first, face, engine.embedder.template)
                refused += judge(measure_quality(face, crop, engine.embedder.template), PROBE_LIMITS) is not None
                probes.append(engine.embedder.embed([crop])[0])
            covered = _embed(engine, second)
            if covered is not None:
                # Who cannot be enrolled with it is enrolled as before.
                references[place] = covered
        galleries = {
            "without": (enrolled, owners),
            "with": (references, owners),
            "both": (np.concatenate([enrolled, references]), np.concatenate([owners, owners])),
        }
        missed = dict.fromkeys(galleries, 0)
        strangers = dict.fromkeys(galleries, 0)
        for way, gallery in galleries.items():
            for place, probe in enumerate(probes):
                missed[way] += probe is None or not _recognised(engine, probe, *gallery, own=place, alone=False)
                strangers[way] += probe is not None and _recognised(engine, probe, *gallery, own=place, alone=True)
        bare = sum(
            not _recognised(engine, first, *galleries["with"], own=place, alone=False)
            for place, (first, _) in enumerate(plain)
        )
        found = sum(probe is not None for probe in probes)
        yield name, Covered(len(probes), found, refused, missed, strangers, bare)


def _recognised(
    engine: Engine, probe: NDArray[np.float32], gallery: FloatArray, owners: NDArray[np.int64], *, own: int, alone: bool
) -> bool:
    """Tell whether a probe is recognised as its person, or, with that person left out (``alone``), as anybody."""
    matcher = ExactMatcher(balance=engine.balance)
    stay = owners != own if alone else np.ones(len(owners), dtype=bool)
    matcher.fit(gallery[stay], owners[stay])
    (match,) = matcher.match(probe[None], threshold=engine.threshold, margin=engine.margin)
    return match.outcome is Outcome.RECOGNIZED and (alone or match.label == own)


def measure_hints(engine: Engine, pairs: list[tuple[Path, Path]], photos: list[list[Path]]) -> list[str]:
    """Return a line of Markdown for each hint: what it tells of masks, and of errors."""
    template = engine.embedder.template
    values: dict[str, list[float]] = {name: [] for name in hints()}
    covered, wrong = [], []
    masks = {name: cover for name, cover in covers().items() if "mask" in name and "sunglasses" not in name}
    for place, (first, second) in enumerate(pairs):
        image, reference = _read(first), _embed(engine, _read(second))
        clear = central_face(engine, image)
        if clear is None or reference is None:
            continue
        cover = list(masks.values())[place % len(masks)]
        for is_covered in (False, True):
            shown = image.copy()
            if is_covered and cover is not None:
                cover(shown, _points(clear))
            face = central_face(engine, shown)
            if face is None:
                continue
            crop = align(shown, face, engine.embedder.template)
            covered.append(is_covered)
            wrong.append(float(engine.embedder.embed([crop])[0] @ reference) < engine.threshold)
            for name, hint in hints().items():
                values[name].append(hint(crop, template))
    natural, natural_wrong = _natural(engine, photos)
    masked, missed = np.array(covered), np.array(wrong)
    lines = []
    for name, list_of in values.items():
        told = np.array(list_of)
        alarm = float(np.quantile(natural[name], 0.99))
        lines.append(
            f"| {name} | {area(list_of, masked):.2f} | {area(list_of, missed):.2f} "
            f"| {area(told[masked].tolist(), missed[masked]):.2f} | {area(natural[name], natural_wrong):.2f} "
            f"({natural_wrong.sum()} of {len(natural_wrong)}) "
            f"| {(told[masked] > alarm).sum()} of {masked.sum()} "
            f"| {(missed & (told > alarm)).sum()} of {missed.sum()} |"
        )
    return lines


def _natural(engine: Engine, people: list[list[Path]]) -> tuple[dict[str, list[float]], NDArray[np.bool_]]:
    """Return the hints of photos as they are, and whether each was recognised among all of them."""
    embeddings, labels = [], []
    values: dict[str, list[float]] = {name: [] for name in hints()}
    template = engine.embedder.template
    for number, photos in enumerate(people):
        for photo in photos:
            image = _read(photo)
            face = central_face(engine, image)
            if face is not None:
                crop = align(image, face, engine.embedder.template)
                embeddings.append(engine.embedder.embed([crop])[0])
                labels.append(number)
                for name, hint in hints().items():
                    values[name].append(hint(crop, template))
    scores = compare_gallery(np.stack(embeddings), np.array(labels, dtype=np.int64), balance=engine.balance)
    mated = np.isfinite(scores.own)
    wrong = ~((scores.own >= engine.threshold) & (scores.own - scores.other >= engine.margin))
    kept = {name: np.array(value)[mated].tolist() for name, value in values.items()}
    return kept, wrong[mated]


def main() -> None:
    """Measure what was named and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--hints", action="store_true", help="only the hints from the aligned crop")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    folders = sorted(path for path in (options.shared / "faces" / "lfw").iterdir() if path.is_dir())
    photos = [sorted(folder.glob("*.jpg")) for folder in folders]
    pairs = [(own[0], own[1]) for own in photos if len(own) > 1]
    pairs = pairs[:: max(1, len(pairs) // options.pairs)][: options.pairs]
    if options.hints:
        for name in options.engine or ENGINES:
            with build_engine(name, models_dir=options.shared / "models", threads=1) as engine:
                print(f"\n{name}\n")
                print("\n".join(measure_hints(engine, pairs, [own for own in photos if len(own) > 1])), flush=True)
        return
    ways = ("without", "with", "both")
    heads = [f"enrolled {way}: not recognised, strangers recognised" for way in ways]
    print("| engine | covered by | found | refused | " + " | ".join(heads) + " | bare, enrolled with |")
    print("|---|---|---:|---:|" + "---:|" * 4)
    for name in options.engine or ENGINES:
        with build_engine(name, models_dir=options.shared / "models", threads=1) as engine:
            for cover, result in measure(engine, pairs):
                cells = [f"{result.not_recognised[way]}, {result.strangers[way]}" for way in ways]
                print(
                    f"| {name} | {cover} | {result.found} of {result.photos} | {result.refused} | "
                    + " | ".join(cells)
                    + f" | {result.bare} |",
                    flush=True,
                )


def _glasses(image: ImageBGR, points: NDArray[np.float64], *, dark: bool) -> None:
    left, right = points[0], points[1]
    distance = float(np.hypot(*(right - left)))
    for eye in (left, right):
        centre, axes = (round(eye[0]), round(eye[1])), (round(0.36 * distance), round(0.26 * distance))
        if dark:
            cv2.ellipse(image, centre, axes, 0, 0, 360, (20, 20, 20), -1)
        cv2.ellipse(image, centre, axes, 0, 0, 360, (30, 30, 30), max(1, round(0.06 * distance)))
    cv2.line(image, _pixel(left), _pixel(right), (30, 30, 30), max(1, round(0.05 * distance)))


def _mask(image: ImageBGR, points: NDArray[np.float64]) -> None:
    left, right, nose = points[0], points[1], points[2]
    across, down = right - left, (points[3] + points[4]) / 2 - (left + right) / 2
    top = (nose + (left + right) / 2) / 2
    outline = [top - 0.95 * across, top, top + 0.95 * across, top + 0.8 * across + 1.1 * down, top + 1.75 * down]
    outline.append(top - 0.8 * across + 1.1 * down)
    cv2.fillPoly(image, [np.array(outline).round().astype(np.int32)], (200, 190, 170))


def _real_masks() -> list[Path]:
    found = find_spec("insightface")
    folders = [] if found is None else list(found.submodule_search_locations or ())
    return sorted(path for folder in folders for path in (Path(folder) / "data" / "images").glob("mask_*.jpg"))


def _real_mask(mask: ImageBGR, image: ImageBGR, points: NDArray[np.float64]) -> None:
    left, right, nose = points[0], points[1], points[2]
    across, down = right - left, (points[3] + points[4]) / 2 - (left + right) / 2
    top = (nose + (left + right) / 2) / 2
    chin = top + 1.6 * down
    corners = np.array([top - 0.95 * across, top + 0.95 * across, chin + 0.6 * across, chin - 0.6 * across])
    high, wide = mask.shape[:2]
    flat = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float32)
    way = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    size = (image.shape[1], image.shape[0])
    laid = cv2.warpPerspective(mask, way, size, flags=cv2.INTER_AREA)
    there = cv2.warpPerspective(np.full(mask.shape[:2], 255, dtype=np.uint8), way, size) > 127
    image[there] = laid[there]


def _scarf(image: ImageBGR, points: NDArray[np.float64]) -> None:
    middle = points[:2].mean(axis=0)
    distance = float(np.hypot(*(points[1] - points[0])))
    hole = np.zeros(image.shape[:2], dtype=np.uint8)
    centre = (round(middle[0]), round(middle[1] + 0.45 * distance))
    cv2.ellipse(hole, centre, (round(0.85 * distance), round(1.05 * distance)), 0, 0, 360, 255, -1)
    cloth = np.zeros_like(hole)
    cv2.ellipse(cloth, centre, (round(1.7 * distance), round(2.1 * distance)), 0, 0, 360, 255, -1)
    image[(cloth > 0) & (hole == 0)] = (90, 60, 40)


def _half(image: ImageBGR, points: NDArray[np.float64]) -> None:
    distance = float(np.hypot(*(points[1] - points[0])))
    x = round(float(points[2][0]))
    top, bottom = round(float(points[0][1] - 0.6 * distance)), round(float(points[3][1] + 0.6 * distance))
    image[max(0, top) : bottom, x : x + round(1.1 * distance)] = (120, 150, 200)


def _patch(crop: ImageBGR, template: AlignmentTemplate, part: str) -> NDArray[np.float32]:
    """Return the brow and the bridge of the nose, the eyes, or mouth and chin of an aligned crop, in Lab."""
    points = np.asarray(template.arcface5_xy, dtype=np.float64)
    (left_x, left_y), (right_x, right_y) = points[:2]
    mouth = points[3:5].mean(axis=0)
    middle, distance = (left_x + right_x) / 2, right_x - left_x
    eyes = (left_y + right_y) / 2
    x0, x1, y0, y1 = {
        "brow": (middle - 0.2 * distance, middle + 0.2 * distance, eyes - 0.35 * distance, eyes + 0.2 * distance),
        "eyes": (left_x - 0.25 * distance, right_x + 0.25 * distance, eyes - 0.3 * distance, eyes + 0.2 * distance),
        "mouth": (middle - 0.5 * distance, middle + 0.5 * distance, mouth[1] - 0.3 * distance,
                  mouth[1] + 0.35 * distance),
    }[part]  # fmt: skip
    cut = crop[max(0, round(y0)) : round(y1), max(0, round(x0)) : round(x1)]
    return np.asarray(cv2.cvtColor(cut.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), dtype=np.float32)


def _luma_apart(crop: ImageBGR, template: AlignmentTemplate) -> float:
    brow, mouth = (np.median(_patch(crop, template, part)[..., 0]) for part in ("brow", "mouth"))
    return float(abs(brow - mouth))


def _flat_mouth(crop: ImageBGR, template: AlignmentTemplate) -> float:
    eyes, mouth = (_patch(crop, template, part)[..., 0].std() for part in ("eyes", "mouth"))
    return float(-mouth / max(float(eyes), 1.0))


def _less_red(crop: ImageBGR, template: AlignmentTemplate) -> float:
    brow, mouth = (np.median(_patch(crop, template, part)[..., 1]) for part in ("brow", "mouth"))
    return float(brow - mouth)


def _points(face: Face) -> NDArray[np.float64]:
    points: NDArray[np.float64] = face.landmarks_xy.astype(np.float64)
    return points


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _read(photo: Path) -> ImageBGR:
    return np.asarray(cv2.imread(str(photo)), dtype=np.uint8)


def _embed(engine: Engine, image: ImageBGR) -> NDArray[np.float32] | None:
    face = central_face(engine, image)
    return None if face is None else engine.embedder.embed([align(image, face, engine.embedder.template)])[0]


if __name__ == "__main__":
    main()
