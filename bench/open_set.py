"""Strangers who pass and people who are missed among 200 enrolled people, on ``../shared/faces/lfw``.

In each of ten draws 200 people of those with three photos or more are enrolled with up to four photos each; one photo
at least is kept back. Those photos are probes, and all photos of everybody else are strangers. (200 people with five
photos, as in other comparisons, are not there: 109 people have so many.)

Told are, with intervals of 95 % by drawing people anew (bootstrap; photos of one person are no independent trials):

- the share of probes missed where a given share of the strangers passes (FNIR at FPIR), without a margin, and how many
  times the better of its two parts that is for ``open``;
- both shares at what a training puts into use for 200 people: threshold of the shipped reference, margin of the engine;
- the same for other weights of the two parts of ``open``, and with a mirrored copy of each enrolled photo.

The shipped reference was made of the same photos; ``python -m bench.reference`` checks it on people it has not seen.

    python -m bench.open_set --weights --mirrored
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench import ENGINES, OUT, SHARED
from bench.accuracy import Embedded, Floats, Labels, Search, embed_all, search
from smartabsen.kernel.domain import Rate
from smartabsen.recognition.balance import NO_BALANCE, Balance
from smartabsen.recognition.calibration import threshold_for
from smartabsen.recognition.engine_specs import EngineSpec
from smartabsen.recognition.engines import get_spec
from smartabsen.recognition.reference import _tables

PEOPLE: Final = 200
MOST_PHOTOS: Final = 4
DRAWS: Final = 10
FPIRS: Final = (0.01, 0.003, 0.001)
TARGET: Final = 0.001
WEIGHTS: Final = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Of SFace; the rest is the other network's."""
SFACE_VALUES: Final = 128
"""The first values of an embedding of ``open`` are SFace's."""
RESAMPLES: Final = 400


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One draw: probes with their right person, strangers with who they are."""

    probes: Search
    owners: Labels
    strangers: Search
    strangers_are: Labels


def draws(data: Embedded, *, balance: Balance, mirrored: Floats | None = None) -> list[Draw]:
    """Enrol and search in each of the draws, the same people and photos whatever the embeddings.

    Args:
        mirrored: float32 (N, D), embeddings of the mirrored photos, enrolled beside the others; None enrols none.
    """
    found = data.found()
    people, counts = np.unique(data.labels, return_counts=True)
    several = people[counts >= 3]
    drawn = []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        enrolled = rng.permutation(several)[:PEOPLE]
        rows = []
        for person in enrolled:
            own = rng.permutation(np.flatnonzero(data.labels == person))
            rows.append(own[: min(MOST_PHOTOS, len(own) - 1)])
        gallery = np.concatenate(rows)
        probes = np.setdiff1d(np.flatnonzero(np.isin(data.labels, enrolled) & found), gallery)
        gallery = gallery[found[gallery]]
        outside = np.flatnonzero(~np.isin(data.labels, enrolled) & found)
        embeddings, labels = data.embeddings[gallery], data.labels[gallery]
        if mirrored is not None:
            there = gallery[np.isfinite(mirrored[gallery, 0])]
            embeddings = np.concatenate([embeddings, mirrored[there]])
            labels = np.concatenate([labels, data.labels[there]])
        drawn.append(
            Draw(
                search(data.embeddings[probes], embeddings, labels, balance=balance),
                data.labels[probes],
                search(data.embeddings[outside], embeddings, labels, balance=balance),
                data.labels[outside],
            )
        )
    return drawn


def missed_at(drawn: list[Draw], target: float, rng: np.random.Generator | None = None) -> float:
    """Return the mean FNIR at an FPIR, of the draws as they are or, with a generator, of people drawn anew."""
    shares = []
    for draw in drawn:
        outside = _weights(draw.strangers_are, rng)
        order = np.argsort(-draw.strangers.similarity)
        passing = np.cumsum(outside[order]) / outside.sum()
        last = int(np.searchsorted(passing, target, side="right"))
        threshold = draw.strangers.similarity[order[min(last, len(order) - 1)]]
        own = _weights(draw.owners, rng)
        right = (draw.probes.best == draw.owners) & (draw.probes.similarity > threshold)
        shares.append(float((own * ~right).sum() / own.sum()))
    return float(np.mean(shares))


def interval(figure: Callable[[np.random.Generator], float]) -> tuple[float, float]:
    """Return the middle 95 % of a figure over people who are drawn anew."""
    values = [figure(np.random.default_rng(seed)) for seed in range(RESAMPLES)]
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def at_limits(drawn: list[Draw], threshold: float, margin: float) -> tuple[Rate, Rate]:
    """Return strangers recognised, and probes not recognised as their person."""
    taken = strangers = missed = probes = 0
    for draw in drawn:
        taken += int(draw.strangers.recognised(threshold, margin).sum())
        strangers += len(draw.strangers.best)
        right = draw.probes.recognised(threshold, margin) & (draw.probes.best == draw.owners)
        missed += int((~right).sum())
        probes += len(draw.owners)
    return Rate(taken, strangers), Rate(missed, probes)


def weighted(embeddings: Floats, weight: float) -> Floats:
    """Return embeddings of ``open``, (N, 384), with another weight of SFace in the cosine."""
    first, second = embeddings[:, :SFACE_VALUES], embeddings[:, SFACE_VALUES:]
    parts = [
        np.sqrt(share) * part / np.linalg.norm(part, axis=1, keepdims=True)
        for share, part in ((weight, first), (1.0 - weight, second))
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def main() -> None:
    """Measure what was named and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=["open", "sface", "openvino", "insightface"])
    parser.add_argument("--weights", action="store_true", help="other weights of the two parts of open")
    parser.add_argument("--mirrored", action="store_true", help="a mirrored copy of each enrolled photo (open)")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    embedded = {name: _embedded(name, options.shared) for name in options.engines}
    every = {name: draws(data, balance=get_spec(name).balance) for name, data in embedded.items()}
    some = next(iter(every.values()))
    print(
        f"{DRAWS} draws of {PEOPLE} people; {sum(len(draw.owners) for draw in some)} probes and "
        f"{sum(len(draw.strangers_are) for draw in some)} photos of strangers in all\n"
    )
    print("| engine |" + "".join(f" FNIR at FPIR {100 * target:g} % |" for target in FPIRS))
    print("|---|" + "---|" * len(FPIRS))
    for name, drawn in every.items():
        print(f"| {name} |" + "".join(f" {_missed(drawn, target)} |" for target in FPIRS))
    if {"open", "sface", "openvino"} <= every.keys():
        print("| open / the better part |" + "".join(f" {_ratio(every, target)} |" for target in FPIRS))
    print(f"\n| engine | threshold + margin for {PEOPLE} people | FPIR | FNIR |\n|---|---|---|---|")
    for name, drawn in every.items():
        spec = get_spec(name)
        for threshold in (_threshold(spec), spec.threshold):
            taken, missed = at_limits(drawn, threshold, spec.margin)
            print(f"| {name} | {threshold:.3f} + {spec.margin:.3f} | {_text(taken)} | {_text(missed)} |")
    if "insightface" in every:
        taken, missed = at_limits(draws(embedded["insightface"], balance=NO_BALANCE), 0.4, 0.0)
        print(f"| insightface, as its server by default | 0.400 | {_text(taken)} | {_text(missed)} |")
    if options.weights or options.mirrored:
        data = embedded["open"]
        print("\n| open |" + "".join(f" FNIR at FPIR {100 * target:g} % |" for target in FPIRS))
        print("|---|" + "---|" * len(FPIRS))
    for weight in WEIGHTS if options.weights else ():
        again = replace(data, embeddings=weighted(data.embeddings, weight))
        drawn = draws(again, balance=get_spec("open").balance)
        print(f"| {weight:g} SFace |" + "".join(f" {_missed(drawn, target)} |" for target in FPIRS))
    if options.mirrored:
        mirrored = _mirrored(data, options.shared)
        drawn = draws(data, balance=get_spec("open").balance, mirrored=mirrored)
        print("| with mirrored copies |" + "".join(f" {_missed(drawn, target)} |" for target in FPIRS))


def _embedded(name: str, shared: Path) -> Embedded:
    return embed_all(name, detector=get_spec(name).detector, shared=shared, workers=1)


def _mirrored(data: Embedded, shared: Path) -> Floats:
    """Return embeddings of the mirrored photos of people with three photos or more; not a number for the others."""
    import cv2

    from bench.accuracy import _central_face
    from smartabsen.recognition import alignment
    from smartabsen.recognition.engines import build_engine

    cache = OUT / "open-mirrored.npy"
    if not cache.is_file():
        people, counts = np.unique(data.labels, return_counts=True)
        embeddings = np.full_like(data.embeddings, np.nan)
        with build_engine("open", models_dir=shared / "models", threads=1) as engine:
            for row in np.flatnonzero(np.isin(data.labels, people[counts >= 3])):
                image = np.ascontiguousarray(np.asarray(cv2.imread(str(data.paths[row])), dtype=np.uint8)[:, ::-1])
                face = _central_face(engine.detector.detect(image), image.shape[1], image.shape[0])
                if face is not None:
                    embeddings[row] = engine.embedder.embed([alignment.align(image, face, engine.embedder.template)])[0]
        np.save(cache, embeddings)
    mirrored: Floats = np.load(cache)
    return mirrored


def _threshold(spec: EngineSpec) -> float:
    table = next(table for table in _tables() if table.engine == spec.name)
    return threshold_for(table, PEOPLE, target=TARGET, engine_threshold=spec.threshold)


def _weights(people: Labels, rng: np.random.Generator | None) -> NDArray[np.float64]:
    """Return how often each photo counts: once, or as often as its person is drawn."""
    if rng is None:
        return np.ones(len(people))
    names, places = np.unique(people, return_inverse=True)
    counts = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)))
    return counts[places].astype(np.float64)


def _missed(drawn: list[Draw], target: float) -> str:
    low, high = interval(lambda rng: missed_at(drawn, target, rng))
    return f"{100 * missed_at(drawn, target):.2f} % ({100 * low:.2f} to {100 * high:.2f})"


def _ratio(every: dict[str, list[Draw]], target: float) -> str:
    def ratio(rng: Callable[[], np.random.Generator | None]) -> float:
        # The same people are drawn anew for each engine.
        both, *parts = (missed_at(every[name], target, rng()) for name in ("open", "sface", "openvino"))
        return both / max(min(parts), 1e-9)

    def one(generator: np.random.Generator) -> float:
        seed = int(generator.integers(2**31))
        return ratio(lambda: np.random.default_rng(seed))

    low, high = interval(one)
    return f"{ratio(lambda: None):.2f} ({low:.2f} to {high:.2f})"


def _text(rate: Rate) -> str:
    share = rate.share or 0.0
    return f"{100 * share:.2f} % ({100 * rate.low:.2f} to {100 * rate.high:.2f}; {rate.count} of {rate.trials})"


if __name__ == "__main__":
    main()
