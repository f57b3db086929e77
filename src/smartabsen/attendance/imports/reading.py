"""Reads files with punches: ``attlog.dat`` of ZKTeco line by line, BioTime's and other tables as CSV or XLSX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from ...kernel.dates import read_date
from ...kernel.errors import InvalidInputError, NotFoundError
from ...kernel.i18n import N_
from ...store.cells import CellKind
from ...store.sheets import MAX_BYTES, Column, read_table
from .model import PunchLine

_ATTLOG: Final = re.compile(
    r"\s*(?P<pin>[^\t\s][^\t]*?)\s*\t\s*(?P<at>\d{4}-\d{1,2}-\d{1,2}\s+\d{1,2}:\d{2}(?::\d{2})?)\s*(?:\t(?P<rest>.*))?"
)
_CLOCK: Final = re.compile(
    r"(?:^|[\sT])(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp][Mm])?\s*$"
)
_ANY: Final = frozenset(CellKind)
_LONGEST: Final = 1000
COLUMNS: Final = (
    Column(
        "pin",
        (
            *("kode", "kode karyawan", "id karyawan", "nik", "no id", "nomor id", "ac no", "ac-no.", "enroll number"),
            *("employee id", "employee code", "emp code", "personnel id", "person id", "user id", "userid", "code"),
        ),
        required=True,
    ),
    Column(
        "time",
        (
            *("waktu", "tanggal waktu", "tanggal dan waktu", "tanggal/waktu", "tgl/waktu", "waktu absen"),
            *("punch time", "date and time", "date/time", "datetime", "date time", "timestamp", "check time"),
        ),
        takes=_ANY,
    ),
    Column("date", ("tanggal", "tgl", "punch date", "attendance date"), takes=_ANY),
    Column("clock", ("jam", "clock time", "hour", "punch clock"), takes=_ANY),
    Column("device", ("mesin", "perangkat", "device sn", "device name", "terminal", "terminal sn", "serial number")),
)
"""The columns of a table of punches: PIN and time, or PIN, date and clock; the device where it is there."""


def read_punches(path: Path) -> Iterator[PunchLine]:
    """Yield the lines of a file; what it is, is told from its content.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: It is neither an ``attlog.dat`` nor a table with PIN and time, or is too large.
    """
    if _is_attlog(path):
        yield from _attlog(path)
        return
    table = read_table(path, COLUMNS)
    found = {name for name, _title in table.reading.columns}
    if "time" not in found and not {"date", "clock"} <= found:
        raise InvalidInputError(
            N_("{path} has no column with the time of the punches."),
            hint=N_("Call it “time”, or take two columns “date” and “clock”."),
            path=path,
        )
    for row in table.rows:
        pin = row.values.get("pin", "")
        if not pin and not any(row.values.values()):
            continue
        wall = row.values.get("time", "") or f"{row.values.get('date', '')} {row.values.get('clock', '')}"
        at = None if row.faults.get("pin") else read_wall(wall)
        yield PunchLine(row.line, pin, at, row.values.get("device", "")[:40])


def read_wall(text: str) -> datetime | None:
    """Return a date with a time of the day, as devices and people write it; None where it cannot be told."""
    given = text.strip()
    clock = _CLOCK.search(given)
    if clock is None:
        return None
    hour, minute, second = int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)
    if clock["half"] and not 1 <= hour <= 12:
        return None
    if clock["half"]:
        hour = hour % 12 + (12 if clock["half"].lower() == "pm" else 0)
    try:
        day = read_date(given[: clock.start()].strip())
        return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - the device's own clock
    except (InvalidInputError, ValueError):
        return None


def _is_attlog(path: Path) -> bool:
    return next((_ATTLOG.fullmatch(text) is not None for _line, text in _lines(path) if text.strip()), False)


def _attlog(path: Path) -> Iterator[PunchLine]:
    for line, text in _lines(path):
        if not text.strip():
            continue
        found = _ATTLOG.fullmatch(text)
        if found is None:
            yield PunchLine(line, text.partition("\t")[0].strip()[:40], None)
            continue
        yield PunchLine(line, found["pin"], read_wall(found["at"]))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines of a text, a bounded part of each."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInputError(N_("{path} is larger than {limit} MB."), path=path, limit=MAX_BYTES // 2**20)
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_LONGEST):
                number += 1
                yield number, raw.decode("utf-8-sig", errors="replace").rstrip("\r\n\x1a")
    except FileNotFoundError as exc:
        raise NotFoundError(N_("There is no file {path}."), path=path) from exc
    except OSError as exc:
        raise InvalidInputError(N_("{path} cannot be read: {problem}"), path=path, problem=exc.strerror) from exc
