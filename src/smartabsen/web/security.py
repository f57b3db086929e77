"""What protects every page: CSRF tokens, response headers with a content security policy, limits by rate."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from ..core.app import SmartAbsen
from .faults import fail, problem_of_status
from .languages import remember_language
from .library import library

P = ParamSpec("P")
T = TypeVar("T")

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HSTS_S = 31_536_000


def init_app(app: Flask, library: SmartAbsen) -> None:
    """Protect an application.

    Raises:
        ConfigError: A server in production has no secret, or a weak one.
    """
    library.serving.check_secret()
    app.secret_key = library.secret.derive("web")
    # Addresses without path and query go to our own pages: enough to tell them apart, and no token in any of them.
    app.config["WTF_CSRF_SSL_STRICT"] = True
    CSRFProtect(app)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.after_request(_add_headers)
    app.after_request(remember_language)


def csp_nonce() -> str:
    """Return the nonce of this answer for ``<script nonce>`` and ``<style nonce>``."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def allow_camera() -> None:
    """Let the page that is being answered use the camera."""
    g.camera = True


def rate_limited(name: str, *, limit: int, per_s: int) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """Answer 429 when an address calls a view more than ``limit`` times in ``per_s`` seconds, at whichever worker."""

    def decorate(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def limited(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            wait_s = library().limits.hit(f"{name}:{request.remote_addr}", limit=limit, per_s=per_s)
            if wait_s:
                return fail(problem_of_status(429), 429, retry_after_s=wait_s)
            return view(*args, **kwargs)

        return limited

    return decorate


def _add_headers(response: Response) -> Response:
    headers = response.headers
    camera = "(self)" if g.get("camera") else "()"
    headers["Content-Security-Policy"] = _POLICY.format(nonce=csp_nonce())
    headers["Permissions-Policy"] = f"camera={camera}, microphone=(), geolocation=(), display-capture=(), usb=()"
    headers["Referrer-Policy"] = "strict-origin"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.is_secure and library().settings.server.public_url.startswith("https:"):
        headers["Strict-Transport-Security"] = f"max-age={_HSTS_S}"
    if not (request.endpoint or "").endswith("static"):
        headers["Cache-Control"] = "no-store"
    return response
