"""The checks of ``doctor``, as the places register them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..attendance import checks as attendance
from ..gallery import checks as gallery
from ..kernel.domain import Check
from ..kernel.health import HealthCheck
from ..kiosk import checks as kiosk
from ..org.sites import service as sites
from ..org.sites.checks import check_sites
from ..privacy import checks as privacy
from ..upkeep import doctor
from .bootstrap import Services


def _check_sites(services: Services) -> Iterator[Check]:
    with services.units.read() as session:
        known = sites.directory(session)
    yield from check_sites(known, kiosk=services.kiosk_name, zone=services.settings.site.zone)


CHECKS: Final[tuple[HealthCheck, ...]] = (
    *doctor.FIRST_CHECKS,
    *gallery.CHECKS,
    *privacy.CHECKS,
    *attendance.CHECKS,
    *kiosk.CHECKS,
    *doctor.CHECKS,
    HealthCheck("sites", _check_sites, needs_database=True),
)
