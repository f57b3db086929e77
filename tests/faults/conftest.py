"""Fixtures of the fault tests: installations with the fake engine, drawn photos, and servers that can be hurt."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.conftest import missing
from tests.installation import app, draw, flags

from . import redis_server
from .gate import Gate
from .redis_server import PrivateRedis
from .server import INSTALLER, PROGRAM, PrivateServer

__all__ = ["app", "draw", "flags"]


@pytest.fixture
def gate(mariadb_url: str) -> Iterator[Gate]:
    """A gate in front of MariaDB."""
    url = make_url(mariadb_url)
    with Gate(url.host or "127.0.0.1", url.port or 3306) as opened:
        yield opened


@pytest.fixture
def gated_url(mariadb_url: str, gate: Gate) -> str:
    """The URL of an empty database behind the gate."""
    return make_url(mariadb_url).set(host="127.0.0.1", port=gate.port).render_as_string(hide_password=False)


@pytest.fixture
def behind(flags: dict[str, object], gated_url: str) -> dict[str, object]:
    """Settings of an installation whose database is behind the gate."""
    return {**flags, "database_url": gated_url}


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """A MariaDB server of this test's own."""
    if not (PROGRAM and INSTALLER):
        missing("no mariadbd and mariadb-install-db")
    directory: Path = tmp_path_factory.mktemp("mariadb")
    started = PrivateServer(directory)
    yield started
    started.kill()


@pytest.fixture
def redis_directory() -> Iterator[Path]:
    """A short path for the socket of a Redis of this test's own."""
    pytest.importorskip("redis")
    if not redis_server.PROGRAM:
        missing("no redis-server")
    with tempfile.TemporaryDirectory(prefix="sa-") as directory:
        yield Path(directory)


@pytest.fixture
def private_redis(redis_directory: Path) -> Iterator[PrivateRedis]:
    """A Redis of this test's own."""
    started = PrivateRedis(redis_directory)
    yield started
    started.stop()
