"""The address of a database, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ..errors import ConfigError
from ..i18n import N_

_MYSQL_DRIVERS: Final = ("mysql+pymysql", "mariadb+pymysql")


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
        ConfigError: It is none.
    """
    try:
        url = make_url(address)
    except ArgumentError as exc:
        raise ConfigError(
            N_("The address of the database cannot be understood."),
            hint=N_("It looks like mysql+pymysql://user:password@host/smartabsen, or sqlite:////path/to/file.db."),
        ) from exc
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=str(Path(url.database).absolute()))
    if url.drivername in _MYSQL_DRIVERS and url.database:
        return url
    raise ConfigError(
        N_("The database {address} is none that smartabsen can use."),
        hint=N_("It looks like mysql+pymysql://user:password@host/smartabsen, or sqlite:////path/to/file.db."),
        address=url.set(password=None, query={}).render_as_string(),
    )


def with_options(timeouts: Timeouts, url: URL) -> Timeouts:
    """Return the time-outs with those that a URL names in their place.

    Raises:
        ConfigError: One is no number.
    """
    named = {"connect_timeout": "connect_s", "read_timeout": "answer_s"}
    try:
        given = {named[name]: float(str(value)) for name, value in url.query.items() if name in named}
    except ValueError as exc:
        raise ConfigError(N_("A time-out in the address of the database is no number of seconds.")) from exc
    return replace(timeouts, **given)
