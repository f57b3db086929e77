"""What people and scripts see of an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernel.i18n import _
from ..kernel.messages import fill
from .output import Column, Output

if TYPE_CHECKING:
    from ..gallery.evaluation_figures import Figure
    from ..gallery.evaluation_report import EvaluationReport, ScoredPair

Json = dict[str, object]

_SHOWN_PAIRS = 5


def as_json(report: EvaluationReport) -> Json:
    """Return the figures with their counts; a figure that is not claimed has no value."""
    from ..gallery.evaluation_figures import figures

    return {
        "source": report.source,
        "model": str(report.model),
        "detector": report.detector,
        "threshold": round(report.threshold, 4),
        "margin": round(report.margin, 4),
        "people": report.people,
        "photos": report.photos,
        "not_found": list(report.not_found),
        "figures": {figure.code: _figure(figure) for figure in figures(report)},
        "least_alike": [_pair(pair) for pair in report.worst_genuine],
        "most_alike": [_pair(pair) for pair in report.worst_impostor],
    }


def show(out: Output, report: EvaluationReport) -> None:
    """Print the figures, and the pairs that are hardest to tell apart."""
    from ..gallery.evaluation_figures import describe_figure, figures

    rows = [(fill(figure.label, figure.params), describe_figure(figure)) for figure in figures(report)]
    out.table((Column(_("Measure")), Column(_("Value and interval (95 %)"))), rows)
    for heading, pairs in (
        (_("Least alike photos of one person"), report.worst_genuine),
        (_("Most alike photos of two persons"), report.worst_impostor),
    ):
        if pairs:
            out.line()
            columns = (Column(heading), Column(_("Photo")), Column(_("Cosine"), number=True))
            out.table(
                columns,
                [
                    (
                        f"{p.first.person} / {p.second.person}",
                        f"{p.first.name} / {p.second.name}",
                        f"{p.similarity:.3f}",
                    )
                    for p in pairs[:_SHOWN_PAIRS]
                ],
            )
    if report.not_found:
        out.note(_("Without a face that was found: {photos}", photos=", ".join(report.not_found)))


def _figure(figure: Figure) -> Json:
    content: Json = {"claimed": figure.claimed}
    if not figure.claimed:
        return {**content, "trials": figure.trials}
    if figure.threshold is not None:
        content["threshold"] = round(figure.threshold, 4)
    if figure.value is not None:
        content["value"] = figure.value
    if figure.rate is None:
        return {**content, "trials": figure.trials}
    rate = figure.rate
    return {**content, "count": rate.count, "trials": rate.trials, "share": rate.share, "low": rate.low,
            "high": rate.high}  # fmt: skip


def _pair(pair: ScoredPair) -> Json:
    return {
        "first": {"person": pair.first.person, "photo": pair.first.photo},
        "second": {"person": pair.second.person, "photo": pair.second.photo},
        "similarity": round(pair.similarity, 4),
    }
