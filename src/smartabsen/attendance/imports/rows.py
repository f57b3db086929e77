"""What an import asks the database: which attempts are known, and whose a PIN is."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...store.tables import Karyawan, PunchRow


def known_keys(session: Session, keys: Collection[str]) -> frozenset[str]:
    """Return those of the keys that a punch has."""
    return frozenset(session.scalars(select(PunchRow.idempotency_key).where(PunchRow.idempotency_key.in_(keys))))


def codes(session: Session) -> dict[str, tuple[int, str]]:
    """Return row id and code of everybody by the code in small letters."""
    found = session.execute(select(Karyawan.id, Karyawan.kode))
    return {code.casefold(): (row_id, code) for row_id, code in found}
