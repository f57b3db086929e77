"""Sign-in requests in the database: one UPDATE ... WHERE decides each step between all processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..kernel.domain import Kept, PairedPhone, PlaceHolder, SignInState, StoredSignIn, find_place
from ..kernel.texts import shortened
from ..store import meta
from ..store.changes import changed_rows
from ..store.database import Database
from ..store.tables import LABEL_LENGTH, QrToken
from ..trust import audit_rows
from . import phone_rows

_COLUMNS: Final = {"token": QrToken.token, "code": QrToken.code_hash, "session": QrToken.session_hash}
_COLLECTED: Final = "collected"
_ACTIONS: Final = {
    SignInState.VERIFIED: "signin.confirm",
    SignInState.DECLINED: "signin.decline",
    SignInState.WRONG_NUMBER: "signin.wrong_number",
}


class SignInTable:
    """The requests of one database; :class:`smartabsen.qr.sync.SignInStore` says what each method does.

    Args:
        database: Where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, request: StoredSignIn, *, places: Sequence[str] = ()) -> Kept:
        """Keep a new request in place of its session's earlier one, and of the one whose place it gets."""
        return self._database.run_write(lambda session: _insert(session, request, places))

    def find_holders(self, places: Sequence[str]) -> tuple[PlaceHolder, ...]:
        """Return the requests that hold one of these places. Reads only."""
        if not places:
            return ()
        with self._database.read() as session:
            return _find_holders(session, places)

    def note_asked(self, token_hash: str, *, now: datetime) -> None:
        """Note when its browser asked how a request stands."""
        noted = update(QrToken).where(QrToken.token == token_hash).values(asked_at=now)
        self._database.run_write(lambda session: changed_rows(session, noted))

    def find(self, kind: Literal["token", "code", "session"], digest: str) -> StoredSignIn | None:
        """Return the request with that hash. Reads only."""
        with self._database.read() as session:
            row = session.scalar(select(QrToken).where(_COLUMNS[kind] == digest))
            return None if row is None else _stored(session, row)

    def settle(
        self, token_hash: str, state: SignInState, *, now: datetime, expires_at: datetime, phone: PairedPhone | None
    ) -> bool:
        """Answer a request that is pending and not expired, with an entry in the audit trail."""

        def work(session: Session) -> bool:
            if phone is not None and not phone_rows.use(session, phone.id, at=now):
                return False
            values = {
                "state": state.value,
                "verified": state is SignInState.VERIFIED,
                "expires_at": expires_at,
                "phone_id": phone.id if phone else None,
                "waits_at": None,
            }
            pending = (QrToken.token == token_hash, QrToken.state == SignInState.PENDING, QrToken.expires_at > now)
            if changed_rows(session, update(QrToken).where(*pending).values(**values)) != 1:
                return False
            kiosk, place = session.execute(
                select(QrToken.kiosk, QrToken.place).where(QrToken.token == token_hash)
            ).one()
            details = {"kiosk": kiosk, "place": place} | ({"phone": str(phone.id)} if phone else {})
            audit_rows.append(
                session,
                actor=phone.employee.code if phone else "phone",
                action=_ACTIONS[state],
                subject=phone.employee.code if phone else kiosk,
                details=details,
            )
            return True

        return self._database.run_write(work)

    def collect(self, session_hash: str, *, now: datetime) -> StoredSignIn | None:
        """Use up a session's verified request; None also where its phone or employee is not active any more."""

        def work(session: Session) -> StoredSignIn | None:
            verified = (
                QrToken.session_hash == session_hash,
                QrToken.state == SignInState.VERIFIED,
                QrToken.expires_at > now,
            )
            if changed_rows(session, update(QrToken).where(*verified).values(state=_COLLECTED)) != 1:
                return None
            row = session.scalars(select(QrToken).where(QrToken.session_hash == session_hash)).one()
            stored = _stored(session, row)
            return stored if row.phone_id is None or stored.employee is not None else None

        return self._database.run_write(work)

    def sweep(self, *, now: datetime) -> int:
        """Remove what has expired; without anything to remove, nothing is written."""
        expired = QrToken.expires_at <= now
        with self._database.read() as session:
            if session.scalar(select(QrToken.token).where(expired).limit(1)) is None:
                return 0
        return self._database.run_write(lambda session: changed_rows(session, delete(QrToken).where(expired)))


def end_all(session: Session) -> None:
    """End all requests, of whomever."""
    session.execute(delete(QrToken))


def _insert(session: Session, request: StoredSignIn, places: Sequence[str]) -> Kept:
    if places:
        # On a server two could find the same place; SQLite lets in one at a time.
        meta.lock(session)
    session.execute(delete(QrToken).where(QrToken.session_hash == request.session_hash))
    found = find_place(places, _find_holders(session, places), now=request.seen_at)
    if found.free_in:
        return Kept.NO_PLACE
    try:
        with session.begin_nested():
            # Whoever was confirmed since it was read holds no place any more, and stays.
            displaced = (QrToken.token == found.displaced, QrToken.waits_at == found.waits_at)
            session.execute(delete(QrToken).where(*displaced))
            session.add(_row(request, found.waits_at))
    except IntegrityError:
        return Kept.DUPLICATE
    return Kept.YES


def _find_holders(session: Session, places: Sequence[str]) -> tuple[PlaceHolder, ...]:
    if not places:
        return ()
    columns = (QrToken.token, QrToken.waits_at, QrToken.created_at, QrToken.expires_at, QrToken.asked_at)
    rows = session.execute(select(*columns).where(QrToken.waits_at.in_(places)))
    return tuple(PlaceHolder(token, at or "", made, ends, asked) for token, at, made, ends, asked in rows)


def _row(request: StoredSignIn, waits_at: str) -> QrToken:
    return QrToken(
        token=request.token_hash,
        code_hash=request.code_hash,
        session_hash=request.session_hash,
        number=request.number,
        kiosk=shortened(request.kiosk, LABEL_LENGTH),
        place=shortened(request.place, LABEL_LENGTH),
        state=request.state.value,
        verified=False,
        created_at=request.created_at,
        expires_at=request.expires_at,
        waits_at=waits_at or None,
        asked_at=request.asked_at,
    )


def _stored(session: Session, row: QrToken) -> StoredSignIn:
    phone = None if row.phone_id is None else phone_rows.find(session, row.phone_id)
    return StoredSignIn(
        token_hash=row.token,
        code_hash=row.code_hash,
        session_hash=row.session_hash,
        number=row.number,
        kiosk=row.kiosk,
        place=row.place,
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=SignInState.DEAD if row.state == _COLLECTED else SignInState(row.state),
        employee=phone.employee if phone else None,
        waits_at=row.waits_at or "",
        asked_at=row.asked_at,
    )
