"""Movements that a person is asked for, and how an attempt went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LivenessAction(StrEnum):
    """What a person may be asked to do. Left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"


class LivenessPrompt(StrEnum):
    """What a person is told to do now; those of the actions have the actions' values."""

    WAIT = "wait"
    """Somebody else is being asked."""
    SHOW_FACE = "show_face"
    MOVE_CLOSER = "move_closer"
    LOOK_STRAIGHT = "look_straight"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"


class MovementStage(StrEnum):
    """How far somebody has come with what they were asked for; told while it happens."""

    ASKED = "asked"
    NOTICED = "noticed"
    FURTHER = "further"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class MovementRequest:
    """What one person is being asked now.

    Attributes:
        prompt: What to do.
        step: Number of the movement, from 1.
        steps: How many there are.
        stage: How far it is.
        progress: The same as a share, 0..1.
    """

    prompt: LivenessPrompt
    step: int = 1
    steps: int = 1
    stage: MovementStage = MovementStage.ASKED
    progress: float = 0.0


class ChallengeFailure(StrEnum):
    """Why a challenge was not met."""

    TIME_OUT = "time_out"
    FACE_LOST = "face_lost"
    WRONG_WAY = "wrong_way"
    TOO_FAST = "too_fast"
    """Between two pictures too much changed for one movement: somebody in a hurry, or a cut."""
    FLAT = "flat"
    """The face seemed to turn as asked, but its nose did not stand out: a picture."""
    OTHER_PERSON = "other_person"
    """Who met the challenge is not who began it."""
