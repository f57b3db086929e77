"""Parts of pages that are polled: HTML with an ETag, so that nothing is sent or painted again while nothing changes."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import make_response, render_template, request
from werkzeug.wrappers import Response


def part(template: str, **values: Any) -> Response:
    """Answer a part of a page, or 304 where the page has it already."""
    body = render_template(template, **values)
    response = make_response(body)
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:32])
    return response.make_conditional(request)
