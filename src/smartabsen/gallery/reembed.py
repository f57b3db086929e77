"""Another engine for people who are enrolled already: templates of their kept faces, compared, then switched to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from ..app.bootstrap import Services
from ..kernel.domain import Employee, Match, ModelIdentity, Outcome, Template, TrainReport
from ..kernel.errors import ConflictError, GateError, InvalidInputError, NotFoundError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..recognition.crops import read_crop
from ..recognition.engine_specs import EngineSpec
from ..recognition.engines import Engine, get_spec
from ..recognition.leave_one_out import decide_each, leave_one_out
from ..recognition.quality import NO_LIMITS
from ..recognition.recognizer import Recognizer
from ..store import meta
from ..store.database import Session
from ..trust import audit_rows
from ..trust.active_key import ring_for_writing
from ..trust.audit import note
from . import crop_rows, template_rows as templates
from .calibration_record import StoredCalibration, find_stored, limits_for
from .crop_rows import KeptCrop
from .stored_gallery import read_gallery
from .template_rows import Gallery
from .train import train

Progress = Callable[[int, int], None]
Mode = Literal["dry_run", "shadow", "switch"]
_Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Somebody whose photos the two engines decide on differently, each photo tried against all the others.

    Attributes:
        photos: How many are compared.
        recognised_before, recognised_after: How many of them are recognised as this person.
        taken_for_before, taken_for_after: Whom one of them is recognised as instead; None where as nobody else.
    """

    employee: Employee
    photos: int
    recognised_before: int
    recognised_after: int
    taken_for_before: Employee | None
    taken_for_after: Employee | None


@dataclass(frozen=True, slots=True)
class ReembedReport:
    """What came of it.

    Attributes:
        before, after: The models.
        embedded: Templates that were made now; an interrupted run made the others.
        templates: Templates of the new model that are compared.
        differences: Who would be recognised differently.
        without_crops: Active people who are enrolled and of whom no face is kept: they need new photos.
        accuracy_before, accuracy_after: Leave-one-out accuracy over all active people; None where it cannot be tried.
        recognised_before, recognised_after: Share that also passes threshold and margin.
        switched: Whether the new engine is in use now.
        deleted: Templates of the engine before that were deleted.
        training: The training that followed.
    """

    before: ModelIdentity
    after: ModelIdentity
    embedded: int
    templates: int
    differences: tuple[Difference, ...]
    without_crops: tuple[Employee, ...]
    accuracy_before: float | None
    accuracy_after: float | None
    recognised_before: float | None
    recognised_after: float | None
    switched: bool = False
    deleted: int = 0
    training: TrainReport | None = None


class Reembedding:
    """Changes the engine of a gallery without calling people back.

    Args:
        services: The installation; its setting ``engine`` names the engine to change to.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, *, mode: Mode, force: bool = False, on_progress: Progress | None = None) -> ReembedReport:
        """Make templates for the engine that the settings name, and compare, or change to it.

        Templates are stored person by person: an interrupted run goes on where it stopped. The change is one
        transaction; running kiosks and servers that have the engine take it over by themselves. Where the engine is in
        use already, templates that it lacks are made.

        Args:
            mode: ``dry_run`` stores nothing; ``shadow`` stores templates of the new engine beside those in use;
                ``switch`` changes to it.
            force: Change whatever the new accuracy.

        Raises:
            InvalidInputError: No engine is named.
            NotFoundError: Nobody is enrolled, or no face is kept.
            GateError: The accuracy of the new engine is below the one demanded; nothing was changed.
            KeyMissingError: The key of the kept faces is missing.
        """
        name = self._services.settings.engine
        if name == "auto":
            raise InvalidInputError(
                N_("No engine is named."), hint=N_("Name the one to change to: smartabsen reembed --engine openvino")
            )
        before = self._services.active_model()
        if before is None:
            raise NotFoundError(
                N_("Nobody is enrolled yet: there is nothing to change."), hint=N_("Enrol with the engine you want.")
            )
        get_spec(name)
        with self._engine(name) as engine:
            made = self._embed_all(engine, store=mode != "dry_run", on_progress=on_progress)
            report = self._compare(before, engine, made)
            if mode != "switch":
                details = {"mode": mode, "model": str(report.after), "templates": str(report.templates)}
                note(self._services, "biometric.compare", details=details)
                return report
            self._check(report, force=force)
            return self._switch(report, engine)

    @contextmanager
    def _engine(self, name: str) -> Iterator[Engine]:
        engine = self._services.build_engine(name)
        try:
            yield engine
        finally:
            if self._services.loaded_engine is not engine:
                engine.close()

    def _embed_all(self, engine: Engine, *, store: bool, on_progress: Progress | None) -> dict[_Key, Template]:
        recognizer = Recognizer(engine.detector, engine.embedder, limits=NO_LIMITS)
        with self._services.database.read() as session:
            people = employee_rows.find_all(session)
            total = crop_rows.count(session)
        if not total:
            raise NotFoundError(
                N_("No face is kept here, so that everybody needs new photos for another engine."),
                hint=N_("enrolment.keep_crops keeps the faces of those who are enrolled from now on."),
            )
        made: dict[_Key, Template] = {}
        done = 0
        for person in people:
            with self._services.database.read() as session:
                known = templates.photo_digests(session, person.id, engine.identity)
                kept = crop_rows.photo_digests(session, person.id)
                ring = self._services.key_chain.ring()
                wanted = (
                    [
                        one
                        for one in crop_rows.of_employee(session, person.id, ring=ring)
                        if one.photo_digest not in known
                    ]
                    if kept - known
                    else []
                )
            new = [_embedded(recognizer, one, engine.identity) for one in wanted]
            if new and store:
                self._services.database.run_write(partial(self._store, new))
            made.update({(one.employee_id, one.photo_digest): one for one in new})
            done += len(kept)
            if on_progress is not None and kept:
                on_progress(done, total)
        return made

    def _store(self, new: list[Template], session: Session) -> None:
        owner = employee_rows.lock(session, new[0].employee_id)
        # Erased in the meantime, a face must not come back as a template.
        still = crop_rows.photo_digests(session, owner.id)
        ring = ring_for_writing(session, self._services.key_chain)
        templates.add_many(session, [one for one in new if one.photo_digest in still], ring=ring)

    def _compare(self, before: ModelIdentity, engine: Engine, made: dict[_Key, Template]) -> ReembedReport:
        with self._services.database.read() as session:
            people = {person.id: person for person in employee_rows.find_all(session, include_inactive=False)}
            old = read_gallery(self._services, session, before)
            stored = read_gallery(self._services, session, engine.identity)
            limits = find_stored(session)
        new = _with(stored, [one for one in made.values() if one.employee_id in people])
        spec = get_spec(before.engine)
        at_old, at_new = (self._limits(limits, one, gallery) for one, gallery in ((spec, old), (engine, new)))
        tried_old = leave_one_out(old.embeddings, old.employee_ids, balance=spec.balance, **at_old)
        tried_new = leave_one_out(new.embeddings, new.employee_ids, balance=engine.balance, **at_new)
        have_new = set(new.employee_ids.tolist())
        missing = sorted({owner for owner in old.employee_ids.tolist() if owner not in have_new})
        decided_old = _by_photo(old, decide_each(old.embeddings, old.employee_ids, balance=spec.balance, **at_old))
        decided_new = _by_photo(new, decide_each(new.embeddings, new.employee_ids, balance=engine.balance, **at_new))
        return ReembedReport(
            before=before,
            after=engine.identity,
            embedded=len(made),
            templates=len(new.employee_ids),
            differences=_differences(people, decided_old, decided_new),
            without_crops=tuple(people[owner] for owner in missing if owner in people),
            accuracy_before=tried_old.rank_1.share,
            accuracy_after=tried_new.rank_1.share,
            recognised_before=tried_old.recognised.share,
            recognised_after=tried_new.recognised.share,
        )

    def _limits(self, stored: StoredCalibration, engine: Engine | EngineSpec, gallery: Gallery) -> dict[str, float]:
        """Return what a training of a gallery would put into use."""
        people = len(set(gallery.employee_ids.tolist()))
        named = self._services.settings.recognition
        rows = len(gallery.employee_ids)
        limits = limits_for(stored, engine, named, model=gallery.model, people=people, templates=rows)
        return {"threshold": limits.threshold, "margin": limits.margin}

    def _check(self, report: ReembedReport, *, force: bool) -> None:
        demanded = self._services.settings.enrolment.min_accuracy
        if not force and report.accuracy_after is not None and report.accuracy_after < demanded:
            raise GateError(
                N_("Not changed: leave-one-out accuracy {accuracy} with {model}, demanded {demanded}."),
                hint=N_("“smartabsen reembed --shadow” names the people; --force changes all the same."),
                accuracy=f"{report.accuracy_after:.4f}",
                model=report.after,
                demanded=f"{demanded:.4f}",
            )

    def _switch(self, report: ReembedReport, engine: Engine) -> ReembedReport:
        def work(session: Session) -> int:
            if report.before == report.after:
                return 0
            if not meta.replace_active_model(session, report.before, report.after):
                raise ConflictError(N_("Somebody else changed the engine meanwhile. Nothing was changed."))
            deleted = templates.delete_where_other_exists(session, model=report.before, other=report.after)
            details = {"from": str(report.before), "to": str(report.after), "deleted": str(deleted)}
            audit_rows.append(session, actor=self._services.actor, action="gallery.engine", details=details)
            return deleted

        deleted = self._services.database.run_write(work)
        self._services.use_engine(engine)
        training = train(self._services, min_accuracy=None, force=True)
        return ReembedReport(
            **{name: getattr(report, name) for name in ReembedReport.__slots__ if name not in _LATER},
            switched=True,
            deleted=deleted,
            training=training,
        )


_LATER = ("switched", "deleted", "training")


def _embedded(recognizer: Recognizer, kept: KeptCrop, model: ModelIdentity) -> Template:
    image, face = read_crop(kept.crop, recognizer.detector)
    (seen,) = recognizer.examine(image, [face])
    assert seen.embedding is not None
    return Template(
        id=0,
        employee_id=kept.employee_id,
        embedding=seen.embedding,
        model=model,
        quality=seen.quality,
        source=kept.source,
        photo_digest=kept.photo_digest,
    )


def _with(stored: Gallery, made: list[Template]) -> Gallery:
    """Return the gallery with further templates: those of a dry run are not in the database."""
    known = set(zip(stored.employee_ids.tolist(), stored.photo_digests, strict=True))
    further = [one for one in made if (one.employee_id, one.photo_digest) not in known]
    if not further:
        return stored
    return Gallery(
        model=stored.model,
        embeddings=np.concatenate([stored.embeddings, np.stack([one.embedding for one in further])]),
        employee_ids=np.concatenate([stored.employee_ids, [one.employee_id for one in further]]).astype(np.int64),
        template_ids=np.concatenate([stored.template_ids, [0] * len(further)]).astype(np.int64),
        sources=(*stored.sources, *(one.source for one in further)),
        photo_digests=(*stored.photo_digests, *(one.photo_digest for one in further)),
        people=stored.people,
    )


def _by_photo(gallery: Gallery, decided: tuple[Match, ...]) -> dict[_Key, Match]:
    return dict(zip(zip(gallery.employee_ids.tolist(), gallery.photo_digests, strict=True), decided, strict=True))


def _differences(
    people: dict[int, Employee], before: dict[_Key, Match], after: dict[_Key, Match]
) -> tuple[Difference, ...]:
    by_person: dict[int, list[_Key]] = {}
    for key in before.keys() & after.keys():
        by_person.setdefault(key[0], []).append(key)
    found = []
    for owner, keys in by_person.items():
        answers = [[_answer(decided[key]) for key in keys] for decided in (before, after)]
        if answers[0] != answers[1] and owner in people:
            others = [next((name for name in answer if name not in (None, owner)), None) for answer in answers]
            found.append(
                Difference(
                    employee=people[owner],
                    photos=len(keys),
                    recognised_before=answers[0].count(owner),
                    recognised_after=answers[1].count(owner),
                    taken_for_before=people.get(others[0]) if others[0] is not None else None,
                    taken_for_after=people.get(others[1]) if others[1] is not None else None,
                )
            )
    return tuple(sorted(found, key=lambda one: (one.recognised_after - one.recognised_before, one.employee.name)))


def _answer(match: Match) -> int | None:
    return match.label if match.outcome is Outcome.RECOGNIZED else None
