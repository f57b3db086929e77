"""A movement that is asked for, different each time, and whether a head made it.

A challenge is a list of actions. Each begins and ends with a look straight at the camera, so that what is measured is
one movement from the front. The direction must be the one that was asked for; on the way, the nose must stand out from
the cheeks as :mod:`.relief` measures it, which no photo does, however it is moved, turned or bent. Coming closer proves
no relief, as any photo can do it: it only makes a film of the right movements harder to prepare, and is never asked
alone.

What this does not stop: a film that shows the right person doing the right things in the right order, on a screen
(there are few orders, so passive liveness belongs beside it), and a mask with a nose.

Blinking is not asked for: five landmarks do not see it.

Pure: frames and their times come in, nothing is read.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from ...kernel.domain import (
    ChallengeFailure,
    Face,
    ImageBGR,
    LivenessAction,
    LivenessPrompt,
    MovementRequest,
    MovementStage,
)
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ..tracking import iou
from .relief import FaceView, compare, view_face

MIN_EYE_PX: Final = 36.0
"""Distance of the eyes below which the nose is too small to be measured: a face of some 90 pixels."""
FRONTAL: Final = 0.12
"""How far the nose may be beside the middle of the eyes in a look straight ahead, in eye distances: 13 degrees."""
FRONTAL_FRAMES: Final = 2
NEEDED: Final = {LivenessAction.TURN_LEFT: 0.18, LivenessAction.TURN_RIGHT: 0.18, LivenessAction.LOOK_UP: 0.03}
"""How far the nose must move against the eyes: some 20 degrees to a side. Upwards detectors differ, and see less."""
RELIEF: Final = 0.06
"""How far the nose must move against the cheeks; see ``bench/liveness.py`` for what heads and prints reach."""
MAX_RELIEF: Final = 0.045
"""What one step may add to that."""
STEPS: Final = {LivenessAction.TURN_LEFT: 0.05, LivenessAction.TURN_RIGHT: 0.05, LivenessAction.LOOK_UP: 0.025}
"""The movement is measured in steps of at least so much, each between two frames."""
STEP_FRAMES: Final = 3
"""Upwards, while the face moves on, a step is made of no more frames: some detectors hardly see that a head rises."""
MAX_STEP: Final = 0.15
"""Where two frames in a row differ by more, what was between them was not seen."""
MIN_CONSISTENCY: Final = 0.6
WRONG_WAY: Final = 0.15
WRONG_FRAMES: Final = 2
"""In so many frames in a row the nose must have gone the other way: landmarks jump now and then."""
CLOSER: Final = 1.3
"""Growth of the face when somebody comes closer."""
MAX_GROWTH: Final = 1.2
"""Growth from one frame to the next."""
BACK: Final = 0.06
"""In front again, the nose is so near to where it was; at rest, it moves by no more from frame to frame."""
NOTICED: Final = 0.25
"""A movement that has come so far is told to be seen."""
FAR: Final = 0.6
"""From here on the person is told to go on."""
MAX_GAP_S: Final = 0.8
"""A face that is not seen for longer may be another one."""

RELIEF_ACTIONS: Final = (LivenessAction.TURN_LEFT, LivenessAction.TURN_RIGHT, LivenessAction.LOOK_UP)
_DIRECTIONS: Final = {
    LivenessAction.TURN_LEFT: (1.0, 0.0),
    LivenessAction.TURN_RIGHT: (-1.0, 0.0),
    LivenessAction.LOOK_UP: (0.0, -1.0),
}
"""Where the nose goes in a picture that is not mirrored."""


@dataclass(frozen=True, slots=True)
class Posture:
    """How a head is held: what a movement is measured by.

    Attributes:
        nose_xy: As of :class:`.relief.FaceView`.
        eye_px: Distance of the eyes.
    """

    nose_xy: tuple[float, float]
    eye_px: float

    @property
    def straight(self) -> bool:
        """Whether it looks ahead."""
        return abs(self.nose_xy[0]) <= FRONTAL

    def is_back(self, start: Posture) -> bool:
        """Whether it is where a movement began."""
        return all(abs(now - before) <= BACK for now, before in zip(self.nose_xy, start.nose_xy, strict=True))

    def progress(self, start: Posture, action: LivenessAction, *, mirrored: bool = False) -> float:
        """Return how far a movement has come since ``start``, as a share of what is needed, 0..1."""
        if action not in _DIRECTIONS:
            share = (self.eye_px / start.eye_px - 1.0) / (CLOSER - 1.0)
        else:
            x, y = _DIRECTIONS[action]
            right, down = self.nose_xy[0] - start.nose_xy[0], self.nose_xy[1] - start.nose_xy[1]
            share = ((-x if mirrored else x) * right + y * down) / NEEDED[action]
        return min(1.0, max(0.0, share))


def posture_of(image_bgr: ImageBGR, face: Face) -> Posture | None:
    """Return how a head is held; None where its eyes are too near to each other to be measured."""
    view = view_face(image_bgr, face)
    return None if view is None or view.eye_px < MIN_EYE_PX else Posture(view.nose_xy, view.eye_px)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked for, in this order."""

    actions: tuple[LivenessAction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A frame with the face in it."""

    image_bgr: ImageBGR
    face: Face


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """Where a challenge stands after a frame.

    Attributes:
        prompt: What the person is told; None when it is over.
        done: Number of actions that were done.
        passed: Whether it was met.
        failure: Why it failed, or None.
        progress: How far the movement that is asked for has come, 0..1.
    """

    prompt: LivenessPrompt | None
    done: int = 0
    passed: bool = False
    failure: ChallengeFailure | None = None
    progress: float = 0.0

    @property
    def over(self) -> bool:
        """Whether no further frame changes anything."""
        return self.passed or self.failure is not None


def stage_of(progress: float) -> MovementStage:
    """Return what a person is told about a movement that has come so far, 0..1."""
    if progress >= FAR:
        return MovementStage.FURTHER
    return MovementStage.NOTICED if progress >= NOTICED else MovementStage.ASKED


def draw_challenge(
    *,
    actions: int = 2,
    without: frozenset[LivenessAction] = frozenset(),
    choose: random.Random | None = None,
) -> Challenge:
    """Draw a challenge that nobody can foresee.

    Args:
        actions: How many; no two in a row are the same, and at least one of them shows relief.
        without: What somebody cannot do.
        choose: Where chance comes from; the operating system's by default.

    Raises:
        InvalidInputError: Nothing that shows relief is left, or too few actions.
    """
    choose = choose or random.SystemRandom()
    allowed = [action for action in LivenessAction if action not in without]
    firm = [action for action in allowed if action in RELIEF_ACTIONS]
    if not firm or actions < 1 or (actions > 1 and len(allowed) < 2):
        raise InvalidInputError(N_("No movement is left that could be asked for."))
    while True:
        drawn = [choose.choice(firm if actions == 1 else allowed)]
        while len(drawn) < actions:
            drawn.append(choose.choice([action for action in allowed if action is not drawn[-1]]))
        if any(action in RELIEF_ACTIONS for action in drawn):
            return Challenge(tuple(drawn))


class ChallengeJudge:
    """Follows one face through one challenge, frame by frame.

    Args:
        challenge: What is asked for.
        mirrored: Whether the frames are mirrored, as some cameras give them.
        action_timeout_s: Time for each action, the look straight before it included.
    """

    def __init__(self, challenge: Challenge, *, mirrored: bool = False, action_timeout_s: float = 10.0) -> None:
        self.challenge = challenge
        self._mirrored = mirrored
        self._action_timeout_s = action_timeout_s
        self._state = ChallengeState(LivenessPrompt.LOOK_STRAIGHT)
        self._step: _Movement | _Approach | None = None
        self._frontal: list[FaceView] = []
        self._straight: FaceView | None = None
        self._start: Posture | None = None
        self._last: tuple[Face, float] | None = None
        self._stage_began_s: float | None = None
        self.first: Sight | None = None
        """The look straight ahead with which it began."""
        self.last: Sight | None = None
        """The one with which it ended."""

    @property
    def state(self) -> ChallengeState:
        """Where it stands."""
        return self._state

    @property
    def request(self) -> MovementRequest | None:
        """What the person is being asked now; None when it is over."""
        state, steps = self._state, len(self.challenge.actions)
        if state.prompt is None:
            return None
        if self._step is not None:
            stage = stage_of(state.progress)
            return MovementRequest(state.prompt, state.done + 1, steps, stage, state.progress)
        if state.done and state.prompt is LivenessPrompt.LOOK_STRAIGHT:
            return MovementRequest(state.prompt, state.done, steps, MovementStage.DONE, 1.0)
        return MovementRequest(state.prompt, min(state.done + 1, steps), steps)

    def add(self, image_bgr: ImageBGR, face: Face | None, at_s: float) -> ChallengeState:
        """Take a frame.

        Args:
            image_bgr: uint8 (H, W, 3).
            face: The face of the person who is asked; None where it was not found.
            at_s: Time of capture; must not run backwards.
        """
        if self._state.over:
            return self._state
        if self._stage_began_s is None:
            self._stage_began_s = at_s
        if at_s - self._stage_began_s > self._action_timeout_s:
            flat = isinstance(self._step, _Movement) and self._step.turned
            return self._fail(ChallengeFailure.FLAT if flat else ChallengeFailure.TIME_OUT)
        view = None if face is None else view_face(image_bgr, face)
        if face is None or view is None:
            return self._miss(at_s, LivenessPrompt.SHOW_FACE)
        if view.eye_px < MIN_EYE_PX:
            return self._miss(at_s, LivenessPrompt.MOVE_CLOSER)
        if self._has_jumped(face, at_s):
            return self._fail(ChallengeFailure.FACE_LOST)
        self._last = (face, at_s)
        return self._look(view, Sight(image_bgr, face), at_s)

    def _look(self, view: FaceView, sight: Sight, at_s: float) -> ChallengeState:
        if self._step is not None:
            verdict = self._step.add(view)
            if isinstance(verdict, ChallengeFailure):
                return self._fail(verdict)
            if verdict:
                self._step, self._frontal = None, []
                self._state = ChallengeState(LivenessPrompt.LOOK_STRAIGHT, self._state.done + 1)
            else:
                self._state = replace(self._state, progress=self._progress(view))
            return self._state
        self._frontal = [*self._frontal, view] if self._is_straight(view) else []
        self._state = ChallengeState(LivenessPrompt.LOOK_STRAIGHT, self._state.done)
        if len(self._frontal) >= FRONTAL_FRAMES:
            self._begin_next(view, sight, at_s)
        return self._state

    def _progress(self, view: FaceView) -> float:
        assert self._start is not None
        action = self.challenge.actions[self._state.done]
        return Posture(view.nose_xy, view.eye_px).progress(self._start, action, mirrored=self._mirrored)

    def _begin_next(self, view: FaceView, sight: Sight, at_s: float) -> None:
        """Somebody looks straight ahead: the next action begins here, or the challenge ends."""
        done = self._state.done
        if self.first is None:
            self.first = sight
        if done == len(self.challenge.actions):
            self.last = sight
            self._state = ChallengeState(None, done, passed=True)
            return
        action = self.challenge.actions[done]
        self._straight = self._straight or view
        self._stage_began_s = at_s
        self._start = Posture(view.nose_xy, view.eye_px)
        self._step = _Approach(view) if action not in _DIRECTIONS else _Movement(view, action, mirrored=self._mirrored)
        self._state = ChallengeState(LivenessPrompt(action.value), done)

    def _is_straight(self, view: FaceView) -> bool:
        """Tell whether a face looks ahead and has come to rest: a movement is measured from there."""
        x, y = view.nose_xy
        before = self._frontal[-1].nose_xy if self._frontal else (x, y)
        at_rest = max(abs(x - before[0]), abs(y - before[1])) <= BACK
        if self._straight is None:
            return at_rest and abs(x) <= FRONTAL
        first_x, first_y = self._straight.nose_xy
        return at_rest and abs(x - first_x) <= BACK and abs(y - first_y) <= BACK

    def _miss(self, at_s: float, prompt: LivenessPrompt) -> ChallengeState:
        self._frontal = []
        if self.first is not None and self._last is not None and at_s - self._last[1] > MAX_GAP_S:
            return self._fail(ChallengeFailure.FACE_LOST)
        if self._step is None:
            self._state = ChallengeState(prompt, self._state.done)
        return self._state

    def _has_jumped(self, face: Face, at_s: float) -> bool:
        if self._last is None or self.first is None:
            return False
        before, before_s = self._last
        return at_s - before_s > MAX_GAP_S or iou(before.box_xyxy, face.box_xyxy) < 0.1

    def _fail(self, failure: ChallengeFailure) -> ChallengeState:
        self._state = ChallengeState(None, self._state.done, failure=failure)
        return self._state


class _Movement:
    """A turn to one side or upwards, from a look straight ahead."""

    def __init__(self, straight: FaceView, action: LivenessAction, *, mirrored: bool) -> None:
        x, y = _DIRECTIONS[action]
        self._direction = (-x if mirrored else x, y)
        self._needed, self._step = NEEDED[action], STEPS[action]
        self._straight = self._key = self._before = straight
        self._progress = self._relief = self._most = self._seen = 0.0
        self._void = False
        self._wrong_frames = self._step_frames = 0

    @property
    def turned(self) -> bool:
        """Whether the face has turned far enough, whatever it is made of."""
        return self._seen >= self._needed

    def add(self, view: FaceView) -> bool | ChallengeFailure:
        """Take a view; tell whether the movement is complete, or why it cannot be any more."""
        progress, aside = self._measure(view, self._straight)
        step, _ = self._measure(view, self._before)
        self._before = view
        wrong = progress <= -WRONG_WAY or (self._direction[0] == 0.0 and abs(aside) >= 2 * WRONG_WAY)
        self._wrong_frames = self._wrong_frames + 1 if wrong else 0
        if self._wrong_frames >= WRONG_FRAMES:
            return ChallengeFailure.WRONG_WAY
        if abs(step) > MAX_STEP:
            # Two landmarks that jump make a step as well; the movement may be made once more, slower.
            self._void = True
        self._seen = max(self._seen, progress)
        if progress <= self._step / 2:
            # At the front again: a new movement, with nothing kept of the last one.
            self._key, self._progress, self._step_frames = view, progress, 0
            self._relief, self._most, self._void = 0.0, 0.0, False
            return False
        self._step_frames += 1
        grown = progress - self._progress
        late = self._direction[0] == 0.0 and self._step_frames >= STEP_FRAMES and grown > 0.0
        if not self._void and (late or grown >= self._step):
            self._take_step(view, progress)
        return progress >= self._needed and self._most >= RELIEF and not self._void

    def _take_step(self, view: FaceView, progress: float) -> None:
        relief = compare(self._key, view)
        along = relief.nose_xy[0] * self._direction[0] + relief.nose_xy[1] * self._direction[1]
        if relief.consistency < MIN_CONSISTENCY:
            self._void = True
        # No single step is enough: from one photo to another it is a step, too.
        self._relief += max(-MAX_RELIEF, min(MAX_RELIEF, along))
        self._most = max(self._most, self._relief)
        self._key, self._progress, self._step_frames = view, progress, 0

    def _measure(self, view: FaceView, before: FaceView) -> tuple[float, float]:
        """Return how far the nose has moved in the direction that was asked for, and across it."""
        x, y = view.nose_xy[0] - before.nose_xy[0], view.nose_xy[1] - before.nose_xy[1]
        return x * self._direction[0] + y * self._direction[1], x * self._direction[1] + y * self._direction[0]


class _Approach:
    """Somebody comes closer."""

    def __init__(self, straight: FaceView) -> None:
        self._start_px = self._before_px = straight.eye_px

    def add(self, view: FaceView) -> bool | ChallengeFailure:
        """Take a view; tell whether the face has grown enough, little by little."""
        growth, self._before_px = view.eye_px / self._before_px, view.eye_px
        if growth > MAX_GROWTH:
            return ChallengeFailure.TOO_FAST
        return view.eye_px >= CLOSER * self._start_px
