"""Thresholds that fit the number of people by themselves: from the reference, stricter by the home's own data."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from smartabsen import SmartAbsen
from smartabsen.gallery.calibration_record import StoredCalibration, find_stored, limits_for, put_own
from smartabsen.gallery.model_file import load_model
from smartabsen.kernel.domain import (
    Basis,
    CalibrationRecord,
    CheckLevel,
    FloatArray,
    Members,
    ModelIdentity,
    OwnScores,
    WeakReason,
)
from smartabsen.recognition import calibration
from smartabsen.recognition.calibration import fit_people, measure_own, threshold_for
from smartabsen.recognition.engines import get_spec
from smartabsen.recognition.reference import ImpostorTable, _tables

from ..installation import Draw, enrol
from .test_calibrate import TABLE, crowd

FAKE = ModelIdentity("fake", "00" * 32, 64)


@pytest.fixture(name="table")
def known_model(monkeypatch: pytest.MonkeyPatch) -> ImpostorTable:
    """A reference for every model: 0.4 at one pair in 10,000."""
    monkeypatch.setattr(calibration, "find_table", lambda _: TABLE)
    return TABLE


def spec(threshold: float = 0.2) -> object:
    """Return what is known of the drawn engine, with another threshold."""
    return dataclasses.replace(get_spec("fake"), threshold=threshold)


def test_more_people_get_a_higher_threshold(table: ImpostorTable) -> None:
    """By 1 - (1 - FMR)^people, from the reference; a smaller target asks more."""
    few, many = (fit_people(n, model=FAKE, engine=spec(), target=0.01, own=None) for n in (10, 100))
    assert few.threshold < many.threshold == threshold_for(table, 100, target=0.01, engine_threshold=0.2)
    assert (many.basis, many.people, many.pairs) == (Basis.REFERENCE, 100, table.pairs)
    stricter = fit_people(100, model=FAKE, engine=spec(), target=0.001, own=None)
    assert stricter.threshold > many.threshold and stricter.is_bound is (table.least_fmr > 0.001 / 100)


def test_it_never_goes_below_the_engines_own(table: ImpostorTable) -> None:
    """For two people the reference would let more pass."""
    few = fit_people(2, model=FAKE, engine=spec(0.5), target=0.05, own=None)
    assert few.reference is not None and few.reference < few.threshold == 0.5 and few.basis is Basis.ENGINE


def test_people_who_look_more_alike_ask_more_and_never_less(table: ImpostorTable) -> None:
    """The shift of their own pairs is added, their own searches are heard; another model's say nothing."""
    plain = fit_people(100, model=FAKE, engine=spec(), target=0.01, own=None)
    own = OwnScores(FAKE, 100, 300, shift=0.05, threshold=None)
    alike = fit_people(100, model=FAKE, engine=spec(), target=0.01, own=own)
    assert alike.threshold == pytest.approx(plain.threshold + 0.05, abs=0.005) and alike.basis is Basis.OWN
    quiet = dataclasses.replace(own, shift=0.0, threshold=0.1)
    assert fit_people(100, model=FAKE, engine=spec(), target=0.01, own=quiet) == plain
    loud = dataclasses.replace(own, shift=0.0, threshold=0.7)
    assert fit_people(100, model=FAKE, engine=spec(), target=0.01, own=loud).threshold == 0.7
    foreign = dataclasses.replace(loud, model=dataclasses.replace(FAKE, digest="11" * 32))
    assert fit_people(100, model=FAKE, engine=spec(), target=0.01, own=foreign) == plain


def test_without_a_reference_the_engines_own_is_in_force() -> None:
    """And it is said that the target is not promised."""
    limits = fit_people(100, model=FAKE, engine=spec(0.5), target=0.001, own=None)
    assert (limits.threshold, limits.basis, limits.reference, limits.verification) == (0.5, Basis.ENGINE, None, None)


def measure(embeddings: FloatArray, labels: NDArray[np.int64], **changes: object) -> OwnScores:
    """Measure a crowd with the reference."""
    return measure_own(
        embeddings, labels, model=FAKE, engine=dataclasses.replace(get_spec("fake"), **changes), target=0.01
    )


def test_a_crowd_that_looks_alike_is_measured(table: ImpostorTable) -> None:
    """A family business is not a crowd of strangers."""
    assert measure(*crowd(alike=0.8)).shift > measure(*crowd()).shift


def test_somebody_under_two_codes_raises_nobodys_threshold(table: ImpostorTable) -> None:
    """One of the two is left out of the measure, and only one."""
    embeddings, labels = crowd()
    twice = np.concatenate([embeddings, embeddings[:3]]), np.concatenate([labels, np.full(3, 99)])
    plain, doubled = measure(embeddings, labels), measure(*twice)
    assert (plain.left_out, doubled.left_out, doubled.people) == (0, 1, plain.people)
    assert doubled.shift == plain.shift


def test_large_galleries_are_measured_by_a_part(table: ImpostorTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole people, at most so many templates, the same ones each time."""
    monkeypatch.setattr(calibration, "MOST_COMPARED", 60)
    own = measure(*crowd())
    assert (own.templates, own.people) == (60, 20) and measure(*crowd()) == own


def record(**changes: object) -> CalibrationRecord:
    """Return what a person calibrated, for 100 people."""
    values = {"at": datetime(2026, 11, 20, tzinfo=UTC), "model": FAKE, "gallery_hash": "00", "people": 100,
              "templates": 300, "target_fpir": 0.01, "threshold": 0.25, "margin": 0.02}  # fmt: skip
    return CalibrationRecord(**{**values, **changes})


def test_a_persons_calibration_comes_first_until_it_is_outgrown(table: ImpostorTable, app: SmartAbsen) -> None:
    """Then the stricter of it and of the automatic one is used."""
    stored, named = StoredCalibration(record()), app.settings.recognition
    limits = limits_for(stored, spec(), named, model=FAKE, people=100, templates=300)
    assert limits.calibrated and (limits.threshold, limits.margin) == (0.25, 0.02) and not limits.is_automatic
    grown = limits_for(stored, spec(), named, model=FAKE, people=200, templates=600)
    assert grown.outgrown and grown.threshold == grown.automatic.threshold > 0.25
    free = limits_for(StoredCalibration(), spec(), named, model=FAKE, people=200, templates=600)
    assert free.is_automatic and free.threshold == grown.threshold


def test_one_person_is_asked_less_than_a_crowd_unless_a_setting_names_it(table: ImpostorTable, app: SmartAbsen) -> None:
    """One comparison errs less often than two hundred; what somebody set holds for both."""
    named = app.settings.recognition
    limits = limits_for(StoredCalibration(), spec(), named, model=FAKE, people=200, templates=600)
    assert limits.verification == pytest.approx(table.score_at(named.target_fpir), abs=0.005)
    assert limits.verification < limits.threshold
    fixed = named.model_copy(update={"threshold": 0.55})
    set_one = limits_for(StoredCalibration(), spec(), fixed, model=FAKE, people=200, templates=600)
    assert (set_one.threshold, set_one.verification, set_one.is_automatic) == (0.55, 0.55, False)


@pytest.mark.parametrize("engine", ["sface", "open", "openvino", "insightface", "dlib"])
def test_every_engine_is_stricter_among_two_hundred_than_among_ten(engine: str) -> None:
    """With the tables of the package; 200 people are within their reach at a target of 0.1 %."""
    (table,) = (one for one in _tables() if one.engine == engine)
    model = ModelIdentity(engine, table.digests[0], 1)
    few, many, crowded = (
        fit_people(n, model=model, engine=get_spec(engine), target=0.001, own=None) for n in (10, 200, 1000)
    )
    assert get_spec(engine).threshold <= few.threshold < many.threshold < crowded.threshold
    assert many.basis is Basis.REFERENCE and not many.is_bound and crowded.is_bound
    assert many.verification is not None and many.verification < many.threshold


def test_a_training_takes_it_and_says_what_it_rests_on(
    app: SmartAbsen, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Model, report and doctor agree; what the people said of themselves is kept for who comes back."""
    strict = dataclasses.replace(TABLE, levels=tuple((share, score + 0.3) for share, score in TABLE.levels))
    monkeypatch.setattr(calibration, "find_table", lambda _: strict)
    for person in (1, 2, 3, 4):
        enrol(app, draw, person)
    app.deactivate_employee("E4")
    limits = app.train().gate.limits
    trained = load_model(app.settings.assets_dir, app.services.key_chain.ring())
    assert limits.is_automatic and limits.automatic.people == 3 and limits.automatic.basis is Basis.REFERENCE
    assert (trained.threshold, trained.verification) == (limits.threshold, limits.verification)
    assert trained.threshold > app.services.engine.threshold
    (check,) = (check for check in app.check_health() if check.name == "calibration")
    told = dict(check.params)
    assert check.level is CheckLevel.OK and (told["threshold"], told["people"]) == (f"{limits.threshold:.3f}", "3")
    with app.services.database.read() as session:
        own = find_stored(session).own
    assert own is not None and own.people == 3
    app.activate_employee("E4")
    again = load_model(app.settings.assets_dir, app.services.key_chain.ring())
    assert again.threshold > trained.threshold


def test_own_scores_are_kept_as_they_are(app: SmartAbsen) -> None:
    """With and without a threshold of their own."""
    for threshold in (None, 0.625):
        own = OwnScores(FAKE, 3, 9, 0.0125, threshold, 1)
        with app.services.database.write() as session:
            put_own(session, own)
            assert find_stored(session).own == own


def test_a_training_of_chosen_people_knows_nobody_else_and_counts_them_only(
    app: SmartAbsen, draw: Draw, table: ImpostorTable
) -> None:
    """Threshold, templates and head-count are of the chosen set."""
    for person in (1, 2, 3):
        enrol(app, draw, person)
    chosen = Members(frozenset(one.uuid for one in app.employees() if one.code in ("E1", "E3")))
    report = app.train(members=chosen)
    assert (report.employees, report.gate.limits.automatic.people) == (2, 2)
    trained = load_model(app.settings.assets_dir, app.services.key_chain.ring())
    assert {person.uuid for person in trained.people.values()} == chosen.uuids
    assert app.calibration.calibrate(0.05, members=chosen).record.people == 2
    assert app.train().employees == 3


def test_who_is_recognised_in_few_of_their_own_photos_is_named(app: SmartAbsen, draw: Draw) -> None:
    """Two photos of two persons under one code are not like each other: mixed, and two only. Others are not named."""
    for person in (1, 2, 3):
        enrol(app, draw, person)
    photos = [draw("one.png", 7), draw("two.png", 8)]
    app.enrol("Contoh 9", photos, code="E9", allow_duplicate=True)
    report = app.train(force=True)
    (weak,) = report.weak
    assert (weak.employee.code, weak.recognised, weak.tried) == ("E9", 0, 2)
    assert weak.reasons[0] is WeakReason.MIXED and WeakReason.FEW_PHOTOS in weak.reasons
