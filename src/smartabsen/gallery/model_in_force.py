"""The trained model in force: the database says which one it is, and the file of each home follows.

Every change is made under the lock of the home's file: the file first, then the database, so that a model that cannot
be written is in force nowhere. A home whose file is another one (it was trained on another machine, or the program was
killed between the two) makes the model in force of the templates in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..app.bootstrap import Services
from ..kernel.errors import KeyMissingError, ModelDamagedError, NotTrainedError, SmartAbsenError, StorageError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..store import meta
from ..store.database import Session
from ..trust import audit_rows
from ..trust.sealing import KeyRing
from . import model_rows
from .model_file import ARRAYS_NAME, TrainedModel, find_stamp, load_model, model_lock, replace_model
from .stored_gallery import read_gallery

Change = Callable[[TrainedModel], TrainedModel | None]
FILE_REPLACED = N_(
    "The file of the trained model {path} was damaged, or somebody replaced it; it was made anew of the templates."
)
_GALLERY = "gallery"
_TRIES = 5


def put_in_force(services: Services, trained: TrainedModel, *, details: dict[str, str] | None = None) -> None:
    """Put a newly trained model into force, here and on all machines of the database.

    Raises:
        StorageError: It cannot be written; the old one stays in force.
        DatabaseError: The database does not answer. It says which one is in force when it is back.
        KeyMissingError: The key is missing, or is another one.
    """
    ring = services.writing_ring()
    with model_lock(services.settings.assets_dir):
        replace_model(services.settings.assets_dir, trained, ring)

        def work(session: Session) -> bool:
            _record(services, session, trained, ring, action="model.train", details=details)
            return True

        _note(services, trained, work)


def change_model(services: Services, change: Change, *, action: str) -> bool:
    """Put into force what ``change`` makes of the model in force; return whether it made anything.

    Nothing is changed where there is no model, or none that opens.

    Args:
        action: For the audit trail.

    Raises:
        StorageError: The model cannot be written.
        DatabaseError: The database does not answer.
    """
    assets = services.settings.assets_dir
    try:
        ring = services.writing_ring()
        with model_lock(assets):
            for _ in range(_TRIES):
                with services.database.read(long=True) as session:
                    version = model_rows.find_version(session)
                    local, problem = _look_at_file(services, ring)
                    base = local
                    if local is None or version not in (None, local.version):
                        base = _made(services, session, ring)
                if base is None:
                    return False
                changed = change(base)
                made = changed or base
                if local is None or local.version != made.version:
                    _tell(services, problem)
                    replace_model(assets, made, ring)
                # Of a model that lacks somebody who was deleted the version is another one, whoever noticed it.
                settled = made.version == version or (version is None and changed is None)
                if settled and version is not None:
                    # Another machine was faster: what was written here is in force all the same.
                    _note_local(services, made.version)
                if settled or _note(services, made, _changer(services, made, ring, action=action, expected=version)):
                    return changed is not None
    except (ModelDamagedError, KeyMissingError):
        return False
    return False


def follow(services: Services, *, using: str | None = None) -> bool:
    """Make the file of this home the model that the database says is in force; return whether it was another one.

    Programs that run go on with the model that they have until the new one is whole.

    Args:
        using: Version that the caller has loaded of this home's file: where it is the one in force, all is well.

    Raises:
        KeyMissingError: The key is missing, or is another one.
        SealBrokenError: All templates are damaged, or the record of the model is.
        StorageError: The file cannot be written.
        DatabaseError: The database does not answer.
    """
    assets = services.settings.assets_dir
    ring = services.key_chain.ring()
    with services.database.read(long=True) as session:
        version = model_rows.find_version(session)
        if version in (None, using):
            return False
        local, problem = _look_at_file(services, ring)
        # A model of an earlier version, or of a state before a restore, names people by row ids that may be others'.
        current = local is not None and local.version == version and _names_people(session, local)
        made = None if current else _made(services, session, ring)
    same = made is not None and local is not None and (local.version, local.people) == (made.version, made.people)
    if local is not None and (current or same):
        # Also one that came into force again, or whose writer was killed before it could note it.
        _note_local(services, local.version)
        return False
    if made is None:
        return False
    with model_lock(assets):
        with services.database.read() as session:
            if model_rows.find_version(session) != version:
                # Another one has come into force meanwhile; it is the next to be followed.
                return False
        if problem is not None:
            # Another program here may have been faster.
            _, problem = _look_at_file(services, ring)
        _tell(services, problem)
        replace_model(assets, made, ring)
        _note_local(services, made.version)
    return True


def find_in_force(services: Services, local: TrainedModel | None) -> TrainedModel | None:
    """Return the model in force, and write nothing: the one in this home's file, or as the database makes it.

    Args:
        local: The one in the file, None where none opens.

    Raises:
        KeyMissingError, SealBrokenError, DatabaseError: As :func:`follow`.
    """
    with services.database.read(long=True) as session:
        version = model_rows.find_version(session)
        if version is None or (local is not None and local.version == version):
            return local
        return _made(services, session, services.key_chain.ring()) or local


def note_gallery(services: Services, version: str) -> None:
    """Note that a trained model belongs to the database in use: a kiosk may start with it while that is away.

    Raises:
        StorageError: It cannot be noted.
    """
    services.punch_queue.note_fact(_GALLERY, f"{version} {services.database.address}")


def checked_gallery(services: Services, version: str) -> bool:
    """Return whether that was noted of a trained model. Raises StorageError."""
    return services.punch_queue.find_fact(_GALLERY) == f"{version} {services.database.address}"


def _look_at_file(services: Services, ring: KeyRing) -> tuple[TrainedModel | None, SmartAbsenError | None]:
    """Return the model in this home's file, None where there is none that opens, and why one does not open."""
    try:
        return load_model(services.settings.assets_dir, ring), None
    except NotTrainedError:
        return None, None
    except (ModelDamagedError, KeyMissingError) as exc:
        return None, exc


def _names_people(session: Session, local: TrainedModel) -> bool:
    people = employee_rows.members(session)
    return all(
        owner in local.people and people.get(owner) == local.people[owner] for owner in set(local.employee_ids.tolist())
    )


def _tell(services: Services, problem: SmartAbsenError | None) -> None:
    """Tell people and the audit trail of a file that is about to be made anew. Raises DatabaseError."""
    if problem is None:
        return
    services.remark(problem.message_id, **problem.params)
    if isinstance(problem, KeyMissingError):
        # Sealed with a key that was forgotten meanwhile: nobody touched it.
        services.remark(N_("The file of the trained model did not open, and was made again of the templates."))
        return
    path = services.settings.assets_dir / ARRAYS_NAME
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


def _made(services: Services, session: Session, ring: KeyRing) -> TrainedModel | None:
    """Make the model in force of the database; None where there is none, or the gallery is just being changed."""
    record = model_rows.find_record(session, ring)
    if record is None or meta.find_active_model(session) != record.model:
        # A change of the engine: the training that belongs to it comes next.
        return None
    return record.make(read_gallery(services, session, record.model))


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


def _changer(
    services: Services, made: TrainedModel, ring: KeyRing, *, action: str, expected: str | None
) -> Callable[[Session], bool]:
    def work(session: Session) -> bool:
        if not meta.compare_and_set(session, meta.ACTIVE_VERSION, expected=expected, value=made.version):
            return False
        _record(services, session, made, ring, action=action)
        return True

    return work


def _note(services: Services, trained: TrainedModel, work: Callable[[Session], bool]) -> bool:
    done = services.database.run_write(work)
    if done:
        _note_local(services, trained.version)
        services.notices.tell()
    return done


def _note_local(services: Services, version: str) -> None:
    # Where it cannot be noted, the next start of a kiosk checks the model itself.
    with suppress(StorageError):
        note_gallery(services, version)
