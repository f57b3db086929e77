"""Where a request comes from and over what: as far as this server can know."""

from __future__ import annotations

import ipaddress
import logging
from typing import Final

from flask import current_app, request

from .library import library

_FORWARDING: Final = ("X-Forwarded-For", "CF-Connecting-IP", "Forwarded")
_TOLD: Final = "smartabsen_proxy_told"
_log: Final = logging.getLogger(__name__)


def visitor_address() -> str:
    """Return the address of the visitor as far as the trusted proxies tell it, for the records; empty for none.

    What a proxy passes on may be any text: only an address is taken. IPv4 within IPv6 is written as IPv4.
    """
    told = (request.remote_addr or "").strip()
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def is_https() -> bool:
    """Tell whether the visitor speaks https: with this server, or with a proxy before the public address."""
    return request.is_secure or library().settings.server.public_url.startswith("https:")


def hides_visitors() -> bool:
    """Tell whether a request comes through a proxy that is not trusted: then nobody knows where the visitor is.

    The first one of each process is logged: every visitor seems to come from the proxy, which mostly is this machine.
    """
    if library().settings.server.proxies or not any(name in request.headers for name in _FORWARDING):
        return False
    if _TOLD not in current_app.extensions:
        current_app.extensions[_TOLD] = True
        _log.warning(
            "%s sent a request on for somebody else and is no trusted proxy: set server.proxies", request.remote_addr
        )
    return True
