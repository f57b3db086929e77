"""The key of the biometric data through the facade: made by itself, exchanged, lost, wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import ConflictError, KeyMissingError, Outcome, SealBrokenError, SmartAbsen
from smartabsen.gallery.model_file import model_key
from smartabsen.gallery.stored_gallery import DAMAGED, DAMAGED_FIX, MOVED, MOVED_FIX
from smartabsen.privacy import resealing_rows

from ..installation import Draw


def enrol(app: SmartAbsen, draw: Draw, person: int, *, photos: int = 2) -> None:
    files = [draw(f"photos/{person}-{number}.png", person, size_px=130 + 12 * number) for number in range(photos)]
    assert app.enrol(f"Contoh {person}", files, code=f"E{person}").accepted == photos


def recognised(app: SmartAbsen, image: Path) -> list[str | None]:
    (result,) = app.identify([image])
    return [face.employee.code if face.employee else None for face in result.faces]


@pytest.fixture
def key_file(app: SmartAbsen) -> Path:
    return app.settings.home / "secrets" / "keys.json"


def test_the_first_enrolment_makes_the_key_and_says_where_it_lies(app: SmartAbsen, draw: Draw, key_file: Path) -> None:
    """No step by hand; whoever reads the notice knows what to keep. Somebody without a face needs no key."""
    app.enrol("Contoh 9", [], code="E9")
    assert not key_file.exists()

    enrol(app, draw, 1)

    assert key_file.exists()
    ((message, params),) = app.remarks
    assert "Keep a copy" in message and params == (("path", str(key_file)),)
    enrol(app, draw, 2)
    assert len(app.remarks) == 1


def test_without_the_key_attendance_works_and_recognition_says_what_is_wrong(
    app: SmartAbsen, draw: Draw, key_file: Path, flags: dict[str, object]
) -> None:
    """Reading, reporting and punching by hand go on; nothing makes a new key behind anybody's back."""
    enrol(app, draw, 1)
    app.train()
    key_file.rename(key_file.with_name("away"))
    with SmartAbsen.open(flags=flags) as other:
        assert other.punch("E1").outcome is Outcome.RECOGNIZED
        assert len(other.employees()) == 1 and len(other.templates_of("E1")) == 2
        for work in (lambda: other.identify([draw("x.png", 1)]), lambda: enrol(other, draw, 2), other.train):
            with pytest.raises(KeyMissingError, match="missing") as caught:
                work()
            assert caught.value.exit_code == 6 and "Put the key file back" in caught.value.hint
        other.deactivate_employee("E1")
        checks = {check.name: check.level.value for check in other.check_health()}
        assert checks["keys"] == "fail"
    assert not key_file.exists()


def test_the_key_of_another_installation_is_refused_by_name(
    app: SmartAbsen, draw: Draw, key_file: Path, flags: dict[str, object]
) -> None:
    """A wrong key neither opens nor seals: no row of a second key gets into the database."""
    enrol(app, draw, 1)
    right = key_file.read_text()
    key_file.unlink()
    app.services.key_chain.create()
    with SmartAbsen.open(flags=flags) as other, pytest.raises(KeyMissingError, match=json.loads(right)["active"]):
        enrol(other, draw, 2)
    key_file.write_text(right)
    with SmartAbsen.open(flags=flags) as other:
        enrol(other, draw, 2)


def test_a_rotation_seals_everything_with_a_new_key(
    app: SmartAbsen, draw: Draw, key_file: Path, flags: dict[str, object]
) -> None:
    """Templates, kept faces and the trained model; a program that runs meanwhile goes on."""
    enrol(app, draw, 1)
    app.train()
    picture = draw("x.png", 1)
    with SmartAbsen.open(flags=flags) as running:
        assert recognised(running, picture) == ["E1"]
        before = app.keys.check()
        rotation = app.keys.rotate(forget_old=True)
        assert (rotation.made, rotation.rows, rotation.model) == (True, 4, True)
        after = app.keys.check()
        assert set(after.templates) == set(after.crops) == {rotation.active} != set(before.templates)
        assert rotation.forgotten == tuple(before.templates) and after.intact
        assert model_key(app.settings.assets_dir) == rotation.active
        assert recognised(running, picture) == ["E1"]
        enrol(running, draw, 2)
    assert set(app.keys.check().templates) == {rotation.active}


def test_a_rotation_that_was_cut_off_is_finished_and_makes_no_further_key(
    app: SmartAbsen, draw: Draw, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between any two transactions, everything opens; the next call does the rest with the same key."""
    for person in range(1, 4):
        enrol(app, draw, person)
    app.train()
    monkeypatch.setattr(resealing_rows, "_BATCH", 1)
    run_write = app.services.database.run_write
    for allowed in range(1, 12, 2):
        calls, keys_before = 0, len(app.keys.check().keys)

        def die(work: object, *, limit: int = allowed) -> object:
            nonlocal calls
            calls += 1
            if calls > limit:
                raise KeyboardInterrupt
            return run_write(work)  # type: ignore[arg-type]

        monkeypatch.setattr(app.services.database, "run_write", die)
        with pytest.raises(KeyboardInterrupt):
            app.keys.rotate()
        monkeypatch.setattr(app.services.database, "run_write", run_write)
        keys = len(app.keys.check().keys)
        assert app.keys.check().intact
        assert recognised(app, draw("x.png", 2)) == ["E2"]
        finished = app.keys.rotate()
        # Cut off before there was a new key, it was no rotation yet.
        assert (finished.made, len(app.keys.check().keys)) == (
            (False, keys) if keys > keys_before else (True, keys + 1)
        )
        assert set(app.keys.check().templates) == {finished.active}


def test_keys_from_the_environment_are_used_and_never_written(
    app: SmartAbsen, draw: Draw, key_file: Path, flags: dict[str, object]
) -> None:
    """With a second key in front, a rotation seals with that one."""
    from base64 import b64encode

    one, two = (b64encode(bytes([seed]) * 32).decode() for seed in (1, 2))
    with SmartAbsen.open(flags={**flags, "keys": one}) as first:
        enrol(first, draw, 1)
        assert {value.name: value.value for value in first.setting_values()}["keys"] == "***"
    with SmartAbsen.open(flags={**flags, "keys": f"{two},{one}"}) as second:
        rotation = second.keys.rotate()
        assert (rotation.made, rotation.rows) == (False, 4)
        assert set(second.keys.check().templates) == {rotation.active}
    assert not key_file.exists()


def test_a_lost_key_can_be_given_up(app: SmartAbsen, draw: Draw, key_file: Path, flags: dict[str, object]) -> None:
    """What it sealed is deleted, people and attendance stay, and enrolment works again; never by mistake."""
    enrol(app, draw, 1)
    app.train()
    with pytest.raises(ConflictError, match="Nothing is lost"):
        app.keys.init(discard_lost=True)
    key_file.unlink()
    with SmartAbsen.open(flags=flags) as other:
        with pytest.raises(KeyMissingError):
            other.keys.init()
        begun = other.keys.init(discard_lost=True)
        assert (begun.made, begun.discarded) == (True, 4)
        assert [person.code for person in other.employees()] == ["E1"]
        enrol(other, draw, 1)
        other.train()
        assert recognised(other, draw("x.png", 1)) == ["E1"]


def test_swapped_rows_are_listed_and_can_be_deleted(app: SmartAbsen, draw: Draw) -> None:
    """Nobody is recognised by the face of another row; the check lists whose they are."""
    enrol(app, draw, 1)
    enrol(app, draw, 2)
    with app.services.database.write() as session:
        session.execute(text("UPDATE templates SET karyawan_id = 3 - karyawan_id WHERE id IN (1, 3)"))
    report = app.train()
    assert (report.templates, [one.code for one in report.damaged]) == (2, ["E1", "E2"])
    told = {message: dict(params).get("people") for message, params in app.remarks}
    assert (told[MOVED], MOVED_FIX in told, DAMAGED in told, DAMAGED_FIX in told) == (
        "E1 < E2, E2 < E1",
        True,
        False,
        False,
    )
    assert [row.fix for row in app.check_health() if row.name == "templates"] == [MOVED_FIX]
    assert recognised(app, draw("x.png", 2)) == ["E2"]

    found = app.keys.check()
    assert {(one.kind, one.code, one.problem) for one in found.broken} == {
        ("template", "E1", "broken"),
        ("template", "E2", "broken"),
    }
    assert {one.code: one.belongs_to for one in found.broken} == {"E1": "E2", "E2": "E1"}
    assert not found.intact
    assert app.keys.check(delete_broken=True).deleted == 2
    assert app.keys.check().intact and app.train().templates == 2


def test_a_row_without_a_seal_is_not_taken_in(app: SmartAbsen, draw: Draw, flags: dict[str, object]) -> None:
    """Who can write the database cannot add a face of their own; where no row is intact, the training says so."""
    import numpy as np

    enrol(app, draw, 1)
    face = np.zeros(64, dtype=np.float32)
    face[0] = 1.0
    with app.services.database.write() as session:
        planted = {"face": face.tobytes()}
        session.execute(text("UPDATE templates SET embedding = :face, key_id = '' WHERE id = 1"), planted)
        session.execute(text("DELETE FROM meta WHERE name = 'active_key'"))
    with SmartAbsen.open(flags=flags) as other:
        assert other.train().templates == 1
        with app.services.database.write() as session:
            session.execute(text("UPDATE templates SET embedding = :face, key_id = ''"), planted)
        with pytest.raises(SealBrokenError, match="template 1 of E1 is not sealed"):
            other.train()
