"""Fixtures of the fault tests: installations with the fake engine, and drawn photos."""

from tests.core.conftest import app, draw, flags

__all__ = ["app", "draw", "flags"]
