"""Training: measure the gallery by leave-one-out, and put it into use if it is good enough."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import numpy as np

from ..app.bootstrap import Services
from ..kernel.domain import (
    ACTIVE,
    Confusion,
    Employee,
    Gate,
    Members,
    MixedPerson,
    PersonAccuracy,
    Quality,
    SuspectTemplate,
    TrainReport,
    WeakPerson,
)
from ..kernel.errors import KeyMissingError, ModelDamagedError, NotFoundError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..recognition.calibration import measure_own
from ..recognition.engines import get_spec
from ..recognition.leave_one_out import LeaveOneOutResult, leave_one_out
from ..recognition.mixture import find_odd_ones
from . import template_rows
from .calibration_record import StoredCalibration, find_record, find_stored, limits_for, put_own
from .model_in_force import change_model, put_in_force
from .stored_gallery import read_gallery
from .template_rows import Gallery
from .trained_model import TrainedModel, make_trained_model
from .weak_people import find_weak

STEPS: Final = 4
"""Reading the templates, fitting, measuring, saving."""


def train(
    services: Services,
    *,
    min_accuracy: float | None,
    force: bool,
    members: Members = ACTIVE,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> TrainReport:
    """Fit on all templates of the members, measure, and activate unless too few are recognised.

    The threshold fits the number of people by itself: it is what the engine's reference asks for so many, or these
    people themselves, or the engine's own, whichever is the strictest; see :func:`.recognition.calibration.fit_people`.
    What a person calibrated, or what a setting names, comes before it.

    The gate asks for the share that is recognised at the threshold and margin that this training puts into use. Only
    where nobody chose these, it asks for leave-one-out accuracy (rank 1).

    Args:
        members: Who is trained, all active employees by default. The threshold is for so many.
        min_accuracy: Share demanded; None takes the setting.
        force: Activate whatever the share.
        on_progress: Told the steps that are done, of :data:`STEPS`.

    Returns:
        The report; ``activated`` says whether the model is in use. When nobody has two templates there is nothing to
        measure, and the model is activated.

    Raises:
        NotFoundError: Nobody is enrolled.
        StorageError: The model cannot be written; the old one stays in force.
        KeyMissingError: The key of the templates is missing, or is another one.
        SealBrokenError: All templates are damaged. Where some are, the others are trained, and the report names them.
    """
    demanded = services.settings.enrolment.min_accuracy if min_accuracy is None else min_accuracy
    services.follow_engine()
    engine = services.engine
    with services.database.read(long=True) as session:
        gallery = read_gallery(services, session, engine.identity, members=members)
        people = {person.id: person for person in employee_rows.find_all(session, model=engine.identity)}
        record = find_record(session)
    if not len(gallery.employee_ids):
        raise NotFoundError(
            N_("Nobody is enrolled yet: there is nothing to train on."),
            hint=N_("Enrol people with “smartabsen enroll” or “smartabsen import”."),
        )
    on_progress(1, STEPS)
    matcher = services.make_matcher(services.settings.recognition.matcher, engine=engine)
    matcher.fit(gallery.embeddings, gallery.employee_ids)
    on_progress(2, STEPS)
    count = len(set(gallery.employee_ids.tolist()))
    own = measure_own(
        gallery.embeddings,
        gallery.employee_ids,
        model=engine.identity,
        engine=engine,
        target=services.settings.recognition.target_fpir,
    )
    limits = limits_for(
        StoredCalibration(record, own),
        engine,
        services.settings.recognition,
        model=engine.identity,
        people=count,
        templates=len(gallery.employee_ids),
    )
    tried = leave_one_out(
        gallery.embeddings,
        gallery.employee_ids,
        threshold=limits.threshold,
        margin=limits.margin,
        balance=engine.balance,
    )
    on_progress(3, STEPS)
    gate = Gate(limits, tried.rank_1, tried.recognised, demanded)
    activated = force or gate.passed
    trained = make_trained_model(
        model=engine.identity,
        matcher=matcher.name,
        k=getattr(matcher, "k", 0),
        threshold=limits.threshold,
        margin=limits.margin,
        leave_one_out_accuracy=tried.rank_1.share,
        trained_at=datetime.now(UTC),
        embeddings=gallery.embeddings,
        employee_ids=gallery.employee_ids,
        template_ids=gallery.template_ids,
        people=gallery.people,
        verification=limits.verification,
    )
    if activated:
        put_in_force(services, trained, details=_audited(gallery))
        services.database.run_write(lambda session: put_own(session, own))
    on_progress(STEPS, STEPS)
    mixed = _mixed(gallery, people, threshold=engine.threshold)
    return TrainReport(
        model=trained.model,
        version=trained.version,
        trained_at=trained.trained_at,
        matcher=trained.matcher,
        k=trained.k,
        chosen_matcher=getattr(matcher, "chosen", matcher.name),
        employees=count,
        templates=len(gallery.employee_ids),
        people=tuple(PersonAccuracy(people[p.label], p.tried, p.correct, p.recognised) for p in tried.people),
        confused=_confusions(tried, people),
        suspects=_suspects(tried, gallery, people),
        single_template=tuple(people[label] for label in tried.single),
        gate=gate,
        activated=activated,
        damaged=gallery.damaged,
        mixed=mixed,
        weak=_weak(services, tried, people, mixed),
    )


def _audited(gallery: Gallery) -> dict[str, str]:
    codes = sorted({one.code for one in gallery.damaged})
    return {"damaged": " ".join(codes)} if codes else {}


def forget_employee(services: Services, employee_id: int) -> None:
    """Take one employee out of the trained model that is in force; everybody else stays as trained.

    A model that cannot be opened stays as it is: it names nobody before its key is back, and then this person is a
    stranger to the database.

    Raises:
        StorageError: The model cannot be written.
    """

    def forget(trained: TrainedModel) -> TrainedModel | None:
        others = trained.employee_ids != employee_id
        if others.all():
            return None
        return trained.only(others)

    change_model(services, forget, action="model.forget")


def recall_employee(services: Services, employee_id: int) -> bool:
    """Put an active employee's templates back into the trained model that is in force, where a training puts them.

    Where nobody chose the limits, or those who come back outgrow a calibration, they rise to what a training would use.

    Returns:
        Whether the employee is in it now; False where there is no model, none that opens, or one of another engine.

    Raises:
        StorageError: The model cannot be written.
    """
    active = services.active_model()
    if active is None:
        return False
    try:
        with services.database.read(long=True) as session:
            gallery = read_gallery(services, session, active)
            stored = find_stored(session)
    except (KeyMissingError, ModelDamagedError):
        return False
    own = gallery.employee_ids == employee_id
    known = False

    def recall(trained: TrainedModel) -> TrainedModel | None:
        nonlocal known
        if trained.model != active:
            return None
        known = True
        others = trained.employee_ids != employee_id
        ids = np.concatenate([trained.employee_ids[others], gallery.employee_ids[own]])
        rows = np.concatenate([trained.embeddings[others], gallery.embeddings[own]])
        template_ids = np.concatenate([trained.template_ids[others], gallery.template_ids[own]])
        order = np.argsort(ids, kind="stable")
        limits = limits_for(
            stored,
            get_spec(active.engine),
            services.settings.recognition,
            model=active,
            people=len(np.unique(ids)),
            templates=len(ids),
        )
        again = trained.with_rows(rows[order], ids[order], template_ids[order], {**trained.people, **gallery.people})
        if limits.outgrown or limits.is_automatic:
            again = again.with_limits(
                max(again.threshold, limits.threshold),
                max(again.margin, limits.margin),
                max(again.verification, limits.verification),
            )
        return again if again.version != trained.version else None

    if own.any():
        change_model(services, recall, action="model.recall")
    return known


def _confusions(tried: LeaveOneOutResult, people: dict[int, Employee]) -> tuple[Confusion, ...]:
    return tuple(
        Confusion(people[found.label], people[found.taken_for], found.count, found.similarity)
        for found in tried.confusions
    )


def _mixed(gallery: Gallery, people: dict[int, Employee], *, threshold: float) -> tuple[MixedPerson, ...]:
    found = []
    for label in np.unique(gallery.employee_ids).tolist():
        rows = np.flatnonzero(gallery.employee_ids == label)
        nearest = find_odd_ones(gallery.embeddings[rows], threshold=threshold)
        odd = {int(row): cosine for row, cosine in zip(rows, nearest, strict=True) if cosine is not None}
        if odd:
            found.append(MixedPerson(people[label], tuple(gallery.sources[row] for row in odd), max(odd.values())))
    return tuple(sorted(found, key=lambda person: person.similarity))


def _weak(
    services: Services, tried: LeaveOneOutResult, people: dict[int, Employee], mixed: tuple[MixedPerson, ...]
) -> tuple[WeakPerson, ...]:
    engine = services.engine

    def qualities(employee_id: int) -> list[Quality]:
        with services.database.read() as session:
            facts = template_rows.facts_of_employee(session, employee_id)
        return [one.quality for one in facts if one.model == engine.identity]

    return find_weak(tried, people, mixed, probe_sharpness=engine.probe_sharpness, qualities=qualities)


def _suspects(tried: LeaveOneOutResult, gallery: Gallery, people: dict[int, Employee]) -> tuple[SuspectTemplate, ...]:
    return tuple(
        SuspectTemplate(
            employee=people[found.label],
            source=gallery.sources[found.row],
            looks_like=people[found.looks_like],
            similarity_own=found.similarity_own,
            similarity_other=found.similarity_other,
        )
        for found in tried.suspects
    )
