"""Checks of an installation. Each row says what was found and, unless it is fine, the line that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ..app.bootstrap import Services
from ..camera.window import can_show
from ..kernel.domain import Check, CheckLevel
from ..kernel.errors import SmartAbsenError
from ..kernel.health import FAIL, OK, WARN, HealthCheck, row
from ..kernel.i18n import N_
from ..people import employee_rows
from ..store import meta
from .clock_care import check_clock, check_zone
from .readiness import check_database_disk, check_home_disk
from .serving import check_server

MIN_FREE_BYTES: Final = 500 * 1024 * 1024


def check_health(services: Services, checks: Sequence[HealthCheck]) -> tuple[Check, ...]:
    """Check everything that can be checked; one broken part does not keep the others from being checked.

    A database that cannot even be read is asked once: what needs it is not checked, and a row says so.

    Args:
        services: The parts of the installation.
        checks: What the places registered, the database before what needs it.
    """
    rows: list[Check] = [row for check in _MACHINE_CHECKS for row in check()]
    readable = True
    for each in checks:
        name = each.name
        if each.needs_database and not readable:
            rows.append(row(name, CheckLevel.SKIP, N_("Not checked: it needs the database.")))
            continue
        try:
            if name == "database":
                readable = False
                services.active_model()
                readable = True
            rows += each.check(services)
        except SmartAbsenError as exc:
            rows.append(_failure(name, exc))
    return tuple(rows)


def check_machine(problem: SmartAbsenError) -> tuple[Check, ...]:
    """Check what can be checked without settings, and tell why there are none."""
    return (*(row for check in _MACHINE_CHECKS for row in check()), _failure("settings", problem))


def _failure(check: str, problem: SmartAbsenError) -> Check:
    fix = problem.hint_id or N_("Run it again with --debug to see where this comes from.")
    return row(check, FAIL, problem.message_id, fix, **problem.params)


def _check_python() -> Iterator[Check]:
    found = f"{platform.python_implementation()} {platform.python_version()}, {platform.platform(terse=True)}"
    yield row("python", OK, "{found}", found=found)


def _check_opencv() -> Iterator[Check]:
    installed = sorted(
        f"{distribution.name} {distribution.version}"
        for distribution in importlib.metadata.distributions()
        if distribution.name and distribution.name.lower().replace("_", "-").startswith("opencv-")
    )
    found = ", ".join(installed)
    if len(installed) > 1:
        yield row(
            "opencv",
            FAIL,
            N_("Several OpenCV packages overwrite each other: {found}."),
            N_("pip uninstall -y {names} && pip install 'opencv-python>=4.10,<5'"),
            found=found,
            names=" ".join(name.split()[0] for name in installed),
        )
    else:
        yield row("opencv", OK, "{found}", found=found)


def _check_home(services: Services) -> Iterator[Check]:
    services.make_home()
    home = services.settings.home
    check_home_disk(services)
    free = shutil.disk_usage(home).free
    megabytes = str(free // 1_000_000)
    if free < MIN_FREE_BYTES:
        fix = N_("Free some space on the disk of {home}.")
        yield row("home", WARN, N_("{home}: only {megabytes} MB free"), fix, home=home, megabytes=megabytes)
    else:
        yield row("home", OK, N_("{home}: {megabytes} MB free"), home=home, megabytes=megabytes)


def _check_database(services: Services) -> Iterator[Check]:
    check_database_disk(services)
    with services.database.write() as session:
        meta.check_writable(session)
        people = employee_rows.count(session)
    facts = services.database.database_facts()
    places = {"kind": facts.kind, "version": facts.version, "address": facts.address, "people": str(people)}
    yield row("database", OK, N_("{kind} {version} at {address}, employees: {people}"), **places)
    for risk in facts.risks:
        yield row("durability", WARN, risk, N_("See docs/database.md: settings of the server."))
    if facts.journal_mode:
        detail = N_("Journal mode {mode}: {reason}")
        yield row("journal", OK, detail, mode=facts.journal_mode, reason=facts.journal_reason)


def _check_redis(services: Services) -> Iterator[Check]:
    if services.redis is not None:
        version = services.redis.check()
        services.redis.check_writable()
        yield row("redis", OK, N_("Redis {version} at {address}"), version=version, address=services.redis.address)


def _check_display() -> Iterator[Check]:
    reason = can_show()
    if reason is None:
        yield row("display", OK, N_("A window can be shown."))
    else:
        fix = N_("run-kiosk then shows a live view in the terminal; nothing needs to be done for that.")
        yield row("display", WARN, N_("No window can be shown: {reason}."), fix, reason=reason)


def _check_extras() -> Iterator[Check]:
    if importlib.util.find_spec("openvino") is not None:
        version = importlib.metadata.version("openvino")
        yield row("openvino", OK, N_("openvino {version} is installed"), version=version)
    if sys.prefix == sys.base_prefix:
        detail = N_("smartabsen is installed into the system's Python, where updates of other programs can break it.")
        fix = N_("Install it into a virtual environment of its own: python3 -m venv, or pipx.")
        yield row("environment", WARN, detail, fix)


_MACHINE_CHECKS: Final[tuple[Callable[[], Iterator[Check]], ...]] = (
    _check_python,
    _check_opencv,
    _check_extras,
    _check_display,
)
FIRST_CHECKS: Final = (
    HealthCheck("home", _check_home, needs_database=False),
    HealthCheck("database", _check_database, needs_database=False),
)
"""Whether there is anything that the other checks could look at."""
CHECKS: Final = (
    HealthCheck("redis", _check_redis, needs_database=False),
    HealthCheck("server", check_server, needs_database=False),
    HealthCheck("clock", check_clock, needs_database=True),
    HealthCheck("zone", check_zone, needs_database=False),
)
