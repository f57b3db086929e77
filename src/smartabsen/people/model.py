"""What other places say of people, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PeopleOf:
    """The people of one department on a date, for whoever may see no others."""

    department_id: int
    on: date
