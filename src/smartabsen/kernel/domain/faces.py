"""What recognition sees: faces, their quality, whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from .words import BoxXYXY, FloatArray, LandmarkScheme, Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face.

    Attributes:
        box_xyxy: Bounding box in pixels.
        score: Confidence of the detector; comparable within one detector only.
        landmarks_xy: float32 (5, 2) in pixels, in the order of ``scheme``.
        scheme: What the landmarks are.
    """

    box_xyxy: BoxXYXY
    score: float
    landmarks_xy: FloatArray
    scheme: LandmarkScheme

    @property
    def size_px(self) -> float:
        """The shorter side of the box in pixels."""
        left, top, right, bottom = self.box_xyxy
        return min(right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of a face in an image; see ``recognition.quality`` for how each is taken.

    Attributes:
        face_px: Shorter side of the face box in pixels.
        brightness: Mean luma of the aligned face, 0..255.
        sharpness: Variance of the second derivative of the aligned face's luma in its weakest direction, at a fixed
            size and scaled to a mean luma of 128.
        yaw: Sine of the turn of the head, from the landmarks; 0 is frontal, positive towards the right of the image.
        detection_score: The detector's confidence.
        covered: Whether mouth and chin are of another colour than the brow, as under a mask: a hint, no refusal.
    """

    face_px: float
    brightness: float
    sharpness: float
    yaw: float
    detection_score: float
    covered: bool = False


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model made an embedding; embeddings of two identities are never compared.

    Attributes:
        engine: Name of the engine, as ``dlib``.
        digest: SHA-256 (hex) over the embedder's files and its alignment.
        dimension: Numbers in an embedding.
    """

    engine: str
    digest: str
    dimension: int

    def __str__(self) -> str:
        return f"{self.engine}:{self.digest[:12]}/{self.dimension}"


@dataclass(frozen=True, slots=True)
class Match:
    """The decision on one probe.

    Attributes:
        outcome: RECOGNIZED, UNKNOWN or AMBIGUOUS.
        label: The best person's label in the gallery, also when the outcome is a refusal; -1 in an empty gallery.
        similarity: Cosine to the best template of that person, -1..1; -1 in an empty gallery.
        second_label: The label of the second-best person, -1 where there is none.
        margin: ``similarity`` minus the second-best person's; ``similarity`` + 1 where there is none.
    """

    outcome: Outcome
    label: int
    similarity: float
    second_label: int
    margin: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What a refusal rests on: a measure of the face, and the limit that it missed.

    Attributes:
        value: Of the measure that goes with the refusal; see :data:`smartabsen.kernel.domain.kiosk.MEASURES`.
        limit: What it needed, or the most it could have.
    """

    value: float
    limit: float


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the recogniser saw of one face: enough to decide, and to say why not.

    Attributes:
        face: Box and landmarks in the image that was given.
        quality: Its measures.
        refusal: Why it is not good enough to be compared, or None.
        embedding: float32 (D,), unit length; None where it was refused before embedding.
        measured: What the refusal rests on.
    """

    face: Face
    quality: Quality
    refusal: Outcome | None
    embedding: FloatArray | None
    measured: Measured | None = None
