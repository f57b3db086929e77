"""Seals what a closed period keeps: it names people, and from the money of overtime one could tell a wage."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

from ...kernel.errors import KeyMissingError, SealBrokenError
from ...kernel.i18n import N_
from ...store.database import Session
from ...trust.active_key import ring_for_writing
from ...trust.keys import KeyChain
from ...trust.sealing import BROKEN_HINT, binding
from . import rows
from .freezing import digest
from .rows import Part

_LEVEL: Final = 6


def part_binding(period_id: int, name: str) -> bytes:
    """Return what the seal of a part is bound to."""
    return binding("period", period_id, name)


class PeriodVault:
    """Seals parts of periods, and opens them.

    Args:
        chain: The keys of the installation.
        ensure_key: Makes the first key where there is none.
    """

    def __init__(self, chain: KeyChain, ensure_key: Callable[[], object]) -> None:
        self._chain = chain
        self._ensure_key = ensure_key

    def prepare(self) -> None:
        """Make sure that there is a key, before a unit of work begins."""
        self._ensure_key()

    def put(
        self, session: Session, period_id: int, name: str, content: bytes, *, employee_id: int | None = None
    ) -> str:
        """Seal and store a part; return the digest of what it says."""
        ring = ring_for_writing(session, self._chain)
        found = digest(content)
        sealed = ring.seal(zlib.compress(content, _LEVEL), part_binding(period_id, name))
        rows.add_part(
            session,
            period_id,
            name=name,
            digest=found,
            content=sealed,
            key_id=ring.active,
            employee_id=employee_id,
        )
        return found

    def find(self, period_id: int, part: Part) -> bytes | None:
        """Return what a part says; None where it was changed. Raises KeyMissingError."""
        plain = self._chain.ring().open(part.content, part_binding(period_id, part.name))
        if plain is None:
            return None
        try:
            return zlib.decompress(plain)
        except zlib.error:
            return None

    def open(self, period_id: int, part: Part) -> bytes:
        """Return what a part says. Raises SealBrokenError, KeyMissingError."""
        plain = self.find(period_id, part)
        if plain is None or digest(plain) != part.digest:
            raise SealBrokenError(
                N_("What was frozen of the period is not as it was closed; “period check” names it."),
                hint=BROKEN_HINT,
            )
        return plain

    @property
    def has_key(self) -> bool:
        """Whether the keys are here."""
        try:
            return bool(self._chain.ring().active)
        except KeyMissingError:
            return False
