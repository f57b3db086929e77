"""What a browser keeps after a sign-in to the dashboard: the secret of a known device, which wrong tries elsewhere do
not lock out (OWASP, "Device cookies"). It opens nothing by itself.
"""

from __future__ import annotations

from typing import Final

from flask import after_this_request, request
from werkzeug.wrappers import Response

from .connection import cookie_name, is_https
from .sessions import set_cookie

COOKIE: Final = "smartabsen_device"
_AGE_S: Final = 180 * 24 * 3600
_MAX_LENGTH: Final = 100
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chromium", "Chromium"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def find_device() -> str:
    """Return the secret that this browser keeps, empty where it has none."""
    return request.cookies.get(cookie_name(COOKIE, secure=is_https()), "")[:_MAX_LENGTH]


def keep_device(secret: str) -> None:
    """Give the browser that is being answered the secret to keep."""

    def add(response: Response) -> Response:
        set_cookie(response, COOKIE, secret, secure=is_https(), max_age=_AGE_S)
        return response

    after_this_request(add)


def describe_browser() -> str:
    """Return what kind of browser asks, for lists, as ``Firefox, Windows``; empty where that is unknown."""
    agent = request.user_agent.string
    found = (next((name for mark, name in marks if mark in agent), "") for marks in (_BROWSERS, _SYSTEMS))
    return ", ".join(filter(None, found))
