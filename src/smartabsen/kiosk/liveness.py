"""Liveness at the kiosk: who was recognised is asked for proof before a punch is written.

The kiosk tells of each recognition and shows each frame; it gets answers when they are due. The model looks at the
frames that voted for the person, beside the vote and in a thread of its own, so that nobody waits for it, and nobody is
recognised in some frames and looked at in others. Who it is not sure of is asked for one movement. One person at a time
is asked to move, the others wait. Where the policy demands nothing, the answer comes with the same frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from ..gallery.liveness import COUNTED, Attempts, LivenessChecks, LivenessVerdict, refuse
from ..kernel.domain import (
    ChallengeFailure,
    Face,
    FloatArray,
    ImageBGR,
    LivenessAction,
    LivenessPrompt,
    Match,
    MovementRequest,
    MovementStage,
    Outcome,
)
from ..kernel.errors import ModelError
from ..recognition.liveness.challenge import ChallengeJudge, Sight
from ..recognition.liveness.freshness import Freshness, FreshnessWatch
from ..recognition.recognizer import Recognizer

PASSIVE_FRAMES: Final = 3
"""Frames that the model looks at before a decision; the median of its scores counts."""
PASSIVE_EVERY_S: Final = 0.2
KEEP_EVERY_S: Final = 10.0
"""While faces are in sight, the last frames are written down so often: a kiosk may be killed at any moment."""
AGAIN_AFTER_S: Final = 3.0
"""Who was refused and stays is asked again after so long: in another way, and only so often."""


@dataclass(frozen=True, slots=True)
class LivenessAnswer:
    """What became of a recognised person.

    Attributes:
        track: Number of the track.
        match: Who was recognised.
        verdict: May be recorded where its ``refusal`` is None.
    """

    track: int
    match: Match
    verdict: LivenessVerdict


@dataclass(frozen=True, slots=True)
class LivenessAsk:
    """What the person of a track is asked now; told each time it changes.

    Attributes:
        track: Number of the track.
        match: Who was recognised there.
        request: What to do, and how far it is.
    """

    track: int
    match: Match
    request: MovementRequest


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame of a person, and what the model says of it as soon as it knows.

    Attributes:
        sight: The frame.
        verdict: Of the frame alone.
    """

    sight: Sight
    verdict: Future[LivenessVerdict]


class Compare(Protocol):
    """Compares faces with the gallery; :class:`smartabsen.gallery.gallery.LiveGallery` is one."""

    def match(self, probes: Sequence[FloatArray]) -> tuple[Match, ...]: ...


@dataclass(slots=True)
class _Candidate:
    match: Match
    judge: ChallengeJudge | None = None
    looks: list[Look] = field(default_factory=list)
    begun: bool = False
    unsure: bool = False
    looked_s: float = -1e9
    rest_until_s: float = -1e9
    failed: frozenset[LivenessAction] = frozenset()
    told_stale: bool = False


class KioskLiveness:
    """Asks recognised people for proof. Used by the thread that runs the kiosk; to be closed at its end.

    Args:
        checks: What the policy demands.
        attempts: Counts failures.
        recognizer: Embeds the faces at the beginning and the end of a movement.
        gallery: Says who they are.
        watch: Watches the frames of a camera. None for a recording: it was chosen by whoever runs the kiosk, and its
            frames may stand still or come back.
        too_slow: Called once while faces are in sight for long enough, and too few frames of them came to be compared.
        keep: Called when what ``watch`` has seen is to be written down.
    """

    def __init__(
        self,
        checks: LivenessChecks,
        attempts: Attempts,
        *,
        recognizer: Recognizer,
        gallery: Compare,
        watch: FreshnessWatch | None,
        too_slow: Callable[[], None],
        keep: Callable[[], None],
    ) -> None:
        self._checks = checks
        self._attempts = attempts
        self._recognizer = recognizer
        self._gallery = gallery
        self._watch = watch
        self._tell_too_slow = too_slow
        self._told_too_slow = False
        self._keep_frames = keep
        self._kept_s = -1e9
        self._candidates: dict[int, _Candidate] = {}
        self._requests: dict[int, MovementRequest] = {}
        self._asks: list[LivenessAsk] = []
        self._looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="liveness")

    def close(self) -> None:
        """End the looks that nobody waits for any more."""
        self._looking.shutdown(cancel_futures=True)

    def take_over(self, recognizer: Recognizer, gallery: Compare) -> None:
        """Go on with those of another engine; whoever was proving something begins anew."""
        self._recognizer, self._gallery = recognizer, gallery
        for track in tuple(self._candidates):
            self._drop(track)

    @property
    def wants_sights(self) -> bool:
        """Whether the frames that vote for somebody are to be handed over with them."""
        return self._checks.wants_passive and not self._checks.wants_active

    def look(self, sight: Sight) -> Look:
        """Let the model look at a frame that votes for somebody. Returns at once."""
        return Look(sight, self._looking.submit(self._checks.score, (sight,)))

    def begin(self, track: int, match: Match, looks: Sequence[Look] = ()) -> None:
        """Somebody was recognised.

        Args:
            track: Number of the track.
            match: Who it is.
            looks: At the best frames of the track in which this person was recognised, the best first.
        """
        self._candidates[track] = _Candidate(match, looks=list(looks[:PASSIVE_FRAMES]))
        self._requests.pop(track, None)

    @property
    def waits(self) -> bool:
        """Whether somebody is yet to prove that they are there: every frame counts then."""
        return bool(self._candidates)

    def find_ask(self, track: int) -> LivenessAsk | None:
        """Return what the person of a track is being asked, or None."""
        request = self._requests.get(track)
        return None if request is None else LivenessAsk(track, self._candidates[track].match, request)

    def asks(self) -> list[LivenessAsk]:
        """Return what people have been asked since the last call."""
        asks, self._asks = self._asks, []
        return asks

    def take(
        self, image_bgr: ImageBGR, faces: Mapping[int, Face], alive: frozenset[int], at_s: float
    ) -> list[LivenessAnswer]:
        """Take a frame.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: Track to face.
            alive: Tracks that go on, those that are hidden for a moment included.
            at_s: Time of the frame.

        Returns:
            Answers that are due now.
        """
        if self._watch is not None:
            self._watch.add(image_bgr, faces, alive, at_s)
            if self._watch.lacks_frames and not self._told_too_slow:
                self._tell_too_slow()
            self._told_too_slow = self._watch.lacks_frames
            if faces and at_s - self._kept_s >= KEEP_EVERY_S:
                self._keep(at_s)
        for track in self._candidates.keys() - alive:
            self._drop(track)
        answers = []
        asked = self._asked_now()
        for track, candidate in list(self._candidates.items()):
            if at_s < candidate.rest_until_s:
                continue
            known = Freshness.FRESH if self._watch is None else self._watch.judge(track)
            if known is not Freshness.FRESH:
                if known is not Freshness.UNKNOWN and not candidate.told_stale:
                    # Told once; whoever moves after all is recorded.
                    candidate.told_stale = True
                    stale = LivenessVerdict(Outcome.NOT_A_CAMERA)
                    answers.append(LivenessAnswer(track, candidate.match, stale))
                continue
            if not self._attempts_left(candidate):
                verdict: LivenessVerdict | None = LivenessVerdict(Outcome.TOO_MANY_ATTEMPTS)
            else:
                face = faces.get(track)
                sight = None if face is None else Sight(image_bgr, face)
                candidate.begun = True
                verdict = None
                if not self._moves(candidate):
                    verdict = self._look(candidate, sight, at_s)
                if verdict is None and self._moves(candidate):
                    if asked is None:
                        asked = track
                    if asked == track:
                        verdict = self._ask(track, candidate, sight, image_bgr, at_s)
                    else:
                        self._requests[track] = MovementRequest(LivenessPrompt.WAIT)
            if verdict is not None:
                if verdict.refusal is None:
                    # Before the punch: whatever happens now, these frames record nobody again.
                    self._keep(at_s)
                answers.append(LivenessAnswer(track, candidate.match, verdict))
                self._settle(track, candidate, verdict, at_s)
        return answers

    def _keep(self, at_s: float) -> None:
        if self._watch is not None:
            self._keep_frames()
            self._kept_s = at_s

    def _asked_now(self) -> int | None:
        """Return the track whose person is in the middle of a movement: nobody else is asked meanwhile."""
        return next((track for track, each in self._candidates.items() if each.judge is not None), None)

    def _moves(self, candidate: _Candidate) -> bool:
        return self._checks.wants_active or candidate.unsure

    def _attempts_left(self, candidate: _Candidate) -> bool:
        # Asked once for each attempt, not for each frame.
        return candidate.begun or not self._checks.guards or self._attempts.may_try(candidate.match.label)

    def _ask(
        self, track: int, candidate: _Candidate, sight: Sight | None, image_bgr: ImageBGR, at_s: float
    ) -> LivenessVerdict | None:
        if candidate.judge is None:
            trouble = self._checks.find_trouble()
            if trouble is not None:
                return trouble
            candidate.judge = self._checks.start(self._checks.draw(without=candidate.failed))
        judge = candidate.judge
        try:
            state = self._checks.follow(judge, image_bgr, None if sight is None else sight.face, at_s)
        except ModelError as exc:
            return LivenessVerdict(Outcome.LIVENESS_UNAVAILABLE, trouble=exc)
        if not state.over:
            assert judge.request is not None
            self._show(track, candidate.match, judge.request)
            return None
        if state.failure is not None:
            # Another movement next time, for people who cannot do this one.
            undone = judge.challenge.actions[min(state.done, len(judge.challenge.actions) - 1)]
            candidate.failed = frozenset() if candidate.failed else frozenset({undone})
            return refuse(state.failure)
        assert judge.first is not None and judge.last is not None
        ends = (judge.first, judge.last)
        if not self._are_of(candidate.match.label, ends):
            return refuse(ChallengeFailure.OTHER_PERSON)
        return self._checks.score(ends, moved=True) if self._checks.wants_passive else LivenessVerdict(score=1.0)

    def _show(self, track: int, match: Match, request: MovementRequest) -> None:
        before = self._requests.get(track)
        if before is not None and _falls_back(before, request):
            # A landmark that jumps back for a frame is no news.
            request = replace(request, stage=before.stage)
        self._requests[track] = request
        if before is None or _words(before) != _words(request):
            self._asks.append(LivenessAsk(track, match, request))

    def _look(self, candidate: _Candidate, sight: Sight | None, at_s: float) -> LivenessVerdict | None:
        if not self._checks.wants_passive:
            return LivenessVerdict()
        if len(candidate.looks) < PASSIVE_FRAMES:
            if sight is None or at_s - candidate.looked_s < PASSIVE_EVERY_S:
                return None
            candidate.looked_s = at_s
            if self._are_of(candidate.match.label, (sight,)):
                candidate.looks.append(self.look(sight))
            if len(candidate.looks) < PASSIVE_FRAMES:
                return None
        verdict = self._checks.join([look.verdict.result() for look in candidate.looks])
        if verdict.refusal is not Outcome.MOVEMENT_NEEDED:
            return verdict
        candidate.unsure, candidate.looks = True, []
        return None

    def _are_of(self, label: int, sights: Sequence[Sight]) -> bool:
        seen = [self._recognizer.examine(sight.image_bgr, [sight.face])[0] for sight in sights]
        probes = [observation.embedding for observation in seen if observation.embedding is not None]
        matches = self._gallery.match(probes)
        named = [match for match in matches if match.outcome is Outcome.RECOGNIZED and match.label == label]
        return len(named) == len(sights)

    def _settle(self, track: int, candidate: _Candidate, verdict: LivenessVerdict, at_s: float) -> None:
        self._requests.pop(track, None)
        if verdict.refusal is None:
            del self._candidates[track]
            if self._checks.guards:
                self._attempts.forget(candidate.match.label)
            return
        if verdict.refusal in COUNTED:
            self._attempts.count_failure(candidate.match.label)
        candidate.judge, candidate.looks = None, []
        candidate.begun = candidate.unsure = False
        paused = verdict.refusal is Outcome.TOO_MANY_ATTEMPTS
        candidate.rest_until_s = float("inf") if paused else at_s + AGAIN_AFTER_S

    def _drop(self, track: int) -> None:
        candidate = self._candidates.pop(track)
        self._requests.pop(track, None)
        if candidate.judge is not None and candidate.judge.first is not None:
            # Who leaves in the middle has used up an attempt, as has a picture that is taken away.
            self._attempts.count_failure(candidate.match.label)


def _words(request: MovementRequest) -> MovementRequest:
    """Return what of a request is told in words: how far it is exactly, is only drawn."""
    return replace(request, progress=0.0)


def _falls_back(before: MovementRequest, now: MovementRequest) -> bool:
    """Tell whether the same movement is said to be less far than before."""
    same = (before.prompt, before.step) == (now.prompt, now.step)
    stages = list(MovementStage)
    return same and stages.index(now.stage) < stages.index(before.stage)
