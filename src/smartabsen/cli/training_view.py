"""What people and scripts see of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .. import wire
from ..kernel.domain import DecisionLimits, EnrolAdvice, Gate, Rate, TrainReport, WeakPerson
from ..kernel.errors import GateError, PartlyDoneError, SmartAbsenError
from ..kernel.i18n import N_, _
from ..kernel.messages import ENROL_ADVICE, describe_automatic, describe_weak
from ..wire.base import rounded
from .output import Column, Output, yes_no
from .tables import percent

if TYPE_CHECKING:
    from ..app.facade import SmartAbsen
    from .session import Session

Json = dict[str, object]


def as_json(report: TrainReport) -> Json:
    """Return the report for scripts."""
    gate, limits = report.gate, report.gate.limits
    return {
        "engine": report.model.engine,
        "model": str(report.model),
        "version": report.version,
        "trained_at": report.trained_at.isoformat(),
        "matcher": report.matcher,
        "chosen_matcher": report.chosen_matcher,
        "k": report.k,
        "employees": report.employees,
        "templates": report.templates,
        "threshold": rounded(limits.threshold, 4),
        "margin": rounded(limits.margin, 4),
        "engine_threshold": rounded(limits.engine_threshold, 4),
        "engine_margin": rounded(limits.engine_margin, 4),
        "verification_threshold": rounded(limits.verification, 4),
        "automatic": {**wire.AutomaticLimits.of(limits.automatic).plain(), "in_use": limits.is_automatic},
        "calibrated": limits.calibrated,
        "calibration": limits.calibration
        and {**wire.Calibration.of(limits.calibration).plain(), "outgrown": limits.outgrown},
        "leave_one_out_accuracy": rounded(gate.rank_1.share, 6),
        "rank_1": wire.Rate.of(gate.rank_1),
        "recognised_share": rounded(gate.recognised.share, 6),
        "recognised": wire.Rate.of(gate.recognised),
        "gate": wire.Gate.of(gate),
        "activated": report.activated,
        "damaged": [{"template": one.id, "code": one.code, "name": one.name} for one in report.damaged],
        "people": [
            {
                "code": p.employee.code,
                "name": p.employee.name,
                "tried": p.tried,
                "correct": p.correct,
                "recognised": p.recognised,
            }
            for p in report.people
        ],
        "confused": [
            {
                "employee": wire.Person.find(each.employee),
                "taken_for": wire.Person.find(each.taken_for),
                "count": each.count,
                "similarity": rounded(each.similarity, 4),
            }
            for each in report.confused
        ],
        "mixed": [
            {
                "employee": wire.Person.find(each.employee),
                "sources": list(each.sources),
                "similarity": rounded(each.similarity, 4),
            }
            for each in report.mixed
        ],
        "suspects": [
            {
                "employee": wire.Person.find(each.employee),
                "source": each.source,
                "looks_like": wire.Person.find(each.looks_like),
                "similarity_own": rounded(each.similarity_own, 4),
                "similarity_other": rounded(each.similarity_other, 4),
            }
            for each in report.suspects
        ],
        "weak": [
            {
                "employee": wire.Person.find(each.employee),
                "recognised": each.recognised,
                "tried": each.tried,
                "reasons": [reason.value for reason in each.reasons],
                "looks_like": each.resembles and wire.Person.find(each.resembles),
            }
            for each in report.weak
        ],
        "single_template": [wire.Person.find(each) for each in report.single_template],
    }


def show(out: Output, report: TrainReport) -> None:
    """Print size, accuracy with what its trials can say, and whom to look at."""
    gate, limits = report.gate, report.gate.limits
    facts = (
        (_("Engine"), str(report.model)),
        (_("Matcher"), _matcher(report)),
        (_("Employees"), str(report.employees)),
        (_("Templates"), str(report.templates)),
        (_("Threshold and margin"), f"{limits.threshold:.3f} / {limits.margin:.3f} ({origin(limits)})"),
        (_("That rests on"), rests_on(limits)),
        (_("For a person whom a phone names"), f"{limits.verification:.3f}"),
        (_("Leave-one-out accuracy"), _measured(gate.rank_1)),
        (_("Recognised at the threshold"), _measured(gate.recognised)),
        (_("Demanded"), _demanded(gate)),
        (_("Version"), report.version),
        (_("In use"), yes_no(report.activated)),
    )
    out.table((Column(_("Measure"), whole=True), Column(_("Value and interval (95 %)"))), facts)
    if gate.passed and not gate.proven:
        out.line()
        out.line(_doubt(gate))
    if report.weak:
        out.line()
        columns = (Column(_("Recognised in few of their own photos")), Column(_("Photos"), number=True),
                   Column(_("Why, and what helps")))  # fmt: skip
        rows = [(f"{w.employee.name} ({w.employee.code})", f"{w.recognised}/{w.tried}", _why(w)) for w in report.weak]
        out.table(columns, rows)
    named = {each.employee.code for each in report.weak}
    weak = [each for each in report.people if each.recognised < each.tried and each.employee.code not in named]
    if report.mixed:
        out.line()
        columns = (Column(_("Perhaps two persons")), Column(_("Code"), whole=True), Column(_("Unlike the others")))
        out.table(columns, [(m.employee.name, m.employee.code, ", ".join(m.sources)) for m in report.mixed])
        out.line(_(ENROL_ADVICE[EnrolAdvice.MIXED]))
    if weak:
        out.line()
        columns = (Column(_("Not always recognised")), Column(_("Code"), whole=True), Column(_("Photos"), number=True))
        out.table(columns, [(w.employee.name, w.employee.code, f"{w.recognised}/{w.tried}") for w in weak])
        if {w.employee.code for w in weak} - {m.employee.code for m in report.mixed}:
            out.line(_("More and newer photos of these people help; so does a stronger engine."))
    if report.confused:
        out.line()
        columns = (Column(_("Confused")), Column(_("Taken for")), Column(_("Photos"), number=True))
        out.table(columns, [(c.employee.name, c.taken_for.name, str(c.count)) for c in report.confused])
    if report.suspects:
        out.line()
        columns = (Column(_("Perhaps mislabelled")), Column(_("Photo")), Column(_("Looks like")))
        out.table(columns, [(s.employee.name, s.source, s.looks_like.name) for s in report.suspects])
    if report.single_template:
        names = ", ".join(each.name for each in report.single_template)
        out.note(_("One photo only, so not measured: {names}", names=names))


def tell_calibration(session: Session, app: SmartAbsen, report: TrainReport) -> None:
    """Say so where a calibration was made for fewer people: what it was, and what is used instead."""
    limits, record, out = report.gate.limits, report.gate.limits.calibration, session.out
    if record is None or not limits.outgrown:
        session.tell_calibration(app)
        return
    zone = ZoneInfo(app.settings.site.zone)
    out.warn(
        _(
            "The calibration no longer fits: threshold {old_threshold}, margin {old_margin} were chosen on {date} for "
            "{old_people} people and {old_templates} templates; now there are {people} and {templates}.",
            old_threshold=f"{record.threshold:.3f}",
            old_margin=f"{record.margin:.3f}",
            date=f"{record.at.astimezone(zone):%Y-%m-%d}",
            old_people=record.people,
            old_templates=record.templates,
            people=report.employees,
            templates=report.templates,
        )
    )
    out.warn(
        _(
            "This training uses the stricter of it and of what fits so many people, unless a setting names another: "
            "threshold {threshold}, margin {margin}. Run “smartabsen calibrate”, then “smartabsen train”.",
            threshold=f"{limits.threshold:.3f}",
            margin=f"{limits.margin:.3f}",
        )
    )


def refusal(report: TrainReport) -> SmartAbsenError | None:
    """Return why a training is not in use, or whom it serves badly; None where all is well."""
    if report.activated and report.weak:
        return PartlyDoneError(
            N_("In use, but {count} of {all} people are recognised in none or few of their own photos."),
            hint=N_("Look at them above. Until they have better photos: smartabsen punch CODE"),
            count=len(report.weak),
            all=report.employees,
        )
    if report.activated:
        return None
    if report.gate.asks_rank_1:
        text = N_("Not activated: leave-one-out accuracy {accuracy}, demanded {demanded}.")
    else:
        text = N_("Not activated: {accuracy} recognised at the threshold, demanded {demanded}.")
    return GateError(
        text,
        hint=N_("Look at the people and photos above; --force activates it all the same."),
        accuracy=percent(report.gate.rate.share or 0.0),
        demanded=percent(report.gate.demanded),
    )


def origin(limits: DecisionLimits) -> str:
    """Say in a few words where threshold and margin come from."""
    record = limits.calibration
    if limits.calibrated and record is not None:
        return _("calibrated for {people} people", people=record.people)
    if limits.is_automatic:
        return _("automatic, for {people} people", people=limits.automatic.people)
    if record is not None and limits.outgrown:
        return _("the stricter of the automatic and of those for {people} people", people=record.people)
    return _("as set")


def rests_on(limits: DecisionLimits) -> str:
    """Say what the threshold rests on."""
    from ..gallery.evaluation_figures import percent as exact

    record = limits.calibration
    if limits.calibrated and record is not None:
        return _("a calibration by hand for FPIR {target}", target=exact(record.target_fpir))
    if limits.is_automatic or limits.outgrown:
        return describe_automatic(limits.automatic, target=exact(limits.automatic.target_fpir))
    return _("the settings")


def _why(weak: WeakPerson) -> str:
    other = weak.resembles
    return describe_weak(weak.reasons, resembles="" if other is None else f"{other.name} ({other.code})")


def _matcher(report: TrainReport) -> str:
    if report.k:
        return f"{report.matcher}, k = {report.k}"
    if report.chosen_matcher != report.matcher:
        return f"{report.matcher} ({report.chosen_matcher})"
    return report.matcher


def _demanded(gate: Gate) -> str:
    if gate.asks_rank_1:
        return _("{share} leave-one-out accuracy", share=percent(gate.demanded))
    return _("{share} recognised at the threshold", share=percent(gate.demanded))


def _measured(rate: Rate) -> str:
    from ..gallery.evaluation_figures import describe_rate

    return describe_rate(rate) if rate.trials else _("not measured: nobody has two photos")


def _doubt(gate: Gate) -> str:
    from ..gallery.evaluation_figures import percent as exact

    if not gate.rate.trials:
        return _("Nothing was measured, so nothing is proven: enrol two photos or more of each person.")
    low, wanted = exact(gate.rate.low), gate.trials_wanted
    if not wanted:
        return _("So few photos prove little: the true share may be as low as {low}.", low=low)
    return _(
        "So few photos prove little: the true share may be as low as {low}. To prove {demanded} takes {count} photos "
        "without an error, more with some.",
        low=low,
        demanded=percent(gate.demanded),
        count=wanted,
    )
