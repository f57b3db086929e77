"""Pairs of people who are perhaps one: what the last search found, and which pairs a person said are two.

Both are facts of the database. What was said is kept under a digest of the two UUIDs: nobody can be read out of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy.orm import Session

from ..kernel.domain import ModelIdentity
from ..store import meta

MOST: Final = 300
"""Pairs that are kept, the most alike: a person looks at each, and the value of a fact holds no more in MariaDB."""
_FOUND: Final = "duplicates"
_NIGHT: Final = "duplicates_night"


@dataclass(frozen=True, slots=True)
class FoundPairs:
    """What searches have found so far.

    Attributes:
        model: Whose embeddings were compared.
        generation: Of the database: after a restore the ids of templates are others.
        up_to: All templates with ids up to this one were compared with each other.
        at: UTC, ISO 8601, when the last search ended.
        complete: Whether it compared all that there was.
        pairs: UUIDs of both, and the cosine of their most alike photos, the highest first.
    """

    model: ModelIdentity
    generation: str
    up_to: int
    at: str
    complete: bool
    pairs: tuple[tuple[str, str, float], ...]


def find_found(session: Session) -> FoundPairs | None:
    """Return what was found, None before the first search."""
    stored = meta.find(session, _FOUND)
    if not stored:
        return None
    content = json.loads(stored)
    pairs = tuple((first, second, cosine) for first, second, cosine in content["pairs"])
    return FoundPairs(**{**content, "model": ModelIdentity(**content["model"]), "pairs": pairs})


def put_found(session: Session, found: FoundPairs) -> None:
    """Store what was found, in place of the search before."""
    model = found.model
    content = {
        "model": {"engine": model.engine, "digest": model.digest, "dimension": model.dimension},
        "generation": found.generation,
        "up_to": found.up_to,
        "at": found.at,
        "complete": found.complete,
        "pairs": [list(pair) for pair in found.pairs[:MOST]],
    }
    meta.put(session, _FOUND, json.dumps(content))


def mark_different(session: Session, first: str, second: str, *, note: str) -> None:
    """Remember that two UUIDs are two people."""
    meta.put(session, _name_of(first, second), note)


def are_different(session: Session, first: str, second: str) -> bool:
    """Return whether a person said that two UUIDs are two people."""
    return meta.find(session, _name_of(first, second)) is not None


def claim_night(session: Session, night: str) -> bool:
    """Take the search of a night, named by its date; of several processes exactly one gets True."""
    before = meta.find(session, _NIGHT)
    return before != night and meta.compare_and_set(session, _NIGHT, expected=before, value=night)


def _name_of(first: str, second: str) -> str:
    both = "|".join(sorted((first, second)))
    return f"different:{sha256(both.encode()).hexdigest()[:48]}"
