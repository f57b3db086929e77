"""From what a model said of several frames to one decision: a person, a picture, or unsure.

The kiosk and the browser use the same function.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_


class PassiveDecision(Enum):
    """What the scores say together."""

    LIVE = "live"
    UNSURE = "unsure"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class PassiveLimits:
    """Probabilities that divide pictures from people.

    Attributes:
        unsure_from: Below is a picture.
        sure_from: From here on it is a person; equal to ``unsure_from`` where nobody is asked for a movement.
    """

    unsure_from: float
    sure_from: float

    def decide(self, probabilities: Sequence[float]) -> tuple[PassiveDecision, float]:
        """Return the decision on the frames of one person, and the score that it rests on: their median.

        The median, as one frame that is blurred or half covered by a hand says nothing about the others.

        Args:
            probabilities: Of a live person, 0..1, one for each frame.

        Raises:
            InvalidInputError: There is none.
        """
        if not probabilities:
            raise InvalidInputError(N_("A decision on liveness needs at least one frame."))
        score = statistics.median(probabilities)
        if score >= self.sure_from:
            return PassiveDecision.LIVE, score
        return (PassiveDecision.UNSURE if score >= self.unsure_from else PassiveDecision.PICTURE), score
