"""By which names this server may be asked for: a page of another name that leads here (DNS rebinding) is sent away.

Such a page has the visitor's browser ask from inside the office, so that the allowed networks do not keep it out; what
gives it away is the name in ``Host``, which no page can choose.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, request
from markupsafe import escape
from werkzeug.wrappers import Response

from ..app.facade import SmartAbsen
from ..kernel.i18n import _, current_language
from ..org.addresses import is_own_address
from .faults import Problem, answers_json, fail

_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.%\w]+\]|[^:\[\]/@\s]+)(?::\d{1,5})?")
_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{message}</title></head><body>
<h1>{message}</h1>
<p>{hint}</p>
</body></html>
"""
_SHOWN: Final = 100
_log: Final = logging.getLogger(__name__)


class KnownHosts:
    """The names of a server.

    Args:
        names: Names and addresses, in lower case; ``*.example.com`` means each name below it.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))
        self._told: set[str] = set()

    def allows(self, host: str) -> bool:
        """Tell whether a Host header names this server; its addresses are looked up now, as they may have changed."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").lower().rstrip(".")
        if name in self._names or name.endswith(self._endings or ("\n",)):
            return True
        return _is_address(name) and is_own_address(name)

    def report(self, host: str) -> None:
        """Log a name that is refused, each once and few of them: a visitor chooses it."""
        if len(self._told) < _SHOWN and host not in self._told:
            self._told.add(host)
            _log.warning("asked for as %r, which is no name of this server: see server.hosts", host[:_SHOWN])


def init_app(app: Flask, library: SmartAbsen) -> None:
    """Answer 421 to whoever asks for another server."""
    known = KnownHosts(library.serving.host_names())

    def check() -> Response | None:
        host = request.environ.get("HTTP_HOST")
        # Programs that speak HTTP/1.0, as health checks do, name no host; a browser always does.
        if host is None or known.allows(host):
            return None
        known.report(host)
        return _send_away()

    app.before_request(check)


def is_local_name(host: str) -> bool:
    """Tell whether a Host header names the visitor's own machine, which browsers trust without https."""
    name = (urlsplit(f"//{host}").hostname or "") if _HOST.fullmatch(host) else ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ipaddress.ip_address(name).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _send_away() -> Response:
    problem = _misdirected()
    if answers_json():
        return fail(problem, 421)
    # Without style sheet and script, which are not answered under this name either.
    page = _PAGE.format(language=current_language(), message=escape(problem.message), hint=escape(problem.hint))
    return Response(page, 421, content_type="text/html; charset=utf-8")


def _misdirected() -> Problem:
    return Problem(
        "unknown_host",
        _("This server does not go by the name in the address."),
        _("Use the address on the screen at the door. IT staff: add the name to server.hosts."),
    )
