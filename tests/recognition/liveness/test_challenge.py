"""A movement on request: who passes, and who does not, with scripted noses instead of pictures."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from smartabsen.kernel.domain import ChallengeFailure, Face, LandmarkScheme, LivenessAction, LivenessPrompt
from smartabsen.kernel.errors import InvalidInputError
from smartabsen.recognition.liveness import challenge
from smartabsen.recognition.liveness.challenge import Challenge, ChallengeJudge, ChallengeState, draw_challenge
from smartabsen.recognition.liveness.relief import FaceView, Relief

IMAGE = np.zeros((480, 640, 3), dtype=np.uint8)
LEFT, RIGHT, UP, CLOSER = LivenessAction
PERIOD_S = 0.1

AWAY = [0.0, 0.0, 0.0, 0.06, 0.12, 0.18, 0.24, 0.24, 0.18, 0.1, 0.04, 0.0, 0.0, 0.0]
"""How far the nose is to the side, in eye distances: from the front, away, and back."""


def face(side: float = 0.0, up: float = 0.0, *, eye_px: float = 60.0, x: float = 300.0) -> Face:
    """A face whose nose is so far to the right of the image and so far up, in eye distances."""
    points = np.array([[-0.5, 0], [0.5, 0], [side, 0.6 - up], [-0.4, 1], [0.4, 1]]) * eye_px + [x, 200]
    box = (x - eye_px, 200 - eye_px, x + eye_px, 200 + 1.5 * eye_px)
    return Face(box, 1.0, points.astype(np.float32), LandmarkScheme.ARCFACE5)


@pytest.fixture(autouse=True)
def depth(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Let the parallax be a share of the movement: half for a head, nothing for a picture."""
    given = {"share": 0.5, "consistency": 1.0}

    def compare(first: FaceView, second: FaceView) -> Relief:
        x, y = second.nose_xy[0] - first.nose_xy[0], second.nose_xy[1] - first.nose_xy[1]
        return Relief((given["share"] * x, given["share"] * y), given["consistency"])

    monkeypatch.setattr(challenge, "compare", compare)
    return given


def play(faces: Sequence[Face | None], *actions: LivenessAction, **kwargs: float) -> ChallengeState:
    judge = ChallengeJudge(Challenge(actions), **kwargs)  # type: ignore[arg-type]
    for number, each in enumerate(faces):
        judge.add(IMAGE, each, number * PERIOD_S)
    return judge.state


def test_who_does_what_is_asked_passes() -> None:
    """The person's left is the right of the image; each movement ends with a look straight ahead."""
    assert play([face(side) for side in AWAY], LEFT).passed
    assert play([face(-side) for side in AWAY], RIGHT).passed
    assert play([face(0.0, side) for side in AWAY], UP).passed


def test_several_movements_in_their_order() -> None:
    """Each from the front; the other order is the wrong way."""
    film = [face(side) for side in AWAY] + [face(0.0, side) for side in AWAY]
    assert play(film, LEFT, UP).passed
    assert not play(film, UP, LEFT).passed


def test_the_other_way_fails() -> None:
    """Who turns both ways would pass any challenge."""
    assert play([face(-side) for side in AWAY], LEFT).failure is ChallengeFailure.WRONG_WAY
    assert play([face(2 * side) for side in AWAY], UP).failure is ChallengeFailure.WRONG_WAY


def test_mirrored_frames_exchange_left_and_right() -> None:
    """As some cameras give them."""
    assert play([face(-side) for side in AWAY], LEFT, mirrored=True).passed


def test_a_picture_that_seems_to_turn_is_flat(depth: dict[str, float]) -> None:
    """Its landmarks move as asked, its nose does not stand out."""
    depth["share"] = 0.1
    film = [face(side) for side in AWAY] + [face()] * 100
    assert play(film, LEFT).failure is ChallengeFailure.FLAT


def test_a_cut_between_two_pictures_is_no_movement(depth: dict[str, float]) -> None:
    """From the front to the side from one frame to the next, or with nothing in common."""
    cut = [0.0] * 4 + [0.25] * 6 + [0.0] * 100
    assert not play([face(side) for side in cut], LEFT).passed
    depth["consistency"] = 0.3
    assert not play([face(side) for side in [*AWAY, *[0.0] * 100]], LEFT).passed


def test_it_begins_with_a_look_straight_ahead() -> None:
    """Who comes turned is told to look straight first."""
    assert play([face(0.3)] * 5, LEFT).prompt is LivenessPrompt.LOOK_STRAIGHT
    assert play([face()] * 5, LEFT).prompt is LivenessPrompt.TURN_LEFT


def test_coming_closer_means_growing_little_by_little() -> None:
    """A jump in size is another face."""
    grow = [60.0] * 4 + [60.0 * 1.06**number for number in range(7)] + [84.0] * 4
    assert play([face(eye_px=size) for size in grow], CLOSER).passed
    assert play([face(eye_px=size) for size in [60.0] * 4 + [85.0] * 4], CLOSER).failure is ChallengeFailure.TOO_FAST


def test_a_face_too_far_away_is_asked_to_come_closer() -> None:
    """Its nose is too small to be measured."""
    assert play([face(eye_px=20.0)] * 5, LEFT).prompt is LivenessPrompt.MOVE_CLOSER
    assert play([None] * 5, LEFT).prompt is LivenessPrompt.SHOW_FACE


def test_a_face_that_was_away_may_be_another_one() -> None:
    """So may one at another place."""
    assert play([face()] * 4 + [None] * 12, LEFT).failure is ChallengeFailure.FACE_LOST
    assert play([face()] * 4 + [face(x=560.0)], LEFT).failure is ChallengeFailure.FACE_LOST


def test_time_runs_out() -> None:
    """For each movement alone."""
    assert play([face()] * 60, LEFT, action_timeout_s=3.0).failure is ChallengeFailure.TIME_OUT
    slow = [face(side) for side in AWAY for _ in (0, 1)]
    assert play(slow + slow, LEFT, LEFT, action_timeout_s=4.0).passed


def test_both_ends_are_kept_for_a_comparison() -> None:
    """The first and the last look straight ahead."""
    judge = ChallengeJudge(Challenge((LEFT,)))
    film = [face(side) for side in AWAY]
    for number, each in enumerate(film):
        judge.add(IMAGE, each, number * PERIOD_S)
    assert judge.first is not None and judge.last is not None
    assert judge.first.face is film[1]
    assert any(judge.last.face is each for each in film[9:])


def test_challenges_are_drawn_afresh_and_never_prove_nothing() -> None:
    """All orders come up; none is of coming closer alone, none asks the same twice in a row."""
    choose = random.Random(1)
    drawn = {draw_challenge(actions=2, choose=choose).actions for _ in range(500)}
    assert len(drawn) == 12
    assert {draw_challenge(actions=1, choose=choose).actions for _ in range(100)} == {(LEFT,), (RIGHT,), (UP,)}
    assert all(first != CLOSER or first != second for first, second in drawn)


def test_what_somebody_cannot_do_is_not_asked() -> None:
    """As long as something is left that shows relief."""
    choose = random.Random(1)
    drawn = {draw_challenge(without=frozenset({UP, CLOSER}), choose=choose).actions for _ in range(50)}
    assert drawn == {(LEFT, RIGHT), (RIGHT, LEFT)}
    with pytest.raises(InvalidInputError, match="No movement is left"):
        draw_challenge(without=frozenset({LEFT, RIGHT, UP}))


def test_no_single_step_is_enough(depth: dict[str, float]) -> None:
    """From one photo to another that is a little different, all of the movement is in one step."""
    depth["share"] = 1.0
    cut = [0.0] * 4 + [0.1] * 6 + [0.0] * 4
    slow = [0.0] * 4 + [0.03, 0.06, 0.1, 0.1, 0.05] + [0.0] * 4
    assert not play([face(0.0, up) for up in cut], UP).passed
    assert play([face(0.0, up) for up in slow], UP).passed
