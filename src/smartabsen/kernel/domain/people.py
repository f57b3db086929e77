"""Employees, their templates, consents, and what enrolment says of photos."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from .faces import ModelIdentity, Quality
from .words import BoxXYXY, FloatArray, LandmarkScheme, Outcome


@dataclass(frozen=True, slots=True)
class Employee:
    """A person whose attendance is kept.

    Attributes:
        id: Row id: it is given to somebody else after an older database was restored.
        code: The employer's unique code for the person.
        name: Full name.
        position: Job title, may be empty.
        active: Whether the person may punch.
        created_at: UTC.
        templates: Number of templates of the active engine.
        uuid: Never given to anybody else: what is kept outside the database names people by it.
    """

    id: int
    code: str
    name: str
    position: str
    active: bool
    created_at: datetime
    templates: int = 0
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class Members:
    """Who belongs to a gallery: all active employees, or those of them who are chosen.

    Attributes:
        uuids: The chosen ones; None takes everybody.
        include_inactive: Whether those belong to it who may not punch.
    """

    uuids: frozenset[str] | None = None
    include_inactive: bool = False

    def includes(self, uuid: str) -> bool:
        """Tell whether an employee is among the chosen ones."""
        return self.uuids is None or uuid in self.uuids


ACTIVE: Final = Members()
"""Everybody who may punch."""
EVERYBODY: Final = Members(include_inactive=True)
"""Those who may not punch any more as well."""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Who somebody of a trained model is.

    Attributes:
        uuid: Never given to anybody else; it decides.
        code, name: For people; empty where an earlier version made the model.
    """

    uuid: str
    code: str = ""
    name: str = ""


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


@dataclass(frozen=True, slots=True)
class EnrolledPhoto:
    """A photo that somebody was enrolled with; the photo itself is not kept.

    Attributes:
        number: By which it is named, the id of its first template.
        source: File name, or the camera.
        digest: SHA-256 (hex) of its bytes.
        enrolled_at: UTC.
        quality: Measures of its face.
        engines: For which it has templates.
        has_picture: Whether the face that was cut out of it is kept.
    """

    number: int
    source: str
    digest: str
    enrolled_at: datetime
    quality: Quality
    engines: tuple[str, ...]
    has_picture: bool


@dataclass(frozen=True, slots=True)
class RemovedPhoto:
    """What the removal of a photo did.

    Attributes:
        left: Photos that the person has now.
        was_in_model: Whether the trained model had it; it has it no more.
    """

    employee: Employee
    photo: EnrolledPhoto
    left: int
    was_in_model: bool


@dataclass(frozen=True, slots=True)
class DamagedTemplate:
    """A stored template that is not what its row says: changed, moved from somebody else, or never sealed.

    Attributes:
        id: Row id.
        employee_id, code, name: In whose row it lies.
        photo_digest: SHA-256 (hex) of its photo.
        sealed: Whether it has a seal at least.
    """

    id: int
    employee_id: int
    code: str
    name: str
    photo_digest: str
    sealed: bool


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
        copy_of: File name of the person's other photo that this accepted one is nearly equal to; empty without one.
        unlike_others: Highest cosine to the person's other photos, where this accepted one looks like another person
            than they do; else None.
        detail: What is wrong with the file in particular, in English; a message id with ``params``. Empty where the
            outcome says it all.
        turned: Degrees clockwise by which the photo was turned to stand upright: 0, 90, 180 or 270.
        bystanders: Smaller faces in it, which were left aside.
        box_xyxy: The face that was taken, in the pixels of the photo as it was judged, upright; None where there is
            none.
        place: Where that face is, from the left: 0 to 1.
    """

    photo: str
    outcome: Outcome
    quality: Quality | None = None
    similar_to: Employee | None = None
    copy_of: str = ""
    unlike_others: float | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    turned: int = 0
    bystanders: int = 0
    box_xyxy: BoxXYXY | None = None
    place: float = 0.5

    @property
    def accepted(self) -> bool:
        return self.outcome is Outcome.ACCEPTED


class EnrolAdvice(StrEnum):
    """What would make somebody easier to recognise, told after an enrolment."""

    MIXED = "mixed"
    """Some of the photos look like another person than the others of this code."""
    MORE_PHOTOS = "more_photos"
    VARY = "vary"
    FROM_THE_FRONT = "from_the_front"


ENOUGH_PHOTOS: Final = 3
"""So many different photos of one person are enough for most; ``docs/accuracy.md`` has the figures."""
FRONTAL_YAW: Final = 0.35
"""A face counts as seen from the front up to this turn: a sine, 20 degrees."""


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

    @property
    def copies(self) -> int:
        """Number of accepted photos that are nearly equal to another one of the person."""
        return sum(bool(verdict.copy_of) for verdict in self.verdicts)

    @property
    def unlike(self) -> tuple[PhotoVerdict, ...]:
        """Verdicts on accepted photos that look like another person than the others of this code."""
        return tuple(verdict for verdict in self.verdicts if verdict.unlike_others is not None)

    @property
    def advice(self) -> tuple[EnrolAdvice, ...]:
        """What to do better; nothing where no photo was accepted, since its verdict says what to do."""
        good = [verdict.quality for verdict in self.verdicts if verdict.accepted and verdict.quality is not None]
        if not good:
            return ()
        found = [EnrolAdvice.MIXED] if self.unlike else []
        if 2 * self.copies > len(good):
            found.append(EnrolAdvice.VARY)
        elif self.employee.templates < ENOUGH_PHOTOS:
            found.append(EnrolAdvice.MORE_PHOTOS)
        if self.employee.templates == len(good) and all(abs(quality.yaw) > FRONTAL_YAW for quality in good):
            found.append(EnrolAdvice.FROM_THE_FRONT)
        return tuple(found)


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
class TableReading:
    """What was taken for what in a table.

    Attributes:
        sheet: Name of the sheet; empty for a CSV.
        header_line: Where the titles stand.
        columns: Columns that are used: the name of each and its title in the file.
        unused: Titles of the others.
        hidden_lines: Rows that the spreadsheet hides, as by a filter; they are among the rows.
        passed_lines: Rows below the titles that are no people: totals, further titles, numbers of columns.
    """

    sheet: str = ""
    header_line: int = 1
    columns: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    hidden_lines: tuple[int, ...] = ()
    passed_lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """What has to be asked of a table that can be read in several ways.

    Attributes:
        about: Whether a sheet or a column is looked for.
        column: Name of the column; empty for a sheet.
        choices: Names of the sheets, or titles of the columns, one of which is meant.
    """

    about: Literal["sheet", "column"]
    column: str
    choices: tuple[str, ...]


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
    """The result of an import.

    Attributes:
        source: How its file was written.
        reading: What was taken for what in it.
        unclaimed_files: Files in the folder of photos that belong to no row, as paths below it.
    """

    rows: tuple[ImportRow, ...]
    dry_run: bool
    interrupted: bool = False
    source: TableFormat = TableFormat()
    reading: TableReading = TableReading()
    unclaimed_files: tuple[str, ...] = ()

    def count(self, *verdicts: ImportVerdict) -> int:
        """Number of rows with one of these verdicts."""
        return sum(row.verdict in verdicts for row in self.rows)
