"""Which language a visitor reads: the one they chose, else the one their browser asks for, else the installation's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flask import request
from werkzeug.datastructures import LanguageAccept
from werkzeug.wrappers import Request, Response

from ..kernel.i18n import LANGUAGES, current_language, use_language
from .connection import cookie_name, is_https
from .places import page_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

COOKIE: Final = "smartabsen_language"
PARAMETER: Final = "language"
_COOKIE_AGE_S: Final = 365 * 24 * 3600
_LOCALES: Final = {"id": "id", "en": "en_GB"}
_NAMES: Final = {"id": "Bahasa Indonesia", "en": "English"}


class LanguageMiddleware:
    """Answers each request in the visitor's language, error pages included.

    Args:
        app: The application.
        default: Language of a browser that asks for none of ours: ``id``, ``en``, or ``auto`` for the system's.
        https: The public address is https, whatever a request says.
    """

    def __init__(self, app: WSGIApplication, default: str, *, https: bool = False) -> None:
        self._app = app
        self._default = default
        self._https = https

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        cookie = cookie_name(COOKIE, secure=self._https or request.is_secure)
        with use_language(choose_language(request, self._default, cookie=cookie)):
            return self._app(environ, start_response)


def choose_language(request: Request, default: str, *, cookie: str = COOKIE) -> str:
    """Return the language for a request: chosen in the address, chosen before, asked for by the browser, default."""
    for chosen in (request.args.get(PARAMETER, ""), request.cookies.get(cookie, "")):
        if chosen in LANGUAGES:
            return chosen
    # Browsers in Indonesia still send the code that was withdrawn in 1989.
    asked = [("id" if tag.lower() == "in" else tag, quality) for tag, quality in request.accept_languages]
    return LanguageAccept(asked).best_match(LANGUAGES) or default


def current_locale() -> str:
    """Return the locale of dates and times: those of English are the 24 hours that the rest of the texts has."""
    return _LOCALES[current_language()]


def remember_language(response: Response) -> Response:
    """Keep a language that was chosen in the address."""
    chosen = request.args.get(PARAMETER, "")
    if chosen in LANGUAGES:
        secure = is_https()
        name = cookie_name(COOKIE, secure=secure)
        response.set_cookie(name, chosen, max_age=_COOKIE_AGE_S, secure=secure, httponly=True, samesite="Lax")
    return response


def language_links() -> list[tuple[str, str, str]]:
    """Return code, own name and path of this page in each language; see :func:`.places.page_path` for what it is."""
    return [(code, _NAMES[code], page_address(**{PARAMETER: code})) for code in LANGUAGES]
