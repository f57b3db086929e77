"""The address of the server, as phones reach it."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from ..config import Settings
from ..kernel.errors import ConfigError
from ..store.tls import read_certificate

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


def host_names(settings: Settings) -> frozenset[str]:
    """Return the names by which browsers may ask for the server, in lower case: the public one, those in the settings
    and in the certificate, and the machine's own. Its addresses are not among them; see :func:`is_own_address`.
    """
    server = settings.server
    named = [urlsplit(server.public_url).hostname or "", server.host, *server.host_list]
    if server.tls_cert is not None:
        with suppress(ConfigError):
            # One that cannot be used keeps the server from starting, and says so.
            named += read_certificate(server.tls_cert).names
    machine = socket.gethostname()
    named += [*own_names(), machine, f"{machine}.local"]
    return frozenset(name.strip().lower().rstrip(".") for name in named if name.strip()) - _EVERYWHERE


def is_own_address(address: str) -> bool:
    """Say whether an interface of this machine has an address now."""
    ip = ipaddress.ip_address(address)
    if ip.is_unspecified or ip.is_multicast:
        return False
    if ip.version == 4:
        return _can_bind(socket.AF_INET, (address, 0))
    # An address of one link is an address of one interface.
    interfaces = [number for number, _name in socket.if_nameindex()] if ip.is_link_local else [0]
    return any(_can_bind(socket.AF_INET6, (str(ip).partition("%")[0], 0, 0, number)) for number in interfaces)


def _can_bind(family: socket.AddressFamily, address: tuple[object, ...]) -> bool:
    # Only an address of one's own can be bound to; nothing is sent.
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True


def own_address() -> str:
    """Return this machine's address in its network; that of the machine alone where it is in none."""
    # Asks the system which of its addresses it would use; connecting a datagram socket sends nothing.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
