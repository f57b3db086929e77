"""Frames that agree: from what single frames say about one track to a verdict."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..kernel.domain import FloatArray, Match, Outcome
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_

_KEPT_EMBEDDINGS: Final = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a track's frames say together.

    Attributes:
        outcome: RECOGNIZED, UNKNOWN or AMBIGUOUS; or the reason (TOO_DARK ...) that has kept the face from being
            compared for a while: guidance for the person, not a decision.
        match: The strongest match of the person who was recognised; the last one for UNKNOWN and AMBIGUOUS; None
            for guidance.
        frames: Frames that it rests on.
    """

    outcome: Outcome
    match: Match | None
    frames: int

    @property
    def decided(self) -> bool:
        """Whether this is a decision rather than guidance."""
        return self.match is not None


class TrackVote:
    """Collects what single frames say about one track until they agree.

    - RECOGNIZED: ``votes`` of the last 2 x ``votes`` compared frames name the same person, and none another.
    - UNKNOWN, AMBIGUOUS: 2 x ``votes`` compared frames over ``refuse_after_s`` have not led there and the last
      ``votes`` name nobody, or 4 x ``votes`` have not led there. So a bad first frame turns nobody away; and who
      comes nearer and is recognised after all, is. A recognition is never taken back by frames that name nobody.
    - Guidance: nothing could be compared for ``guide_after_s``; the most frequent reason is told.

    A frame whose embedding is unlike the last ones of the track, and which names nobody whom they name, counts for
    nobody. When the next one is like it, another person stands there: the vote begins anew with these two.

    Args:
        votes: Frames that must agree, >= 1.
        same_person: Cosine below which two embeddings of a track are not one person: the engine's threshold.
        recheck_s: After a decision, an embedding is wanted so often, to notice another person.
        refuse_after_s: No refusal comes before compared frames have covered so much time.
        guide_after_s: Guidance comes when nothing could be compared for so long.

    Raises:
        InvalidInputError: ``votes`` is below 1.
    """

    def __init__(
        self,
        *,
        votes: int,
        same_person: float,
        recheck_s: float = 1.0,
        refuse_after_s: float = 0.8,
        guide_after_s: float = 1.5,
    ) -> None:
        if votes < 1:
            raise InvalidInputError(N_("A decision needs at least one vote, not {votes}."), votes=votes)
        self._votes = votes
        self._same_person = same_person
        self._recheck_s = recheck_s
        self._refuse_after_s = refuse_after_s
        self._guide_after_s = guide_after_s
        self._verdict: Verdict | None = None
        self._matches: deque[Match] = deque(maxlen=2 * votes)
        self._embeddings: deque[FloatArray] = deque(maxlen=_KEPT_EMBEDDINGS)
        self._stray: tuple[Match, FloatArray, float] | None = None
        self._compared = 0
        self._first_s = self._compared_s = -math.inf
        self._refusals: Counter[Outcome] = Counter()
        self._refused_s = -math.inf

    @property
    def verdict(self) -> Verdict | None:
        """What stands now; None while frames are being collected."""
        return self._verdict

    def wants_embedding(self, now_s: float) -> bool:
        """Tell whether this frame's face should be embedded: always until decided, then now and then."""
        if self._verdict is None or not self._verdict.decided or self._stray is not None:
            return True
        if self._verdict.outcome is not Outcome.RECOGNIZED and self._matches[-1].outcome is Outcome.RECOGNIZED:
            # Refused so far, but somebody came nearer.
            return True
        return now_s - self._compared_s >= self._recheck_s

    def add_match(self, match: Match, embedding: FloatArray, now_s: float) -> Verdict | None:
        """Count a compared frame.

        Args:
            match: The decision on this frame alone.
            embedding: float32 (D,), unit length: what was compared.
            now_s: Time of the frame.

        Returns:
            The verdict when this frame brought a new one, else None.
        """
        self._refusals.clear()
        if self._matches and not self._is_same_person(match, embedding):
            stray, self._stray = self._stray, (match, embedding, now_s)
            if stray is None or not self._is_like(embedding, [stray[1]]):
                return None
            self._begin_anew()
            first = self._count(*stray)
            return self._count(match, embedding, now_s) or first
        self._stray = None
        return self._count(match, embedding, now_s)

    def add_refusal(self, refusal: Outcome, now_s: float) -> Verdict | None:
        """Count a frame whose face was not good enough to be compared.

        Returns:
            Guidance when it is time for it and it differs from what stands, else None. After a decision there is
            none: people turn away when they go.
        """
        if self._verdict is not None and self._verdict.decided:
            return None
        if not self._refusals:
            self._refused_s = now_s
        self._refusals[refusal] += 1
        if now_s - self._refused_s < self._guide_after_s or self._refusals.total() < self._votes:
            return None
        reason, _ = self._refusals.most_common(1)[0]
        guidance = Verdict(reason, None, self._refusals.total())
        self._refusals.clear()
        if self._verdict is not None and self._verdict.outcome is reason:
            return None
        self._verdict = guidance
        return guidance

    def _begin_anew(self) -> None:
        self._verdict = self._stray = None
        self._matches.clear()
        self._embeddings.clear()
        self._compared = 0

    def _count(self, match: Match, embedding: FloatArray, now_s: float) -> Verdict | None:
        if not self._matches:
            self._first_s = now_s
        self._compared_s = now_s
        self._compared += 1
        self._matches.append(match)
        self._embeddings.append(embedding)
        verdict = self._recognize() or self._refuse(now_s)
        if verdict is not None:
            self._verdict = verdict
        return verdict

    def _recognize(self) -> Verdict | None:
        named = [match for match in self._matches if match.outcome is Outcome.RECOGNIZED]
        labels = {match.label for match in named}
        if len(named) < self._votes or len(labels) > 1 or labels == {self._recognized_label()}:
            return None
        return Verdict(Outcome.RECOGNIZED, max(named, key=lambda match: match.similarity), len(named))

    def _refuse(self, now_s: float) -> Verdict | None:
        if self._verdict is not None and self._verdict.decided:
            return None
        if self._compared < 2 * self._votes or now_s - self._first_s < self._refuse_after_s:
            return None
        hopeful = any(match.outcome is Outcome.RECOGNIZED for match in list(self._matches)[-self._votes :])
        if hopeful and self._compared < 4 * self._votes:
            return None
        refusals = Counter(match.outcome for match in self._matches if match.outcome is not Outcome.RECOGNIZED)
        labels = {match.label for match in self._matches if match.outcome is Outcome.RECOGNIZED}
        outcome = refusals.most_common(1)[0][0] if len(labels) < 2 else Outcome.AMBIGUOUS
        return Verdict(outcome, self._matches[-1], len(self._matches))

    def _recognized_label(self) -> int | None:
        standing = self._verdict
        if standing is None or standing.match is None or standing.outcome is not Outcome.RECOGNIZED:
            return None
        return standing.match.label

    def _is_same_person(self, match: Match, embedding: FloatArray) -> bool:
        if self._is_like(embedding, self._embeddings):
            return True
        named = {earlier.label for earlier in self._matches if earlier.outcome is Outcome.RECOGNIZED}
        return match.outcome is Outcome.RECOGNIZED and named == {match.label}

    def _is_like(self, embedding: FloatArray, others: Iterable[FloatArray]) -> bool:
        return any(float(np.dot(embedding, other)) >= self._same_person for other in others)
