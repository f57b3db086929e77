"""What a home holds of people outside the database: each place registers it, so that an erasure forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """Somebody whom the database has forgotten.

    Attributes:
        uuid: As queues and seals name the person; empty where it is not known.
        row_id: Of the employee; None where the row belongs to somebody else by now.
        everything: Whether more than the face is erased.
    """

    uuid: str
    row_id: int | None
    everything: bool


class HoldsPersonalData(Protocol):
    """Files of one subject that may hold something of a person; ``app`` lists who holds what."""

    def forget(self, person: ErasedPerson) -> None:
        """Delete what is held of a person; several calls do the same as one. Raises StorageError."""
