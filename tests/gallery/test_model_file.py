"""The trained model on the disk: the old one or the new one, whole, or an error with its name."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartabsen.gallery import model_file
from smartabsen.gallery.model_file import (
    ARRAYS_NAME,
    FACTS_NAME,
    TrainedModel,
    find_stamp,
    load_model,
    make_trained_model,
    reseal_model,
    save_model,
)
from smartabsen.kernel.domain import KnownPerson, ModelIdentity
from smartabsen.kernel.errors import KeyMissingError, ModelDamagedError, NotTrainedError, SealBrokenError
from smartabsen.trust.sealing import model_binding

from ..rows import make_ring

MODEL = ModelIdentity("fake", "ab" * 32, 4)
RING = make_ring(1)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "_RETRY_S", 0.0)


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
    """All of it; and the JSON beside it names digest, version and counts for people and scripts."""
    one = trained()

    save_model(tmp_path, one, RING)

    assert same(load_model(tmp_path, RING), one)
    facts = json.loads((tmp_path / FACTS_NAME).read_text())
    assert facts["sha256"] == sha256((tmp_path / ARRAYS_NAME).read_bytes()).hexdigest()
    assert (facts["version"], facts["employees"], facts["templates"]) == (one.version, 3, 5)


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


@pytest.mark.parametrize("first_training", [True, False])
def test_a_writer_killed_between_its_files_leaves_the_old_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_training: bool
) -> None:
    """The description is new and the arrays are old: the reader takes the old model, or says that there is none."""
    old = trained(1)
    if not first_training:
        save_model(tmp_path, old, RING)
    write = model_file.write_atomically

    def die_before_the_arrays(path: Path, data: bytes) -> None:
        if path.name == ARRAYS_NAME:
            raise KeyboardInterrupt
        write(path, data)

    monkeypatch.setattr(model_file, "write_atomically", die_before_the_arrays)
    with pytest.raises(KeyboardInterrupt):
        save_model(tmp_path, trained(2), RING)

    if first_training:
        with pytest.raises(NotTrainedError):
            load_model(tmp_path, RING)
    else:
        assert same(load_model(tmp_path, RING), old)
    monkeypatch.setattr(model_file, "write_atomically", write)
    save_model(tmp_path, trained(3), RING)
    assert same(load_model(tmp_path, RING), trained(3))


def test_a_reader_between_two_trainings_waits_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who read the old description and then finds the new arrays looks again, and gets the new model."""
    save_model(tmp_path, trained(1), RING)
    read_description = model_file._read_description
    passed = []

    def train_meanwhile(directory: Path) -> dict[str, Any]:
        found = read_description(directory)
        if not passed:
            passed.append(True)
            save_model(directory, trained(2), RING)
        return found

    monkeypatch.setattr(model_file, "_read_description", train_meanwhile)

    assert same(load_model(tmp_path, RING), trained(2))


@pytest.mark.parametrize("name", [ARRAYS_NAME, FACTS_NAME])
def test_every_flipped_bit_is_refused(tmp_path: Path, name: str) -> None:
    """No single changed bit in either file yields a model."""
    save_model(tmp_path, trained(), RING)
    path = tmp_path / name
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ModelDamagedError):
            load_model(tmp_path, RING)


@pytest.mark.parametrize("length", [0, 1, 100, -2])
@pytest.mark.parametrize("name", [ARRAYS_NAME, FACTS_NAME])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, length: int) -> None:
    """Whatever is left of it."""
    save_model(tmp_path, trained(), RING)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(ModelDamagedError, match="damaged"):
        load_model(tmp_path, RING)


def plant(directory: Path, arrays: bytes, *, sealed: bool = False, **changes: Any) -> None:
    """Put arrays in place with a description that fits to them, as somebody would who knows the format.

    Args:
        sealed: As somebody would who has the key, too.
    """
    facts = json.loads((directory / FACTS_NAME).read_text())
    facts.pop("checksum")
    if sealed:
        identity = ModelIdentity(facts["engine"], facts["digest"], facts["dimension"])
        arrays = RING.seal(arrays, model_binding(identity, facts["version"]))
    facts |= {"sha256": sha256(arrays).hexdigest(), "previous": None, **changes}
    (directory / ARRAYS_NAME).write_bytes(arrays)
    (directory / FACTS_NAME).write_bytes(model_file._seal(facts))


class Explosive:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (exec, ("raise SystemExit('code of a planted file was run')",))


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_planted_pickle_is_refused_and_not_run(tmp_path: Path, wrapped: bool, sealed: bool) -> None:
    """Neither in place of the file nor inside of it, even with a digest that fits and in a seal that opens."""
    save_model(tmp_path, trained(), RING)
    content = pickle.dumps(Explosive())
    if wrapped:
        buffer = io.BytesIO()
        np.savez(buffer, embeddings=np.array([Explosive()], dtype=object), employee_ids=np.array([1]))
        content = buffer.getvalue()

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
    """When they are saved, and when they are read with a digest that fits."""
    with pytest.raises(ModelDamagedError):
        trained(embeddings=embeddings, employee_ids=employee_ids)
    save_model(tmp_path, trained(), RING)
    buffer = io.BytesIO()
    np.savez(buffer, embeddings=embeddings, employee_ids=employee_ids)

    plant(tmp_path, buffer.getvalue(), sealed=True)

    with pytest.raises(ModelDamagedError):
        load_model(tmp_path, RING)


def test_a_gallery_of_nobody_is_a_model_too(tmp_path: Path) -> None:
    """When the last person was deactivated, kiosks take over that they know nobody."""
    nobody = trained(embeddings=UNIT[:0], employee_ids=np.arange(0), template_ids=np.arange(0))

    save_model(tmp_path, nobody, RING)

    assert same(load_model(tmp_path, RING), nobody)


def test_changed_settings_do_not_fit_to_their_version(tmp_path: Path) -> None:
    """A lower threshold, written with a fitting checksum, is noticed all the same."""
    save_model(tmp_path, trained(), RING)

    plant(tmp_path, (tmp_path / ARRAYS_NAME).read_bytes(), threshold=-0.9)

    with pytest.raises(ModelDamagedError, match="version"):
        load_model(tmp_path, RING)


def test_the_arrays_of_another_model_do_not_open(tmp_path: Path) -> None:
    """Sealed with the right key, but for another version: what somebody kept of an older gallery is refused."""
    save_model(tmp_path, trained(1), RING)
    older = (tmp_path / ARRAYS_NAME).read_bytes()
    save_model(tmp_path, trained(2), RING)

    plant(tmp_path, older)

    with pytest.raises(SealBrokenError, match="belongs to another model"):
        load_model(tmp_path, RING)


def test_without_its_key_a_model_does_not_open(tmp_path: Path) -> None:
    """The error names the key; the description beside it stays readable and says which key that is."""
    save_model(tmp_path, trained(), RING)

    with pytest.raises(KeyMissingError, match=RING.active):
        load_model(tmp_path, make_ring(2))
    assert json.loads((tmp_path / FACTS_NAME).read_text())["key"] == RING.active


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


def test_a_file_of_a_later_format_is_said(tmp_path: Path) -> None:
    """A model that a newer program wrote is refused by its format."""
    save_model(tmp_path, trained(), RING)

    plant(tmp_path, (tmp_path / ARRAYS_NAME).read_bytes(), format=6)

    with pytest.raises(ModelDamagedError, match="format is 6"):
        load_model(tmp_path, RING)


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
    leftover = tmp_path / f".{ARRAYS_NAME}.0a1b.tmp"
    leftover.write_bytes(b"half a model")

    save_model(tmp_path, trained(), RING)

    assert not leftover.exists()
