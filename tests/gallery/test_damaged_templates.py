"""One damaged row in the database: its owner is named, everybody else goes on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import Check, KeyMissingError, KioskEvent, SealBrokenError, SmartAbsen
from smartabsen.camera.fake import FakeSource
from smartabsen.gallery.model_file import load_model
from smartabsen.gallery.stored_gallery import DAMAGED
from smartabsen.trust import audit_rows

from ..installation import Draw, enrol, outcomes, picture


@pytest.fixture
def three(app: SmartAbsen, draw: Draw) -> SmartAbsen:
    """Three people, two templates each."""
    for person in (1, 2, 3):
        enrol(app, draw, person, photos=2)
    return app


def damage(app: SmartAbsen, template_id: int | None = 3) -> None:
    """Flip the last byte of one seal, or of all."""
    which = "" if template_id is None else f" WHERE id = {template_id}"
    with app.services.database.write() as session:
        for row_id, sealed in session.execute(text(f"SELECT id, embedding FROM templates{which}")).all():
            changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
            session.execute(text("UPDATE templates SET embedding = :to WHERE id = :id"), {"to": changed, "id": row_id})


def names(app: SmartAbsen, *images: Path) -> list[str | None]:
    return [faces[0][1] for faces in outcomes(app, *images)]


def told(app: SmartAbsen) -> list[str]:
    return [dict(params)["people"] for message, params in app.remarks if message == DAMAGED]


def test_a_training_leaves_the_damaged_row_out_and_names_its_owner(three: SmartAbsen, draw: Draw) -> None:
    """In the report, to the person who trains, and in the audit trail; the others and the rest are recognised."""
    damage(three)

    report = three.train()

    assert (report.activated, report.employees, report.templates) == (True, 3, 5)
    assert [(one.id, one.code, one.name) for one in report.damaged] == [(3, "E2", "Contoh 2")]
    assert told(three) == ["Contoh 2 (E2)"]
    assert names(three, *(draw(f"{person}.png", person) for person in (1, 2, 3))) == ["E1", "E2", "E3"]
    with three.services.database.read() as session:
        (entry,) = [each for each in audit_rows.latest(session, 5) if each.action == "model.train"]
    assert entry.details["damaged"] == "E2"


def test_a_trained_model_goes_on_when_a_row_breaks_afterwards(
    three: SmartAbsen, draw: Draw, flags: dict[str, object]
) -> None:
    """The model has the template as it was trained; a new program starts with it, and warns."""
    three.train()
    damage(three)
    with SmartAbsen.open(flags=flags) as other:
        assert names(other, draw("a.png", 1), draw("b.png", 2)) == ["E1", "E2"]
        assert told(other) == ["Contoh 2 (E2)"]


def test_a_kiosk_starts_and_records_the_others(three: SmartAbsen, flags: dict[str, object], tmp_path: Path) -> None:
    """It does not end in a loop for the sake of one row."""
    three.train()
    damage(three)
    camera = FakeSource([picture(1)] * 6, period_s=0.1)
    with SmartAbsen.open(flags=flags) as kiosk:
        kiosk.services.open_camera = lambda *_args, **_kwargs: camera  # type: ignore[method-assign]
        events: list[KioskEvent] = []
        summary = kiosk.run_kiosk(camera=str(tmp_path / "door"), on_event=events.append, stop=threading.Event())
        assert summary.recorded == 1
        assert told(kiosk) == ["Contoh 2 (E2)"]


def test_enrolling_goes_on_and_mends_whom_it_gives_new_templates(three: SmartAbsen, draw: Draw) -> None:
    """Also with the very photo of the damaged row; somebody else's damage is left for a person to look at."""
    damage(three, 3)
    damage(three, 5)
    enrol(three, draw, 4, photos=1)

    photo = draw("photos/2-0.png", 2, size_px=130)
    assert three.enrol("Contoh 2", [photo], code="E2").accepted == 1

    assert [one.code for one in three.train().damaged] == ["E3"]
    assert three.get_employee("E2").templates == 2


def test_a_row_that_was_deleted_or_replaced_keeps_nobody_from_starting(
    three: SmartAbsen, draw: Draw, flags: dict[str, object]
) -> None:
    """Before the next training, the trained model has the person as it was trained."""
    three.train()
    damage(three, 3)
    damage(three, 5)
    photo = draw("photos/2-0.png", 2, size_px=130)
    assert three.enrol("Contoh 2", [photo], code="E2").accepted == 1
    assert three.keys.check(delete_broken=True).deleted == 1
    with SmartAbsen.open(flags=flags) as other:
        assert names(other, draw("a.png", 1), draw("b.png", 2), draw("c.png", 3)) == ["E1", "E2", "E3"]


def test_doctor_and_the_page_about_the_system_name_the_owner(three: SmartAbsen) -> None:
    """As a failure, with what to do."""
    three.train()
    assert three.system.facts().damaged == ""
    damage(three)

    def rows() -> list[Check]:
        return [check for check in three.check_health() if check.name in ("templates", "training")]

    assert three.system.facts().damaged == "Contoh 2 (E2)"
    damaged, training = rows()
    assert (damaged.level.value, dict(damaged.params)["people"]) == ("fail", "Contoh 2 (E2)")
    assert "Enrol these people again" in damaged.fix
    assert training.level.value == "ok"


def test_where_every_row_is_damaged_nothing_is_trained(three: SmartAbsen) -> None:
    """That is no accident to one row: the model in force stays."""
    three.train()
    before = load_model(three.settings.assets_dir, three.services.key_chain.ring()).version
    damage(three, None)
    with pytest.raises(SealBrokenError, match="of E1 is broken"):
        three.train()
    assert load_model(three.settings.assets_dir, three.services.key_chain.ring()).version == before


def test_a_wrong_key_is_no_damage(three: SmartAbsen, flags: dict[str, object]) -> None:
    """It is said as such, and nobody is told to enrol again."""
    three.train()
    three.services.key_chain.path.unlink()
    three.services.key_chain.create()
    with SmartAbsen.open(flags=flags) as other:
        with pytest.raises(KeyMissingError):
            other.train()
        assert told(other) == [] and other.system.facts().damaged == ""
