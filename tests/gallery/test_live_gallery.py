"""The trained gallery in use: one person is compared as all are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from smartabsen.gallery.gallery import LiveGallery
from smartabsen.gallery.model_file import make_trained_model, save_model
from smartabsen.kernel.domain import ACTIVE, KnownPerson, Members, ModelIdentity, Outcome
from smartabsen.recognition.balance import Balance
from smartabsen.recognition.matchers import MATCHERS
from smartabsen.trust.sealing import KeyRing, key_id_of

MODEL = ModelIdentity("fake", "0" * 64, 4)


def gallery_of(directory: Path, members: Members) -> LiveGallery:
    """Return the gallery of a model with the people a (employee 7) and b (8)."""
    key = bytes(32)
    ring = KeyRing.of({key_id_of(key): key}, active=key_id_of(key), place="a test")
    trained = make_trained_model(
        model=MODEL,
        matcher="exact",
        k=0,
        threshold=0.5,
        margin=0.1,
        leave_one_out_accuracy=None,
        trained_at=datetime.now(UTC),
        embeddings=np.eye(4, dtype=np.float32),
        employee_ids=np.array([7, 7, 7, 8]),
        template_ids=np.arange(1, 5),
        people={7: KnownPerson("a"), 8: KnownPerson("b")},
    )
    save_model(directory, trained, ring)
    return LiveGallery(directory, MODEL, lambda name: MATCHERS.get_factory(name)(), ring=lambda: ring, members=members)


def test_a_gallery_of_chosen_people_compares_with_them_only(tmp_path: Path) -> None:
    """The others are strangers there; it is known by the version of the whole model, and keeps to it."""
    whole, chosen = (gallery_of(tmp_path, who) for who in (ACTIVE, Members(frozenset({"b", "c"}))))
    probe = [np.eye(4, dtype=np.float32)[0]]
    assert whole.match(probe)[0].outcome is Outcome.RECOGNIZED and whole.people == 2
    assert chosen.match(probe)[0].outcome is Outcome.UNKNOWN and chosen.people == 1
    assert not chosen.knows(7) and chosen.knows(8) and chosen.version == whole.version
    assert not chosen.refresh()
    nobody = gallery_of(tmp_path, Members(frozenset()))
    assert nobody.match(probe)[0].outcome is Outcome.UNKNOWN


def test_one_person_alone_is_as_similar_as_among_all(tmp_path: Path) -> None:
    """Who confirms with a phone gains no more by many photos than who stands at a kiosk."""
    key = bytes(32)
    ring = KeyRing.of({key_id_of(key): key}, active=key_id_of(key), place="a test")
    templates = np.eye(4, dtype=np.float32)
    trained = make_trained_model(
        model=MODEL,
        matcher="knn",
        k=4,
        threshold=0.5,
        margin=0.1,
        leave_one_out_accuracy=None,
        trained_at=datetime.now(UTC),
        embeddings=templates,
        employee_ids=np.array([7, 7, 7, 8]),
        template_ids=np.arange(1, 5),
        people={},
    )
    save_model(tmp_path, trained, ring)
    even = Balance(handicap=0.1, copy_threshold=0.9)
    gallery = LiveGallery(tmp_path, MODEL, lambda name: MATCHERS.get_factory(name)(balance=even), ring=lambda: ring)
    probes = list(templates[[0, 3]])
    lowered = 1.0 - 0.1 * np.log(3)
    assert [match.similarity for match in gallery.match(probes)] == pytest.approx([lowered, 1.0], abs=1e-6)
    assert gallery.verify(probes, 7) == pytest.approx((lowered, lowered - 1.0), abs=1e-6)
    assert gallery.verify(probes, 8) == pytest.approx((0.0, 1.0))
    assert gallery.verify(probes, 9) == (-1.0, -1.0)
