"""Checks of an installation. Each row says what was found and, unless it is fine, the line that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from ..app.bootstrap import Services
from ..attendance.csv_sync import compare
from ..camera.window import can_show
from ..gallery import template_rows
from ..gallery.calibrate import calibration_state
from ..gallery.calibration_record import find_stored, limits_for
from ..gallery.duplicates import Duplicates
from ..gallery.engine_choice import find_stronger
from ..gallery.evaluation_figures import percent
from ..gallery.guard import check_guard
from ..gallery.identify import model_belongs
from ..gallery.model_file import load_model
from ..gallery.model_in_force import find_in_force
from ..gallery.stored_gallery import ERASED, ERASED_FIX, explain_damaged
from ..kernel.domain import Basis, CalibrationState, Check, CheckLevel, LicenceClass, ModelIdentity
from ..kernel.errors import DatabaseError, ModelDamagedError, ModelError, NotTrainedError, SmartAbsenError
from ..kernel.i18n import N_
from ..kernel.messages import fill
from ..kiosk import camera_trouble_rows
from ..people import employee_rows
from ..privacy.doctor_privacy import check_keys, check_privacy
from ..recognition.engines import ONNX_BACKENDS, get_spec
from ..recognition.liveness.files import build_liveness
from ..store import meta
from .clock_care import check_clock, check_zone
from .readiness import check_database_disk, check_home_disk
from .serving import check_server

MIN_FREE_BYTES: Final = 500 * 1024 * 1024

NEED_DATABASE: Final = frozenset(
    {"engine", "runtime", "training", "calibration", "duplicates", "keys", "consent", "log", "clock", "kiosks"}
)
"""The checks that cannot be made without the database."""

_SHOWN: Final = 5
_OK, _WARN, _FAIL = CheckLevel.OK, CheckLevel.WARN, CheckLevel.FAIL


def check_health(services: Services) -> tuple[Check, ...]:
    """Check everything that can be checked; one broken part does not keep the others from being checked.

    A database that cannot even be read is asked once: what needs it is not checked, and a row says so.
    """
    rows: list[Check] = [row for check in _MACHINE_CHECKS for row in check()]
    readable = True
    for name, check in _CHECKS.items():
        if name in NEED_DATABASE and not readable:
            rows.append(_row(name, CheckLevel.SKIP, N_("Not checked: it needs the database.")))
            continue
        try:
            if name == "database":
                readable = False
                services.active_model()
                readable = True
            rows += check(services)
        except SmartAbsenError as exc:
            rows.append(_failure(name, exc))
    return tuple(rows)


def check_machine(problem: SmartAbsenError) -> tuple[Check, ...]:
    """Check what can be checked without settings, and tell why there are none."""
    return (*(row for check in _MACHINE_CHECKS for row in check()), _failure("settings", problem))


def _failure(check: str, problem: SmartAbsenError) -> Check:
    fix = problem.hint_id or N_("Run it again with --debug to see where this comes from.")
    return _row(check, _FAIL, problem.message_id, fix, **problem.params)


def _check_python() -> Iterator[Check]:
    found = f"{platform.python_implementation()} {platform.python_version()}, {platform.platform(terse=True)}"
    yield _row("python", _OK, "{found}", found=found)


def _check_opencv() -> Iterator[Check]:
    installed = sorted(
        f"{distribution.name} {distribution.version}"
        for distribution in importlib.metadata.distributions()
        if distribution.name and distribution.name.lower().replace("_", "-").startswith("opencv-")
    )
    found = ", ".join(installed)
    if len(installed) > 1:
        yield _row(
            "opencv",
            _FAIL,
            N_("Several OpenCV packages overwrite each other: {found}."),
            N_("pip uninstall -y {names} && pip install 'opencv-python>=4.10,<5'"),
            found=found,
            names=" ".join(name.split()[0] for name in installed),
        )
    else:
        yield _row("opencv", _OK, "{found}", found=found)


def _check_home(services: Services) -> Iterator[Check]:
    services.make_home()
    home = services.settings.home
    check_home_disk(services)
    free = shutil.disk_usage(home).free
    megabytes = str(free // 1_000_000)
    if free < MIN_FREE_BYTES:
        fix = N_("Free some space on the disk of {home}.")
        yield _row("home", _WARN, N_("{home}: only {megabytes} MB free"), fix, home=home, megabytes=megabytes)
    else:
        yield _row("home", _OK, N_("{home}: {megabytes} MB free"), home=home, megabytes=megabytes)


def _check_database(services: Services) -> Iterator[Check]:
    check_database_disk(services)
    with services.database.write() as session:
        meta.check_writable(session)
        people = employee_rows.count(session)
    facts = services.database.database_facts()
    places = {"kind": facts.kind, "version": facts.version, "address": facts.address, "people": str(people)}
    yield _row("database", _OK, N_("{kind} {version} at {address}, employees: {people}"), **places)
    for risk in facts.risks:
        yield _row("durability", _WARN, risk, N_("See docs/database.md: settings of the server."))
    if facts.journal_mode:
        detail = N_("Journal mode {mode}: {reason}")
        yield _row("journal", _OK, detail, mode=facts.journal_mode, reason=facts.journal_reason)


def _check_engine(services: Services) -> Iterator[Check]:
    choice = services.engine_choice()
    spec = get_spec(choice.name)
    obstacle = services.find_obstacle()
    if obstacle is not None:
        yield _row("engine", _FAIL, obstacle.message_id, obstacle.hint_id, **obstacle.params)
        return
    yield _row("engine", _OK, N_("{name}: {why}"), name=choice.name, why=choice.why)
    stronger = find_stronger(services.settings, services.active_model())
    if stronger is not None:
        detail = N_("The engine “{name}” is more accurate, and a business may use it too.")
        yield _row("stronger", _WARN, detail, stronger.line, name=stronger.name)
    if spec.licence_class is LicenceClass.NON_COMMERCIAL:
        fix = N_("For business use take another engine: “smartabsen models list” shows what is free.")
        yield _row("licence", _WARN, spec.notice, fix)
    engine = services.engine
    detail = N_("Loaded: detector {detector}, embeddings of {dimension} numbers, model {digest}")
    identity = engine.identity
    yield _row(
        "model",
        _OK,
        detail,
        detector=engine.detector.name,
        dimension=str(identity.dimension),
        digest=identity.digest[:12],
    )


def _check_runtime(services: Services) -> Iterator[Check]:
    if services.find_obstacle() is not None:
        yield _row("runtime", CheckLevel.SKIP, N_("Not checked: it needs the engine."))
        return
    wanted = services.settings.recognition.device
    for part in (services.engine.detector, services.engine.embedder):
        used = part.runs_on
        facts = {"part": part.name, "runtime": used.runtime, "device": used.device, "precision": used.precision}
        if wanted in ("auto", used.device):
            yield _row("runtime", _OK, N_("{part}: {runtime} on {device}, computing in {precision}"), **facts)
            continue
        detail = N_("{part} was to run on {wanted}, but runs on {device}: {runtime}, computing in {precision}.")
        fix = N_("No other device runs this part: take the engine insightface, or set recognition.device to auto.")
        if part.name in ONNX_BACKENDS:
            fix = N_("Install ONNX Runtime and the drivers for that device, or set recognition.device to auto.")
        yield _row("runtime", _FAIL, detail, fix, wanted=wanted, **facts)
    for file, trials in services.runtime_memory.tried.items():
        times = ", ".join(f"{trial.runtime} {trial.milliseconds:.1f} ms" for trial in trials)
        yield _row("runtime", _OK, N_("Self-test of {file}: {times}"), file=file, times=times)


def _check_training(services: Services) -> Iterator[Check]:
    active = services.active_model()
    if active is None:
        fix = N_("smartabsen enroll NAME PHOTO... --code CODE, or smartabsen import PEOPLE.csv")
        yield _row("training", _WARN, N_("Nobody is enrolled yet."), fix)
        return
    with services.database.read(long=True) as session:
        gallery = template_rows.gallery(session, active, ring=services.key_chain.ring())
        without = sum(not person.templates for person in employee_rows.find_all(session, model=active) if person.active)
        damaged_rows = tuple(explain_damaged(services, session, gallery)) if gallery.damaged else ()
    for message, fix, names in damaged_rows:
        yield _row("templates", _FAIL, message, fix, people=names)
    if gallery.erased:
        yield _row("templates", _FAIL, ERASED, ERASED_FIX, people=", ".join(gallery.erased))
    local = None
    try:
        local = load_model(services.settings.assets_dir, services.key_chain.ring())
    except NotTrainedError:
        pass
    except ModelDamagedError as exc:
        fix = N_("Find out who can write there; the next start of a kiosk makes it anew of the templates.")
        yield _row("model_file", _FAIL, exc.message_id, fix, **exc.params)
    trained = find_in_force(services, local)
    if trained is None:
        yield _row("training", _FAIL, N_("People are enrolled, but nothing is trained yet."), "smartabsen train")
        return
    damaged = [one.id for one in gallery.damaged]
    kept = trained.only(~np.isin(trained.template_ids, damaged))
    yield from _compare(trained.model, active, kept.embeddings.tobytes() == gallery.embeddings.tobytes())
    if without:
        detail = N_("Active employees without a template, who cannot be recognised: {count}.")
        fix = N_("Enrol photos of them; until then: smartabsen punch CODE")
        yield _row("templates", _WARN, detail, fix, count=str(without))


def _check_calibration(services: Services) -> Iterator[Check]:
    record, state = calibration_state(services)
    if record is None:
        yield from _check_automatic(services)
        return
    level, detail = _CALIBRATIONS[state]
    yield _row(
        "calibration",
        level,
        detail,
        "" if level is _OK else N_("smartabsen calibrate, then smartabsen train"),
        threshold=f"{record.threshold:.3f}",
        margin=f"{record.margin:.3f}",
        target=percent(record.target_fpir),
        date=f"{record.at.astimezone(ZoneInfo(services.settings.site.zone)):%Y-%m-%d}",
        people=str(record.people),
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
        yield _row("duplicates", _WARN, detail, fix, count=str(len(found.pairs)), first=first)


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
    yield _row(
        "calibration",
        _OK,
        detail,
        threshold=f"{limits.threshold:.3f}",
        margin=f"{limits.margin:.3f}",
        people=str(people),
        target=target,
        pairs=pairs,
    )


def _compare(trained: ModelIdentity, active: ModelIdentity, same: bool) -> Iterator[Check]:
    if trained != active:
        detail = N_("The trained model is of {trained}, the people were enrolled with {active}.")
        yield _row("training", _FAIL, detail, "smartabsen train", trained=trained, active=active)
    elif not same:
        yield _row("training", _WARN, N_("People were enrolled or changed since the training."), "smartabsen train")
    else:
        yield _row("training", _OK, N_("The trained model has everybody who is enrolled."))


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
        yield _row("liveness", _OK, detail, require=policy.require, name=backend.name, digest=backend.digest[:12])
    else:
        yield _row("liveness", _OK, N_("{require}: {count} movements are asked for"), require=policy.require,
                   count=str(policy.actions))  # fmt: skip


def _check_log(services: Services) -> Iterator[Check]:
    # Only looked at: what somebody did to a file is evidence.
    days, found = compare(services.database, services.csv_log)
    wrong = [each for each in found if not each.lags]
    if wrong:
        detail = N_(
            "Files of the attendance log hold lines that the database does not have, or has otherwise: {dates}."
        )
        fix = N_("Look who edited them in {path}; then “smartabsen csv rebuild”, which keeps what they held.")
        dates = ", ".join(f"{each.work_date}" for each in wrong[:_SHOWN]) + (" …" if len(wrong) > _SHOWN else "")
        yield _row("log", _WARN, detail, fix, dates=dates, path=services.settings.csv_dir)
    elif found:
        detail = N_("The attendance log of this machine is behind the database by {count} lines; a start completes it.")
        yield _row("log", _OK, detail, count=str(sum(each.missing for each in found)))
    else:
        yield _row("log", _OK, N_("The attendance log equals the database. Days in it: {days}."), days=str(days))


def _check_redis(services: Services) -> Iterator[Check]:
    if services.redis is not None:
        version = services.redis.check()
        services.redis.check_writable()
        yield _row("redis", _OK, N_("Redis {version} at {address}"), version=version, address=services.redis.address)


def _check_queue(services: Services) -> Iterator[Check]:
    waiting = services.punch_queue.count()
    for one in services.punch_queue.refused():
        fix = N_("Record it by hand if it is right: smartabsen punch CODE --note TEXT")
        detail = N_("A punch of {code} at {at} is kept aside: {reason}")
        at = one.punch.at.astimezone(ZoneInfo(services.settings.site.zone)).isoformat(timespec="seconds")
        yield _row("queue", _WARN, detail, fix, code=one.punch.code or "?", at=at, reason=one.refused)
    if waiting:
        detail = N_("Punches that wait on this kiosk for the database: {count}.")
        fix = N_("They are passed on while a kiosk runs: smartabsen run-kiosk")
        if not _kiosk_starts(services):
            fix = N_("They are passed on while a kiosk runs; none starts before: smartabsen train")
        yield _row("queue", _WARN, detail, fix, count=str(waiting))
    else:
        yield _row("queue", _OK, N_("No punch waits on this kiosk for the database."))


def _kiosk_starts(services: Services) -> bool:
    """Tell whether a kiosk would open its trained model; where the database is away, its other checks say so."""
    try:
        return model_belongs(services)
    except ModelError:
        return False
    except DatabaseError:
        return True


def _check_camera(services: Services) -> Iterator[Check]:
    camera = services.settings.kiosk.camera
    lock = services.camera_lock(camera)
    holder = lock.holder()
    if holder is not None:
        detail = N_("Camera {camera} is in use by {name} (process {pid}).")
        yield _row("camera", _OK, detail, camera=lock.camera, name=holder.name, pid=str(holder.pid))
        return
    problem = services.try_camera(camera)
    if problem is None:
        yield _row("camera", _OK, N_("Camera {camera} gives pictures."), camera=lock.camera)
        return
    yield _row("camera", _WARN, problem.message_id, problem.hint_id, **problem.params)


def _check_troubles(services: Services) -> Iterator[Check]:
    """Tell what the kiosks say of their cameras, those of other machines included."""
    with services.database.read() as session:
        troubles = camera_trouble_rows.find_all(session)
    for one in troubles:
        detail = N_("Kiosk {kiosk}, since {at}: {problem}")
        at = one.since.astimezone(ZoneInfo(services.settings.site.zone)).strftime("%Y-%m-%d %H:%M")
        problem = fill(one.detail, one.params)
        fix = N_("Nobody is recorded there until it is mended: look at the camera, then start its kiosk anew.")
        yield _row("kiosks", _FAIL, detail, fix, kiosk=one.kiosk, at=at, problem=problem)


def _check_display() -> Iterator[Check]:
    reason = can_show()
    if reason is None:
        yield _row("display", _OK, N_("A window can be shown."))
    else:
        fix = N_("run-kiosk then shows a live view in the terminal; nothing needs to be done for that.")
        yield _row("display", _WARN, N_("No window can be shown: {reason}."), fix, reason=reason)


def _check_extras() -> Iterator[Check]:
    if importlib.util.find_spec("openvino") is not None:
        version = importlib.metadata.version("openvino")
        yield _row("openvino", _OK, N_("openvino {version} is installed"), version=version)
    if sys.prefix == sys.base_prefix:
        detail = N_("smartabsen is installed into the system's Python, where updates of other programs can break it.")
        fix = N_("Install it into a virtual environment of its own: python3 -m venv, or pipx.")
        yield _row("environment", _WARN, detail, fix)


def _row(check: str, level: CheckLevel, detail: str, fix: str = "", **params: object) -> Check:
    return Check(check, level, detail, fix, _texts(params))


def _texts(params: dict[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple((key, each if isinstance(each, str) else str(each)) for key, each in params.items())


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
        _OK,
        N_("Threshold {threshold}, margin {margin}: calibrated on {date} for FPIR {target} and these {people} people."),
    ),
    CalibrationState.CHANGED: (
        _OK,
        N_("Threshold {threshold}, margin {margin}: calibrated on {date} for FPIR {target} and {people} people; a few "
           "were enrolled or changed since."),
    ),
    CalibrationState.OUTGROWN: (
        _WARN,
        N_("Threshold {threshold}, margin {margin} were calibrated on {date} for FPIR {target} and {people} people; "
           "more people or photos are enrolled. The next training takes the stricter of these and the automatic ones."),
    ),
    CalibrationState.OTHER_ENGINE: (
        _WARN,
        N_("Threshold {threshold}, margin {margin} were calibrated on {date} for FPIR {target} with another model, and "
           "are not used."),
    ),
}  # fmt: skip
_MACHINE_CHECKS: Final[tuple[Callable[[], Iterator[Check]], ...]] = (
    _check_python,
    _check_opencv,
    _check_extras,
    _check_display,
)
_CHECKS: Final[dict[str, Callable[[Services], Iterator[Check]]]] = {
    "home": _check_home,
    "database": _check_database,
    "engine": _check_engine,
    "runtime": _check_runtime,
    "training": _check_training,
    "calibration": _check_calibration,
    "duplicates": _check_duplicates,
    "liveness": _check_liveness,
    "keys": check_keys,
    "consent": check_privacy,
    "log": _check_log,
    "queue": _check_queue,
    "redis": _check_redis,
    "server": check_server,
    "camera": _check_camera,
    "clock": check_clock,
    "zone": check_zone,
    "kiosks": _check_troubles,
}
