"""The words of the domain: frozen data and enums that every other package speaks.

Nothing here reads a file, a clock, a setting or a database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ImageBGR: TypeAlias = NDArray[np.uint8]
    """An image, uint8 (H, W, 3), channels blue-green-red."""

    FloatArray: TypeAlias = NDArray[np.float32]
    """A float32 array; the docstring beside it gives the shape."""
else:
    # Annotations are never evaluated; this keeps NumPy out of `smartabsen --help`.
    ImageBGR = FloatArray = object

BoxXYXY: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the image that was given; right and bottom are exclusive."""


class Outcome(StrEnum):
    """What became of a face, a photo or an attempt. The values are stable codes for scripts."""

    ACCEPTED = "accepted"
    RECOGNIZED = "recognized"
    ALREADY_RECORDED = "already_recorded"
    PENDING = "pending"
    """Recognised and kept on the kiosk: the database does not answer."""
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NOT_LIVE = "not_live"
    NOT_A_CAMERA = "not_a_camera"
    CHALLENGE_FAILED = "challenge_failed"
    LIVENESS_UNAVAILABLE = "liveness_unavailable"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    AT_THE_EDGE = "at_the_edge"
    OTHER_FACE = "other_face"
    """Not the face of the employee whose paired phone confirmed."""
    NOT_ENROLLED = "not_enrolled"
    """That employee has no template."""
    DUPLICATE_FACE = "duplicate_face"
    DUPLICATE_PHOTO = "duplicate_photo"
    TOO_MANY_PHOTOS = "too_many_photos"


class Status(StrEnum):
    """The status of an attendance day; the values are the words the database and exports use."""

    PRESENT = "Hadir"
    LATE = "Terlambat"
    EXCUSED = "Izin"
    SICK = "Sakit"


class PunchMethod(StrEnum):
    """How a punch came about."""

    FACE = "face"
    MANUAL = "manual"
    PIN = "pin"
    """A paired phone and its owner's PIN."""
    CORRECTION = "correction"
    """A time entered afterwards, with a reason: in place of another punch, or as one that was forgotten."""
    VOID = "void"
    """No time: it takes the punch that it supersedes out of the day, with a reason."""


class Role(StrEnum):
    """What a user of the dashboard may do."""

    ADMIN = "admin"
    VIEWER = "viewer"
    """Reads everything but the audit trail and the users, and changes nothing."""


class LicenceClass(StrEnum):
    """What the licence of a model's weights allows."""

    FREE = "free"
    """Free for business use."""
    NON_COMMERCIAL = "non_commercial"
    UNKNOWN = "unknown"


class LandmarkScheme(StrEnum):
    """Which five points a detector gives, and in which order. Left and right are those of the image."""

    ARCFACE5 = "arcface5"
    """Left eye, right eye, nose tip, left and right corner of the mouth (the left ones at smaller x)."""
    DLIB5 = "dlib5"
    """dlib's 5-point predictor as it numbers them: outer and inner corner of the right eye (at larger x), outer and
    inner corner of the left eye, base of the nose. So ``points[2:4]`` are the left eye, ``points[0:2]`` the right."""


# --- recognition -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face.

    Attributes:
        box_xyxy: Bounding box in pixels.
        score: Confidence of the detector; comparable within one detector only.
        landmarks_xy: float32 (5, 2) in pixels, in the order of ``scheme``.
        scheme: What the landmarks are.
    """

    box_xyxy: BoxXYXY
    score: float
    landmarks_xy: FloatArray
    scheme: LandmarkScheme

    @property
    def size_px(self) -> float:
        """The shorter side of the box in pixels."""
        left, top, right, bottom = self.box_xyxy
        return min(right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of a face in an image; see ``recognition.quality`` for how each is taken.

    Attributes:
        face_px: Shorter side of the face box in pixels.
        brightness: Mean luma of the aligned face, 0..255.
        contrast: Standard deviation of the luma of the aligned face, 0..127.5.
        sharpness: Variance of the second derivative of the aligned face's luma in its weakest direction, at a fixed
            size and scaled to a mean luma of 128.
        yaw: Sine of the turn of the head, from the landmarks; 0 is frontal, positive towards the right of the image.
        roll_deg: Tilt of the line between the eyes in degrees.
        detection_score: The detector's confidence.
    """

    face_px: float
    brightness: float
    contrast: float
    sharpness: float
    yaw: float
    roll_deg: float
    detection_score: float


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model made an embedding; embeddings of two identities are never compared.

    Attributes:
        engine: Name of the engine, as ``dlib``.
        digest: SHA-256 (hex) over the embedder's files and its alignment.
        dimension: Numbers in an embedding.
    """

    engine: str
    digest: str
    dimension: int

    def __str__(self) -> str:
        return f"{self.engine}:{self.digest[:12]}/{self.dimension}"


@dataclass(frozen=True, slots=True)
class Match:
    """The decision on one probe.

    Attributes:
        outcome: RECOGNIZED, UNKNOWN or AMBIGUOUS.
        label: The best person's label in the gallery, also when the outcome is a refusal; -1 in an empty gallery.
        similarity: Cosine to the best template of that person, -1..1; -1 in an empty gallery.
        second_label: The label of the second-best person, -1 where there is none.
        margin: ``similarity`` minus the second-best person's; ``similarity`` + 1 where there is none.
    """

    outcome: Outcome
    label: int
    similarity: float
    second_label: int
    margin: float


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the recogniser saw of one face: enough to decide, and to say why not.

    Attributes:
        face: Box and landmarks in the image that was given.
        quality: Its measures.
        refusal: Why it is not good enough to be compared, or None.
        embedding: float32 (D,), unit length; None where it was refused before embedding.
    """

    face: Face
    quality: Quality
    refusal: Outcome | None
    embedding: FloatArray | None


# --- people and templates ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Employee:
    """A person whose attendance is kept.

    Attributes:
        id: Row id.
        code: The employer's unique code for the person.
        name: Full name.
        position: Job title, may be empty.
        active: Whether the person may punch.
        created_at: UTC.
        templates: Number of templates of the active engine.
    """

    id: int
    code: str
    name: str
    position: str
    active: bool
    created_at: datetime
    templates: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A stored embedding with its model's identity.

    Attributes:
        id: Row id; 0 before it is stored.
        employee_id: Whose it is.
        embedding: float32 (D,), unit length.
        model: What made it.
        quality: Measures of the face it was taken from.
        source: File name of the photo, or the camera; for people.
        photo_digest: SHA-256 (hex) of the photo's bytes, so that the same file is not enrolled twice.
    """

    id: int
    employee_id: int
    embedding: FloatArray
    model: ModelIdentity
    quality: Quality
    source: str
    photo_digest: str


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """What is known of a stored template without its key: all but the embedding; see :class:`Template`.

    Attributes:
        created_at: UTC.
    """

    id: int
    model: ModelIdentity
    quality: Quality
    source: str
    photo_digest: str
    created_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """A face with its surroundings, cut out of a photo, as it is kept for other engines.

    Attributes:
        picture: The pixels as JPEG.
        box_xyxy: The face in them.
        landmarks_xy: float32 (5, 2), in pixels of the crop, in the order of ``scheme``.
        scheme: What the landmarks are.
        score: Of the detector that found it.
    """

    picture: bytes
    box_xyxy: BoxXYXY
    landmarks_xy: FloatArray
    scheme: LandmarkScheme
    score: float


@dataclass(frozen=True, slots=True)
class ConsentText:
    """A text that people agree to.

    Attributes:
        language: ``id`` or ``en``.
        version: As its first line says, or the first characters of ``sha256`` where it says none.
        text: What people read, without the line of the version.
        sha256: Digest (hex) of the whole file.
    """

    language: str
    version: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A recorded consent to face recognition.

    Attributes:
        at: When it was given, UTC.
        text_version, text_sha256, language: To which text.
        recorded_by: Who recorded it.
        withdrawn_at: When it ended, UTC; None while it is in force.
    """

    at: datetime
    text_version: str
    text_sha256: str
    language: str
    recorded_by: str
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PhotoVerdict:
    """What became of one photo at enrolment.

    Attributes:
        photo: The photo as it was named by the caller.
        outcome: ACCEPTED, or the reason of the refusal.
        quality: Measures of its face, where there is exactly one.
        similar_to: The enrolled employee whom the face looks like (DUPLICATE_FACE only).
        detail: What is wrong with the file in particular, in English; a message id with ``params``. Empty where the
            outcome says it all.
    """

    photo: str
    outcome: Outcome
    quality: Quality | None = None
    similar_to: Employee | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()

    @property
    def accepted(self) -> bool:
        return self.outcome is Outcome.ACCEPTED


@dataclass(frozen=True, slots=True)
class EnrolReport:
    """The result of enrolling one person."""

    employee: Employee
    created: bool
    verdicts: tuple[PhotoVerdict, ...]

    @property
    def accepted(self) -> int:
        """Number of photos that became templates."""
        return sum(verdict.accepted for verdict in self.verdicts)


class ImportVerdict(StrEnum):
    """What became of one row of an import."""

    IMPORTED = "imported"
    UPDATED = "updated"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    PENDING = "pending"
    """Not reached: the import was interrupted or refused as a whole."""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How a table was written, so that what is given back looks the same.

    Attributes:
        header: The titles as written.
        separator: Between the cells of a CSV; empty for a workbook, and where nobody asked.
        encoding: Of a CSV, as Python names it.
    """

    header: tuple[str, ...] = ()
    separator: str = ""
    encoding: str = "utf-8-sig"


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row of an import.

    Attributes:
        line: Line number in the file, the header being 1.
        code, name, position: As read.
        verdict: What became of it.
        reason: Stable code of the reason; empty when imported with all photos.
        detail: The same for people, in English; a message id with ``params``.
        photos: Verdict of each photo.
        named_photos: The cell that names the photos, as read.
        cells: All cells of the row, as in the file.
    """

    line: int
    code: str
    name: str
    position: str
    verdict: ImportVerdict
    reason: str = ""
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    photos: tuple[PhotoVerdict, ...] = ()
    named_photos: str = ""
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import; ``source`` is how its file was written."""

    rows: tuple[ImportRow, ...]
    dry_run: bool
    interrupted: bool = False
    source: TableFormat = TableFormat()

    def count(self, *verdicts: ImportVerdict) -> int:
        """Number of rows with one of these verdicts."""
        return sum(row.verdict in verdicts for row in self.rows)


# --- training and identification ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonAccuracy:
    """Leave-one-out result of one person.

    Attributes:
        tried: Number of the person's templates, each compared with all others.
        correct: How many of them were nearest to another template of the same person.
        recognised: How many also passed threshold and margin, and so would have been greeted.
    """

    employee: Employee
    tried: int
    correct: int
    recognised: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """Templates of ``employee`` that are nearer to ``taken_for``: ``count`` of them, the worst at ``similarity``."""

    employee: Employee
    taken_for: Employee
    count: int
    similarity: float


@dataclass(frozen=True, slots=True)
class SuspectTemplate:
    """A template that looks mislabelled: nearer to another person than to its own."""

    employee: Employee
    source: str
    looks_like: Employee
    similarity_own: float
    similarity_other: float


@dataclass(frozen=True, slots=True)
class TrainReport:
    """The result of a training.

    Attributes:
        model: The identity of the embeddings.
        version: Digest (12 hex characters) of the trained model; the same gallery gives the same version.
        trained_at: UTC.
        matcher, k: The matcher and, for KNN, its number of neighbours.
        chosen_matcher: What ``auto`` chose for a gallery of this size; otherwise the matcher itself.
        employees, templates: Size of the gallery.
        threshold, margin: What a decision needs.
        leave_one_out_accuracy: Share of templates whose nearest other template is the same person's (rank 1); None
            when nobody has two templates.
        recognised_share: Share of templates that also pass threshold and margin.
        tried: Number of templates in both shares.
        people, confused, suspects: Details.
        single_template: People with one template only, whom leave-one-out cannot try.
        min_accuracy: The gate.
        activated: Whether this model is in use now.
    """

    model: ModelIdentity
    version: str
    trained_at: datetime
    matcher: str
    k: int
    chosen_matcher: str
    employees: int
    templates: int
    threshold: float
    margin: float
    leave_one_out_accuracy: float | None
    recognised_share: float | None
    tried: int
    people: tuple[PersonAccuracy, ...]
    confused: tuple[Confusion, ...]
    suspects: tuple[SuspectTemplate, ...]
    single_template: tuple[Employee, ...]
    min_accuracy: float
    activated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """The decision on one face in a picture.

    Attributes:
        outcome: RECOGNIZED, UNKNOWN, AMBIGUOUS, or why the face was not compared.
        employee: Who it is; None unless recognised.
        similarity, margin: See :class:`Match`; None where the face was not compared.
    """

    face: Face
    quality: Quality
    outcome: Outcome
    employee: Employee | None
    similarity: float | None
    margin: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """Who is in one picture.

    Attributes:
        image: The picture as it was named by the caller.
        faces: The largest first; boxes are in the pixels of the upright file.
        outcome: None when the picture could be read, else UNREADABLE or TOO_LARGE.
        detail: What is wrong with the file, in English; a message id with ``params``.
    """

    image: str
    faces: tuple[Identification, ...]
    outcome: Outcome | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()


# --- liveness ----------------------------------------------------------------------------------------------


class LivenessAction(StrEnum):
    """What a person may be asked to do. Left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"


class LivenessPrompt(StrEnum):
    """What a person is told to do now; those of the actions have the actions' values."""

    SHOW_FACE = "show_face"
    MOVE_CLOSER = "move_closer"
    LOOK_STRAIGHT = "look_straight"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"


class ChallengeFailure(StrEnum):
    """Why a challenge was not met."""

    TIME_OUT = "time_out"
    FACE_LOST = "face_lost"
    WRONG_WAY = "wrong_way"
    TOO_FAST = "too_fast"
    """Between two pictures too much changed for one movement: somebody in a hurry, or a cut."""
    FLAT = "flat"
    """The face seemed to turn as asked, but its nose did not stand out: a picture."""
    OTHER_PERSON = "other_person"
    """Who met the challenge is not who began it."""


# --- attendance --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Punch:
    """One raw clock event. It is never changed.

    Attributes:
        id: Row id; 0 before it is stored.
        employee_id: Who.
        at: UTC instant, whole seconds or finer.
        work_date: Local work date that it counts for.
        method: How.
        kiosk: Name of the kiosk or of the person's machine.
        key: Idempotency key, unique: the same attempt stored twice is one row.
        similarity: Cosine of the decision, None for methods without a face.
        model_digest: Digest of the embedder, empty without a face.
        note: Why, for manual punches.
        liveness: Score of the liveness check, None where none was made.
        status: The day's status as it was when the punch was stored: what the person was told. None before that.
        supersedes: Id of the punch that this one replaces or takes out; that one stays as it is and no longer counts.
        clock_trusted: Whether the kiosk's clock could be right: not before this program was written, and not set back.
    """

    id: int
    employee_id: int
    at: datetime
    work_date: date
    method: PunchMethod
    kiosk: str
    key: str
    similarity: float | None = None
    model_digest: str = ""
    note: str = ""
    liveness: float | None = None
    status: Status | None = None
    supersedes: int | None = None
    clock_trusted: bool = True


@dataclass(frozen=True, slots=True)
class AttendanceDay:
    """One employee's day, derived from punches or entered as leave.

    Attributes:
        clock_in: First punch, UTC; None on a day of leave without a punch.
        clock_out: Last punch that is late enough to be a departure, UTC.
        late_minutes: Whole minutes after the start of work, 0 within the grace.
        worked_minutes: Whole minutes between both, 0 without a departure.
    """

    employee_id: int
    work_date: date
    clock_in: datetime | None
    clock_out: datetime | None
    status: Status
    late_minutes: int = 0
    worked_minutes: int = 0


@dataclass(frozen=True, slots=True)
class PunchResult:
    """The answer to an attempt to punch.

    Attributes:
        outcome: RECOGNIZED when a punch was stored (or had been stored under the same key), ALREADY_RECORDED within
            the cooldown.
        punch: The punch that counts: the new one, or the one that stands.
        day: The day as it is now.
    """

    outcome: Outcome
    employee: Employee
    punch: Punch
    day: AttendanceDay


@dataclass(frozen=True, slots=True)
class ReportDay:
    """One line of a report: a day with the employee's code and name; times are local to the site."""

    code: str
    name: str
    work_date: date
    clock_in: datetime | None
    clock_out: datetime | None
    status: Status
    late_minutes: int
    worked_minutes: int


@dataclass(frozen=True, slots=True)
class ReportTotal:
    """Sums of one employee over the period of a report."""

    code: str
    name: str
    present: int
    late: int
    excused: int
    sick: int
    late_minutes: int
    worked_minutes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Days and totals from ``first`` to ``last``, both included, in the zone of the site."""

    first: date
    last: date
    zone: str
    days: tuple[ReportDay, ...]
    totals: tuple[ReportTotal, ...]


# --- signing in with a phone -------------------------------------------------------------------------------


class SignInState(StrEnum):
    """How a request to sign in stands, as the browser that made it may know."""

    PENDING = "pending"
    VERIFIED = "verified"
    DECLINED = "declined"
    DEAD = "dead"
    """Expired, answered with a wrong number, collected, replaced or never made: not told apart."""


class VerifyOutcome(StrEnum):
    """What became of a phone's answer to a request."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WRONG_NUMBER = "wrong_number"
    INVALID = "invalid"
    """The request is unknown, expired, answered already, or the code was tried too often: not told apart."""
    PHONE_NOT_PAIRED = "phone_not_paired"


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """A request to sign in, as the browser that made it shows it. Only this object knows the token.

    Attributes:
        url: What the QR code carries; the token is in it.
        token: 64 random characters: lets a phone answer, never collect.
        access_code: The same for phones without a camera, as ``BCDF-GHJK``.
        number: 10 to 99, to be compared and typed by the person.
        kiosk, place: Who asks, as the phone shows it.
        created_at, expires_at: UTC.
    """

    url: str = field(repr=False)
    token: str = field(repr=False)
    access_code: str = field(repr=False)
    number: int = field(repr=False)
    kiosk: str
    place: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignInAsk:
    """What a phone sees of a request before it answers: who asks, and until when (UTC)."""

    kiosk: str
    place: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignInGrant:
    """What the asking browser collects, once.

    Attributes:
        employee: Whose paired phone confirmed; None where an unpaired one did and that is allowed.
    """

    employee: Employee | None


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """A request as a store keeps it: hashes in place of the secrets.

    Attributes:
        token_hash: SHA-256 of the token, hex.
        code_hash, session_hash: Keyed hashes of the access code and of the asking browser's session, hex.
        state: PENDING, VERIFIED, DECLINED or DEAD.
        employee: Whose paired phone confirmed, where one did and both are still active.
    """

    token_hash: str
    code_hash: str
    session_hash: str
    number: int
    kiosk: str
    place: str
    created_at: datetime
    expires_at: datetime
    state: SignInState = SignInState.PENDING
    employee: Employee | None = None


@dataclass(frozen=True, slots=True)
class PairedPhone:
    """A phone that belongs to an employee.

    Attributes:
        id: Row id.
        created_at: UTC, when it was paired.
        label: What it calls itself, as ``Android``; may be empty.
        last_used_at: UTC, when it last answered or punched.
    """

    id: int
    employee: Employee
    created_at: datetime
    label: str = ""
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """An invitation to pair a phone: valid once, until ``expires_at`` (UTC). Its QR carries ``url``, with the token."""

    url: str = field(repr=False)
    token: str = field(repr=False)
    employee: Employee
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PhoneCredential:
    """What a newly paired phone keeps: ``value`` is its secret, and stored nowhere else."""

    value: str = field(repr=False)
    employee: Employee
    phone_id: int


@dataclass(frozen=True, slots=True)
class WebSession:
    """What a browser's session on the server holds.

    Attributes:
        data: Plain JSON values.
        user_id: Who is logged in, None where nobody is.
        created_at: UTC.
    """

    data: dict[str, object]
    user_id: int | None
    created_at: datetime


# --- users of the dashboard --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in to the dashboard. The password is nowhere but in the database, hashed.

    Attributes:
        name: In lower case, unique.
        active: Whether the user may sign in.
        created_at, last_login_at: UTC.
        locked_until: After too many wrong passwords, UTC.
        sessions_valid_from: Sessions that began before this instant are over, UTC.
    """

    id: int
    name: str
    role: Role
    active: bool
    created_at: datetime
    last_login_at: datetime | None
    locked_until: datetime | None
    sessions_valid_from: datetime


# --- the kiosk ---------------------------------------------------------------------------------------------


class KioskEventKind(StrEnum):
    """What a kiosk tells while it runs."""

    STARTED = "started"
    DECISION = "decision"
    DELIVERED = "delivered"
    """A punch that was pending is in the database now."""
    PROMPT = "prompt"
    """What a person is asked to do."""
    CAMERA_LOST = "camera_lost"
    CAMERA_BACK = "camera_back"
    MODEL_RELOADED = "model_reloaded"
    RUNNING = "running"
    """Once a second: ``frames_per_s``."""
    TROUBLE = "trouble"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class KioskSummary:
    """Counts of a kiosk session; ``pending`` punches wait on the kiosk for the database, earlier sessions' included."""

    frames: int
    seconds: float
    recorded: int
    already_recorded: int
    refused: int
    reason: str
    pending: int = 0


@dataclass(frozen=True, slots=True)
class KioskEvent:
    """Something a kiosk tells.

    Attributes:
        kind: What happened.
        at: UTC.
        outcome: For decisions.
        result: The punch, for RECOGNIZED and ALREADY_RECORDED, and for DELIVERED.
        employee: Who is PENDING, where the kiosk knows the name.
        similarity: For decisions on a compared face.
        lead: The same, above the second-best person; None for guidance.
        track: Number of the person's track in this session, for decisions.
        detail: One English sentence for the others; a message id with ``params``.
        summary: For SUMMARY.
        frames_per_s: For RUNNING: pictures of the camera that were looked at in the last second.
    """

    kind: KioskEventKind
    at: datetime
    outcome: Outcome | None = None
    result: PunchResult | None = None
    similarity: float | None = None
    track: int | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    summary: KioskSummary | None = None
    employee: Employee | None = None
    frames_per_s: float = 0.0
    lead: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """That somebody was refused: no picture, no embedding, and nobody's name.

    Attributes:
        at: UTC.
        kiosk: Where.
        outcome: Why.
        similarity: Cosine to the best person; None where the face was not compared.
        threshold: What it needed.
        lead: Distance to the second-best person; None likewise.
        margin: What that needed.
    """

    at: datetime
    kiosk: str
    outcome: Outcome
    similarity: float | None
    threshold: float
    lead: float | None
    margin: float

    @property
    def short_by(self) -> float | None:
        """How far it was from what the outcome needed; None where the face was not compared."""
        if self.outcome is Outcome.UNKNOWN and self.similarity is not None:
            return round(self.threshold - self.similarity, 6)
        if self.outcome is Outcome.AMBIGUOUS and self.lead is not None:
            return round(self.margin - self.lead, 6)
        return None


# --- models and health -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a pack in the models directory: its name below it, and its SHA-256 as published."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What is known of a model pack and of its copy on this machine.

    Attributes:
        name: As for ``models pull NAME``.
        engine: The engine it serves, empty where several.
        purpose: detection, embedding, landmarks ... in English.
        licence: Name of the licence of the weights.
        licence_class: What it allows.
        source: Where it comes from.
        state: ``installed``, ``missing``, ``different`` (not the published files) or ``bundled``.
        path: Where it lies or would lie.
        files: File name and digest found (empty digest where missing).
        published: Digests that these files should have, in the same order; empty where none is published.
        dimension: Numbers in an embedding; 0 where it has none, or that is not known.
        claimed: Accuracy that its makers tell, with where they do, in English; measured by them, not by us.
    """

    name: str
    engine: str
    purpose: str
    licence: str
    licence_class: LicenceClass
    source: str
    state: str
    path: str
    files: tuple[tuple[str, str], ...] = field(default=())
    published: tuple[str, ...] = ()
    dimension: int = 0
    claimed: str = ""

    def compared_files(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, digest found and digest published of each file; empty where there is none."""
        published = self.published or ("",) * len(self.files)
        return tuple((*file, digest) for file, digest in zip(self.files, published, strict=True))


class CheckLevel(StrEnum):
    """How a check of ``doctor`` ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One row of ``doctor``.

    Attributes:
        name: Stable name, as ``camera``.
        level: ok, warn or fail.
        detail: What was found; a message id with ``params``.
        fix: The line that mends it; a message id with ``params``. Empty when ok.
    """

    name: str
    level: CheckLevel
    detail: str
    fix: str = ""
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SettingValue:
    """One setting: dotted name, value and where the value comes from (flag, environment, file, default)."""

    name: str
    value: object
    origin: str
    about: str
