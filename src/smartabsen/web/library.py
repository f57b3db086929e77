"""The way from a request to the library."""

from __future__ import annotations

from typing import Final, cast

from flask import current_app

from ..core.app import SmartAbsen

EXTENSION: Final = "smartabsen"
"""Key of the library among the Flask application's extensions."""


def library() -> SmartAbsen:
    """Return the library of the current application."""
    return cast(SmartAbsen, current_app.extensions[EXTENSION])
