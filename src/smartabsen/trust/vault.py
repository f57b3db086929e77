"""The key of the biometric data: made when it is first needed, and told about."""

from __future__ import annotations

from typing import Final

from ..kernel.i18n import N_
from ..store.database import Database
from .active_key import has_seals
from .keys import KeyChain
from .sealing import no_key

KEY_MADE: Final = N_(
    "A key was made that faces are sealed with: {path}. Keep a copy of it in another place than the backups: who loses "
    "it must enrol everybody again."
)

OTHERS_CAN_READ: Final = N_("Others can read the key file {place}.")
OTHERS_FIX: Final = N_("chmod 600 {place}")


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
