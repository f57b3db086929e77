"""An installation with the fake engine behind Flask's test client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.web import attendance, auth, create_app

from ..installation import picture


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
    """The web application on it, which loads nothing behind a test's back."""
    app = create_app(library)
    app.config[attendance.WARM_UP] = False
    return app


@pytest.fixture
def client(web: Flask) -> FlaskClient:
    """A browser."""
    return web.test_client()


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests ask as fast as they like; one of them looks at the pace."""
    monkeypatch.setattr(auth.POLL, "every_s", 0.0)


@pytest.fixture
def token(library: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the QR of the last sign-in page carries."""
    carried: list[str] = []
    render = library.signin.render_svg

    def keep(request: Any) -> str:
        carried.append(request.url)
        return render(request)

    monkeypatch.setattr(library.signin, "render_svg", keep)
    return lambda: carried[-1].partition("token=")[2]


@pytest.fixture
def people(library: SmartAbsen, tmp_path: Path) -> SmartAbsen:
    """Two enrolled people, drawn, and a trained model."""
    for person, (code, name) in {1: ("E001", "Siti Rahma"), 2: ("E002", "Budi Santoso")}.items():
        photos = []
        for number in range(3):
            path = tmp_path / f"{code}-{number}.png"
            cv2.imwrite(str(path), picture(person, shade=70 + 20 * number))
            photos.append(path)
        library.enrol(name, photos, code=code)
    library.train(force=True)
    return library


@pytest.fixture
def phone(web: Flask) -> FlaskClient:
    """Another browser."""
    return web.test_client()
