"""Who is recognised in none or few of their own photos, and why: at a door these people will be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..kernel.domain import Employee, MixedPerson, Quality, WeakPerson, WeakReason
from ..recognition.leave_one_out import LabelAccuracy, LeaveOneOutResult

FEW: Final = 0.5
"""Who is recognised in a smaller share of the photos is named."""
FEW_PHOTOS: Final = 2
"""With so many each photo is measured by one other."""


def find_weak(
    tried: LeaveOneOutResult,
    people: dict[int, Employee],
    mixed: tuple[MixedPerson, ...],
    *,
    probe_sharpness: float,
    qualities: Callable[[int], list[Quality]],
) -> tuple[WeakPerson, ...]:
    """Name who is recognised in fewer than half of their photos, the fewest first.

    Args:
        tried: Each photo against the others, at the threshold and margin that come into use.
        people: By row id.
        mixed: Whose photos perhaps show two persons.
        probe_sharpness: Sharpness that a face at a kiosk needs.
        qualities: Returns the measures of somebody's photos; asked for those who are named only.
    """
    several = {one.employee.id for one in mixed}
    found = []
    for one in tried.people:
        if one.recognised >= FEW * one.tried:
            continue
        reasons = list(_reasons(one, mixed=one.label in several))
        blurred = [quality.sharpness < probe_sharpness for quality in qualities(one.label)]
        if 2 * sum(blurred) > len(blurred):
            reasons.append(WeakReason.BLURRED)
        if one.tried <= FEW_PHOTOS:
            reasons.append(WeakReason.FEW_PHOTOS)
        resembles = people[one.resembles] if WeakReason.LOOK_ALIKE in reasons else None
        ordered = tuple(reasons) or (WeakReason.UNLIKE,)
        found.append(WeakPerson(people[one.label], one.tried, one.recognised, ordered, resembles))
    return tuple(sorted(found, key=lambda weak: (weak.recognised / weak.tried, weak.employee.code)))


def _reasons(one: LabelAccuracy, *, mixed: bool) -> list[WeakReason]:
    reasons = [WeakReason.MIXED] if mixed else []
    if 2 * one.resembling >= one.tried - one.recognised:
        reasons.append(WeakReason.LOOK_ALIKE)
    return reasons
