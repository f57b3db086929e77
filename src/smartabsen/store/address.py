"""The addresses of databases and of Redis: read strictly, nothing of them told; and how long an answer may take."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ..kernel.errors import ConfigError
from ..kernel.i18n import N_

_MYSQL_DRIVERS: Final = ("mysql+pymysql", "mariadb+pymysql")
_REDIS_SCHEMES: Final = ("redis", "rediss", "unix")
_LOOKS: Final = N_("It looks like mysql+pymysql://user:password@host/smartabsen, or sqlite:////path/to/file.db.")
_OPTION: Final = re.compile(r"\w+=")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the database may take before it counts as away, in seconds.

    A person at a kiosk or a browser gets an answer within three seconds, whatever the database does: no sum of those
    that can follow each other is longer.

    Attributes:
        connect_s: To find and reach a server, and once more for its greeting. More than a second, after which a lost
            first packet is sent again.
        ping_s: For a pooled connection to show that it is alive.
        answer_s: For a server to answer a statement, and for a free connection of the pool; longer than ``busy_s``.
        long_s: The same for a unit of work that reads or changes much.
        busy_s: For another writer to finish.
    """

    connect_s: float = 1.25
    ping_s: float = 1.0
    answer_s: float = 2.5
    long_s: float = 120.0
    busy_s: float = 2.0


def checked_url(address: str) -> URL:
    """Return the URL of a database that smartabsen can use; a path of SQLite becomes absolute.

    Raises:
        ConfigError: It is none. Nothing of the address is told: a part of a password could be where the host is
            looked for.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # ValueError: a port that is no number. What was raised holds a part of the address.
        raise _database_refused(address) from None
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=str(Path(url.database).absolute()))
    if url.drivername not in _MYSQL_DRIVERS:
        raise ConfigError(
            N_("A database of the kind “{kind}” is none that smartabsen can use."), hint=_LOOKS, kind=url.drivername
        )
    misread = "@" in f"{url.host or ''}{url.database or ''}" or "/" in (url.database or "")
    if misread or not url.database or not _is_port(url.port):
        raise _database_refused(address)
    return url


def checked_redis_url(address: str) -> SplitResult:
    """Return the parts of the address of a Redis.

    Raises:
        ConfigError: It is none. Nothing of it is told.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _redis_refused(address) from None
    # A sign that an address keeps for itself ends the password too early: the @ is then found behind the host.
    misread = "@" in parts.path or bool(parts.fragment) or ("@" in parts.query and not _OPTION.match(parts.query))
    if parts.scheme not in _REDIS_SCHEMES or misread or not _is_port(port):
        raise _redis_refused(address)
    if parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path):
        raise _redis_refused(address)
    return parts


def _is_port(port: int | None) -> bool:
    return port is None or 0 < port < 65_536


def _database_refused(address: str) -> ConfigError:
    sign = _reserved_sign(address)
    if sign is None:
        return ConfigError(N_("The address of the database cannot be understood."), hint=_LOOKS)
    message = N_("The address of the database cannot be understood; write {sign} in a password as {code}.")
    return ConfigError(message, hint=_LOOKS, sign=sign, code=quote(sign, safe=""))


def _redis_refused(address: str) -> ConfigError:
    sign, looks = _reserved_sign(address), N_("It looks like redis://:password@127.0.0.1:6379/0.")
    if sign is None:
        return ConfigError(N_("The address of Redis cannot be understood."), hint=looks)
    message = N_("The address of Redis cannot be understood; write {sign} in a password as {code}.")
    return ConfigError(message, hint=looks, sign=sign, code=quote(sign, safe=""))


def _reserved_sign(address: str) -> str | None:
    """Return the sign that was probably meant as a part of a password, where there is one."""
    _scheme, _, rest = address.partition("://")
    before_host, at, _host = rest.rpartition("@")
    found = re.search(r"[#/?\[\]@]", before_host if at else rest.partition("/")[0])
    return found[0] if found else None


def with_options(timeouts: Timeouts, url: URL) -> Timeouts:
    """Return the time-outs with those that a URL names in their place.

    Raises:
        ConfigError: One is no number.
    """
    named = {"connect_timeout": "connect_s", "read_timeout": "answer_s"}
    try:
        given = {named[name]: float(str(value)) for name, value in url.query.items() if name in named}
    except ValueError:
        raise ConfigError(N_("A time-out in the address of the database is no number of seconds.")) from None
    return replace(timeouts, **given)
