"""An installation with the fake engine behind Flask's test client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.web import create_app


@pytest.fixture
def flags(tmp_path: Path) -> dict[str, object]:
    """Settings of a small installation in a temporary home."""
    return {"home": str(tmp_path / "home"), "engine": "fake", "recognition.matcher": "exact", "language": "en"}


@pytest.fixture
def library(flags: dict[str, object]) -> Iterator[SmartAbsen]:
    """The library of that installation."""
    with SmartAbsen.open(flags=flags) as opened:
        yield opened


@pytest.fixture
def web(library: SmartAbsen) -> Flask:
    """The web application on it."""
    return create_app(library)


@pytest.fixture
def client(web: Flask) -> FlaskClient:
    """A browser."""
    return web.test_client()
