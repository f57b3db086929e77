"""Kept faces in the database: each sealed, bound to its employee and its photo, and opened only for another engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy import delete as sql_delete, func, select
from sqlalchemy.orm import Session

from ..kernel.domain import FaceCrop, LandmarkScheme
from ..kernel.errors import SealBrokenError
from ..kernel.i18n import N_
from ..kernel.reading import parse_json
from ..kernel.texts import shortened
from ..people import employee_rows
from ..store.clock import moment
from ..store.tables import SOURCE_LENGTH, FaceCropRow, Karyawan
from ..trust.sealing import BROKEN_HINT, KeyRing, Owner, crop_binding

_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class KeptCrop:
    """A crop as it is stored.

    Attributes:
        employee_id: Whose face it is.
        photo_digest: SHA-256 (hex) of the photo that it was cut from; templates of the same photo have it too.
        source: File name of the photo, or the camera; for people.
    """

    employee_id: int
    photo_digest: str
    source: str
    crop: FaceCrop


def add_many(session: Session, crops: Sequence[KeptCrop], *, ring: KeyRing) -> int:
    """Seal and store crops; a photo that the employee has a crop of already is passed over. Return how many were new.

    Raises:
        KeyMissingError: The ring has no key.
        NotFoundError: There is no such employee.
    """
    uuids = {owner: employee_rows.lock(session, owner).uuid for owner in sorted({one.employee_id for one in crops})}
    known = {owner: photo_digests(session, owner) for owner in {one.employee_id for one in crops}}
    new = {(one.employee_id, one.photo_digest): one for one in crops if one.photo_digest not in known[one.employee_id]}
    session.add_all(
        FaceCropRow(
            karyawan_id=one.employee_id,
            photo_digest=one.photo_digest,
            source=shortened(one.source, SOURCE_LENGTH),
            crop=ring.seal(_encode(one.crop), crop_binding(uuids[one.employee_id], one.photo_digest)),
            key_id=ring.active,
            created_at=moment(session),
        )
        for one in new.values()
    )
    session.flush()
    return len(new)


def of_employee(session: Session, employee_id: int, *, ring: KeyRing) -> Iterator[KeptCrop]:
    """Yield an employee's crops, the oldest first.

    Raises:
        SealBrokenError: One was changed, or moved from somebody else.
        KeyMissingError: One is sealed with a key that is not in the ring.
    """
    query = (
        select(FaceCropRow, Karyawan.kode, Karyawan.uuid)
        .join(Karyawan)
        .where(FaceCropRow.karyawan_id == employee_id)
        .order_by(FaceCropRow.id)
    )
    for row, code, uuid in session.execute(query):
        plain = ring.open(row.crop, crop_binding(Owner(row.karyawan_id, uuid).name_in(row.crop), row.photo_digest))
        if plain is None:
            raise SealBrokenError(
                N_("The seal of the kept face {id} of {code} is broken: it was changed, or moved from somebody else."),
                hint=BROKEN_HINT,
                id=row.id,
                code=code,
            )
        yield KeptCrop(employee_id, row.photo_digest, row.source, _decode(plain))


def find(session: Session, employee_id: int, photo_digest: str, *, ring: KeyRing) -> KeptCrop | None:
    """Return the crop of one photo of an employee, or None. Raises as :func:`of_employee`."""
    return next((one for one in of_employee(session, employee_id, ring=ring) if one.photo_digest == photo_digest), None)


def delete(session: Session, employee_id: int, photo_digest: str) -> None:
    """Delete the crop of one photo of an employee."""
    session.execute(
        sql_delete(FaceCropRow).where(FaceCropRow.karyawan_id == employee_id, FaceCropRow.photo_digest == photo_digest)
    )


def photo_digests(session: Session, employee_id: int) -> frozenset[str]:
    """Return the digests of the photos that crops of an employee are kept of."""
    query = select(FaceCropRow.photo_digest).where(FaceCropRow.karyawan_id == employee_id)
    return frozenset(session.scalars(query))


def count_before(session: Session, instant: datetime) -> int:
    """Return the number of crops that are older than ``instant``."""
    query = select(func.count()).select_from(FaceCropRow).where(FaceCropRow.created_at < instant)
    return session.scalar(query) or 0


def delete_before(session: Session, instant: datetime) -> None:
    """Delete crops that are older than ``instant``."""
    session.execute(sql_delete(FaceCropRow).where(FaceCropRow.created_at < instant))


def count(session: Session) -> int:
    """Return the number of crops."""
    return session.scalar(select(func.count()).select_from(FaceCropRow)) or 0


def _encode(crop: FaceCrop) -> bytes:
    facts = {
        "box_xyxy": [round(float(side), 3) for side in crop.box_xyxy],
        "landmarks_xy": np.asarray(crop.landmarks_xy, dtype=np.float64).round(3).tolist(),
        "scheme": crop.scheme.value,
        "score": round(float(crop.score), 6),
    }
    head = json.dumps(facts).encode()
    return len(head).to_bytes(_LENGTH_BYTES, "big") + head + crop.picture


def _decode(plain: bytes) -> FaceCrop:
    length = int.from_bytes(plain[:_LENGTH_BYTES], "big")
    facts = parse_json(plain[_LENGTH_BYTES : _LENGTH_BYTES + length])
    left, top, right, bottom = facts["box_xyxy"]
    return FaceCrop(
        picture=plain[_LENGTH_BYTES + length :],
        box_xyxy=(left, top, right, bottom),
        landmarks_xy=np.array(facts["landmarks_xy"], dtype=np.float32),
        scheme=LandmarkScheme(facts["scheme"]),
        score=facts["score"],
    )
