"""What the fault benchmarks share: a small installation with the engine for drawn faces, and punches by hand.

Punches are stored by the functions that kiosks use, with a cooldown of nothing: each attempt is a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartabsen import SmartAbsen
from smartabsen.attendance.punch_rows import dates, logged_on

PEOPLE = 20


def flags_of(home: Path, url: str = "") -> dict[str, object]:
    """Return the settings of the installation."""
    return {
        "home": str(home),
        "engine": "fake",
        "recognition.matcher": "exact",
        "kiosk.votes": 1,
        "kiosk.sound": "off",
        "attendance.cooldown_s": 0,
        "database_url": url,
    }


def prepare(flags: Mapping[str, object]) -> None:
    """Add people without photos."""
    with SmartAbsen.open(flags=flags) as app:
        for number in range(PEOPLE):
            app.enrol(f"Contoh {number}", [], code=f"E{number}")


def punch(app: SmartAbsen, number: int, key: str) -> int:
    """Store a punch of one of the people, in database and log, and return its row id."""
    return app.punch(f"E{number % PEOPLE}", key=key).punch.id


def stored_keys(app: SmartAbsen) -> list[str]:
    """Return the key of every punch in the database."""
    with app.services.database.read(long=True) as session:
        return [one.punch.key for day in dates(session) for one in logged_on(session, day.work_date)]


def log_differs_after_one_start(flags: Mapping[str, object]) -> int:
    """Start once, as a kiosk does, and return on how many days the log differs from the database then."""
    with SmartAbsen.open(flags=flags) as app:
        app.reconcile_log()
    with SmartAbsen.open(flags=flags) as app:
        return len(app.attendance_log.verify()[1])


def table(rows: Mapping[str, Any]) -> str:
    """Return figures as a table in Markdown."""
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])
