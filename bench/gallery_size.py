"""Does FPIR = 1 - (1 - FMR)^N hold on real faces? Galleries of N people, and everybody else as strangers.

In each of ten draws N people of ``../shared/faces/lfw`` are enrolled with one photo each, and all photos of all others
are searched, without a margin. The threshold is the cosine that a share FMR of *all* pairs of two persons reaches, so
the formula has the right FMR on average; what it assumes beyond that, and faces need not keep, is that each comparison
errs independently. Told is the formula's FPIR beside the share of strangers that reach the threshold with anybody.

    python -m bench.gallery_size --engine openvino
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench import ENGINES, SHARED
from bench.accuracy import Floats, Labels, embed_all
from smartabsen.kernel.domain import Rate
from smartabsen.recognition.engines import get_spec
from smartabsen.recognition.rates import fpir_of

PEOPLE: Final = (10, 60, 200, 600)
FMRS: Final = (1e-3, 1e-4, 1e-5)
DRAWS: Final = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """One size at one threshold.

    Attributes:
        fmr: Share of all pairs of two persons that reach the threshold.
        people: Enrolled, one template each.
        formula: 1 - (1 - FMR)^people.
        observed: Strangers that reach it with somebody.
    """

    fmr: float
    people: int
    formula: float
    observed: Rate


def simulate(embeddings: Floats, labels: Labels) -> list[Comparison]:
    """Compare formula and simulation for all sizes and rates."""
    cosines = embeddings @ embeddings.T
    impostor = np.sort(cosines[np.triu(labels[:, None] != labels[None, :], k=1)])[::-1]
    people = np.unique(labels)
    found = []
    for fmr in FMRS:
        threshold = impostor[max(1, round(fmr * len(impostor))) - 1]
        for count in PEOPLE:
            passed = strangers = 0
            for seed in range(DRAWS):
                rng = np.random.default_rng(seed)
                enrolled = rng.permutation(people)[:count]
                rows = np.array([rng.choice(np.flatnonzero(labels == person)) for person in enrolled])
                outside = ~np.isin(labels, enrolled)
                best = cosines[np.ix_(outside, rows)].max(axis=1)
                passed += int((best >= threshold).sum())
                strangers += len(best)
            found.append(Comparison(fmr, count, fpir_of(fmr, count), Rate(passed, strangers)))
    return found


def main() -> None:
    """Simulate what was named and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    print("| engine | FMR | people | 1 - (1 - FMR)^N | observed FPIR (95 % interval) | observed / formula |")
    print("|---|---:|---:|---:|---|---:|")
    for name in (options.engine,) if options.engine else ENGINES:
        data = embed_all(name, detector=get_spec(name).detector, shared=options.shared, workers=1)
        found = data.found()
        for each in simulate(data.embeddings[found], data.labels[found]):
            rate = each.observed
            share = rate.share or 0.0
            print(
                f"| {name} | {each.fmr:g} | {each.people} | {100 * each.formula:.2f} % | {100 * share:.2f} % "
                f"({100 * rate.low:.2f} to {100 * rate.high:.2f}; {rate.count} of {rate.trials}) "
                f"| {share / each.formula:.2f} |"
            )


if __name__ == "__main__":
    main()
