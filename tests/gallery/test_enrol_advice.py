"""What enrolment says of somebody's photos as a whole, and what it finds on real ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen import Outcome, SmartAbsen
from smartabsen.kernel.domain import Employee, EnrolAdvice, EnrolReport, PhotoVerdict, Quality

MORE, VARY, FRONT = EnrolAdvice.MORE_PHOTOS, EnrolAdvice.VARY, EnrolAdvice.FROM_THE_FRONT


def report(*yaws: float, copies: int = 0, before: int = 0, refused: int = 0) -> EnrolReport:
    """Photos turned by these sines, the last ``copies`` of them nearly equal to the first."""
    verdicts = [
        PhotoVerdict(
            f"{number}.jpg",
            Outcome.ACCEPTED,
            Quality(120.0, 128.0, 50.0, yaw, 0.9),
            copy_of="0.jpg" if number >= len(yaws) - copies else "",
        )
        for number, yaw in enumerate(yaws)
    ]
    verdicts += [PhotoVerdict("x.jpg", Outcome.BLURRED, Quality(120.0, 128.0, 2.0, 0.0, 0.9))] * refused
    person = Employee(1, "E1", "Contoh", "", True, datetime.now(UTC), templates=len(yaws) + before)
    return EnrolReport(person, created=True, verdicts=tuple(verdicts))


@pytest.mark.parametrize(
    ("told", "advice"),
    [
        (report(0.0), (MORE,)),
        (report(0.0, 0.3), (MORE,)),
        (report(0.0, 0.3, -0.3), ()),
        (report(0.0, before=2), ()),
        (report(0.5, 0.6, -0.5), (FRONT,)),
        (report(0.5, before=4), ()),
        (report(*[0.0] * 20, copies=19), (VARY,)),
        (report(0.0, 0.1, 0.2, 0.3, copies=2), ()),
        (report(refused=2), ()),
    ],
)
def test_what_would_help_is_told(told: EnrolReport, advice: tuple[EnrolAdvice, ...]) -> None:
    """A few photos, some from the front, not many alike; nothing where the verdicts say it all."""
    assert told.advice == advice


@pytest.fixture
def real(tmp_path: Path, models_dir: Path) -> Iterator[SmartAbsen]:
    """An installation with the engine ``openvino``, for photos of 250 x 250."""
    flags = {"home": str(tmp_path / "home"), "models_dir": str(models_dir), "engine": "openvino"}
    with SmartAbsen.open(flags=flags) as app:
        yield app


def photos_of(lfw_dir: Path, name: str) -> list[Path]:
    return sorted((lfw_dir / name).glob("*.jpg"))[:5]


@pytest.mark.slow
@pytest.mark.shared
def test_real_photos_that_are_nearly_the_same_are_told_and_different_ones_not(
    real: SmartAbsen, lfw_dir: Path, tmp_path: Path
) -> None:
    """Six encodings of one picture against five pictures of one person."""
    names = (lfw_dir / "gallery.txt").read_text(encoding="utf-8").split()
    image = cv2.imread(str(photos_of(lfw_dir, names[0])[0]))
    alike = []
    for quality in (95, 90, 85, 80, 75, 70):
        alike.append(tmp_path / f"{quality}.jpg")
        cv2.imwrite(str(alike[-1]), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    told = real.enrol("Contoh 1", alike, code="E1")
    assert (told.accepted, told.copies, told.advice) == (6, 5, (VARY,))
    varied = real.enrol("Contoh 2", photos_of(lfw_dir, names[1]), code="E2")
    assert varied.accepted >= 3 and varied.copies == 0 and VARY not in varied.advice


@pytest.mark.slow
@pytest.mark.shared
def test_a_real_photo_of_somebody_else_among_ones_own_is_found(real: SmartAbsen, lfw_dir: Path) -> None:
    """At once where that person is enrolled, by training where both were."""
    names = (lfw_dir / "gallery.txt").read_text(encoding="utf-8").split()
    first, second, third = (photos_of(lfw_dir, name) for name in names[:3])
    real.enrol("Contoh 1", first[:3], code="E1")
    told = real.enrol("Contoh 2", [*second[:3], first[3]], code="E2")
    assert [verdict.outcome for verdict in told.verdicts] == [Outcome.ACCEPTED] * 3 + [Outcome.DUPLICATE_FACE]
    assert told.verdicts[-1].similar_to is not None and told.verdicts[-1].similar_to.code == "E1"
    real.enrol("Contoh 3", [*third[:3], second[3]], code="E3", allow_duplicate=True)
    (suspect,) = real.train(force=True).suspects
    assert (suspect.employee.code, suspect.source, suspect.looks_like.code) == ("E3", second[3].name, "E2")


@pytest.mark.slow
@pytest.mark.shared
def test_two_real_persons_under_one_code_are_told(real: SmartAbsen, lfw_dir: Path) -> None:
    """One photo of the first, two of the second: at enrolment and by training."""
    names = (lfw_dir / "gallery.txt").read_text(encoding="utf-8").split()
    first, second, third = (photos_of(lfw_dir, name) for name in names[:3])
    told = real.enrol("Contoh 1", [first[0], *second[:2]], code="E1")
    assert [verdict.unlike_others is not None for verdict in told.verdicts] == [True, False, False]
    assert told.advice[0] is EnrolAdvice.MIXED
    assert real.enrol("Contoh 3", third[:3], code="E3").unlike == ()
    (mixed,) = real.train(force=True).mixed
    assert (mixed.employee.code, mixed.sources) == ("E1", (first[0].name,))


@pytest.mark.slow
@pytest.mark.shared
def test_a_real_person_under_two_codes_is_found(real: SmartAbsen, lfw_dir: Path) -> None:
    """Refused at enrolment; where that was overruled, first among the look-alikes of a calibration."""
    names = (lfw_dir / "gallery.txt").read_text(encoding="utf-8").split()
    for number, name in enumerate(names[1:6], start=2):
        real.enrol(f"Contoh {number}", photos_of(lfw_dir, name)[:3], code=f"E{number}")
    own = photos_of(lfw_dir, names[0])
    real.enrol("Contoh 1", own[:3], code="E1")
    again = real.enrol("Contoh 1 lagi", own[3:5], code="E9")
    assert again.accepted == 0
    assert {verdict.similar_to.code for verdict in again.verdicts if verdict.similar_to} == {"E1"}
    real.enrol("Contoh 1 lagi", own[3:5], code="E9", allow_duplicate=True)
    report = real.calibration.calibrate(0.01, force=True)
    worst = report.look_alikes[0]
    assert {worst.employee.code, worst.taken_for.code} == {"E1", "E9"}
    assert worst.similarity >= report.duplicate_threshold > report.look_alikes[1].similarity
    assert np.isfinite(report.choice.threshold)
