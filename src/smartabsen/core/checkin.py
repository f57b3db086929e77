"""Attendance by a burst of frames from a browser: live, recognised, punched.

Threads share one :class:`CheckIn`. Frames are decoded in the caller's thread; the recogniser and the gallery work for
one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from ..domain import Employee, Face, ImageBGR, Match, Observation, Outcome, PunchResult
from ..errors import ConflictError, InvalidInputError, NotFoundError
from ..i18n import N_
from ..recognition.burst import MIN_MOTION, has_repeated_frame, measure_motion
from ..recognition.images import ImageRefusal, decode_image
from ..store import audit, employees
from ..store.database import Session
from .bootstrap import Services
from .gallery import LiveGallery
from .identify import open_gallery
from .punch import punch_by_face

MIN_FRAMES: Final = 3
MAX_FRAMES: Final = 12
LOOKED_AT: Final = 3
"""Frames of a burst in which faces are searched: the first, the last, and those between at equal distances."""
NOBODY: Final = -1
"""The label of no employee."""
AGREEING: Final = 2
"""Frames that must name the same person, and none another."""
_BYSTANDER: Final = 0.6
"""A second face of at least so much of the largest one's size is a second person who wants something."""

LivenessGate: TypeAlias = Callable[[Sequence[tuple[ImageBGR, Face]]], Outcome | None]
"""Judges the frames of a burst with the face in each; returns why it is refused, or None."""


@dataclass(frozen=True, slots=True)
class CheckInResult:
    """What became of an attempt.

    Attributes:
        outcome: RECOGNIZED or ALREADY_RECORDED with a punch; else why not.
        employee: Who it was; None unless there is a punch.
        result: The punch.
        detail: What is wrong with a frame in particular, in English; a message id with ``params``. Mostly empty.
    """

    outcome: Outcome
    employee: Employee | None = None
    result: PunchResult | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the frames of a burst say together; ``label`` is whom they name, as far as they do."""

    outcome: Outcome
    label: int = NOBODY
    similarity: float = -1.0


class CheckIn:
    """Attendance in the browser.

    Args:
        services: The parts of the installation. Engine and trained model are loaded at the first attempt.
        gates: Liveness checks, asked in this order after the faces were found and before anything is compared.
    """

    def __init__(self, services: Services, gates: Sequence[LivenessGate] = ()) -> None:
        self._services = services
        self._gates = tuple(gates)
        self._lock = services.recognising
        self._gallery: LiveGallery | None = None

    def attempt(self, frames: Sequence[bytes], *, key: str, only: Employee | None = None) -> CheckInResult:
        """Recognise the person in a burst of frames and record a punch.

        Args:
            frames: 3 to 12 picture files, taken one after the other within a few seconds.
            key: Idempotency key: the same attempt sent again stores nothing new.
            only: Whose paired phone confirmed: the face is compared with this employee's templates alone. Another face
                writes nothing but an entry in the audit trail.

        Raises:
            InvalidInputError: Too few or too many frames.
            NotTrainedError, ModelError: Nobody can be recognised yet.
            DatabaseError: It is not known to be stored; try again with the same key.
        """
        if not MIN_FRAMES <= len(frames) <= MAX_FRAMES:
            raise InvalidInputError(
                N_("A burst has {least} to {most} pictures, not {count}."),
                hint=N_("Load the page again and retry."),
                least=MIN_FRAMES,
                most=MAX_FRAMES,
                count=len(frames),
            )
        at = datetime.now(UTC)
        if has_repeated_frame(frames):
            return CheckInResult(Outcome.NOT_LIVE)
        images: list[ImageBGR] = []
        for frame in frames:
            picture = decode_image(frame)
            if isinstance(picture, ImageRefusal):
                return CheckInResult(picture.outcome, detail=picture.detail, params=picture.params)
            images.append(picture.image_bgr)
        if measure_motion(images) < MIN_MOTION:
            return CheckInResult(Outcome.NOT_LIVE)
        with self._lock:
            finding = self._recognize(_spread(images, LOOKED_AT), only)
        if finding.outcome is Outcome.RECOGNIZED:
            return self._punch(finding, key=key, at=at)
        if finding.outcome is Outcome.OTHER_FACE and only is not None:
            self._tell_of_other_face(only, finding.label)
        return CheckInResult(finding.outcome)

    @property
    def is_warm(self) -> bool:
        """Whether engine and trained model are loaded."""
        return self._gallery is not None

    def warm_up(self) -> None:
        """Load engine and trained model ahead of the first attempt, which then does not wait for them.

        Raises:
            NotTrainedError, ModelError: Nobody can be recognised yet.
        """
        with self._lock:
            self._current_gallery()

    def _recognize(self, images: Sequence[ImageBGR], only: Employee | None) -> _Finding:
        gallery = self._current_gallery()
        if only is not None and not gallery.knows(only.id):
            return _Finding(Outcome.NOT_ENROLLED)
        recognizer = self._services.identification
        shown: list[tuple[ImageBGR, Face]] = []
        for image in images:
            faces = recognizer.find(image)
            if len(faces) > 1 and faces[1].size_px >= _BYSTANDER * faces[0].size_px:
                return _Finding(Outcome.SEVERAL_FACES)
            if faces:
                shown.append((image, faces[0]))
        if len(shown) < AGREEING:
            return _Finding(Outcome.NO_FACE)
        for gate in self._gates:
            refusal = gate(shown)
            if refusal is not None:
                return _Finding(refusal)
        seen = [recognizer.examine(image, [face])[0] for image, face in shown]
        compared = [one.embedding for one in seen if one.embedding is not None]
        if len(compared) < AGREEING:
            return _Finding(_most_frequent_refusal(seen))
        matches = gallery.match(compared)
        if only is None:
            return _agreed(matches)
        similarities = gallery.verify(compared, only.id)
        return _confirmed(matches, similarities, only.id, gallery.threshold)

    def _current_gallery(self) -> LiveGallery:
        if self._gallery is None:
            self._gallery = open_gallery(self._services)
        else:
            self._gallery.refresh()
        return self._gallery

    def _punch(self, finding: _Finding, *, key: str, at: datetime) -> CheckInResult:
        try:
            result = punch_by_face(self._services, finding.label, similarity=finding.similarity, key=key, at=at)
        except (NotFoundError, ConflictError):
            # Deactivated since the training: a stranger.
            return CheckInResult(Outcome.UNKNOWN)
        return CheckInResult(result.outcome, result.employee, result)

    def _tell_of_other_face(self, owner: Employee, label: int) -> None:
        kiosk = self._services.kiosk_name

        def work(session: Session) -> None:
            details = {"kiosk": kiosk}
            if label != NOBODY:
                details["face_of"] = employees.get_by_id(session, label).code
            audit.append(session, actor=kiosk, action="checkin.other_face", subject=owner.code, details=details)

        self._services.database.run_write(work)


def _spread(images: Sequence[ImageBGR], count: int) -> list[ImageBGR]:
    last = len(images) - 1
    return [images[round(number * last / (count - 1))] for number in range(count)]


def _most_frequent_refusal(seen: Sequence[Observation]) -> Outcome:
    refusals = [one.refusal for one in seen if one.refusal is not None]
    return max(refusals, key=refusals.count, default=Outcome.NO_FACE)


def _agreed(matches: Sequence[Match]) -> _Finding:
    """Return the person whom enough matches name, and none another."""
    named = [match for match in matches if match.outcome is Outcome.RECOGNIZED]
    if len({match.label for match in named}) > 1:
        return _Finding(Outcome.AMBIGUOUS)
    if len(named) >= AGREEING:
        return _Finding(Outcome.RECOGNIZED, named[0].label, max(match.similarity for match in named))
    refusals = [match.outcome for match in matches if match.outcome is not Outcome.RECOGNIZED]
    return _Finding(max(refusals, key=refusals.count, default=Outcome.UNKNOWN))


def _confirmed(matches: Sequence[Match], similarities: Sequence[float], label: int, threshold: float) -> _Finding:
    """Return the one person where enough frames are similar enough and none names another person."""
    others = [match.label for match in matches if match.outcome is Outcome.RECOGNIZED and match.label != label]
    if others:
        return _Finding(Outcome.OTHER_FACE, others[0])
    good = [similarity for similarity in similarities if similarity >= threshold]
    if len(good) < AGREEING:
        return _Finding(Outcome.OTHER_FACE)
    return _Finding(Outcome.RECOGNIZED, label, max(good))
