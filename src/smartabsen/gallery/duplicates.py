"""One person under two codes: wages are paid twice. All faces are compared with all, and a person decides.

At enrolment each new face is compared with everybody. What came in before that, with ``--allow-duplicate``, by another
engine or from another site's list, is found here. A search compares the templates that came since the last one with all
others, in bounded time, and goes on the next time where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..app.bootstrap import Services
from ..kernel.domain import EVERYBODY, Employee, ModelIdentity
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text
from ..people import employee_rows
from ..recognition.engines import get_spec
from ..store import meta
from ..store.database import Session
from ..store.tables import NOTE_LENGTH
from ..trust import audit_rows
from ..trust.audit import note
from . import duplicate_rows
from .duplicate_rows import FoundPairs
from .stored_gallery import read_gallery
from .template_rows import Gallery

BUDGET_S: Final = 600.0
"""A search stops after so long, and the next one goes on."""
_ROWS: Final = 256
"""New templates that are compared at once with all others."""


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two codes that are perhaps one person; ``similarity`` is the cosine of their most alike photos."""

    employee: Employee
    other: Employee
    similarity: float


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """What is known of people under two codes.

    Attributes:
        pairs: The most alike first; without those of whom a person said that they are two, and without pairs of people
            who both may not punch any more.
        searched_at: UTC, when the last search ended; None before the first one.
        complete: Whether everybody was compared; otherwise the next search goes on.
        threshold: Cosine from which two are taken for one.
    """

    pairs: tuple[DuplicatePair, ...]
    searched_at: datetime | None
    complete: bool
    threshold: float


class Duplicates:
    """Finds people who are enrolled under two codes.

    Args:
        services: The installation. No engine is loaded.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def find(self) -> DuplicateReport:
        """Return what the searches have found; nothing is compared."""
        active = self._services.active_model()
        if active is None:
            return DuplicateReport((), None, complete=True, threshold=1.0)
        threshold = get_spec(active.engine).duplicate_threshold
        with self._services.database.read() as session:
            found = _of_now(session, active)
            if found is None:
                return DuplicateReport((), None, complete=False, threshold=threshold)
            people = {one.uuid: one for one in employee_rows.find_all(session, model=active)}
            pairs = tuple(
                DuplicatePair(people[first], people[second], cosine)
                for first, second, cosine in found.pairs
                if _is_open(session, people, first, second)
            )
        return DuplicateReport(pairs, datetime.fromisoformat(found.at), found.complete, threshold)

    def search(self, *, anew: bool = False, budget_s: float = BUDGET_S) -> DuplicateReport:
        """Compare what came since the last search with everybody, and return what is known then.

        Args:
            anew: Compare all with all.
            budget_s: Stop after so long; at least some templates are compared.

        Raises:
            KeyMissingError, SealBrokenError: The templates cannot be read.
        """
        services = self._services
        active = services.active_model()
        if active is None:
            return self.find()
        threshold = get_spec(active.engine).duplicate_threshold
        with services.database.read(long=True) as session:
            before = None if anew else _of_now(session, active)
            gallery = read_gallery(services, session, active, members=EVERYBODY)
            generation = meta.generation(session)
        start = FoundPairs(active, generation, 0, "", complete=False, pairs=()) if before is None else before
        found = _compare(gallery, start, threshold=threshold, ends_at=time.monotonic() + budget_s)
        found = replace(found, at=services.instant().isoformat())
        services.database.run_write(lambda session: duplicate_rows.put_found(session, found))
        note(services, "biometric.compare", details={"templates": str(len(gallery.template_ids)), "for": "duplicates"})
        return self.find()

    def search_of_night(self, night: str) -> bool:
        """Search unless another process has taken this night's search; return whether it was done here."""
        taken: bool = self._services.database.run_write(lambda session: duplicate_rows.claim_night(session, night))
        if taken and self._services.active_model() is not None:
            self.search()
        return taken

    def mark_different(self, code: str, other: str, *, reason: str) -> tuple[Employee, Employee]:
        """Remember that two codes are two people, as twins are: they are not listed again.

        Raises:
            NotFoundError: There is nobody with one of the codes.
            InvalidInputError: Both are the same, or there is no reason.
        """
        reason = checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH, required=True)
        actor = self._services.actor

        def work(session: Session) -> tuple[Employee, Employee]:
            both = employee_rows.get(session, code), employee_rows.get(session, other)
            if both[0].uuid == both[1].uuid:
                raise InvalidInputError(N_("Name two different codes."))
            duplicate_rows.mark_different(
                session, both[0].uuid, both[1].uuid, note=self._services.instant().isoformat()
            )
            details = {"other": both[1].code, "reason": reason}
            audit_rows.append(session, actor=actor, action="employee.different", subject=both[0].code, details=details)
            return both

        return self._services.database.run_write(work)


def _of_now(session: Session, active: ModelIdentity) -> FoundPairs | None:
    """Return what was found of the model in use in this database; what is older says nothing of its rows."""
    found = duplicate_rows.find_found(session)
    if found is None or found.model != active or found.generation != meta.generation(session):
        return None
    return found


def _is_open(session: Session, people: dict[str, Employee], first: str, second: str) -> bool:
    if first not in people or second not in people or not (people[first].active or people[second].active):
        return False
    return bool(people[first].templates and people[second].templates) and not duplicate_rows.are_different(
        session, first, second
    )


def _compare(gallery: Gallery, before: FoundPairs, *, threshold: float, ends_at: float) -> FoundPairs:
    """Compare the templates that are newer than ``before`` with all, and pairs that were found once more."""
    ids = gallery.employee_ids
    found: dict[tuple[int, int], float] = {}
    for first, second in _rows_of(gallery, before.pairs):
        cosine = float((gallery.embeddings[first] @ gallery.embeddings[second].T).max())
        if cosine >= threshold:
            found[int(ids[first[0]]), int(ids[second[0]])] = cosine
    new = np.flatnonzero(gallery.template_ids > before.up_to)
    new = new[np.argsort(gallery.template_ids[new])]
    up_to, done = before.up_to, 0
    while done < len(new) and (done == 0 or time.monotonic() < ends_at):
        rows = new[done : done + _ROWS]
        cosines = gallery.embeddings[rows] @ gallery.embeddings.T
        place, column = np.nonzero((cosines >= threshold) & (ids[rows][:, None] != ids[None, :]))
        for row, other, cosine in zip(ids[rows][place], ids[column], cosines[place, column], strict=True):
            two = (min(int(row), int(other)), max(int(row), int(other)))
            found[two] = max(found.get(two, -1.0), float(cosine))
        up_to, done = int(gallery.template_ids[rows[-1]]), done + len(rows)
    pairs = sorted(
        (
            (gallery.people[first].uuid, gallery.people[second].uuid, round(cosine, 4))
            for (first, second), cosine in found.items()
        ),
        key=lambda pair: (-pair[2], pair[0], pair[1]),
    )
    return replace(before, up_to=up_to, complete=done == len(new), pairs=tuple(pairs[: duplicate_rows.MOST]))


def _rows_of(
    gallery: Gallery, pairs: Sequence[tuple[str, str, float]]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return the rows of both of each pair, where both are still there, the lower row id first."""
    owners = {person.uuid: owner for owner, person in gallery.people.items()}
    found = []
    for first, second, _ in pairs:
        if first in owners and second in owners:
            low, high = sorted((owners[first], owners[second]))
            found.append((np.flatnonzero(gallery.employee_ids == low), np.flatnonzero(gallery.employee_ids == high)))
    return found
