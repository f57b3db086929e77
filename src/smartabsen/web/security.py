"""What protects every page: CSRF tokens, response headers with a content security policy, limits by rate."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from ..app.facade import SmartAbsen
from ..kernel.i18n import _
from .connection import is_https
from .faults import COMMON_HEADERS, HSTS_S, Problem, fail, permissions_policy, problem_of_status
from .hosts import is_local_name
from .languages import remember_language
from .library import library

P = ParamSpec("P")
T = TypeVar("T")

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_OUR_SITES = frozenset({"same-origin", "none"})


def init_app(app: Flask, library: SmartAbsen) -> None:
    """Protect an application.

    Raises:
        ConfigError: A server in production has no secret, or a weak one.
    """
    library.serving.check_secret()
    app.secret_key = library.secret.derive("web")
    # Addresses without path and query go to our own pages: enough to tell them apart, and no token in any of them.
    app.config["WTF_CSRF_SSL_STRICT"] = True
    # A token ends with its session, which the database's clock decides: this machine's may be wrong, or be set right.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.before_request(_refuse_other_sites)
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


def refuse_haste(key: str, *, limit: int, per_s: int) -> Response | None:
    """Count a try of ``key``; return the answer 429 where it is one of too many, at whichever worker."""
    wait_s = library().limits.hit(key, limit=limit, per_s=per_s)
    return fail(problem_of_status(429), 429, retry_after_s=wait_s) if wait_s else None


def rate_limited(name: str, *, limit: int, per_s: int) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """Answer 429 when an address calls a view more than ``limit`` times in ``per_s`` seconds, at whichever worker."""

    def decorate(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def limited(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            refusal = refuse_haste(f"{name}:{request.remote_addr}", limit=limit, per_s=per_s)
            return view(*args, **kwargs) if refusal is None else refusal

        return limited

    return decorate


def _refuse_other_sites() -> Response | None:
    """Refuse a change that a browser says another site asks for, whatever token it carries.

    A sibling of ours (``same-site``) is another site too: whoever has a page at another port or below the same domain
    may not change anything here. ``none`` is the person, as where a page is loaded again.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or request.headers.get("Sec-Fetch-Site", "none") in _OUR_SITES:
        return None
    problem = Problem("cross_site", _("Another site asked for this change."), _("Open the page here and try again."))
    return fail(problem, 403)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    for name, value in COMMON_HEADERS:
        headers[name] = value
    headers["Content-Security-Policy"] = _POLICY.format(nonce=csp_nonce())
    headers["Permissions-Policy"] = permissions_policy(camera=bool(g.get("camera")))
    local = is_local_name(request.environ.get("HTTP_HOST", ""))
    if is_https() or local:
        # Elsewhere browsers ignore it and complain about it in every visitor's console.
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.is_secure and not local:
        # On this machine other programs speak http under the same name.
        headers["Strict-Transport-Security"] = f"max-age={HSTS_S}"
    if not (request.endpoint or "").endswith("static"):
        headers["Cache-Control"] = "no-store"
    return response
