"""The tables. Their names and columns are the owner's Indonesian where the original system had them; ours are English.

Rules for every column, so that SQLite and MariaDB answer alike:

- An instant is stored as naive UTC with microseconds (:class:`UtcDateTime`), never as TIMESTAMP (which ends in 2038 and
  has defaults of its own). ``jam_masuk`` and ``jam_pulang`` are such UTC instants too.
- Text compares byte by byte (``utf8mb4_bin``). What must be equal regardless of case has a column of its own with the
  folded text (``kode_kunci``, ``cari``); sorting for people is done in Python.
- Row ids are never used twice in one database, not even after the last row was deleted: the attendance log names them.
  After an older database was restored they are: nothing outside it may name people by them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    Date,
    DateTime,
    Dialect,
    Double,
    MetaData,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

CODE_LENGTH: Final = 64
NAME_LENGTH: Final = 200
NOTE_LENGTH: Final = 500
USER_LENGTH: Final = 32
LABEL_LENGTH: Final = 100
SEARCH_LENGTH: Final = 700
ADDRESS_LENGTH: Final = 64
SOURCE_LENGTH: Final = 255
KEY_ID_LENGTH: Final = 12
SIGNATURE_LENGTH: Final = 80
UUID_LENGTH: Final = 36

SERVER_OPTIONS: Final = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}
TABLE_OPTIONS: Final[dict[str, Any]] = {**SERVER_OPTIONS, "sqlite_autoincrement": True}


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC instant: aware in, aware out, naive UTC with microseconds in the database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The base of all tables; constraints get names that migrations can refer to."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), date: Date(), float: Double()}  # noqa: RUF012 - SQLAlchemy's form
