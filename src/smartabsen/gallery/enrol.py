"""Enrolment: photos or camera frames of one person become templates, or are refused with a reason."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import EVERYBODY, Consent, Employee, EnrolReport, ModelIdentity, Outcome, PhotoVerdict, Template
from ..kernel.errors import CameraError, ConflictError, InvalidInputError, NotFoundError
from ..kernel.i18n import N_
from ..people import consent_rows, employee_rows
from ..people.consent import consent_missing, demands_consent, new_consent, store_consent
from ..people.people_file import Person, same_name
from ..recognition.engines import Engine
from ..store import meta
from ..store.database import Session
from ..store.photo_files import find_photos
from ..trust import audit_rows
from ..trust.active_key import ring_for_writing
from . import crop_rows, template_rows
from .crop_rows import KeptCrop
from .engine_choice import mismatch
from .look_alikes import KnownFaces
from .photos import PhotoExam, examine_image, examine_photo
from .stored_gallery import read_gallery
from .template_rows import Gallery

Progress = Callable[[int, int], None]
"""Called with what is done and the total."""
CameraEvent = Callable[[PhotoVerdict | int], None]
"""Told how many photos are still wanted, and the verdict on each one taken."""

SHOT_EVERY_S: Final = 1.0
"""Between two photos at the camera a person has time to turn a little: equal photos teach nothing."""
GUIDE_EVERY_S: Final = 2.0
"""A refusal is told again only after this time."""
CAMERA_PATIENCE_S: Final = 120.0


def enrol(
    services: Services,
    person: Person,
    photos: Sequence[str | Path],
    *,
    allow_duplicate: bool,
    on_progress: Progress | None = None,
) -> EnrolReport:
    """Enrol one person from photos or folders of photos; an employee with that code gets further templates.

    Without any photo the employee is added without a template: somebody who does not want to be recognised.

    Returns:
        A verdict for each photo. When none of the given photos was accepted, nobody was added.

    Raises:
        ConflictError: The code belongs to somebody of another name.
        InvalidInputError: Code or name is empty or too long; a folder holds no photo.
        ConsentMissingError: The policy demands consent, and there is none.
        KeyMissingError: The key of those who are enrolled is missing.
    """
    known = check_owner(services, person)
    files = find_photos(photos)
    if files:
        check_consent(services, person, known)
    if photos and not files:
        raise InvalidInputError(N_("There is no photo in {folders}."), folders=", ".join(map(str, photos)))
    exams = []
    for done, photo in enumerate(files, start=1):
        exams.append(examine_photo(services.enrolment, photo))
        if on_progress is not None:
            on_progress(done, len(files))
    return Enroller(services).store(person, exams, allow_duplicate=allow_duplicate)


def enrol_from_camera(
    services: Services,
    person: Person,
    *,
    camera: str,
    shots: int,
    allow_duplicate: bool,
    on_event: CameraEvent | None = None,
    stop: threading.Event | None = None,
) -> EnrolReport:
    """Take ``shots`` good photos of one person at a camera, at least a second apart, and enrol them.

    Raises:
        CameraError: The camera is held by another process, gives no picture, or no good photo came in two minutes.
        ConsentMissingError: The policy demands consent, and there is none.
        KeyMissingError: The key of those who are enrolled is missing.
    """
    check_consent(services, person, check_owner(services, person))
    stop = stop or threading.Event()
    exams: list[PhotoExam] = []
    with services.camera_lock(camera):
        source = services.open_camera(camera, stop=stop, on_lost=_raise, on_back=lambda: None)
        try:
            tell = on_event or (lambda _event: None)
            tell(shots)
            started = time.monotonic()
            next_shot_s, next_word_s = 0.0, 0.0
            while len(exams) < shots and not stop.is_set():
                frame = source.read(5.0)
                if frame is None:
                    break
                if source.live and time.monotonic() - started > CAMERA_PATIENCE_S:
                    break
                if frame.at_s < next_shot_s:
                    continue
                digest = hashlib.sha256(frame.image_bgr.tobytes()).hexdigest()
                name = f"{source.name}#{frame.index}"
                exam = examine_image(services.enrolment, frame.image_bgr, photo=name, digest=digest, may_turn=False)
                if exam.outcome is Outcome.ACCEPTED:
                    exams.append(exam)
                    next_shot_s = frame.at_s + SHOT_EVERY_S
                    tell(exam.verdict())
                elif frame.at_s >= next_word_s:
                    next_word_s = frame.at_s + GUIDE_EVERY_S
                    tell(exam.verdict())
        finally:
            source.close()
    if not exams:
        raise CameraError(
            N_("No good photo of {name} could be taken at “{camera}”."),
            hint=N_("One person alone, well lit from the front, looking at the camera, an arm's length away."),
            name=person.name,
            camera=source.name,
        )
    return Enroller(services).store(person, exams, allow_duplicate=allow_duplicate)


def check_owner(services: Services, person: Person) -> Employee | None:
    """Return the employee who has the person's code already, or None.

    Raises:
        ConflictError: That is somebody of another name.
    """
    with services.database.read() as session:
        known = employee_rows.find(session, person.code)
    if known is not None and not same_name(known.name, person.name):
        raise ConflictError(
            N_("The code {code} belongs to {known}, not to {name}."),
            hint=N_("Give {name} a code of their own, or rename: smartabsen employee rename {code} NAME"),
            code=known.code,
            known=known.name,
            name=person.name,
        )
    return known


def check_consent(services: Services, person: Person, known: Employee | None) -> None:
    """Refuse the face of somebody who did not agree, where the policy demands that.

    Args:
        known: The employee with the person's code, or None.

    Raises:
        ConsentMissingError: Neither is a consent given now, nor is one recorded.
    """
    if not demands_consent(services) or person.consent_at is not None:
        return
    if known is not None:
        with services.database.read() as session:
            if consent_rows.find_in_force(session, known.id) is not None:
                return
    raise consent_missing(person.name)


class Enroller:
    """Stores people with their examined photos; keeps all known faces in memory for bulk work.

    Args:
        services: The installation.
        dry_run: Judge as if people were stored, and store nothing.
        engine: What made the embeddings; the one in use by default.
    """

    def __init__(self, services: Services, *, dry_run: bool = False, engine: Engine | None = None) -> None:
        self._services = services
        self._dry_run = dry_run
        self._named_engine = engine
        self._drafts: dict[int, Employee] = {}
        self._consent_text: Consent | None = None

    @cached_property
    def _engine(self) -> Engine:
        """Not asked for where nobody has a photo: people can be added without any engine."""
        return self._named_engine or self._services.engine

    @property
    def _identity(self) -> ModelIdentity:
        return self._engine.identity

    @cached_property
    def _gallery(self) -> Gallery:
        with self._services.database.read() as session:
            return read_gallery(self._services, session, self._identity, members=EVERYBODY)

    @cached_property
    def _known(self) -> KnownFaces:
        return KnownFaces(self._gallery.embeddings, self._gallery.employee_ids, self._gallery.sources)

    def _model(self, *, with_photos: bool) -> ModelIdentity | None:
        return self._identity if with_photos else self._services.active_model()

    def store(
        self, person: Person, exams: Sequence[PhotoExam], *, allow_duplicate: bool, update: bool = False
    ) -> EnrolReport:
        """Store a person and the accepted photos in one transaction; nothing when none of the photos is good.

        Args:
            update: Also give an existing employee the name and position of ``person``.

        Raises:
            EngineMismatchError: Another process fixed another engine meanwhile.
        """
        model = self._model(with_photos=bool(exams))
        damaged = self._gallery.damaged if exams else ()
        with self._services.database.read() as session:
            before = employee_rows.find(session, person.code, model=model)
            digests = template_rows.photo_digests(session, before.id, model) if before and model else frozenset()
            if before:
                digests -= {one.photo_digest for one in damaged if one.employee_id == before.id}
            verdicts = self._judge(session, exams, before, digests, allow_duplicate=allow_duplicate) if exams else ()
        good = [exam for exam, verdict in zip(exams, verdicts, strict=True) if verdict.accepted]
        # Negative ids stand for people who are not stored.
        draft = before or Employee(
            -1 - len(self._drafts), person.code, person.name, person.position, True, datetime.now(UTC)
        )
        if exams and not good and not (before and update):
            return EnrolReport(draft, created=False, verdicts=verdicts)
        if self._dry_run:
            employee = self._drafts[draft.id] = draft
        else:
            if good:
                self._services.ensure_key()
            employee = self._services.database.run_write(
                lambda session: self._write(session, person, good, exists=before is not None, update=update)
            )
        if good:
            sources = [Path(exam.photo).name for exam in good]
            self._known.add([exam.embedding for exam in good if exam.embedding is not None], employee.id, sources)
        return EnrolReport(employee, created=before is None, verdicts=verdicts)

    def store_faceless(self, people: Sequence[Person], *, exist: bool) -> bool:
        """Add new people without photos, or give those who exist their name and position, all in one transaction.

        Returns:
            False where one of them cannot be stored as if nobody else wrote meanwhile; nobody was stored then.
        """
        if self._dry_run:
            return True
        model = self._services.active_model()

        def work(session: Session) -> None:
            for person in people:
                if exist:
                    employee = employee_rows.update(session, person.code, name=person.name, position=person.position)
                else:
                    employee = employee_rows.add(session, code=person.code, name=person.name, position=person.position)
                if person.consent_at is not None:
                    self._store_consent(session, employee, person.consent_at)
                self._note(session, employee, photos=0, model=model, added=not exist, named=True)

        try:
            self._services.database.run_write(work)
        except (ConflictError, InvalidInputError, NotFoundError):
            return False
        return True

    def _judge(
        self,
        session: Session,
        exams: Sequence[PhotoExam],
        before: Employee | None,
        digests: frozenset[str],
        *,
        allow_duplicate: bool,
    ) -> tuple[PhotoVerdict, ...]:
        verdicts = [exam.verdict() for exam in exams]
        seen = set(digests)
        room = self._services.settings.enrolment.max_photos - len(digests)
        for place, exam in enumerate(exams):
            if not verdicts[place].accepted:
                continue
            if exam.digest in seen:
                verdicts[place] = dataclasses.replace(verdicts[place], outcome=Outcome.DUPLICATE_PHOTO)
            elif room <= 0:
                verdicts[place] = dataclasses.replace(verdicts[place], outcome=Outcome.TOO_MANY_PHOTOS)
            else:
                room -= 1
            seen.add(exam.digest)
        own_id = before.id if before else None
        if not allow_duplicate:
            self._refuse_others(session, exams, verdicts, own_id=own_id)
        self._tell_copies(exams, verdicts, own_id=own_id)
        self._tell_mixture(exams, verdicts, own_id=own_id)
        return tuple(verdicts)

    def _refuse_others(
        self, session: Session, exams: Sequence[PhotoExam], verdicts: list[PhotoVerdict], *, own_id: int | None
    ) -> None:
        places = [place for place, verdict in enumerate(verdicts) if verdict.accepted]
        found = self._known.find_look_alikes(
            [exams[place].embedding for place in places],  # type: ignore[misc] # accepted photos have one
            own_id=own_id,
            threshold=self._engine.duplicate_threshold,
        )
        for place, other in zip(places, found, strict=True):
            if other is not None:
                similar = self._drafts.get(other) or employee_rows.get_by_id(session, other)
                verdicts[place] = dataclasses.replace(
                    verdicts[place], outcome=Outcome.DUPLICATE_FACE, similar_to=similar
                )

    def _tell_copies(self, exams: Sequence[PhotoExam], verdicts: list[PhotoVerdict], *, own_id: int | None) -> None:
        places = [place for place, verdict in enumerate(verdicts) if verdict.accepted]
        found = self._known.find_copies(
            [exams[place].embedding for place in places],  # type: ignore[misc] # accepted photos have one
            [Path(exams[place].photo).name for place in places],
            own_id=own_id,
            threshold=self._engine.copy_threshold,
        )
        for place, other in zip(places, found, strict=True):
            verdicts[place] = dataclasses.replace(verdicts[place], copy_of=other)

    def _tell_mixture(self, exams: Sequence[PhotoExam], verdicts: list[PhotoVerdict], *, own_id: int | None) -> None:
        places = [place for place, verdict in enumerate(verdicts) if verdict.accepted]
        found = self._known.find_unlike_others(
            [exams[place].embedding for place in places],  # type: ignore[misc] # accepted photos have one
            own_id=own_id,
            threshold=self._engine.threshold,
        )
        for place, nearest in zip(places, found, strict=True):
            verdicts[place] = dataclasses.replace(verdicts[place], unlike_others=nearest)

    def _replace_damaged(self, session: Session, employee: Employee) -> None:
        """Delete what is damaged of somebody who gets good templates now."""
        doomed = [one.id for one in self._gallery.damaged if one.employee_id == employee.id]
        deleted = template_rows.delete(session, doomed) if doomed else 0
        if deleted:
            details = {"rows": str(deleted)}
            audit_rows.append(
                session,
                actor=self._services.actor,
                action="keys.delete_broken",
                subject=employee.code,
                details=details,
            )

    def _consent(self, at: datetime) -> Consent:
        if self._consent_text is None:
            self._consent_text = new_consent(self._services)
        return dataclasses.replace(self._consent_text, at=at)

    def _write(
        self, session: Session, person: Person, good: Sequence[PhotoExam], *, exists: bool, update: bool
    ) -> Employee:
        if exists and update:
            employee_rows.update(session, person.code, name=person.name, position=person.position)
        elif not exists:
            employee_rows.add(session, code=person.code, name=person.name, position=person.position)
        employee = employee_rows.get(session, person.code)
        if person.consent_at is not None:
            self._store_consent(session, employee, person.consent_at)
        if good:
            active = meta.claim_active_model(session, self._identity)
            if active != self._identity:
                raise mismatch(active, wanted=str(self._identity))
            ring = ring_for_writing(session, self._services.key_chain)
            self._replace_damaged(session, employee)
            template_rows.add_many(session, [_template(exam, employee.id, self._identity) for exam in good], ring=ring)
            if self._services.settings.enrolment.keep_crops:
                crop_rows.add_many(session, [kept for exam in good for kept in _kept(exam, employee.id)], ring=ring)
        model = self._model(with_photos=bool(good))
        self._note(session, employee, photos=len(good), model=model, added=not exists, named=not exists or update)
        return employee_rows.get(session, person.code, model=model)

    def _store_consent(self, session: Session, employee: Employee, at: datetime) -> None:
        store_consent(session, employee_id=employee.id, code=employee.code, consent=self._consent(at))

    def _note(
        self,
        session: Session,
        employee: Employee,
        *,
        photos: int,
        model: ModelIdentity | None,
        added: bool,
        named: bool,
    ) -> None:
        details = {"photos": str(photos), "model": str(model or ""), "employee": str(employee.id)}
        if added:
            details["added"] = employee.created_at.isoformat()
        if named:
            # Only what somebody gives now: what stands in the table may be anybody's.
            details["name"] = employee.name
        audit_rows.append(
            session, actor=self._services.actor, action="employee.enrol", subject=employee.code, details=details
        )


def _kept(exam: PhotoExam, employee_id: int) -> Iterator[KeptCrop]:
    if exam.crop is not None:
        yield KeptCrop(employee_id, exam.digest, Path(exam.photo).name, exam.crop)


def _template(exam: PhotoExam, employee_id: int, model: ModelIdentity) -> Template:
    assert exam.embedding is not None and exam.quality is not None
    return Template(
        id=0,
        employee_id=employee_id,
        embedding=exam.embedding,
        model=model,
        quality=exam.quality,
        source=Path(exam.photo).name,
        photo_digest=exam.digest,
    )


def _raise(error: CameraError) -> None:
    raise error
