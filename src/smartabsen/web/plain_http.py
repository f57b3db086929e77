"""HTTP/1.1 for a WSGI application where Gunicorn does not run: outside production, and on Windows.

It gets requests that are there whole (:mod:`smartabsen.web.intake`), and takes what RFC 9112 says and nothing else:
whatever another program could read in another way is refused, and the connection ends.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
from collections.abc import Callable
from email.utils import formatdate
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from .faults import bare_answer
from .intake import ClientGoneError, Exchange

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

NAME: Final = "smartabsen"
_REQUEST: Final = re.compile(rb"([A-Z]{1,32}) ([\x21-\x7e]{1,8190}) HTTP/(\d)\.(\d)")
_FIELD: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_MAX_FIELDS: Final = 100
_ONCE: Final = ("HOST", "CONTENT_TYPE", "CONTENT_LENGTH")
_NO_BODY: Final = ("204", "304")
_log: Final = logging.getLogger(__name__)


class RefusedError(Exception):
    """A request that is not answered by the application.

    Args:
        status: What is answered.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def answering(app: WSGIApplication) -> Callable[[Exchange], bool]:
    """Return what answers whole requests by an application; it says whether the connection may stay."""

    def answer(exchange: Exchange) -> bool:
        reply: _Reply | None = None
        try:
            environ, body = read_request(exchange)
            with body:
                reply = _Reply(exchange, environ)
                reply.run(app)
                return not reply.closes
        except RefusedError as exc:
            exchange.sendall(bare_answer(exc.status, secure=exchange.https))
        except ClientGoneError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            _log.exception("a request failed in the application")
            if reply is None or not reply.begun:
                exchange.sendall(bare_answer(500, secure=exchange.https))
        return False

    return answer


def read_request(exchange: Exchange) -> tuple[dict[str, Any], IO[bytes]]:
    """Return the WSGI environment of a request, and its body.

    Raises:
        RefusedError: It is not what RFC 9112 allows.
    """
    framing = exchange.framing
    if not framing.head_bytes:
        raise RefusedError(400)
    line, *fields = exchange.recv(framing.head_bytes)[:-4].removeprefix(b"\r\n").split(b"\r\n")
    request = _REQUEST.fullmatch(line)
    if request is None:
        raise RefusedError(414 if len(line) > 8190 else 400)
    method, target, major, minor = (part.decode("ascii") for part in request.groups())
    if major != "1":
        raise RefusedError(505)
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SERVER_PROTOCOL": f"HTTP/1.{minor}"}
    environ |= _read_target(method, target)
    environ |= _read_fields(fields)
    if environ.get("HTTP_EXPECT", "100-continue").lower() != "100-continue":
        raise RefusedError(417)
    if minor != "0" and "HTTP_HOST" not in environ:
        raise RefusedError(400)
    body = _read_body(exchange, environ)
    return environ | _surroundings(exchange, body), body


def _read_target(method: str, target: str) -> dict[str, str]:
    if target.startswith("/"):
        path, _, query = target.partition("?")
    elif target == "*" and method == "OPTIONS":
        path, query = target, ""
    elif target.lower().startswith(("http://", "https://")):
        try:
            parts = urlsplit(target)
        except ValueError:
            raise RefusedError(400) from None
        path, query = parts.path or "/", parts.query
    else:
        raise RefusedError(400)
    # A fragment is no part of a request; whoever sends one gets the page without it.
    path, query = path.partition("#")[0], query.partition("#")[0]
    return {
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": target,
    }


def _read_fields(lines: list[bytes]) -> dict[str, str]:
    if len(lines) > _MAX_FIELDS:
        raise RefusedError(431)
    found: dict[str, str] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise RefusedError(400)
        name, value = field[1].decode("ascii"), field[2].decode("latin-1").rstrip(" \t")
        if "_" in name:
            # It would look like the same name with a hyphen, which a proxy may have checked or set.
            continue
        name = name.upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        if key in found and name in _ONCE:
            raise RefusedError(400)
        separator = "; " if name == "COOKIE" else ","
        found[key] = f"{found[key]}{separator}{value}" if key in found else value
    return found


def _read_body(exchange: Exchange, environ: dict[str, Any]) -> IO[bytes]:
    framing = exchange.framing
    if framing.chunked:
        if environ["SERVER_PROTOCOL"] == "HTTP/1.0" or "CONTENT_LENGTH" in environ:
            raise RefusedError(400)
        if environ["HTTP_TRANSFER_ENCODING"].lower() != "chunked":
            raise RefusedError(501)
        if framing.too_large:
            raise RefusedError(413)
        if framing.closes:
            raise RefusedError(400)
        body = _unchunked(exchange.request)
        environ["CONTENT_LENGTH"] = str(body.seek(0, 2))
        body.seek(0)
        del environ["HTTP_TRANSFER_ENCODING"]
        return body
    if framing.closes and framing.length is None:
        raise RefusedError(400)
    # What was too long to be read ends at once: the application says so by the length.
    return exchange.request


def _unchunked(source: IO[bytes]) -> IO[bytes]:
    """Return the body without its frame, which was checked while it arrived."""
    body = tempfile.SpooledTemporaryFile(max_size=1024 * 1024)  # noqa: SIM115 - closed by the caller
    while size := int(source.readline().partition(b";")[0], 16):
        while size:
            part = source.read(min(size, 64 * 1024))
            body.write(part)
            size -= len(part)
        source.readline()
    return body


def _surroundings(exchange: Exchange, body: IO[bytes]) -> dict[str, Any]:
    return {
        "REMOTE_ADDR": str(exchange.client[0]),
        "REMOTE_PORT": str(exchange.client[1]),
        "SERVER_NAME": str(exchange.server[0]),
        "SERVER_PORT": str(exchange.server[1]),
        "SERVER_SOFTWARE": NAME,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if exchange.https else "http",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


class _Reply:
    """An answer while it is written."""

    def __init__(self, exchange: Exchange, environ: dict[str, Any]) -> None:
        self._exchange, self._environ = exchange, environ
        self._head: bytes | None = None
        self._omits_body = environ["REQUEST_METHOD"] == "HEAD"
        self._chunked = False
        self._left: int | None = None
        self.begun = False
        connection = environ.get("HTTP_CONNECTION", "").lower()
        old = environ["SERVER_PROTOCOL"] == "HTTP/1.0"
        self.closes = exchange.must_close or "close" in connection or (old and "keep-alive" not in connection)

    def run(self, app: WSGIApplication) -> None:
        parts = app(self._environ, self._start)
        try:
            for part in parts:
                self._write(part)
            self._finish()
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if self.begun and exc_info is not None:
            raise exc_info[1]
        named = {name.lower(): value for name, value in headers}
        if any(not _HEADER_VALUE.fullmatch(f"{name}{value}") for name, value in [*headers, (status, "")]):
            raise ValueError("a header of the answer holds a control character")
        self._omits_body = self._omits_body or status[:3] in _NO_BODY
        self._left = int(named["content-length"]) if "content-length" in named else None
        self._chunked = False
        extra = [("Server", NAME), ("Date", formatdate(usegmt=True))]
        if self._left is None and not self._omits_body:
            if self._environ["SERVER_PROTOCOL"] == "HTTP/1.0":
                self.closes = True
            else:
                self._chunked = True
                extra.append(("Transfer-Encoding", "chunked"))
        extra.append(("Connection", "close" if self.closes else "keep-alive"))
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in [*headers, *extra])]
        self._head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return self._write

    def _write(self, part: bytes) -> None:
        if self._head is None:
            raise RuntimeError("the application gave a body before a status")
        # Head and first part together: one packet for most answers.
        data = b"" if self.begun else self._head
        self.begun = True
        if part and not self._omits_body:
            if self._left is not None:
                part = part[: self._left]
                self._left -= len(part)
            data += b"%X\r\n%b\r\n" % (len(part), part) if self._chunked else part
        if data:
            self._exchange.sendall(data)

    def _finish(self) -> None:
        if not self.begun:
            self._write(b"")
        if self._chunked:
            self._exchange.sendall(b"0\r\n\r\n")
        elif self._left and not self._omits_body:
            # Less came than was said: the end of the connection tells so.
            self.closes = True
