"""An installation with the fake engine behind Flask's test client."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.web import create_app


@pytest.fixture
def flags(tmp_path: Path) -> dict[str, object]:
    """Settings of a small installation in a temporary home."""
    return {"home": str(tmp_path / "home"), "engine": "fake", "recognition.matcher": "exact", "language": "en"}


class MemorySessions:
    """Sessions of one process."""

    def __init__(self) -> None:
        self.rows: dict[str, SimpleNamespace] = {}

    def create(self, data: dict[str, Any], *, idle_s: int, absolute_s: int, user_id: int | None = None) -> str:
        sid = uuid.uuid4().hex
        self.rows[sid] = SimpleNamespace(data=dict(data), user_id=user_id, created_at=datetime.now(UTC))
        return sid

    def load(self, sid: str) -> SimpleNamespace | None:
        return self.rows.get(sid)

    def save(self, sid: str, data: dict[str, Any]) -> None:
        self.rows[sid].data = dict(data)

    def renew(self, sid: str) -> str:
        new = uuid.uuid4().hex
        self.rows[new] = self.rows.pop(sid)
        return new

    def revoke(self, sid: str) -> None:
        self.rows.pop(sid, None)


@pytest.fixture
def library(flags: dict[str, object]) -> Iterator[SmartAbsen]:
    """The library of that installation."""
    with SmartAbsen.open(flags=flags) as opened:
        opened.web_sessions = MemorySessions()
        opened.limits = SimpleNamespace(hit=lambda key, *, limit, per_s: 0)
        opened.server_secret = lambda: "k" * 64
        yield opened


@pytest.fixture
def web(library: SmartAbsen) -> Flask:
    """The web application on it."""
    return create_app(library)


@pytest.fixture
def client(web: Flask) -> FlaskClient:
    """A browser."""
    return web.test_client()
