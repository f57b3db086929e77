"""The checks of ``doctor``, as the places register them."""

from __future__ import annotations

from typing import Final

from ..attendance import checks as attendance
from ..gallery import checks as gallery
from ..kernel.health import HealthCheck
from ..kiosk import checks as kiosk
from ..privacy import checks as privacy
from ..upkeep import doctor

CHECKS: Final[tuple[HealthCheck, ...]] = (
    *doctor.FIRST_CHECKS,
    *gallery.CHECKS,
    *privacy.CHECKS,
    *attendance.CHECKS,
    *kiosk.CHECKS,
    *doctor.CHECKS,
)
