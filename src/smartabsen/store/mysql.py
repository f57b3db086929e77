"""MariaDB and MySQL by PyMySQL, as this program uses them: isolation, and a time for every answer."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import Connection

from ..errors import MissingDependencyError
from ..i18n import N_

_SIDE: Final = "smartabsen_side"


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
