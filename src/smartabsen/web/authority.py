"""Where phones fetch the certificate authority of a server that has one of its own."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from .library import library

blueprint = Blueprint("authority", __name__)


@blueprint.get("/ca.crt")
def show() -> Response:
    """Answer the certificate, which everybody may have; phones offer to install it."""
    return Response(
        library().tls.read_authority(),
        content_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": 'attachment; filename="smartabsen-ca.crt"'},
    )
