"""Where a visitor is: the page of a request, as a path of this server and never as an address.

Paths are put together by hand: what stands in a query is a visitor's and never becomes an argument of ``url_for``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

_SAFE: Final = "/:@!$&'()*+,;=-._~"


def page_path() -> str:
    """Return the path of the page to look at: this one, else the nearest above it that can be fetched, else the first.

    What a form was sent to is mostly no page of its own; the page that it stands on is above it.
    """
    parts = request.path.strip("/").split("/")
    while parts and not _is_page(path := "/" + "/".join(parts)):
        if _is_page(f"{path}/"):
            path += "/"
            break
        parts.pop()
    else:
        path = path if parts else "/"
    return quote(request.root_path + path, safe=_SAFE)


def page_address(**changes: str) -> str:
    """Return the path of :func:`page_path` with the query of this request.

    Args:
        changes: What the query shall say in place of what it says.
    """
    kept = []
    if request.method in ("GET", "HEAD") and request.url_rule is not None:
        kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    return _with_query(page_path(), kept, changes)


def corrected_path(redirect: RequestRedirect) -> str:
    """Return path and query of an address with the right slashes."""
    parts = urlsplit(redirect.new_url)
    path = "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


def _with_query(path: str, kept: list[tuple[str, str]], changes: Mapping[str, str]) -> str:
    query = urlencode([*kept, *changes.items()], errors="replace")
    return f"{path}?{query}" if query else path


def _is_page(path: str) -> bool:
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return False
    return True
