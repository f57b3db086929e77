"""Fixtures of the store: an empty database of each kind, and makers of synthetic rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import pytest

from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Employee, ModelIdentity, Punch, PunchMethod, Quality, Template
from smartabsen.people import employee_rows
from smartabsen.store.database import Database
from smartabsen.trust.sealing import KeyRing, key_id_of

WORKER = Path(__file__).with_name("worker.py")
MODEL = ModelIdentity("fake", "ab" * 32, 8)


def make_ring(*seeds: int) -> KeyRing:
    """Return a ring of made-up keys, the first of them active."""
    keys = {key_id_of(key): key for key in (bytes([seed]) * 32 for seed in seeds)}
    return KeyRing.of(keys, active=next(iter(keys)), place="a test")


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: the same tests run on both kinds."""
    if request.param == "mariadb":
        url: str = request.getfixturevalue("mariadb_url")
        return url
    return f"sqlite:///{tmp_path / 'smartabsen.db'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database, for what does not depend on the kind."""
    opened = Database(f"sqlite:///{tmp_path / 'smartabsen.db'}")
    yield opened
    opened.close()


@pytest.fixture
def ring() -> KeyRing:
    """A ring of one key."""
    return make_ring(1)


@pytest.fixture
def rules() -> Rules:
    """Office hours in Jakarta with a cooldown of a minute."""
    return Rules(time(8, 0), 0, "Asia/Jakarta", time(4, 0), cooldown_s=60, min_work_minutes=60)


@pytest.fixture
def siti(database: Database) -> Employee:
    """An employee in ``database``."""
    with database.write() as session:
        return employee_rows.add(session, code="E001", name="Siti Rahma", position="Kasir")


@pytest.fixture
def attempt(rules: Rules) -> Callable[..., Punch]:
    """Makes attempts to punch, from local time in Jakarta."""

    def make(employee_id: int, wall: str, *, key: str = "", note: str = "", work_date: date | None = None) -> Punch:
        at = datetime.fromisoformat(f"{wall}+07:00").astimezone(UTC)
        return Punch(
            id=0,
            employee_id=employee_id,
            at=at,
            work_date=work_date or rules.work_date(at),
            method=PunchMethod.FACE,
            kiosk="Lobby",
            key=key or f"{employee_id}-{wall.replace(' ', 'T')}",
            similarity=0.7312,
            model_digest=MODEL.digest,
            note=note,
            liveness=0.98,
        )

    return make


@pytest.fixture
def template() -> Callable[..., Template]:
    """Makes templates with a random unit embedding."""
    random = np.random.default_rng(7)

    def make(employee_id: int, *, photo: str = "", model: ModelIdentity = MODEL) -> Template:
        embedding = random.normal(size=model.dimension)
        digest = photo or random.bytes(16).hex()
        return Template(
            id=0,
            employee_id=employee_id,
            embedding=(embedding / np.linalg.norm(embedding)).astype(np.float32),
            model=model,
            quality=Quality(120.0, 128.5, 310.0, -0.1, 0.99),
            source=f"{digest}.jpg",
            photo_digest=digest,
        )

    return make


@pytest.fixture
def run_workers() -> Callable[..., list[str]]:
    """Runs ``worker.py`` in several fresh processes that start working at the same moment; gives what each printed."""

    def run(count: int, *arguments: object) -> list[str]:
        commands = [
            [sys.executable, "-W", "error", str(WORKER), str(number), *map(str, arguments)] for number in range(count)
        ]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        processes = [subprocess.Popen(command, text=True, **pipes) for command in commands]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=120) for process in processes]
        assert [error for _, error in answers] == [""] * count
        return [output for output, _ in answers]

    return run
