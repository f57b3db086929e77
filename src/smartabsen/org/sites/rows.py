"""Sites and kiosks in the database. Every function works in the session it is given."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...kernel.codes import code_key
from ...kernel.errors import ConflictError
from ...kernel.i18n import N_
from ...store.clock import moment
from ...store.tables import KioskRow, PunchRow, SiteRow
from .model import Kiosk, Site, SiteDirectory

_LOOKED_AT: Final = 10_000


def is_empty(session: Session) -> bool:
    """Return whether there is no site at all."""
    return session.scalar(select(SiteRow.id).limit(1)) is None


def directory(session: Session) -> SiteDirectory:
    """Return all sites and the kiosks that were assigned: two statements, however many there are."""
    sites = tuple(_site(row) for row in session.scalars(select(SiteRow).order_by(SiteRow.id)))
    kiosks = {row.name: row.site_id for row in session.execute(select(KioskRow.name, KioskRow.site_id))}
    return SiteDirectory(sites, kiosks)


def add(session: Session, *, code: str, name: str, zone: str, confirmed: bool) -> Site:
    """Add a site. Raises ConflictError where the code exists."""
    now = moment(session)
    row = SiteRow(
        code=code,
        code_key=code_key(code),
        name=name,
        zone=zone,
        confirmed_at=now if confirmed else None,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise ConflictError(N_("There is a site with the code {code} already."), code=code) from exc
    return _site(row)


def change(session: Session, site_id: int, *, name: str, zone: str) -> Site:
    """Store name and zone of a site that somebody confirms."""
    row = session.get_one(SiteRow, site_id)
    row.name, row.zone = name, zone
    row.confirmed_at = row.confirmed_at or moment(session)
    session.flush()
    return _site(row)


def assign_kiosk(session: Session, name: str, site_id: int) -> None:
    """Let a kiosk stand at a site."""
    row = session.scalar(select(KioskRow).where(KioskRow.name == name))
    if row is None:
        session.add(KioskRow(name=name, site_id=site_id, assigned_at=moment(session)))
    else:
        row.site_id, row.assigned_at = site_id, moment(session)
    session.flush()


def kiosks(session: Session) -> tuple[Kiosk, ...]:
    """Return the kiosks that were assigned, and those that are known by their punches only, sorted by name."""
    codes = dict(
        session.execute(select(KioskRow.name, SiteRow.code).join(SiteRow, SiteRow.id == KioskRow.site_id)).all()
    )
    # From the newest punches only: all of them would be read for a handful of names.
    newest = select(PunchRow.kiosk).order_by(PunchRow.id.desc()).limit(_LOOKED_AT).subquery()
    seen = session.scalars(select(newest.c.kiosk).distinct())
    names = {*codes, *(name for name in seen if name)}
    return tuple(Kiosk(name, codes.get(name, "")) for name in sorted(names))


def _site(row: SiteRow) -> Site:
    return Site(row.id, row.code, row.name, row.zone, row.confirmed_at is not None, row.created_at)
