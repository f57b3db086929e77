"""Erasing a person or a face: in the database, the trained model, the log and its copies; again after a restore."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np

from ..app.bootstrap import Services
from ..gallery import template_rows
from ..gallery.model_file import load_model, remove_model
from ..gallery.model_in_force import change_model
from ..gallery.train import forget_employee
from ..gallery.trained_model import TrainedModel
from ..kernel.domain import EVERYBODY, Employee
from ..kernel.errors import InvalidInputError, KeyMissingError, ModelDamagedError, NotTrainedError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text, shortened
from ..people import employee_rows
from ..store import dumps
from ..store.database import Database, Session
from ..store.tables import LABEL_LENGTH, NOTE_LENGTH
from ..trust import audit_rows
from ..trust.forgotten import Forgotten
from . import audit_erasure_rows, erasure_rows, log_copies
from .erasure_rows import ALL, FACE, Tombstone

_SWEPT_AGE_S: Final = 1.0

Scope = Literal["all", "face"]


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What :func:`erase` would do.

    Attributes:
        employee: Who.
        scope: ``face`` (templates, kept faces, consent) or ``all``.
        attendance: ``pseudonymise`` or ``delete``; empty for a face alone.
        rows: Number of rows by table that belong to the person.
    """

    employee: Employee
    scope: Scope
    attendance: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did.

    Attributes:
        pseudonym: What stands in the place of code and name; empty where the person stays.
        rows: Number of deleted rows by table.
        log_lines: Lines taken out of replaced copies of log files.
        log_files: Log files that were written anew.
    """

    pseudonym: str
    rows: dict[str, int]
    log_lines: int
    log_files: int


def plan_erasure(services: Services, code: str, *, scope: Scope) -> ErasurePlan:
    """Say what an erasure would do, and change nothing. Raises NotFoundError."""
    with services.database.read() as session:
        employee = employee_rows.get(session, code)
        rows = erasure_rows.count_rows(session, employee.id)
    if scope == FACE:
        rows = {name: count for name, count in rows.items() if name in ("templates", "face_crops", "consents")}
    attendance = services.settings.privacy.attendance_after_erasure if scope == ALL else ""
    return ErasurePlan(employee, scope, attendance, rows)


def erase(services: Services, code: str, *, scope: Scope, reason: str) -> Erasure:
    """Erase a person, or only the face. Killed at any moment, :func:`apply_tombstones` completes it.

    Args:
        reason: Why, for the audit trail; it must not name the person, and cannot be empty.

    Raises:
        InvalidInputError: The reason is empty, too long, or has the person's name or code in it.
        NotFoundError: There is no such employee.
        StorageError: A file cannot be written. What is done stays done, and the rest is done at the next start.
        DatabaseError: The database does not answer.
    """
    with services.database.read() as session:
        employee = employee_rows.get(session, code)
    reason = _checked_reason(reason, employee)
    tombstone = Tombstone(
        employee_id=employee.id,
        employee_made_at=employee.created_at,
        scope=scope,
        attendance=services.settings.privacy.attendance_after_erasure,
        at=services.instant(),
        requested_by=shortened(services.actor, LABEL_LENGTH),
        reason=reason,
        person=employee.uuid,
    )
    services.erased_here.tombstones.append(tombstone)
    # The person may be in whatever a killed command left behind.
    services.sweep(min_age_s=_SWEPT_AGE_S)
    dumps.sweep(services.database)
    return _carry_out(services, tombstone)


def apply_tombstones(services: Services, *, thorough: bool = False) -> int:
    """Carry out what is not carried out in this database or in this home; return how many erasures that were.

    After an older database was restored, everybody who was erased since is erased again. The tombstones are those of
    the database and those of the home, which a restore leaves alone. Cheap where there is nothing to do.

    Args:
        thorough: Look through the whole log of this home for everybody who was ever erased.

    Raises:
        StorageError: A file cannot be read or written.
        DatabaseError: The database does not answer.
    """
    with services.database.read() as session:
        stored = erasure_rows.stored_tombstones(session)
        done = {tombstone for tombstone, is_done in stored if is_done}
        everything = dict.fromkeys([*(tombstone for tombstone, _ in stored), *services.erased_here.tombstones.read()])
        wanted = [each for each in everything if each not in done or erasure_rows.is_needed(session, each)]
    for tombstone in wanted:
        _carry_out(services, tombstone)
    return len(wanted) + services.erased_here.follow(thorough=thorough)


def carry_tombstones(services: Services, live: Database, restored: Database) -> None:
    """Erase in a database that is about to take the place of the live one whoever was erased since it was made.

    The files of the home are done afterwards, by :func:`apply_tombstones`.

    Raises:
        DatabaseError: One of both does not answer.
        StorageError: The tombstones of the home cannot be read.
    """
    known: list[Tombstone] = []
    # A damaged one is aside already; the file of the home knows the same erasures.
    if live.path is None or live.path.exists():
        with live.read() as session:
            known = [tombstone for tombstone, _ in erasure_rows.stored_tombstones(session)]
    with restored.read() as session:
        there = {tombstone for tombstone, _ in erasure_rows.stored_tombstones(session)}
    missing = [each for each in dict.fromkeys([*known, *services.erased_here.tombstones.read()]) if each not in there]
    for tombstone in missing:
        restored.run_write(partial(_erase_rows, services, tombstone))
    if missing:
        restored.scrub()


def forget_erased(services: Services) -> bool:
    """Take those out of this home's trained model whose templates were erased, perhaps on another machine.

    Returns:
        Whether there was anybody.

    Raises:
        KeyMissingError: The key of the templates is missing.
        StorageError: The model cannot be written.
    """
    ring = services.key_chain.ring()
    with services.database.read() as session:
        erased = erasure_rows.erased_ids(session)
        if not erased:
            return False
        try:
            trained = load_model(services.settings.assets_dir, ring)
        except (NotTrainedError, ModelDamagedError, KeyMissingError):
            return False
        if not erased & set(trained.employee_ids.tolist()):
            return False
        stored = template_rows.gallery(session, trained.model, ring=ring, members=EVERYBODY)
    known = set(zip(stored.employee_ids.tolist(), map(bytes, stored.embeddings), strict=True))

    def forget(model: TrainedModel) -> TrainedModel | None:
        rows = zip(model.employee_ids.tolist(), map(bytes, model.embeddings), strict=True)
        kept = np.array([row[0] not in erased or row in known for row in rows], dtype=np.bool_)
        return None if kept.all() else model.only(kept)

    return change_model(services, forget, action="model.forget")


def _checked_reason(reason: str, employee: Employee) -> str:
    reason = checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH, required=True)
    words = re.compile(
        "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in (employee.name, employee.code)), re.IGNORECASE
    )
    if words.search(reason):
        raise InvalidInputError(
            N_("The reason names the person: it stays, and nothing that stays may name them."),
            hint=N_("Say it without name and code, as “asked for it in writing on 3 May”."),
        )
    return reason


def _carry_out(services: Services, tombstone: Tombstone) -> Erasure:
    with services.database.read() as session:
        target = erasure_rows.find_target(session, tombstone)
        punched = erasure_rows.punches_of(session, tombstone.employee_id) if target else ()
    everything, pseudonym = tombstone.scope == ALL and target is not None, tombstone.pseudonym
    texts = [target.code, target.name] if target is not None and target.code != pseudonym else []
    log_lines = 0
    if everything:
        # Before the database: the names are still known there, so that this can be done again after a crash.
        person = Forgotten.of((punch_id for punch_id, _ in punched), texts)
        log_lines = log_copies.erase_person(services.csv_log, person, pseudonym=pseudonym)
    rows = services.database.run_write(partial(_erase_rows, services, tombstone))
    services.database.scrub()
    if target is not None:
        _forget(services, tombstone.employee_id)
    lines, log_files = services.erased_here.forget(tombstone, texts=texts)
    services.database.run_write(lambda session: erasure_rows.mark_done(session, tombstone))
    return Erasure(pseudonym if everything else "", rows, log_lines + lines, log_files)


def _erase_rows(services: Services, tombstone: Tombstone, session: Session) -> dict[str, int]:
    target = erasure_rows.find_target(session, tombstone)
    punched = [punch_id for punch_id, _ in erasure_rows.punches_of(session, tombstone.employee_id)] if target else []
    rows = erasure_rows.erase_rows(session, tombstone)
    if target is None:
        return rows
    subject = tombstone.pseudonym if tombstone.scope == ALL else target.code
    details = {"scope": tombstone.scope, "reason": tombstone.reason, **{name: str(n) for name, n in rows.items()}}
    emptied: tuple[str, ...] = ()
    if tombstone.scope == ALL and target.code != tombstone.pseudonym:
        emptied = audit_erasure_rows.empty_entries(session, target.code, tombstone.pseudonym)
    deletes = tombstone.scope == ALL and tombstone.attendance == "delete"
    deleted = audit_erasure_rows.listed(punched) if deletes else ()
    told = [{audit_erasure_rows.ENTRIES: numbers} for numbers in emptied or ("",)]
    for one in (*told, *({audit_erasure_rows.PUNCHES: numbers} for numbers in deleted)):
        audit_rows.append(
            session, actor=services.actor, action="privacy.erase", subject=subject, details={**details, **one}
        )
    return rows


def _forget(services: Services, employee_id: int) -> None:
    assets = services.settings.assets_dir
    try:
        load_model(assets, services.key_chain.ring())
    except (NotTrainedError, ModelDamagedError, KeyMissingError):
        # Of what is there, nobody can tell whose faces are in it: it is made again by the next training.
        remove_model(assets)
    forget_employee(services, employee_id)
