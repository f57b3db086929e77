"""Sites and kiosks as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...kernel.codes import code_key
from ...kernel.errors import NotFoundError
from ...kernel.i18n import N_


@dataclass(frozen=True, slots=True)
class Site:
    """A place of work.

    Attributes:
        zone: IANA name.
        is_confirmed: Whether somebody agreed to it. The first one was made of the settings of the machine that
            started first, and waits for that.
    """

    id: int
    code: str
    name: str
    zone: str
    is_confirmed: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Kiosk:
    """A kiosk by the name that its punches carry.

    Attributes:
        site: Code of the site that it was assigned to; empty where nobody did, and the first site is taken.
    """

    name: str
    site: str


@dataclass(frozen=True, slots=True)
class SiteDirectory:
    """All sites at one look, in the order of their ids, and which kiosk stands at which.

    Attributes:
        kiosks: Row id of the site by the name of the kiosk, of those that were assigned.
    """

    sites: tuple[Site, ...]
    kiosks: dict[str, int]

    @property
    def first(self) -> Site | None:
        """The site of whoever and whatever has no other; None before the first start has made it."""
        return self.sites[0] if self.sites else None

    def find_by_id(self, site_id: int | None) -> Site | None:
        """Return the site with a row id; the first one for None."""
        if site_id is None:
            return self.first
        return next((site for site in self.sites if site.id == site_id), None)

    def get(self, code: str) -> Site:
        """Return the site of a code. Raises NotFoundError."""
        key = code_key(code)
        found = next((site for site in self.sites if code_key(site.code) == key), None)
        if found is None:
            raise no_such_site(code)
        return found

    def of_kiosk(self, name: str) -> Site | None:
        """Return where a kiosk stands; the first site where nobody said."""
        return self.find_by_id(self.kiosks.get(name))


def no_such_site(code: str) -> NotFoundError:
    """Return the error for a code that no site has."""
    return NotFoundError(
        N_("There is no site with the code {code}."), hint=N_("“smartabsen site list” shows all."), code=code
    )
