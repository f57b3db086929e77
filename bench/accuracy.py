"""How well each engine recognises people, and where its thresholds come from, on ``../shared/faces/lfw``.

**Identification**, as at a kiosk: the 60 people of ``gallery.txt`` are enrolled with three photos each, their other
photos are probes, and the photos of all other people are strangers. **Verification**: all pairs of photos, and
``pairs.txt``.

The rules for the defaults in ``smartabsen.recognition.engines``:

- *margin*: half of the distance to the second-best person that 99 % of the probes keep whose best person is right;
- *threshold*: the smallest one at which at most 0.2 % of the strangers are recognised as somebody, on average over ten
  draws of the enrolled photos;
- *duplicate threshold*: the smallest one that at most 0.5 % of the photos reach with some photo of another person,
  among everybody in the data, which is twenty times as many people.

All are rounded up to steps of 0.005; the threshold of dlib, whose cosines lie much closer together, to 0.001.

    python -m bench.accuracy --engine openvino --detector yunet
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import OUT, SHARED
from smartabsen.kernel.domain import Face
from smartabsen.recognition import alignment
from smartabsen.recognition.balance import Balance
from smartabsen.recognition.engines import build_engine, get_spec

ENROLLED = 3
DRAWS = 10
MAX_FPIR = 0.002
MAX_FALSE_DUPLICATES = 0.005
STEP = 0.005
THRESHOLD_STEPS = {"dlib": 0.001}
COMBINATIONS = (
    ("dlib", "hog"),
    ("insightface", "scrfd"),
    ("openvino", "retail"),
    ("sface", "yunet"),
    ("open", "retail"),
    ("dlib", "haar"),
    ("insightface", "haar"),
    ("insightface", "hog"),
    ("openvino", "yunet"),
    ("sface", "retail"),
    ("open", "yunet"),
)
"""Engines with their own detector, then with others in front."""

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What was measured of an engine with one detector. Shares are 0..1.

    Attributes:
        engine, detector: Their names.
        photos, not_found: Photos, and those in which the face was not found.
        threshold, margin: The engine's defaults, at which the following are measured.
        rank_1: Probes whose best person is the right one.
        fnmr: Probes not recognised as their person, those without a face left out.
        misidentified: Probes recognised as somebody else.
        fpir: Strangers recognised as somebody.
        rank_1_of_all: Photos whose best other photo, among those of everybody, is of the same person.
        tar: True accepts of all pairs of photos, by the share of false accepts.
        pairs_accuracy: Of the pairs in ``pairs.txt``, at the threshold that is best for them.
        chosen_threshold, chosen_margin, chosen_duplicate_threshold: What the rules give.
    """

    engine: str
    detector: str
    photos: int
    not_found: int
    threshold: float
    margin: float
    rank_1: float
    fnmr: float
    misidentified: float
    fpir: float
    rank_1_of_all: float
    tar: dict[float, float]
    pairs_accuracy: float
    chosen_threshold: float
    chosen_margin: float
    chosen_duplicate_threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """All photos of people: whose each is, and its embedding (not a number where no face was found)."""

    people: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: Labels
    embeddings: Floats

    def found(self) -> NDArray[np.bool_]:
        """Which photos have an embedding."""
        return np.isfinite(self.embeddings[:, 0])


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Probes against a gallery: the best person's label, the similarity, and the distance to the second-best person."""

    best: Labels
    similarity: Floats
    lead: Floats

    def recognised(self, threshold: float, margin: float) -> NDArray[np.bool_]:
        """Which probes are recognised as somebody."""
        return (self.similarity >= threshold) & (self.lead >= margin)


def measure(engine_name: str, *, detector: str = "auto", shared: Path = SHARED, workers: int = 2) -> Accuracy:
    """Measure an engine; embeddings are kept in ``bench/out`` and made anew when code, models or photos change."""
    spec = get_spec(engine_name)
    detector = spec.detector if detector == "auto" else detector
    data = embed_all(engine_name, detector=detector, shared=shared, workers=workers)
    gallery_names = set((shared / "faces" / "lfw" / "gallery.txt").read_text().split())
    enrolled_people = np.array([name in gallery_names for name in data.people])
    draws = [identify(data, enrolled_people, balance=spec.balance, seed=seed) for seed in range(DRAWS)]
    margin = choose_margin([(probes, labels) for probes, labels, _ in draws])
    pairs = similarities(data, shared / "faces" / "lfw" / "pairs.txt")
    genuine, impostor, everybody = compare_all(data)
    right = np.mean([(probes.best == labels).mean() for probes, labels, _ in draws])
    accepted = [(probes.recognised(spec.threshold, spec.margin), probes.best == labels) for probes, labels, _ in draws]
    return Accuracy(
        engine=engine_name,
        detector=detector,
        photos=len(data.paths),
        not_found=int((~data.found()).sum()),
        threshold=spec.threshold,
        margin=spec.margin,
        rank_1=float(right),
        fnmr=float(np.mean([1 - (ok & correct).mean() for ok, correct in accepted])),
        misidentified=float(np.mean([(ok & ~correct).mean() for ok, correct in accepted])),
        fpir=float(np.mean([others.recognised(spec.threshold, spec.margin).mean() for _, _, others in draws])),
        rank_1_of_all=everybody.rank_1,
        tar={fmr: float((genuine >= np.quantile(impostor, 1 - fmr)).mean()) for fmr in (1e-3, 1e-4, 1e-5)},
        pairs_accuracy=best_accuracy(pairs),
        chosen_threshold=choose_threshold(
            [others for _, _, others in draws], margin, step=THRESHOLD_STEPS.get(engine_name, STEP)
        ),
        chosen_margin=margin,
        chosen_duplicate_threshold=round_up(float(np.quantile(everybody.nearest_other, 1 - MAX_FALSE_DUPLICATES))),
    )


def embed_all(engine_name: str, *, detector: str, shared: Path, workers: int) -> Embedded:
    """Embed the central face of every photo."""
    folders = sorted(path for path in (shared / "faces" / "lfw").iterdir() if path.is_dir())
    files = [sorted(folder.glob("*.jpg")) for folder in folders]
    paths = tuple(chain.from_iterable(files))
    labels = np.repeat(np.arange(len(folders)), [len(own) for own in files])
    with build_engine(engine_name, models_dir=shared / "models", detector=detector) as engine:
        identity, dimension = engine.identity.digest, engine.identity.dimension
    cache = OUT / f"{engine_name}-{detector}-{_fingerprint(identity, shared, paths)}.npy"
    if not cache.is_file():
        OUT.mkdir(parents=True, exist_ok=True)
        embed = partial(_embed_some, engine_name, detector, shared / "models", dimension)
        parts = [paths[start::workers] for start in range(workers)]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(embed, parts))
        embeddings = np.zeros((len(paths), dimension), dtype=np.float32)
        for start, part in enumerate(results):
            embeddings[start::workers] = part
        for outdated in OUT.glob(f"{engine_name}-{detector}-*.npy"):
            outdated.unlink()
        np.save(cache, embeddings)
    return Embedded(tuple(folder.name for folder in folders), paths, labels, np.load(cache))


def identify(
    data: Embedded, enrolled_people: NDArray[np.bool_], *, balance: Balance, seed: int
) -> tuple[Search, Labels, Search]:
    """Enrol some photos of some people; search the others of theirs, and those of everybody else.

    Returns:
        The search of the probes, whose they are, and the search of the strangers.
    """
    found = data.found()
    shuffled = np.random.default_rng(seed).permutation(len(data.labels))
    enrolled = np.zeros(len(data.labels), dtype=bool)
    for person in np.flatnonzero(enrolled_people):
        own = shuffled[(data.labels[shuffled] == person) & found[shuffled]]
        enrolled[own[:ENROLLED]] = True
    of_enrolled = enrolled_people[data.labels]
    probes, strangers = of_enrolled & ~enrolled & found, ~of_enrolled & found
    gallery, owners = data.embeddings[enrolled], data.labels[enrolled]
    return (
        search(data.embeddings[probes], gallery, owners, balance=balance),
        data.labels[probes],
        search(data.embeddings[strangers], gallery, owners, balance=balance),
    )


def search(probes: Floats, gallery: Floats, owners: Labels, *, balance: Balance) -> Search:
    """Compare as the matchers do: a person is as similar as the most similar template, less the handicap."""
    people = np.unique(owners)
    similarity = probes @ gallery.T - balance.find_handicaps(gallery, owners)
    by_person = np.stack([similarity[:, owners == person].max(axis=1) for person in people], axis=1)
    order = np.argsort(-by_person, axis=1)
    rows = np.arange(len(probes))
    best, second = by_person[rows, order[:, 0]], by_person[rows, order[:, 1]]
    return Search(people[order[:, 0]], best, best - second)


@dataclass(frozen=True, slots=True, eq=False)
class Everybody:
    """Every photo against all others: how often the nearest is of the same person, and the nearest of another one."""

    rank_1: float
    nearest_other: Floats


def compare_all(data: Embedded) -> tuple[Floats, Floats, Everybody]:
    """Return the similarities of all genuine and of all impostor pairs, and what is nearest to each photo."""
    found = data.found()
    labels, embeddings = data.labels[found], data.embeddings[found]
    similarity = embeddings @ embeddings.T
    same = labels[:, None] == labels[None, :]
    upper = np.triu(np.ones_like(same), k=1)
    genuine, impostor = similarity[same & upper], similarity[~same & upper]
    nearest_other = np.where(same, -1.0, similarity).max(axis=1)
    np.fill_diagonal(similarity, -1.0)
    nearest_own = np.where(same, similarity, -1.0).max(axis=1)
    several = same.sum(axis=1) > 1
    rank_1 = float((nearest_own[several] > nearest_other[several]).mean())
    return genuine, impostor, Everybody(rank_1, nearest_other)


def similarities(data: Embedded, pairs_file: Path) -> tuple[Floats, NDArray[np.bool_]]:
    """Return similarity and truth of the pairs in a file of LFW's format, where both faces were found."""
    index = {path.stem: row for row, path in enumerate(data.paths)}
    first, second, same = [], [], []
    for line in pairs_file.read_text().splitlines()[1:]:
        parts = line.split()
        name_b, number_b = (parts[2], parts[3]) if len(parts) == 4 else (parts[0], parts[2])
        first.append(index[f"{parts[0]}_{int(parts[1]):04d}"])
        second.append(index[f"{name_b}_{int(number_b):04d}"])
        same.append(len(parts) == 3)
    values = np.einsum("ij,ij->i", data.embeddings[first], data.embeddings[second])
    both = np.isfinite(values)
    return values[both], np.array(same)[both]


def best_accuracy(pairs: tuple[Floats, NDArray[np.bool_]]) -> float:
    """Return the accuracy at the threshold that is best for these pairs."""
    values, same = pairs
    return float(max(((values >= threshold) == same).mean() for threshold in np.unique(values)))


def choose_margin(draws: list[tuple[Search, Labels]]) -> float:
    """Apply the rule for the margin."""
    leads = np.concatenate([probes.lead[probes.best == labels] for probes, labels in draws])
    return round_up(float(np.quantile(leads, 0.01)) / 2)


def choose_threshold(strangers: list[Search], margin: float, *, step: float) -> float:
    """Apply the rule for the threshold."""
    for threshold in np.arange(0.0, 1.0, step):
        if np.mean([others.recognised(float(threshold), margin).mean() for others in strangers]) <= MAX_FPIR:
            return round(float(threshold), 3)
    return 1.0


def round_up(value: float) -> float:
    """Round up to a step."""
    return round(float(np.ceil(value / STEP)) * STEP, 3)


def as_markdown(results: list[Accuracy]) -> str:
    """Return the figures as a table."""
    head = (
        "| engine | detector | not found | threshold + margin | rank-1 | FNMR | misidentified | FPIR | rank-1 of all "
        "| TAR at FMR 1e-3 / 1e-4 / 1e-5 | pairs | rules give: threshold + margin, duplicate |"
    )
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for result in results:
        cells = [
            result.engine,
            result.detector,
            f"{result.not_found} of {result.photos}",
            f"{result.threshold:.3f} + {result.margin:.3f}",
            *(_percent(share) for share in (result.rank_1, result.fnmr, result.misidentified, result.fpir)),
            _percent(result.rank_1_of_all),
            " / ".join(_percent(share) for share in result.tar.values()),
            _percent(result.pairs_accuracy),
            f"{result.chosen_threshold:.3f} + {result.chosen_margin:.3f}, {result.chosen_duplicate_threshold:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure what was named, or all combinations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=sorted({engine for engine, _ in COMBINATIONS}))
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    combinations = ((options.engine, options.detector),) if options.engine else COMBINATIONS
    results = []
    for engine, detector in combinations:
        print(f"{engine} with {detector} ...", file=sys.stderr)
        results.append(measure(engine, detector=detector, shared=options.shared, workers=options.workers))
    print(as_markdown(results))


def _embed_some(engine_name: str, detector: str, models_dir: Path, dimension: int, paths: tuple[Path, ...]) -> Floats:
    embeddings = np.full((len(paths), dimension), np.nan, dtype=np.float32)
    with build_engine(engine_name, models_dir=models_dir, detector=detector, threads=1) as engine:
        for row, path in enumerate(paths):
            image = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
            face = _central_face(engine.detector.detect(image), image.shape[1], image.shape[0])
            if face is not None:
                crop = alignment.align(image, face, engine.embedder.template)
                embeddings[row] = engine.embedder.embed([crop])[0]
    return embeddings


def _central_face(faces: tuple[Face, ...], width: int, height: int) -> Face | None:
    """Return the face that the photo is of: in LFW, the one in the middle."""

    def from_middle(face: Face) -> float:
        left, top, right, bottom = face.box_xyxy
        return float(np.hypot((left + right - width) / 2, (top + bottom - height) / 2))

    near = [face for face in faces if from_middle(face) < 0.2 * width]
    return min(near, key=from_middle, default=None)


def _fingerprint(identity: str, shared: Path, paths: tuple[Path, ...]) -> str:
    """Return a digest of all that the embeddings depend on: model, code, detectors' files and photos."""
    package = Path(alignment.__file__).parent
    sources = sorted([package / "alignment.py", *package.glob("detectors/*.py"), *package.glob("embedders/*.py")])
    models = sorted(path for path in (shared / "models").rglob("*") if path.is_file())
    digest = hashlib.sha256(identity.encode())
    for path in (*sources, *models, *paths):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


if __name__ == "__main__":
    main()
