"""Sites and their kiosks: adding, confirming, assigning. Each change is written to the audit trail."""

from __future__ import annotations

from collections.abc import Callable

from ...kernel.codes import checked_code, code_key
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...store import meta
from ...store.database import Session
from ...store.tables import LABEL_LENGTH, NAME_LENGTH
from ...trust.work import Units, Work
from . import rows
from .model import Kiosk, Site, SiteDirectory
from .rules import FIRST_NAME, checked_zone, code_of_name


def directory(session: Session) -> SiteDirectory:
    """Return all sites and assigned kiosks in a session that is open already: two statements."""
    return rows.directory(session)


def enter_first(units: Units, *, name: str, zone: str) -> Site | None:
    """Enter the site that an installation had in its settings, where there is none; return it if it was entered now.

    It belongs to the upgrade, as what a migration fills in, so the audit trail begins with its confirmation, for which
    it waits. Of several machines at once exactly one enters its own.

    Args:
        name: Of the site, as the settings have it; may be empty.
        zone: IANA name, as the settings have it.

    Raises:
        DatabaseError: It cannot be written.
    """
    with units.read() as session:
        if not rows.is_empty(session):
            return None

    def work(job: Work) -> Site | None:
        meta.lock(job.session)
        if not rows.is_empty(job.session):
            return None
        return rows.add(
            job.session, code=code_of_name(name), name=name.strip() or FIRST_NAME, zone=zone, confirmed=False
        )

    return units.write(work)


class Sites:
    """The sites of one installation.

    Args:
        units: Of its database.
        this_kiosk: Returns the name of the kiosk of this machine, which is listed too.
    """

    def __init__(self, units: Units, *, this_kiosk: Callable[[], str]) -> None:
        self._units = units
        self._this_kiosk = this_kiosk

    def list_sites(self) -> tuple[Site, ...]:
        """Return all sites, the first one first."""
        return self.directory().sites

    def directory(self) -> SiteDirectory:
        """Return all sites and which kiosks stand there."""
        with self._units.read() as session:
            return rows.directory(session)

    def get(self, code: str) -> Site:
        """Return the site of a code. Raises NotFoundError."""
        return self.directory().get(code)

    def add(self, code: str, *, name: str, zone: str) -> Site:
        """Add a site.

        Raises:
            InvalidInputError: Code or name cannot be one, or there is no such zone.
            ConflictError: The code exists.
        """
        code, name = checked_code(code), _checked_name(name)
        zone = checked_zone(zone)

        def work(job: Work) -> Site:
            site = rows.add(job.session, code=code, name=name, zone=zone, confirmed=True)
            job.record("site.add", subject=site.code, details={"name": name, "zone": zone})
            return site

        return self._units.write(work)

    def confirm(self, code: str, *, name: str | None = None, zone: str | None = None) -> Site:
        """Agree to a site as it is, or correct its name or zone.

        Days that were judged before keep their result until they are computed again.

        Raises:
            NotFoundError: There is no site with that code.
            InvalidInputError: The name cannot be one, or there is no such zone.
        """
        new_name = None if name is None else _checked_name(name)
        new_zone = None if zone is None else checked_zone(zone)

        def work(job: Work) -> Site:
            before = rows.directory(job.session).get(code)
            after = rows.change(job.session, before.id, name=new_name or before.name, zone=new_zone or before.zone)
            if after != before:
                details = {
                    "name_before": before.name,
                    "name_after": after.name,
                    "zone_before": before.zone,
                    "zone_after": after.zone,
                }
                job.record("site.confirm", subject=after.code, details=details)
            return after

        return self._units.write(work)

    def kiosks(self) -> tuple[Kiosk, ...]:
        """Return the kiosks that were assigned or have recorded a punch lately, and this machine's, sorted by name."""
        with self._units.read() as session:
            found = {kiosk.name: kiosk for kiosk in rows.kiosks(session)}
        own = self._this_kiosk()
        return tuple(sorted({own: Kiosk(own, ""), **found}.values(), key=lambda kiosk: kiosk.name))

    def assign_kiosk(self, name: str, *, site: str) -> Kiosk:
        """Say at which site a kiosk stands. What it recorded before keeps the date and time that it had.

        Raises:
            NotFoundError: There is no site with that code.
            InvalidInputError: The name is empty or too long.
        """
        name = checked_text(name, field=N_("name"), limit=LABEL_LENGTH, required=True)

        def work(job: Work) -> Kiosk:
            known = rows.directory(job.session)
            target = known.get(site)
            before = known.find_by_id(known.kiosks[name]) if name in known.kiosks else None
            if before is None or code_key(before.code) != code_key(target.code):
                rows.assign_kiosk(job.session, name, target.id)
                details = {"before": before.code if before else "", "after": target.code}
                job.record("kiosk.assign", subject=name, details=details)
            return Kiosk(name, target.code)

        return self._units.write(work)


def _checked_name(name: str) -> str:
    return checked_text(name, field=N_("name"), limit=NAME_LENGTH, required=True)
