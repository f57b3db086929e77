"""Which limits a training puts into use beside a calibration, what its gate asks, and how a calibration is dropped."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from smartabsen import SmartAbsen
from smartabsen.gallery.calibration_record import find_record, put_record
from smartabsen.gallery.model_file import load_model
from smartabsen.kernel.domain import AutomaticLimits, CalibrationRecord, Check, CheckLevel, DecisionLimits, Gate, Rate
from smartabsen.kernel.errors import NotFoundError
from smartabsen.trust import audit_rows

from ..installation import Draw, enrol


def put(app: SmartAbsen, *, threshold: float, margin: float, people: int = 2, templates: int = 6) -> None:
    """Store a calibration for so many."""
    record = CalibrationRecord(
        at=datetime(2026, 11, 20, 20, tzinfo=UTC),
        model=app.services.engine.identity,
        gallery_hash="00" * 32,
        people=people,
        templates=templates,
        target_fpir=0.01,
        threshold=threshold,
        margin=margin,
    )
    with app.services.database.write() as session:
        put_record(session, record)


def in_use(app: SmartAbsen) -> tuple[float, float]:
    """Return what the trained model decides with."""
    trained = load_model(app.settings.assets_dir, app.services.key_chain.ring())
    return trained.threshold, trained.margin


def calibration_row(app: SmartAbsen) -> Check:
    """Return doctor's row."""
    (row,) = (check for check in app.check_health() if check.name == "calibration")
    return row


def test_an_outgrown_calibration_never_goes_below_the_engines_own(app: SmartAbsen, draw: Draw) -> None:
    """Of the two the stricter is used, for threshold and margin each, in training and whatever measures."""
    engine = app.services.engine
    for person in (1, 2):
        enrol(app, draw, person)
    put(app, threshold=engine.threshold - 0.1, margin=engine.margin + 0.01)
    app.train()
    assert in_use(app) == (engine.threshold - 0.1, engine.margin + 0.01)
    enrol(app, draw, 3)
    report = app.train()
    assert report.activated and report.gate.limits.outgrown
    assert in_use(app) == (engine.threshold, engine.margin + 0.01)
    assert app.evaluation.of_gallery().threshold == engine.threshold
    put(app, threshold=engine.threshold + 0.1, margin=engine.margin - 0.01)
    app.train()
    assert in_use(app) == (engine.threshold + 0.1, engine.margin)


def test_who_comes_back_without_a_training_outgrows_a_calibration_too(app: SmartAbsen, draw: Draw) -> None:
    """Calibrated while most were deactivated, the limits rise with those who are activated again."""
    engine = app.services.engine
    for person in (1, 2, 3, 4):
        enrol(app, draw, person)
    for code in ("E3", "E4"):
        app.deactivate_employee(code)
    put(app, threshold=engine.threshold - 0.1, margin=0.0)
    app.train()
    assert in_use(app) == (engine.threshold - 0.1, 0.0)
    app.activate_employee("E3")
    assert in_use(app) == (engine.threshold, engine.margin)


def test_the_gate_asks_who_is_recognised_at_what_comes_into_use(app: SmartAbsen, draw: Draw) -> None:
    """Rank 1 is perfect, yet nobody passes limits that are out of reach: refused, also where these are outgrown."""
    for person in (1, 2):
        enrol(app, draw, person)
    assert app.train().gate.asks_rank_1
    for people in (2, 1):
        put(app, threshold=0.5, margin=2.0, people=people)
        report = app.train()
        assert not report.activated and not report.gate.asks_rank_1
        assert (report.gate.rank_1, report.gate.rate) == (Rate(6, 6), Rate(0, 6))


def test_the_gate_asks_the_same_of_a_threshold_that_is_set(
    app: SmartAbsen, flags: dict[str, object], draw: Draw
) -> None:
    """Whoever names a threshold nobody reaches does not put it into use unseen."""
    for person in (1, 2):
        enrol(app, draw, person)
    with SmartAbsen.open(flags={**flags, "recognition.margin": 0.99, "recognition.threshold": 0.999}) as other:
        assert not other.train().activated


def test_few_trials_pass_the_gate_and_prove_little() -> None:
    """The point estimate is asked for; 298 photos without an error do not show 99 %, 299 do."""
    automatic = AutomaticLimits(9, 0.001, 0.5, 0.5, None, None, None, "", 0, is_bound=False)
    limits = DecisionLimits(0.5, 0.05, 0.5, 0.05, None, False, automatic, 0.5)
    few, enough = (Gate(limits, Rate(n, n), Rate(0, n), 0.99) for n in (298, 299))
    assert few.passed and not few.proven and few.trials_wanted == 299
    assert enough.passed and enough.proven
    assert not Gate(limits, Rate(97, 100), Rate(97, 100), 0.99).passed
    assert Gate(limits, Rate(0, 0), Rate(0, 0), 0.99).passed


def test_a_choice_tells_what_the_gate_would_say_to_it(app: SmartAbsen, draw: Draw) -> None:
    """The same count as in the training that follows, and whether it lies below the engine's own threshold."""
    for person in (1, 2, 3):
        enrol(app, draw, person)
    report = app.calibration.calibrate(0.05, force=True)
    assert report.gate.recognised == app.train(force=True).gate.recognised
    assert report.deciding is None and app.calibration.calibrate(0.05).deciding == in_use(app)
    own = app.services.engine.threshold
    for threshold, laxer in ((own - 0.005, True), (own, False)):
        choice = dataclasses.replace(report.choice, threshold=threshold)
        assert dataclasses.replace(report, choice=choice).is_laxer is laxer


def test_a_refused_choice_leaves_what_is_in_force(app: SmartAbsen, draw: Draw) -> None:
    """The report tells it: of an outgrown calibration and the engine's own the stricter."""
    for person in (1, 2, 3):
        enrol(app, draw, person)
    put(app, threshold=0.3, margin=0.0)
    report = app.calibration.calibrate(1e-6)
    assert not report.stored and report.before == app.services.limits()
    assert report.before.outgrown and report.before.threshold == app.services.engine.threshold


def test_a_forgotten_calibration_gives_way_to_the_engines_own(app: SmartAbsen, draw: Draw) -> None:
    """From the next training on; the trail says what was dropped."""
    for person in (1, 2):
        enrol(app, draw, person)
    put(app, threshold=0.3, margin=0.0)
    app.train()
    assert app.calibration.forget().threshold == 0.3
    assert in_use(app) == (0.3, 0.0)
    app.train()
    assert in_use(app) == (app.services.engine.threshold, app.services.engine.margin)
    with app.services.database.read() as session:
        assert find_record(session) is None
        (entry,) = (one for one in audit_rows.latest(session) if one.action == "model.calibrate_forget")
    assert entry.details["threshold"] == "0.3"
    with pytest.raises(NotFoundError):
        app.calibration.forget()


def test_doctor_names_target_threshold_and_date(app: SmartAbsen, draw: Draw) -> None:
    """In the time of the site, also where it no longer fits."""
    for person in (1, 2):
        enrol(app, draw, person)
    put(app, threshold=0.3, margin=0.02)
    told = {"threshold": "0.300", "margin": "0.020", "target": "1.00 %", "date": "2026-11-21", "people": "2"}
    row = calibration_row(app)
    assert row.level is CheckLevel.OK and dict(row.params) == told
    enrol(app, draw, 3)
    row = calibration_row(app)
    assert row.level is CheckLevel.WARN and dict(row.params) == told and "stricter" in row.detail
