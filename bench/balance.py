"""Does a person with many photos win by their number? Strangers against people of 1, 3, 5 and 10 templates.

**Reached.** Of each person of ``../shared/faces/lfw`` with ten photos or more, ten are enrolled, and all other people's
photos are strangers. Told is how often a stranger reaches a threshold with one such person, with the first 1, 3, 5 and
10 of the templates, as the best one counts and with the engine's balance.

The rule for ``handicap`` in ``smartabsen.recognition.engine_specs``: the smallest multiple of 0.001 with which ten
templates are reached at most 1.1 times as often as one, at the cosine that one in a thousand pairs of two persons
reaches, where there are enough strangers to count.

**Mixed.** What it costs people with many photos, and saves those with few: of the 60 people of ``gallery.txt`` each is
enrolled with 1, 2, 3, 5 or 8 photos by chance (one photo fewer than there are at most), their others are probes, and
everybody else is a stranger. At the threshold where so many strangers are recognised as somebody, with and without
balance: single photos of enrolled people that are not recognised.

    python -m bench.balance --engine openvino
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np

from bench import ENGINES, SHARED
from bench.accuracy import Embedded, Floats, Labels, embed_all, search
from smartabsen.recognition.balance import NO_BALANCE, Balance
from smartabsen.recognition.engines import EngineSpec, get_spec

NUMBERS: Final = (1, 3, 5, 10)
ENROLLED: Final = (1, 2, 3, 5, 8)
DRAWS: Final = 20
MOST: Final = 1.1
STEP: Final = 0.001
TARGETS: Final = (0.01, 0.002)


class Reached:
    """The best cosines of strangers to people of so many templates, and what balance takes from them.

    Args:
        embeddings: float32 (N, D).
        labels: int64 (N,).
        copy_threshold: Of the engine.
    """

    def __init__(self, embeddings: Floats, labels: Labels, copy_threshold: float) -> None:
        self.people = [label for label in np.unique(labels) if (labels == label).sum() >= max(NUMBERS)]
        unit = Balance(handicap=1.0, copy_threshold=copy_threshold)
        best: dict[int, list[Floats]] = {number: [] for number in NUMBERS}
        costs: dict[int, list[Floats]] = {number: [] for number in NUMBERS}
        for seed in range(DRAWS):
            rng = np.random.default_rng(seed)
            for label in self.people:
                own = embeddings[rng.permutation(np.flatnonzero(labels == label))[: max(NUMBERS)]]
                cosines = embeddings[labels != label] @ own.T
                for number in NUMBERS:
                    best[number].append(cosines[:, :number].max(axis=1))
                    cost = unit.find_handicaps(own[:number], np.zeros(number, dtype=np.int64))[0]
                    costs[number].append(np.full(len(cosines), cost, dtype=np.float32))
        self._best = {number: np.concatenate(parts) for number, parts in best.items()}
        self._costs = {number: np.concatenate(parts) for number, parts in costs.items()}
        self.searches = len(self._best[1])

    def count(self, threshold: float, handicap: float) -> dict[int, int]:
        """Return how many searches reach a threshold, by the number of templates."""
        return {n: int((self._best[n] - handicap * self._costs[n] >= threshold).sum()) for n in NUMBERS}

    def low(self) -> float:
        """Return the cosine that one in a thousand searches of one template reaches."""
        return float(np.quantile(self._best[1], 0.999))


def choose_handicap(reached: Reached) -> float:
    """Apply the rule."""
    for handicap in np.arange(0.0, 0.2, STEP):
        counts = reached.count(reached.low(), float(handicap))
        if counts[max(NUMBERS)] <= MOST * counts[1]:
            return round(float(handicap), 3)
    return 0.2


def mix(data: Embedded, spec: EngineSpec, balance: Balance, enrolled: Labels) -> list[str]:
    """Return lines of Markdown: for each target, single photos not recognised, by the number of templates."""
    found = data.found()
    embeddings, labels = data.embeddings[found], data.labels[found]
    strangers = embeddings[~np.isin(labels, enrolled)]
    own, others, numbers = [], [], []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        rows: list[int] = []
        probes: list[int] = []
        for label in enrolled:
            photos = rng.permutation(np.flatnonzero(labels == label)).tolist()
            number = min(len(photos) - 1, int(rng.choice(ENROLLED)))
            rows += photos[:number]
            probes += photos[number:]
            numbers += [number] * len(photos[number:])
        gallery, owners = embeddings[rows], labels[rows]
        answered = search(embeddings[probes], gallery, owners, balance=balance)
        own.append((answered, answered.best == labels[probes]))
        others.append(search(strangers, gallery, owners, balance=balance))
    lines = []
    for target in TARGETS:
        threshold = next(
            float(step)
            for step in np.arange(0.0, 1.0, 0.0005)
            if np.mean([each.recognised(float(step), spec.margin).mean() for each in others]) <= target
        )
        missed = ~np.concatenate([each.recognised(threshold, spec.margin) & right for each, right in own])
        by_number = [missed[np.array(numbers) == number].mean() for number in ENROLLED]
        cells = [f"{threshold:.3f}", _percent(missed.mean()), *map(_percent, by_number)]
        kind = "balanced" if balance.handicap else "the best counts"
        lines.append(f"| {spec.name} | {100 * target:g} % | {kind} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    names = (options.shared / "faces" / "lfw" / "gallery.txt").read_text().split()
    mixed = []
    print("| engine | cosine | searches | handicap | " + " | ".join(f"{number} templates" for number in NUMBERS) + " |")
    print("|---|---:|---:|---:|" + "---:|" * len(NUMBERS))
    for name in options.engine or ENGINES:
        spec = get_spec(name)
        data = embed_all(name, detector=spec.detector, shared=options.shared, workers=1)
        reached = Reached(data.embeddings[data.found()], data.labels[data.found()], spec.copy_threshold)
        for threshold in (spec.threshold, reached.low()):
            for handicap in (0.0, spec.handicap):
                counts = reached.count(threshold, handicap)
                told = [f"{count} ({count / max(1, counts[1]):.1f} x)" for count in counts.values()]
                print(f"| {name} | {threshold:.3f} | {reached.searches} | {handicap} | " + " | ".join(told) + " |")
        print(f"{name}: {len(reached.people)} people; the rule gives {choose_handicap(reached)}", flush=True)
        enrolled = np.array([number for number, person in enumerate(data.people) if person in names])
        mixed += mix(data, spec, NO_BALANCE, enrolled) + mix(data, spec, spec.balance, enrolled)
    heads = " | ".join(f"{number} templates" for number in ENROLLED)
    print(f"\n| engine | FPIR | similarity | threshold | FNMR | {heads} |\n|---|---:|---|---:|---:|" + "---:|" * 5)
    print("\n".join(mixed))


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


if __name__ == "__main__":
    main()
