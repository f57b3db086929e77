"""The gallery in use: the database says which generation is in force, and the cache of each home is made of it.

What is in force stands in the database alone, and is changed in one unit of work there, which raises the generation.
A home whose cache is of another generation makes it anew of the templates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from ..app.bootstrap import Services
from ..kernel.errors import KeyMissingError, ModelDamagedError, NotTrainedError, SmartAbsenError
from ..kernel.i18n import N_
from ..store import meta
from ..store.database import Session
from ..store.files import check_writable, make_private_directory
from ..trust import audit_rows
from ..trust.sealing import KeyRing
from . import model_rows, template_rows
from .model_file import (
    CACHE_NAME,
    CachedGallery,
    TrainedModel,
    cache_lock,
    find_stamp,
    load_cache,
    remove_model,
    replace_cache,
)
from .stored_gallery import read_gallery

Change = Callable[[TrainedModel], TrainedModel | None]
FILE_REPLACED: Final = N_(
    "The file of the trained model {path} was damaged, or somebody replaced it; it was made anew of the templates."
)
_TRIES: Final = 5


def put_in_force(services: Services, trained: TrainedModel, *, details: dict[str, str] | None = None) -> None:
    """Put a newly trained model into force, on all machines of the database.

    Raises:
        StorageError: This home cannot be written; the old model stays in force.
        DatabaseError: The database does not answer. It says which model is in force when it is back.
        KeyMissingError: The key is missing, or is another one.
    """
    ring = services.writing_ring()
    make_private_directory(services.settings.assets_dir)
    check_writable(services.settings.assets_dir, size_bytes=trained.embeddings.nbytes)

    def work(session: Session) -> None:
        _record(services, session, trained, ring, action="model.train", details=details)

    services.database.run_write(work)
    follow(services)


def change_model(services: Services, change: Change, *, action: str) -> bool:
    """Put into force what ``change`` makes of the model in force; return whether another one is in force now.

    What was deleted since is left out, whatever ``change`` says. Nothing is changed where no model is in force, or none
    that opens.

    Args:
        action: For the audit trail.

    Raises:
        StorageError: The cache cannot be written.
        DatabaseError: The database does not answer.
    """
    put = False
    try:
        ring = services.writing_ring()
        for _ in range(_TRIES):
            with services.database.read(long=True) as session:
                version, base = model_rows.find_version(session), _made(services, session, ring)
            if base is None:
                break
            made = change(base) or base
            if made.version == version:
                break
            put = _put_changed(services, made, ring, action=action, expected=version)
            if put:
                break
        follow(services)
    except (ModelDamagedError, KeyMissingError):
        return False
    return put


def follow(services: Services, *, using: str | None = None) -> bool:
    """Make the cache of this home that of the generation in force; return whether it was another one.

    Programs that run go on with what they have until the new one is whole.

    Args:
        using: State that the caller has loaded of this home's cache: where it is the one in force, all is well.

    Raises:
        KeyMissingError: The key is missing, or is another one.
        SealBrokenError: All templates are damaged, or the record of the model is.
        StorageError: The cache cannot be written.
        DatabaseError: The database does not answer.
    """
    assets, address = services.settings.assets_dir, services.database.address
    with services.database.read(long=True) as session:
        state = meta.gallery_state(session)
        if state == using:
            return False
        if model_rows.find_version(session) is None:
            remove_model(assets)
            return False
        ring = services.key_chain.ring()
        local, problem = _look_at_cache(services, ring)
        if local is not None and (local.state, local.address) == (state, address):
            return False
        made = _made(services, session, ring) or _without_erased(session, local)
    if made is None:
        return False
    with cache_lock(assets):
        with services.database.read() as session:
            if meta.gallery_state(session) != state:
                # Another one has come into force meanwhile; it is the next to be followed.
                return False
        if problem is not None:
            # Another program here may have been faster.
            _, problem = _look_at_cache(services, ring)
        _tell(services, problem)
        replace_cache(assets, CachedGallery(made, state, address), ring)
    return True


def find_in_force(services: Services) -> TrainedModel | None:
    """Return the model in force, and write nothing; None where there is none.

    Raises:
        KeyMissingError, SealBrokenError, DatabaseError: As :func:`follow`.
    """
    ring = services.key_chain.ring()
    with services.database.read(long=True) as session:
        if model_rows.find_version(session) is None:
            return None
        local, _ = _look_at_cache(services, ring)
        if local is not None and local.state == meta.gallery_state(session):
            return local.trained
        return _made(services, session, ring) or (None if local is None else local.trained)


def _look_at_cache(services: Services, ring: KeyRing) -> tuple[CachedGallery | None, SmartAbsenError | None]:
    """Return what the cache of this home holds, None where there is none that opens, and why it does not open."""
    try:
        return load_cache(services.settings.assets_dir, ring), None
    except NotTrainedError:
        return None, None
    except (ModelDamagedError, KeyMissingError) as exc:
        return None, exc


def _made(services: Services, session: Session, ring: KeyRing) -> TrainedModel | None:
    """Make the model in force of the database; None where there is none, or the gallery is just being changed."""
    record = model_rows.find_record(session, ring)
    if record is None or meta.find_active_model(session) != record.model:
        # A change of the engine: the training that belongs to it comes next.
        return None
    return record.make(read_gallery(services, session, record.model))


def _without_erased(session: Session, local: CachedGallery | None) -> TrainedModel | None:
    """Return the model that goes on while the engine is changed, where somebody in it was erased."""
    erased = template_rows.erased_ids(session)
    if local is None or not (lost := np.isin(local.trained.employee_ids, list(erased))).any():
        return None
    return local.trained.only(~lost)


def _tell(services: Services, problem: SmartAbsenError | None) -> None:
    """Tell people and the audit trail of a file that is about to be made anew. Raises DatabaseError."""
    if problem is None:
        return
    services.remark(problem.message_id, **problem.params)
    if isinstance(problem, KeyMissingError):
        # Sealed with a key that was forgotten meanwhile: nobody touched it.
        services.remark(N_("The file of the trained model did not open, and was made again of the templates."))
        return
    path = services.settings.assets_dir / CACHE_NAME
    services.remark(FILE_REPLACED, path=path)
    # Before the file is gone, and with it what could be seen of it; once, though it may not be written now.
    stamp = find_stamp(services.settings.assets_dir)
    if stamp in services.reported:
        return
    details = {"file": str(path), "kiosk": services.kiosk_name, "problem": str(problem)}
    services.database.run_write(
        lambda session: audit_rows.append(session, actor=services.actor, action="model.file_replaced", details=details)
    )
    services.reported.add(stamp)


def _record(
    services: Services,
    session: Session,
    trained: TrainedModel,
    ring: KeyRing,
    *,
    action: str,
    details: dict[str, str] | None = None,
) -> None:
    model_rows.put_record(session, trained, ring)
    audit_rows.append(session, actor=services.actor, action=action, subject=trained.version, details=details or {})


def _put_changed(services: Services, made: TrainedModel, ring: KeyRing, *, action: str, expected: str | None) -> bool:
    def work(session: Session) -> bool:
        if not meta.compare_and_set(session, meta.ACTIVE_VERSION, expected=expected, value=made.version):
            return False
        _record(services, session, made, ring, action=action)
        return True

    return services.database.run_write(work)
