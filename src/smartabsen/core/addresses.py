"""The address of the server, as phones reach it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from ..config import Settings

_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised here, not listened on
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def public_url(settings: Settings) -> str:
    """Return the address that QR codes carry: the one set, else that of this machine. It never ends with a slash."""
    server = settings.server
    if server.public_url:
        return server.public_url.rstrip("/")
    host = own_address() if server.host in _EVERYWHERE else server.host
    scheme = "https" if server.https else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"


def is_local(url: str) -> bool:
    """Say whether an address leads nowhere but to the machine that opens it."""
    return urlsplit(url).hostname in _LOCAL


def is_private(url: str) -> bool:
    """Say whether the host of an address is private: this machine, a private network, or a name without a domain."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host.removesuffix(".local")


def own_names() -> tuple[str, ...]:
    """Return what this machine is called: its name, the one in networks without a name server, and its addresses."""
    host = socket.gethostname().lower().partition(".")[0]
    names = [host, f"{host}.local"] if host not in ("", "localhost") else []
    return tuple(dict.fromkeys([*names, "localhost", own_address(), "127.0.0.1", "::1"]))


def own_address() -> str:
    """Return this machine's address in its network; that of the machine alone where it is in none."""
    # Asks the system which of its addresses it would use; connecting a datagram socket sends nothing.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
