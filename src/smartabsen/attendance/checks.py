"""Check of ``doctor`` about attendance: its log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import Check
from ..kernel.health import OK, WARN, HealthCheck, row
from ..kernel.i18n import N_
from .csv_sync import compare

_SHOWN: Final = 5


def _check_log(services: Services) -> Iterator[Check]:
    # Only looked at: what somebody did to a file is evidence.
    days, found = compare(services.database, services.csv_log)
    directory = services.csv_log.directory
    if directory.is_dir() and not os.access(directory, os.W_OK):
        detail = N_("The attendance log cannot be written, and lacks what was recorded since: {path}")
        yield row("log", WARN, detail, N_("Let the account of smartabsen write to it."), path=directory)
    wrong = [each for each in found if not each.lags]
    if wrong:
        detail = N_(
            "Files of the attendance log hold lines that the database does not have, or has otherwise: {dates}."
        )
        fix = N_("Look who edited them in {path}; then “smartabsen csv rebuild”, which keeps what they held.")
        dates = ", ".join(f"{each.work_date}" for each in wrong[:_SHOWN]) + (" …" if len(wrong) > _SHOWN else "")
        yield row("log", WARN, detail, fix, dates=dates, path=services.settings.csv_dir)
    elif found:
        detail = N_("The attendance log of this machine is behind the database by {count} lines; a start completes it.")
        yield row("log", OK, detail, count=str(sum(each.missing for each in found)))
    else:
        yield row("log", OK, N_("The attendance log equals the database. Days in it: {days}."), days=str(days))


CHECKS: Final = (HealthCheck("log", _check_log, needs_database=True),)
