"""The photos that a person was enrolled with, one by one: list them, look at the kept face, take a wrong one out.

Consent, the other photos and the attendance stay as they are; the whole face of a person goes by an erasure.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..app.bootstrap import Services
from ..kernel.domain import Employee, EnrolledPhoto, RemovedPhoto, TemplateFacts
from ..kernel.errors import KeyMissingError, ModelDamagedError, NotFoundError, NotTrainedError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text
from ..people import employee_rows
from ..store.database import Session
from ..store.files import write_atomically
from ..store.tables import NOTE_LENGTH
from ..trust import audit_rows
from ..trust.audit import note
from . import crop_rows, template_rows
from .model_file import TrainedModel, load_model, remove_model
from .model_in_force import change_model

_DIGEST_SHOWN = 12


class EnrolledPhotos:
    """The photos of employees.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def of(self, code: str) -> tuple[EnrolledPhoto, ...]:
        """Return the photos that an employee was enrolled with, the oldest first; no key is needed.

        Raises:
            NotFoundError: There is no employee with that code.
        """
        with self._services.database.read() as session:
            employee, found = _find_all(session, code)
        note(self._services, "biometric.read", subject=employee.code, details={"photos": str(len(found))})
        return found

    def picture(self, code: str, number: int) -> bytes:
        """Return the kept face of a photo, a JPEG.

        Raises:
            NotFoundError: There is no such employee or photo, or only the numbers of this face are kept.
            SealBrokenError: It was changed, or moved from somebody else.
            KeyMissingError: It is sealed with a key that is not here.
        """
        with self._services.database.read() as session:
            employee, found = _find_all(session, code)
            photo = _get(found, employee, number)
            kept = crop_rows.find(session, employee.id, photo.digest, ring=self._services.key_chain.ring())
        if kept is None:
            raise NotFoundError(
                N_("Of photo {number} of {code} only the numbers are kept, not the face."),
                hint=N_("The setting enrolment.keep_crops keeps the faces of those who are enrolled from then on."),
                number=number,
                code=employee.code,
            )
        details = {"photo": photo.digest[:_DIGEST_SHOWN]}
        note(self._services, "biometric.read", subject=employee.code, details=details)
        return kept.crop.picture

    def save(self, code: str, number: int, target: Path) -> None:
        """Write the kept face of a photo into a file, private to its owner. Raises as :meth:`picture`, StorageError."""
        write_atomically(target, self.picture(code, number))

    def remove(self, code: str, number: int, *, reason: str = "") -> RemovedPhoto:
        """Delete one photo of a person: its templates of all engines, its kept face, and its part of the trained model.

        Args:
            number: As :meth:`of` gives it.
            reason: Why, for the audit trail.

        Raises:
            NotFoundError: There is no such employee or photo.
            InvalidInputError: The reason is too long.
            StorageError: The trained model cannot be written. The photo is deleted then all the same.
        """
        reason = checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH)

        def work(session: Session) -> tuple[Employee, EnrolledPhoto, int, frozenset[int]]:
            employee, found = _find_all(session, code)
            employee_rows.lock(session, employee.id)
            photo = _get(found, employee, number)
            doomed = frozenset(
                one.id
                for one in template_rows.facts_of_employee(session, employee.id)
                if one.photo_digest == photo.digest
            )
            template_rows.delete(session, doomed)
            crop_rows.delete(session, employee.id, photo.digest)
            details = {
                "employee": str(employee.id),
                "photo": photo.digest[:_DIGEST_SHOWN],
                "left": str(len(found) - 1),
                "reason": reason,
            }
            audit_rows.append(
                session,
                actor=self._services.actor,
                action="employee.remove_photo",
                subject=employee.code,
                details=details,
            )
            return employee, photo, len(found) - 1, doomed

        employee, photo, left, doomed = self._services.database.run_write(work)
        self._services.database.scrub()
        in_model = self._forget(doomed)
        return RemovedPhoto(employee, photo, left=left, was_in_model=in_model)

    def _forget(self, template_ids: frozenset[int]) -> bool:
        """Take templates out of the trained model in force; return whether one was in it."""

        def forget(trained: TrainedModel) -> TrainedModel | None:
            others = ~np.isin(trained.template_ids, sorted(template_ids))
            return None if others.all() else trained.only(others)

        assets = self._services.settings.assets_dir
        try:
            load_model(assets, self._services.key_chain.ring())
        except NotTrainedError:
            return False
        except (ModelDamagedError, KeyMissingError):
            # Of what is there, nobody can tell whose faces are in it: it is made again by the next training.
            remove_model(assets)
            return True
        return change_model(self._services, forget, action="model.forget")


def _find_all(session: Session, code: str) -> tuple[Employee, tuple[EnrolledPhoto, ...]]:
    employee = employee_rows.get(session, code)
    kept = crop_rows.photo_digests(session, employee.id)
    by_digest: dict[str, list[TemplateFacts]] = {}
    for one in template_rows.facts_of_employee(session, employee.id):
        by_digest.setdefault(one.photo_digest, []).append(one)
    return employee, tuple(
        EnrolledPhoto(
            number=found[0].id,
            source=found[0].source,
            digest=digest,
            enrolled_at=found[0].created_at,
            quality=found[0].quality,
            engines=tuple(dict.fromkeys(one.model.engine for one in found)),
            has_picture=digest in kept,
        )
        for digest, found in by_digest.items()
    )


def _get(found: tuple[EnrolledPhoto, ...], employee: Employee, number: int) -> EnrolledPhoto:
    for photo in found:
        if photo.number == number:
            return photo
    raise NotFoundError(
        N_("{name} ({code}) has no photo with the number {number}."),
        hint=N_("“smartabsen employee photos {code}” lists them."),
        name=employee.name,
        code=employee.code,
        number=number,
    )
