"""Where a sync has holidays from: the library ``holidays``, or the data that comes with this program. No network."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal, TypeAlias

from ...kernel.errors import InvalidInputError, MissingDependencyError
from ...kernel.i18n import N_
from .model import CalendarDay, CalendarKind

SourceName: TypeAlias = Literal["holidays", "frozen"]
FROZEN: Final = Path(__file__).with_name("holidays_id.toml")
"""Holidays and joint leave of Indonesia by year; it changes with a release only."""
_ESTIMATE: Final = " (perkiraan)"


def load_holidays(source: SourceName, years: Sequence[int]) -> tuple[CalendarDay, ...]:
    """Return holidays and joint leave of Indonesia in some years, ordered by date.

    Args:
        source: ``holidays`` is the installed library, ``frozen`` the data that comes with this program.

    Raises:
        InvalidInputError: The shipped data does not cover a year.
        MissingDependencyError: The library is not installed.
    """
    return _from_library(years) if source == "holidays" else _from_file(years)


def _from_library(years: Sequence[int]) -> tuple[CalendarDay, ...]:
    try:
        import holidays
    except ImportError as exc:
        raise MissingDependencyError(
            N_("The library “holidays” is not installed."),
            hint=N_("Install it: pip install holidays; or take the data of this program: --source frozen"),
        ) from exc
    source = f"holidays {version('holidays')}"
    found = []
    for kind, category in ((CalendarKind.PUBLIC, "public"), (CalendarKind.JOINT, "government")):
        dates = holidays.country_holidays("ID", years=list(years), categories=(category,), language="id")
        found += [_day(day, name, kind, source) for day, name in dates.items() if day.year in years]
    return tuple(sorted(found, key=lambda each: (each.day, each.kind)))


def _from_file(years: Sequence[int]) -> tuple[CalendarDay, ...]:
    content = tomllib.loads(FROZEN.read_text(encoding="utf-8"))
    unknown = [year for year in years if str(year) not in content]
    if unknown:
        raise InvalidInputError(
            N_("This program has no holidays of {year}; it has those of {known}."),
            year=unknown[0],
            known=", ".join(sorted(content)),
        )
    found = [
        _day(day, name, CalendarKind(kind), "smartabsen")
        for year in years
        for kind, dates in content[str(year)].items()
        for day, name in dates
    ]
    return tuple(sorted(found, key=lambda each: (each.day, each.kind)))


def _day(day: date, name: str, kind: CalendarKind, source: str) -> CalendarDay:
    # Several holidays on one date are parted by semicolons.
    names = name.split("; ")
    plain = "; ".join(each.removesuffix(_ESTIMATE) for each in names)
    return CalendarDay(day, plain, kind, source=source, tentative=any(each.endswith(_ESTIMATE) for each in names))
