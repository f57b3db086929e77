"""Employees, their photos, and what enrolment and import say of them. Embeddings are in nothing here."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from ..kernel import domain
from ..kernel.messages import describe_verdict, fill
from .base import Cosine, CosineOrNone, Instant, Pixels, Sine, Text, TextOrNone, Wire


class Person(Wire):
    """Code and name."""

    code: str
    name: str


class Employee(Wire):
    """An employee."""

    uuid: TextOrNone
    code: str
    name: str
    position: str
    active: bool
    templates: int
    created_at: Instant


class Quality(Wire):
    """Measures of a face."""

    face_px: Pixels
    brightness: Pixels
    sharpness: Pixels
    yaw: Sine
    detection_score: Cosine
    covered: bool


class Template(Wire):
    """A template without its embedding."""

    id: int
    source: str
    model: Text
    photo_digest: str
    quality: Quality | None


class EnrolledPhoto(Wire):
    """A photo that somebody was enrolled with."""

    number: int
    source: str
    digest: str
    enrolled_at: Instant
    engines: tuple[str, ...]
    has_picture: bool
    quality: Quality | None


class Photo(Wire):
    """What became of a photo at enrolment."""

    photo: str
    outcome: domain.Outcome
    quality: Quality | None
    message: str
    hint: str
    similar_to: Person | None
    copy_of: str
    unlike_others: CosineOrNone
    turned: int
    bystanders: int
    box_xyxy: tuple[Pixels, Pixels, Pixels, Pixels] | None

    @classmethod
    def of(cls, value: domain.PhotoVerdict, /, **more: Any) -> Self:
        """Make it of a verdict, with its sentences."""
        message, hint = describe_verdict(value)
        return super().of(value, message=message, hint=hint, **more)


class Enrolment(Wire):
    """The result of enrolling one person."""

    employee: Employee
    created: bool
    accepted: int
    photos: tuple[Photo, ...]
    advice: tuple[domain.EnrolAdvice, ...]

    @classmethod
    def of(cls, value: domain.EnrolReport, /, **more: Any) -> Self:
        """Make it of a report."""
        return super().of(value, photos=tuple(map(Photo.of, value.verdicts)), **more)


class ImportedRow(Wire):
    """What became of one row of an import."""

    line: int
    code: str
    name: str
    position: str
    verdict: domain.ImportVerdict
    reason: str
    message: str
    photos: tuple[Photo, ...]

    @classmethod
    def of(cls, value: domain.ImportRow, /, **more: Any) -> Self:
        """Make it of a row, with its sentence."""
        message = fill(value.detail, value.params)
        return super().of(value, message=message, photos=tuple(map(Photo.of, value.photos)), **more)


class Imported(Wire):
    """The result of an import: how many rows of each verdict, what the table was taken for, and the rows."""

    imported: int
    updated: int
    skipped: int
    rejected: int
    pending: int
    dry_run: bool
    interrupted: bool
    sheet: str
    header_line: int
    columns: dict[str, str]
    unused_columns: tuple[str, ...] = Field(validation_alias="unused")
    hidden_lines: tuple[int, ...]
    passed_lines: tuple[int, ...]
    unclaimed_files: tuple[str, ...]
    rows: tuple[ImportedRow, ...]

    @classmethod
    def of(cls, value: domain.ImportReport, /, **more: Any) -> Self:
        """Make it of a report."""
        return super().of(
            value.reading,
            **{verdict.value: value.count(verdict) for verdict in domain.ImportVerdict},
            dry_run=value.dry_run,
            interrupted=value.interrupted,
            columns=dict(value.reading.columns),
            unclaimed_files=value.unclaimed_files,
            rows=tuple(map(ImportedRow.of, value.rows)),
            **more,
        )


class LookAlikes(Wire):
    """Two codes that are perhaps one person."""

    employee: Person
    other: Person
    similarity: Cosine


class Duplicates(Wire):
    """What is known of people under two codes."""

    searched_at: Instant | None
    complete: bool
    threshold: float
    pairs: tuple[LookAlikes, ...]
