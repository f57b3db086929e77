"""Whether a server can do its work, found out quickly: no model is loaded, nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..domain import Check, CheckLevel
from ..errors import NotTrainedError, SmartAbsenError
from ..i18n import N_
from ..store import model_record
from ..store.model_file import find_stamp
from .bootstrap import Services


def check_readiness(services: Services) -> tuple[Check, ...]:
    """Check database, engine, trained model, and Redis where it is set: one row each.

    A failed one says why, and what mends it. A database that is away is asked once: which engine is to be looked at
    stands in it.
    """
    rows: list[Check] = []
    for name, look in _CHECKS.items():
        if name == "redis" and not services.settings.redis_url:
            continue
        if name == "engine" and rows[0].level is CheckLevel.FAIL:
            rows.append(Check(name, CheckLevel.SKIP, N_("Not checked: it needs the database.")))
            continue
        try:
            look(services)
        except SmartAbsenError as exc:
            rows.append(Check(name, CheckLevel.FAIL, exc.message_id, exc.hint_id, exc.text_params))
        else:
            rows.append(Check(name, CheckLevel.OK, N_("ready")))
    return tuple(rows)


def _look_at_database(services: Services) -> None:
    services.active_model()


def _look_at_engine(services: Services) -> None:
    obstacle = services.find_obstacle()
    if obstacle is not None:
        raise obstacle


def _look_at_model(services: Services) -> None:
    if find_stamp(services.settings.assets_dir) is not None:
        return
    with services.database.read() as session:
        # Trained on another machine: it is made here when it is first needed.
        trained = model_record.find_version(session)
    if trained is None:
        raise NotTrainedError(N_("There is no trained model yet."), hint=N_("Enrol people, then: smartabsen train"))


def _look_at_redis(services: Services) -> None:
    if services.redis is not None:
        services.redis.check()


_CHECKS: Final[dict[str, Callable[[Services], None]]] = {
    "database": _look_at_database,
    "engine": _look_at_engine,
    "model": _look_at_model,
    "redis": _look_at_redis,
}
