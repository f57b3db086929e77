"""Alignment: landmarks to a canonical crop by a similarity transform (rotation, uniform scale, shift).

The transform is the least-squares one of Umeyama, "Least-squares estimation of transformation parameters between
two point patterns", IEEE TPAMI 13(4), 1991.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlignmentTemplate:
    """Where landmarks go in an aligned crop.

    Attributes:
        name: Part of a template's model identity.
        size: Width and height of the crop in pixels.
        arcface5_xy: Target of the five ARCFACE5 landmarks.
        dlib5_xy: Target of the five DLIB5 landmarks.
    """

    name: str
    size: int
    arcface5_xy: tuple[tuple[float, float], ...]
    dlib5_xy: tuple[tuple[float, float], ...]
