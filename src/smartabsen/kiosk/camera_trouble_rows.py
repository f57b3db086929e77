"""What is wrong with the cameras of the kiosks now: one row for each that is in trouble, none for the others."""

from __future__ import annotations

import json

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..kernel.domain import CameraTrouble
from ..kernel.texts import shortened
from ..store.tables import LABEL_LENGTH, CameraTroubleRow


def put(session: Session, trouble: CameraTrouble) -> None:
    """Note what is wrong with the camera of a kiosk, in place of what was noted before."""
    clear(session, trouble.kiosk)
    params = json.dumps(dict(trouble.params), ensure_ascii=False)
    session.add(
        CameraTroubleRow(kiosk=_key(trouble.kiosk), detail=trouble.detail, params=params, since_utc=trouble.since)
    )
    session.flush()


def clear(session: Session, kiosk: str) -> None:
    """Note that the camera of a kiosk is well."""
    session.execute(delete(CameraTroubleRow).where(CameraTroubleRow.kiosk == _key(kiosk)))


def find_all(session: Session) -> tuple[CameraTrouble, ...]:
    """Return what is wrong now, the oldest first."""
    rows = session.scalars(select(CameraTroubleRow).order_by(CameraTroubleRow.since_utc, CameraTroubleRow.kiosk))
    return tuple(
        CameraTrouble(row.kiosk, row.detail, tuple(json.loads(row.params).items()), row.since_utc) for row in rows
    )


def _key(kiosk: str) -> str:
    return shortened(kiosk, LABEL_LENGTH)
