"""What doctor says of sites: what waits to be confirmed, and whether this machine's settings still fit."""

from __future__ import annotations

from collections.abc import Iterator

from ...kernel.domain import Check, CheckLevel
from ...kernel.i18n import N_
from .model import SiteDirectory

_NAME = "sites"


def check_sites(known: SiteDirectory, *, kiosk: str, zone: str) -> Iterator[Check]:
    """Yield what was found.

    Args:
        kiosk: Name of the kiosk of this machine.
        zone: IANA name, as the settings of this machine have it.
    """
    for site in known.sites:
        if not site.is_confirmed:
            yield Check(
                _NAME,
                CheckLevel.WARN,
                N_("Site {code} ({name}, {zone}) was made of the settings and waits to be confirmed."),
                N_("If name and zone are right: smartabsen site confirm {code}"),
                (("code", site.code), ("name", site.name), ("zone", site.zone)),
            )
    here = known.of_kiosk(kiosk)
    if here is None:
        yield Check(
            _NAME, CheckLevel.WARN, N_("There is no site yet."), N_("smartabsen site add CODE --name N --zone Z")
        )
        return
    if len(known.sites) > 1 and kiosk not in known.kiosks:
        yield Check(
            _NAME,
            CheckLevel.WARN,
            N_("Nobody said at which site the kiosk {kiosk} stands; {code} is taken."),
            N_("smartabsen kiosk assign NAME --site CODE"),
            (("kiosk", kiosk), ("code", here.code)),
        )
    if here.zone != zone:
        yield Check(
            _NAME,
            CheckLevel.WARN,
            N_("The settings of this machine say {setting}, and its site {code} lies in {zone}: the site counts."),
            N_("Set site.zone to {zone} here, or correct the site: smartabsen site confirm {code} --zone ZONE"),
            (("setting", zone), ("code", here.code), ("zone", here.zone)),
        )
    else:
        facts = (("code", here.code), ("zone", here.zone), ("count", str(len(known.sites))))
        yield Check(_NAME, CheckLevel.OK, N_("This machine: {code}, {zone}; sites: {count}"), "", facts)
