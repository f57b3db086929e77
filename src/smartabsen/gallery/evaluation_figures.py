"""The figures of an evaluation in the order in which people read them, for the terminal, JSON and the page alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log10
from typing import Final

from ..kernel.domain import Rate
from ..kernel.i18n import N_, _
from ..recognition.curves import FMR_TARGETS
from ..recognition.rates import supports
from .evaluation_report import EvaluationReport

FPIR_TARGETS: Final = (1e-2, 1e-3)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        code: Stable name for scripts.
        label: What it is; a message id with ``params``.
        rate: Count and trials; None for a figure that is no count.
        value: The figure where it is no count, 0..1; beside ``rate`` where that gives its interval.
        threshold: The threshold that it holds at, where there is one.
        claimed: False where there are too few trials to say anything of it.
        trials: Trials where it is no count.
    """

    code: str
    label: str
    params: tuple[tuple[str, str], ...] = ()
    rate: Rate | None = None
    value: float | None = None
    threshold: float | None = None
    claimed: bool = True
    trials: int = 0


def figures(report: EvaluationReport) -> tuple[Figure, ...]:
    """Return all figures that the report has."""
    return (*_acquisition(report), *_identification(report), *_verification(report), *_pairs(report))


def percent(share: float) -> str:
    """Return a share as text: two digits behind the point, of small ones the first two that are not 0."""
    digits = 2 if share >= 0.001 or share <= 0 else 1 - floor(log10(100 * share))
    return f"{100 * share:.{digits}f} %"


def describe_rate(rate: Rate) -> str:
    """Return a rate as people read it, never more than its trials can say."""
    places = {"count": rate.count, "trials": rate.trials}
    if not rate.trials:
        return _("no trials")
    if rate.count == 0:
        return _("0 of {trials}: below {high} (confidence 95 %)", **places, high=percent(rate.high))
    if rate.count == rate.trials:
        return _("all of {trials}: above {low} (confidence 95 %)", **places, low=percent(rate.low))
    share = percent(rate.count / rate.trials)
    return _("{share} ({low} to {high}; {count} of {trials})", **places, share=share, low=percent(rate.low),
             high=percent(rate.high))  # fmt: skip


def describe_figure(figure: Figure) -> str:
    """Return the value of a figure as people read it."""
    if not figure.claimed:
        return _("not claimed: {trials} trials are too few", trials=figure.trials)
    text = describe_rate(figure.rate) if figure.rate is not None else ""
    if figure.value is not None:
        share = percent(figure.value)
        text = _("{share}; FNMR there {rate}", share=share, rate=text) if text else share
    if figure.threshold is not None:
        return _("{text}, threshold {threshold}", text=text, threshold=f"{figure.threshold:.3f}")
    return text


def _acquisition(report: EvaluationReport) -> Iterator[Figure]:
    if report.fte is not None:
        yield Figure("fte", N_("Failure to enrol (FTE): photos that enrolment would refuse"), rate=report.fte)
    if report.fta is not None:
        yield Figure("fta", N_("Failure to acquire (FTA): photos that a kiosk would not compare"), rate=report.fta)


def _identification(report: EvaluationReport) -> Iterator[Figure]:
    scores, threshold, margin = report.scores, report.threshold, report.margin
    if scores is None:
        return
    people = (("people", str(scores.people)),)
    yield Figure("rank_1", N_("Rank 1 among {people} people"), people, rate=scores.rank_1)
    yield Figure(
        "fnir",
        N_("FNIR: people not recognised, at the threshold in force"),
        rate=scores.fnir(threshold, margin),
        threshold=threshold,
    )
    yield Figure(
        "misidentified",
        N_("People recognised as somebody else, at the threshold in force"),
        rate=scores.misidentified(threshold, margin),
    )
    yield Figure(
        "fpir",
        N_("FPIR: strangers recognised as one of {people}, at the threshold in force"),
        people,
        rate=scores.fpir(threshold, margin),
    )
    for target in FPIR_TARGETS:
        label = N_("FNIR where FPIR is {target}")
        params = (("target", percent(target)),)
        code = f"fnir_at_fpir_{target:g}"
        if supports(target, len(scores.labels)):
            chosen = scores.threshold_for_fpir(target, margin)
            yield Figure(code, label, params, rate=scores.fnir(chosen, margin), threshold=chosen)
        else:
            yield Figure(code, label, params, claimed=False, trials=len(scores.labels))


def _verification(report: EvaluationReport) -> Iterator[Figure]:
    verification = report.verification
    if verification is None:
        return
    equal = verification.equal_error_rate()
    if equal is not None:
        # Of the two rates, that of the pairs of one person is the uncertain one: there are fewer.
        yield Figure(
            "eer",
            N_("Equal error rate (EER) of all pairs"),
            value=equal.share,
            rate=equal.fnmr,
            threshold=equal.threshold,
        )
    for target in FMR_TARGETS:
        point = verification.tar_at(target)
        yield Figure(
            f"tar_at_fmr_{target:g}",
            N_("TAR at FMR {target}"),
            (("target", f"{target:g}"),),
            rate=point.tar,
            threshold=point.threshold if point.tar is not None else None,
            claimed=point.tar is not None,
            trials=verification.impostor_trials,
        )


def _pairs(report: EvaluationReport) -> Iterator[Figure]:
    pairs = report.pairs
    if pairs is None:
        return
    error = pairs.standard_error
    if error is None:
        yield Figure(
            "pairs_accuracy", N_("Accuracy on {pairs} pairs"), (("pairs", str(pairs.pairs)),), rate=pairs.correct
        )
        return
    yield Figure(
        "pairs_accuracy",
        N_("Accuracy on {pairs} pairs, mean of {folds} folds"),
        (("pairs", str(pairs.pairs)), ("folds", str(pairs.folds))),
        value=pairs.accuracy,
        trials=pairs.pairs,
    )
    yield Figure("pairs_standard_error", N_("Its standard error"), value=error, trials=pairs.folds)
    yield Figure("pairs_correct", N_("Pairs judged rightly"), rate=pairs.correct)
