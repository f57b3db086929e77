"""Which key of the ring a database wants new data sealed with."""

from __future__ import annotations

from ..store import meta
from ..store.database import Session
from .keys import KeyChain
from .sealing import KeyRing, no_key


def ring_for_writing(session: Session, chain: KeyChain) -> KeyRing:
    """Return the keys with that one active which this database wants new data sealed with; the first caller fixes it.

    Raises:
        KeyMissingError: There is no key, or the wanted one is not among those that are here.
    """
    ring = chain.ring()
    if not ring.active:
        raise no_key(place=ring.place)
    return ring.with_active(meta.claim_active_key(session, ring.active))


def has_seals(session: Session) -> bool:
    """Return whether this database has ever been sealed: its key is fixed."""
    return meta.find(session, meta.ACTIVE_KEY) is not None
