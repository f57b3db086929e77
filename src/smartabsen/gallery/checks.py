"""Checks of ``doctor`` about recognition: engine, runtime, training, thresholds, duplicates, liveness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from ..app.bootstrap import Services
from ..kernel.domain import Basis, CalibrationState, Check, CheckLevel, LicenceClass, ModelIdentity
from ..kernel.errors import ModelDamagedError, NotTrainedError
from ..kernel.health import FAIL, OK, WARN, HealthCheck, row
from ..kernel.i18n import N_
from ..people import employee_rows
from ..recognition.engines import ONNX_BACKENDS, get_spec
from ..recognition.liveness.files import build_liveness
from . import template_rows
from .calibrate import calibration_state
from .calibration_record import find_stored, limits_for
from .duplicates import Duplicates
from .engine_choice import find_stronger
from .evaluation_figures import percent
from .guard import check_guard
from .model_file import load_model
from .model_in_force import find_in_force
from .stored_gallery import ERASED, ERASED_FIX, explain_damaged

_AUTOMATIC: Final = {
    Basis.REFERENCE: N_(
        "Threshold {threshold}, margin {margin}, automatic for {people} people and FPIR {target}: by {pairs} pairs of "
        "other people."
    ),
    Basis.OWN: N_(
        "Threshold {threshold}, margin {margin}, automatic for {people} people and FPIR {target}: stricter than by "
        "other people, since these look more alike."
    ),
    Basis.ENGINE: N_(
        "Threshold {threshold}, margin {margin}, automatic for {people} people and FPIR {target}: the engine's own is "
        "strict enough."
    ),
}


_NO_REFERENCE: Final = N_(
    "Threshold {threshold}, margin {margin}: the engine's own. There is no reference for this model, so FPIR {target} "
    "among {people} people is not promised."
)


_CALIBRATIONS: Final = {
    CalibrationState.FITS: (
        OK,
        N_("Threshold {threshold}, margin {margin}: calibrated on {date} for FPIR {target} and these {people} people."),
    ),
    CalibrationState.CHANGED: (
        OK,
        N_("Threshold {threshold}, margin {margin}: calibrated on {date} for FPIR {target} and {people} people; a few "
           "were enrolled or changed since."),
    ),
    CalibrationState.OUTGROWN: (
        WARN,
        N_("Threshold {threshold}, margin {margin} were calibrated on {date} for FPIR {target} and {people} people; "
           "more people or photos are enrolled. The next training takes the stricter of these and the automatic ones."),
    ),
    CalibrationState.OTHER_ENGINE: (
        WARN,
        N_("Threshold {threshold}, margin {margin} were calibrated on {date} for FPIR {target} with another model, and "
           "are not used."),
    ),
}  # fmt: skip


def _check_engine(services: Services) -> Iterator[Check]:
    choice = services.engine_choice()
    spec = get_spec(choice.name)
    obstacle = services.find_obstacle()
    if obstacle is not None:
        yield row("engine", FAIL, obstacle.message_id, obstacle.hint_id, **obstacle.params)
        return
    yield row("engine", OK, N_("{name}: {why}"), name=choice.name, why=choice.why)
    stronger = find_stronger(services.settings, services.active_model())
    if stronger is not None:
        detail = N_("The engine “{name}” is more accurate, and a business may use it too.")
        yield row("stronger", WARN, detail, stronger.line, name=stronger.name)
    if spec.licence_class is LicenceClass.NON_COMMERCIAL:
        fix = N_("For business use take another engine: “smartabsen models list” shows what is free.")
        yield row("licence", WARN, spec.notice, fix)
    engine = services.engine
    detail = N_("Loaded: detector {detector}, embeddings of {dimension} numbers, model {digest}")
    identity = engine.identity
    yield row(
        "model",
        OK,
        detail,
        detector=engine.detector.name,
        dimension=str(identity.dimension),
        digest=identity.digest[:12],
    )


def _check_runtime(services: Services) -> Iterator[Check]:
    if services.find_obstacle() is not None:
        yield row("runtime", CheckLevel.SKIP, N_("Not checked: it needs the engine."))
        return
    wanted = services.settings.recognition.device
    for part in (services.engine.detector, services.engine.embedder):
        used = part.runs_on
        facts = {"part": part.name, "runtime": used.runtime, "device": used.device, "precision": used.precision}
        if wanted in ("auto", used.device):
            yield row("runtime", OK, N_("{part}: {runtime} on {device}, computing in {precision}"), **facts)
            continue
        detail = N_("{part} was to run on {wanted}, but runs on {device}: {runtime}, computing in {precision}.")
        fix = N_("No other device runs this part: take the engine insightface, or set recognition.device to auto.")
        if part.name in ONNX_BACKENDS:
            fix = N_("Install ONNX Runtime and the drivers for that device, or set recognition.device to auto.")
        yield row("runtime", FAIL, detail, fix, wanted=wanted, **facts)
    for file, trials in services.runtime_memory.tried.items():
        times = ", ".join(f"{trial.runtime} {trial.milliseconds:.1f} ms" for trial in trials)
        yield row("runtime", OK, N_("Self-test of {file}: {times}"), file=file, times=times)


def _check_training(services: Services) -> Iterator[Check]:
    active = services.active_model()
    if active is None:
        fix = N_("smartabsen enroll NAME PHOTO... --code CODE, or smartabsen import PEOPLE.csv")
        yield row("training", WARN, N_("Nobody is enrolled yet."), fix)
        return
    with services.database.read(long=True) as session:
        gallery = template_rows.gallery(session, active, ring=services.key_chain.ring())
        without = sum(not person.templates for person in employee_rows.find_all(session, model=active) if person.active)
        damaged_rows = tuple(explain_damaged(services, session, gallery)) if gallery.damaged else ()
    for message, fix, names in damaged_rows:
        yield row("templates", FAIL, message, fix, people=names)
    if gallery.erased:
        yield row("templates", FAIL, ERASED, ERASED_FIX, people=", ".join(gallery.erased))
    try:
        load_model(services.settings.assets_dir, services.key_chain.ring())
    except NotTrainedError:
        pass
    except ModelDamagedError as exc:
        fix = N_("Find out who can write there; the next start of a kiosk makes it anew of the templates.")
        yield row("model_file", FAIL, exc.message_id, fix, **exc.params)
    trained = find_in_force(services)
    if trained is None:
        yield row("training", FAIL, N_("People are enrolled, but nothing is trained yet."), "smartabsen train")
        return
    damaged = [one.id for one in gallery.damaged]
    kept = trained.only(~np.isin(trained.template_ids, damaged))
    yield from _compare(trained.model, active, kept.embeddings.tobytes() == gallery.embeddings.tobytes())
    if without:
        detail = N_("Active employees without a template, who cannot be recognised: {count}.")
        fix = N_("Enrol photos of them; until then: smartabsen punch CODE")
        yield row("templates", WARN, detail, fix, count=str(without))


def _compare(trained: ModelIdentity, active: ModelIdentity, same: bool) -> Iterator[Check]:
    if trained != active:
        detail = N_("The trained model is of {trained}, the people were enrolled with {active}.")
        yield row("training", FAIL, detail, "smartabsen train", trained=trained, active=active)
    elif not same:
        yield row("training", WARN, N_("People were enrolled or changed since the training."), "smartabsen train")
    else:
        yield row("training", OK, N_("The trained model has everybody who is enrolled."))


def _check_calibration(services: Services) -> Iterator[Check]:
    record, state = calibration_state(services)
    if record is None:
        yield from _check_automatic(services)
        return
    level, detail = _CALIBRATIONS[state]
    yield row(
        "calibration",
        level,
        detail,
        "" if level is OK else N_("smartabsen calibrate, then smartabsen train"),
        threshold=f"{record.threshold:.3f}",
        margin=f"{record.margin:.3f}",
        target=percent(record.target_fpir),
        date=f"{record.at.astimezone(ZoneInfo(services.settings.site.zone)):%Y-%m-%d}",
        people=str(record.people),
    )


def _check_automatic(services: Services) -> Iterator[Check]:
    active = services.active_model()
    if active is None:
        return
    with services.database.read() as session:
        stored = find_stored(session)
        people, rows = template_rows.size(session, active)
    named, spec = services.settings.recognition, get_spec(active.engine)
    limits = limits_for(stored, spec, named, model=active, people=people, templates=rows)
    if limits.is_automatic:
        automatic = limits.automatic
        known = automatic.reference is not None or automatic.own is not None
        detail = _AUTOMATIC[automatic.basis] if known else _NO_REFERENCE
        pairs, target = f"{automatic.pairs:,}", percent(automatic.target_fpir)
    else:
        detail, pairs, target = N_("Threshold {threshold}, margin {margin}: as set."), "", ""
    yield row(
        "calibration",
        OK,
        detail,
        threshold=f"{limits.threshold:.3f}",
        margin=f"{limits.margin:.3f}",
        people=str(people),
        target=target,
        pairs=pairs,
    )


def _check_duplicates(services: Services) -> Iterator[Check]:
    found = Duplicates(services).find()
    if found.pairs:
        detail = N_("Codes that are perhaps one person: {count} pairs, first {first}.")
        fix = N_(
            "Look at them: smartabsen employee duplicates. If they are two: smartabsen employee different CODE CODE"
        )
        pair = found.pairs[0]
        first = f"{pair.employee.code} / {pair.other.code}"
        yield row("duplicates", WARN, detail, fix, count=str(len(found.pairs)), first=first)


def _check_liveness(services: Services) -> Iterator[Check]:
    policy = services.settings.liveness
    unguarded = tuple(check_guard(services))
    if unguarded:
        yield from unguarded
        return
    if services.liveness.wants_passive:
        backend = build_liveness(
            policy.backend, models_dir=services.settings.models_dir, threads=services.settings.recognition.threads
        )
        backend.close()
        detail = N_("{require}: model {name}, {digest}")
        if services.liveness.steps_up:
            detail = N_("{require}: model {name}, {digest}; where it is not sure, one movement is asked for")
        yield row("liveness", OK, detail, require=policy.require, name=backend.name, digest=backend.digest[:12])
    else:
        yield row("liveness", OK, N_("{require}: {count} movements are asked for"), require=policy.require,
                   count=str(policy.actions))  # fmt: skip


CHECKS: Final = (
    HealthCheck("engine", _check_engine, needs_database=True),
    HealthCheck("runtime", _check_runtime, needs_database=True),
    HealthCheck("training", _check_training, needs_database=True),
    HealthCheck("calibration", _check_calibration, needs_database=True),
    HealthCheck("duplicates", _check_duplicates, needs_database=True),
    HealthCheck("liveness", _check_liveness, needs_database=False),
)
