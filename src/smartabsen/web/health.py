"""Whether the server lives, and whether it can do its work: for service managers and load balancers."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from .faults import json_answer
from .library import library

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer that the process lives; nothing else is looked at."""
    return json_answer({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Answer 200 when a sign-in would work: database, disk and a Redis that is set take writes, engine and trained
    model are there; else 503 with what fails. An answer is some seconds old at most.
    """
    checks = {check.name: check.level.value for check in library().serving.check_readiness()}
    ready = "fail" not in checks.values()
    return json_answer({"status": "ready" if ready else "not_ready", "checks": checks}, status=200 if ready else 503)
