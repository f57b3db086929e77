"""One wrong photo of a person is found, looked at and taken out; everything else of the person stays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen import Outcome, SmartAbsen
from smartabsen.kernel.errors import NotFoundError

from ..installation import Draw, enrol, outcomes


@pytest.fixture
def trained(app: SmartAbsen, draw: Draw) -> SmartAbsen:
    """Two people with three photos each; one photo of E1 shows somebody else."""
    enrol(app, draw, 1)
    enrol(app, draw, 2)
    app.enrol("Contoh 1", [draw("wrong.png", 7)], code="E1", consent=True)
    app.train()
    return app


def wrong_photo(app: SmartAbsen) -> int:
    return next(photo.number for photo in app.photos.of("E1") if photo.source == "wrong.png")


def test_a_removed_photo_is_in_no_model_and_the_others_stay(trained: SmartAbsen, draw: Draw) -> None:
    """Nobody is recognised by it from that moment on, and neither the other photos nor the consent are touched."""
    stranger, own = draw("stranger.png", 7), draw("own.png", 1)
    assert outcomes(trained, stranger) == [[(Outcome.RECOGNIZED, "E1")]]
    removed = trained.photos.remove("E1", wrong_photo(trained), reason="a colleague")
    assert (removed.left, removed.was_in_model) == (3, True)
    assert outcomes(trained, stranger, own) == [[(Outcome.UNKNOWN, None)], [(Outcome.RECOGNIZED, "E1")]]
    assert trained.privacy.find_consent("E1") is not None
    trained.train()
    assert outcomes(trained, stranger) == [[(Outcome.UNKNOWN, None)]]


def test_a_removal_is_in_the_audit_trail(trained: SmartAbsen) -> None:
    """Who removed which photo of whom, and why."""
    trained.photos.remove("E1", wrong_photo(trained), reason="a colleague")
    entry = next(each for each in trained.audit.entries() if each.action == "employee.remove_photo")
    assert entry.subject == "E1"
    assert entry.details["reason"] == "a colleague"
    assert entry.details["left"] == "3"


def test_a_photo_can_be_removed_without_a_trained_model(app: SmartAbsen, draw: Draw) -> None:
    """Nothing was in a model, and that is said."""
    enrol(app, draw, 1, photos=2)
    removed = app.photos.remove("E1", app.photos.of("E1")[0].number)
    assert (removed.left, removed.was_in_model) == (1, False)


def test_the_kept_face_of_a_photo_can_be_looked_at(flags: dict[str, object], draw: Draw, tmp_path: Path) -> None:
    """Where faces are kept; it goes with its photo."""
    with SmartAbsen.open(flags={**flags, "enrolment.keep_crops": True}) as app:
        enrol(app, draw, 1, photos=2)
        first, second = app.photos.of("E1")
        assert first.has_picture
        app.photos.save("E1", first.number, tmp_path / "face.jpg")
        face = cv2.imdecode(np.frombuffer((tmp_path / "face.jpg").read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert face.shape[0] > 100
        app.photos.remove("E1", first.number)
        assert [photo.number for photo in app.photos.of("E1")] == [second.number]
        with pytest.raises(NotFoundError, match="no photo with the number"):
            app.photos.picture("E1", first.number)


def test_a_photo_without_a_kept_face_says_so(flags: dict[str, object], draw: Draw) -> None:
    """Only its numbers are there."""
    with SmartAbsen.open(flags={**flags, "enrolment.keep_crops": False}) as app:
        enrol(app, draw, 1, photos=1)
        (photo,) = app.photos.of("E1")
        assert not photo.has_picture
        with pytest.raises(NotFoundError, match="only the numbers are kept"):
            app.photos.picture("E1", photo.number)


def test_a_photo_of_somebody_else_is_not_removed(trained: SmartAbsen) -> None:
    """The number must be one of this person's."""
    number = trained.photos.of("E2")[0].number
    with pytest.raises(NotFoundError):
        trained.photos.remove("E1", number)
    assert len(trained.photos.of("E2")) == 3
