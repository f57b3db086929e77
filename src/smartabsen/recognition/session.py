"""Whose face is this: one session answers the kiosk, the bursts of browsers, and photos.

:class:`FaceSession` is the port between those and what recognises: plain data goes in and comes out, so that another
process may answer. :class:`LocalFaceSession` answers in this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from ..kernel.domain import Face, FloatArray, ImageBGR, Match, Measured, ModelIdentity, Observation, Outcome
from .decision import NOBODY, reaches
from .liveness.challenge import Sight

AGREEING: Final = 2
"""Pictures of a burst that must name the same person, and none another."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedFace:
    """What one picture says of a face; ``match`` is None where the face was not good enough to be compared."""

    observation: Observation
    match: Match | None


@dataclass(frozen=True, slots=True)
class FaceDecision:
    """What several pictures of one person say together.

    Attributes:
        outcome: RECOGNIZED, or why nobody is named.
        label: Whom they name, as far as they do; an employee's row id.
        person: The same one's UUID, as the gallery knows it.
        similarity, lead: Of the picture that decided; None where no face was compared.
        covered: In most of the pictures that were compared, mouth and chin seem to be covered.
        measured: What a refusal for quality rests on.
        compared: Positions of the pictures that were compared.
        model_digest: Of the engine that made the embeddings.
    """

    outcome: Outcome
    label: int = NOBODY
    person: str = ""
    similarity: float | None = None
    lead: float | None = None
    covered: bool = False
    measured: Measured | None = None
    compared: tuple[int, ...] = ()
    model_digest: str = ""


@dataclass(frozen=True, slots=True)
class ClaimLimits:
    """What a face needs whose person a phone names: the cosine to that one, and by how much no other may be nearer."""

    threshold: float
    margin: float


class FaceSession(Protocol):
    """Finds faces, and says whose they are."""

    def find(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        """Return the faces in a picture, uint8 (H, W, 3), the largest first."""
        ...

    def knows(self, label: int) -> bool:
        """Tell whether an employee is in the gallery."""
        ...

    def compare(self, sights: Sequence[Sight]) -> tuple[ComparedFace, ...]:
        """Compare faces with everybody, each by itself, in their order."""
        ...

    def decide(self, sights: Sequence[Sight], *, claimed: int | None = None) -> FaceDecision:
        """Say whose face it is that several pictures show.

        Args:
            sights: Pictures of one person.
            claimed: Whom a phone or a code names: the face is compared with that employee alone, and is not to be
                clearly another one's.
        """
        ...

    def confirms(self, sights: Sequence[Sight], *, label: int, claimed: bool = False) -> bool:
        """Tell whether all of further pictures show the person who was decided on, and ``claimed`` as then."""
        ...


class Recogniser(Protocol):
    """Finds and embeds; :class:`.recognizer.Recognizer` does."""

    def find(self, image_bgr: ImageBGR) -> tuple[Face, ...]: ...

    def examine_each(self, shown: Sequence[tuple[ImageBGR, Face]]) -> tuple[Observation, ...]: ...


class People(Protocol):
    """Compares embeddings; :class:`smartabsen.gallery.gallery.LiveGallery` does."""

    @property
    def identity(self) -> ModelIdentity: ...
    @property
    def verification(self) -> float: ...
    @property
    def margin(self) -> float: ...

    def reading(self) -> AbstractContextManager[None]: ...

    def match(self, probes: Sequence[FloatArray]) -> tuple[Match, ...]: ...

    def verify(self, probes: Sequence[FloatArray], label: int) -> tuple[float, ...]: ...

    def knows(self, label: int) -> bool: ...

    def person(self, label: int) -> str: ...


class LocalFaceSession:
    """A :class:`FaceSession` in this process, for one thread at a time.

    Args:
        recognizer: Finds and embeds.
        gallery: Compares; other threads may use it meanwhile.
    """

    def __init__(self, recognizer: Recogniser, gallery: People) -> None:
        self._recognizer = recognizer
        self._gallery = gallery

    def find(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        """Return the faces in a picture, the largest first."""
        return self._recognizer.find(image_bgr)

    def knows(self, label: int) -> bool:
        """Tell whether an employee is in the gallery."""
        return self._gallery.knows(label)

    def compare(self, sights: Sequence[Sight]) -> tuple[ComparedFace, ...]:
        """Compare faces with everybody, each by itself."""
        seen = self._examine(sights)
        matches = iter(self._gallery.match(_probes(seen)))
        return tuple(ComparedFace(one, None if one.embedding is None else next(matches)) for one in seen)

    def decide(self, sights: Sequence[Sight], *, claimed: int | None = None) -> FaceDecision:
        """Say whose face it is that several pictures show."""
        gallery = self._gallery
        if len(sights) < AGREEING:
            return FaceDecision(Outcome.NO_FACE)
        seen = self._examine(sights)
        compared = [one for one in seen if one.embedding is not None]
        if len(compared) < AGREEING:
            return _most_frequent_refusal(seen)
        probes = _probes(seen)
        with gallery.reading():
            matches = gallery.match(probes)
            if claimed is None:
                decision = agreed(matches)
            else:
                limits = ClaimLimits(gallery.verification, gallery.margin)
                decision = confirmed(matches, gallery.verify(probes, claimed), claimed, limits)
            person = gallery.person(decision.label)
        return replace(
            decision,
            person=person,
            covered=2 * sum(one.quality.covered for one in compared) > len(compared),
            compared=tuple(place for place, one in enumerate(seen) if one.embedding is not None),
            model_digest=gallery.identity.digest,
        )

    def confirms(self, sights: Sequence[Sight], *, label: int, claimed: bool = False) -> bool:
        """Tell whether all of further pictures show the person who was decided on."""
        gallery, probes = self._gallery, _probes(self._examine(sights))
        if len(probes) < len(sights):
            return False
        with gallery.reading():
            matches = gallery.match(probes)
            if not claimed:
                return all(match.outcome is Outcome.RECOGNIZED and match.label == label for match in matches)
            limits = ClaimLimits(gallery.verification, gallery.margin)
            similarities = gallery.verify(probes, label)
        near = all(reaches(each, limits.threshold) for each in similarities)
        return near and not _others(matches, similarities, label, limits)

    def _examine(self, sights: Sequence[Sight]) -> tuple[Observation, ...]:
        return self._recognizer.examine_each([(sight.image_bgr, sight.face) for sight in sights])


def agreed(matches: Sequence[Match]) -> FaceDecision:
    """Return the person whom enough matches name, and none another."""
    named = [match for match in matches if match.outcome is Outcome.RECOGNIZED]
    if len({match.label for match in named}) > 1:
        return FaceDecision(Outcome.AMBIGUOUS)
    if len(named) >= AGREEING:
        return FaceDecision(Outcome.RECOGNIZED, named[0].label, similarity=max(match.similarity for match in named))
    refusals = [match.outcome for match in matches if match.outcome is not Outcome.RECOGNIZED]
    if not refusals:
        return FaceDecision(Outcome.UNKNOWN)
    outcome = max(refusals, key=refusals.count)
    nearest = max((match for match in matches if match.outcome is outcome), key=lambda match: match.similarity)
    return FaceDecision(outcome, similarity=nearest.similarity, lead=nearest.margin)


def confirmed(matches: Sequence[Match], similarities: Sequence[float], label: int, limits: ClaimLimits) -> FaceDecision:
    """Return the one person where enough pictures are similar enough and none is clearly of another person.

    The second-best person of the crowd need not be far away: who looks like a colleague is let in with his own phone.
    """
    others = _others(matches, similarities, label, limits)
    if others:
        return FaceDecision(Outcome.OTHER_FACE, others[0])
    good = [similarity for similarity in similarities if reaches(similarity, limits.threshold)]
    if len(good) < AGREEING:
        # The picture that would have been the last one needed.
        decided = sorted(similarities, reverse=True)[AGREEING - 1]
        return FaceDecision(Outcome.OTHER_FACE, similarity=decided)
    return FaceDecision(Outcome.RECOGNIZED, label, similarity=max(good))


def _others(matches: Sequence[Match], similarities: Sequence[float], label: int, limits: ClaimLimits) -> list[int]:
    """Return whom pictures are clearly of instead: recognised as somebody else, or nearer to one by the margin."""
    found = []
    for match, similarity in zip(matches, similarities, strict=True):
        if match.label == label:
            continue
        nearer = match.similarity >= limits.threshold and match.similarity - similarity >= limits.margin
        if match.outcome is Outcome.RECOGNIZED or nearer:
            found.append(match.label)
    return found


def _probes(seen: Sequence[Observation]) -> list[FloatArray]:
    return [one.embedding for one in seen if one.embedding is not None]


def _most_frequent_refusal(seen: Sequence[Observation]) -> FaceDecision:
    refusals = [one.refusal for one in seen if one.refusal is not None]
    reason = max(refusals, key=refusals.count, default=Outcome.NO_FACE)
    return FaceDecision(reason, measured=next((one.measured for one in seen if one.refusal is reason), None))
