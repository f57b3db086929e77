"""The figures of ``smartabsen evaluate`` for every engine, on ``../shared/faces/lfw``, from the embeddings kept in
``bench/out``: pairs in folds, and each photo searched among all others.

    python -m bench.evaluation --engine openvino
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from bench import ENGINES, SHARED
from bench.accuracy import embed_all
from smartabsen.gallery.evaluation_figures import describe_figure, figures
from smartabsen.gallery.evaluation_report import EvaluationReport, Sample
from smartabsen.gallery.pairs_file import read_pairs
from smartabsen.kernel.domain import ModelIdentity
from smartabsen.kernel.messages import fill
from smartabsen.recognition.curves import PairsResult, judge_pairs
from smartabsen.recognition.engines import get_spec
from smartabsen.recognition.scores import compare_gallery


def measure(name: str, shared: Path) -> EvaluationReport:
    """Return the report of one engine with its own detector."""
    spec = get_spec(name)
    data = embed_all(name, detector=spec.detector, shared=shared, workers=1)
    found = data.found()
    return EvaluationReport(
        source="",
        model=ModelIdentity(name, "0" * 64, data.embeddings.shape[1]),
        detector=spec.detector,
        threshold=spec.threshold,
        margin=spec.margin,
        people=len(set(data.labels[found].tolist())),
        photos=len(data.paths),
        fte=None,
        fta=None,
        not_found=tuple(str(path) for path, there in zip(data.paths, found, strict=True) if not there),
        samples=tuple(
            Sample(path.parent.name, str(path)) for path, there in zip(data.paths, found, strict=True) if there
        ),
        scores=compare_gallery(data.embeddings[found], data.labels[found], balance=spec.balance),
        pairs=_judge(shared / "faces" / "lfw", dict(zip(data.paths, data.embeddings, strict=True)), spec.threshold),
    )


def main() -> None:
    """Measure what was named and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    for name in (options.engine,) if options.engine else ENGINES:
        report = measure(name, options.shared)
        print(f"\n**{name} + {report.detector}**: {len(report.not_found)} of {report.photos} faces not found\n")
        print("| measure | value and interval (95 %) |\n|---|---|")
        for figure in figures(report):
            print(f"| {fill(figure.label, figure.params)} | {describe_figure(figure)} |")


def _judge(folder: Path, embeddings: dict[Path, np.ndarray], threshold: float) -> PairsResult:
    pairs = read_pairs(folder / "pairs.txt", folder)
    return judge_pairs(
        np.array([float(embeddings[pair.first] @ embeddings[pair.second]) for pair in pairs]),
        np.array([pair.same for pair in pairs]),
        np.array([pair.fold for pair in pairs]),
        fallback=threshold,
    )


if __name__ == "__main__":
    main()
