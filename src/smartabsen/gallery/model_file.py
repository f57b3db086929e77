"""The trained model on the disk: ``model_knn.npz`` with the arrays, sealed, ``model_knn.json`` with everything else.

The arrays are faces, so the .npz lies inside a seal that is bound to the model's identity and version. With them lie
codes and names: a kiosk whose database is away knows whom it recognised. The .json is readable without a key and holds
nothing of a face. The database is the truth and these files are derived from it;
running kiosks take over new ones when :func:`find_stamp` changes. No pickle is ever loaded.

Two files cannot be replaced in one step, so the JSON goes first and describes **both** models: the new one and, under
``previous``, the one whose arrays still lie there. A reader takes the description whose SHA-256 the arrays have. It
finds the old model until the arrays are replaced and the new one afterwards, also when the writer was killed between.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..kernel.domain import KnownPerson, ModelIdentity
from ..kernel.errors import ModelDamagedError, NotTrainedError, SealBrokenError
from ..kernel.i18n import N_
from ..kernel.reading import no_permission_to_read, parse_json, read_bytes
from ..store.file_lock import file_lock
from ..store.files import remove_abandoned, storage_errors, write_atomically
from ..trust.sealing import KeyRing, model_binding, sealing_key_of
from .trained_model import (
    ARRAYS_NAME as ARRAYS_NAME,
    TrainedModel as TrainedModel,
    damaged,
    make_trained_model as make_trained_model,
)

FACTS_NAME: Final = "model_knn.json"
_LOCK_NAME: Final = ".model.lock"
_FORMAT: Final = 5
_READABLE: Final = (3, 4, 5)
"""3 knows people by their row ids alone, 4 also by their UUIDs, 5 by code and name as well."""
_TRIES: Final = 5
_RETRY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class ModelStamp:
    """What changes when a model file is replaced: inode, size and time of change of both files."""

    facts: tuple[tuple[int, int, int], ...]


@contextmanager
def model_lock(directory: Path) -> Iterator[None]:
    """Keep other writers of the trained model out while a ``with`` block runs. Raises StorageError."""
    with file_lock(directory / _LOCK_NAME):
        yield


def save_model(directory: Path, trained: TrainedModel, ring: KeyRing) -> None:
    """Seal a model and write it in place of the one before; a reader finds the old or the new one at every instant.

    Raises:
        StorageError: The disk is full, or permission is missing. The old model is in force then.
        KeyMissingError: The ring has no key.
    """
    with model_lock(directory):
        replace_model(directory, trained, ring)


def reseal_model(directory: Path, ring: KeyRing) -> bool:
    """Seal the model in force with the active key; return whether it was sealed with another one.

    Raises as :func:`load_model` and :func:`save_model`, but for a model that is not there.
    """
    with model_lock(directory):
        if model_key(directory) in (None, ring.active):
            return False
        replace_model(directory, load_model(directory, ring), ring)
        return True


def remove_model(directory: Path) -> None:
    """Remove the trained model, so that there is none. Raises StorageError."""
    with model_lock(directory):
        _remove(directory)


def _remove(directory: Path) -> None:
    for name in (ARRAYS_NAME, FACTS_NAME):
        remove_abandoned(directory / name)
        with storage_errors(directory / name):
            (directory / name).unlink(missing_ok=True)


def model_key(directory: Path) -> str | None:
    """Return the id of the key that the model in force is sealed with; None where there is none, or no seal."""
    try:
        return sealing_key_of(_read(directory / ARRAYS_NAME))
    except (NotTrainedError, ModelDamagedError):
        return None


def read_files(directory: Path) -> dict[str, bytes]:
    """Return the model's files by name, both of one state; none where there is no model.

    Raises:
        StorageError: They cannot be read.
    """
    if not directory.is_dir():
        return {}
    with model_lock(directory), storage_errors(directory):
        found = [directory / name for name in (FACTS_NAME, ARRAYS_NAME) if (directory / name).is_file()]
        return {path.name: read_bytes(path) for path in found}


def load_model(directory: Path, ring: KeyRing) -> TrainedModel:
    """Read the model in force.

    Raises:
        NotTrainedError: There is none.
        ModelDamagedError: A file is damaged, or the two do not belong together.
        SealBrokenError: The arrays are not sealed, were changed, or are those of another model.
        KeyMissingError: It is sealed with a key that is not in the ring.
    """
    for attempt in range(_TRIES):
        if attempt:
            # A writer can be between its two files: the description read was older than the arrays read after it.
            time.sleep(_RETRY_S)
        described = _read_description(directory)
        arrays = _read(directory / ARRAYS_NAME)
        for facts in (described, described.get("previous")):
            if facts and facts["sha256"] == sha256(arrays).hexdigest():
                return _decode(directory / ARRAYS_NAME, facts, _opened(directory / ARRAYS_NAME, facts, arrays, ring))
    raise damaged(directory / ARRAYS_NAME, "its SHA-256 differs from that in the .json file")


def find_stamp(directory: Path) -> ModelStamp | None:
    """Return a mark that changes when the model is replaced, at the cost of two ``stat``; None without a model.

    Take it before :func:`load_model`. It can change twice for one new model: compare versions, too.
    """
    try:
        found = [(directory / name).stat() for name in (FACTS_NAME, ARRAYS_NAME)]
    except OSError:
        return None
    return ModelStamp(tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found))


def replace_model(directory: Path, trained: TrainedModel, ring: KeyRing) -> None:
    """Do the work of :func:`save_model` for a caller that holds the :func:`model_lock`."""
    arrays = ring.seal(_encode(trained), model_binding(trained.model, trained.version))
    facts = _describe(trained, arrays)
    for name in (ARRAYS_NAME, FACTS_NAME):
        remove_abandoned(directory / name)
    previous = _description_in_force(directory)
    write_atomically(directory / FACTS_NAME, _seal({**facts, "previous": previous}))
    write_atomically(directory / ARRAYS_NAME, arrays)


def _describe(trained: TrainedModel, arrays: bytes) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "sha256": sha256(arrays).hexdigest(),
        "key": sealing_key_of(arrays),
        "version": trained.version,
        "engine": trained.model.engine,
        "digest": trained.model.digest,
        "dimension": trained.model.dimension,
        "matcher": trained.matcher,
        "k": trained.k,
        "threshold": trained.threshold,
        "margin": trained.margin,
        "verification": trained.verification,
        "employees": len(np.unique(trained.employee_ids)),
        "templates": len(trained.embeddings),
        "leave_one_out_accuracy": trained.leave_one_out_accuracy,
        "trained_at": trained.trained_at.isoformat(),
    }


def _description_in_force(directory: Path) -> dict[str, Any] | None:
    """Return the description of the arrays that lie there, None where there are none or nothing describes them."""
    try:
        described = _read_description(directory)
        digest = sha256(_read(directory / ARRAYS_NAME)).hexdigest()
    except (NotTrainedError, ModelDamagedError):
        return None
    for facts in (described, described.get("previous")):
        if facts and facts["sha256"] == digest:
            return {name: value for name, value in facts.items() if name not in ("previous", "checksum")}
    return None


def _seal(facts: dict[str, Any]) -> bytes:
    return (json.dumps({**facts, "checksum": _checksum(facts)}, indent=2) + "\n").encode()


def _checksum(facts: dict[str, Any]) -> str:
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _read_description(directory: Path) -> dict[str, Any]:
    path = directory / FACTS_NAME
    content = _read(path)
    try:
        facts: dict[str, Any] = parse_json(content)
        intact = facts.pop("checksum") == _checksum(facts)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise damaged(path, "it is no description of a model") from exc
    if not intact:
        raise damaged(path, "its checksum is wrong")
    if facts.get("format") not in _READABLE:
        raise damaged(path, f"its format is {facts.get('format')}; this program reads {_FORMAT}")
    return facts


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except FileNotFoundError as exc:
        raise NotTrainedError(
            N_("There is no trained model yet ({path} is missing)."), hint=N_("Train one: smartabsen train"), path=path
        ) from exc
    except PermissionError as exc:
        raise no_permission_to_read(path) from exc
    except OSError as exc:
        raise damaged(path, exc.strerror or "it cannot be read") from exc


def _opened(path: Path, facts: dict[str, Any], arrays: bytes, ring: KeyRing) -> bytes:
    if sealing_key_of(arrays) is None:
        raise SealBrokenError(
            N_("The trained model {path} is not sealed: it was not written by smartabsen, or is damaged."),
            hint=N_("Train it again: smartabsen train"),
            path=path,
        )
    identity = ModelIdentity(str(facts["engine"]), str(facts["digest"]), int(facts["dimension"]))
    plain = ring.open(arrays, model_binding(identity, str(facts["version"])))
    if plain is None:
        raise SealBrokenError(
            N_("The seal of the trained model {path} is broken: it was changed, or belongs to another model."),
            hint=N_("Train it again: smartabsen train"),
            path=path,
        )
    return plain


def _encode(trained: TrainedModel) -> bytes:
    buffer = io.BytesIO()
    members = {str(owner): [one.uuid, one.code, one.name] for owner, one in trained.people.items()}
    people = json.dumps(members).encode()
    np.savez(
        buffer,
        allow_pickle=False,
        embeddings=np.ascontiguousarray(trained.embeddings, dtype="<f4"),
        employee_ids=np.ascontiguousarray(trained.employee_ids, dtype="<i8"),
        template_ids=np.ascontiguousarray(trained.template_ids, dtype="<i8"),
        people=np.frombuffer(people, dtype="u1"),
    )
    return buffer.getvalue()


def _member(stored: str | list[str]) -> KnownPerson:
    return KnownPerson(stored) if isinstance(stored, str) else KnownPerson(*map(str, stored))


def _decode(path: Path, facts: dict[str, Any], content: bytes) -> TrainedModel:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            embeddings, employee_ids, template_ids = (
                arrays[name] for name in ("embeddings", "employee_ids", "template_ids")
            )
            stored: dict[str, Any] = json.loads(arrays["people"].tobytes()) if "people" in arrays else {}
            people = {int(owner): _member(one) for owner, one in stored.items()}
        trained = make_trained_model(
            model=ModelIdentity(facts["engine"], facts["digest"], facts["dimension"]),
            matcher=facts["matcher"],
            k=facts["k"],
            threshold=facts["threshold"],
            margin=facts["margin"],
            leave_one_out_accuracy=facts["leave_one_out_accuracy"],
            trained_at=datetime.fromisoformat(facts["trained_at"]),
            embeddings=embeddings,
            employee_ids=employee_ids,
            template_ids=template_ids,
            people=people,
            verification=facts.get("verification"),
        )
    except ModelDamagedError:
        raise
    except Exception as exc:
        # Of a planted file, zipfile, zlib and NumPy raise anything.
        raise damaged(path, str(exc).partition("\n")[0] or type(exc).__name__) from exc
    if trained.version != facts["version"]:
        raise damaged(path, "its content differs from its version")
    return trained
