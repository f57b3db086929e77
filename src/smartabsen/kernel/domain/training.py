"""What a training and a look at pictures found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil, log

from .calibration import DecisionLimits
from .faces import Face, ModelIdentity, Quality
from .people import DamagedTemplate, Employee
from .rates import Rate
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


class WeakReason(StrEnum):
    """Why somebody is recognised in few of their own photos."""

    MIXED = "mixed"
    """The photos perhaps show two persons."""
    LOOK_ALIKE = "look_alike"
    """They are about as near to somebody else."""
    BLURRED = "blurred"
    """Most are less sharp than a face at a kiosk must be."""
    FEW_PHOTOS = "few_photos"
    """There are two: each is measured by one other."""
    UNLIKE = "unlike"
    """They are less like each other than a recognition asks: other light, other years, the head turned."""


@dataclass(frozen=True, slots=True)
class WeakPerson:
    """Somebody who is recognised in none or few of their own photos.

    Attributes:
        tried, recognised: See :class:`PersonAccuracy`.
        reasons: Why, the first to be mended first; one at least.
        resembles: Who looks alike; None unless that is a reason.
    """

    employee: Employee
    tried: int
    recognised: int
    reasons: tuple[WeakReason, ...]
    resembles: Employee | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What a training must show before it is used.

    Attributes:
        limits: What this training puts into use.
        rank_1: Leave-one-out accuracy: templates whose nearest other template is the same person's.
        recognised: Templates that are also recognised at the threshold and margin of ``limits``.
        demanded: Share.
    """

    limits: DecisionLimits
    rank_1: Rate
    recognised: Rate
    demanded: float

    @property
    def asks_rank_1(self) -> bool:
        """Whether rank 1 is asked for; otherwise it is who is recognised.

        The automatic threshold keeps strangers out, and weak engines refuse photos of the right people there: the
        report names those people, and the others can come in. Whoever chose a threshold must see what it refuses.
        """
        return self.limits.is_automatic

    @property
    def rate(self) -> Rate:
        """What is held against ``demanded``."""
        return self.rank_1 if self.asks_rank_1 else self.recognised

    @property
    def passed(self) -> bool:
        """Whether the share that was found is the one demanded; without trials there is nothing to hold against it."""
        return self.rate.share is None or self.rate.share >= self.demanded

    @property
    def proven(self) -> bool:
        """Whether the trials are enough to say, with 95 % confidence, that the true share is not below."""
        return self.rate.low >= self.demanded

    @property
    def trials_wanted(self) -> int:
        """So many trials without an error would prove it: the rule of three, see :class:`Rate`; 0 where none can."""
        return ceil(log(0.05) / log(self.demanded)) if 0.0 < self.demanded < 1.0 else 0


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
        people, confused, suspects, mixed: Details.
        single_template: People with one template only, whom leave-one-out cannot try.
        gate: What was measured and demanded.
        activated: Whether this model is in use now.
        damaged: Stored templates that are damaged, and not in the model.
        weak: Who is recognised in fewer than half of their own photos, each tried against the others: at a door they
            will be refused.
    """

    model: ModelIdentity
    version: str
    trained_at: datetime
    matcher: str
    k: int
    chosen_matcher: str
    employees: int
    templates: int
    people: tuple[PersonAccuracy, ...]
    confused: tuple[Confusion, ...]
    suspects: tuple[SuspectTemplate, ...]
    single_template: tuple[Employee, ...]
    gate: Gate
    activated: bool
    damaged: tuple[DamagedTemplate, ...] = ()
    mixed: tuple[MixedPerson, ...] = ()
    weak: tuple[WeakPerson, ...] = ()


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
        faces: The largest first; boxes are in the pixels of the file as viewers show it.
        outcome: None when the picture could be read, else UNREADABLE or TOO_LARGE.
        detail: What is wrong with the file, in English; a message id with ``params``.
        turned: Degrees clockwise by which it was turned so that its faces stand upright: 0, 90, 180 or 270.
        hidden_by: TOO_DARK or TOO_BRIGHT, where no face was found because of the light.
    """

    image: str
    faces: tuple[Identification, ...]
    outcome: Outcome | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    turned: int = 0
    hidden_by: Outcome | None = None
