"""Facts about the database itself, by name; above all, which model its gallery is made with."""

from __future__ import annotations

import json
import secrets
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..kernel.domain import ModelIdentity
from ..kernel.reading import parse_json
from .tables import MetaRow

ACTIVE_MODEL: Final = "active_model"
DATABASE_ID: Final = "database_id"
"""Identity of the database: a copy of it keeps it, another installation has another one."""
GENERATION: Final = "generation"
"""Changes with each restore: row ids of another generation may be those of other people."""
FIRST_GENERATION: Final = "first_generation"
"""The generation in which no row id was given out twice; not there where a restore was noted before it was known."""
ACTIVE_VERSION: Final = "active_version"
"""Version of the trained model that is in use."""
ACTIVE_KEY: Final = "active_key"
"""Id of the key that new biometric data is sealed with, whichever machine stores it."""
COPY_OF: Final = "copy_of"
"""Identity of the database that a copy into this one was begun of; gone when the copy is complete."""
_TRIAL: Final = "write_test"


def find(session: Session, name: str) -> str | None:
    """Return a fact, or None."""
    return session.scalar(select(MetaRow.value).where(MetaRow.name == name))


def put(session: Session, name: str, value: str) -> None:
    """Store a fact in place of the one before."""
    if not _insert(session, name, value):
        session.execute(update(MetaRow).where(MetaRow.name == name).values(value=value))


def remove(session: Session, name: str) -> None:
    """Remove a fact."""
    session.execute(delete(MetaRow).where(MetaRow.name == name))


def lock(session: Session) -> None:
    """Wait until no other transaction holds this lock, and hold it to the end of this one.

    On SQLite a write transaction is alone already.
    """
    session.scalar(select(MetaRow.name).where(MetaRow.name == DATABASE_ID).with_for_update())


def compare_and_set(session: Session, name: str, *, expected: str | None, value: str) -> bool:
    """Store a fact only where the one before is ``expected`` (None: there is none); return whether it was.

    Of several processes at once exactly one gets True.
    """
    if expected is None:
        return _insert(session, name, value)
    changed = session.execute(
        update(MetaRow).where(MetaRow.name == name, MetaRow.value == expected).values(value=value)
    )
    return cast(CursorResult[Any], changed).rowcount == 1


def check_writable(session: Session) -> None:
    """Write a fact and take it back. Raises what the database refuses it with."""
    with session.begin_nested() as trial:
        session.execute(insert(MetaRow).values(name=_TRIAL, value=""))
        trial.rollback()


def database_id(session: Session) -> str:
    """Return the identity of the database, given to it when its schema was made."""
    found = find(session, DATABASE_ID)
    assert found, "the migrations give every database its identity"
    return found


def generation(session: Session) -> str:
    """Return the generation of the database, given to it when its schema was made, and anew by each restore."""
    found = find(session, GENERATION)
    assert found, "the migrations give every database its generation"
    return found


def begin_generation(session: Session) -> None:
    """Begin a new generation, as whenever an older state takes the place of the present one."""
    put(session, GENERATION, secrets.token_hex(8))


def row_ids_are_certain(session: Session) -> bool:
    """Return whether no older state was ever put in the place of this database: a row id was always the same person."""
    return find(session, FIRST_GENERATION) == generation(session)


def find_active_model(session: Session) -> ModelIdentity | None:
    """Return the model that the gallery is made with, None before the first enrolment."""
    stored = find(session, ACTIVE_MODEL)
    return ModelIdentity(**parse_json(stored)) if stored else None


def claim_active_model(session: Session, model: ModelIdentity) -> ModelIdentity:
    """Fix ``model`` as the gallery's where none is fixed yet, and return the one that is in force.

    The first enrolment decides; a caller that gets another one back must not store its templates.
    """
    compare_and_set(session, ACTIVE_MODEL, expected=None, value=_text(model))
    active = find_active_model(session)
    assert active is not None
    return active


def replace_active_model(session: Session, old: ModelIdentity, new: ModelIdentity) -> bool:
    """Change the gallery's model; False where it is not ``old`` any more."""
    return compare_and_set(session, ACTIVE_MODEL, expected=_text(old), value=_text(new))


def claim_active_key(session: Session, key_id: str) -> str:
    """Fix the key of this database where none is fixed yet, and return the one that is in force.

    The row stays locked against a rotation until the transaction ends.
    """
    compare_and_set(session, ACTIVE_KEY, expected=None, value=key_id)
    query = select(MetaRow.value).where(MetaRow.name == ACTIVE_KEY).with_for_update(read=True)
    found = session.scalar(query)
    assert found is not None
    return found


def _text(model: ModelIdentity) -> str:
    return json.dumps({"engine": model.engine, "digest": model.digest, "dimension": model.dimension})


def _insert(session: Session, name: str, value: str) -> bool:
    if find(session, name) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(MetaRow(name=name, value=value))
    except IntegrityError:
        # Another process was faster.
        return False
    return True
