"""The policy on liveness: it fails closed, and counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smartabsen import SmartAbsen
from smartabsen.config import LivenessSettings
from smartabsen.gallery import liveness
from smartabsen.gallery.guard import check_guard, remark_on_guard
from smartabsen.gallery.liveness import COUNTED, Attempts, LivenessChecks
from smartabsen.kernel.domain import CheckLevel, Face, LandmarkScheme, LivenessAction, Outcome
from smartabsen.kernel.errors import DatabaseError, ModelError, ModelMissingError
from smartabsen.kernel.messages import fill
from smartabsen.org.limits import RateLimits
from smartabsen.recognition.liveness.base import PassiveScore
from smartabsen.recognition.liveness.challenge import Challenge, ChallengeJudge, ChallengeState, Sight

Answer = float | Exception | Callable[[], object] | None
"""A probability, none, an error, or something to do before it answers 1."""
FACE = Face((10.0, 10.0, 90.0, 90.0), 1.0, np.zeros((5, 2), dtype=np.float32), LandmarkScheme.ARCFACE5)
SIGHT = Sight(np.zeros((100, 100, 3), dtype=np.uint8), FACE)


class Backend:
    """A passive backend that answers what it is told to."""

    name, digest, threshold, unsure_from, sure_from = "scripted", "", 0.5, 0.4, 0.7

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def score(self, _image: Any, _face: Any) -> PassiveScore:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer()
            return PassiveScore(1.0)
        return PassiveScore(answer)

    def close(self) -> None:
        """Nothing."""


def checks(*answers: Answer, **settings: Any) -> LivenessChecks:
    return LivenessChecks(LivenessSettings(**{"require": "passive", **settings}), lambda: Backend(*answers))


def test_looks_one_by_one_say_what_a_look_at_all_of_them_says() -> None:
    """The median decides, faces at the edge count for nothing, and trouble with one of them is trouble."""
    for answers in ((0.9, 0.1, 0.8), (0.1, 0.2, 0.9), (None, 0.9, None), (None, None), (0.9, ModelError("It broke."))):
        together = checks(*answers).score([SIGHT] * len(answers))
        alone = checks(*answers)
        joined = alone.join([alone.score([SIGHT]) for _ in answers])
        assert joined == together


def test_the_mean_of_a_few_faces_decides() -> None:
    """At the model's own threshold, or the one that is set."""
    assert checks(0.9, 0.4).score([SIGHT, SIGHT]).refusal is None
    assert checks(0.9, 0.4).score([SIGHT, SIGHT]).score == pytest.approx(0.65)
    refused = checks(0.9, 0.4, threshold=0.7).score([SIGHT, SIGHT])
    assert refused.refusal is Outcome.NOT_LIVE
    assert refused.measured is not None
    assert (refused.measured.value, refused.measured.limit) == (pytest.approx(0.65), 0.7)


def test_a_face_at_the_edge_cannot_be_judged() -> None:
    """The person is told to move, and nothing is recorded."""
    assert checks(None).score([SIGHT]).refusal is Outcome.AT_THE_EDGE


def fail(error: Exception) -> Callable[[], Any]:
    def build() -> Any:
        raise error

    return build


@pytest.mark.parametrize("error", [ModelError("it failed"), ModelMissingError("it is not there")])
def test_a_check_that_cannot_be_made_refuses(error: ModelError) -> None:
    """While it is loaded or while it works; what went wrong is told."""
    verdict = checks(error).score([SIGHT])
    assert (verdict.refusal, verdict.trouble) == (Outcome.LIVENESS_UNAVAILABLE, error)
    missing = LivenessChecks(LivenessSettings(require="passive"), fail(error)).score([SIGHT])
    assert (missing.refusal, missing.trouble) == (Outcome.LIVENESS_UNAVAILABLE, error)


def test_no_number_is_no_pass() -> None:
    """NaN compares with nothing, infinity is above each threshold: what is no probability refuses."""
    for number in (float("nan"), float("inf"), float("-inf"), 1.01, -0.01):
        verdict = checks(number).score([SIGHT])
        assert (verdict.refusal, verdict.score) == (Outcome.LIVENESS_UNAVAILABLE, None)


@pytest.mark.parametrize("error", [RuntimeError("broken"), ZeroDivisionError()])
def test_whatever_a_backend_raises_refuses(error: Exception) -> None:
    """Backends of other packages too: a kiosk goes on, and says what went wrong."""
    verdict = checks(error).score([SIGHT])
    assert verdict.refusal is Outcome.LIVENESS_UNAVAILABLE and verdict.trouble is not None
    unbuilt = LivenessChecks(LivenessSettings(require="passive"), fail(error)).score([SIGHT])
    assert unbuilt.refusal is Outcome.LIVENESS_UNAVAILABLE and unbuilt.trouble is not None


def test_a_model_that_hangs_refuses_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it; while it hangs others are refused at once, and when it is back it is used again."""
    monkeypatch.setattr(liveness, "MAX_SCORE_S", 0.05)
    back = threading.Event()
    hung = checks(back.wait, 1.0)
    for _ in range(2):
        verdict = hung.score([SIGHT])
        assert verdict.refusal is Outcome.LIVENESS_UNAVAILABLE
        assert "has not answered within 0.05 seconds" in str(verdict.trouble)
    back.set()
    for thread in threading.enumerate():
        if thread.name == "deadline":
            thread.join(30)
    monkeypatch.setattr(liveness, "MAX_SCORE_S", 30.0)
    assert hung.score([SIGHT]).refusal is None


def test_two_faces_are_judged_at_the_same_time_by_two_models() -> None:
    """Each model works for one of them."""
    both = threading.Barrier(2, timeout=30)
    made: list[Backend] = []

    def build() -> Backend:
        made.append(Backend(both.wait))
        return made[-1]

    several = LivenessChecks(LivenessSettings(require="passive"), build, at_once=2)
    threads = [threading.Thread(target=several.score, args=([SIGHT],)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 2 and not both.broken


def test_a_movement_that_cannot_be_judged_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the middle of a film is not a pass, and not the person's fault."""

    def broken(*_given: object) -> None:
        raise ValueError("no such picture")

    monkeypatch.setattr(ChallengeJudge, "add", broken)
    challenge = Challenge((LivenessAction.TURN_LEFT,))
    verdict, ends = checks(require="active").judge([(SIGHT.image_bgr, FACE)], [0.0], challenge)
    assert (verdict.refusal, ends) == (Outcome.LIVENESS_UNAVAILABLE, ())
    assert "no such picture" in str(verdict.trouble) and verdict.refusal not in COUNTED


def test_a_movement_is_not_judged_where_the_model_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``both`` nothing could be recorded anyway, and the reason told is the model's."""
    followed: list[object] = []
    monkeypatch.setattr(ChallengeJudge, "add", lambda *given: followed.append(given) or ChallengeState(None))

    def build() -> Any:
        raise ModelError("There is no model.")

    both = LivenessChecks(LivenessSettings(require="both"), build)
    verdict, _ = both.judge([(SIGHT.image_bgr, FACE)], [0.0], Challenge((LivenessAction.TURN_LEFT,)))
    assert (verdict.refusal, str(verdict.trouble)) == (Outcome.LIVENESS_UNAVAILABLE, "There is no model.")
    assert followed == []


@pytest.mark.parametrize(("within_s", "fresh"), [(59.0, True), (61.0, False)])
def test_a_challenge_is_answered_at_once_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, within_s: float, fresh: bool
) -> None:
    """Ten seconds for each movement and the look straight, half a minute to send: a film takes longer to make."""
    followed: list[object] = []
    monkeypatch.setattr(ChallengeJudge, "add", lambda *given: followed.append(given) or ChallengeState(None))
    challenge = Challenge((LivenessAction.TURN_LEFT, LivenessAction.LOOK_UP))
    verdict, _ = checks(require="active").judge([(SIGHT.image_bgr, FACE)], [0.0], challenge, within_s=within_s)
    assert verdict.refusal is Outcome.CHALLENGE_FAILED
    assert bool(followed) is fresh


def test_a_movement_that_was_not_asked_for_does_not_count() -> None:
    """A burst without a challenge of the server's is refused, whatever it shows."""
    verdict, ends = checks(require="active").judge([(SIGHT.image_bgr, FACE)], [0.0], None)
    assert (verdict.refusal, ends) == (Outcome.CHALLENGE_FAILED, ())


class Counts:
    """Counts of other processes; ``error`` is raised instead."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.counts: dict[str, int] = {}

    def _check(self) -> None:
        if self.error:
            raise self.error

    def hit(self, key: str, *, limit: int, per_s: int) -> int:
        self._check()
        self.counts[key] = self.counts.get(key, 0) + 1
        return 0

    def wait_s(self, key: str, *, limit: int) -> int:
        self._check()
        return 60 if self.counts.get(key, 0) >= limit else 0

    def give_back(self, key: str) -> None:
        self._check()
        self.counts[key] -= 1

    def forget(self, key: str) -> None:
        self._check()
        self.counts.pop(key, None)


@pytest.mark.parametrize("error", [None, DatabaseError("The database is away.")])
def test_after_so_many_failures_there_is_a_pause(error: DatabaseError | None) -> None:
    """Counted for each person; here alone while the database is away."""
    now = [0.0]
    attempts = Attempts(LivenessSettings(attempts=5, pause_s=300), Counts(error), clock=lambda: now[0])
    for _ in range(5):
        assert attempts.may_try(1)
        attempts.count_failure(1)
    assert not attempts.may_try(1)
    assert attempts.may_try(2)
    if error:
        now[0] = 301.0
        assert attempts.may_try(1)


def test_another_process_sees_the_failures_and_a_pass_forgets_them() -> None:
    """Kiosks and servers count together."""
    shared = Counts()
    here, there = (Attempts(LivenessSettings(attempts=2), shared) for _ in range(2))
    here.count_failure(1)
    here.count_failure(1)
    assert not there.may_try(1)
    here.forget(1)
    there.count_failure(2)
    here.forget(2)
    assert shared.counts == {}


def test_two_programs_of_one_installation_count_together(flags: dict[str, object]) -> None:
    """In the database: five failures, at whichever kiosk or server, and a pass at the other one forgets them."""
    with SmartAbsen.open(flags=flags) as kiosk, SmartAbsen.open(flags=flags) as server:
        here, there = (Attempts(LivenessSettings(attempts=5), RateLimits(app.services)) for app in (kiosk, server))
        for attempts in (here, there, here, there, here):
            assert attempts.may_try(7)
            attempts.count_failure(7)
        assert not here.may_try(7) and not there.may_try(7) and there.may_try(8)
        here.count_failure(9)
        there.forget(9)
        assert RateLimits(kiosk.services).wait_s("liveness:9", limit=1) == 0


@pytest.mark.parametrize(
    ("require", "level"), [("off", CheckLevel.WARN), ("active", CheckLevel.OK), ("passive", CheckLevel.FAIL)]
)
def test_doctor_says_how_it_stands(flags: dict[str, object], require: str, level: CheckLevel) -> None:
    """Off is a warning, a demanded model that is not there a failure."""
    with SmartAbsen.open(flags={**flags, "liveness.require": require}) as app:
        row = next(row for row in app.check_health() if row.name == "liveness")
    assert row.level is level
    assert bool(row.fix) == (level is not CheckLevel.OK)


def test_by_default_a_burst_that_leaves_doubt_asks_for_a_movement() -> None:
    """As at the kiosk: sure scores record, a picture is refused, and in between one movement is asked for."""
    frames = [(SIGHT.image_bgr, SIGHT.face)] * 3
    for score, refusal in ((0.7, None), (0.69, Outcome.MOVEMENT_NEEDED), (0.4, Outcome.MOVEMENT_NEEDED)):
        verdict, ends = checks(score, score, score, require="auto").judge(frames, (), None)
        assert (verdict.refusal, verdict.score, ends) == (refusal, score, ())
    picture, _ = checks(0.39, 0.39, 0.39, require="auto").judge(frames, (), None)
    assert picture.refusal is Outcome.NOT_LIVE
    assert picture.measured is not None and picture.measured.limit == 0.4
    assert len(checks(require="auto").draw().actions) == 1


def test_the_span_of_doubt_can_be_set() -> None:
    """The upper end is the probability that is needed; the lower one is never above it."""
    frames = [(SIGHT.image_bgr, SIGHT.face)] * 3
    asked, _ = checks(0.9, 0.9, 0.9, require="auto", threshold=0.95, unsure_from=0.8).judge(frames, (), None)
    assert asked.refusal is Outcome.MOVEMENT_NEEDED
    passed, _ = checks(0.3, 0.3, 0.3, require="auto", threshold=0.2).judge(frames, (), None)
    assert passed.refusal is None


def test_a_model_that_comes_while_the_program_runs_guards_from_then_on() -> None:
    """And one that is gone again is missed: nobody is recorded unchecked."""
    there = [False]
    made = LivenessChecks(LivenessSettings(), fail(ModelMissingError("It is gone.")), is_installed=lambda: there[0])
    assert not made.guards
    there[0] = True
    assert made.guards
    there[0] = False
    verdict, _ = made.judge([(SIGHT.image_bgr, SIGHT.face)] * 3, (), None)
    assert verdict.refusal is Outcome.LIVENESS_UNAVAILABLE


@pytest.mark.parametrize(
    ("require", "backend", "fix"),
    [
        ("auto", "auto", "models pull"),
        ("off", "auto", "liveness.require"),
        ("auto", "fake", None),
        ("active", "auto", None),
    ],
)
def test_an_unguarded_door_is_told_in_one_line(
    flags: dict[str, object], require: str, backend: str, fix: str | None
) -> None:
    """By the doctor, the server and the kiosk, with the line that mends it."""
    given = {**flags, "liveness.require": require, "liveness.backend": backend}
    with SmartAbsen.open(flags=given) as app:
        told = list(check_guard(app.services))
        remarks = remark_on_guard(app.services)
        row = next(row for row in app.check_health() if row.name == "liveness")
        served = [each for each in app.serving.prepare() if each.name == "liveness"]
    if fix is None:
        assert (told, remarks, served, row.level) == ([], [], [], CheckLevel.OK)
        return
    assert told == [row] == served and row.level is CheckLevel.WARN
    assert fix in row.fix and "\n" not in fill(*remarks[0])
    assert "Nothing guards the door" in fill(*remarks[0]) and "smartabsen models pull minifasnet" in fill(*remarks[0])
