"""Enrolment from the dashboard: pictures come as bytes, from an upload or from the browser's camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import ConsentText, Employee, EnrolReport, Outcome
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from ..people import people
from ..people.people_file import Person
from ..privacy.privacy import Privacy
from ..recognition.picture_header import read_header
from ..recognition.recognizer import Recognizer
from . import enrol
from .photos import PhotoExam, examine_bytes

MAX_PICTURES: Final = 10
"""At once; whoever has more sends them in several turns."""
MAX_PICTURE_BYTES: Final = 5_000_000
"""A phone's photo in full size has less."""

UPLOAD_FORMATS: Final = ("jpeg", "png", "webp")
"""What browsers are offered to choose, and so what is decoded of what comes from them."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture as it was uploaded: a name for people, never used as a path, and its bytes."""

    name: str
    data: bytes


class Enrolments:
    """Adding people and their pictures.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def add(self, code: str, name: str, *, position: str = "") -> EnrolReport:
        """Add an employee without pictures; one of the same code and name is there already and stays.

        Raises:
            ConflictError: The code belongs to somebody of another name.
            InvalidInputError: Code or name is empty or too long.
        """
        return enrol.enrol(self._services, Person(code, name, position), [], allow_duplicate=False)

    def edit(self, code: str, *, name: str, position: str) -> Employee:
        """Give an employee another name and position. Raises NotFoundError, InvalidInputError."""
        return people.edit_employee(self._services, code, name=name, position=position)

    def add_pictures(
        self,
        code: str,
        pictures: Sequence[PictureFile],
        *,
        allow_duplicate: bool = False,
        consent: ConsentText | None = None,
    ) -> EnrolReport:
        """Enrol an employee from pictures; each gets a verdict, good ones become templates. No whole picture is kept.

        Args:
            consent: The text that the person agreed to just now; it is recorded, whatever becomes of the pictures.

        Raises:
            NotFoundError: There is no employee with that code.
            InvalidInputError: No picture, or more than :data:`MAX_PICTURES`.
            ConsentMissingError: The policy demands consent, and there is none.
            EngineMismatchError: The people here were enrolled with another engine.
        """
        if not 1 <= len(pictures) <= MAX_PICTURES:
            raise InvalidInputError(N_("Choose 1 to {most} pictures."), most=MAX_PICTURES)
        employee = people.get_employee(self._services, code)
        person = Person(employee.code, employee.name, employee.position)
        if consent is not None:
            Privacy(self._services).record_consent(employee.code, text=consent)
        enrol.check_consent(self._services, person, employee)
        self._services.follow_engine()
        with self._services.recognising() as lent:
            exams = [_examine(lent.enrolment, picture) for picture in pictures]
        enroller = enrol.Enroller(self._services, engine=lent.engine)
        return enroller.store(person, exams, allow_duplicate=allow_duplicate)


def _examine(recognizer: Recognizer, picture: PictureFile) -> PhotoExam:
    if len(picture.data) > MAX_PICTURE_BYTES:
        limit = (("limit", str(MAX_PICTURE_BYTES // 1_000_000)),)
        detail = N_("The picture has more than {limit} MB.")
        return PhotoExam(picture.name, Outcome.TOO_LARGE, detail=detail, params=limit)
    header = read_header(picture.data)
    if header is not None and header.format not in UPLOAD_FORMATS:
        return PhotoExam(picture.name, Outcome.UNREADABLE, detail=N_("Only JPEG, PNG and WebP are taken here."))
    return examine_bytes(recognizer, picture.data, photo=picture.name)
