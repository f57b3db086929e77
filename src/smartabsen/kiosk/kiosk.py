"""The recognition session at a camera: find, track, compare, vote, punch, greet.

One thread runs it. Each frame is searched for faces; a face is embedded only while its track is undecided, and now and
then afterwards to notice that somebody else stepped in. Punches are written beside it, so that no frame waits for a
database; a decision is announced after its punch is on disk: in the database, or in the kiosk's own queue as pending.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from ..camera.base import Frame, FrameSource
from ..gallery.gallery import LiveGallery
from ..gallery.liveness import FIRST_PAUSE_S, WRONG, WRONG_FACES
from ..kernel.domain import (
    Employee,
    Face,
    ImageBGR,
    KioskEvent,
    KioskEventKind,
    KioskSummary,
    Match,
    Measured,
    MovementRequest,
    Observation,
    Outcome,
    Punch,
    PunchResult,
)
from ..kernel.ending import Ending
from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from ..kernel.messages import PROMPTS, describe_request, greet, refusal, tell_pending
from ..recognition.liveness.challenge import Sight
from ..recognition.recognizer import Recognizer
from ..recognition.tracking import Tracker
from ..recognition.voting import TrackVote, Verdict
from ..store.clock import WRITTEN
from ..store.trusted_clock import TrustedClock
from .liveness import KioskLiveness, LivenessAnswer, LivenessAsk, Look
from .parts import KioskView, MakeAttempt, ShownFace, Writer
from .punch_writer import Written

READ_TIMEOUT_S: Final = 1.0
REFRESH_S: Final = 1.0
"""How often a running session looks for a newly trained model."""
RATE_S: Final = 1.0
"""How often a session tells how many frames it looks at."""
REST_S: Final = 0.15
"""While nobody in sight is undecided, faces are searched so often only: at 15 frames a second in every third one."""

SIGHTS: Final = 5
"""The last frames of an undecided track in which somebody was recognised; the sharpest of them show who is alive."""

Announce = Callable[[KioskEvent], None]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A frame in which somebody was recognised."""

    label: int
    sharpness: float
    look: Look


@dataclass(slots=True)
class _Track:
    vote: TrackVote
    outcome: Outcome | None = None
    name: str = ""
    covered: bool = False
    wrong_faces: int = 0
    paused_until_s: float = float("-inf")
    measured: dict[Outcome, Measured | None] = field(default_factory=dict)
    sights: deque[_Seen] = field(default_factory=lambda: deque(maxlen=SIGHTS))


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
        attempt: Makes the attempt to punch of a recognised person.
        liveness: Asked before an attempt is made.
        writer: Stores attempts; closed at the end of the session.
        clock: Tells when, and whether that is to be trusted.
        votes: Frames that must agree before a decision.
        announce: Told each event, in the thread that runs the session.
        stop: Ends the session.
        zone: Of the site, for the times that are shown.
        view: Shows frames, or None.
        people: Employees by id, for their names while the database is away.
        renew: Gives recogniser and gallery of the engine that has come into force in the place of another one.
    """

    def __init__(
        self,
        *,
        frames: FrameSource,
        recognizer: Recognizer,
        gallery: LiveGallery,
        attempt: MakeAttempt,
        liveness: KioskLiveness,
        writer: Writer,
        clock: TrustedClock,
        votes: int,
        announce: Announce,
        stop: Ending,
        zone: tzinfo = UTC,
        view: KioskView | None = None,
        people: Mapping[int, Employee] | None = None,
        renew: Callable[[], tuple[Recognizer, LiveGallery]] | None = None,
    ) -> None:
        self._frames = frames
        self._recognizer = recognizer
        self._gallery = gallery
        self._attempt = attempt
        self._liveness = liveness
        self._writer = writer
        self._clock = clock
        self._votes = votes
        self._announce = announce
        self._stop = stop
        self._zone = zone
        self._view = view
        self._tracker = Tracker()
        self._tracks: dict[int, _Track] = {}
        self._counts = _Counts()
        self._searched_s = float("-inf")
        self._seen: list[tuple[int, Face]] = []
        self._last_image: ImageBGR | None = None
        self._people = dict(people or {})
        self._renew = renew
        self._refreshed_at = self._rate_told_at = time.monotonic()
        self._frames_told = 0

    def run(self) -> KioskSummary:
        """Run until the recording ends, ``stop`` is set, or the view wants to quit."""
        started = time.monotonic()
        try:
            reason = self._go_on()
        finally:
            self._liveness.close()
        pending = self._writer.close()
        self._announce_answers()
        summary = KioskSummary(
            frames=self._counts.frames,
            seconds=time.monotonic() - started,
            recorded=self._counts.recorded,
            already_recorded=self._counts.already_recorded,
            refused=self._counts.refused,
            reason=reason or ("time_over" if self._stop.time_is_over else "stopped"),
            pending=pending,
            lost=self._writer.lost,
        )
        self._tell(KioskEventKind.SUMMARY, summary=summary)
        return summary

    def _go_on(self) -> str:
        """Take frames until the session ends; return why, empty where it was stopped."""
        while not self._stop.is_set():
            self._refresh_gallery()
            self._announce_answers()
            self._tell_rate()
            try:
                frame = self._frames.read(READ_TIMEOUT_S)
            except CameraError:
                # A live camera reports its loss itself, and goes on trying; a recording cannot come back.
                if not self._frames.live:
                    raise
                if self._view is not None:
                    # A window takes no key and no click unless it is shown something.
                    self._view.show_lost(self._last_image)
                if self._wants_quit():
                    return "window_closed"
                continue
            if frame is None:
                return "" if self._stop.is_set() else "end_of_recording"
            self._take(frame)
            if self._wants_quit():
                return "window_closed"
        return ""

    def _take(self, frame: Frame) -> None:
        self._counts.frames += 1
        if not self._rests(frame.at_s):
            self._search(frame)
        self._announce_answers()
        if self._view is not None:
            self._view.show(frame.image_bgr, [self._shown(number, face) for number, face in self._seen])
            self._last_image = frame.image_bgr

    def _rests(self, now_s: float) -> bool:
        """Tell whether this frame needs no search: nobody in sight is undecided, and the last search was just now.

        Every frame of a recording is searched: nobody waits for it.
        """
        if not self._frames.live or self._liveness.waits or not 0.0 <= now_s - self._searched_s < REST_S:
            return False
        return not any(self._wants_embedding(number, now_s) for number in self._tracks)

    def _search(self, frame: Frame) -> None:
        """Find the faces of a frame, and compare those that are undecided."""
        self._searched_s = frame.at_s
        faces = self._recognizer.find(frame.image_bgr)
        numbers = self._tracker.update([face.box_xyxy for face in faces], frame.at_s)
        self._forget_ended_tracks()
        self._seen = list(zip(numbers, faces, strict=True))
        wanted = [(number, face) for number, face in self._seen if self._wants_embedding(number, frame.at_s)]
        if wanted:
            self._compare(frame, wanted, largest=faces[0])
        by_track = dict(self._seen)
        for answer in self._liveness.take(frame.image_bgr, by_track, self._tracker.alive, frame.at_s):
            self._take_answer(answer)
        for ask in self._liveness.asks():
            self._tell_ask(ask)

    def _tell_ask(self, ask: LivenessAsk) -> None:
        self._tell(
            KioskEventKind.PROMPT,
            track=ask.track,
            detail=PROMPTS[ask.request.prompt],
            request=ask.request,
            employee=self._find_matched(ask.match),
        )

    def _wants_embedding(self, number: int, now_s: float) -> bool:
        track = self._track(number)
        return now_s >= track.paused_until_s and track.vote.wants_embedding(now_s)

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
                track.measured[refusal] = observation.measured
                verdict = track.vote.add_refusal(refusal, frame.at_s)
            else:
                track.covered = observation.quality.covered
                match = next(matches)
                self._keep_sight(track, match, observation, frame.image_bgr)
                verdict = track.vote.add_match(match, observation.embedding, frame.at_s)
            if verdict is not None:
                self._decide(number, verdict)
            elif track.vote.verdict is None:
                # Nobody decided yet, or somebody else has stepped in: no name may stay on the screen.
                track.outcome, track.name = None, ""

    def _decide(self, number: int, verdict: Verdict) -> None:
        if verdict.match is not None and verdict.outcome is Outcome.RECOGNIZED:
            label, track = verdict.match.label, self._track(number)
            named = sorted((each for each in track.sights if each.label == label), key=lambda each: -each.sharpness)
            track.sights.clear()
            self._liveness.begin(number, verdict.match, [each.look for each in named])
            return
        self._refuse(number, verdict.outcome, verdict.match, self._track(number).measured.get(verdict.outcome))

    def _keep_sight(self, track: _Track, match: Match, observation: Observation, image_bgr: ImageBGR) -> None:
        undecided = track.vote.verdict is None or not track.vote.verdict.decided
        if match.outcome is Outcome.RECOGNIZED and undecided and self._liveness.wants_sights:
            look = self._liveness.look(Sight(image_bgr, observation.face))
            track.sights.append(_Seen(match.label, observation.quality.sharpness, look))

    def _take_answer(self, answer: LivenessAnswer) -> None:
        match, verdict, number = answer.match, answer.verdict, answer.track
        if verdict.trouble is not None:
            trouble = verdict.trouble
            self._tell(KioskEventKind.TROUBLE, track=number, detail=trouble.message_id, params=trouble.text_params)
        if verdict.refusal is not None:
            self._refuse(answer.track, verdict.refusal, match, verdict.measured)
            return
        person = self._gallery.person(match.label)
        known = self._find_matched(match)
        attempt = self._attempt(
            match.label,
            similarity=match.similarity,
            reading=self._clock.now(),
            liveness=verdict.score,
            person=person,
            code=known.code if known is not None else "",
        )
        self._writer.submit(attempt, track=answer.track)

    def _find_person(self, row_id: int, person: str) -> Employee | None:
        """Return what is known of an employee; nothing where that row id was another person's then.

        Whom the database has not told of since the start, the trained model names.
        """
        found = self._people.get(row_id)
        if found is not None and person in ("", found.uuid):
            return found
        member = self._gallery.member(row_id)
        if member is None or not member.code or member.uuid != person:
            return None
        return Employee(row_id, member.code, member.name, "", active=True, created_at=WRITTEN, uuid=member.uuid)

    def _find_matched(self, match: Match) -> Employee | None:
        return self._find_person(match.label, self._gallery.person(match.label))

    def _shown(self, number: int, face: Face) -> ShownFace:
        track, ask = self._track(number), self._liveness.find_ask(number)
        if ask is None:
            return ShownFace(face, track.outcome, track.name)
        person = self._find_matched(ask.match)
        name = "" if person is None else f"{person.name}\n"
        return ShownFace(face, None, f"{name}{describe_request(ask.request)}", ask.request)

    def _refuse(self, number: int, outcome: Outcome, match: Match | None, measured: Measured | None = None) -> None:
        self._counts.refused += 1
        covered = match is not None and self._track(number).covered
        self._show_outcome(number, outcome, refusal(outcome, covered=covered))
        similarity, lead = (match.similarity, match.margin) if match is not None else (None, None)
        self._tell(
            KioskEventKind.DECISION,
            outcome=outcome,
            track=number,
            similarity=similarity,
            lead=lead,
            covered=covered,
            measured=measured,
        )
        self._count_wrong_face(number, outcome)

    def _count_wrong_face(self, number: int, outcome: Outcome) -> None:
        """After five wrong faces at one place there is a pause there; others are recognised meanwhile."""
        track = self._tracks.get(number)
        if track is None or outcome not in WRONG:
            return
        track.wrong_faces += 1
        if track.wrong_faces >= WRONG_FACES:
            # The clock of the frames: a film has its own.
            track.paused_until_s = self._searched_s + FIRST_PAUSE_S
            self._show_outcome(number, Outcome.TOO_MANY_ATTEMPTS, refusal(Outcome.TOO_MANY_ATTEMPTS))
            self._tell(KioskEventKind.DECISION, outcome=Outcome.TOO_MANY_ATTEMPTS, track=number)

    def _announce_answers(self) -> None:
        for written in self._writer.answers():
            self._announce_answer(written)

    def _announce_answer(self, written: Written) -> None:
        attempt, track = written.attempt, written.track
        if written.trouble is not None:
            trouble = written.trouble
            self._tell(KioskEventKind.TROUBLE, track=track, detail=trouble.message_id, params=trouble.text_params)
        elif written.result is not None:
            self._announce_result(written.result, attempt, track)
        elif attempt is not None and track is not None and written.pending:
            employee = self._find_person(attempt.employee_id, attempt.person)
            self._show_outcome(track, Outcome.PENDING, tell_pending(employee, attempt.at, self._zone))
            self._tell(
                KioskEventKind.DECISION,
                at=attempt.at,
                outcome=Outcome.PENDING,
                employee=employee,
                track=track,
                similarity=attempt.similarity,
            )
        elif track is not None:
            # Deactivated since the model was trained: a stranger to this kiosk.
            self._refuse(track, Outcome.UNKNOWN, None)

    def _announce_result(self, result: PunchResult, attempt: Punch | None, track: int | None) -> None:
        self._people[result.employee.id] = result.employee
        if result.outcome is Outcome.RECOGNIZED:
            self._counts.recorded += 1
        else:
            self._counts.already_recorded += 1
        if track in self._tracks:
            self._tracks[track].wrong_faces = 0
        if track is not None:
            self._show_outcome(track, result.outcome, greet(result, self._zone))
        self._tell(
            KioskEventKind.DELIVERED if track is None else KioskEventKind.DECISION,
            at=result.punch.at if result.outcome is Outcome.RECOGNIZED else None,
            outcome=result.outcome,
            result=result,
            track=track,
            similarity=attempt.similarity if attempt is not None else None,
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
        if self._take_over_engine() or self._gallery.refresh():
            # Labels of the old gallery mean nothing to a vote that goes on.
            self._tracks.clear()
            detail = N_("The newly trained model {version} is in use. People in it: {people}.")
            params = (("version", self._gallery.version), ("people", str(self._gallery.people)))
            self._tell(KioskEventKind.MODEL_RELOADED, detail=detail, params=params)

    def _take_over_engine(self) -> bool:
        """Change to the engine that is in force now; return whether there was another one.

        Raises:
            ModelError: This machine does not have it.
        """
        if self._renew is None or self._gallery.other_engine is None:
            return False
        detail = N_("The people here are recognised with {engine} from now on; this kiosk changes to it.")
        self._tell(KioskEventKind.TROUBLE, detail=detail, params=(("engine", str(self._gallery.other_engine)),))
        self._recognizer, self._gallery = self._renew()
        self._liveness.take_over(self._recognizer, self._gallery)
        return True

    def _tell_rate(self) -> None:
        now = time.monotonic()
        passed_s = now - self._rate_told_at
        if passed_s >= RATE_S:
            rate = (self._counts.frames - self._frames_told) / passed_s
            self._rate_told_at, self._frames_told = now, self._counts.frames
            self._announce(KioskEvent(KioskEventKind.RUNNING, datetime.now(UTC), frames_per_s=rate))

    def _track(self, number: int) -> _Track:
        if number not in self._tracks:
            self._tracks[number] = _Track(TrackVote(votes=self._votes, same_person=self._gallery.threshold))
        return self._tracks[number]

    def _tell(
        self,
        kind: KioskEventKind,
        *,
        at: datetime | None = None,
        outcome: Outcome | None = None,
        result: PunchResult | None = None,
        similarity: float | None = None,
        track: int | None = None,
        detail: str = "",
        params: tuple[tuple[str, str], ...] = (),
        summary: KioskSummary | None = None,
        employee: Employee | None = None,
        lead: float | None = None,
        covered: bool = False,
        measured: Measured | None = None,
        request: MovementRequest | None = None,
    ) -> None:
        self._announce(
            KioskEvent(
                kind,
                at or self._clock.now().at,
                outcome=outcome,
                result=result,
                similarity=similarity,
                track=track,
                detail=detail,
                params=params,
                summary=summary,
                employee=employee,
                lead=lead,
                covered=covered,
                measured=measured,
                request=request,
            )
        )
