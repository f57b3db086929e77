"""Movements that a person is asked for, and how an attempt went wrong."""

from __future__ import annotations

from enum import StrEnum


class LivenessAction(StrEnum):
    """What a person may be asked to do. Left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"


class LivenessPrompt(StrEnum):
    """What a person is told to do now; those of the actions have the actions' values."""

    SHOW_FACE = "show_face"
    MOVE_CLOSER = "move_closer"
    LOOK_STRAIGHT = "look_straight"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"


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
