"""What a passive liveness backend is: one picture and the face in it go in, the probability of a live person comes out.

Presentation attack detection in the terms of ISO/IEC 30107-3: a *presentation attack* is a print, a screen or a mask
held in front of the camera; a *bona fide presentation* is a person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from ...kernel.domain import Face, ImageBGR
from ...kernel.errors import ModelError
from ...kernel.i18n import N_


@dataclass(frozen=True, slots=True)
class ModelScore:
    """What one model said.

    Attributes:
        model: Name of its file.
        digest: SHA-256 (hex) of that file.
        probability: Of a live person, 0..1.
    """

    model: str
    digest: str
    probability: float


@dataclass(frozen=True, slots=True)
class PassiveScore:
    """What a backend said of one face.

    Attributes:
        probability: Of a live person, 0..1; None where the face cannot be judged, because too much of what the model
            wants to see around it lies outside the picture, or because there is no model.
        models: What each model said; the probability is their mean.
    """

    probability: float | None
    models: tuple[ModelScore, ...] = ()


class PassiveLiveness(Protocol):
    """Judges single pictures.

    A backend is used by one thread at a time; it may be made in one thread and used in another.
    """

    name: str
    """As in the registry, ``minifasnet``."""
    digest: str
    """SHA-256 (hex) over its files; empty where it has none."""
    threshold: float
    """The probability from which its authors take a face for live, where the model alone decides."""
    unsure_from: float
    """Below this probability it is a picture, where people may be asked for a movement."""
    sure_from: float
    """From this probability it is a person, where people may be asked for a movement."""

    def score(self, image_bgr: ImageBGR, face: Face) -> PassiveScore:
        """Judge a face.

        Args:
            image_bgr: uint8 (H, W, 3): the whole frame. Attacks betray themselves around the face too.
            face: One that was found in it.

        Raises:
            InvalidInputError: The array has another shape or type.
            ModelError: The model failed, or gave a number that is no probability.
        """
        ...

    def close(self) -> None:
        """Release the model. Closing twice is harmless."""
        ...


def average(name: str, models: tuple[ModelScore, ...]) -> PassiveScore:
    """Return the mean over the models of a backend.

    Raises:
        ModelError: There is none, or one gave a number outside 0..1, or none at all (NaN).
    """
    if not models or not all(math.isfinite(each.probability) and 0.0 <= each.probability <= 1.0 for each in models):
        raise ModelError(N_("The liveness model {name} gave no usable probability."), name=name)
    return PassiveScore(sum(each.probability for each in models) / len(models), models)
