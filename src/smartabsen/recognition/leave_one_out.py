"""Leave-one-out over a gallery: would all the other templates recognise each one as its owner?

It answers three questions of a person who trains: how good is this gallery, who is confused with whom, and which
photo probably lies in the wrong folder.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import FloatArray, Match, Outcome, Rate
from .balance import NO_BALANCE, Balance
from .decision import DECIMALS, LEAST_SIMILAR, NOBODY, decide
from .matchers.exact import check_gallery

_BLOCK: Final = 8_000_000
"""Similarities held at once (32 MB)."""
_CANDIDATES: Final = 3
"""So many of the most similar persons may be the true owner of a suspect."""


@dataclass(frozen=True, slots=True)
class LabelAccuracy:
    """The result of one person.

    Attributes:
        tried: Number of templates of ``label``, two or more.
        correct: How many of them are most similar to the same person, measured by the other templates.
        recognised: How many also pass threshold and margin.
        resembling: How many of the others are as near, within the margin, to somebody else.
        resembles: Whom most of those are near to; :data:`NOBODY` where there are none.
    """

    label: int
    tried: int
    correct: int
    recognised: int
    resembling: int = 0
    resembles: int = NOBODY


@dataclass(frozen=True, slots=True)
class LabelConfusion:
    """``count`` templates of ``label`` are nearest to ``taken_for``, the worst of them at ``similarity``."""

    label: int
    taken_for: int
    count: int
    similarity: float


@dataclass(frozen=True, slots=True)
class SuspectRow:
    """A template that looks mislabelled.

    Attributes:
        row: Its row in the gallery.
        label: Whose it is said to be.
        similarity_own: Median cosine to the other templates of ``label``.
        looks_like: Whose it probably is.
        similarity_other: Median cosine to the templates of ``looks_like``.
    """

    row: int
    label: int
    similarity_own: float
    looks_like: int
    similarity_other: float


@dataclass(frozen=True, slots=True)
class LeaveOneOutResult:
    """The result; tuples are in the order of labels, confusions and suspects with the worst first.

    Attributes:
        people: People with two templates or more.
        single: Labels with one template, whom leave-one-out cannot try.
        confusions: Who was nearest to somebody else.
        suspects: Templates that look mislabelled.
    """

    people: tuple[LabelAccuracy, ...]
    single: tuple[int, ...]
    confusions: tuple[LabelConfusion, ...]
    suspects: tuple[SuspectRow, ...]

    @property
    def rank_1(self) -> Rate:
        """Of the templates that could be tried, those whose nearest other template is the same person's."""
        return Rate(sum(person.correct for person in self.people), self._tried)

    @property
    def recognised(self) -> Rate:
        """Of the templates that could be tried, those that would also be recognised by threshold and margin."""
        return Rate(sum(person.recognised for person in self.people), self._tried)

    @property
    def _tried(self) -> int:
        return sum(person.tried for person in self.people)


def leave_one_out(
    embeddings: FloatArray, labels: NDArray[np.int64], *, threshold: float, margin: float, balance: Balance = NO_BALANCE
) -> LeaveOneOutResult:
    """Try each template against all the others.

    - *Correct*: the most similar person is the template's own, measured by the others. *Recognised*: by the decision
      that kiosks take.
    - *Confused*: it is somebody else's. The only template of a person counts as confused when it would be recognised
      as somebody else.
    - *Suspect*: it reaches the threshold with somebody else, and its **median** similarity to that person's
      templates is higher, by ``margin`` at least, than to the others of its own. A single photo in the wrong
      folder is near to all photos of its true owner, and moves no median but its own: the owner's photos are
      confused with it, yet do not become suspects. A person's only template is a suspect when it looks so much like
      somebody with several; those do not become suspects then.

    Args:
        embeddings: float32 (N, D), rows of unit length.
        labels: int64 (N,), not negative.
        threshold, margin: As for :func:`smartabsen.recognition.decision.decide`.
        balance: Of the engine; see :class:`smartabsen.recognition.balance.Balance`.

    Raises:
        InvalidInputError: Shapes, types or lengths are wrong.
    """
    check_gallery(embeddings, labels)
    order = np.argsort(labels, kind="stable")
    gallery = _Gallery.of(embeddings[order], labels[order], balance=balance)
    correct: dict[int, int] = defaultdict(int)
    recognised: dict[int, int] = defaultdict(int)
    confused: dict[tuple[int, int], list[float]] = defaultdict(list)
    near: dict[int, Counter[int]] = defaultdict(Counter)
    suspects: list[SuspectRow] = []
    for row, similarities, persons in gallery.each_against_the_others():
        owner = int(gallery.person_of[row])
        own, alone = float(persons[owner]), gallery.counts[owner] == 1
        persons[owner] = -np.inf
        nearest = int(persons.argmax())
        other = float(persons[nearest])
        if len(persons) == 1:
            nearest, other = NOBODY, LEAST_SIMILAR
        if not alone and own - other < margin and nearest != NOBODY and max(own, other) >= threshold:
            near[owner][int(gallery.people[nearest])] += 1
        if not alone and own >= other:
            correct[owner] += 1
            match = decide(owner, own, nearest, other, threshold=threshold, margin=margin)
            recognised[owner] += match.outcome is Outcome.RECOGNIZED
        elif not alone or _is_taken_for(nearest, other, persons, threshold=threshold, margin=margin):
            confused[owner, nearest].append(other)
        if nearest != NOBODY and other >= threshold:
            suspect = gallery.find_true_owner(row, similarities, persons, threshold=threshold, margin=margin)
            if suspect is not None:
                suspects.append(replace(suspect, row=int(order[row])))
    names = gallery.people.tolist()
    return LeaveOneOutResult(
        people=tuple(
            LabelAccuracy(name, count, correct[person], recognised[person], *_most(near[person]))
            for person, (name, count) in enumerate(zip(names, gallery.counts.tolist(), strict=True))
            if count > 1
        ),
        single=tuple(gallery.people[gallery.counts == 1].tolist()),
        confusions=tuple(
            LabelConfusion(names[owner], names[nearest], len(found), round(max(found), DECIMALS))
            for (owner, nearest), found in sorted(confused.items(), key=lambda item: (-len(item[1]), item[0]))
        ),
        suspects=tuple(sorted(suspects, key=lambda suspect: suspect.similarity_own - suspect.similarity_other)),
    )


def decide_each(
    embeddings: FloatArray, labels: NDArray[np.int64], *, threshold: float, margin: float, balance: Balance = NO_BALANCE
) -> tuple[Match, ...]:
    """Return the decision on each template by all the others, in the order given; arguments and errors as above."""
    check_gallery(embeddings, labels)
    order = np.argsort(labels, kind="stable")
    gallery = _Gallery.of(embeddings[order], labels[order], balance=balance)
    decided: dict[int, Match] = {}
    for row, _similarities, persons in gallery.each_against_the_others():
        best = int(persons.argmax())
        similarity = float(persons[best])
        persons[best] = -np.inf
        second = int(persons.argmax())
        # A person with one template is not compared with it; without anybody else there is nobody.
        found = [
            (int(gallery.people[person]), value) if np.isfinite(value) else (NOBODY, LEAST_SIMILAR)
            for person, value in ((best, similarity), (second, float(persons[second])))
        ]
        decided[int(order[row])] = decide(*found[0], *found[1], threshold=threshold, margin=margin)
    return tuple(decided[row] for row in range(len(labels)))


def _most(near: Counter[int]) -> tuple[int, int]:
    """Return how many photos are near to somebody else, and to whom most of them are."""
    return near.total(), near.most_common(1)[0][0] if near else NOBODY


def _is_taken_for(nearest: int, similarity: float, persons: FloatArray, *, threshold: float, margin: float) -> bool:
    """Tell whether a person's only template would be recognised as ``nearest``; ``persons`` leaves the owner out."""
    others = persons.copy()
    others[nearest] = -np.inf
    second = int(others.argmax())
    match = decide(nearest, similarity, second, float(others[second]), threshold=threshold, margin=margin)
    return match.outcome is Outcome.RECOGNIZED


@dataclass(frozen=True, slots=True, eq=False)
class _Gallery:
    """Templates sorted by person; persons are counted from 0 in the order of their labels.

    Attributes:
        embeddings: float32 (N, D).
        people: int64 (P,), the label of each person.
        starts, counts: (P,), the first row and the number of rows of each person.
        person_of: (N,), the person of each row.
        handicaps: float32 (P,), of each person.
        handicaps_without: float32 (N,), of the person of each row without that row.
    """

    embeddings: FloatArray
    people: NDArray[np.int64]
    starts: NDArray[np.intp]
    counts: NDArray[np.intp]
    person_of: NDArray[np.intp]
    handicaps: FloatArray
    handicaps_without: FloatArray

    @classmethod
    def of(cls, embeddings: FloatArray, labels: NDArray[np.int64], *, balance: Balance) -> _Gallery:
        people, starts, counts = np.unique(labels, return_index=True, return_counts=True)
        return cls(
            embeddings,
            people,
            starts,
            counts,
            np.repeat(np.arange(len(people)), counts),
            balance.find_handicaps(embeddings, labels)[starts],
            balance.find_handicaps_without_each(embeddings, labels),
        )

    def each_against_the_others(self) -> Iterator[tuple[int, FloatArray, FloatArray]]:
        """Yield each row with its cosines to all rows (N,), itself at -inf, and each person's similarity (P,)."""
        step = max(1, _BLOCK // max(1, len(self.embeddings)))
        for start in range(0, len(self.embeddings), step):
            similarities = self.embeddings[start : start + step] @ self.embeddings.T
            every = np.arange(len(similarities))
            similarities[every, start + every] = -np.inf
            persons = np.maximum.reduceat(similarities, self.starts, axis=1) - self.handicaps
            owners = self.person_of[start : start + len(similarities)]
            persons[every, owners] += self.handicaps[owners] - self.handicaps_without[start : start + len(similarities)]
            for offset in range(len(similarities)):
                yield start + offset, similarities[offset], persons[offset]

    def find_true_owner(
        self, row: int, similarities: FloatArray, persons: FloatArray, *, threshold: float, margin: float
    ) -> SuspectRow | None:
        """Return the row as a suspect, or None when it belongs where it is; ``persons`` leaves the owner out."""
        owner = int(self.person_of[row])
        at_own = self._median(similarities, owner)
        candidates = [
            person
            for person in np.argsort(-persons)[:_CANDIDATES]
            if self.counts[person] > 1 or not self._is_of(person, owner, threshold=threshold)
        ]
        at_others = [
            (self._median(similarities, int(person)), int(person))
            for person in candidates
            if persons[person] >= threshold
        ]
        at_other, looks_like = max(at_others, default=(LEAST_SIMILAR, NOBODY))
        if at_other - at_own < margin or (self.counts[owner] == 1 and at_other < threshold):
            return None
        return SuspectRow(
            row=row,
            label=int(self.people[owner]),
            similarity_own=round(at_own, DECIMALS),
            looks_like=int(self.people[looks_like]),
            similarity_other=round(at_other, DECIMALS),
        )

    def _is_of(self, single: int, owner: int, *, threshold: float) -> bool:
        """Tell whether a person's only template looks like most of the owner's: then that one is in the wrong place."""
        rows = slice(self.starts[owner], self.starts[owner] + self.counts[owner])
        return float(np.median(self.embeddings[rows] @ self.embeddings[self.starts[single]])) >= threshold

    def _median(self, similarities: FloatArray, person: int) -> float:
        templates = similarities[self.starts[person] : self.starts[person] + self.counts[person]]
        compared = templates[np.isfinite(templates)]
        return float(np.median(compared)) if len(compared) else LEAST_SIMILAR
