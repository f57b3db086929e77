"""What people and scripts see of a calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import wire
from ..kernel.domain import CalibrationRecord
from ..kernel.errors import GateError
from ..kernel.i18n import N_, _
from . import training_view
from .output import Column, Output

if TYPE_CHECKING:
    from ..gallery.calibrate import CalibrationChoice, CalibrationReport

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
        "before": {
            "threshold": report.before.threshold,
            "margin": report.before.margin,
            "calibration": report.before.calibration
            and {**wire.Calibration.of(report.before.calibration).plain(), "outgrown": report.before.outgrown},
            "fnir": wire.Rate.of(report.fnir_before),
        },
        "engine": {"threshold": report.before.engine_threshold, "margin": report.before.engine_margin},
        "trained_model": report.deciding and {"threshold": report.deciding[0], "margin": report.deciding[1]},
        "below_engine": report.is_laxer,
        "gate": wire.Gate.of(report.gate),
        "choice": _choice(report.choice),
        "grown": [
            {**_choice(choice), "fpir_at_present_threshold": left}
            for choice, left in zip(report.grown, report.left_alone, strict=True)
        ],
        "look_alikes": [
            {
                "employee": wire.Person.find(each.employee),
                "other": wire.Person.find(each.taken_for),
                "similarity": round(each.similarity, 4),
                "perhaps_one_person": each.similarity >= report.duplicate_threshold,
            }
            for each in report.look_alikes
        ],
    }


def show(out: Output, report: CalibrationReport) -> None:
    """Print the choice, who looks alike, and what growth would change."""
    from ..gallery.evaluation_figures import describe_rate, percent

    choice, record = report.choice, report.record
    expected = _fpir(choice.expected_fpir, choice.is_bound)
    facts = (
        (_("People, templates"), f"{record.people}, {record.templates}"),
        (_("Strangers taken for somebody (FPIR), target"), percent(choice.target)),
        (_("Allowed in one comparison (FMR)"), percent(choice.fmr)),
        (_("Threshold and margin"), _pair(choice.threshold, choice.margin)),
        (
            _("Threshold and margin before"),
            f"{_pair(report.before.threshold, report.before.margin)} ({training_view.origin(report.before)})",
        ),
        (_("The engine's own"), _pair(report.before.engine_threshold, report.before.engine_margin)),
        (_("FPIR expected: 1 - (1 - FMR)^comparisons"), expected),
        (_("FPIR of this gallery itself"), describe_rate(choice.observed_fpir)),
        (_("False rejections expected (FNIR)"), describe_rate(choice.fnir)),
        (_("False rejections before"), describe_rate(report.fnir_before)),
        (_("Accuracy demanded by “train”"), _passes(report)),
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
                str(round(record.people * c.comparisons / choice.comparisons)),
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
    _warn(out, report)


def refusal(report: CalibrationReport) -> GateError | None:
    """Return why a choice is not in force; None where it is."""
    from ..gallery.calibrate import LARGEST_TARGET
    from ..gallery.evaluation_figures import percent

    if report.stored:
        return None
    choice = report.choice
    if choice.contradicted:
        return GateError(
            N_("Not put into force: of {trials} photos here, {count} are taken for somebody else at that threshold."),
            hint=N_("Look at the people who look alike: is one of them enrolled twice? Or choose a larger target."),
            trials=choice.observed_fpir.trials,
            count=choice.observed_fpir.count,
        )
    if choice.least_target > LARGEST_TARGET:
        return GateError(
            N_("Not put into force: {templates} photos of {people} people are too few for any target up to {largest}."),
            hint=N_("Keep the automatic threshold until more people and photos are enrolled."),
            templates=report.record.templates,
            people=report.record.people,
            largest=percent(LARGEST_TARGET),
        )
    return GateError(
        N_("Not put into force: with {people} people the data can support an FPIR of {least} at best, not {target}."),
        hint=N_("Choose a larger target, or --force: the threshold is then drawn on beyond what was measured."),
        people=report.record.people,
        least=percent(choice.least_target),
        target=percent(choice.target),
    )


def forgotten(record: CalibrationRecord) -> Json:
    """Return what was dropped."""
    return {"forgotten": {"model": str(record.model), **wire.Calibration.of(record).plain()}}


def show_forgotten(out: Output, record: CalibrationRecord) -> None:
    """Say what was dropped, and what comes in its place."""
    pair = _pair(record.threshold, record.margin)
    out.line(_("Forgotten: threshold and margin {pair}, for {people} people.", pair=pair, people=record.people))
    out.note(_("What fits the number of people by itself is in force from the next “smartabsen train” on."))


def _warn(out: Output, report: CalibrationReport) -> None:
    if report.is_laxer:
        out.warn(
            _(
                "The threshold chosen, {threshold}, lies below the engine's own, {own}: more strangers pass, and it "
                "holds for {people} people only.",
                threshold=f"{report.choice.threshold:.3f}",
                own=f"{report.before.engine_threshold:.3f}",
                people=report.record.people,
            )
        )
    if not report.gate.passed:
        out.warn(_("“smartabsen train” would refuse it: too few photos are recognised at that threshold."))
    if not report.stored:
        pair = _pair(report.before.threshold, report.before.margin)
        out.warn(
            _("In force stays for the next training: {pair} ({origin}).", pair=pair,
              origin=training_view.origin(report.before))
        )  # fmt: skip
        if report.deciding is not None:
            out.warn(_("The trained model in use decides with {pair}.", pair=_pair(*report.deciding)))


def _passes(report: CalibrationReport) -> str:
    from ..gallery.evaluation_figures import percent

    gate = report.gate
    if gate.rate.share is None:
        return _("not measured: nobody has two photos")
    places = {"share": percent(gate.rate.share), "demanded": percent(gate.demanded)}
    if gate.passed:
        return _("reached: {share} of {demanded}", **places)
    return _("not reached: {share} of {demanded}", **places)


def _pair(threshold: float, margin: float) -> str:
    return f"{threshold:.3f} / {margin:.3f}"


def _fpir(expected: float | None, is_bound: bool) -> str:
    from ..gallery.evaluation_figures import percent

    if expected is None:
        return _("no reference for this model")
    return _("below {share}: the reference ends there", share=percent(expected)) if is_bound else percent(expected)


def _twice(report: CalibrationReport, similarity: float) -> str:
    return _("perhaps") if similarity >= report.duplicate_threshold else ""


def _choice(choice: CalibrationChoice) -> Json:
    return {
        "target_fpir": choice.target,
        "comparisons": choice.comparisons,
        "threshold": choice.threshold,
        "margin": choice.margin,
        "fmr": choice.fmr,
        "expected_fpir": choice.expected_fpir,
        "expected_fpir_is_bound": choice.is_bound,
        "observed_fpir": wire.Rate.of(choice.observed_fpir),
        "fnir": wire.Rate.of(choice.fnir),
        "shift": round(choice.shift, 4),
        "contradicted": choice.contradicted,
        "promised": choice.promised,
        "least_target": choice.least_target,
    }
