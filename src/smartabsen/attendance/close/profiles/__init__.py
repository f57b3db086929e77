"""Payroll profiles as data: which rows an export has, which columns, and how the receiver calls them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

from ....kernel.errors import InvalidInputError, NotFoundError
from ....kernel.i18n import N_
from ....kernel.reading import read_bytes, unreadable_error

NAMES: Final = ("csv", "xlsx", "days", "days-xlsx", "components", "talenta-overtime", "frappe-checkin")
"""The profiles that are shipped."""
FORMATS: Final = ("csv", "xlsx")
ROWS: Final[Mapping[str, frozenset[str]]] = {
    "person": frozenset(
        {"code", "name", "site", "department", "month", "late_days", "early_days", "overtime_minutes",
         "overtime_approved_minutes", "overtime_units", "overtime_amount", "leave_taken", "leave_left",
         "adjustments", "adjustment_amount"}
    ),
    "day": frozenset(
        {"row", "code", "name", "site", "department", "month", "date", "status", "day_kind", "shift", "in", "out",
         "in_at", "out_at", "ruleset", "revision", "amount"}
    ),
    "component": frozenset({"code", "name", "month", "component", "quantity", "unit", "amount"}),
    "overtime": frozenset(
        {"code", "name", "date", "shift", "before", "before_break", "after", "after_break", "minutes"}
    ),
    "punch": frozenset({"code", "name", "at", "direction", "site"}),
}  # fmt: skip
"""What a row of an export can be, and its fields; those of :data:`_FAMILIES` besides."""
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("days", "minutes", "tier", "adjustment"),
    "day": ("minutes",),
}
_FAMILY: Final = re.compile(r"([a-z]+)\.([A-Za-z0-9_.]+)")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """A column: the receiver's title, and the field; or a text that is the same in every row."""

    title: str
    field: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """How an export looks.

    Attributes:
        rows: What one row is; see :data:`ROWS`.
        checked: Whether the columns were compared with the receiver's own template.
        date_format, time_format: As in ``strftime``; empty for ISO 8601.
    """

    name: str
    label: str
    format: str
    rows: str
    columns: tuple[ProfileColumn, ...]
    checked: bool = False
    separator: str = ","
    date_format: str = ""
    time_format: str = ""
    is_shipped: bool = False


def find_profile(given: str) -> Profile:
    """Return a shipped profile by its name, or one from a TOML file of somebody's own.

    Raises:
        NotFoundError: There is neither.
        InvalidInputError: The file is no profile.
    """
    if given in NAMES:
        text = resources.files(__package__).joinpath(f"{given}.toml").read_text(encoding="utf-8")
        return replace(parse_profile(tomllib.loads(text), name=given), is_shipped=True)
    path = Path(given)
    if path.suffix != ".toml":
        raise NotFoundError(
            N_("There is no profile “{name}”; known are: {known}."),
            hint=N_("A profile of your own is a TOML file: --profile FILE.toml."),
            name=given[:40],
            known=", ".join(NAMES),
        )
    try:
        facts = tomllib.loads(read_bytes(path).decode("utf-8-sig"))
    except OSError as exc:
        raise unreadable_error(exc) from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise InvalidInputError(N_("{path} is no profile: {problem}"), path=path, problem=str(exc)) from exc
    return parse_profile(facts, name=path.stem.lower())


def parse_profile(facts: Mapping[str, Any], *, name: str) -> Profile:
    """Return a profile from its data. Raises InvalidInputError."""
    rows, format = str(facts.get("rows", "")), str(facts.get("format", "csv"))
    given = facts.get("columns", [])
    columns = tuple(
        ProfileColumn(str(each.get("title", "")), str(each.get("field", "")), str(each.get("text", "")))
        for each in (given if isinstance(given, list) else [])
        if isinstance(each, dict)
    )
    problem = ""
    if not _NAME.fullmatch(name):
        problem = name
    elif rows not in ROWS:
        problem = f"rows = {rows!r}: {', '.join(ROWS)}"
    elif format not in FORMATS:
        problem = f"format = {format!r}: {', '.join(FORMATS)}"
    elif not columns:
        problem = "columns"
    else:
        wrong = [each.field for each in columns if each.field and not _is_field(rows, each.field)]
        problem = f"field = {wrong[0]!r}: {', '.join(sorted(ROWS[rows]))}" if wrong else ""
    if problem:
        raise InvalidInputError(N_("{path} is no profile: {problem}"), path=name[:40], problem=problem)
    return Profile(
        name,
        str(facts.get("label", name)),
        format,
        rows,
        columns,
        checked=bool(facts.get("checked", False)),
        separator=str(facts.get("separator", ","))[:1] or ",",
        date_format=str(facts.get("date_format", "")),
        time_format=str(facts.get("time_format", "")),
    )


def _is_field(rows: str, name: str) -> bool:
    family = _FAMILY.fullmatch(name)
    return name in ROWS[rows] or (family is not None and family[1] in _FAMILIES.get(rows, ()))
