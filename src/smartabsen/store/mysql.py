"""MariaDB and MySQL by PyMySQL, as this program uses them: isolation, and a time for every answer."""

from __future__ import annotations

import queue
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import Connection, text

from ..kernel.errors import ConfigError, MissingDependencyError
from ..kernel.i18n import N_
from ..kernel.reading import no_permission_to_read, open_file

_SIDE: Final = "smartabsen_side"
_PORT: Final = 3306
_CANNOT_CONNECT: Final = 2003
"""The number of MySQL's clients for a server that cannot be reached."""
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
        ConfigError: A certificate or key of the connection cannot be used.
        StorageError: This user may not read it.
        MissingDependencyError: The server checks passwords in a way that needs another library.
    """
    _check_tls(options.get("ssl"))
    try:
        if not options.get("host") or options.get("unix_socket") or options.get("bind_address"):
            return dialect.connect(*arguments, **options)
        connection = dialect.connect(*arguments, **options, defer_connect=True)
        try:
            reached = _reach(options["host"], options.get("port") or _PORT, timeout_s=options["connect_timeout"])
        except OSError as exc:
            raise dialect.loaded_dbapi.OperationalError(_CANNOT_CONNECT, exc.strerror or str(exc)) from exc
        connection.connect(reached)
        return connection
    except RuntimeError as exc:
        # PyMySQL needs it for the passwords of MySQL 8 on connections without TLS.
        raise MissingDependencyError(
            N_("This server's way of checking passwords needs the Python package cryptography."),
            hint=N_("Install it: pip install '{install}'"),
            install="cryptography",
        ) from exc


def _check_tls(given: Any) -> None:
    """Read the files of TLS as the driver is about to: it waits for a named pipe, and asks a terminal for a password.

    Raises:
        ConfigError: One of them is missing, or no certificate or key without a password.
        StorageError: This user may not read one.
    """
    if not isinstance(given, dict):
        return
    files = {name: Path(str(given[name])) for name in ("ca", "cert", "key") if given.get(name)}
    for path in files.values():
        try:
            open_file(path).close()
        except PermissionError as exc:
            raise no_permission_to_read(path) from exc
        except OSError as exc:
            raise _unusable(path, exc.strerror or exc) from exc
    wanted = {
        "ca": N_("it is no authority in PEM"),
        "cert": N_("it is no certificate in PEM, or its key is missing, another one, or has a password"),
    }
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, problem in wanted.items():
        if name in files:
            try:
                if name == "ca":
                    context.load_verify_locations(files[name])
                else:
                    context.load_cert_chain(files[name], files.get("key"), password=given.get("password") or "")
            except OSError as exc:
                raise _unusable(files[name], problem) from exc


def _unusable(path: Path, problem: object) -> ConfigError:
    return ConfigError(
        N_("{path} cannot be used for the connection to the database: {problem}."),
        hint=N_("Check database.tls_ca, tls_cert and tls_key: PEM files, the key without a password."),
        path=path,
        problem=problem,
    )


def _reach(host: str, port: int, *, timeout_s: float) -> socket.socket:
    """Connect within ``timeout_s``, looking up the name included: no system limits how long that may take.

    Raises:
        OSError: Nobody is there, or not in time.
    """
    ends_at = time.monotonic() + timeout_s
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
        except OSError as exc:
            answers.put(exc)

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        addresses = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError(f"the name {host} is not found in time") from None
    if isinstance(addresses, OSError):
        raise addresses
    for number, address in enumerate(addresses, start=1):
        left_s = max(0.05, (ends_at - time.monotonic()) / (len(addresses) - number + 1))
        try:
            reached = socket.create_connection((address, port), left_s)
        except OSError:
            if number == len(addresses):
                raise
        else:
            # As PyMySQL does with connections that it makes itself.
            reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return reached
    raise OSError(f"the name {host} has no address")


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
