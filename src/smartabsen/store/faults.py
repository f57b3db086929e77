"""What databases complain about, translated into our errors. Passwords and stored values never get into a text."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, TimeoutError as PoolTimeoutError

from ..kernel.errors import DatabaseAwayError, DatabaseError
from ..kernel.i18n import N_

_DEADLOCK, _LOCK_WAIT, _CHANGED_SINCE_READ = 1213, 1205, 1020
_SAVEPOINT_GONE = 1305
"""A deadlock inside a savepoint undoes the whole transaction: what is reported is that the savepoint is not there."""
_UNREACHABLE = (2002, 2003, 2005, 2006, 2013, 2014, 2055, 1053, 1927)
_CROWDED = (1040, 1203, 1226)
_MYSQL: dict[int, tuple[str, str]] = {
    **dict.fromkeys(
        (1044, 1045, 1698, 1142, 1227),
        (
            N_("The database {address} refuses this user name or password, or its rights do not suffice."),
            N_("Check SMARTABSEN_DATABASE_URL, and what the user was granted."),
        ),
    ),
    **dict.fromkeys(
        (1049,),
        (
            N_("The server of {address} has no database of that name."),
            N_("Make it: CREATE DATABASE {database} CHARACTER SET utf8mb4"),
        ),
    ),
    **dict.fromkeys(
        _UNREACHABLE,
        (
            N_("The database {address} does not answer."),
            N_("Check that the server runs and that this machine reaches it, then try again."),
        ),
    ),
    2026: (
        N_("The connection to the database {address} cannot be made by TLS: {problem}"),
        N_("Check database.tls_ca, tls_cert and tls_key, and that the server offers TLS under this name."),
    ),
    **dict.fromkeys(_CROWDED, (N_("The database {address} has too many connections."), N_("Try again in a moment."))),
    **dict.fromkeys(
        (_DEADLOCK, _LOCK_WAIT, _CHANGED_SINCE_READ, _SAVEPOINT_GONE),
        (N_("The database {address} is busy with other writers."), N_("Try again in a moment.")),
    ),
    **dict.fromkeys(
        (1021, 1114, 1041),
        (N_("The disk of the database {address} is full."), N_("Free some space, then try again.")),
    ),
    **dict.fromkeys(
        (1290, 1836, 1792),
        (N_("The database {address} can only be read."), N_("Use the server that takes writes.")),
    ),
}
_SQLITE: dict[int, tuple[str, str]] = {
    **dict.fromkeys(
        (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
        (
            N_("The database {address} is busy with other writers."),
            N_("Try again in a moment; if it stays busy, find out which program of smartabsen hangs."),
        ),
    ),
    **dict.fromkeys(
        (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH),
        (
            N_("The database {address} can only be read."),
            N_("Check the rights of the file and of its directory, and that the disk is mounted for writing."),
        ),
    ),
    sqlite3.SQLITE_CANTOPEN: (
        N_("The database {address} cannot be opened."),
        N_("Check that its directory exists and is writable."),
    ),
    sqlite3.SQLITE_FULL: (
        N_("The disk of the database {address} is full."),
        N_("Free some space, then try again."),
    ),
    sqlite3.SQLITE_IOERR: (
        N_("The database {address} cannot be read or written: the disk reports an error."),
        N_("Check the disk, then restore a copy if the file is damaged."),
    ),
    **dict.fromkeys(
        (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
        (
            N_("The file {address} is damaged, or no database."),
            N_("Move it away and restore a copy; do not delete it."),
        ),
    ),
}


def translated(exc: Exception, address: str) -> DatabaseError:
    """Return our error for one of SQLAlchemy's or of a driver.

    Args:
        exc: What was raised.
        address: The database as people may see it, without a password.
    """
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if isinstance(cause, sqlite3.Error):
        cause = first_cause(cause)
    if isinstance(exc, PoolTimeoutError):
        message, hint = N_("The database {address} is busy: no connection is free."), N_("Try again in a moment.")
    elif isinstance(cause, sqlite3.Error) and (code := _sqlite_code(cause)) in _SQLITE:
        message, hint = _SQLITE[code]
    elif (number := _mysql_code(cause)) in _MYSQL:
        message, hint = _MYSQL[number]
    elif isinstance(exc, IntegrityError):
        message, hint = N_("The database {address} refuses a row that contradicts another one: {problem}"), ""
    else:
        message, hint = N_("The database {address} reports a problem: {problem}"), ""
    database = address.rpartition("/")[2]
    kind = DatabaseAwayError if _mysql_code(cause) in (*_UNREACHABLE, *_CROWDED) else DatabaseError
    return kind(message, hint=hint, address=address, database=database, problem=_first_line(cause))


def first_cause(exc: sqlite3.Error) -> sqlite3.Error:
    """Return what made SQLite undo a transaction by itself, where ``exc`` only says that there is none to undo.

    A full disk does that in the middle of a transaction: the statement that ends it fails then, too, and says less.
    """
    found: BaseException | None = exc
    while found is not None:
        cause = found.orig if isinstance(found, DBAPIError) else found
        if isinstance(cause, sqlite3.Error) and _sqlite_code(cause) in _SQLITE:
            return cause
        found = found.__context__
    return exc


def is_full(exc: sqlite3.Error) -> bool:
    """Return whether SQLite found the disk full."""
    return _sqlite_code(exc) == sqlite3.SQLITE_FULL


def is_forbidden(exc: sqlite3.Error) -> bool:
    """Return whether SQLite may not write the file or its directory."""
    return _sqlite_code(exc) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)


def cannot_write(exc: Exception) -> bool:
    """Return whether SQLite could not write, by what SQLAlchemy or the driver raised."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    return isinstance(cause, sqlite3.Error) and is_forbidden(first_cause(cause))


def is_worth_another_try(exc: SQLAlchemyError) -> bool:
    """Return whether MariaDB rolled a transaction back for the sake of another one: a repetition can succeed."""
    undone = (_DEADLOCK, _LOCK_WAIT, _CHANGED_SINCE_READ, _SAVEPOINT_GONE)
    return isinstance(exc, DBAPIError) and _mysql_code(exc.orig) in undone


def _sqlite_code(exc: sqlite3.Error) -> int:
    # The low byte is the primary code; the rest says which kind of it.
    return int(getattr(exc, "sqlite_errorcode", 0)) & 0xFF


def _mysql_code(exc: BaseException | None) -> int:
    if exc is None or isinstance(exc, sqlite3.Error):
        return 0
    number = exc.args[0] if exc.args else 0
    return number if isinstance(number, int) else 0


def _first_line(exc: BaseException | None) -> str:
    # Only the driver's own words: SQLAlchemy adds the statement and its values, which are people's data.
    if isinstance(exc, SQLAlchemyError):
        return type(exc).__name__
    text = str(exc.args[-1]) if exc is not None and exc.args else type(exc).__name__
    return text.splitlines()[0] if text else type(exc).__name__
