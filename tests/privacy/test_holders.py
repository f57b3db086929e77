"""Whoever holds something of people is asked to forget whom the database has forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from smartabsen import SmartAbsen
from smartabsen.kernel.personal_data import ErasedPerson
from smartabsen.privacy.erased_here import ErasedHere
from smartabsen.privacy.erasure_rows import ALL, FACE, Tombstone


class Holder:
    """Notes whom it was asked to forget."""

    def __init__(self) -> None:
        self.asked: list[ErasedPerson] = []

    def forget(self, person: ErasedPerson) -> None:
        self.asked.append(person)


@pytest.mark.parametrize("scope", [ALL, FACE])
def test_each_holder_hears_of_an_erasure(flags: dict[str, object], tmp_path: Path, scope: str) -> None:
    """Of a face alone, too; who is not in the database any more is named by UUID and by row id."""
    holder = Holder()
    with SmartAbsen.open(flags=flags) as app:
        app.employees()
        here = ErasedHere(tmp_path / "other", app.services.database, app.services.csv_log, [holder])
        at = datetime(2026, 11, 2, tzinfo=UTC)
        here.forget(Tombstone(7, at, scope, "delete", at, "somebody", person="0123"))
    assert holder.asked == [ErasedPerson("0123", 7, scope == ALL)]
