"""The key of the biometric data: made when it is first needed, and told about; what is older than seals gets one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..errors import KeyMissingError, StorageError
from ..i18n import N_
from ..store.database import Database
from ..store.keys import KeyChain
from ..store.model_file import has_unsealed_model, seal_old_model
from ..store.resealing import count_unsealed, has_seals, ring_for_writing, seal_unsealed
from ..store.sealing import no_key

KEY_MADE: Final = N_(
    "A key was made that faces are sealed with: {path}. Keep a copy of it in another place than the backups: who loses "
    "it must enrol everybody again."
)


def ensure_key(chain: KeyChain, database: Database) -> bool:
    """Make the first key of an installation; return whether this call made it.

    Raises:
        KeyMissingError: There is none, and the database is sealed with one that is kept elsewhere.
        StorageError: It cannot be written.
    """
    if chain.exists:
        return False
    with database.read() as session:
        if has_seals(session):
            raise no_key(place=chain.place)
    _ring, made = chain.create()
    return made


def adopt_unsealed(chain: KeyChain, database: Database, assets_dir: Path) -> bool:
    """Seal what is from before there were seals, when the database is opened; return whether a key was made for it.

    That happens once, with a key that is made for it: where there is a key already, something that is not sealed was
    put there by somebody else, and is refused when it is read. Killed in the middle, the next start goes on. Where the
    key cannot be made or read, nothing is done and nothing is raised: attendance needs no key.

    Raises:
        DatabaseError: The database does not answer.
    """
    try:
        if chain.exists and not chain.adopting:
            return False
        with database.read() as session:
            unsealed, sealed = count_unsealed(session), has_seals(session)
        if not chain.exists and (sealed or not (unsealed or has_unsealed_model(assets_dir))):
            return False
        ring, made = chain.create(adopting=True)
        try:
            ring = database.run_write(lambda session: ring_for_writing(session, chain))
        except KeyMissingError:
            # Another machine was faster, with a key of its own.
            if made:
                chain.withdraw(ring.active)
            return False
        seal_unsealed(database, ring)
        seal_old_model(assets_dir, ring)
        chain.end_adopting()
    except (KeyMissingError, StorageError):
        return False
    return made
