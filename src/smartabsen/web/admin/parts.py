"""Parts of pages that are polled: HTML with an ETag, so that nothing is sent or painted again while nothing changes."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import make_response, render_template, request
from markupsafe import Markup
from werkzeug.http import quote_etag
from werkzeug.wrappers import Response


def part(template: str, **values: Any) -> Response:
    """Answer a part of a page, or 304 where the page has it already."""
    body = render_template(template, **values)
    response = make_response(body)
    response.set_etag(_digest(body))
    return response.make_conditional(request)


def first_part(template: str, **values: Any) -> tuple[Markup, str]:
    """Return the part as a page holds it first, and its ETag, so that the first poll brings nothing again."""
    body = render_template(template, **values)
    # The template has escaped what is in it.
    return Markup(body), quote_etag(_digest(body))  # noqa: S704


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:32]
