"""Calibration: chosen from scores, refused where the data cannot support it, and told when it no longer fits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from smartabsen import SmartAbsen
from smartabsen.gallery import calibrate
from smartabsen.kernel.domain import CalibrationState, CheckLevel, FloatArray, ModelIdentity
from smartabsen.kernel.errors import InvalidInputError, NotFoundError
from smartabsen.recognition import reference
from smartabsen.recognition.calibration import choose
from smartabsen.recognition.rates import fpir_of
from smartabsen.recognition.reference import ImpostorTable, find_table
from smartabsen.recognition.scores import compare_gallery
from smartabsen.store import meta

from ..installation import Draw

TABLE = ImpostorTable(
    "x", (), "", 1000, 2000, 1_000_000, ((0.1, 0.1), (0.01, 0.2), (0.001, 0.3), (0.0001, 0.4), (0.00001, 0.5))
)

OWN = {"engine_threshold": 0.3, "engine_margin": 0.05}
HIGH = {"engine_threshold": 0.6, "engine_margin": 0.05}


def crowd(*, people: int = 40, alike: float = 0.0) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return three templates of each person, who have ``alike`` in common."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(people, dtype=np.int64), 3)
    centres = rng.normal(size=(people, 64)) + alike * rng.normal(size=64)
    vectors = centres[labels] + 0.5 * rng.normal(size=(len(labels), 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_the_threshold_keeps_the_target_for_so_many_comparisons() -> None:
    """1 - (1 - FMR)^N at the chosen threshold is at most the target; more people need a higher threshold."""
    scores = compare_gallery(*crowd())
    now, twice, tenfold = (choose(scores, TABLE, target=0.01, **OWN, growth=growth) for growth in (1.0, 2.0, 10.0))
    assert now.promised and now.expected_fpir is not None and now.expected_fpir <= 0.01
    assert now.fmr == pytest.approx(1 - 0.99 ** (1 / 120))
    assert now.threshold < twice.threshold < tenfold.threshold
    assert fpir_of(now.fmr, 120) == pytest.approx(0.01)


def test_what_the_data_cannot_support_is_not_promised() -> None:
    """One stranger in ten thousand among 120 templates is beyond a million pairs; the least that is not is told."""
    scores = compare_gallery(*crowd())
    choice = choose(scores, TABLE, target=0.0001, **OWN)
    assert not choice.promised
    assert choice.least_target == pytest.approx(fpir_of(1e-5, 120))
    assert choose(scores, TABLE, target=choice.least_target * 1.01, **OWN).promised


def test_beyond_the_end_of_the_reference_only_a_bound_is_expected() -> None:
    """The curve is drawn on for the threshold, not for what is said of it."""
    scores = compare_gallery(*crowd())
    inside = choose(scores, TABLE, target=0.01, **OWN)
    beyond = choose(scores, TABLE, target=0.00001, **OWN)
    assert not inside.is_bound and beyond.is_bound
    assert beyond.expected_fpir == pytest.approx(fpir_of(1e-5, 120))


def test_what_the_gallery_contradicts_is_not_promised() -> None:
    """Somebody who is enrolled under two codes is taken for the other, whatever the reference says."""
    embeddings, labels = crowd()
    labels[3:6] = labels[0]
    twice = np.concatenate([embeddings, embeddings[:6]]), np.concatenate([labels, np.full(6, 99)])
    choice = choose(compare_gallery(*twice), TABLE, target=0.01, **OWN)
    assert choice.contradicted and not choice.promised
    assert not choose(compare_gallery(*crowd()), TABLE, target=0.01, **OWN).contradicted


def test_people_who_look_more_alike_than_the_reference_get_a_higher_threshold() -> None:
    """A family business is not a crowd of strangers."""
    usual = choose(compare_gallery(*crowd()), TABLE, target=0.01, **OWN)
    alike = choose(compare_gallery(*crowd(alike=0.8)), TABLE, target=0.01, **OWN)
    assert alike.shift > usual.shift
    assert alike.threshold > usual.threshold


def test_without_a_reference_only_the_gallery_speaks() -> None:
    """Its 120 searches support one stranger in ten, not one in a hundred."""
    scores = compare_gallery(*crowd())
    assert choose(scores, None, target=0.1, **OWN).promised
    assert not choose(scores, None, target=0.01, **OWN).promised


def test_what_nothing_supports_never_goes_below_the_engines_own() -> None:
    """Nobody who looks alike among a few people is no reason to let everybody pass."""
    scores = compare_gallery(*crowd(people=3))
    choice = choose(scores, None, target=0.05, **HIGH)
    assert not choice.promised and choice.threshold == 0.6
    supported = choose(compare_gallery(*crowd(people=80)), None, target=0.05, **HIGH)
    assert supported.promised and supported.threshold < 0.6


def test_the_tables_of_the_package_rise() -> None:
    """For every engine that is shipped: rarer means more alike, and the numbers go as far as the pairs carry."""
    known = {"dlib": 128, "openvino": 256, "insightface": 512, "sface": 128, "open": 384}
    for table in reference._tables():
        assert find_table(ModelIdentity(table.engine, table.digests[0], known.pop(table.engine))) is table
        scores = [score for _, score in table.levels]
        assert scores == sorted(scores) and table.levels[-1][0] >= table.least_fmr
        assert table.fmr_at(table.score_at(1e-3)) == pytest.approx(1e-3, rel=1e-6)
        assert table.score_at(table.least_fmr / 100) > scores[-1]
    assert not known


def enrol(app: SmartAbsen, draw: Draw, people: int) -> None:
    for person in range(1, people + 1):
        app.enrol(f"Contoh {person}", [draw(f"{person}-{n}.png", person) for n in range(3)], code=f"E{person}")


def test_a_calibration_is_used_by_the_next_training(app: SmartAbsen, draw: Draw) -> None:
    """Stored with what it was chosen for; the model's threshold is the chosen one."""
    enrol(app, draw, 6)
    assert app.calibration.state() is CalibrationState.NONE
    report = app.calibration.calibrate(0.05, force=True)
    assert app.calibration.state() is CalibrationState.FITS
    assert app.calibration.find() == report.record
    trained = app.train(force=True)
    limits = trained.gate.limits
    assert (limits.threshold, limits.margin) == (report.choice.threshold, report.choice.margin)


def test_a_target_that_is_not_promised_changes_nothing(app: SmartAbsen, draw: Draw) -> None:
    """Unless it is forced."""
    enrol(app, draw, 3)
    report = app.calibration.calibrate(0.001)
    assert not report.stored and app.calibration.find() is None
    assert app.calibration.calibrate(0.001, force=True).stored


def test_a_calibration_is_outgrown_and_belongs_to_one_model(app: SmartAbsen, draw: Draw) -> None:
    """Doctor says so, and another model's limits are not used."""
    enrol(app, draw, 3)
    app.calibration.calibrate(0.05, force=True)
    enrol(app, draw, 5)
    assert app.calibration.state() is CalibrationState.OUTGROWN
    assert [check.level for check in app.check_health() if check.name == "calibration"] == [CheckLevel.WARN]
    with app.services.database.write() as session:
        stored = meta.find(session, "calibration")
        assert stored is not None
        digest = app.services.engine.identity.digest
        meta.put(session, "calibration", stored.replace(digest, "0" * 64))
    assert app.calibration.state() is CalibrationState.OTHER_ENGINE
    assert app.services.limits().is_automatic


def test_other_photos_of_the_same_number_change_it_and_many_more_outgrow_it(app: SmartAbsen, draw: Draw) -> None:
    """Each template is a comparison: more photos of the same people need a higher threshold as well."""
    enrol(app, draw, 5)
    app.calibration.calibrate(0.05, force=True)
    app.enrol("Contoh 1", [draw("another.png", 1, shade=155)], code="E1")
    assert app.calibration.state() is CalibrationState.CHANGED
    assert app.train(force=True).gate.limits.calibrated
    assert [check.level for check in app.check_health() if check.name == "calibration"] == [CheckLevel.OK]
    app.enrol("Contoh 2", [draw(f"more-{n}.png", 2, shade=150 + 2 * n) for n in range(3)], code="E2")
    assert app.calibration.state() is CalibrationState.OUTGROWN


def test_more_people_at_the_same_threshold_let_more_strangers_pass(
    app: SmartAbsen, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be expected of twice and ten times the people, if nobody calibrates again."""
    monkeypatch.setattr(calibrate, "find_table", lambda _model: TABLE)
    enrol(app, draw, 5)
    report = app.calibration.calibrate(0.01, force=True)
    twice, tenfold = report.left_alone
    assert report.choice.expected_fpir is not None and twice is not None and tenfold is not None
    assert twice == pytest.approx(1 - (1 - report.choice.expected_fpir) ** 2)
    assert tenfold == pytest.approx(1 - (1 - report.choice.expected_fpir) ** 10)


def test_the_setting_wins_over_the_calibration(app: SmartAbsen, flags: dict[str, object], draw: Draw) -> None:
    """What a person has written down is not overruled."""
    enrol(app, draw, 3)
    app.calibration.calibrate(0.05, force=True)
    with SmartAbsen.open(flags={**flags, "recognition.threshold": 0.77}) as other:
        assert other.services.limits().threshold == 0.77


def test_calibration_needs_two_people_and_a_share(app: SmartAbsen, draw: Draw) -> None:
    """One person cannot be confused with anybody."""
    enrol(app, draw, 1)
    with pytest.raises(NotFoundError, match="Two people"):
        app.calibration.calibrate(0.01)
    for target in (0.0, 0.0501, 0.5, float("nan")):
        with pytest.raises(InvalidInputError):
            app.calibration.calibrate(target)
