"""Who is in these pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Final

import numpy as np

from ..app.bootstrap import Services
from ..kernel.domain import (
    ACTIVE,
    EVERYBODY,
    Employee,
    Identification,
    ImageBGR,
    ImageResult,
    Match,
    Members,
    Observation,
    Outcome,
)
from ..kernel.errors import InvalidInputError, KeyMissingError, ModelDamagedError, NotTrainedError, SealBrokenError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..privacy.erase import forget_erased
from ..recognition.annotate import Label, draw
from ..recognition.images import PICTURE_SUFFIXES, ImageRefusal, Picture, encode_image
from ..recognition.light import find_light
from ..recognition.upright import Upright, find_upright
from ..store.files import write_atomically
from ..store.photo_files import expand_folders
from ..trust import audit_rows
from ..trust.audit import note
from . import model_rows, template_rows as templates
from .gallery import LiveGallery, template_rows
from .model_file import load_model
from .model_in_force import find_in_force, follow
from .photos import read_picture
from .stored_gallery import read_gallery

_SHOWN_NAMES: Final = 5


def open_gallery(services: Services, members: Members = ACTIVE) -> LiveGallery:
    """Load the trained model for the engine in use; raises as :class:`LiveGallery`, and NotTrainedError for one that
    was trained on another database: its numbers would name other people here.

    People who were enrolled since the training are remarked.

    Args:
        members: Who is compared: everybody in the trained model, or the chosen ones.
    """
    forget_erased(services)
    try:
        follow(services)
    except SealBrokenError as exc:
        # The model of this home is good as long as it opens.
        services.remark(exc.message_id, **exc.params)
    gallery = load_gallery(services, members)
    with services.database.read(long=True) as session:
        stored = read_gallery(services, session, services.engine.identity, members=EVERYBODY)
        people = {person.id: person.name for person in employee_rows.find_all(session, include_inactive=False)}
        version = model_rows.find_version(session)
        restored_at = audit_rows.last_at(session, "backup.restore")
    known = set(template_rows(stored))
    # The model in force belongs here, whatever was damaged or deleted since.
    if gallery.version != version and not known.issuperset(gallery.rows()):
        hint = N_("Train it again: smartabsen train")
        if restored_at is not None and restored_at > gallery.trained_at:
            raise NotTrainedError(
                N_("An older backup was restored on {at}: the trained model does not belong to the people in it."),
                hint=hint,
                at=f"{restored_at.astimezone(services.site_zone):%Y-%m-%d %H:%M}",
            )
        raise NotTrainedError(N_("The trained model does not belong to the people in this database."), hint=hint)
    wanted = {owner for owner, person in stored.people.items() if members.includes(person.uuid)}
    lacking = {people[owner] for _, owner, _ in known.difference(gallery.rows()) if owner in people and owner in wanted}
    if lacking:
        names = ", ".join(sorted(lacking)[:_SHOWN_NAMES]) + (" …" if len(lacking) > _SHOWN_NAMES else "")
        services.remark(N_("The trained model lacks photos of {names}. Train it again: smartabsen train"), names=names)
    return gallery


def model_belongs(services: Services) -> bool:
    """Tell whether :func:`open_gallery` would find the trained model of this database; nothing is written.

    Raises:
        ModelError: There is none, or it does not open.
        DatabaseError: The database does not answer.
    """
    ring = services.key_chain.ring()
    trained = find_in_force(services, load_model(services.settings.assets_dir, ring))
    assert trained is not None
    with services.database.read(long=True) as session:
        stored = templates.gallery(session, trained.model, ring=ring, members=EVERYBODY)
        version = model_rows.find_version(session)
    return trained.version == version or set(template_rows(stored)).issuperset(template_rows(trained))


def current_gallery(services: Services, gallery: LiveGallery | None) -> LiveGallery:
    """Return the gallery in force, opened where it is not yet; raises as :func:`open_gallery`."""
    if gallery is None:
        return open_gallery(services)
    with suppress(KeyMissingError, ModelDamagedError):
        # What is loaded was good, and goes on.
        follow(services, using=gallery.version)
    gallery.refresh()
    return gallery if gallery.other_engine is None else take_over_engine(services, gallery)


def take_over_engine(services: Services, gallery: LiveGallery) -> LiveGallery:
    """Return the gallery for the engine that has come into force in the place of another one, and use that engine.

    Raises:
        EngineMismatchError: The settings name another engine, or the files here are others.
        ModelError: It is not installed here.
        NotTrainedError: Its trained model is gone again.
    """
    assert gallery.other_engine is not None
    services.change_engine(gallery.other_engine)
    return load_gallery(services, gallery.members)


def load_gallery(services: Services, members: Members = ACTIVE) -> LiveGallery:
    """Load the trained model for the engine in use, whatever database it was trained on."""
    engine = services.engine
    return LiveGallery(
        services.settings.assets_dir,
        engine.identity,
        partial(services.make_matcher, engine=engine),
        ring=services.key_chain.ring,
        members=members,
    )


def identify(
    services: Services, gallery: LiveGallery, images: Sequence[str | Path], *, draw_dir: Path | None
) -> tuple[ImageResult, ...]:
    """Recognise everybody in each picture, in the order given; a folder stands for the pictures in it.

    Args:
        draw_dir: Where annotated copies go, as ``<name>-annotated.jpg``: a directory, or the file itself where there is
            one picture; None draws nothing.

    Raises:
        InvalidInputError: A folder holds no picture, or ``draw_dir`` cannot take the copies.
        StorageError: A copy cannot be written.
    """
    files = expand_folders(images)
    if images and not files:
        raise InvalidInputError(N_("There is no photo in {folders}."), folders=", ".join(map(str, images)))
    copies = _name_copies(files, draw_dir) if draw_dir is not None else [None] * len(files)
    with services.database.read() as session:
        people = {person.id: person for person in employee_rows.find_all(session, include_inactive=False)}
    note(services, "biometric.identify", details={"photos": str(len(files))})
    return tuple(_identify_one(services, gallery, people, file, copy) for file, copy in zip(files, copies, strict=True))


def _identify_one(
    services: Services, gallery: LiveGallery, people: dict[int, Employee], image: str, copy: Path | None
) -> ImageResult:
    _, picture = read_picture(image)
    if isinstance(picture, ImageRefusal):
        return ImageResult(image, (), picture.outcome, picture.detail, picture.params)
    recognizer = services.identification
    upright = find_upright(recognizer, picture.image_bgr)
    seen = recognizer.examine(upright.image_bgr, upright.faces)
    compared = [observation.embedding for observation in seen if observation.embedding is not None]
    matches = iter(gallery.match(compared))
    faces = tuple(
        _decide(observation, next(matches) if observation.embedding is not None else None, people)
        for observation in seen
    )
    if copy is not None:
        _draw(upright.image_bgr, faces, copy)
    turned = -90 * upright.quarters % 360
    hidden_by = None if faces else find_light(recognizer, picture.image_bgr)
    found = tuple(_in_file(picture, upright, face) for face in faces)
    return ImageResult(image, found, turned=turned, hidden_by=hidden_by)


def _decide(seen: Observation, match: Match | None, people: dict[int, Employee]) -> Identification:
    if match is None:
        return Identification(seen.face, seen.quality, seen.refusal or Outcome.UNREADABLE, None, None, None)
    employee = people.get(match.label) if match.outcome is Outcome.RECOGNIZED else None
    # Deactivated since the training: a stranger.
    outcome = Outcome.UNKNOWN if match.outcome is Outcome.RECOGNIZED and employee is None else match.outcome
    return Identification(seen.face, seen.quality, outcome, employee, match.similarity, match.margin)


def _in_file(picture: Picture, upright: Upright, found: Identification) -> Identification:
    if picture.reduction == 1 and not upright.quarters:
        return found
    left, top, right, bottom = found.face.box_xyxy
    corners = upright.turn_back(np.array([[left, top], [right, bottom]]))
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    landmarks = upright.turn_back(found.face.landmarks_xy) * picture.reduction
    face = dataclasses.replace(
        found.face,
        box_xyxy=picture.box_in_file((x0, y0, x1, y1)),
        landmarks_xy=landmarks.astype(np.float32),
    )
    return dataclasses.replace(found, face=face)


def _name_copies(images: Sequence[str], target: Path) -> list[Path]:
    """Name the annotated copies after their pictures; no two are equal, and no picture has the name of one.

    Raises:
        InvalidInputError: ``target`` is a file and cannot be the copy.
    """
    if not target.is_dir() and target.suffix.lower() in PICTURE_SUFFIXES:
        _check_file(images, target)
        return [target]
    if target.exists() and not target.is_dir():
        raise InvalidInputError(
            N_("{path} is a file; copies of pictures are written into a directory."),
            hint=N_("Name a directory, or for one picture a file that ends with {known}."),
            path=target,
            known=", ".join(PICTURE_SUFFIXES),
        )
    taken: set[str] = set()
    copies = []
    for image in map(Path, images):
        names = (f"{image.stem}-annotated{number}.jpg" for number in chain([""], (f"-{n}" for n in count(2))))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        copies.append(target / name)
    return copies


def _check_file(images: Sequence[str], target: Path) -> None:
    if len(images) > 1:
        raise InvalidInputError(
            N_("{path} is one file, and there are {count} pictures."),
            hint=N_("Name a directory for the copies."),
            path=target,
            count=len(images),
        )
    if any(target.resolve() == Path(image).resolve() for image in images):
        raise InvalidInputError(
            N_("{path} is the picture itself; its copy needs another name."), hint=N_("Name another file."), path=target
        )


def _draw(image_bgr: ImageBGR, faces: Sequence[Identification], target: Path) -> None:
    labels = [
        Label(face.face.box_xyxy, face.outcome, face.employee.name if face.employee else face.outcome.value)
        for face in faces
    ]
    write_atomically(target, encode_image(draw(image_bgr, labels), suffix=target.suffix))
