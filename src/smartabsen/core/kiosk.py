"""The recognition session at a camera: find, track, compare, vote, punch, greet.

One thread runs it. Each frame is searched for faces; a face is embedded only while its track is undecided, and now and
then afterwards to notice that somebody else stepped in. A decision is announced after its punch is on disk.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final, Protocol

from ..camera.base import Frame, FrameSource
from ..domain import (
    Face,
    ImageBGR,
    KioskEvent,
    KioskEventKind,
    KioskSummary,
    Match,
    Outcome,
    PunchResult,
)
from ..errors import CameraError, ConflictError, DatabaseError, NotFoundError, StorageError
from ..i18n import N_
from ..messages import greet, refusal
from ..recognition.recognizer import Recognizer
from ..recognition.tracking import Tracker
from ..recognition.voting import TrackVote, Verdict
from .gallery import LiveGallery

READ_TIMEOUT_S: Final = 1.0
REFRESH_S: Final = 1.0
"""How often a running session looks for a newly trained model."""
REST_S: Final = 0.15
"""While nobody in sight is undecided, faces are searched so often only: at 15 frames a second in every third one."""
RETRY_S: Final = 1.0
"""Wait before a punch that the database refused is tried again; the same attempt, with the same key."""

Announce = Callable[[KioskEvent], None]


class PunchByFace(Protocol):
    """Stores the punch of a recognised person; see :func:`smartabsen.core.punch.punch_by_face`."""

    def __call__(self, employee_id: int, *, similarity: float, key: str, at: datetime) -> PunchResult: ...


class KioskView(Protocol):
    """Shows what the kiosk sees; ``wants_quit`` ends the session."""

    @property
    def wants_quit(self) -> bool: ...

    def show(self, image_bgr: ImageBGR, faces: list[tuple[Face, Outcome | None, str]]) -> None:
        """Show a frame with each face, its outcome so far (None: undecided), and what the person is told."""
        ...


@dataclass(slots=True)
class _Attempt:
    """A recognised person whose punch is not stored yet."""

    track: int
    match: Match
    key: str
    at: datetime
    next_try_s: float = 0.0
    told: bool = False


@dataclass(slots=True)
class _Track:
    vote: TrackVote
    outcome: Outcome | None = None
    name: str = ""


@dataclass(slots=True)
class _Counts:
    frames: int = 0
    recorded: int = 0
    already_recorded: int = 0
    refused: int = 0


class Kiosk:
    """A session. Make one, call :meth:`run` once.

    Args:
        frames: The camera.
        recognizer: Finds and embeds faces.
        gallery: Compares them, and follows newly trained models.
        punch: Stores a punch.
        votes: Frames that must agree before a decision.
        announce: Told each event, in the thread that runs the session.
        stop: Set by others to end the session.
        zone: Of the site, for the times that are shown.
        view: Shows frames, or None.
    """

    def __init__(
        self,
        *,
        frames: FrameSource,
        recognizer: Recognizer,
        gallery: LiveGallery,
        punch: PunchByFace,
        votes: int,
        announce: Announce,
        stop: threading.Event,
        zone: tzinfo = UTC,
        view: KioskView | None = None,
    ) -> None:
        self._frames = frames
        self._recognizer = recognizer
        self._gallery = gallery
        self._punch = punch
        self._votes = votes
        self._announce = announce
        self._stop = stop
        self._zone = zone
        self._view = view
        self._tracker = Tracker()
        self._tracks: dict[int, _Track] = {}
        self._attempts: list[_Attempt] = []
        self._counts = _Counts()
        self._searched_s = float("-inf")
        self._seen: list[tuple[int, Face]] = []
        self._last_image: ImageBGR | None = None
        self._refreshed_at = time.monotonic()

    def run(self, *, max_seconds: float | None = None) -> KioskSummary:
        """Run until the recording ends, ``stop`` is set, the view wants to quit, or ``max_seconds`` have passed."""
        started = time.monotonic()
        reason = "stopped"
        while not self._stop.is_set():
            if max_seconds is not None and time.monotonic() - started >= max_seconds:
                reason = "time_over"
                break
            self._refresh_gallery()
            try:
                frame = self._frames.read(READ_TIMEOUT_S)
            except CameraError:
                # A live camera reports its loss itself, and goes on trying; a recording cannot come back.
                if not self._frames.live:
                    raise
                self._keep_view_alive()
                if self._wants_quit():
                    reason = "window_closed"
                    break
                continue
            if frame is None:
                reason = "stopped" if self._stop.is_set() else "end_of_recording"
                break
            self._take(frame)
            if self._wants_quit():
                reason = "window_closed"
                break
        self._settle_attempts()
        summary = KioskSummary(
            frames=self._counts.frames,
            seconds=time.monotonic() - started,
            recorded=self._counts.recorded,
            already_recorded=self._counts.already_recorded,
            refused=self._counts.refused,
            reason=reason,
        )
        self._tell(KioskEventKind.SUMMARY, summary=summary)
        return summary

    def _take(self, frame: Frame) -> None:
        self._counts.frames += 1
        if not self._rests(frame.at_s):
            self._search(frame)
        self._try_attempts(now_s=time.monotonic())
        if self._view is not None:
            shown = [(face, self._track(number).outcome, self._track(number).name) for number, face in self._seen]
            self._view.show(frame.image_bgr, shown)
            self._last_image = frame.image_bgr

    def _rests(self, now_s: float) -> bool:
        """Tell whether this frame needs no search: nobody in sight is undecided, and the last search was just now.

        Every frame of a recording is searched: nobody waits for it.
        """
        if not self._frames.live or not 0.0 <= now_s - self._searched_s < REST_S:
            return False
        return not any(track.vote.wants_embedding(now_s) for track in self._tracks.values())

    def _search(self, frame: Frame) -> None:
        """Find the faces of a frame, and compare those that are undecided."""
        self._searched_s = frame.at_s
        faces = self._recognizer.find(frame.image_bgr)
        numbers = self._tracker.update([face.box_xyxy for face in faces], frame.at_s)
        self._forget_ended_tracks()
        self._seen = list(zip(numbers, faces, strict=True))
        wanted = [(number, face) for number, face in self._seen if self._track(number).vote.wants_embedding(frame.at_s)]
        if wanted:
            self._compare(frame, wanted, largest=faces[0])

    def _keep_view_alive(self) -> None:
        # A window takes no key and no click unless it is shown something.
        if self._view is not None and self._last_image is not None:
            self._view.show(self._last_image, [])

    def _wants_quit(self) -> bool:
        return self._view is not None and self._view.wants_quit

    def _compare(self, frame: Frame, wanted: list[tuple[int, Face]], *, largest: Face) -> None:
        seen = self._recognizer.examine(frame.image_bgr, [face for _, face in wanted])
        compared = [observation.embedding for observation in seen if observation.embedding is not None]
        matches = iter(self._gallery.match(compared))
        for (number, _), observation in zip(wanted, seen, strict=True):
            track = self._track(number)
            if observation.embedding is None:
                refusal = observation.refusal or Outcome.UNREADABLE
                if refusal is Outcome.TOO_SMALL and observation.face is not largest:
                    # Who is far behind somebody else is not meant yet.
                    continue
                verdict = track.vote.add_refusal(refusal, frame.at_s)
            else:
                verdict = track.vote.add_match(next(matches), observation.embedding, frame.at_s)
            if verdict is not None:
                self._decide(number, verdict)
            elif track.vote.verdict is None:
                # Nobody decided yet, or somebody else has stepped in: no name may stay on the screen.
                track.outcome, track.name = None, ""

    def _decide(self, number: int, verdict: Verdict) -> None:
        if verdict.match is not None and verdict.outcome is Outcome.RECOGNIZED:
            self._attempts.append(_Attempt(number, verdict.match, f"kiosk-{uuid.uuid4().hex}", datetime.now(UTC)))
            return
        similarity = verdict.match.similarity if verdict.match is not None else None
        self._refuse(number, verdict.outcome, similarity)

    def _refuse(self, number: int, outcome: Outcome, similarity: float | None) -> None:
        self._counts.refused += 1
        self._show_outcome(number, outcome, refusal(outcome))
        self._tell(KioskEventKind.DECISION, outcome=outcome, track=number, similarity=similarity)

    def _try_attempts(self, *, now_s: float) -> None:
        # While the database is away, an attempt outlives the walk past the camera, and the person who comes next.
        due = [attempt for attempt in self._attempts if now_s >= attempt.next_try_s]
        for attempt in due:
            if self._is_settled(attempt, now_s=now_s):
                self._attempts.remove(attempt)

    def _is_settled(self, attempt: _Attempt, *, now_s: float) -> bool:
        """Try to store a punch and announce what came of it; False when it must be tried again."""
        match = attempt.match
        try:
            result = self._punch(match.label, similarity=match.similarity, key=attempt.key, at=attempt.at)
        except (NotFoundError, ConflictError):
            # Deactivated since the model was trained: a stranger to this kiosk.
            self._refuse(attempt.track, Outcome.UNKNOWN, None)
            return True
        except (DatabaseError, StorageError) as exc:
            attempt.next_try_s = now_s + RETRY_S
            if not attempt.told:
                attempt.told = True
                self._tell(KioskEventKind.TROUBLE, track=attempt.track, detail=exc.message_id, params=exc.text_params)
            return False
        if result.outcome is Outcome.RECOGNIZED:
            self._counts.recorded += 1
        else:
            self._counts.already_recorded += 1
        self._show_outcome(attempt.track, result.outcome, greet(result, self._zone))
        self._tell(
            KioskEventKind.DECISION,
            outcome=result.outcome,
            result=result,
            track=attempt.track,
            similarity=match.similarity,
        )
        return True

    def _settle_attempts(self) -> None:
        self._try_attempts(now_s=float("inf"))
        for attempt in self._attempts:
            self._tell(
                KioskEventKind.TROUBLE,
                track=attempt.track,
                detail=N_("A punch could not be stored before the session ended; nothing was announced for it."),
            )

    def _show_outcome(self, number: int, outcome: Outcome, name: str) -> None:
        if number in self._tracks:
            self._tracks[number].outcome, self._tracks[number].name = outcome, name

    def _forget_ended_tracks(self) -> None:
        for number in self._tracks.keys() - self._tracker.alive:
            del self._tracks[number]

    def _refresh_gallery(self) -> None:
        now = time.monotonic()
        if now - self._refreshed_at < REFRESH_S:
            return
        self._refreshed_at = now
        if self._gallery.refresh():
            # Labels of the old gallery mean nothing to a vote that goes on.
            self._tracks.clear()
            detail = N_("The newly trained model {version} is in use. People in it: {people}.")
            params = (("version", self._gallery.version), ("people", str(self._gallery.people)))
            self._tell(KioskEventKind.MODEL_RELOADED, detail=detail, params=params)

    def _track(self, number: int) -> _Track:
        if number not in self._tracks:
            self._tracks[number] = _Track(TrackVote(votes=self._votes, same_person=self._gallery.threshold))
        return self._tracks[number]

    def _tell(
        self,
        kind: KioskEventKind,
        *,
        outcome: Outcome | None = None,
        result: PunchResult | None = None,
        similarity: float | None = None,
        track: int | None = None,
        detail: str = "",
        params: tuple[tuple[str, str], ...] = (),
        summary: KioskSummary | None = None,
    ) -> None:
        self._announce(
            KioskEvent(
                kind,
                result.punch.at if result is not None and outcome is Outcome.RECOGNIZED else datetime.now(UTC),
                outcome=outcome,
                result=result,
                similarity=similarity,
                track=track,
                detail=detail,
                params=params,
                summary=summary,
            )
        )
