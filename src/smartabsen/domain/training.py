"""What a training and a look at pictures found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .faces import Face, ModelIdentity, Quality
from .people import DamagedTemplate, Employee
from .words import Outcome


@dataclass(frozen=True, slots=True)
class PersonAccuracy:
    """Leave-one-out result of one person.

    Attributes:
        tried: Number of the person's templates, each compared with all others.
        correct: How many of them were nearest to another template of the same person.
        recognised: How many also passed threshold and margin, and so would have been greeted.
    """

    employee: Employee
    tried: int
    correct: int
    recognised: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """Templates of ``employee`` that are nearer to ``taken_for``: ``count`` of them, the worst at ``similarity``."""

    employee: Employee
    taken_for: Employee
    count: int
    similarity: float


@dataclass(frozen=True, slots=True)
class SuspectTemplate:
    """A template that looks mislabelled: nearer to another person than to its own."""

    employee: Employee
    source: str
    looks_like: Employee
    similarity_own: float
    similarity_other: float


@dataclass(frozen=True, slots=True)
class MixedPerson:
    """Somebody whose photos perhaps show two persons.

    Attributes:
        sources: File names of the photos that look like another person than the others.
        similarity: The highest cosine between one of them and one of the others.
    """

    employee: Employee
    sources: tuple[str, ...]
    similarity: float


@dataclass(frozen=True, slots=True)
class TrainReport:
    """The result of a training.

    Attributes:
        model: The identity of the embeddings.
        version: Digest (12 hex characters) of the trained model; the same gallery gives the same version.
        trained_at: UTC.
        matcher, k: The matcher and, for KNN, its number of neighbours.
        chosen_matcher: What ``auto`` chose for a gallery of this size; otherwise the matcher itself.
        employees, templates: Size of the gallery.
        threshold, margin: What a decision needs.
        leave_one_out_accuracy: Share of templates whose nearest other template is the same person's (rank 1); None
            when nobody has two templates.
        recognised_share: Share of templates that also pass threshold and margin.
        tried: Number of templates in both shares.
        people, confused, suspects, mixed: Details.
        single_template: People with one template only, whom leave-one-out cannot try.
        min_accuracy: The gate.
        activated: Whether this model is in use now.
        calibrated: Whether threshold and margin are those of a calibration that fits the people here. The gate then
            asks for ``recognised_share``, what such a calibration lets expect, instead of ``leave_one_out_accuracy``.
        damaged: Stored templates that are damaged, and not in the model.
    """

    model: ModelIdentity
    version: str
    trained_at: datetime
    matcher: str
    k: int
    chosen_matcher: str
    employees: int
    templates: int
    threshold: float
    margin: float
    leave_one_out_accuracy: float | None
    recognised_share: float | None
    tried: int
    people: tuple[PersonAccuracy, ...]
    confused: tuple[Confusion, ...]
    suspects: tuple[SuspectTemplate, ...]
    single_template: tuple[Employee, ...]
    min_accuracy: float
    activated: bool
    calibrated: bool = False
    damaged: tuple[DamagedTemplate, ...] = ()
    mixed: tuple[MixedPerson, ...] = ()

    @property
    def gate_share(self) -> float | None:
        """The share that was held against ``min_accuracy``; None when nobody has two templates."""
        return self.recognised_share if self.calibrated else self.leave_one_out_accuracy


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """The decision on one face in a picture.

    Attributes:
        outcome: RECOGNIZED, UNKNOWN, AMBIGUOUS, or why the face was not compared.
        employee: Who it is; None unless recognised.
        similarity, margin: See :class:`Match`; None where the face was not compared.
    """

    face: Face
    quality: Quality
    outcome: Outcome
    employee: Employee | None
    similarity: float | None
    margin: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """Who is in one picture.

    Attributes:
        image: The picture as it was named by the caller.
        faces: The largest first; boxes are in the pixels of the upright file.
        outcome: None when the picture could be read, else UNREADABLE or TOO_LARGE.
        detail: What is wrong with the file, in English; a message id with ``params``.
    """

    image: str
    faces: tuple[Identification, ...]
    outcome: Outcome | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
