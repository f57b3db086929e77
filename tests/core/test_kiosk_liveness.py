"""Proof at the kiosk, with a scripted gallery and scripted frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from smartabsen.config import LivenessSettings
from smartabsen.core.kiosk_liveness import AGAIN_AFTER_S, KioskLiveness, LivenessAnswer
from smartabsen.core.liveness import Attempts, LivenessChecks
from smartabsen.domain import (
    Face,
    LandmarkScheme,
    LivenessAction,
    LivenessPrompt,
    Match,
    Observation,
    Outcome,
    Quality,
)
from smartabsen.errors import ModelMissingError
from smartabsen.recognition.liveness import challenge
from smartabsen.recognition.liveness.base import PassiveScore
from smartabsen.recognition.liveness.challenge import Challenge
from smartabsen.recognition.liveness.freshness import STILL_S, FreshnessWatch
from smartabsen.recognition.liveness.relief import FaceView, Relief

SITI = Match(Outcome.RECOGNIZED, 7, 0.9, -1, 1.9)
NOISE = np.random.default_rng(0)
AWAY = [0.0, 0.0, 0.0, 0.06, 0.12, 0.18, 0.24, 0.24, 0.18, 0.1, 0.04, 0.0, 0.0, 0.0]


def face(side: float = 0.0) -> Face:
    points = np.array([[-0.5, 0], [0.5, 0], [side, 0.6], [-0.4, 1], [0.4, 1]]) * 60 + [300, 200]
    return Face((240, 140, 360, 290), 1.0, points.astype(np.float32), LandmarkScheme.ARCFACE5)


def frame() -> np.ndarray:
    return NOISE.integers(0, 255, (480, 640, 3), dtype=np.uint8)


class Passive:
    """A model that says one thing."""

    name, digest, threshold = "scripted", "", 0.5

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def score(self, _image: Any, _face: Any) -> PassiveScore:
        return PassiveScore(self.probability)

    def close(self) -> None:
        """Nothing."""


class Bench:
    """A kiosk's side: one person at one place, frame after frame."""

    def __init__(
        self, require: str, *, probability: float | Exception = 0.9, who: int = 7, watch: FreshnessWatch | None = None
    ) -> None:
        self.prompts: list[LivenessPrompt] = []
        self.who = who
        self.failures: list[int] = []
        self.kept: list[float] = []
        self.slow: list[float] = []
        settings = LivenessSettings(require=require, attempts=2)

        def build() -> Any:
            if isinstance(probability, Exception):
                raise probability
            return Passive(probability)

        self.checks = LivenessChecks(settings, build)
        self.checks.draw = lambda **_: Challenge((LivenessAction.TURN_LEFT,))  # type: ignore[method-assign]
        self.liveness = KioskLiveness(
            self.checks,
            Attempts(settings, self),
            recognizer=self,  # type: ignore[arg-type]
            gallery=self,
            watch=watch,
            too_slow=lambda: self.slow.append(self.now_s),
            keep=lambda: self.kept.append(self.now_s),
            prompt=lambda _, prompt: self.prompts.append(prompt),
        )
        self.now_s = 0.0

    def hit(self, _key: str, **_: int) -> int:
        self.failures.append(1)
        return 0

    def wait_s(self, _key: str, **_: int) -> int:
        return 0

    def forget(self, _key: str) -> None:
        self.failures.clear()

    def examine(self, _image: Any, faces: Sequence[Face]) -> tuple[Observation, ...]:
        quality = Quality(100, 120, 200, 0, 1)
        return tuple(Observation(each, quality, None, np.ones(2, dtype=np.float32)) for each in faces)

    def match(self, probes: Sequence[Any]) -> tuple[Match, ...]:
        return tuple(Match(Outcome.RECOGNIZED, self.who, 0.9, -1, 1.9) for _ in probes)

    def play(
        self, sides: Sequence[float], *, image: np.ndarray | None = None, gap_s: float = 0.1
    ) -> list[LivenessAnswer]:
        answers = []
        for side in sides:
            self.now_s += gap_s
            picture = frame() if image is None else image
            answers += self.liveness.take(picture, {1: face(side)}, frozenset({1}), self.now_s)
        return answers


@pytest.fixture(autouse=True)
def head(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Half of a movement is parallax, as of a head."""
    given = {"share": 0.5}

    def compare(first: FaceView, second: FaceView) -> Relief:
        return Relief((given["share"] * (second.nose_xy[0] - first.nose_xy[0]), 0.0), 1.0)

    monkeypatch.setattr(challenge, "compare", compare)
    return given


def test_nothing_is_asked_where_nothing_is_demanded() -> None:
    """The answer comes with the next frame, without a score."""
    bench = Bench("off")
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play([0.0] * 5)
    assert (answer.verdict.refusal, answer.verdict.score) == (None, None)


@pytest.mark.parametrize(("probability", "refusal"), [(0.9, None), (0.1, Outcome.NOT_LIVE)])
def test_a_model_decides_after_a_few_frames(probability: float, refusal: Outcome | None) -> None:
    """Its mean is the score that is stored."""
    bench = Bench("passive", probability=probability)
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play([0.0] * 9)
    assert (answer.verdict.refusal, answer.verdict.score) == (refusal, pytest.approx(probability))


def test_a_model_that_is_missing_refuses_and_says_why() -> None:
    """It uses up no attempt: it is not the person's fault."""
    bench = Bench("passive", probability=ModelMissingError("There is no model."))
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play([0.0] * 9)
    assert answer.verdict.refusal is Outcome.LIVENESS_UNAVAILABLE
    assert str(answer.verdict.trouble) == "There is no model."
    assert bench.failures == []


def test_nobody_is_asked_to_move_where_the_model_is_missing() -> None:
    """With ``both`` the refusal comes with the first frame, and says why."""
    bench = Bench("both", probability=ModelMissingError("There is no model."))
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play([0.0] * 9)
    assert answer.verdict.refusal is Outcome.LIVENESS_UNAVAILABLE
    assert str(answer.verdict.trouble) == "There is no model."
    assert (bench.prompts, bench.failures) == ([], [])


def test_who_moves_as_asked_is_let_in() -> None:
    """They are told what to do, each thing once."""
    bench = Bench("active")
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play(AWAY)
    assert (answer.verdict.refusal, answer.verdict.score) == (None, 1.0)
    straight, left = LivenessPrompt.LOOK_STRAIGHT, LivenessPrompt.TURN_LEFT
    assert bench.prompts == [straight, left, straight]
    assert bench.liveness.find_prompt(1) is None


def test_both_need_both() -> None:
    """A movement before a model that doubts it is not enough."""
    bench = Bench("both", probability=0.2)
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play(AWAY)
    assert answer.verdict.refusal is Outcome.NOT_LIVE


def test_somebody_else_at_the_end_is_refused() -> None:
    """Who moves must be who was recognised."""
    bench = Bench("active", who=8)
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play(AWAY)
    assert answer.verdict.refusal is Outcome.NOT_LIVE


def test_a_few_failures_then_a_pause() -> None:
    """Who is refused and stays is asked again; not for ever."""
    bench = Bench("active")
    bench.liveness.begin(1, SITI)
    wrong = [-side for side in AWAY] + [0.0] * round(AGAIN_AFTER_S * 10)
    outcomes = [answer.verdict.refusal for answer in bench.play(wrong * 4)]
    assert outcomes == [Outcome.CHALLENGE_FAILED, Outcome.CHALLENGE_FAILED, Outcome.TOO_MANY_ATTEMPTS]


def test_who_leaves_in_the_middle_has_used_an_attempt() -> None:
    """A picture that is taken away is not a free try."""
    bench = Bench("active")
    bench.liveness.begin(1, SITI)
    bench.play([0.0] * 6)
    bench.liveness.take(frame(), {}, frozenset(), bench.now_s + 0.1)
    assert bench.failures == [1]


def test_a_still_picture_records_nobody_from_the_first_frame_on() -> None:
    """Whatever is demanded; it is told once. Of a recording, which is a test source, nothing is watched."""
    still = frame()
    watched = Bench("off", watch=FreshnessWatch(proving_s=0.0))
    watched.liveness.begin(1, SITI)
    answers = watched.play([0.0] * int(30 * STILL_S), image=still)
    assert [answer.verdict.refusal for answer in answers] == [Outcome.NOT_A_CAMERA]
    recording = Bench("off")
    recording.liveness.begin(1, SITI)
    (answer,) = recording.play([0.0], image=still)
    assert answer.verdict.refusal is None


def test_who_stood_still_for_long_and_moves_after_all_is_recorded() -> None:
    """A live person is never refused for good; what was seen is written down before the punch."""
    bench = Bench("off", watch=FreshnessWatch(proving_s=0.0))
    scene = cv2.GaussianBlur(frame(), (0, 0), 8)
    bench.liveness.begin(1, SITI)
    refused = bench.play([0.0] * int(11 * STILL_S), image=scene)
    moved = [answer for step in range(12) for answer in bench.play([0.0], image=np.roll(scene, step, axis=1))]
    assert [answer.verdict.refusal for answer in (*refused, *moved)] == [Outcome.NOT_A_CAMERA, None]
    assert bench.kept[-1] <= bench.now_s and len(bench.kept) == 2


def test_too_few_frames_record_nobody_and_are_told_once() -> None:
    """Whether they repeat themselves cannot be seen; somebody must know why the kiosk does nothing."""
    bench = Bench("off", watch=FreshnessWatch())
    bench.liveness.begin(1, SITI)
    answers = bench.play([0.0] * 30, gap_s=0.8)
    assert all(answer.verdict.refusal is not None for answer in answers)
    assert len(bench.slow) == 1


def test_with_another_engine_the_proof_begins_anew() -> None:
    """A face at the beginning of a movement cannot be compared with one at its end that another engine embedded."""
    bench, other = Bench("active"), Bench("active")
    bench.liveness.begin(1, SITI)
    assert bench.play(AWAY[:1]) == [] and bench.liveness.waits

    bench.liveness.take_over(other, other)  # type: ignore[arg-type]

    assert not bench.liveness.waits and bench.liveness.find_prompt(1) is None
    assert bench.play(AWAY) == []
