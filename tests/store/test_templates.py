"""Templates in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from smartabsen.domain import Employee, ModelIdentity, Template
from smartabsen.errors import InvalidInputError, ModelDamagedError, NotFoundError
from smartabsen.store import employees, templates
from smartabsen.store.database import Database

MakeTemplate = Callable[..., Template]


def test_a_template_comes_back_as_stored(database: Database, siti: Employee, template: MakeTemplate) -> None:
    """The embedding to the bit, the quality to the last digit."""
    made = template(siti.id)
    with database.write() as session:
        (stored,) = templates.add_many(session, [made])

    with database.read() as session:
        (found,) = templates.of_employee(session, siti.id, model=made.model)

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
    database: Database, siti: Employee, template: MakeTemplate
) -> None:
    """Within one call and over several, while another model and another person may have the photo, too."""
    other_model = ModelIdentity("other", "cd" * 32, 8)
    with database.write() as session:
        budi = employees.add(session, code="E002", name="Budi")
        first = templates.add_many(session, [template(siti.id, photo="p1"), template(siti.id, photo="p1")])
        second = templates.add_many(
            session,
            [
                template(siti.id, photo="p1"),
                template(siti.id, photo="p2"),
                template(siti.id, photo="p1", model=other_model),
                template(budi.id, photo="p1"),
            ],
        )

    assert (len(first), len(second)) == (1, 3)
    with database.read() as session:
        assert templates.photo_digests(session, siti.id, template(0).model) == {"p1", "p2"}
        assert templates.models(session) == {template(0).model: 3, other_model: 1}
        assert templates.count(session, other_model) == 1


def test_the_gallery_holds_active_people_of_one_model_in_a_fixed_order(
    database: Database, siti: Employee, template: MakeTemplate
) -> None:
    """Arrays by employee, then template; inactive people and other models are left out unless asked for."""
    with database.write() as session:
        budi = employees.add(session, code="E002", name="Budi")
        gone = employees.add(session, code="E003", name="Gone")
        of_budi, of_siti, of_gone = (template(person.id) for person in (budi, siti, gone))
        templates.add_many(session, [of_budi, of_gone, of_siti])
        templates.add_many(session, [template(siti.id, model=ModelIdentity("other", "cd" * 32, 8))])
        employees.update(session, "E003", active=False)

    with database.read() as session:
        gallery = templates.gallery(session, of_siti.model)
        everybody = templates.gallery(session, of_siti.model, include_inactive=True)

    np.testing.assert_array_equal(gallery.embeddings, [of_siti.embedding, of_budi.embedding])
    assert (gallery.embeddings.dtype, gallery.employee_ids.dtype) == (np.float32, np.int64)
    assert gallery.employee_ids.tolist() == [siti.id, budi.id]
    assert gallery.sources == (of_siti.source, of_budi.source)
    assert everybody.employee_ids.tolist() == [siti.id, budi.id, gone.id]


def test_an_empty_gallery_has_the_shape_of_its_model(database: Database, template: MakeTemplate) -> None:
    """No template gives arrays of no rows, not an error."""
    with database.read() as session:
        gallery = templates.gallery(session, template(0).model)

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
    database: Database, siti: Employee, template: MakeTemplate, embedding: np.ndarray
) -> None:
    """Length, shape, type and finiteness are checked on the way in."""
    with pytest.raises(InvalidInputError, match="embedding"), database.write() as session:
        templates.add_many(session, [replace(template(siti.id), embedding=embedding)])


@pytest.mark.parametrize("change", ["embedding = X'00'", "embedding = zeroblob(32)"])
def test_a_damaged_embedding_is_refused_by_its_row(sqlite: Database, template: MakeTemplate, change: str) -> None:
    """Bytes that are no unit vector of the right dimension never reach a comparison."""
    with sqlite.write() as session:
        person = employees.add(session, code="E001", name="Siti")
        templates.add_many(session, [template(person.id)])
        session.execute(text(f"UPDATE templates SET {change}"))

    with sqlite.read() as session:
        with pytest.raises(ModelDamagedError, match="template 1"):
            templates.gallery(session, template(0).model)
        with pytest.raises(ModelDamagedError, match="template 1"):
            templates.of_employee(session, person.id)


def test_templates_need_their_employee(database: Database, template: MakeTemplate) -> None:
    """A template of nobody is refused."""
    with pytest.raises(NotFoundError), database.write() as session:
        templates.add_many(session, [template(99)])


def test_deleted_templates_are_gone_and_their_ids_are_not_used_again(
    database: Database, siti: Employee, template: MakeTemplate
) -> None:
    """Also when the last row was deleted: nothing that remembers an id can mean another template."""
    with database.write() as session:
        stored = templates.add_many(session, [template(siti.id), template(siti.id)])
        assert templates.delete(session, [one.id for one in stored] + [999]) == 2
        (later,) = templates.add_many(session, [template(siti.id)])

    assert later.id > stored[-1].id
    with database.read() as session:
        assert [one.id for one in templates.of_employee(session, siti.id)] == [later.id]


def test_a_long_source_keeps_both_its_ends(database: Database, siti: Employee, template: MakeTemplate) -> None:
    """File names can be longer than the column, and hold bytes that are no text."""
    with database.write() as session:
        (stored,) = templates.add_many(session, [replace(template(siti.id), source="a" * 300 + "\udcff.jpg")])

    with database.read() as session:
        (found,) = templates.of_employee(session, siti.id)
    assert len(found.source) <= 255
    assert found.source == stored.source
    assert found.source.startswith("aaa") and found.source.endswith(".jpg")
