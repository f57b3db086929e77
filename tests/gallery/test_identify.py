"""Who is in these pictures, through the facade, with the fake engine."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen import CheckLevel, ConflictError, InvalidInputError, NotTrainedError, Outcome, SmartAbsen
from smartabsen.gallery.model_file import load_model
from smartabsen.kernel.messages import fill

from ..installation import Draw, enrol, outcomes


def training_remarks(app: SmartAbsen) -> list[str]:
    """What is remarked of trainings."""
    said = (fill(*remark) for remark in app.remarks)
    return [text for text in said if "train" in text]


def test_a_deactivated_employee_is_a_stranger_at_once(app: SmartAbsen, draw: Draw) -> None:
    """Recognition and punching end; the name and the past stay."""
    for person in (1, 2):
        enrol(app, draw, person)
    app.train()
    app.deactivate_employee("E1")
    assert outcomes(app, draw("one.png", 1), draw("two.png", 2)) == [
        [(Outcome.UNKNOWN, None)],
        [(Outcome.RECOGNIZED, "E2")],
    ]
    with pytest.raises(ConflictError, match="not active"):
        app.punch("E1")


def test_an_employee_who_comes_back_is_recognised_at_once(app: SmartAbsen, draw: Draw) -> None:
    """The trained model is what it was before, and a health check finds nothing to do."""
    for person in (1, 2):
        enrol(app, draw, person)
    version = app.train().version
    app.deactivate_employee("E1")
    app.activate_employee("E1")
    assert outcomes(app, draw("one.png", 1)) == [[(Outcome.RECOGNIZED, "E1")]]
    assert load_model(app.settings.assets_dir, app.services.key_chain.ring()).version == version
    assert [check.level for check in app.check_health() if check.name == "training"] == [CheckLevel.OK]
    assert training_remarks(app) == []


def test_an_employee_who_comes_back_before_any_training_is_told_of_it(app: SmartAbsen, draw: Draw) -> None:
    """There is no trained model to come back into."""
    enrol(app, draw, 1)
    app.deactivate_employee("E1")
    app.activate_employee("E1")
    assert training_remarks(app) == ["Contoh 1 is recognised after the next training: smartabsen train"]


def test_people_enrolled_since_the_training_are_named_where_somebody_is_recognised(app: SmartAbsen, draw: Draw) -> None:
    """Who wonders why a new colleague stays unknown is told to train."""
    enrol(app, draw, 1)
    app.train()
    enrol(app, draw, 2)
    outcomes(app, draw("one.png", 1))
    expected = ["The trained model lacks photos of Contoh 2. Train it again: smartabsen train"]
    assert training_remarks(app) == expected


def test_pictures_are_drawn_with_what_was_found(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """--draw writes annotated copies beside the pictures without touching them; two of one name stay two."""
    enrol(app, draw, 1)
    app.train()
    pictures = [draw("a/who.jpg", 1, 77), draw("b/who.jpg", 1)]
    before = [picture.read_bytes() for picture in pictures]
    app.identify(pictures, draw_dir=tmp_path / "a")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "who-annotated-2.jpg",
        "who-annotated.jpg",
        "who.jpg",
    ]
    assert [picture.read_bytes() for picture in pictures] == before


def test_a_picture_that_cannot_be_read_is_told_among_the_others(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """One broken file does not spoil the rest."""
    enrol(app, draw, 1)
    app.train()
    broken, good = app.identify([tmp_path / "gone.png", draw("who.png", 1)])
    assert (broken.outcome, good.faces[0].outcome) == (Outcome.UNREADABLE, Outcome.RECOGNIZED)


def test_a_folder_of_pictures_is_looked_through_in_the_order_of_names(
    app: SmartAbsen, draw: Draw, tmp_path: Path
) -> None:
    """As enrolment does; a picture that is named twice is answered twice."""
    enrol(app, draw, 1)
    app.train()
    first, second = draw("seen/a.png", 1), draw("seen/b.png", 77)
    results = app.identify([second, tmp_path / "seen"])
    assert [result.image for result in results] == [str(second), str(first), str(second)]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="no photo in"):
        app.identify(tmp_path / "empty")


def test_one_picture_can_be_drawn_into_a_file(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """A name with the ending of a picture is a file, and never the picture itself."""
    enrol(app, draw, 1)
    app.train()
    picture, out = draw("one.png", 1), tmp_path / "marked.png"
    app.identify(picture, draw_dir=out)
    assert out.read_bytes()[:4] == b"\x89PNG"
    app.identify(picture, draw_dir=tmp_path / "marked")
    assert (tmp_path / "marked" / "one-annotated.jpg").is_file()
    notes = tmp_path / "notes"
    notes.touch()
    for images, target, problem in (
        ([picture, picture], out, "there are 2 pictures"),
        ([picture], picture, "is the picture itself"),
        ([picture], notes, "is a file"),
    ):
        with pytest.raises(InvalidInputError, match=problem):
            app.identify(images, draw_dir=target)


def test_a_model_of_another_database_names_nobody(app: SmartAbsen, draw: Draw, flags: dict[str, object]) -> None:
    """After the database was exchanged the old model's numbers mean other people: it is refused, not used."""
    enrol(app, draw, 1)
    app.train()
    app.close()
    (Path(str(flags["home"])) / "smartabsen.db").unlink()
    with SmartAbsen.open(flags=flags) as other:
        other.enrol("Somebody Else", [], code="Z1")
        with pytest.raises(NotTrainedError, match="does not belong"):
            other.identify([draw("who.png", 1)])


def test_a_picture_without_light_is_called_so(app: SmartAbsen, draw: Draw, tmp_path: Path) -> None:
    """“No face” would send people to look for another cause; an empty room is one."""
    enrol(app, draw, 1)
    enrol(app, draw, 2)
    app.train()
    for name, level in (("black.png", 1), ("white.png", 252), ("room.png", 110)):
        cv2.imwrite(str(tmp_path / name), np.full((200, 300, 3), level, dtype=np.uint8))
    results = app.identify([tmp_path / name for name in ("black.png", "white.png", "room.png")])
    assert [result.hidden_by for result in results] == [Outcome.TOO_DARK, Outcome.TOO_BRIGHT, None]
