"""The sealed cache of a home: the trained model of one generation of the gallery, in one file.

The database is the truth. The file says of which database and of which generation it is; where that is not the one in
force, it is made anew (:mod:`.model_in_force`). With the faces lie codes and names, so that a kiosk whose database is
away knows whom it recognised. Running programs take over a new file when :func:`find_stamp` changes. No pickle is ever
loaded.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..kernel.domain import KnownPerson, ModelIdentity
from ..kernel.errors import ModelDamagedError, NotTrainedError, SealBrokenError
from ..kernel.i18n import N_
from ..kernel.reading import no_permission_to_read, parse_json, read_bytes
from ..store.file_lock import file_lock
from ..store.files import remove_abandoned, storage_errors, write_atomically
from ..trust.sealing import KeyRing, binding, sealing_key_of
from .trained_model import (
    CACHE_NAME as CACHE_NAME,
    TrainedModel as TrainedModel,
    damaged,
    make_trained_model as make_trained_model,
)

OLD_NAMES: Final = ("model_knn.npz", "model_knn.json")
"""What earlier versions wrote: not read any more, and removed, for faces are in it."""
_LOCK_NAME: Final = ".model.lock"
_ARRAYS: Final = ("embeddings", "employee_ids", "template_ids")
_BOUND_TO: Final = binding("gallery cache", 1)


@dataclass(frozen=True, slots=True, eq=False)
class CachedGallery:
    """What the cache holds.

    Attributes:
        trained: The model.
        state: Of which state of the gallery it is; see :func:`smartabsen.store.meta.gallery_state`.
        address: Of the database that it was made of, without a password.
    """

    trained: TrainedModel
    state: str = ""
    address: str = ""


@contextmanager
def cache_lock(directory: Path) -> Iterator[None]:
    """Keep other writers of the cache out while a ``with`` block runs. Raises StorageError."""
    with file_lock(directory / _LOCK_NAME):
        yield


def load_model(directory: Path, ring: KeyRing) -> TrainedModel:
    """Read the model in the cache; raises as :func:`load_cache`."""
    return load_cache(directory, ring).trained


def load_cache(directory: Path, ring: KeyRing) -> CachedGallery:
    """Read the cache.

    Raises:
        NotTrainedError: There is none.
        ModelDamagedError: It is damaged.
        SealBrokenError: It is not sealed, or was changed.
        KeyMissingError: It is sealed with a key that is not in the ring.
    """
    path = directory / CACHE_NAME
    sealed = _read(path)
    if sealing_key_of(sealed) is None:
        raise SealBrokenError(
            N_("The trained model {path} is not sealed: it was not written by smartabsen, or is damaged."),
            hint=N_("Train it again: smartabsen train"),
            path=path,
        )
    plain = ring.open(sealed, _BOUND_TO)
    if plain is None:
        raise SealBrokenError(
            N_("The seal of the trained model {path} is broken: it is damaged, or somebody changed it."),
            hint=N_("Train it again: smartabsen train"),
            path=path,
        )
    return _decode(path, plain)


def save_model(directory: Path, trained: TrainedModel, ring: KeyRing, *, state: str = "", address: str = "") -> None:
    """Seal a model and put it in the place of the cache; a reader finds the old or the new one at every instant.

    Raises:
        StorageError: The disk is full, or permission is missing. The old file stays then.
        KeyMissingError: The ring has no key.
    """
    with cache_lock(directory):
        replace_cache(directory, CachedGallery(trained, state, address), ring)


def replace_cache(directory: Path, cached: CachedGallery, ring: KeyRing) -> None:
    """Do the work of :func:`save_model` for a caller that holds the :func:`cache_lock`."""
    remove_abandoned(directory / CACHE_NAME)
    write_atomically(directory / CACHE_NAME, ring.seal(_encode(cached), _BOUND_TO))
    _remove(directory, OLD_NAMES)


def reseal_model(directory: Path, ring: KeyRing) -> bool:
    """Seal the cache with the active key; return whether it was sealed with another one.

    Raises as :func:`load_cache` and :func:`save_model`, but for a cache that is not there.
    """
    with cache_lock(directory):
        if model_key(directory) in (None, ring.active):
            return False
        replace_cache(directory, load_cache(directory, ring), ring)
        return True


def remove_model(directory: Path) -> None:
    """Remove the cache, and what an earlier version left. Raises StorageError."""
    if directory.is_dir():
        with cache_lock(directory):
            _remove(directory, (CACHE_NAME, *OLD_NAMES))


def model_key(directory: Path) -> str | None:
    """Return the id of the key that the cache is sealed with; None where there is none, or no seal."""
    try:
        return sealing_key_of(_read(directory / CACHE_NAME))
    except (NotTrainedError, ModelDamagedError):
        return None


def find_stamp(directory: Path) -> tuple[int, int, int] | None:
    """Return a mark that changes when the cache is replaced, at the cost of one ``stat``; None without a cache.

    Take it before :func:`load_cache`.
    """
    try:
        found = (directory / CACHE_NAME).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _remove(directory: Path, names: tuple[str, ...]) -> None:
    for name in names:
        remove_abandoned(directory / name)
        with storage_errors(directory / name):
            (directory / name).unlink(missing_ok=True)


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


def _encode(cached: CachedGallery) -> bytes:
    trained = cached.trained
    facts = {
        "state": cached.state,
        "address": cached.address,
        "version": trained.version,
        "model": asdict(trained.model),
        "matcher": trained.matcher,
        "k": trained.k,
        "threshold": trained.threshold,
        "margin": trained.margin,
        "verification": trained.verification,
        "leave_one_out_accuracy": trained.leave_one_out_accuracy,
        "trained_at": trained.trained_at.isoformat(),
        "people": {str(owner): [one.uuid, one.code, one.name] for owner, one in trained.people.items()},
    }
    arrays = {name: np.ascontiguousarray(getattr(trained, name)) for name in _ARRAYS}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, facts=np.frombuffer(json.dumps(facts).encode(), dtype="u1"), **arrays)
    return buffer.getvalue()


def _decode(path: Path, content: bytes) -> CachedGallery:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            facts: dict[str, Any] = parse_json(arrays["facts"].tobytes())
            rows = {name: arrays[name] for name in _ARRAYS}
        state, address, version = (str(facts.pop(name)) for name in ("state", "address", "version"))
        facts["model"] = ModelIdentity(**facts["model"])
        facts["trained_at"] = datetime.fromisoformat(facts["trained_at"])
        facts["people"] = {int(owner): KnownPerson(*one) for owner, one in facts["people"].items()}
        trained = make_trained_model(**rows, **facts)
    except ModelDamagedError:
        raise
    except Exception as exc:
        # Of a planted file, zipfile, zlib and NumPy raise anything.
        raise damaged(path, str(exc).partition("\n")[0] or type(exc).__name__) from exc
    if trained.version != version:
        raise damaged(path, "its content differs from its version")
    return CachedGallery(trained, state, address)
