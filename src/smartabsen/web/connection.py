"""Where a request comes from and over what: as far as this server can know."""

from __future__ import annotations

import ipaddress
import logging
from typing import Final

from flask import current_app, request

from .library import library

_FORWARDING: Final = (
    "X-Forwarded-For",
    "X-Real-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "X-Envoy-External-Address",
    "X-Azure-ClientIP",
    "X-Original-Forwarded-For",
    "X-ProxyUser-Ip",
    "Forwarded",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
)
"""What proxies write. Via is none of them: the office's own proxy for going out writes it as well."""
_TOLD: Final = "smartabsen_proxy_told"
_UNKNOWN_PROXY: Final = "%s sent a request on for somebody else and is no trusted proxy: set server.proxies"
_SILENT_PROXY: Final = (
    "%s sent a request on for somebody else and does not say in X-Forwarded-For for whom: let it, for each of the "
    "server.proxies"
)
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


def cookie_name(cookie: str, *, secure: bool) -> str:
    """Return the name that a cookie has on this connection."""
    # The prefix makes browsers refuse the cookie from another host, another path, or without https.
    return f"__Host-{cookie}" if secure else cookie


def hides_visitors() -> bool:
    """Tell whether a request comes through a proxy and nobody knows where the visitor is: the proxy is not trusted, or
    it is and does not write ``X-Forwarded-For``, the only header that is believed.

    The first one of each process is logged: every visitor seems to come from the proxy, which mostly is this machine.
    """
    if not any(name in request.headers for name in _FORWARDING):
        return False
    trusted = library().settings.server.proxies
    told = [one for one in request.headers.get("X-Forwarded-For", "").split(",") if one.strip()]
    if trusted and len(told) >= trusted:
        return False
    if _TOLD not in current_app.extensions:
        current_app.extensions[_TOLD] = True
        _log.warning(_SILENT_PROXY if trusted else _UNKNOWN_PROXY, request.remote_addr)
    return True
