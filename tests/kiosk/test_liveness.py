"""Proof at the kiosk, with a scripted gallery and scripted frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from smartabsen.config import LivenessSettings
from smartabsen.gallery.liveness import Attempts, LivenessChecks
from smartabsen.kernel.domain import (
    Face,
    LandmarkScheme,
    LivenessAction,
    LivenessPrompt,
    Match,
    MovementStage,
    Observation,
    Outcome,
    Quality,
)
from smartabsen.kernel.errors import ModelMissingError
from smartabsen.kiosk.liveness import AGAIN_AFTER_S, PASSIVE_FRAMES, KioskLiveness, LivenessAnswer, LivenessAsk, Look
from smartabsen.recognition.liveness import challenge
from smartabsen.recognition.liveness.base import PassiveScore
from smartabsen.recognition.liveness.challenge import Challenge, Sight
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

    name, digest, threshold, unsure_from, sure_from = "scripted", "", 0.5, 0.4, 0.7

    def __init__(self, *probabilities: float) -> None:
        self.probabilities = probabilities
        self.asked = 0

    def score(self, _image: Any, _face: Any) -> PassiveScore:
        self.asked += 1
        return PassiveScore(self.probabilities[min(self.asked, len(self.probabilities)) - 1])

    def close(self) -> None:
        """Nothing."""


class Bench:
    """A kiosk's side: one person at one place, frame after frame."""

    def __init__(
        self,
        require: str,
        *,
        probability: float | Exception | tuple[float, ...] = 0.9,
        who: int = 7,
        watch: FreshnessWatch | None = None,
        installed: bool = True,
    ) -> None:
        self.who = who
        self.told: list[LivenessAsk] = []
        self.failures: list[int] = []
        self.kept: list[float] = []
        self.slow: list[float] = []
        settings = LivenessSettings(require=require, attempts=2)

        def build() -> Any:
            if isinstance(probability, Exception):
                raise probability
            return Passive(*(probability if isinstance(probability, tuple) else (probability,)))

        self.checks = LivenessChecks(settings, build, is_installed=lambda: installed)
        self.checks.draw = lambda **_: Challenge((LivenessAction.TURN_LEFT,))  # type: ignore[method-assign]
        self.liveness = KioskLiveness(
            self.checks,
            Attempts(settings, self),
            recognizer=self,  # type: ignore[arg-type]
            gallery=self,
            watch=watch,
            too_slow=lambda: self.slow.append(self.now_s),
            keep=lambda: self.kept.append(self.now_s),
        )
        self.now_s = 0.0

    @property
    def prompts(self) -> list[LivenessPrompt]:
        """What was asked, stages left out."""
        told = [ask.request.prompt for ask in self.told]
        return [each for number, each in enumerate(told) if number == 0 or told[number - 1] is not each]

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

    def looks(self, count: int = PASSIVE_FRAMES) -> list[Look]:
        """Looks at frames that voted."""
        return [self.liveness.look(Sight(frame(), face())) for _ in range(count)]

    def play(
        self, sides: Sequence[float], *, image: np.ndarray | None = None, gap_s: float = 0.1
    ) -> list[LivenessAnswer]:
        answers = []
        for side in sides:
            self.now_s += gap_s
            picture = frame() if image is None else image
            answers += self.liveness.take(picture, {1: face(side)}, frozenset({1}), self.now_s)
            self.told += self.liveness.asks()
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
    assert bench.liveness.find_ask(1) is None


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

    assert not bench.liveness.waits and bench.liveness.find_ask(1) is None
    assert bench.play(AWAY) == []


@pytest.mark.parametrize(
    ("probability", "refusal"), [(0.7, None), (0.9, None), (0.39, Outcome.NOT_LIVE), (0.0, Outcome.NOT_LIVE)]
)
def test_by_default_the_frames_that_voted_show_who_is_alive(probability: float, refusal: Outcome | None) -> None:
    """The answer comes with the next frame: nobody waits for the model, and clear scores ask nobody for anything."""
    bench = Bench("auto", probability=probability)
    bench.liveness.begin(1, SITI, bench.looks())
    (answer,) = bench.play([0.0])
    assert (answer.verdict.refusal, answer.verdict.score) == (refusal, pytest.approx(probability))
    assert bench.told == []


def test_the_model_looks_while_the_vote_goes_on() -> None:
    """When the person is recognised, the scores are there already; the thread ends with the kiosk."""
    bench = Bench("auto")
    looks = bench.looks()
    assert [look.verdict.result(timeout=30).score for look in looks] == [pytest.approx(0.9)] * 3
    bench.liveness.begin(1, SITI, looks)
    (answer,) = bench.play([0.0])
    assert (answer.verdict.refusal, answer.verdict.score) == (None, pytest.approx(0.9))
    bench.liveness.close()
    with pytest.raises(RuntimeError):
        bench.looks()


def test_one_bad_frame_of_three_decides_nothing() -> None:
    """The median counts: of one frame that is blurred, or of one that a picture gets through."""
    for probabilities, refusal in (((0.9, 0.0, 0.9), None), ((0.0, 0.99, 0.1), Outcome.NOT_LIVE)):
        bench = Bench("auto", probability=probabilities)
        bench.liveness.begin(1, SITI, bench.looks())
        (answer,) = bench.play([0.0])
        assert answer.verdict.refusal is refusal


def test_who_the_model_is_not_sure_of_makes_one_movement() -> None:
    """They are told how far they are, and recorded with the score of the model."""
    bench = Bench("auto", probability=0.55)
    bench.liveness.begin(1, SITI, bench.looks())
    (answer,) = bench.play(AWAY)
    assert (answer.verdict.refusal, answer.verdict.score) == (None, pytest.approx(0.55))
    turning = [ask.request.stage for ask in bench.told if ask.request.prompt is LivenessPrompt.TURN_LEFT]
    assert turning == [MovementStage.ASKED, MovementStage.NOTICED, MovementStage.FURTHER]
    assert bench.told[-1].request.stage is MovementStage.DONE
    assert {(ask.track, ask.match.label, ask.request.steps) for ask in bench.told} == {(1, 7, 1)}


def test_a_picture_that_the_model_doubts_makes_no_movement(head: dict[str, float]) -> None:
    """It turns as asked, but its nose does not stand out; it counts as an attempt."""
    head["share"] = 0.0
    bench = Bench("auto", probability=0.55)
    bench.liveness.begin(1, SITI, bench.looks())
    (answer,) = bench.play([*AWAY[:8], *[0.24] * 120])
    assert answer.verdict.refusal is Outcome.NOT_LIVE
    assert bench.failures == [1]


def test_a_movement_does_not_outweigh_a_picture() -> None:
    """What the model calls a picture at the ends of the movement is refused."""
    bench = Bench("auto", probability=(0.55, 0.55, 0.55, 0.1))
    bench.liveness.begin(1, SITI, bench.looks())
    (answer,) = bench.play(AWAY)
    assert answer.verdict.refusal is Outcome.NOT_LIVE


def test_without_a_model_nothing_is_asked_by_default() -> None:
    """Punches go on working; the door is told to be unguarded elsewhere."""
    bench = Bench("auto", installed=False)
    bench.liveness.begin(1, SITI)
    (answer,) = bench.play([0.0])
    assert (answer.verdict.refusal, answer.verdict.score) == (None, None)


def test_a_model_that_is_installed_and_fails_refuses_by_default() -> None:
    """A damaged file is not a missing one: it fails closed."""
    bench = Bench("auto", probability=ModelMissingError("It is gone."))
    bench.liveness.begin(1, SITI, bench.looks())
    (answer,) = bench.play([0.0])
    assert answer.verdict.refusal is Outcome.LIVENESS_UNAVAILABLE


def test_frames_of_somebody_else_prove_nothing() -> None:
    """Where frames are missing, later ones count only with the same person in them."""
    bench = Bench("auto", who=8)
    bench.liveness.begin(1, SITI, bench.looks(PASSIVE_FRAMES - 1))
    assert bench.play([0.0] * 20) == []
    bench.who = 7
    (answer,) = bench.play([0.0] * 5)
    assert answer.verdict.refusal is None


def test_two_people_are_asked_one_after_the_other() -> None:
    """The second one is told to wait, and asked when the first one is done."""
    bench = Bench("auto", probability=0.55)
    wanted = Match(Outcome.RECOGNIZED, 7, 0.9, -1, 1.9)
    for track in (1, 2):
        bench.liveness.begin(track, wanted, bench.looks())
    answered: list[int] = []
    waited = False
    for side in [*AWAY, *AWAY]:
        bench.now_s += 0.1
        both = {1: face(side), 2: face(side)}
        answered += [answer.track for answer in bench.liveness.take(frame(), both, frozenset(both), bench.now_s)]
        second = bench.liveness.find_ask(2)
        waited = waited or (second is not None and second.request.prompt is LivenessPrompt.WAIT)
    assert (answered, waited) == ([1, 2], True)


def test_what_was_told_of_a_movement_is_not_taken_back() -> None:
    """A landmark that jumps back for a frame tells nobody to begin again."""
    bench = Bench("auto", probability=0.55)
    bench.liveness.begin(1, SITI, bench.looks())
    bench.play([0.0, 0.0, 0.0, 0.06, 0.03, 0.06, 0.09])
    turning = [ask.request.stage for ask in bench.told if ask.request.prompt is LivenessPrompt.TURN_LEFT]
    assert turning == [MovementStage.ASKED, MovementStage.NOTICED]
