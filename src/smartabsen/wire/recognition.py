"""Who is in a picture, and what recognition rests on."""

from __future__ import annotations

from typing import Any, Self

from pydantic import AliasPath, Field

from ..kernel import domain
from ..kernel.messages import fill
from .base import Cosine, CosineOrNone, Instant, Pixels, Wire
from .people import Person


class SeenFace(Wire):
    """One face of a picture."""

    box_xyxy: tuple[Pixels, Pixels, Pixels, Pixels] = Field(validation_alias=AliasPath("face", "box_xyxy"))
    outcome: domain.Outcome
    employee: Person | None
    similarity: CosineOrNone
    margin: CosineOrNone


class Image(Wire):
    """Who is in one picture; ``outcome`` is null when it could be read, ``hidden_by`` the light that hides a face."""

    image: str
    outcome: domain.Outcome | None
    message: str
    turned: int
    hidden_by: domain.Outcome | None
    faces: tuple[SeenFace, ...]

    @classmethod
    def of(cls, value: domain.ImageResult, /, **more: Any) -> Self:
        """Make it of a result, with its sentence."""
        return super().of(value, message=fill(value.detail, value.params), **more)


class Rate(Wire):
    """How often something happened, with the interval of 95 % of its share."""

    count: int
    trials: int
    share: float | None
    low: float
    high: float


class Calibration(Wire):
    """A calibration, and what it was chosen for."""

    at: Instant
    people: int
    templates: int
    target_fpir: float
    threshold: float
    margin: float


class AutomaticLimits(Wire):
    """The threshold that fits the number of people by itself, and what it rests on."""

    people: int
    target_fpir: float
    threshold: Cosine
    rests_on: domain.Basis = Field(validation_alias="basis")
    engine: Cosine
    reference: CosineOrNone
    own: CosineOrNone
    verification: CosineOrNone
    source: str
    pairs: int
    beyond_reference: bool = Field(validation_alias="is_bound")


class Gate(Wire):
    """What a training asks for, and what was found."""

    asks: str
    demanded: float
    found: Rate = Field(validation_alias="rate")
    passed: bool
    proven: bool
    trials_wanted: int

    @classmethod
    def of(cls, value: domain.Gate, /, **more: Any) -> Self:
        """Make it of a gate."""
        return super().of(value, asks="rank_1" if value.asks_rank_1 else "recognised", **more)
