"""From an image to observations: detect, align, measure, judge, embed. Who it is, is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from ..kernel.domain import Face, ImageBGR, Observation
from .alignment import align, first_of
from .detectors.base import Detector
from .embedders.base import Embedder
from .quality import QualityLimits, find_measured, judge, measure_quality


class Recognizer:
    """A detector and an embedder that belong together, and what a face must be like to be compared.

    It is used by one thread at a time, like its parts; it does not own them: who made them closes them.

    Args:
        detector: Finds faces.
        embedder: Turns aligned faces into embeddings.
        limits: Faces outside them are refused before they are embedded.
    """

    def __init__(self, detector: Detector, embedder: Embedder, *, limits: QualityLimits) -> None:
        self.detector = detector
        self.embedder = embedder
        self.limits = limits

    def observe(self, image_bgr: ImageBGR) -> tuple[Observation, ...]:
        """Find all faces of an image and embed the good ones, the largest first.

        Args:
            image_bgr: uint8 (H, W, 3).

        Raises:
            InvalidInputError: The array has another shape or type.
            ModelError: A model failed.
        """
        return self.examine(image_bgr, self.find(image_bgr))

    def find(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        """Find the faces of an image, the largest first: the cheap half of :meth:`observe`."""
        return self.detector.detect(image_bgr)

    def examine(self, image_bgr: ImageBGR, faces: Sequence[Face]) -> tuple[Observation, ...]:
        """Judge faces of an image and embed the good ones in one batch: the costly half of :meth:`observe`.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: Some of those that were found in it.

        Returns:
            One observation for each face, in their order.
        """
        return self.examine_each([(image_bgr, face) for face in faces])

    def examine_each(self, shown: Sequence[tuple[ImageBGR, Face]]) -> tuple[Observation, ...]:
        """Judge faces of several images, each with its own, as :meth:`examine`; the good ones are one batch."""
        template = self.embedder.template
        faces = [face for _, face in shown]
        crops = [align(image_bgr, face, template) for image_bgr, face in shown]
        qualities = [measure_quality(face, *first_of(crop, template)) for face, crop in zip(faces, crops, strict=True)]
        refusals = [judge(quality, self.limits) for quality in qualities]
        good = [crop for crop, refusal in zip(crops, refusals, strict=True) if refusal is None]
        embeddings = iter(self.embedder.embed(good)) if good else iter(())
        return tuple(
            Observation(face, quality, None, next(embeddings))
            if refusal is None
            else Observation(face, quality, refusal, None, find_measured(refusal, quality, self.limits))
            for face, quality, refusal in zip(faces, qualities, refusals, strict=True)
        )
