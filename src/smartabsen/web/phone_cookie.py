"""The credential that a paired phone keeps, and the phone that a request comes from."""

from __future__ import annotations

from typing import Final

from flask import request
from werkzeug.wrappers import Response

from ..kernel.domain import PairedPhone
from .connection import cookie_name, is_https
from .library import library
from .sessions import set_cookie

COOKIE: Final = "smartabsen_phone"
_AGE_S: Final = 2 * 365 * 24 * 3600
_KINDS: Final = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux")


def find_phone() -> PairedPhone | None:
    """Return the paired phone that asks, None where it is none or was revoked."""
    credential = request.cookies.get(cookie_name(COOKIE, secure=is_https()), "")
    return library().phones.find_phone(credential) if credential else None


def keep_credential(response: Response, credential: str) -> Response:
    """Give the phone what it is known by from now on."""
    set_cookie(response, COOKIE, credential, secure=is_https(), max_age=_AGE_S)
    return response


def describe_phone() -> str:
    """Return what kind of phone it says it is, for lists; empty where that is unknown."""
    agent = request.user_agent.string
    return next((kind for kind in _KINDS if kind in agent), "")
