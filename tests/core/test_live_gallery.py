"""The trained gallery in use: one person is compared as all are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from smartabsen.core.gallery import LiveGallery
from smartabsen.domain import ModelIdentity
from smartabsen.recognition.balance import Balance
from smartabsen.recognition.matchers import MATCHERS
from smartabsen.store.model_file import make_trained_model, save_model
from smartabsen.store.sealing import KeyRing, key_id_of

MODEL = ModelIdentity("fake", "0" * 64, 4)


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
