"""Where errors become answers: a page in the visitor's language, or JSON that always has the same shape."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Final

from flask import Flask, g, json, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..kernel.errors import BusyError, DatabaseError, SchemaError, SmartAbsenError, TooManyTriesError
from ..kernel.i18n import N_, _, describe_error
from .places import page_path
from .trace import note_failure

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a visitor sees it: stable code, one sentence, what to do next (may be empty)."""

    code: str
    message: str
    hint: str = ""


_STATUSES: Final[dict[int, tuple[str, str, str]]] = {
    400: ("bad_request", N_("This request cannot be understood."), N_("Go back, load the page again and retry.")),
    401: ("not_logged_in", N_("You are not logged in, or you were logged out."), N_("Log in and try again.")),
    403: ("forbidden", N_("You may not do this here."), N_("Ask your administrator if you think that you should.")),
    404: ("not_found", N_("There is no such page."), N_("Check the address, or begin at the first page.")),
    405: ("method_not_allowed", N_("This page does not work that way."), N_("Begin at the first page.")),
    413: ("too_large", N_("That was too large."), N_("Send less at once.")),
    429: ("too_many_requests", N_("That was too often."), N_("Wait a moment and try again.")),
    500: (
        "bug",
        N_("Something went wrong here; it is not your fault."),
        N_("Try again; if it stays, tell your IT staff."),
    ),
    503: ("unavailable", N_("The server cannot do this right now."), N_("Try again in a minute.")),
}
"""Status to code, sentence and next step."""
HSTS_S: Final = 31_536_000
"""How long a browser that has seen https here takes nothing else, in seconds."""
AWAY_RETRY_S: Final = 5
"""When a client may ask again after the database or Redis did not answer."""
_STALE_PAGE: Final = (
    "csrf",
    N_("This page was open for too long, or your browser refuses cookies."),
    N_("Load the page again and retry."),
)

_FOR_STAFF: Final = re.compile(
    r"smartabsen [a-z]|SMARTABSEN_|\b[a-z]+\.[a-z]+_[a-z]|\{(path|place|url|problem)\}|--[a-z]|docs/"
)
"""Message ids that name commands, settings, files or what a library said."""

_LAST_RESORT: Final = """<!doctype html>
<html lang="id"><head><meta charset="utf-8"><title>smartabsen</title></head><body>
<h1>Ada masalah di server ini; bukan kesalahan Anda.</h1>
<p>Coba lagi; kalau tetap begini, beri tahu staf TI Anda.</p>
<div lang="en"><h1>Something went wrong here; it is not your fault.</h1>
<p>Try again; if it stays, tell your IT staff.</p></div>
</body></html>
"""
"""What is answered when nothing else can be."""


COMMON_HEADERS: Final = (
    ("Referrer-Policy", "strict-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""Of every answer, whoever gives it."""


def permissions_policy(*, camera: bool) -> str:
    """Return what a page may use of the machine it is shown on."""
    return f"camera={'(self)' if camera else '()'}, microphone=(), geolocation=(), display-capture=(), usb=()"


BARE_HEADERS: Final = (
    *COMMON_HEADERS,
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("Permissions-Policy", permissions_policy(camera=False)),
    ("Cache-Control", "no-store"),
)
"""Of an answer that the server gives by itself, before there is a request: see :func:`bare_answer`."""


def bare_answer(status: int, *, secure: bool = False) -> bytes:
    """Return an error as a server writes it that could not even read the request: head and body, ready to be sent.

    Args:
        status: 400 to 599.
        secure: The connection is https.
    """
    try:
        known = HTTPStatus(status)
    except ValueError:
        known = HTTPStatus.BAD_REQUEST if status < 500 else HTTPStatus.INTERNAL_SERVER_ERROR
    body = f"{known.value} {known.phrase}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        *BARE_HEADERS,
    ]
    if secure:
        headers.append(("Strict-Transport-Security", f"max-age={HSTS_S}"))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {known.value} {known.phrase}\r\n{head}\r\n".encode("ascii") + body


def init_app(app: Flask) -> None:
    """Answer every error in one of the two forms."""
    app.register_error_handler(SmartAbsenError, answer_known)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)


def json_answer(body: Mapping[str, object], *, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(body, ensure_ascii=False) + "\n", status, content_type="application/json")


def answers_json() -> bool:
    """Tell whether errors of this request are JSON: by the access table, or by what the client accepts."""
    from .access import ROUTES

    route = ROUTES.get(request.endpoint or "")
    if route is not None and route.as_json:
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def problem_of_status(status: int) -> Problem:
    """Return what is said about an HTTP status, in the current language."""
    known = _STATUSES.get(status) or _STATUSES[500 if status >= 500 else 400]
    code, message, hint = known
    return Problem(code, _(message), _(hint))


def fail(problem: Problem, status: int, *, retry_after_s: int = 0, error: BaseException | None = None) -> Response:
    """Answer an error; the security log gets what matters there.

    Args:
        error: What happened, where it is a bug.
    """
    note_failure(problem.code, status, error=error)
    if answers_json():
        response = json_answer({"error": asdict(problem)}, status=status)
    else:
        response = _error_page(problem, status)
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def _error_page(problem: Problem, status: int) -> Response:
    # Who sent a form goes back to the page that it stands on.
    back = "" if request.method in ("GET", "HEAD") else page_path()
    # It shows nobody's name, so nobody's session is read for it: what keeps sessions may be what is away.
    g.setdefault("user", None)
    try:
        return make_response(render_template("error.html", problem=problem, status=status, back=back), status)
    except Exception:  # noqa: BLE001 - whatever it is, somebody waits for an answer
        # The page of errors must not fail: no database, template or catalogue is needed for this one.
        _log.exception("the error page failed")
        return Response(_LAST_RESORT, max(status, 500), content_type="text/html; charset=utf-8")


def answer_known(error: SmartAbsenError) -> Response:
    """Answer an error of the library."""
    # A server that is asked a page has nothing "partly done".
    status = error.http_status if error.http_status >= 400 else 500
    if status >= 500:
        _log.error("%s %s: %s", request.method, request.path, error)
        if status == 500:
            return fail(problem_of_status(500), 500, error=error)
    if status >= 500 and not _is_staff():
        # Addresses, paths and a server's own words are for the log and for who mends it.
        problem = replace(problem_of_status(status), code=error.code)
    else:
        problem = Problem(error.code, *describe_to_visitor(error))
    return fail(problem, status, retry_after_s=_retry_after_s(error))


def answer_instead(response: Response, error: SmartAbsenError) -> None:
    """Turn an answer that is made into that of an error: what it tells of could not be stored.

    Headers of every answer stay, and cookies that were set on the way: what they stand for is stored.
    """
    instead = answer_known(error)
    for name in ("Location", "Content-Encoding", "Content-Disposition", "ETag"):
        response.headers.pop(name, None)
    response.direct_passthrough = False
    response.status_code = instead.status_code
    response.content_type = instead.content_type
    response.set_data(instead.get_data())
    if "Retry-After" in instead.headers:
        response.headers["Retry-After"] = instead.headers["Retry-After"]


def _is_staff() -> bool:
    """Tell whether somebody is known to be logged in to the dashboard; nothing is asked for it."""
    return g.get("user") is not None


def describe_to_visitor(error: SmartAbsenError) -> tuple[str, str]:
    """Return the sentence of an error and what to do next, as it can help whoever reads it.

    At the door and on phones nobody has a terminal, the settings or the server's files: what names those is told to
    the server's log, and the visitor whom to tell. Users of the dashboard read what there is.
    """
    message, hint = describe_error(error)
    if request.blueprint == "admin" or not _FOR_STAFF.search(f"{error.message_id} {error.hint_id}"):
        return message, hint
    _log.warning("%s %s: %s %s", request.method, request.path, error, error.hint)
    if _FOR_STAFF.search(error.message_id):
        message = problem_of_status(error.http_status).message
    return message, _("Tell your administrator, and record your attendance in another way meanwhile.")


def _retry_after_s(error: SmartAbsenError) -> int:
    if isinstance(error, DatabaseError) and not isinstance(error, SchemaError):
        return AWAY_RETRY_S
    wait_s = error.params.get("seconds", 0) if isinstance(error, (TooManyTriesError, BusyError)) else 0
    return wait_s if isinstance(wait_s, int) else 0


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    if isinstance(error, CSRFError):
        code, message, hint = _STALE_PAGE
        return fail(Problem(code, _(message), _(hint)), status)
    response = fail(_too_large() if status == 413 else problem_of_status(status), status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _too_large() -> Problem:
    most, sent = request.max_content_length, request.content_length
    problem = problem_of_status(413)
    if most is None or (sent is not None and sent <= most):
        # Too many parts, or a field that is too long.
        return problem
    return Problem(
        problem.code, _("That was too large: {size} MB are taken at once.", size=most // 1_000_000), problem.hint
    )


def _answer_bug(error: Exception) -> Response:
    # The path and not the address: what stands behind the question mark may be a secret.
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return fail(problem_of_status(500), 500, error=error)
