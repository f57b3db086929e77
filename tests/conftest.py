"""Fixtures for all tests: real parts where they are, with a skip that says why, and a failure in CI."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

# A machine of the firm, whatever zone the one that runs the tests is in.
os.environ["TZ"] = "Asia/Jakarta"
time.tzset()

pytest_plugins = ("tests.installation", "tests.rows")
"""Fixtures of an installation with drawn people, and of an empty database of each kind."""

SHARED = Path(os.environ.get("SMARTABSEN_TEST_SHARED", Path(__file__).parents[2] / "shared"))
# Each worker of pytest-xdist has a database of its own: tests empty it.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS = os.environ.get("SMARTABSEN_TEST_REDIS", f"redis://127.0.0.1:6379/{15 - _WORKER % 8}")
MARIADB = os.environ.get("SMARTABSEN_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306")


def missing(what: str) -> None:
    """Skip on a user's machine; fail in CI, where the real part must be there."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{what}: it must be there in CI")
    pytest.skip(what)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of the person who runs the tests out of them, and speak English."""
    for name in list(os.environ):
        if name.startswith("SMARTABSEN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SMARTABSEN_LANGUAGE", "en")
    # Most tests enrol people who do not exist; those about consent demand it.
    monkeypatch.setenv("SMARTABSEN_PRIVACY_CONSENT", "record")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The directory of real weights and photos."""
    if not (SHARED / "models").is_dir():
        missing(f"no weights and photos at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def models_dir(shared_dir: Path) -> Path:
    """Real model weights, laid out like a models directory."""
    return shared_dir / "models"


@pytest.fixture(scope="session")
def lfw_dir(shared_dir: Path) -> Path:
    """Labelled photos: one folder for each person."""
    return shared_dir / "faces" / "lfw"


@pytest.fixture(scope="session")
def t1_path() -> Path:
    """The group photo of six people that the insightface wheel carries."""
    from importlib.util import find_spec

    spec = find_spec("insightface")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "data" / "images" / "t1.jpg"


@pytest.fixture(scope="session")
def t1_image(t1_path: Path) -> np.ndarray:
    """The same as an array, uint8 (H, W, 3) BGR."""
    import cv2

    image = cv2.imread(str(t1_path))
    assert image is not None
    return image


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """The URL of a fresh, empty MariaDB database, dropped afterwards."""
    import pymysql
    from sqlalchemy.engine import make_url

    server = make_url(MARIADB)
    name = f"smartabsen_test_{uuid.uuid4().hex[:12]}"
    try:
        connection = pymysql.connect(
            host=server.host or "127.0.0.1",
            port=server.port or 3306,
            user=server.username or "root",
            password=server.password or "",
            connect_timeout=3,
        )
    except pymysql.err.OperationalError as exc:
        missing(f"no MariaDB at {server.render_as_string()}: {exc}")
        raise
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def redis_url() -> str:
    """The URL of a real Redis."""
    redis = pytest.importorskip("redis")
    try:
        with redis.Redis.from_url(REDIS, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as exc:
        missing(f"no Redis at {REDIS}: {exc}")
    return REDIS
