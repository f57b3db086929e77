"""Templates in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from smartabsen.gallery import template_rows
from smartabsen.kernel.domain import EVERYBODY, Employee, ModelIdentity, Template
from smartabsen.kernel.errors import InvalidInputError, KeyMissingError, NotFoundError, SealBrokenError
from smartabsen.people import employee_rows
from smartabsen.store.database import Database
from smartabsen.store.tables import TemplateRow
from smartabsen.trust.sealing import KeyRing

from ..rows import make_ring

MakeTemplate = Callable[..., Template]


def test_a_template_comes_back_as_stored(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing
) -> None:
    """The embedding to the bit, the quality to the last digit."""
    made = template(siti.id)
    with database.write() as session:
        (stored,) = template_rows.add_many(session, [made], ring=ring)

    with database.read() as session:
        (found,) = template_rows.of_employee(session, siti.id, model=made.model, ring=ring)

    assert stored.id == found.id > 0
    np.testing.assert_array_equal(found.embedding, made.embedding)
    assert found.embedding.dtype == np.float32
    assert (found.model, found.quality, found.source, found.photo_digest) == (
        made.model,
        made.quality,
        made.source,
        made.photo_digest,
    )


def test_the_same_photo_is_stored_once_for_a_person_and_model(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing
) -> None:
    """Within one call and over several, while another model and another person may have the photo, too."""
    other_model = ModelIdentity("other", "cd" * 32, 8)
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
        first = template_rows.add_many(
            session, [template(siti.id, photo="p1"), template(siti.id, photo="p1")], ring=ring
        )
        second = template_rows.add_many(
            session,
            [
                template(siti.id, photo="p1"),
                template(siti.id, photo="p2"),
                template(siti.id, photo="p1", model=other_model),
                template(budi.id, photo="p1"),
            ],
            ring=ring,
        )

    assert (len(first), len(second)) == (1, 3)
    with database.read() as session:
        assert template_rows.photo_digests(session, siti.id, template(0).model) == {"p1", "p2"}
        assert template_rows.models(session) == {template(0).model: 3, other_model: 1}
        assert template_rows.count(session, other_model) == 1


def test_the_gallery_holds_active_people_of_one_model_in_a_fixed_order(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing
) -> None:
    """Arrays by employee, then template; inactive people and other models are left out unless asked for."""
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
        gone = employee_rows.add(session, code="E003", name="Gone")
        of_budi, of_siti, of_gone = (template(person.id) for person in (budi, siti, gone))
        template_rows.add_many(session, [of_budi, of_gone, of_siti], ring=ring)
        template_rows.add_many(session, [template(siti.id, model=ModelIdentity("other", "cd" * 32, 8))], ring=ring)
        employee_rows.update(session, "E003", active=False)

    with database.read() as session:
        gallery = template_rows.gallery(session, of_siti.model, ring=ring)
        everybody = template_rows.gallery(session, of_siti.model, members=EVERYBODY, ring=ring)
        size = template_rows.size(session, of_siti.model)

    assert size == (2, 2)
    np.testing.assert_array_equal(gallery.embeddings, [of_siti.embedding, of_budi.embedding])
    assert (gallery.embeddings.dtype, gallery.employee_ids.dtype) == (np.float32, np.int64)
    assert gallery.employee_ids.tolist() == [siti.id, budi.id]
    assert gallery.sources == (of_siti.source, of_budi.source)
    assert everybody.employee_ids.tolist() == [siti.id, budi.id, gone.id]


def test_an_empty_gallery_has_the_shape_of_its_model(database: Database, template: MakeTemplate, ring: KeyRing) -> None:
    """No template gives arrays of no rows, not an error."""
    with database.read() as session:
        gallery = template_rows.gallery(session, template(0).model, ring=ring)

    assert (gallery.embeddings.shape, gallery.employee_ids.shape) == ((0, 8), (0,))


@pytest.mark.parametrize(
    "embedding",
    [
        np.ones(8, dtype=np.float32),
        np.full(8, np.nan, dtype=np.float32),
        np.eye(7, dtype=np.float32)[0],
        np.eye(8, dtype=np.float64)[0],
        np.eye(8, dtype=np.float32)[:1],
    ],
    ids=["length", "nan", "dimension", "dtype", "shape"],
)
def test_an_embedding_that_is_not_what_its_model_says_is_refused(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing, embedding: np.ndarray
) -> None:
    """Length, shape, type and finiteness are checked on the way in."""
    with pytest.raises(InvalidInputError, match="embedding"), database.write() as session:
        template_rows.add_many(session, [replace(template(siti.id), embedding=embedding)], ring=ring)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("embedding = X'00'", "template 1 of E001 is not sealed"),
        ("embedding = zeroblob(32)", "template 1 of E001 is not sealed"),
        ("photo_digest = 'other'", "seal of the template 1 of E001 is broken"),
        ("model_digest = 'other', engine = 'other'", "seal of the template 1 of E001 is broken"),
    ],
)
def test_a_damaged_embedding_is_refused_by_its_row(
    sqlite: Database, template: MakeTemplate, ring: KeyRing, change: str, words: str
) -> None:
    """What is not sealed, or not for this row, never reaches a comparison, and is named."""
    with sqlite.write() as session:
        person = employee_rows.add(session, code="E001", name="Siti")
        template_rows.add_many(session, [template(person.id)], ring=ring)
        session.execute(text(f"UPDATE templates SET {change}"))

    with sqlite.read() as session:
        (model,) = template_rows.models(session)
        gallery = template_rows.gallery(session, model, ring=ring)
        (damaged,) = gallery.damaged
        assert (damaged.id, damaged.code, damaged.name, len(gallery.embeddings)) == (1, "E001", "Siti", 0)
        error = template_rows.broken(template_id=damaged.id, code=damaged.code, sealed=damaged.sealed)
        assert words in str(error)
        with pytest.raises(SealBrokenError, match=words):
            template_rows.of_employee(session, person.id, ring=ring)


def test_a_row_that_was_given_to_somebody_else_is_refused_by_name(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing
) -> None:
    """Who can write the database cannot punch as another person by giving them the own face."""
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
        template_rows.add_many(session, [template(siti.id), template(budi.id)], ring=ring)
    move = f"UPDATE templates SET karyawan_id = {siti.id + budi.id} - karyawan_id"
    with database.write() as session:
        session.execute(text(move))

    with database.read() as session:
        gallery = template_rows.gallery(session, template(0).model, ring=ring)
        assert (len(gallery.embeddings), [one.code for one in gallery.damaged]) == (0, ["E001", "E002"])
        assert len(template_rows.facts_of_employee(session, siti.id)) == 1
    with database.write() as session:
        session.execute(text(move))
    with database.read() as session:
        assert len(template_rows.gallery(session, template(0).model, ring=ring).embeddings) == 2


def test_one_damaged_row_leaves_the_others(database: Database, siti: Employee, template: MakeTemplate) -> None:
    """All arrays are of the intact rows, in their order; the key's name in the seal is as good a place for damage."""
    ring = make_ring(1)
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
        made = [template(siti.id), template(siti.id), template(budi.id)]
        stored = template_rows.add_many(session, made, ring=ring)
        row = session.get(TemplateRow, stored[1].id)
        assert row is not None
        row.embedding = row.embedding[:10] + b"?" + row.embedding[11:]

    with database.read() as session:
        gallery = template_rows.gallery(session, made[0].model, ring=ring)

    np.testing.assert_array_equal(gallery.embeddings, [made[0].embedding, made[2].embedding])
    assert gallery.template_ids.tolist() == [stored[0].id, stored[2].id]
    assert gallery.employee_ids.tolist() == [siti.id, budi.id]
    assert gallery.photo_digests == (made[0].photo_digest, made[2].photo_digest)
    assert [(one.id, one.code, one.sealed) for one in gallery.damaged] == [(stored[1].id, "E001", True)]


def test_another_key_opens_nothing_and_says_which_is_needed(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing
) -> None:
    """A wrong key and a missing one are told apart, and both say what to do."""
    with database.write() as session:
        template_rows.add_many(session, [template(siti.id)], ring=ring)

    with database.read() as session:
        with pytest.raises(KeyMissingError, match=f"key {ring.active}, which is not in a test") as caught:
            template_rows.gallery(session, template(0).model, ring=make_ring(2))
        assert "Copy the key file" in caught.value.hint
        with pytest.raises(KeyMissingError, match="is missing: nowhere") as caught:
            template_rows.gallery(session, template(0).model, ring=KeyRing.of({}, active="", place="nowhere"))
        assert "Put the key file back" in caught.value.hint


def test_templates_need_their_employee(database: Database, template: MakeTemplate, ring: KeyRing) -> None:
    """A template of nobody is refused."""
    with pytest.raises(NotFoundError), database.write() as session:
        template_rows.add_many(session, [template(99)], ring=ring)


def test_deleted_templates_are_gone_and_their_ids_are_not_used_again(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing
) -> None:
    """Also when the last row was deleted: nothing that remembers an id can mean another template."""
    with database.write() as session:
        stored = template_rows.add_many(session, [template(siti.id), template(siti.id)], ring=ring)
        assert template_rows.delete(session, [one.id for one in stored] + [999]) == 2
        (later,) = template_rows.add_many(session, [template(siti.id)], ring=ring)

    assert later.id > stored[-1].id
    with database.read() as session:
        assert [one.id for one in template_rows.of_employee(session, siti.id, ring=ring)] == [later.id]


def test_a_long_source_keeps_both_its_ends(
    database: Database, siti: Employee, template: MakeTemplate, ring: KeyRing
) -> None:
    """File names can be longer than the column, and hold bytes that are no text."""
    with database.write() as session:
        (stored,) = template_rows.add_many(
            session, [replace(template(siti.id), source="a" * 300 + "\udcff.jpg")], ring=ring
        )

    with database.read() as session:
        (found,) = template_rows.of_employee(session, siti.id, ring=ring)
    assert len(found.source) <= 255
    assert found.source == stored.source
    assert found.source.startswith("aaa") and found.source.endswith(".jpg")
