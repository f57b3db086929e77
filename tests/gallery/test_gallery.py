"""The gallery of a running program: it follows the file, and answers as if it had been fitted on it anew."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from smartabsen.gallery.gallery import LiveGallery
from smartabsen.gallery.model_file import TrainedModel, make_trained_model, save_model
from smartabsen.kernel.domain import ModelIdentity
from smartabsen.recognition.matchers import MATCHERS
from smartabsen.recognition.matchers.base import Matcher

from ..rows import make_ring

RING = make_ring(1)
DIMENSION = 8
IDENTITY = ModelIdentity("fake", "ab" * 32, DIMENSION)


def embedding_of(template_id: int, made: int) -> np.ndarray:
    vector = np.random.default_rng([template_id, made]).normal(size=DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def model(templates: dict[int, tuple[int, int]], matcher: str) -> TrainedModel:
    """Make a model of templates by id: whose each is, and which of its contents it has."""
    order = sorted(templates, key=lambda one: (templates[one][0], one))
    rows = [embedding_of(one, templates[one][1]) for one in order]
    return make_trained_model(
        model=IDENTITY,
        matcher=matcher,
        k=0,
        threshold=0.4,
        margin=0.05,
        leave_one_out_accuracy=None,
        trained_at=datetime(2026, 11, 2, tzinfo=UTC),
        embeddings=np.array(rows, dtype=np.float32).reshape(len(rows), DIMENSION),
        employee_ids=np.array([templates[one][0] for one in order], dtype=np.int64),
        template_ids=np.array(order, dtype=np.int64),
        people={},
    )


def open_gallery(folder: Path) -> LiveGallery:
    return LiveGallery(folder, IDENTITY, lambda name: MATCHERS.get_factory(name)(), ring=lambda: RING)


Templates = dict[int, tuple[int, int]]
many: Templates = {number: (1 + number // 3, 0) for number in range(1, 121)}
changes = st.lists(
    st.tuples(st.integers(1, 130), st.one_of(st.none(), st.tuples(st.integers(1, 45), st.integers(0, 2)))), max_size=6
)


@pytest.mark.parametrize("matcher", ["exact", "knn", "binary", "auto"])
@settings(max_examples=8, deadline=None)
@given(trainings=st.lists(changes, min_size=1, max_size=3))
def test_after_any_changes_it_answers_as_one_that_was_fitted_anew(
    matcher: str, trainings: list[list[tuple[int, tuple[int, int] | None]]]
) -> None:
    """People and templates come, go, change and move from one person to another; the decisions are equal."""
    if matcher == "binary":
        pytest.importorskip("faiss")
    probes = [embedding_of(number, 0) for number in range(1, 131)]
    templates = dict(many)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_model(folder, model(templates, matcher), RING)
        running = open_gallery(folder)
        for training in trainings:
            for template_id, content in training:
                if content is None:
                    templates.pop(template_id, None)
                else:
                    templates[template_id] = content
            wanted = model(templates, matcher)
            save_model(folder, wanted, RING)
            running.refresh()
            fresh = MATCHERS.get_factory(matcher)()
            fresh.fit(wanted.embeddings, wanted.employee_ids)
            assert running.version == wanted.version
            assert running.match(probes) == fresh.match(np.stack(probes), threshold=0.4, margin=0.05)


def test_little_is_changed_in_the_matcher_and_much_is_fitted_anew(tmp_path: Path) -> None:
    """What costs nothing for one person would leave a matcher that was chosen for another size."""
    fits = 0

    def make(name: str) -> Matcher:
        nonlocal fits
        fits += 1
        return MATCHERS.get_factory(name)()

    save_model(tmp_path, model(many, "exact"), RING)
    gallery = LiveGallery(tmp_path, IDENTITY, make, ring=lambda: RING)
    templates = dict(many)
    for expected, further in ((1, 3), (1, 3), (2, 30)):
        first = max(templates) + 1
        templates |= {number: (500 + number, 0) for number in range(first, first + further)}
        save_model(tmp_path, model(templates, "exact"), RING)
        assert gallery.refresh() and fits == expected
    save_model(tmp_path, model(templates, "knn"), RING)
    assert gallery.refresh() and fits == 3
