"""The policy on liveness, and what it makes of frames of one person: a verdict, and the score that goes with the punch.

The kiosk and the browser use one :class:`LivenessChecks`. By default (``auto``) a model looks where one is installed;
whoever it is not sure of is asked for one movement instead of being refused.

Everything here fails closed: what cannot be checked is refused, and the reason is told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from ..config import LivenessSettings, Settings
from ..kernel.deadline import Deadline
from ..kernel.domain import ChallengeFailure, Face, ImageBGR, LivenessAction, Measured, Outcome
from ..kernel.errors import DatabaseError, ModelError, SmartAbsenError
from ..kernel.i18n import N_
from ..kernel.pool import Pool
from ..recognition.liveness.base import PassiveLiveness, PassiveScore
from ..recognition.liveness.challenge import Challenge, ChallengeJudge, ChallengeState, Sight, draw_challenge
from ..recognition.liveness.files import build_liveness, is_installed
from ..recognition.liveness.passive import PassiveDecision, PassiveLimits
from ..recognition.runtime import running

MAX_SCORE_S: Final = 5.0
"""A model that takes longer for the frames of one person has hung; what it says afterwards is not waited for."""
SENDING_S: Final = 30.0
"""A browser may take so long to send a burst. Who needs longer may have made a film of what was asked for."""
WRONG_FACES: Final = 5
"""Wrong faces in a row before a pause."""
FIRST_PAUSE_S: Final = 30
LONGER_PAUSES: Final = 5
"""The pause doubles so often: to 16 minutes."""
WRONG_FACES_WITHIN_S: Final = 86_400
WRONG: Final = (
    Outcome.UNKNOWN,
    Outcome.OTHER_FACE,
    Outcome.AMBIGUOUS,
    Outcome.NOT_LIVE,
    Outcome.NOT_A_CAMERA,
    Outcome.CHALLENGE_FAILED,
)
"""Outcomes that are those of a wrong face, or of none alive: light and distance are not the person's fault."""
COUNTED: Final = (Outcome.NOT_LIVE, Outcome.CHALLENGE_FAILED)
"""Outcomes that use up an attempt: what is not the person's fault does not."""
_PICTURES: Final = (ChallengeFailure.FLAT, ChallengeFailure.OTHER_PERSON)


class Limits(Protocol):
    """Counts that all processes share; :class:`smartabsen.org.limits.RateLimits` is one."""

    def hit(self, key: str, *, limit: int, per_s: int) -> int: ...

    def wait_s(self, key: str, *, limit: int) -> int: ...

    def give_back(self, key: str) -> None: ...

    def forget(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class LivenessVerdict:
    """What the checks said.

    Attributes:
        refusal: Why nothing may be recorded, or None. MOVEMENT_NEEDED: not yet; one movement decides.
        score: Probability of the passive check; 1 where only a movement was asked for and seen; None without a check.
        failure: Why a movement was not accepted.
        measured: The score that was too low, and what it needed.
        trouble: What went wrong with the check itself, for administrators.
    """

    refusal: Outcome | None = None
    score: float | None = None
    failure: ChallengeFailure | None = None
    measured: Measured | None = None
    trouble: SmartAbsenError | None = None


class Attempts:
    """Failed attempts of a person, counted where all processes see them, and here as well while the database is away.

    Args:
        settings: How many, and how long the pause is.
        limits: The shared counts.
        clock: Seconds that never run backwards.
    """

    def __init__(
        self, settings: LivenessSettings, limits: Limits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._clock = clock
        self._here: dict[int, list[float]] = {}
        self._changed = threading.Condition()
        self._under_way: set[int] = set()

    @contextmanager
    def one_at_a_time(self, employee_id: int) -> Iterator[None]:
        """Let others of this process who try as the same person wait: each is to see how the one before ended."""
        with self._changed:
            self._changed.wait_for(lambda: employee_id not in self._under_way)
            self._under_way.add(employee_id)
        try:
            yield
        finally:
            with self._changed:
                self._under_way.remove(employee_id)
                self._changed.notify_all()

    def may_try(self, employee_id: int) -> bool:
        """Tell whether another attempt is allowed now."""
        if len(self._recent(employee_id)) >= self._settings.attempts:
            return False
        try:
            return self._limits.wait_s(_key(employee_id), limit=self._settings.attempts) == 0
        except DatabaseError:
            return True

    def count_failure(self, employee_id: int) -> None:
        """Count an attempt that failed."""
        with self._changed:
            self._here[employee_id] = [*self._recent(employee_id), self._clock()]
        try:
            self._limits.hit(_key(employee_id), limit=self._settings.attempts, per_s=self._settings.pause_s)
        except DatabaseError:
            # It is counted here until the database is back.
            return

    def forget(self, employee_id: int) -> None:
        """Forget the failures of somebody who has passed, those that other processes have counted included."""
        self._here.pop(employee_id, None)
        try:
            # Asked first: most people have none, and nothing is written for them.
            if self._limits.wait_s(_key(employee_id), limit=1):
                self._limits.forget(_key(employee_id))
        except DatabaseError:
            return

    def _recent(self, employee_id: int) -> list[float]:
        since = self._clock() - self._settings.pause_s
        return [at for at in self._here.get(employee_id, []) if at > since]


@dataclass(frozen=True, slots=True)
class FaceClaim:
    """One face that comes with a claim of who it is, counted as a wrong one until it was looked at.

    Attributes:
        employee_id: Whose it is said to be.
        pauses: It filled the counter and began the pause.
    """

    employee_id: int
    pauses: bool = False


class ClaimedFaces:
    """Wrong faces that come with one claim of who it is (a paired phone), over all kiosks, browsers and workers.

    After five in a row there is a pause, and another one, twice as long, after each that follows, until a right face
    comes: NIST SP 800-63B, 5.2.3, which asks for 30 seconds at least and for another way beside the face.

    Args:
        limits: The shared counts.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def begin(self, employee_id: int) -> FaceClaim | None:
        """Count a face as a wrong one **before** it is looked at, so that many at once do not get past the limit.

        The one that fills the counter begins the pause; :meth:`forget` and :meth:`give_back` end it.

        Returns:
            None where there is a pause: the face must not be looked at, and is not counted.
        """
        if self._limits.wait_s(_pause_key(employee_id), limit=1):
            return None
        key, most = _face_key(employee_id), WRONG_FACES + LONGER_PAUSES
        self._limits.hit(key, limit=most, per_s=WRONG_FACES_WITHIN_S)
        over = sum(self._limits.wait_s(key, limit=count) > 0 for count in range(WRONG_FACES, most + 1))
        if not over:
            return FaceClaim(employee_id)
        if self._limits.hit(_pause_key(employee_id), limit=1, per_s=FIRST_PAUSE_S * 2 ** (over - 1)):
            # Another one, at this very moment, has begun the pause.
            self._limits.give_back(key)
            return None
        return FaceClaim(employee_id, pauses=True)

    def give_back(self, claim: FaceClaim) -> None:
        """Take one back that was neither a wrong face nor the right one, as in bad light."""
        self._limits.give_back(_face_key(claim.employee_id))
        if claim.pauses:
            self._limits.forget(_pause_key(claim.employee_id))

    def forget(self, claim: FaceClaim) -> None:
        """Forget the wrong faces: the right one has come."""
        self._limits.forget(_face_key(claim.employee_id))
        if claim.pauses:
            self._limits.forget(_pause_key(claim.employee_id))


def make_checks(
    settings: Settings,
    *,
    at_once: int = 1,
    threads: int = 0,
    on_trouble: Callable[[Exception], None] = lambda _: None,
) -> LivenessChecks:
    """Return the checks that the settings demand; a model is loaded when it is needed.

    Args:
        at_once: Models at most, each used by one thread at a time.
        threads: Of each model.
        on_trouble: Told why a further one cannot be loaded.
    """
    models_dir, backend = settings.models_dir, settings.liveness.backend
    return LivenessChecks(
        settings.liveness,
        lambda: build_liveness(backend, models_dir=models_dir, threads=threads),
        is_installed=lambda: is_installed(backend, models_dir),
        at_once=at_once,
        on_trouble=on_trouble,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scorer:
    """A loaded model, and the watch over how long it takes."""

    backend: PassiveLiveness
    deadline: Deadline = field(default_factory=Deadline)

    def close(self) -> None:
        self.backend.close()


class LivenessChecks:
    """The checks that the policy demands. One thread at a time works with a model; others take another one, or wait.

    Args:
        settings: The policy.
        build: Loads the passive backend; called at its first use, and where all that are loaded are at work.
        is_installed: Tells whether there is anything to load; decides what ``auto`` is.
        at_once: Models at most.
        on_trouble: Told why a further one cannot be loaded.
    """

    def __init__(
        self,
        settings: LivenessSettings,
        build: Callable[[], PassiveLiveness],
        *,
        is_installed: Callable[[], bool] = lambda: True,
        at_once: int = 1,
        on_trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._build = build
        self._is_installed = is_installed
        self._was_installed = False
        self._pool: Pool[_Scorer] = Pool(self._load, size=at_once, on_trouble=on_trouble)

    @property
    def guards(self) -> bool:
        """Whether anything is checked at all."""
        return self.wants_passive or self.wants_active

    @property
    def steps_up(self) -> bool:
        """Whether who the model is not sure of is asked for a movement: ``auto`` where the model is installed.

        A model that comes while the program runs is used from then on. One that was there and is gone is missed:
        nobody is recorded unchecked.
        """
        if self.settings.require != "auto":
            return False
        self._was_installed = self._was_installed or self._is_installed()
        return self._was_installed

    @property
    def wants_passive(self) -> bool:
        """Whether a model must look at the face."""
        return self.settings.require in ("passive", "both") or self.steps_up

    @property
    def wants_active(self) -> bool:
        """Whether a movement must be asked for in any case."""
        return self.settings.require in ("active", "both")

    def draw(self, *, without: frozenset[LivenessAction] = frozenset()) -> Challenge:
        """Draw a challenge; a fresh one for each attempt. Who the model is not sure of makes one movement."""
        return draw_challenge(actions=1 if self.steps_up else self.settings.actions, without=without)

    def start(self, challenge: Challenge) -> ChallengeJudge:
        """Return who follows a face through a challenge."""
        settings = self.settings
        return ChallengeJudge(challenge, mirrored=settings.mirrored, action_timeout_s=settings.action_timeout_s)

    def follow(self, judge: ChallengeJudge, image_bgr: ImageBGR, face: Face | None, at_s: float) -> ChallengeState:
        """Let a judge take a frame.

        Raises:
            ModelError: It failed.
        """
        with running("relief"):
            return judge.add(image_bgr, face, at_s)

    def find_trouble(self) -> LivenessVerdict | None:
        """Load the model where one must look, so that nobody is asked to move for nothing.

        Returns:
            The refusal where it cannot be loaded; None where all is well.
        """
        if not self.wants_passive:
            return None
        try:
            self._pool.ensure()
        except SmartAbsenError as exc:
            return LivenessVerdict(Outcome.LIVENESS_UNAVAILABLE, trouble=exc)
        return None

    def score(self, sights: Sequence[Sight], *, moved: bool = False) -> LivenessVerdict:
        """Let the model judge several frames of one person; their median decides.

        Args:
            sights: The frames.
            moved: The person has just made a movement that no picture makes: where the model is not sure, that counts.
        """
        try:
            with self._pool.lend() as scorer:
                probabilities = self._score(scorer, sights)
                limits = self._limits(scorer.backend)
        except SmartAbsenError as exc:
            return LivenessVerdict(Outcome.LIVENESS_UNAVAILABLE, trouble=exc)
        return self._conclude(probabilities, limits, moved=moved)

    def join(self, verdicts: Sequence[LivenessVerdict]) -> LivenessVerdict:
        """Return what :meth:`score` says of several frames of one person, from what it said of each of them alone."""
        trouble = next((each for each in verdicts if each.trouble is not None), None)
        if trouble is not None:
            return trouble
        try:
            with self._pool.lend() as scorer:
                limits = self._limits(scorer.backend)
        except SmartAbsenError as exc:
            return LivenessVerdict(Outcome.LIVENESS_UNAVAILABLE, trouble=exc)
        return self._conclude([each.score for each in verdicts if each.score is not None], limits)

    def judge(
        self,
        frames: Sequence[tuple[ImageBGR, Face | None]],
        times_s: Sequence[float],
        challenge: Challenge | None,
        *,
        within_s: float | None = None,
    ) -> tuple[LivenessVerdict, tuple[Sight, ...]]:
        """Judge a burst that was taken as a whole.

        Args:
            frames: Frames, and the face in each; None where there is none.
            times_s: Time of capture of each.
            challenge: What was asked for; None where nothing was. With ``auto`` it is judged where there is one.
            within_s: Seconds since it was asked for; None where that is not known.

        Returns:
            The verdict, and the looks straight ahead at the beginning and the end, whose face must be that of who is
            recorded; empty without a challenge.
        """
        trouble = self.find_trouble()
        if trouble is not None:
            return trouble, ()
        shown = [Sight(image, face) for image, face in frames if face is not None]
        ends: tuple[Sight, ...] = ()
        if self.judges_movement(challenge):
            if challenge is None or not self._is_fresh(challenge, within_s):
                return LivenessVerdict(Outcome.CHALLENGE_FAILED, failure=ChallengeFailure.TIME_OUT), ()
            judge = self.start(challenge)
            try:
                for (image, face), at_s in zip(frames, times_s, strict=True):
                    if self.follow(judge, image, face, at_s).over:
                        break
            except ModelError as exc:
                return LivenessVerdict(Outcome.LIVENESS_UNAVAILABLE, trouble=exc), ()
            if not judge.state.passed or judge.first is None or judge.last is None:
                return refuse(judge.state.failure or ChallengeFailure.TIME_OUT), ()
            ends = (judge.first, judge.last)
        if self.wants_passive:
            return self.score(ends or _spread(shown), moved=bool(ends)), ends
        return LivenessVerdict(score=1.0 if ends else None), ends

    def judges_movement(self, challenge: Challenge | None) -> bool:
        """Tell whether a burst must show the movements of a challenge; a missing one fails where it must."""
        return self.wants_active or (self.steps_up and challenge is not None)

    def close(self) -> None:
        """Release the model."""
        self._pool.close()

    def _limits(self, backend: PassiveLiveness) -> PassiveLimits:
        settings = self.settings
        if not self.steps_up:
            one = backend.threshold if settings.threshold is None else settings.threshold
            return PassiveLimits(one, one)
        sure_from = backend.sure_from if settings.threshold is None else settings.threshold
        unsure_from = backend.unsure_from if settings.unsure_from is None else settings.unsure_from
        return PassiveLimits(min(unsure_from, sure_from), sure_from)

    @staticmethod
    def _conclude(probabilities: Sequence[float], limits: PassiveLimits, *, moved: bool = False) -> LivenessVerdict:
        if not probabilities:
            return LivenessVerdict(Outcome.AT_THE_EDGE)
        decision, score = limits.decide(probabilities)
        if decision is PassiveDecision.LIVE or (moved and decision is PassiveDecision.UNSURE):
            return LivenessVerdict(score=score)
        if decision is PassiveDecision.UNSURE:
            return LivenessVerdict(Outcome.MOVEMENT_NEEDED, score=score)
        return LivenessVerdict(Outcome.NOT_LIVE, score=score, measured=Measured(score, limits.unsure_from))

    def _is_fresh(self, challenge: Challenge, within_s: float | None) -> bool:
        moving_s = self.settings.action_timeout_s * (len(challenge.actions) + 1)
        return within_s is None or within_s <= moving_s + SENDING_S

    def _load(self) -> _Scorer:
        with running(self.settings.backend):
            return _Scorer(self._build())

    def _score(self, scorer: _Scorer, sights: Sequence[Sight]) -> list[float]:
        """Return the probabilities of the faces that could be judged."""
        try:
            scores = scorer.deadline.call(partial(_score_all, scorer.backend, sights), within_s=MAX_SCORE_S)
        except TimeoutError as exc:
            raise ModelError(
                N_("The liveness model {name} has not answered within {seconds} seconds."),
                name=self.settings.backend,
                seconds=f"{MAX_SCORE_S:g}",
            ) from exc
        probabilities = []
        for score in scores:
            if score.probability is not None:
                if not 0.0 <= score.probability <= 1.0:
                    # Infinity passes every threshold, and NaN compares with nothing.
                    raise ModelError(
                        N_("The liveness model {name} gave no usable probability."), name=self.settings.backend
                    )
                probabilities.append(score.probability)
        return probabilities


def _score_all(backend: PassiveLiveness, sights: Sequence[Sight]) -> list[PassiveScore]:
    with running(backend.name):
        return [backend.score(sight.image_bgr, sight.face) for sight in sights]


def refuse(failure: ChallengeFailure) -> LivenessVerdict:
    """Return the verdict on a movement that was not accepted."""
    outcome = Outcome.NOT_LIVE if failure in _PICTURES else Outcome.CHALLENGE_FAILED
    return LivenessVerdict(outcome, failure=failure)


def _spread(sights: Sequence[Sight], count: int = 3) -> Sequence[Sight]:
    if len(sights) <= count:
        return sights
    return [sights[round(number * (len(sights) - 1) / (count - 1))] for number in range(count)]


def _face_key(employee_id: int) -> str:
    return f"face:{employee_id}"


def _pause_key(employee_id: int) -> str:
    return f"face-pause:{employee_id}"


def _key(employee_id: int) -> str:
    return f"liveness:{employee_id}"
