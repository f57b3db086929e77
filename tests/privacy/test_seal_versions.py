"""Seals of the version before name row ids: they open, are told, and a rotation renews them; moved faces are named."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from smartabsen import SmartAbsen
from smartabsen.cli.app import app as program
from smartabsen.privacy import resealing_rows
from smartabsen.store.tables import FaceCropRow, Karyawan, TemplateRow
from smartabsen.trust import sealing
from smartabsen.trust.sealing import Owner

from ..backup_parts import kinds, used
from ..installation import Draw

__all__ = ["kinds", "used"]


@pytest.fixture
def old(used: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> SmartAbsen:
    """The same installation with the seals of the version before."""
    ring = used.services.key_chain.ring()

    def reseal(session: Session) -> None:
        for table in (TemplateRow, FaceCropRow):
            for row, uuid in session.execute(select(table, Karyawan.uuid).join(Karyawan)).all():
                sealed = resealing_rows._sealed(row)
                plain = ring.open(sealed, resealing_rows._bound_to(row, Owner(row.karyawan_id, uuid).name_in(sealed)))
                assert plain is not None
                with monkeypatch.context() as patch:
                    patch.setattr(sealing, "_MAGIC", sealing.OLD_MAGIC)
                    resealing_rows._put(row, ring.seal(plain, resealing_rows._bound_to(row, str(row.karyawan_id))))

    used.services.database.run_write(reseal)
    return used


def seen(app: SmartAbsen, draw: Draw) -> list[str]:
    (result,) = app.identify([draw("who.png", 2)])
    return [face.employee.code for face in result.faces if face.employee]


def test_old_seals_open_and_are_told(old: SmartAbsen, draw: Draw) -> None:
    """Nobody has to be enrolled again after an upgrade; doctor says what renews them."""
    found = old.keys.check()
    assert (found.intact, found.old) == (True, 8)
    assert [row.fix for row in old.check_health() if row.name == "seals"] == ["smartabsen keys rotate"]
    assert old.train().templates == 4
    assert seen(old, draw) == ["E2"]


def test_a_rotation_renews_old_seals(old: SmartAbsen, draw: Draw) -> None:
    """With the new key; afterwards none is left, and all is as before."""
    done = old.keys.rotate(reason="seals that name people")
    assert (done.made, done.rows) == (True, 8)
    found = old.keys.check()
    assert (found.intact, found.old) == (True, 0)
    assert [row for row in old.check_health() if row.name == "seals"] == []
    assert old.train().templates == 4
    assert seen(old, draw) == ["E2"]


def test_an_old_seal_does_not_open_with_the_new_binding_and_the_other_way_round(old: SmartAbsen) -> None:
    """The version is part of what is authenticated: nobody makes a new seal of an old one."""
    ring = old.services.key_chain.ring()
    with old.services.database.read() as session:
        row, uuid = session.execute(select(TemplateRow, Karyawan.uuid).join(Karyawan).limit(1)).one()
    forged = sealing._MAGIC + row.embedding[len(sealing.OLD_MAGIC) :]
    for sealed, owner in ((row.embedding, uuid), (forged, uuid), (forged, str(row.karyawan_id))):
        assert ring.open(sealed, resealing_rows._bound_to(row, owner)) is None


def test_swapped_faces_are_named_by_the_audit(used: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """With whose row they lie in and whose they are; the exit code says that something is broken."""
    assert used.audit.verify_faces().broken == ()
    with used.services.database.write() as session:
        session.execute(text("UPDATE templates SET karyawan_id = 3 - karyawan_id WHERE id IN (1, 3)"))
        session.execute(text("UPDATE face_crops SET karyawan_id = 3 - karyawan_id WHERE id IN (2, 4)"))
    found = {(one.kind, one.code, one.belongs_to) for one in used.audit.verify_faces().broken}
    assert found == {(kind, *pair) for kind in ("template", "crop") for pair in (("E1", "E2"), ("E2", "E1"))}

    for name, value in (("HOME", used.settings.home), ("DATABASE_URL", used.services.database.url)):
        text_value = value if name == "HOME" else value.render_as_string(hide_password=False)
        monkeypatch.setenv(f"SMARTABSEN_{name}", str(text_value))
    answer = CliRunner().invoke(program, ["audit", "verify", "--json"])
    facts = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert {(one["code"], one["belongs_to"]) for one in facts["data"]["faces"]["problems"]} == {
        ("E1", "E2"),
        ("E2", "E1"),
    }
    shown = CliRunner().invoke(program, ["audit", "verify"])
    assert "E1: the template 3 was sealed for E2, and somebody moved it." in " ".join(shown.output.split())


def test_seals_that_were_swapped_alone_are_named_as_well(used: SmartAbsen) -> None:
    """Only the sealed bytes changed places: each row says another photo than its face is of."""
    with used.services.database.write() as session:
        rows = session.scalars(select(TemplateRow).where(TemplateRow.id.in_((1, 3)))).all()
        rows[0].embedding, rows[1].embedding = rows[1].embedding, rows[0].embedding
    assert {(one.code, one.belongs_to) for one in used.audit.verify_faces().broken} == {("E1", "E2"), ("E2", "E1")}
