"""MariaDB and MySQL by PyMySQL, as this program uses them: isolation, and a time for every answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import Connection, text

from ..errors import MissingDependencyError
from ..i18n import N_

_SIDE: Final = "smartabsen_side"
_OLDEST: Final = {"MariaDB": (10, 6), "MySQL": (8, 0)}


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificates of a connection, as PEM files: the server's authority, and what this machine shows."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None

    def options(self) -> dict[str, object]:
        """Return them as PyMySQL's ``ssl``: the server's name and certificate are checked."""
        given = {"ca": self.ca, "cert": self.cert, "key": self.key}
        return {name: str(path) for name, path in given.items() if path is not None} | {"check_hostname": True}


def server_facts(connection: Connection) -> tuple[str, str, tuple[str, ...]]:
    """Return kind, version, and how the server could lose what it acknowledged (message ids)."""
    version = str(connection.scalar(text("SELECT VERSION()")))
    kind = "MariaDB" if "mariadb" in version.lower() else "MySQL"
    flush, sync, log = (
        int(connection.scalar(text(f"SELECT @@{name}")) or 0)
        for name in ("innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin")
    )
    risks = []
    if flush != 1:
        risks.append(N_("The server syncs its log only now and then (innodb_flush_log_at_trx_commit is not 1)."))
    if log and sync != 1:
        risks.append(N_("The server does not sync its binary log at each commit (sync_binlog is not 1)."))
    if _numbers(version) < _OLDEST[kind]:
        risks.append(N_("The server is older than those that smartabsen is tested with: MariaDB 10.6, MySQL 8.0."))
    return kind, version, tuple(risks)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def connect_mysql(dialect: Any, _: object, arguments: Any, options: Any) -> Any:
    """Open a connection: the handler of SQLAlchemy's ``do_connect``.

    Raises:
        MissingDependencyError: The server checks passwords in a way that needs another library.
    """
    try:
        return dialect.connect(*arguments, **options)
    except RuntimeError as exc:
        # PyMySQL needs it for the passwords of MySQL 8 on connections without TLS.
        raise MissingDependencyError(
            N_("This server's way of checking passwords needs the Python package cryptography."),
            hint=N_("Install it: pip install '{install}'"),
            install="cryptography",
        ) from exc


def set_answer_time(connection: Any, seconds: float) -> None:
    """Let the server take so long for each answer from now on, and for taking each statement.

    PyMySQL has one time for the greeting of a server and for the answer to a long report, and no public way to change
    it later; it reads these two before every packet.
    """
    if connection is not None:
        connection._read_timeout = connection._write_timeout = seconds


def begin_mysql(connection: Connection, side: Literal["read", "write"]) -> None:
    """Begin a transaction.

    Writers must see what others committed while they waited for a lock; readers want one state throughout. The level
    stays with the connection, so it is set only when the connection changes sides.
    """
    level = "READ COMMITTED" if side == "write" else "REPEATABLE READ"
    if connection.info.get(_SIDE) != side:
        connection.exec_driver_sql(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        connection.info[_SIDE] = side
    if side == "read":
        connection.exec_driver_sql("START TRANSACTION READ ONLY")
