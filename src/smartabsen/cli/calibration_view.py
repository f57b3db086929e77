"""What people and scripts see of a calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..i18n import _
from . import data
from .output import Column, Output

if TYPE_CHECKING:
    from ..core.calibrate import CalibrationChoice, CalibrationReport

Json = dict[str, object]


def as_json(report: CalibrationReport) -> Json:
    """Return the choice with what it rests on."""
    record = report.record
    return {
        "stored": report.stored,
        "model": str(record.model),
        "gallery_hash": record.gallery_hash,
        "people": record.people,
        "source": report.source,
        "before": {"threshold": report.before[0], "margin": report.before[1], "fnir": _rate(report.fnir_before)},
        "choice": _choice(report.choice),
        "grown": [
            {**_choice(choice), "fpir_at_present_threshold": left}
            for choice, left in zip(report.grown, report.left_alone, strict=True)
        ],
        "look_alikes": [
            {
                "employee": data.person(each.employee),
                "other": data.person(each.taken_for),
                "similarity": round(each.similarity, 4),
                "perhaps_one_person": each.similarity >= report.duplicate_threshold,
            }
            for each in report.look_alikes
        ],
    }


def show(out: Output, report: CalibrationReport) -> None:
    """Print the choice, who looks alike, and what growth would change."""
    from ..core.evaluation_figures import describe_rate, percent

    choice, record = report.choice, report.record
    expected = _fpir(choice.expected_fpir, choice.is_bound)
    facts = (
        (_("People, templates"), f"{record.people}, {record.templates}"),
        (_("Strangers taken for somebody (FPIR), target"), percent(choice.target)),
        (_("Allowed in one comparison (FMR)"), f"{choice.fmr:.2g}"),
        (_("Threshold and margin"), f"{choice.threshold:.3f} / {choice.margin:.3f}"),
        (_("Threshold and margin before"), f"{report.before[0]:.3f} / {report.before[1]:.3f}"),
        (_("FPIR expected: 1 - (1 - FMR)^templates"), expected),
        (_("FPIR of this gallery itself"), describe_rate(choice.observed_fpir)),
        (_("False rejections expected (FNIR)"), describe_rate(choice.fnir)),
        (_("False rejections before"), describe_rate(report.fnir_before)),
        (_("These people against the reference"), f"+{choice.shift:.3f}"),
    )
    out.table((Column(_("Measure")), Column(_("Value and interval (95 %)"))), facts)
    if report.look_alikes:
        out.line()
        columns = (
            Column(_("Look alike")),
            Column(_("Code"), whole=True),
            Column(_("Cosine"), number=True),
            Column(_("One person twice?"), whole=True),
        )
        out.table(
            columns,
            [
                (
                    f"{a.name} / {b.name}",
                    f"{a.code} / {b.code}",
                    f"{each.similarity:.3f}",
                    _twice(report, each.similarity),
                )
                for each in report.look_alikes
                for a, b in [(each.employee, each.taken_for)]
            ],
        )
    out.line()
    out.table(
        (
            Column(_("With so many people"), number=True),
            Column(_("FPIR if the threshold stays")),
            Column(_("Threshold for the target"), number=True),
            Column(_("FNIR")),
        ),
        [
            (
                str(round(record.people * c.templates / choice.templates)),
                _fpir(left, choice.is_bound),
                f"{c.threshold:.3f}" + ("" if c.promised else " *"),
                describe_rate(c.fnir),
            )
            for c, left in zip((choice, *report.grown), (choice.expected_fpir, *report.left_alone), strict=True)
        ],
    )
    if report.source:
        out.note(_("Reference scores of other people: {source}.", source=report.source))
    if not all(c.promised for c in (choice, *report.grown)):
        out.line(_("* drawn on beyond what was measured: no promise."))
    if report.stored:
        out.note(_("In force from the next “smartabsen train” on."))


def _fpir(expected: float | None, is_bound: bool) -> str:
    from ..core.evaluation_figures import percent

    if expected is None:
        return _("no reference for this model")
    return _("below {share}: the reference ends there", share=percent(expected)) if is_bound else percent(expected)


def _twice(report: CalibrationReport, similarity: float) -> str:
    return _("perhaps") if similarity >= report.duplicate_threshold else ""


def _choice(choice: CalibrationChoice) -> Json:
    return {
        "target_fpir": choice.target,
        "templates": choice.templates,
        "threshold": choice.threshold,
        "margin": choice.margin,
        "fmr": choice.fmr,
        "expected_fpir": choice.expected_fpir,
        "expected_fpir_is_bound": choice.is_bound,
        "observed_fpir": _rate(choice.observed_fpir),
        "fnir": _rate(choice.fnir),
        "shift": round(choice.shift, 4),
        "contradicted": choice.contradicted,
        "promised": choice.promised,
        "least_target": choice.least_target,
    }


def _rate(rate: object) -> Json:
    return {name: getattr(rate, name) for name in ("count", "trials", "share", "low", "high")}
