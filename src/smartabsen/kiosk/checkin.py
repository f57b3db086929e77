"""Attendance by a burst of frames from a browser: live, recognised, punched.

Threads share one :class:`CheckIn`. Each borrows a recogniser, and all of them ask one gallery.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ..app.bootstrap import Services
from ..attendance import punch_rows
from ..attendance.punch import punch_by_face
from ..gallery import model_rows
from ..gallery.gallery import LiveGallery
from ..gallery.identify import load_gallery, open_gallery, take_over_engine
from ..gallery.liveness import COUNTED, WRONG, Attempts, ClaimedFaces, FaceClaim, Limits, LivenessVerdict, refuse
from ..gallery.model_file import find_stamp, load_model
from ..gallery.refusals import make_refusal, note_refusal
from ..kernel.domain import (
    BoxXYXY,
    ChallengeFailure,
    ClockReading,
    Employee,
    Face,
    ImageBGR,
    LivenessAction,
    Match,
    Measured,
    MovementStage,
    Observation,
    Outcome,
    PunchResult,
    SecurityKind,
)
from ..kernel.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    KeyReusedError,
    NotFoundError,
    SmartAbsenError,
)
from ..kernel.i18n import N_, _
from ..people import employee_rows
from ..recognition.burst import MIN_MOTION, measure_motion
from ..recognition.decision import reaches
from ..recognition.images import ImageRefusal, decode_frame
from ..recognition.liveness.challenge import Challenge, Posture, Sight, posture_of, stage_of
from ..recognition.liveness.freshness import has_face_moved
from ..recognition.liveness.injection import check_digests, check_pictures, check_times, digest_frames
from ..recognition.recognizer import Recognizer
from ..store.database import Session
from ..trust import audit_rows

MIN_FRAMES: Final = 3
MAX_FRAMES: Final = 12
MAX_CHALLENGE_FRAMES: Final = 90
"""Frames of a burst in which a movement is made: some ten a second."""
LOOKED_AT: Final = 3
"""Frames of a burst in which faces are searched: the first, the last, and those between at equal distances."""
NOBODY: Final = -1
"""The label of no employee."""
AGREEING: Final = 2
"""Frames that must name the same person, and none another."""
_BYSTANDER: Final = 0.6
"""A second face of at least so much of the largest one's size is a second person who wants something."""
_SUSPICIOUS: Final = frozenset(
    {Outcome.NOT_A_CAMERA, Outcome.NOT_LIVE, Outcome.OTHER_FACE, Outcome.CHALLENGE_FAILED, Outcome.TOO_MANY_ATTEMPTS}
)
"""What an attempt looks like that shows pictures of somebody, or another one's face: events of the security log."""


@dataclass(frozen=True, slots=True, eq=False)
class Burst:
    """What a browser sends.

    Attributes:
        frames: Picture files of a camera's size, no progressive JPEG among them, in the order in which they were taken.
        times_s: Time of capture of each.
        asked: The movements that the server had asked for; None where none.
        within_s: Seconds since it was asked for; None where nothing was.
    """

    frames: Sequence[bytes]
    times_s: Sequence[float]
    asked: tuple[LivenessAction, ...] | None = None
    within_s: float | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the browser sent: a repetition has the same."""
        whole = sha256(repr(list(self.times_s)).encode())
        for frame in self.frames:
            whole.update(sha256(frame).digest())
        return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class CheckInResult:
    """What became of an attempt.

    Attributes:
        outcome: RECOGNIZED or ALREADY_RECORDED with a punch; else why not.
        employee: Who it was; None unless there is a punch.
        result: The punch.
        detail: What is wrong with a frame in particular, in English; a message id with ``params``. Mostly empty.
        covered: In most of the frames that were compared, mouth and chin seem to be covered.
    """

    outcome: Outcome
    employee: Employee | None = None
    result: PunchResult | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    covered: bool = False


@dataclass(frozen=True, slots=True)
class MovementLook:
    """How far a movement is in one picture.

    Attributes:
        posture: How the head is held, three numbers; None where no face is seen that is near enough.
        ready: The head looks straight ahead; after a movement has begun, it is back where that began.
        progress: As a share of what is needed, 0..1.
    """

    posture: tuple[float, float, float] | None
    ready: bool = False
    progress: float = 0.0

    @property
    def stage(self) -> MovementStage:
        """What the person is told."""
        return stage_of(self.progress)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the frames of a burst say together; ``label`` is whom they name, as far as they do.

    ``person`` is the same one's UUID, as the trained model knows it, and ``model_digest`` that of the engine.

    ``similarity`` and ``lead`` are those of the frame that decided; None where no face was compared. ``sights`` are the
    frames that were compared: the model of liveness looks at these and no others, or a picture could be recognised in
    some frames, and a person be seen in others.
    """

    outcome: Outcome
    label: int = NOBODY
    similarity: float | None = None
    lead: float | None = None
    liveness: float | None = None
    covered: bool = False
    measured: Measured | None = None
    person: str = ""
    model_digest: str = ""
    box_xyxy: BoxXYXY = (0.0, 0.0, 0.0, 0.0)
    sights: tuple[Sight, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Desk:
    """What works on one attempt: a recogniser that is nobody else's meanwhile, and the gallery of its engine."""

    recognizer: Recognizer
    gallery: LiveGallery


class CheckIn:
    """Attendance in the browser.

    Args:
        services: The parts of the installation. Engine and trained model are loaded at the first attempt.
        limits: Counts failed liveness checks.
        watch: Called when they are loaded: they are to follow what other machines change.
    """

    def __init__(self, services: Services, limits: Limits, watch: Callable[[], object]) -> None:
        self._services = services
        self._watch = watch
        self._attempts = Attempts(services.settings.liveness, limits)
        self._claimed = ClaimedFaces(limits)
        self._lock = threading.Lock()
        """Held by who opens or refreshes the gallery."""
        self._gallery: LiveGallery | None = None

    @property
    def asks(self) -> bool:
        """Whether a movement must be asked for in the first burst; see :meth:`draw`."""
        return self._services.liveness.wants_active

    def draw(self, *, without: frozenset[LivenessAction] = frozenset()) -> tuple[LivenessAction, ...]:
        """Draw the movements that the next burst must show; others for each attempt.

        Args:
            without: What somebody cannot do.
        """
        return self._services.liveness.draw(without=without).actions

    def look(self, frame: bytes, action: LivenessAction, start: Sequence[float]) -> MovementLook:
        """Look at one picture of a movement that goes on, only to tell the person how far it is.

        What decides is the whole burst, afterwards.

        Args:
            frame: A picture file.
            action: What is asked for.
            start: The posture that an earlier look gave, where the movement began; empty before that.
        """
        picture = decode_frame(frame)
        if isinstance(picture, ImageRefusal):
            return MovementLook(None)
        with self._services.finding() as detector:
            face = next(iter(detector.detect(picture.image_bgr)), None)
        posture = None if face is None else posture_of(picture.image_bgr, face)
        if posture is None:
            return MovementLook(None)
        told = (*posture.nose_xy, posture.eye_px)
        if not start:
            return MovementLook(told, ready=posture.straight)
        began = Posture((start[0], start[1]), start[2])
        progress = posture.progress(began, action, mirrored=self._services.settings.liveness.mirrored)
        return MovementLook(told, ready=posture.is_back(began), progress=progress)

    def attempt(self, burst: Burst, *, key: str, only: Employee | None = None, claim: str = "") -> CheckInResult:
        """Recognise the person in a burst of frames and record a punch.

        Args:
            burst: 3 to 12 pictures taken one after the other within a few seconds; with a challenge up to 90.
            key: Idempotency key: the same attempt sent again stores nothing new.
            only: Whose paired phone confirmed: the face is compared with this employee alone, at the threshold for two
                faces instead of that for a crowd. Another face, or one that is clearly more like somebody else, writes
                nothing but an entry in the audit trail.
            claim: What lets one person be recorded, as a confirmed sign-in: of all attempts that name it, whatever
                their keys, the database stores the punch of one. Its own key by default.

        Raises:
            DeniedError: An attempt with the same claim has recorded somebody else.
            KeyReusedError: The key has come before, with other pictures.
            InvalidInputError: Too few or too many frames.
            NotTrainedError, ModelError: Nobody can be recognised yet.
            DatabaseError: It is not known to be stored; try again with the same key.
        """
        if only is None:
            result, finding = self._attempt(burst, key=key, only=None, claim=claim)
        elif (face := self._claimed.begin(only.id)) is not None:
            result, finding = self._attempt_claimed(burst, only, face, key=key, claim=claim)
        else:
            self._services.security.note(SecurityKind.FACE_REFUSED, reason=Outcome.TOO_MANY_ATTEMPTS.value)
            return CheckInResult(Outcome.TOO_MANY_ATTEMPTS)
        if result.result is None:
            if result.outcome is Outcome.MOVEMENT_NEEDED:
                # No refusal: the same person is asked for a movement now.
                return result
            if result.outcome in _SUSPICIOUS:
                self._services.security.note(SecurityKind.FACE_REFUSED, reason=result.outcome.value)
            self._note_refusal(finding or _Finding(result.outcome), claimed=only is not None)
        return result

    def _attempt_claimed(
        self, burst: Burst, only: Employee, face: FaceClaim, *, key: str, claim: str
    ) -> tuple[CheckInResult, _Finding | None]:
        """Look at a face that was counted as a wrong one, and count it as what it is."""
        try:
            result, finding = self._attempt(burst, key=key, only=only, claim=claim)
        except BaseException:
            self._claimed.give_back(face)
            raise
        if result.result is not None:
            self._claimed.forget(face)
        elif result.outcome not in WRONG:
            self._claimed.give_back(face)
        return result, finding

    def _attempt(
        self, burst: Burst, *, key: str, only: Employee | None, claim: str
    ) -> tuple[CheckInResult, _Finding | None]:
        frames = burst.frames
        most = MAX_FRAMES if burst.asked is None else MAX_CHALLENGE_FRAMES
        if not MIN_FRAMES <= len(frames) <= most:
            raise InvalidInputError(
                N_("A burst has {least} to {most} pictures, not {count}."),
                hint=N_("Load the page again and retry."),
                least=MIN_FRAMES,
                most=most,
                count=len(frames),
            )
        if not self._services.seen_frames.claim(key, asked=burst.digest):
            raise key_reused()
        reading = self._services.look_at_clock().now()
        if check_times(burst.times_s, count=len(frames), within_s=burst.within_s) is not None:
            return CheckInResult(Outcome.NOT_A_CAMERA), None
        images: list[ImageBGR] = []
        for frame in frames:
            picture = decode_frame(frame)
            if isinstance(picture, ImageRefusal):
                return CheckInResult(picture.outcome, detail=picture.detail, params=picture.params), None
            images.append(picture.image_bgr)
        digests = digest_frames(images)
        sign = check_digests(digests) or check_pictures(images)
        if not self._services.seen_frames.note(digests, attempt=key) or sign is not None:
            return CheckInResult(Outcome.NOT_A_CAMERA), None
        if measure_motion(images) < MIN_MOTION:
            return CheckInResult(Outcome.NOT_LIVE), None
        with self._desk() as desk:
            finding = _recognize(desk, _spread(images, LOOKED_AT), only)
            if finding.outcome is Outcome.RECOGNIZED and not has_face_moved(images, finding.box_xyxy):
                # A clock or a film around a still face is no life.
                finding = _Finding(Outcome.NOT_LIVE)
            if finding.outcome is Outcome.RECOGNIZED:
                finding = self._prove(desk, finding, images, burst, only)
        if finding.outcome is Outcome.RECOGNIZED:
            return self._punch(finding, key=claim or key, reading=reading), finding
        if finding.outcome is Outcome.OTHER_FACE and only is not None:
            self._tell_of_other_face(only, finding.label)
        return CheckInResult(finding.outcome, covered=finding.covered), finding

    def _note_refusal(self, finding: _Finding, *, claimed: bool) -> None:
        with suppress(SmartAbsenError):
            gallery = self._current_gallery()
            needed = gallery.verification if claimed else gallery.threshold
            note_refusal(
                self._services,
                make_refusal(
                    self._services.instant(),
                    _("{kiosk}, browser", kiosk=self._services.kiosk_name),
                    finding.outcome,
                    compared=None if finding.similarity is None else Measured(finding.similarity, needed),
                    lead=finding.lead,
                    margin=gallery.margin,
                    measured=finding.measured,
                ),
            )

    @property
    def is_warm(self) -> bool:
        """Whether engine and trained model are loaded."""
        return self._gallery is not None

    def warm_up(self) -> None:
        """Load engine, trained model and liveness model ahead of the first attempt, which then does not wait for them.

        Raises:
            NotTrainedError, ModelError: Nobody can be recognised yet.
        """
        assets = self._services.settings.assets_dir
        with self._services.database.read() as session:
            version = model_rows.find_version(session)
        if version is None and find_stamp(assets) is None:
            # Raised before an engine is loaded: a server without anybody to recognise needs none.
            load_model(assets, self._services.key_chain.ring())
        with self._desk():
            # What is wrong with it is told at an attempt.
            self._services.liveness.find_trouble()

    def _prove(
        self, desk: _Desk, finding: _Finding, images: Sequence[ImageBGR], burst: Burst, only: Employee | None
    ) -> _Finding:
        """Return the finding with its score, or why the person may not be recorded."""
        if not self._services.liveness.guards:
            return finding
        with self._attempts.one_at_a_time(finding.label):
            if not self._attempts.may_try(finding.label):
                return _Finding(Outcome.TOO_MANY_ATTEMPTS)
            verdict = self._judge(desk, finding, images, burst, only)
            if verdict.refusal is None:
                self._attempts.forget(finding.label)
                return replace(finding, liveness=verdict.score)
            if verdict.refusal in COUNTED:
                self._attempts.count_failure(finding.label)
        if verdict.trouble is not None:
            self._tell_of_trouble(verdict.trouble)
        return _Finding(verdict.refusal, measured=verdict.measured)

    def _judge(
        self, desk: _Desk, finding: _Finding, images: Sequence[ImageBGR], burst: Burst, only: Employee | None
    ) -> LivenessVerdict:
        checks = self._services.liveness
        challenge = None if burst.asked is None else Challenge(burst.asked)
        frames: list[tuple[ImageBGR, Face | None]] = [(sight.image_bgr, sight.face) for sight in finding.sights]
        times_s: Sequence[float] = ()
        if checks.judges_movement(challenge):
            find = desk.recognizer.find
            frames, times_s = [(image, next(iter(find(image)), None)) for image in images], burst.times_s
        verdict, ends = checks.judge(frames, times_s, challenge, within_s=burst.within_s)
        if verdict.refusal is None and ends and not _are_of(finding.label, ends, desk, only):
            return refuse(ChallengeFailure.OTHER_PERSON)
        return verdict

    @contextmanager
    def _desk(self) -> Iterator[_Desk]:
        """Borrow a recogniser; where all are at work, wait for one."""
        while True:
            with self._services.recognising() as lent:
                gallery = self._current_gallery()
                # Where the engine was changed meanwhile, what was lent is of the one before.
                if gallery.identity == lent.engine.identity:
                    yield _Desk(lent.identification, gallery)
                    return

    def _current_gallery(self) -> LiveGallery:
        with self._lock:
            if self._gallery is None:
                self._gallery = open_gallery(self._services)
                self._watch()
            else:
                self._gallery.refresh()
            if self._gallery.other_engine is not None:
                self._gallery = take_over_engine(self._services, self._gallery)
            elif self._gallery.identity != self._services.engine.identity:
                # Somebody who enrolled or trained has changed the engine.
                self._gallery = load_gallery(self._services, self._gallery.members)
            return self._gallery

    def _punch(self, finding: _Finding, *, key: str, reading: ClockReading) -> CheckInResult:
        assert finding.similarity is not None
        try:
            result = punch_by_face(
                self._services,
                finding.label,
                similarity=finding.similarity,
                key=key,
                reading=reading,
                model_digest=finding.model_digest,
                liveness=finding.liveness,
                person=finding.person,
            )
        except (NotFoundError, ConflictError) as exc:
            with self._services.database.read() as session:
                claimed = punch_rows.find_by_key(session, key)
            if claimed is not None:
                raise DeniedError(
                    N_("This sign-in has already recorded somebody."), hint=N_("Begin again with the QR code.")
                ) from exc
            # Deactivated since the training: a stranger.
            return CheckInResult(Outcome.UNKNOWN)
        return CheckInResult(result.outcome, result.employee, result)

    def _tell_of_trouble(self, trouble: SmartAbsenError) -> None:
        """The person learns that nothing was recorded; why the check is broken is for whoever reads the audit trail."""
        kiosk, details = self._services.kiosk_name, {"problem": str(trouble)}

        def work(session: Session) -> None:
            audit_rows.append(
                session, actor=kiosk, action="checkin.liveness_unavailable", subject=kiosk, details=details
            )

        self._services.database.run_write(work)

    def _tell_of_other_face(self, owner: Employee, label: int) -> None:
        kiosk = self._services.kiosk_name

        def work(session: Session) -> None:
            details = {"kiosk": kiosk}
            if label != NOBODY:
                details["face_of"] = employee_rows.get_by_id(session, label).code
            audit_rows.append(session, actor=kiosk, action="checkin.other_face", subject=owner.code, details=details)

        self._services.database.run_write(work)


def key_reused() -> KeyReusedError:
    """Return the error of an attempt whose key has come before, with other pictures."""
    return KeyReusedError(
        N_("This attempt was sent before, with other pictures."), hint=N_("Load the page again and retry.")
    )


def _recognize(desk: _Desk, images: Sequence[ImageBGR], only: Employee | None) -> _Finding:
    recognizer, gallery = desk.recognizer, desk.gallery
    if only is not None and not gallery.knows(only.id):
        return _Finding(Outcome.NOT_ENROLLED)
    shown: list[tuple[ImageBGR, Face]] = []
    for image in images:
        faces = recognizer.find(image)
        if len(faces) > 1 and faces[1].size_px >= _BYSTANDER * faces[0].size_px:
            return _Finding(Outcome.SEVERAL_FACES)
        if faces:
            shown.append((image, faces[0]))
    if len(shown) < AGREEING:
        return _Finding(Outcome.NO_FACE)
    seen = recognizer.examine_each(shown)
    compared = [one.embedding for one in seen if one.embedding is not None]
    if len(compared) < AGREEING:
        return _most_frequent_refusal(seen)
    sights = tuple(Sight(*each) for each, one in zip(shown, seen, strict=True) if one.embedding is not None)
    covered = 2 * sum(one.quality.covered for one in seen if one.embedding is not None) > len(compared)
    with gallery.reading():
        matches = gallery.match(compared)
        if only is None:
            finding = _agreed(matches)
        else:
            finding = _confirmed(matches, gallery.verify(compared, only.id), only.id, _claim_limits(gallery))
        person = gallery.person(finding.label)
    return replace(
        finding,
        covered=covered,
        person=person,
        model_digest=gallery.identity.digest,
        box_xyxy=shown[0][1].box_xyxy,
        sights=sights,
    )


def _are_of(label: int, sights: Sequence[Sight], desk: _Desk, only: Employee | None) -> bool:
    """Tell whether the faces at both ends of a movement are those of the person."""
    gallery = desk.gallery
    seen = desk.recognizer.examine_each([(sight.image_bgr, sight.face) for sight in sights])
    probes = [one.embedding for one in seen if one.embedding is not None]
    if len(probes) < len(sights):
        return False
    with gallery.reading():
        matches = gallery.match(probes)
        if only is None:
            return all(match.outcome is Outcome.RECOGNIZED and match.label == label for match in matches)
        similarities, limits = gallery.verify(probes, label), _claim_limits(gallery)
    near = all(reaches(each, limits.threshold) for each in similarities)
    return near and not _others(matches, similarities, label, limits)


def _spread(images: Sequence[ImageBGR], count: int) -> list[ImageBGR]:
    last = len(images) - 1
    return [images[round(number * last / (count - 1))] for number in range(count)]


def _most_frequent_refusal(seen: Sequence[Observation]) -> _Finding:
    refusals = [one.refusal for one in seen if one.refusal is not None]
    reason = max(refusals, key=refusals.count, default=Outcome.NO_FACE)
    return _Finding(reason, measured=next((one.measured for one in seen if one.refusal is reason), None))


def _agreed(matches: Sequence[Match]) -> _Finding:
    """Return the person whom enough matches name, and none another."""
    named = [match for match in matches if match.outcome is Outcome.RECOGNIZED]
    if len({match.label for match in named}) > 1:
        return _Finding(Outcome.AMBIGUOUS)
    if len(named) >= AGREEING:
        return _Finding(Outcome.RECOGNIZED, named[0].label, max(match.similarity for match in named))
    refusals = [match.outcome for match in matches if match.outcome is not Outcome.RECOGNIZED]
    if not refusals:
        return _Finding(Outcome.UNKNOWN)
    outcome = max(refusals, key=refusals.count)
    nearest = max((match for match in matches if match.outcome is outcome), key=lambda match: match.similarity)
    return _Finding(outcome, similarity=nearest.similarity, lead=nearest.margin)


@dataclass(frozen=True, slots=True)
class _ClaimLimits:
    """What a face needs whose person a phone names: the cosine to that one, and by how much no other may be nearer."""

    threshold: float
    margin: float


def _claim_limits(gallery: LiveGallery) -> _ClaimLimits:
    return _ClaimLimits(gallery.verification, gallery.margin)


def _confirmed(matches: Sequence[Match], similarities: Sequence[float], label: int, limits: _ClaimLimits) -> _Finding:
    """Return the one person where enough frames are similar enough and none is clearly of another person.

    The second-best person of the crowd need not be far away: who looks like a colleague is let in with his own phone.
    """
    others = _others(matches, similarities, label, limits)
    if others:
        return _Finding(Outcome.OTHER_FACE, others[0])
    good = [similarity for similarity in similarities if reaches(similarity, limits.threshold)]
    if len(good) < AGREEING:
        # Of the frame that was one too few.
        decided = sorted(similarities, reverse=True)[AGREEING - 1]
        return _Finding(Outcome.OTHER_FACE, similarity=decided)
    return _Finding(Outcome.RECOGNIZED, label, max(good))


def _others(matches: Sequence[Match], similarities: Sequence[float], label: int, limits: _ClaimLimits) -> list[int]:
    """Return whom frames are clearly of instead: recognised as somebody else, or nearer to one by the margin."""
    found = []
    for match, similarity in zip(matches, similarities, strict=True):
        if match.label == label:
            continue
        nearer = match.similarity >= limits.threshold and match.similarity - similarity >= limits.margin
        if match.outcome is Outcome.RECOGNIZED or nearer:
            found.append(match.label)
    return found
