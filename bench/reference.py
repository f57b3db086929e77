"""Measure the reference impostor scores that are shipped with the package, and check calibration on held-out strangers.

``--write`` makes ``src/smartabsen/recognition/data/impostors.json`` anew from all photos of ``../shared/faces/lfw``;
with ``--engine`` the tables of the other engines stay as they are.

Without it, calibration is checked on people it has not seen. In each of ten draws people are split into three parts:
a reference table is made of the first, 60 people of the second are enrolled with three photos each (fewer where there
are fewer) and calibrated for with that table, and all photos of the third are strangers. Told are the target and what
share of the strangers was recognised as somebody at the calibrated threshold and margin; and the same at what a
training takes by itself, which is never below the engine's own threshold. ``--reference-share`` makes the reference of
more of the people, so that it reaches further, and leaves fewer strangers.

    python -m bench.reference --engine openvino --reference-share 0.75
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import ENGINES, SHARED
from bench.accuracy import Embedded, Floats, Labels, Search, embed_all, search
from smartabsen.kernel.domain import Rate
from smartabsen.recognition.calibration import choose, threshold_for
from smartabsen.recognition.catalog import PACKS
from smartabsen.recognition.engine_specs import EngineSpec
from smartabsen.recognition.engines import build_engine, get_spec
from smartabsen.recognition.rates import EXPECTED_ERRORS
from smartabsen.recognition.reference import PATH, ImpostorTable
from smartabsen.recognition.scores import compare_gallery

LEVELS_A_DECADE: Final = 4
DRAWS: Final = 10
ENROLLED_PEOPLE, ENROLLED_PHOTOS = 60, 3
TARGETS: Final = (0.01, 0.003, 0.001)
SOURCE: Final = (
    "2,451 photos of 1,241 people of Labeled Faces in the Wild (Huang et al., 2007), every pair of two persons once; "
    "mostly Western faces"
)


def make_table(engine: str, digests: tuple[str, ...], embeddings: Floats, labels: Labels) -> ImpostorTable:
    """Measure the table of one engine."""
    upper = np.triu(labels[:, None] != labels[None, :], k=1)
    cosines = np.sort((embeddings @ embeddings.T)[upper])[::-1]
    least = EXPECTED_ERRORS / len(cosines)
    count = int(np.floor(-np.log10(least) * LEVELS_A_DECADE))
    shares = [10 ** (-number / LEVELS_A_DECADE) for number in range(1, count + 1)]
    levels = tuple((share, round(float(cosines[int(share * len(cosines))]), 4)) for share in shares)
    return ImpostorTable(engine, digests, SOURCE, len(np.unique(labels)), len(labels), len(cosines), levels)


def write(names: tuple[str, ...], shared: Path) -> None:
    """Measure engines and write the file of the package; the tables of those that are not named stay."""
    stored = {table["engine"]: table for table in json.loads(PATH.read_text(encoding="utf-8"))["tables"]}
    tables = {**stored, **{name: _measured(name, shared) for name in names}}
    content = {
        "about": "Cosines that shares of the impostor pairs reach; made by python -m bench.reference --write",
        "tables": [tables[name] for name in ENGINES if name in tables],
    }
    PATH.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _measured(name: str, shared: Path) -> dict[str, Any]:
    data = embed_all(name, detector=get_spec(name).detector, shared=shared, workers=1)
    with build_engine(name, models_dir=shared / "models", threads=1) as engine:
        digests = [engine.identity.digest]
    if name == "insightface":
        # The published file of the network that was measured, which was restored from a quantised copy.
        published = next(file.sha256 for file in PACKS["buffalo_sc"].files if "w600k_mbf" in file.path)
        digests.append(hashlib.sha256(f"{published} arcface_112".encode()).hexdigest())
    found = data.found()
    table = make_table(name, tuple(digests), data.embeddings[found], data.labels[found])
    return {
        "engine": table.engine,
        "digests": list(table.digests),
        "source": table.source,
        "people": table.people,
        "photos": table.photos,
        "pairs": table.pairs,
        "levels": [[float(f"{share:.3g}"), score] for share, score in table.levels],
    }


@dataclass(slots=True)
class Tally:
    """What one rule did in all draws."""

    taken: int = 0
    strangers: int = 0
    missed: int = 0
    probes: int = 0
    thresholds: list[float] = field(default_factory=list)

    def count(self, outside: Search, own: Search, owners: Labels, limits: tuple[float, float]) -> None:
        """Count one draw at a threshold and margin."""
        self.taken += int(outside.recognised(*limits).sum())
        self.strangers += len(outside.best)
        self.missed += int((~(own.recognised(*limits) & (own.best == owners))).sum())
        self.probes += len(owners)
        self.thresholds.append(limits[0])

    def __str__(self) -> str:
        """Return the cells of a row: strangers recognised, enrolled people not recognised, the mean threshold."""
        rates = (Rate(self.taken, self.strangers), Rate(self.missed, self.probes))
        return f"{_text(rates[0])} | {_text(rates[1])} | {np.mean(self.thresholds):.3f}"


def check(data: Embedded, spec: EngineSpec, *, target: float, share: float, count: int) -> tuple[Tally, Tally, int]:
    """Return what calibration and the automatic threshold did, and draws in which calibration promised the target."""
    found = data.found()
    embeddings, labels, balance = data.embeddings[found], data.labels[found], spec.balance
    calibrated, automatic, promised = Tally(), Tally(), 0
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        people = rng.permutation(np.unique(labels))
        several = np.array([np.sum(labels == person) > 1 for person in people])
        # Who has one photo only cannot be a probe: reference and strangers come from everybody.
        enrolled = people[several][:count]
        rest = people[~np.isin(people, enrolled)]
        split = round(share * len(rest))
        inside = np.isin(labels, rest[:split])
        table = make_table("held out", (), embeddings[inside], labels[inside])
        rows = np.concatenate([np.flatnonzero(labels == person)[:ENROLLED_PHOTOS] for person in enrolled])
        rows = np.concatenate([part[: max(1, len(part) - 1)] for part in _by_person(rows, labels)])
        scores = compare_gallery(embeddings[rows], labels[rows], balance=balance)
        choice = choose(scores, table, target=target, engine_threshold=spec.threshold, engine_margin=spec.margin)
        promised += choice.promised
        outside = search(embeddings[np.isin(labels, rest[split:])], embeddings[rows], labels[rows], balance=balance)
        others = np.setdiff1d(np.flatnonzero(np.isin(labels, enrolled)), rows)
        own = search(embeddings[others], embeddings[rows], labels[rows], balance=balance)
        calibrated.count(outside, own, labels[others], (choice.threshold, choice.margin))
        by_itself = threshold_for(
            table, len(enrolled), target=target, engine_threshold=spec.threshold, shift=table.shift_for(scores.impostor)
        )
        automatic.count(outside, own, labels[others], (by_itself, spec.margin))
    return calibrated, automatic, promised


def main() -> None:
    """Write the tables, or check calibration and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--reference-share", type=float, default=0.5, help="of the people who are not enrolled")
    parser.add_argument("--people", type=int, default=ENROLLED_PEOPLE, help="who are enrolled")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    names = (options.engine,) if options.engine else ENGINES
    if options.write:
        write(names, options.shared)
        return
    print("| engine | target FPIR | rule | observed FPIR (95 % interval) | FNIR | mean threshold | promised |")
    print("|---|---:|---|---|---|---:|---:|")
    for name in names:
        spec = get_spec(name)
        data = embed_all(name, detector=spec.detector, shared=options.shared, workers=1)
        for target in TARGETS:
            calibrated, automatic, promised = check(
                data, spec, target=target, share=options.reference_share, count=options.people
            )
            print(f"| {name} | {100 * target:.1f} % | calibrate | {calibrated} | {promised} of {DRAWS} |")
            print(f"| {name} | {100 * target:.1f} % | automatic | {automatic} | |")


def _by_person(rows: Labels, labels: Labels) -> list[Labels]:
    return [rows[labels[rows] == person] for person in dict.fromkeys(labels[rows].tolist())]


def _text(rate: Rate) -> str:
    share = rate.share or 0.0
    return f"{100 * share:.2f} % ({100 * rate.low:.2f} to {100 * rate.high:.2f}; {rate.count} of {rate.trials})"


if __name__ == "__main__":
    main()
