"""Policies, as scripts and people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..attendance.policy.model import KEYS, PolicyEntry
from ..attendance.standing import Scope
from ..kernel.i18n import N_, _
from .answer import Json
from .output import Column, Output

SCOPES: Final[Mapping[Scope, str]] = {
    Scope.FIRM: N_("firm"),
    Scope.SITE: N_("site"),
    Scope.DEPARTMENT: N_("department"),
    Scope.EMPLOYEE: N_("employee"),
}


def entry(value: PolicyEntry) -> Json:
    """A decision."""
    return {
        "id": value.id,
        "key": value.name,
        "value": value.value,
        "scope": value.scope.value,
        "of": value.of or None,
        "valid_from": value.valid_from.isoformat(),
        "set_by": value.set_by,
        "set_at": value.set_at.isoformat(),
    }


def keys() -> list[Json]:
    """All policies."""
    return [
        {"key": key.name, "default": key.default, "allowed": key.allowed, "about": _(key.about)}
        for key in KEYS.values()
    ]


def show(out: Output, entries: Sequence[PolicyEntry]) -> None:
    """Print the known policies, then what is decided."""
    columns = (Column(_("Policy"), whole=True), Column(_("Default")), Column(_("Allowed")), Column(_("Meaning")))
    out.table(columns, [(key.name, key.default, key.allowed, _(key.about)) for key in KEYS.values()])
    out.line()
    show_entries(out, entries)


def show_entries(out: Output, entries: Sequence[PolicyEntry]) -> None:
    """Print decisions."""
    columns = (
        Column(_("Policy"), whole=True),
        Column(_("Value")),
        Column(_("For"), whole=True),
        Column(_("From"), whole=True),
        Column(_("Set by")),
    )
    rows = [
        (each.name, each.value, f"{_(SCOPES[each.scope])} {each.of}".strip(), str(each.valid_from), each.set_by)
        for each in entries
    ]
    out.table(columns, rows, empty=_("Nothing is decided: the defaults hold."))
