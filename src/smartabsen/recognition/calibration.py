"""Choosing threshold and margin for a gallery: from its own scores, and from reference scores where it has too few.

:func:`choose` is for a target that a person names, and may go below the engine's own threshold. What a training uses
without being asked is :func:`fit_people`: the reference for so many people, made stricter by what the people who are
enrolled say of themselves (:func:`measure_own`), and never slacker than the engine's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import AutomaticLimits, FloatArray, ModelIdentity, OwnScores, Rate
from .engine_specs import EngineSpec
from .engines import Engine
from .rates import fmr_for, fpir_of, supports
from .reference import ImpostorTable, find_table
from .scores import Scores, blocks, compare_gallery

STEP: Final = 0.005
"""Thresholds and margins are rounded up to this."""
MATED_FOR_MARGIN: Final = 200
"""Mated searches from which the gallery itself says how large the margin may be."""
KEPT_BY: Final = 0.99
"""The margin is half of what this share of the correct mated searches keep to the second person."""
LOOK_ALIKES: Final = 10
MOST_COMPARED: Final = 10_000
"""Templates that are compared with each other for an automatic threshold: of more people, so many are drawn."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Limits for one target.

    Attributes:
        target: FPIR aimed at: the share of strangers taken for somebody.
        comparisons: Of one search; see :class:`.scores.Scores`.
        threshold, margin: What a recognition shall need.
        fmr: False match rate of one comparison that the target allows.
        expected_fpir: 1 - (1 - FMR)^comparisons at the threshold, by the reference; None without one.
        is_bound: The threshold lies beyond the reference's end: ``expected_fpir`` is what it stays below.
        observed_fpir: Non-mated searches of the gallery itself that recognise somebody.
        fnir: Mated searches of the gallery itself that do not recognise their person: expected false rejections.
        shift: By how much the threshold lies above the reference's, since these people look more alike.
        contradicted: More of the gallery's own searches find somebody else than the target allows, with 95 %
            confidence.
        promised: Whether the data can support the target at all, and do not contradict it.
        least_target: The smallest FPIR that they can support.
    """

    target: float
    comparisons: int
    threshold: float
    margin: float
    fmr: float
    expected_fpir: float | None
    is_bound: bool
    observed_fpir: Rate
    fnir: Rate
    shift: float
    contradicted: bool
    promised: bool
    least_target: float


def choose(
    scores: Scores,
    table: ImpostorTable | None,
    *,
    target: float,
    engine_threshold: float,
    engine_margin: float,
    growth: float = 1.0,
) -> Choice:
    """Choose the lowest threshold that keeps the target by everything that is known.

    With the engine's balance a person of several templates is reached about as often as one of one, and is one
    comparison. Without it each template is one. Where nothing that is known supports the target, the threshold is the
    engine's own at least: silence is no proof.

    Args:
        scores: The gallery against itself.
        table: Reference scores of the engine; None where there are none for it.
        target: FPIR, 0..1.
        engine_threshold: The engine's threshold.
        engine_margin: The engine's margin, where the gallery is too small to tell.
        growth: Choose for so many times the people.
    """
    comparisons = max(1, round(scores.comparisons * growth))
    margin = _choose_margin(scores, engine_margin)
    fmr = fmr_for(target, comparisons)
    supported = []
    candidates = []
    least = 1.0
    shift = 0.0
    if table is not None:
        shift = table.shift_for(scores.impostor)
        candidates.append(table.score_at(fmr) + shift)
        supported.append(fmr >= table.least_fmr)
        least = fpir_of(table.least_fmr, comparisons)
    # The gallery's own strangers speak for its own size only.
    if growth <= 1.0:
        own = supports(target, len(scores.labels))
        supported.append(own)
        if own or table is None:
            candidates.append(scores.threshold_for_fpir(target, margin))
        least = min(least, 10 / max(10, len(scores.labels)))
    if candidates and not any(supported):
        candidates.append(engine_threshold)
    threshold = min(1.0 - STEP, _round_up(max(candidates))) if candidates else 1.0 - STEP
    observed = scores.fpir(threshold, margin)
    contradicted = observed.low > target
    return Choice(
        target=target,
        comparisons=comparisons,
        threshold=threshold,
        margin=margin,
        fmr=fmr,
        expected_fpir=expect_fpir(table, threshold - shift, comparisons),
        is_bound=table is not None and threshold - shift > table.levels[-1][1],
        observed_fpir=observed,
        fnir=scores.fnir(threshold, margin),
        shift=shift,
        contradicted=contradicted,
        promised=any(supported) and not contradicted,
        least_target=least,
    )


def threshold_for(
    table: ImpostorTable, people: int, *, target: float, engine_threshold: float, shift: float = 0.0
) -> float:
    """Return the cosine that keeps an FPIR among ``people`` by the reference, the engine's own threshold at least."""
    wanted = _round_up(table.score_at(fmr_for(target, people)) + shift)
    return min(1.0 - STEP, max(engine_threshold, wanted))


def measure_own(
    embeddings: FloatArray,
    labels: NDArray[np.int64],
    *,
    model: ModelIdentity,
    engine: Engine | EngineSpec,
    target: float,
) -> OwnScores:
    """Compare the people of a gallery with each other, for :func:`fit_people`.

    Of two who reach the engine's duplicate threshold one is left out: somebody under two codes, or a photo in the wrong
    place, is for a person to mend, and no reason to refuse everybody else.

    Args:
        embeddings: float32 (N, D), rows of unit length.
        labels: int64 (N,), not negative.
        model: Whose embeddings.
        engine: The engine, or what is known of it.
        target: FPIR.
    """
    rows = _draw_people(labels)
    embeddings, labels = embeddings[rows], labels[rows]
    twice = _probably_twice(embeddings, labels, engine.duplicate_threshold)
    kept = ~np.isin(labels, list(twice))
    scores = compare_gallery(embeddings[kept], labels[kept], balance=engine.balance)
    table = find_table(model)
    own = None
    if supports(target, len(scores.labels)):
        own = _round_up(scores.threshold_for_fpir(target, engine.margin))
    shift = 0.0 if table is None else table.shift_for(scores.impostor)
    return OwnScores(model, scores.people, len(scores.labels), shift, own, len(twice))


def fit_people(
    people: int, *, model: ModelIdentity, engine: Engine | EngineSpec, target: float, own: OwnScores | None
) -> AutomaticLimits:
    """Return the threshold for so many people: the highest of the engine's own, the reference's and the people's.

    Args:
        people: Of the gallery.
        model: Whose embeddings.
        engine: The engine, or what is known of it.
        target: FPIR.
        own: What the people of the gallery say; None where that was not measured. That of another model says nothing.
    """
    people = max(1, people)
    if own is not None and own.model != model:
        own = None
    table = find_table(model)
    reference = verification = None
    asked = [] if own is None or own.threshold is None else [own.threshold]
    if table is not None:
        shift = 0.0 if own is None else own.shift
        reference = _round_up(table.score_at(fmr_for(target, people)))
        if shift > 0.0:
            asked.append(_round_up(table.score_at(fmr_for(target, people)) + shift))
        verification = _round_up(table.score_at(target) + shift)
    most = max(asked, default=None)
    stricter = most if most is not None and most > max(engine.threshold, reference or -1.0) else None
    threshold = min(1.0 - STEP, max(one for one in (engine.threshold, reference, stricter) if one is not None))
    return AutomaticLimits(
        people=people,
        target_fpir=target,
        threshold=threshold,
        engine=engine.threshold,
        reference=reference,
        own=stricter,
        verification=verification,
        source="" if table is None else table.source,
        pairs=0 if table is None else table.pairs,
        is_bound=table is not None and fmr_for(target, people) < table.least_fmr,
    )


def _draw_people(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the rows, bool (N,), of all people, or of as many as have :data:`MOST_COMPARED` templates."""
    if len(labels) <= MOST_COMPARED:
        return np.ones(len(labels), dtype=np.bool_)
    people, counts = np.unique(labels, return_counts=True)
    # Always the same ones of the same people: a training that is repeated says the same.
    order = np.random.default_rng(0).permutation(len(people))
    return np.isin(labels, people[order][np.cumsum(counts[order]) <= MOST_COMPARED])


def _probably_twice(embeddings: FloatArray, labels: NDArray[np.int64], threshold: float) -> set[int]:
    twice: set[int] = set()
    for rows, cosines in blocks(embeddings):
        place, column = np.nonzero((cosines >= threshold) & (labels[rows][:, None] < labels[None, :]))
        for first, second in sorted(zip(labels[rows][place].tolist(), labels[column].tolist(), strict=True)):
            if first not in twice:
                twice.add(second)
    return twice


def expect_fpir(table: ImpostorTable | None, threshold: float, comparisons: int) -> float | None:
    """Return the FPIR of a threshold among ``comparisons`` by the reference, at its end at least; None without one."""
    return None if table is None else fpir_of(table.fmr_at(threshold), comparisons)


def _choose_margin(scores: Scores, engine_margin: float) -> float:
    right = np.isfinite(scores.own) & (scores.own >= scores.other)
    if right.sum() < MATED_FOR_MARGIN or not np.isfinite(scores.other[right]).all():
        return engine_margin
    leads = (scores.own - scores.other)[right]
    # Never above the engine's: a larger one would refuse people for no measured reason.
    return min(engine_margin, _round_up(float(np.quantile(leads, 1.0 - KEPT_BY)) / 2))


def _round_up(value: float) -> float:
    return round(float(np.ceil(round(value / STEP, 6))) * STEP, 3)
