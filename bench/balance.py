"""Does a person with many photos win by their number? Strangers against people of 1, 3, 5 and 10 templates.

Of each person of ``../shared/faces/lfw`` with ten photos or more, ten are enrolled, and all other people's photos are
strangers. Told is how often a stranger reaches the engine's threshold with one such person, with the first 1, 3, 5 and
10 of the templates: the best one counts, so each one more is one more chance. The number of templates is the bound.

    python -m bench.balance --engine openvino
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np

from bench import SHARED
from bench.accuracy import embed_all
from smartabsen.recognition.engines import get_spec

ENGINES: Final = ("dlib", "insightface", "openvino")
NUMBERS: Final = (1, 3, 5, 10)
DRAWS: Final = 20


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    print(
        "| engine | cosine | people | comparisons | " + " | ".join(f"{number} templates" for number in NUMBERS) + " |"
    )
    print("|---|---:|---:|---:|" + "---:|" * len(NUMBERS))
    for name in options.engine or ENGINES:
        spec = get_spec(name)
        data = embed_all(name, detector=spec.detector, shared=options.shared, workers=1)
        found = data.found()
        embeddings, labels = data.embeddings[found], data.labels[found]
        many = [label for label in np.unique(labels) if (labels == label).sum() >= max(NUMBERS)]
        # The engine's threshold, and one so low that enough strangers reach it to see a slope.
        for threshold in (spec.threshold, _low(embeddings, labels)):
            taken = dict.fromkeys(NUMBERS, 0)
            searches = 0
            for seed in range(DRAWS):
                rng = np.random.default_rng(seed)
                for label in many:
                    own = rng.permutation(np.flatnonzero(labels == label))
                    cosines = embeddings[labels != label] @ embeddings[own[: max(NUMBERS)]].T
                    searches += len(cosines)
                    for number in NUMBERS:
                        taken[number] += int((cosines[:, :number].max(axis=1) >= threshold).sum())
            told = [f"{taken[n]} ({taken[n] / max(1, taken[1]):.1f} x)" for n in NUMBERS]
            print(f"| {name} | {threshold:.3f} | {len(many)} | {searches} | " + " | ".join(told) + " |", flush=True)


def _low(embeddings: np.ndarray, labels: np.ndarray) -> float:
    """Return the cosine that one in a thousand pairs of two persons reaches."""
    upper = np.triu(labels[:, None] != labels[None, :], k=1)
    return float(np.quantile((embeddings @ embeddings.T)[upper], 0.999))


if __name__ == "__main__":
    main()
