"""Who may call which route: one table, enforced before anything of a request is read.

A route without an entry answers nobody, and a test fails.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from flask import Flask, abort, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from ..config import Network
from ..kernel.i18n import _
from .admin.access import ROUTES as ADMIN_ROUTES, find_role, must_change_password, must_set_up_totp
from .connection import hides_visitors
from .faults import Problem, answers_json, fail
from .grants import find_grant, signed_out
from .library import library
from .places import corrected_path
from .roles import Route, Who

ROUTES: Final[dict[str, Route]] = {
    "static": Route(Who.ANYONE),
    "health.healthz": Route(Who.ANYONE, as_json=True),
    "health.readyz": Route(Who.ANYONE, as_json=True),
    "authority.show": Route(Who.ANYONE),
    "auth.home": Route(Who.ANYONE),
    "auth.show": Route(Who.OFFICE),
    "auth.collect": Route(Who.OFFICE),
    "auth.status": Route(Who.OFFICE, as_json=True),
    "verify.show": Route(Who.ANYONE),
    "verify.answer": Route(Who.ANYONE),
    "verify.show_pairing": Route(Who.ANYONE),
    "verify.pair": Route(Who.ANYONE),
    "attendance.show": Route(Who.VERIFIED),
    "attendance.challenge": Route(Who.VERIFIED, as_json=True),
    "attendance.look": Route(Who.VERIFIED, as_json=True),
    "attendance.process": Route(Who.VERIFIED, as_json=True),
    "attendance.show_pin": Route(Who.ANYONE),
    "attendance.punch_by_pin": Route(Who.ANYONE),
    **ADMIN_ROUTES,
}
"""Endpoint to who may call it."""


def init_app(app: Flask) -> None:
    """Enforce the table."""
    app.before_request(_check)


def body_limit(app: Flask) -> Callable[[bytes, bytes], int]:
    """Return what says how large a body may be, in bytes, by the method and the target of a request."""
    adapter = app.url_map.bind("localhost")
    usual = int(app.config["MAX_CONTENT_LENGTH"])

    def most(method: bytes, target: bytes) -> int:
        if method != b"POST":
            return usual
        path = unquote(target.partition(b"?")[0].decode("latin-1"))
        try:
            route = ROUTES.get(adapter.match(path, "POST")[0])
        except (HTTPException, RequestRedirect):
            return usual
        return usual if route is None or route.max_bytes is None else route.max_bytes

    return most


def is_in_office(address: str | None, networks: tuple[Network, ...]) -> bool:
    """Tell whether an address lies in one of the networks; an IPv4 address may be written as IPv6."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in network for network in networks)


def _elsewhere() -> Problem:
    return Problem(
        "network_not_allowed",
        _("The sign-in is only shown in the networks of the office."),
        _("Connect to the office's network. IT staff: see signin.allowed_networks."),
    )


def _desk_elsewhere() -> Problem:
    return Problem(
        "network_not_allowed",
        _("The dashboard is only shown in the networks of the office."),
        _("Connect to the office's network. IT staff: see desk.allowed_networks."),
    )


def _unknown_proxy() -> Problem:
    if library().settings.server.proxies:
        return Problem(
            "proxy_not_trusted",
            _("The server does not know where you are: the proxy before it does not say so."),
            _("IT staff: let each proxy write X-Forwarded-For; server.proxies says how many there are."),
        )
    return Problem(
        "proxy_not_trusted",
        _("The server does not know where you are: it stands behind a proxy that it has not been told of."),
        _("IT staff: set server.proxies (SMARTABSEN_SERVER_PROXIES) to the number of proxies before it."),
    )


def _given_password() -> Problem:
    return Problem(
        "password_change_needed",
        _("Your password was given to you by somebody else."),
        _("Choose one of your own first."),
    )


def _no_second_factor() -> Problem:
    return Problem(
        "second_factor_needed",
        _("A second factor is demanded here, and you have none."),
        _("Set it up first: an authenticator app on your phone."),
    )


def _refuse_unready(endpoint: str) -> Response | None:
    """Return what a user gets who must first choose a password of their own, or set up a second factor."""
    if must_change_password(endpoint):
        first, problem = "admin.first_password", _given_password()
    elif must_set_up_totp(endpoint):
        first, problem = "admin.lead_to_totp", _no_second_factor()
    else:
        return None
    if request.method in ("GET", "HEAD") and not answers_json():
        return redirect(url_for(first))
    return fail(problem, 403)


def _check() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None:
        # No such page, or not by this method: the error is on its way. Or a slash is too many: what Werkzeug would
        # answer then says what the Host header does.
        corrected = request.routing_exception
        return redirect(corrected_path(corrected), 308) if isinstance(corrected, RequestRedirect) else None
    route = ROUTES.get(endpoint)
    if route is None:
        abort(403)
    if endpoint in ADMIN_ROUTES:
        if not is_in_office(request.remote_addr, library().settings.desk.networks):
            return fail(_desk_elsewhere(), 403)
        if hides_visitors():
            return fail(_unknown_proxy(), 403)
    needed = route.needed_for(request.method)
    if needed is Who.ANYONE:
        return None
    if needed in (Who.OFFICE, Who.VERIFIED):
        if hides_visitors():
            return fail(_unknown_proxy(), 403)
        if not is_in_office(request.remote_addr, library().settings.signin.networks):
            return fail(_elsewhere(), 403)
        if needed is Who.VERIFIED and find_grant() is None:
            return redirect(url_for("auth.show")) if not answers_json() else fail(signed_out(), 401)
        return None
    role = find_role()
    if role is None:
        if request.method in ("GET", "HEAD") and not answers_json():
            return redirect(url_for("admin.login", next=request.full_path.rstrip("?")))
        abort(401)
    if (refusal := _refuse_unready(endpoint)) is not None:
        return refusal
    if needed is Who.ADMIN and role is not Who.ADMIN:
        abort(403)
    if route.max_bytes is not None:
        # Said here, because the CSRF token of a form is read before its view is called.
        request.max_content_length = route.max_bytes
    return None
