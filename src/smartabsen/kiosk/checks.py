"""Checks of ``doctor`` about kiosks: punches that wait, the camera, what other kiosks say of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from ..app.bootstrap import Services
from ..gallery.identify import model_belongs
from ..kernel.domain import Check
from ..kernel.errors import DatabaseError, ModelError
from ..kernel.health import FAIL, OK, WARN, HealthCheck, row
from ..kernel.i18n import N_
from ..kernel.messages import fill
from . import camera_trouble_rows


def _check_queue(services: Services) -> Iterator[Check]:
    waiting = services.punch_queue.count()
    for one in services.punch_queue.refused():
        fix = N_("Record it by hand if it is right: smartabsen punch CODE --note TEXT")
        detail = N_("A punch of {code} at {at} is kept aside: {reason}")
        at = one.punch.at.astimezone(ZoneInfo(services.settings.site.zone)).isoformat(timespec="seconds")
        yield row("queue", WARN, detail, fix, code=one.punch.code or "?", at=at, reason=one.refused)
    if waiting:
        detail = N_("Punches that wait on this kiosk for the database: {count}.")
        fix = N_("They are passed on while a kiosk runs: smartabsen run-kiosk")
        if not _kiosk_starts(services):
            fix = N_("They are passed on while a kiosk runs; none starts before: smartabsen train")
        yield row("queue", WARN, detail, fix, count=str(waiting))
    else:
        yield row("queue", OK, N_("No punch waits on this kiosk for the database."))


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
        yield row("camera", OK, detail, camera=lock.camera, name=holder.name, pid=str(holder.pid))
        return
    problem = services.try_camera(camera)
    if problem is None:
        yield row("camera", OK, N_("Camera {camera} gives pictures."), camera=lock.camera)
        return
    yield row("camera", WARN, problem.message_id, problem.hint_id, **problem.params)


def _check_troubles(services: Services) -> Iterator[Check]:
    """Tell what the kiosks say of their cameras, those of other machines included."""
    with services.database.read() as session:
        troubles = camera_trouble_rows.find_all(session)
    for one in troubles:
        detail = N_("Kiosk {kiosk}, since {at}: {problem}")
        at = one.since.astimezone(ZoneInfo(services.settings.site.zone)).strftime("%Y-%m-%d %H:%M")
        problem = fill(one.detail, one.params)
        fix = N_("Nobody is recorded there until it is mended: look at the camera, then start its kiosk anew.")
        yield row("kiosks", FAIL, detail, fix, kiosk=one.kiosk, at=at, problem=problem)


CHECKS: Final = (
    HealthCheck("queue", _check_queue, needs_database=False),
    HealthCheck("camera", _check_camera, needs_database=False),
    HealthCheck("kiosks", _check_troubles, needs_database=True),
)
