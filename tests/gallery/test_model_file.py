"""The trained model on the disk: the old one or the new one, whole, or an error with its name."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartabsen.gallery import model_file
from smartabsen.gallery.model_file import (
    CACHE_NAME,
    OLD_NAMES,
    CachedGallery,
    TrainedModel,
    find_stamp,
    load_cache,
    load_model,
    make_trained_model,
    model_key,
    reseal_model,
    save_model,
)
from smartabsen.kernel.domain import KnownPerson, ModelIdentity
from smartabsen.kernel.errors import KeyMissingError, ModelDamagedError, NotTrainedError, SealBrokenError
from smartabsen.trust.sealing import binding

from ..rows import make_ring

MODEL = ModelIdentity("fake", "ab" * 32, 4)
RING = make_ring(1)


def trained(seed: int = 1, **changes: Any) -> TrainedModel:
    random = np.random.default_rng(seed)
    embeddings = random.normal(size=(5, 4)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    values: dict[str, Any] = {
        "model": MODEL,
        "matcher": "knn",
        "k": 3,
        "threshold": 0.35,
        "margin": 0.05,
        "leave_one_out_accuracy": 0.995,
        "trained_at": datetime(2026, 11, 2, tzinfo=UTC),
        "embeddings": embeddings,
        "employee_ids": np.array([1, 1, 2, 2, 3]),
        "template_ids": np.array([1, 2, 3, 4, 6]),
        "people": {row: KnownPerson(f"u{row}", f"E{row}", f"Contoh {row}") for row in (1, 2, 3)},
    }
    return make_trained_model(**{**values, **changes})


def same(one: TrainedModel, other: TrainedModel) -> bool:
    plain = {"embeddings": None, "employee_ids": None}
    return (
        replace(one, **plain).__repr__() == replace(other, **plain).__repr__()
        and np.array_equal(one.embeddings, other.embeddings)
        and np.array_equal(one.employee_ids, other.employee_ids)
    )


def test_a_model_comes_back_as_saved(tmp_path: Path) -> None:
    """All of it; and of which database, and of which state of its gallery it is."""
    one = trained()

    save_model(tmp_path, one, RING, state="db first 7", address="mysql://office/attendance")

    cached = load_cache(tmp_path, RING)
    assert same(cached.trained, one)
    assert (cached.state, cached.address) == ("db first 7", "mysql://office/attendance")


def test_the_version_follows_the_content_alone() -> None:
    """The same gallery and settings have the same version whenever they are trained; any change gives another."""
    version = trained().version

    assert trained(trained_at=datetime(2027, 1, 1, tzinfo=UTC), leave_one_out_accuracy=None).version == version
    others = [trained(2), trained(threshold=0.36), trained(margin=0.06), trained(k=1), trained(matcher="exact")]
    others.append(trained(employee_ids=np.array([1, 1, 2, 2, 4])))
    assert len({version, *(other.version for other in others)}) == 7


def test_without_a_file_nothing_is_trained(tmp_path: Path) -> None:
    """The error says how to train, and there is no stamp."""
    with pytest.raises(NotTrainedError, match="no trained model") as caught:
        load_model(tmp_path, RING)

    assert "smartabsen train" in caught.value.hint
    assert find_stamp(tmp_path) is None


def test_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    """No single changed bit yields a model."""
    save_model(tmp_path, trained(), RING)
    path = tmp_path / CACHE_NAME
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        # In the head of the seal stands the key: another one is not in the ring.
        with pytest.raises((ModelDamagedError, KeyMissingError)):
            load_model(tmp_path, RING)


@pytest.mark.parametrize("length", [0, 1, 100, -2])
def test_a_truncated_file_is_refused(tmp_path: Path, length: int) -> None:
    """Whatever is left of it."""
    save_model(tmp_path, trained(), RING)
    path = tmp_path / CACHE_NAME
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(ModelDamagedError, match="damaged"):
        load_model(tmp_path, RING)


def plant(directory: Path, content: bytes, *, sealed: bool = False) -> None:
    """Put content in the place of the cache; sealed as somebody would who has the key, too."""
    found = RING.seal(content, model_file._BOUND_TO) if sealed else content
    (directory / CACHE_NAME).write_bytes(found)


def contents(trained: TrainedModel, **arrays: Any) -> bytes:
    """Return what the cache of a model holds inside its seal, with other arrays."""
    with np.load(io.BytesIO(model_file._encode(CachedGallery(trained)))) as found:
        members = {name: found[name] for name in found.files}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, **{**members, **arrays})
    return buffer.getvalue()


class Explosive:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (exec, ("raise SystemExit('code of a planted file was run')",))


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_planted_pickle_is_refused_and_not_run(tmp_path: Path, wrapped: bool, sealed: bool) -> None:
    """Neither in place of the file nor inside of it, even in a seal that opens."""
    save_model(tmp_path, trained(), RING)
    content = pickle.dumps(Explosive())
    if wrapped:
        content = contents(trained(), embeddings=np.array([Explosive()], dtype=object))

    plant(tmp_path, content, sealed=sealed)

    refusal, words = (ModelDamagedError, "damaged") if sealed else (SealBrokenError, "is not sealed")
    with pytest.raises(refusal, match=words):
        load_model(tmp_path, RING)


UNIT = np.eye(4, dtype=np.float32)


@pytest.mark.parametrize(
    ("embeddings", "employee_ids"),
    [
        (UNIT.astype(np.float64), np.arange(1, 5)),
        (np.eye(5, dtype=np.float32), np.arange(1, 6)),
        (UNIT, np.arange(1, 4)),
        (UNIT * 2, np.arange(1, 5)),
        (np.full((4, 4), np.nan, dtype=np.float32), np.arange(1, 5)),
        (UNIT, np.arange(4)),
        (UNIT, np.arange(1, 5, dtype=np.float64)),
        (UNIT[:, :, None], np.arange(1, 5)),
    ],
    ids=["float64", "dimension", "count", "length", "nan", "id 0", "float ids", "3-D"],
)
def test_arrays_that_are_no_gallery_are_refused(
    tmp_path: Path, embeddings: np.ndarray, employee_ids: np.ndarray
) -> None:
    """When they are saved, and when they are read out of a seal that opens."""
    with pytest.raises(ModelDamagedError):
        trained(embeddings=embeddings, employee_ids=employee_ids)
    save_model(tmp_path, trained(), RING)

    plant(tmp_path, contents(trained(), embeddings=embeddings, employee_ids=employee_ids), sealed=True)

    with pytest.raises(ModelDamagedError):
        load_model(tmp_path, RING)


def test_a_gallery_of_nobody_is_a_model_too(tmp_path: Path) -> None:
    """When the last person was deactivated, kiosks take over that they know nobody."""
    nobody = trained(embeddings=UNIT[:0], employee_ids=np.arange(0), template_ids=np.arange(0))

    save_model(tmp_path, nobody, RING)

    assert same(load_model(tmp_path, RING), nobody)


def test_changed_settings_do_not_fit_to_their_version(tmp_path: Path) -> None:
    """A lower threshold is noticed, whatever wrote it into the seal."""
    one = trained()
    save_model(tmp_path, one, RING)

    plant(tmp_path, model_file._encode(CachedGallery(replace(one, threshold=-0.9))), sealed=True)

    with pytest.raises(ModelDamagedError, match="version"):
        load_model(tmp_path, RING)


def test_what_was_sealed_for_something_else_does_not_open(tmp_path: Path) -> None:
    """Sealed with the right key, but as something else: refused."""
    save_model(tmp_path, trained(1), RING)

    plant(tmp_path, RING.seal(contents(trained(1)), binding("crop")))

    with pytest.raises(SealBrokenError, match="is broken"):
        load_model(tmp_path, RING)


def test_the_files_of_an_earlier_version_are_removed(tmp_path: Path) -> None:
    """Nobody would erase a face in them any more."""
    for name in OLD_NAMES:
        (tmp_path / name).write_bytes(b"of the version before")

    save_model(tmp_path, trained(), RING)

    assert not [name for name in OLD_NAMES if (tmp_path / name).exists()]


def test_without_its_key_a_model_does_not_open(tmp_path: Path) -> None:
    """The error names the key, which the file says without being opened."""
    save_model(tmp_path, trained(), RING)

    with pytest.raises(KeyMissingError, match=RING.active):
        load_model(tmp_path, make_ring(2))
    assert model_key(tmp_path) == RING.active


def test_a_model_is_sealed_anew_with_another_key(tmp_path: Path) -> None:
    """After a rotation it opens with the new key alone, and is the same model."""
    save_model(tmp_path, trained(), RING)
    both = make_ring(2, 1)

    assert reseal_model(tmp_path, both)

    assert not reseal_model(tmp_path, both)
    assert same(load_model(tmp_path, make_ring(2)), trained())


def test_no_embedding_lies_in_the_file(tmp_path: Path) -> None:
    """Neither as bytes nor in part."""
    one = trained()

    save_model(tmp_path, one, RING)

    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [row for row in one.embeddings if row.tobytes()[:8] in content]
    assert b"PK" not in content[:2] and b"NUMPY" not in content


def test_the_stamp_changes_with_every_training(tmp_path: Path) -> None:
    """A running kiosk notices a new model of the same size within one instant, and nothing without a training."""
    save_model(tmp_path, trained(1), RING)
    before = find_stamp(tmp_path)
    assert before is not None
    assert find_stamp(tmp_path) == before

    save_model(tmp_path, trained(2), RING)

    assert find_stamp(tmp_path) != before


def test_what_killed_trainings_left_behind_is_removed(tmp_path: Path) -> None:
    """Embeddings do not pile up in temporary files."""
    leftover = tmp_path / f".{CACHE_NAME}.0a1b.tmp"
    leftover.write_bytes(b"half a model")

    save_model(tmp_path, trained(), RING)

    assert not leftover.exists()
