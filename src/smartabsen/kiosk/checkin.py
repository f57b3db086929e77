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
from ..gallery.model_file import load_model
from ..gallery.refusals import RefusalStore, make_refusal
from ..gallery.seen_frame_rows import Seen
from ..kernel.domain import (
    BoxXYXY,
    ChallengeFailure,
    ClockReading,
    Employee,
    Face,
    ImageBGR,
    LivenessAction,
    Measured,
    MovementStage,
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
from ..recognition.decision import NOBODY
from ..recognition.images import ImageRefusal, decode_frame
from ..recognition.liveness.challenge import Challenge, Posture, Sight, posture_of, stage_of
from ..recognition.liveness.freshness import has_face_moved
from ..recognition.liveness.injection import check_digests, check_pictures, check_times, digest_frames
from ..recognition.session import FaceDecision, FaceSession, LocalFaceSession
from ..store.database import Session
from ..trust.work import Part, Work, nothing

MIN_FRAMES: Final = 3
MAX_FRAMES: Final = 12
MAX_CHALLENGE_FRAMES: Final = 90
"""Frames of a burst in which a movement is made: some ten a second."""
LOOKED_AT: Final = 3
"""Frames of a burst in which faces are searched: the first, the last, and those between at equal distances."""
_BYSTANDER: Final = 0.6
"""A second face of at least so much of the largest one's size is a second person who wants something."""
_NO_BOX: Final[BoxXYXY] = (0.0, 0.0, 0.0, 0.0)
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
    """What the frames of a burst say together.

    ``sights`` are the frames that were compared: the model of liveness looks at these and no others, or a picture could
    be recognised in some frames, and a person be seen in others.
    """

    decision: FaceDecision
    liveness: float | None = None
    box_xyxy: BoxXYXY = _NO_BOX
    sights: tuple[Sight, ...] = ()

    @property
    def outcome(self) -> Outcome:
        return self.decision.outcome


def _refused(outcome: Outcome, measured: Measured | None = None) -> _Finding:
    return _Finding(FaceDecision(outcome, measured=measured))


def keep_nothing(_session: Session, _result: CheckInResult) -> None:
    """Keep nothing in the transaction of a punch."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What an attempt is for; see :meth:`CheckIn.attempt`."""

    key: str
    only: Employee | None
    claim: str
    first: Part
    last: Callable[[Session, CheckInResult], None]


class CheckIn:
    """Attendance in the browser.

    Args:
        services: The parts of the installation. Engine and trained model are loaded at the first attempt.
        limits: Counts failed liveness checks.
        watch: Called when they are loaded: they are to follow what other machines change.
        refusals: Where refusals are kept.
    """

    def __init__(self, services: Services, limits: Limits, watch: Callable[[], object], refusals: RefusalStore) -> None:
        self._services = services
        self._refusals = refusals
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

    def attempt(
        self,
        burst: Burst,
        *,
        key: str,
        only: Employee | None = None,
        claim: str = "",
        first: Part = nothing,
        last: Callable[[Session, CheckInResult], None] = keep_nothing,
    ) -> CheckInResult:
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
        job = _Job(key, only, claim or key, first, last)
        if only is None:
            result, finding = self._attempt(burst, job)
        elif (face := self._claimed.begin(only.id)) is not None:
            result, finding = self._attempt_claimed(burst, face, job)
        else:
            self._services.security.note(SecurityKind.FACE_REFUSED, reason=Outcome.TOO_MANY_ATTEMPTS.value)
            return CheckInResult(Outcome.TOO_MANY_ATTEMPTS)
        if result.result is None:
            if result.outcome is Outcome.MOVEMENT_NEEDED:
                # No refusal: the same person is asked for a movement now.
                return result
            if result.outcome in _SUSPICIOUS:
                self._services.security.note(SecurityKind.FACE_REFUSED, reason=result.outcome.value)
            self._note_refusal(finding or _refused(result.outcome), claimed=only is not None)
        return result

    def _attempt_claimed(self, burst: Burst, face: FaceClaim, job: _Job) -> tuple[CheckInResult, _Finding | None]:
        """Look at a face that was counted as a wrong one, and count it as what it is."""
        try:
            result, finding = self._attempt(burst, job)
        except BaseException:
            self._claimed.give_back(face)
            raise
        if result.result is not None:
            self._claimed.forget(face)
        elif result.outcome not in WRONG:
            self._claimed.give_back(face)
        return result, finding

    def _attempt(self, burst: Burst, job: _Job) -> tuple[CheckInResult, _Finding | None]:
        frames, only = burst.frames, job.only
        most = MAX_FRAMES if burst.asked is None else MAX_CHALLENGE_FRAMES
        if not MIN_FRAMES <= len(frames) <= most:
            raise InvalidInputError(
                N_("A burst has {least} to {most} pictures, not {count}."),
                hint=N_("Load the page again and retry."),
                least=MIN_FRAMES,
                most=most,
                count=len(frames),
            )
        reading = self._services.look_at_clock().now()
        images, refusal = _read_pictures(burst)
        digests = () if refusal is not None else digest_frames(images)
        seen = self._services.seen_frames.admit(job.key, asked=burst.digest, digests=digests, first=job.first)
        if seen is Seen.OTHER_CONTENT:
            raise key_reused()
        if refusal is not None:
            return refusal, None
        if seen is Seen.REPLAY or (check_digests(digests) or check_pictures(images)) is not None:
            return CheckInResult(Outcome.NOT_A_CAMERA), None
        if measure_motion(images) < MIN_MOTION:
            return CheckInResult(Outcome.NOT_LIVE), None
        with self._faces() as faces:
            finding = _recognize(faces, _spread(images, LOOKED_AT), only)
            if finding.outcome is Outcome.RECOGNIZED and not has_face_moved(images, finding.box_xyxy):
                # A clock or a film around a still face is no life.
                finding = _refused(Outcome.NOT_LIVE)
            if finding.outcome is Outcome.RECOGNIZED:
                finding = self._prove(faces, finding, images, burst, only)
        if finding.outcome is Outcome.RECOGNIZED:
            return self._punch(finding, job, reading=reading), finding
        if finding.outcome is Outcome.OTHER_FACE and only is not None:
            self._tell_of_other_face(only, finding.decision.label)
        return CheckInResult(finding.outcome, covered=finding.decision.covered), finding

    def _note_refusal(self, finding: _Finding, *, claimed: bool) -> None:
        with suppress(SmartAbsenError):
            gallery, decision = self._current_gallery(), finding.decision
            needed = gallery.verification if claimed else gallery.threshold
            self._refusals.keep(
                make_refusal(
                    self._services.instant(),
                    _("{kiosk}, browser", kiosk=self._services.kiosk_name),
                    finding.outcome,
                    compared=None if decision.similarity is None else Measured(decision.similarity, needed),
                    lead=decision.lead,
                    margin=gallery.margin,
                    measured=decision.measured,
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
        if version is None:
            # Raised before an engine is loaded: a server without anybody to recognise needs none.
            load_model(assets, self._services.key_chain.ring())
        with self._faces():
            # What is wrong with it is told at an attempt.
            self._services.liveness.find_trouble()

    def _prove(
        self, faces: FaceSession, finding: _Finding, images: Sequence[ImageBGR], burst: Burst, only: Employee | None
    ) -> _Finding:
        """Return the finding with its score, or why the person may not be recorded."""
        if not self._services.liveness.guards:
            return finding
        label = finding.decision.label
        with self._attempts.one_at_a_time(label):
            if not self._attempts.may_try(label):
                return _refused(Outcome.TOO_MANY_ATTEMPTS)
            verdict = self._judge(faces, finding, images, burst, only)
            if verdict.refusal is None:
                self._attempts.forget(label)
                return replace(finding, liveness=verdict.score)
            if verdict.refusal in COUNTED:
                self._attempts.count_failure(label)
        if verdict.trouble is not None:
            self._tell_of_trouble(verdict.trouble)
        return _refused(verdict.refusal, verdict.measured)

    def _judge(
        self, faces: FaceSession, finding: _Finding, images: Sequence[ImageBGR], burst: Burst, only: Employee | None
    ) -> LivenessVerdict:
        checks = self._services.liveness
        challenge = None if burst.asked is None else Challenge(burst.asked)
        frames: list[tuple[ImageBGR, Face | None]] = [(sight.image_bgr, sight.face) for sight in finding.sights]
        times_s: Sequence[float] = ()
        if checks.judges_movement(challenge):
            find = faces.find
            frames, times_s = [(image, next(iter(find(image)), None)) for image in images], burst.times_s
        verdict, ends = checks.judge(frames, times_s, challenge, within_s=burst.within_s)
        if (
            verdict.refusal is None
            and ends
            and not faces.confirms(ends, label=finding.decision.label, claimed=only is not None)
        ):
            return refuse(ChallengeFailure.OTHER_PERSON)
        return verdict

    @contextmanager
    def _faces(self) -> Iterator[FaceSession]:
        """Lend a face session that is nobody else's meanwhile; where all are at work, wait for one."""
        while True:
            with self._services.recognising() as lent:
                gallery = self._current_gallery()
                # Where the engine was changed meanwhile, what was lent is of the one before.
                if gallery.identity == lent.engine.identity:
                    yield LocalFaceSession(lent.identification, gallery)
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

    def _punch(self, finding: _Finding, job: _Job, *, reading: ClockReading) -> CheckInResult:
        decision = finding.decision
        assert decision.similarity is not None
        key = job.claim
        try:
            result = punch_by_face(
                self._services,
                decision.label,
                similarity=decision.similarity,
                key=key,
                reading=reading,
                model_digest=decision.model_digest,
                liveness=finding.liveness,
                person=decision.person,
                last=lambda session, punched: job.last(session, _recorded(punched)),
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
        return _recorded(result)

    def _tell_of_trouble(self, trouble: SmartAbsenError) -> None:
        """The person learns that nothing was recorded; why the check is broken is for whoever reads the audit trail."""
        kiosk, details = self._services.kiosk_name, {"problem": str(trouble)}

        def tell(work: Work) -> None:
            work.record("checkin.liveness_unavailable", subject=kiosk, details=details, actor=kiosk)

        self._services.units.write(tell)

    def _tell_of_other_face(self, owner: Employee, label: int) -> None:
        kiosk = self._services.kiosk_name

        def tell(work: Work) -> None:
            details = {"kiosk": kiosk}
            if label != NOBODY:
                details["face_of"] = employee_rows.get_by_id(work.session, label).code
            work.record("checkin.other_face", subject=owner.code, details=details, actor=kiosk)

        self._services.units.write(tell)


def _recorded(result: PunchResult) -> CheckInResult:
    return CheckInResult(result.outcome, result.employee, result)


def _read_pictures(burst: Burst) -> tuple[list[ImageBGR], CheckInResult | None]:
    """Return the pictures of a burst, and why they are refused, None where they are not."""
    if check_times(burst.times_s, count=len(burst.frames), within_s=burst.within_s) is not None:
        return [], CheckInResult(Outcome.NOT_A_CAMERA)
    images: list[ImageBGR] = []
    for frame in burst.frames:
        picture = decode_frame(frame)
        if isinstance(picture, ImageRefusal):
            return [], CheckInResult(picture.outcome, detail=picture.detail, params=picture.params)
        images.append(picture.image_bgr)
    return images, None


def key_reused() -> KeyReusedError:
    """Return the error of an attempt whose key has come before, with other pictures."""
    return KeyReusedError(
        N_("This attempt was sent before, with other pictures."), hint=N_("Load the page again and retry.")
    )


def _recognize(faces: FaceSession, images: Sequence[ImageBGR], only: Employee | None) -> _Finding:
    if only is not None and not faces.knows(only.id):
        return _refused(Outcome.NOT_ENROLLED)
    sights: list[Sight] = []
    for image in images:
        found = faces.find(image)
        if len(found) > 1 and found[1].size_px >= _BYSTANDER * found[0].size_px:
            return _refused(Outcome.SEVERAL_FACES)
        if found:
            sights.append(Sight(image, found[0]))
    decision = faces.decide(sights, claimed=None if only is None else only.id)
    compared = tuple(sights[place] for place in decision.compared)
    return _Finding(decision, box_xyxy=sights[0].face.box_xyxy if sights else _NO_BOX, sights=compared)


def _spread(images: Sequence[ImageBGR], count: int) -> list[ImageBGR]:
    last = len(images) - 1
    return [images[round(number * last / (count - 1))] for number in range(count)]
