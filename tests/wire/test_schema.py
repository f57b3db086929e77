"""What leaves the program keeps its form: a change of a schema is a change of a file that somebody looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic.json_schema import models_json_schema

from smartabsen import wire
from smartabsen.kernel.domain import Employee

KEPT = Path(__file__).with_name("schema.json")


def all_schemas(base: type[wire.Wire] = wire.Wire) -> Iterator[type[wire.Wire]]:
    """Everything that has a schema, as far as the place is loaded."""
    for each in base.__subclasses__():
        yield each
        yield from all_schemas(each)


def current() -> str:
    """The schemas as text; ``python -m tests.wire.test_schema`` writes them after a change that is meant."""
    ours = sorted(
        {each for each in all_schemas() if each.__module__.startswith("smartabsen.")}, key=lambda it: it.__name__
    )
    _, schemas = models_json_schema([(each, "serialization") for each in ours])
    return json.dumps(schemas, indent=1, sort_keys=True) + "\n"


def test_no_schema_changes_unseen() -> None:
    """Scripts, pages and later other systems rely on every key and every type."""
    assert current() == KEPT.read_text(encoding="utf-8"), "write it anew: python -m tests.wire.test_schema"


def test_a_thing_of_wire_is_made_of_the_domain_and_cannot_be_changed() -> None:
    """Instants keep their offset as Python writes it, an empty UUID is null, and the row id stays inside."""
    at = datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC)
    made = wire.Employee.of(Employee(7, "E001", "Sample Name", "", True, at, templates=2))
    assert json.dumps(made.plain()) == (
        '{"uuid": null, "code": "E001", "name": "Sample Name", "position": "", "active": true, "templates": 2, '
        '"created_at": "2026-03-02T01:02:03+00:00"}'
    )
    with pytest.raises(ValidationError):
        made.code = "E002"  # type: ignore[misc]
    assert wire.Employee.find(None) is None


if __name__ == "__main__":
    KEPT.write_text(current(), encoding="utf-8")
