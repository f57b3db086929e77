"""Which trained model is in force, in the database, so that every machine can make it of the templates."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import numpy as np
import pytest

from smartabsen.gallery import model_rows, template_rows
from smartabsen.gallery.trained_model import TrainedModel, make_trained_model
from smartabsen.kernel.domain import Employee
from smartabsen.kernel.errors import KeyMissingError, SealBrokenError
from smartabsen.people import employee_rows
from smartabsen.store import meta
from smartabsen.store.database import Database

from ..rows import MODEL, make_ring
from .test_template_rows import MakeTemplate

RING = make_ring(1)


def trained(gallery: template_rows.Gallery) -> TrainedModel:
    return make_trained_model(
        model=gallery.model,
        matcher="exact",
        k=0,
        threshold=0.4,
        margin=0.05,
        leave_one_out_accuracy=0.995,
        trained_at=datetime(2026, 11, 2, tzinfo=UTC),
        embeddings=gallery.embeddings,
        employee_ids=gallery.employee_ids,
        template_ids=gallery.template_ids,
        people=gallery.people,
    )


@pytest.fixture
def stored(database: Database, siti: Employee, template: MakeTemplate) -> TrainedModel:
    """A model of two people, put into force."""
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
        template_rows.add_many(session, [template(person) for person in (budi.id, siti.id, siti.id)], ring=RING)
        model = trained(template_rows.gallery(session, MODEL, ring=RING))
        model_rows.put_record(session, model, RING)
        # Enrolled since the training: not in it.
        template_rows.add_many(session, [template(budi.id)], ring=RING)
    return model


def test_another_machine_makes_the_same_model_of_the_templates(database: Database, stored: TrainedModel) -> None:
    """To the bit, without those that were enrolled since; so it has the same version."""
    with database.read() as session:
        record = model_rows.find_record(session, RING)
        assert record is not None
        made = record.make(template_rows.gallery(session, MODEL, ring=RING))
        assert model_rows.find_version(session) == record.version == stored.version

    assert made.version == stored.version
    assert made.template_ids.tolist() == stored.template_ids.tolist()
    assert (made.trained_at, made.leave_one_out_accuracy) == (stored.trained_at, stored.leave_one_out_accuracy)


def test_what_is_gone_is_left_out_and_the_version_says_so(
    database: Database, siti: Employee, stored: TrainedModel
) -> None:
    """An employee who may not punch any more is in no model that is made from then on."""
    with database.write() as session:
        employee_rows.update(session, siti.code, active=False)
    with database.read() as session:
        record = model_rows.find_record(session, RING)
        assert record is not None
        made = record.make(template_rows.gallery(session, MODEL, ring=RING))
    assert len(made.employee_ids) == 1 and siti.id not in made.employee_ids
    assert made.version != stored.version


def test_before_the_first_training_there_is_none(database: Database) -> None:
    """And after everything was discarded."""
    with database.write() as session:
        assert model_rows.find_record(session, RING) is None
        model_rows.remove_record(session)
        assert model_rows.find_version(session) is None


def test_who_has_no_key_cannot_change_it(database: Database, stored: TrainedModel) -> None:
    """Neither a flipped bit nor the record of another model opens; another key is no damage."""
    with database.write() as session:
        kept = meta.find(session, "trained_model")
        assert kept is not None
        sealed = base64.b64decode(kept)
        for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"{}"):
            meta.put(session, "trained_model", base64.b64encode(changed).decode())
            with pytest.raises(SealBrokenError, match=stored.version):
                model_rows.find_record(session, RING)
        meta.put(session, "trained_model", kept)
        meta.put(session, meta.ACTIVE_VERSION, "another")
        with pytest.raises(SealBrokenError, match="another"):
            model_rows.find_record(session, RING)
        meta.put(session, meta.ACTIVE_VERSION, stored.version)
        with pytest.raises(KeyMissingError):
            model_rows.find_record(session, make_ring(2))


def test_a_rotation_seals_it_anew(database: Database, stored: TrainedModel) -> None:
    """Then the old key is not needed any more."""
    with database.write() as session:
        assert model_rows.reseal_record(session, make_ring(2, 1))
        assert not model_rows.reseal_record(session, make_ring(2, 1))
        record = model_rows.find_record(session, make_ring(2))
    assert record is not None and record.version == stored.version


def test_any_set_of_templates_comes_back() -> None:
    """Empty, one, all in a row, and with any gaps."""
    random = np.random.default_rng(7)
    sets = [[], [5], [1, 2, 3], *(np.flatnonzero(random.random(200) < share) + 1 for share in (0.01, 0.5, 0.99))]
    for ids in sets:
        wanted = np.array(ids, dtype=np.int64)
        assert model_rows._unpacked(model_rows._packed(wanted)).tolist() == wanted.tolist()
