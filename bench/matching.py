"""Comparing one probe with 1,000 to 1,000,000 templates: our matchers, NumPy's exact search and faiss's flat index.

No real gallery is that large. The templates are drawn like real ones: people from a normal distribution with the mean
and covariance of the people of ``../shared/faces/lfw`` in an engine's embeddings, five templates each around the person
with the covariance of real photos around theirs. The head of the table says how near the drawn cosines come to real
ones.

Half of the probes are further pictures of enrolled people, half are strangers. The threshold is the one that 1 % of
these strangers reach, as a calibration for so many people would choose; the margin is the engine's. *Recall* is the
share of all probes with the same outcome, and the same person where one is recognised, as the exact search; *all* is
the share that bits could not decide and that was compared with everybody. Times are of one probe at a time with one
thread, the shortest of three: processor time, so that others on the machine count little. The real gallery of the
photos themselves is the last row.

    python -m bench.matching --engine insightface --sizes 1000,10000
"""

from __future__ import annotations

import argparse
import gc
import secrets
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from bench import ENGINES, SHARED
from bench.accuracy import Embedded, Floats, Labels, embed_all
from smartabsen.gallery.model_file import load_model, make_trained_model, save_model
from smartabsen.kernel.domain import Match, ModelIdentity, Outcome
from smartabsen.recognition.balance import Balance
from smartabsen.recognition.engine_specs import EngineSpec
from smartabsen.recognition.engines import get_spec
from smartabsen.recognition.matchers import MATCHERS
from smartabsen.recognition.matchers.binary import BITS, SETS
from smartabsen.recognition.runtime import limit_threads
from smartabsen.trust.sealing import KeyRing, key_id_of

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
EACH: Final = 5
PROBES: Final = 200
MATCHERS_UP_TO: Final = {"knn": 10_000, "exact": 1_000_000, "binary": 1_000_000, "auto": 1_000_000}
"""The largest gallery that each is timed with."""
STRANGERS_REACH: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """A gallery, probes of people in it, and strangers; all rows of unit length."""

    templates: Floats
    labels: Labels
    genuine: Floats
    strangers: Floats

    @property
    def probes(self) -> Floats:
        return np.concatenate([self.genuine, self.strangers])


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one gallery: milliseconds of a probe, seconds to build; shares are 0..1."""

    size: int
    method: str
    median_ms: float
    p99_ms: float
    fit_s: float
    recall: float | None
    compared_with_all: float | None


class Population:
    """Draws people like those whose photos were embedded."""

    def __init__(self, data: Embedded) -> None:
        found = data.found()
        embeddings, labels = data.embeddings[found].astype(np.float64), data.labels[found]
        people, owner, counts = np.unique(labels, return_inverse=True, return_counts=True)
        means = np.zeros((len(people), embeddings.shape[1]))
        np.add.at(means, owner, embeddings)
        means /= counts[:, None]
        several = counts[owner] > 1
        spread = (embeddings - means[owner])[several] * np.sqrt(counts / np.maximum(counts - 1, 1))[owner][
            several, None
        ]
        self._mean = means.mean(axis=0)
        self._between, self._within = _root(np.cov(means.T)), _root(np.cov(spread.T))
        self.dimension = embeddings.shape[1]
        same = labels[:, None] == labels[None, :]
        cosines = embeddings @ embeddings.T
        self.real_impostor = (float(cosines[~same].mean()), float(cosines[~same].std()))
        self.real_genuine = float(cosines[same & ~np.eye(len(labels), dtype=bool)].mean())

    def draw(self, size: int, *, seed: int = 0) -> Crowd:
        """Draw a gallery of ``size`` templates with its probes."""
        rng = np.random.default_rng(seed)
        people = size // EACH
        known, unknown = min(PROBES // 2, people), PROBES // 2
        templates = np.empty((size, self.dimension), dtype=np.float32)
        genuine = np.empty((known, self.dimension), dtype=np.float32)
        step = 10_000
        for start in range(0, people, step):
            centres = self._people(min(step, people - start), rng)
            templates[start * EACH : (start + len(centres)) * EACH] = self._photos(
                np.repeat(centres, EACH, axis=0), rng
            )
            if start == 0:
                genuine[:] = self._photos(centres[:known], rng)
        strangers = self._photos(self._people(unknown, rng), rng)
        return Crowd(templates, np.repeat(np.arange(1, people + 1), EACH), genuine, strangers)

    def _people(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self._mean + rng.standard_normal((count, self.dimension)) @ self._between

    def _photos(self, centres: NDArray[np.float64], rng: np.random.Generator) -> Floats:
        photos = centres + rng.standard_normal(centres.shape) @ self._within
        return (photos / np.linalg.norm(photos, axis=1, keepdims=True)).astype(np.float32)


def measure(crowd: Crowd, *, spec: EngineSpec) -> list[Row]:
    """Time all methods on one gallery, in turns: what else the machine does meets all of them alike."""
    size, margin = len(crowd.labels), spec.margin
    truth = MATCHERS.get_factory("exact")(balance=spec.balance)
    truth.fit(crowd.templates, crowd.labels)
    reached = [match.similarity for match in truth.match(crowd.strangers, threshold=1.0, margin=margin)]
    threshold = float(np.quantile(reached, 1 - STRANGERS_REACH))
    wanted = truth.match(crowd.probes, threshold=threshold, margin=margin)
    methods = [Method("NumPy exact", partial(_search_numpy, crowd.templates))]
    start = perf_counter()
    flat: Any = faiss.IndexFlatIP(crowd.templates.shape[1])
    flat.add(crowd.templates)
    methods.append(Method("faiss flat", partial(_search_flat, flat), perf_counter() - start))
    for name, most in MATCHERS_UP_TO.items():
        if size <= most:
            methods.append(_prepare(name, crowd, wanted, threshold=threshold, spec=spec))
    for probe in crowd.probes:
        for method in methods:
            method.time(probe[None])
    known = len(crowd.genuine)
    rows = []
    for method in methods:
        rows.append(method.row(size, method.name, method.times))
        if method.name.startswith("binary"):
            rows.append(method.row(size, "binary, people", method.times[:known]))
            rows.append(method.row(size, "binary, strangers", method.times[known:]))
    return rows


class Method:
    """One way to search: its times, and what is known of it."""

    def __init__(self, name: str, ask: Callable[[Floats], object], fit_s: float = 0.0) -> None:
        self.name, self.fit_s = name, fit_s
        self.recall: float | None = None
        self.compared_with_all: float | None = None
        self.times: list[float] = []
        self._ask = ask

    def time(self, probe: Floats) -> None:
        """Time a probe (1, D): the shortest of three searches."""
        best = float("inf")
        for _ in range(3):
            start = process_time()
            self._ask(probe)
            best = min(best, process_time() - start)
        self.times.append(1e3 * best)

    def row(self, size: int, name: str, times: list[float]) -> Row:
        """Return the figures."""
        p99 = float(np.quantile(times, 0.99))
        recall, with_all = (self.recall, self.compared_with_all) if name == self.name else (None, None)
        return Row(size, name, median(times), p99, self.fit_s, recall, with_all)


def _prepare(name: str, crowd: Crowd, wanted: tuple[Match, ...], *, threshold: float, spec: EngineSpec) -> Method:
    """Fit a matcher, and compare its decisions with those of the exact search."""
    matcher: Any = MATCHERS.get_factory(name)(balance=spec.balance)
    start = perf_counter()
    matcher.fit(crowd.templates, crowd.labels)
    fit_s = perf_counter() - start
    ask = partial(matcher.match, threshold=threshold, margin=spec.margin)
    method = Method(f"auto ({matcher.chosen})" if name == "auto" else name, ask, fit_s)
    alike = [
        one.outcome is other.outcome and (one.outcome is not Outcome.RECOGNIZED or one.label == other.label)
        for one, other in zip(ask(crowd.probes), wanted, strict=True)
    ]
    method.recall = float(np.mean(alike))
    if name == "binary":
        method.compared_with_all = matcher.compared_with_all / len(crowd.probes)
    return method


def measure_changes(crowd: Crowd, balance: Balance) -> dict[str, float]:
    """Return the milliseconds of adding and of removing one person, the arrays copied before, and of a new fit."""
    matcher = MATCHERS.get_factory("binary")(balance=balance)
    start = perf_counter()
    matcher.fit(crowd.templates, crowd.labels)
    fitted = perf_counter()
    label = np.full(EACH, crowd.labels.max() + 1)
    matcher.add(crowd.strangers[:EACH], label)
    first = perf_counter()
    matcher.add(crowd.strangers[EACH : 2 * EACH], label + 1)
    added = perf_counter()
    matcher.remove(label[:1])
    removed = perf_counter()
    return {
        "fit": 1e3 * (fitted - start),
        "first add": 1e3 * (first - fitted),
        "add": 1e3 * (added - first),
        "remove": 1e3 * (removed - added),
    }


def megabytes(crowd: Crowd) -> str:
    """Return what a gallery takes in memory: the embeddings, and the bits beside them."""
    return (
        f"{crowd.templates.nbytes / 1e6:.0f} MB of embeddings, {SETS * len(crowd.labels) * BITS / 8e6:.1f} MB of bits"
    )


def measure_load(crowd: Crowd) -> float:
    """Return the seconds to read, open and check the trained model's sealed file."""
    trained = make_trained_model(
        model=ModelIdentity("bench", "0" * 64, crowd.templates.shape[1]),
        matcher="auto",
        k=0,
        threshold=0.5,
        margin=0.1,
        leave_one_out_accuracy=None,
        trained_at=datetime.now(UTC),
        embeddings=crowd.templates,
        employee_ids=crowd.labels,
        template_ids=np.arange(1, len(crowd.labels) + 1),
        people={},
    )
    with tempfile.TemporaryDirectory() as folder:
        key = secrets.token_bytes(32)
        ring = KeyRing.of({key_id_of(key): key}, active=key_id_of(key), place="the benchmark")
        save_model(Path(folder), trained, ring)
        start = perf_counter()
        load_model(Path(folder), ring)
        return perf_counter() - start


def real_crowd(data: Embedded) -> Crowd:
    """Return the photos themselves: people with several photos enrolled with all but one, the others strangers."""
    found = data.found()
    embeddings, labels = data.embeddings[found], data.labels[found]
    several = np.bincount(labels)[labels] > 1
    last = np.append(labels[1:] != labels[:-1], True)
    enrolled = several & ~last
    return Crowd(embeddings[enrolled], labels[enrolled], embeddings[several & last], embeddings[~several])


def as_markdown(rows: list[Row]) -> str:
    """Return a table; ratios are to NumPy's exact search and to faiss's flat index on the same gallery."""
    head = "| templates | method | median ms | p99 ms | to NumPy | to faiss flat | build s | recall | all |"
    lines = [head, "|---:|---|" + "---:|" * 7]
    for row in rows:
        numpy_ms, flat_ms = (
            next(one.median_ms for one in rows if one.size == row.size and one.method == name)
            for name in ("NumPy exact", "faiss flat")
        )
        recall = "" if row.recall is None else f"{row.recall:.4f}"
        with_all = "" if row.compared_with_all is None else f"{100 * row.compared_with_all:.1f} %"
        lines.append(
            f"| {row.size:,} | {row.method} | {row.median_ms:.3f} | {row.p99_ms:.3f} | {row.median_ms / numpy_ms:.3f} "
            f"| {row.median_ms / flat_ms:.3f} | {row.fit_s:.3f} | {recall} | {with_all} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure the engines and sizes that were named, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES, default="insightface")
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=SIZES)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    spec = get_spec(options.engine)
    limit_threads(1)
    faiss.omp_set_num_threads(1)
    data = embed_all(options.engine, detector=spec.detector, shared=options.shared, workers=1)
    population = Population(data)
    rows: list[Row] = []
    notes: list[str] = []
    for size in options.sizes:
        print(f"{size} templates ...", file=sys.stderr)
        crowd = population.draw(size)
        drawn = crowd.strangers @ crowd.templates[:5_000].T
        notes.append(
            f"- {size:,}: drawn impostor cosines {drawn.mean():.3f} ± {drawn.std():.3f} (real "
            f"{population.real_impostor[0]:.3f} ± {population.real_impostor[1]:.3f}); {megabytes(crowd)}; "
            f"reading and checking the file "
            f"{measure_load(crowd):.2f} s; changes in ms: "
            + ", ".join(f"{name} {value:.1f}" for name, value in measure_changes(crowd, spec.balance).items())
        )
        rows += measure(crowd, spec=spec)
        del crowd
        gc.collect()
    rows += measure(real_crowd(data), spec=spec)
    print(f"Engine {options.engine}, {population.dimension} numbers.\n\n" + "\n".join(notes) + "\n")
    print(as_markdown(rows))


def _search_numpy(templates: Floats, probe: Floats) -> object:
    return (templates @ probe[0]).argmax()


def _search_flat(index: Any, probe: Floats) -> object:
    return index.search(probe, 2 * EACH)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix that gives standard normal rows this covariance."""
    root: NDArray[np.float64] = np.linalg.cholesky(covariance + 1e-8 * np.eye(len(covariance))).T
    return root


if __name__ == "__main__":
    main()
