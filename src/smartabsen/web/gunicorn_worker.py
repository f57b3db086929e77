"""A worker of Gunicorn that takes requests in as :mod:`smartabsen.web.intake` does. POSIX only.

Gunicorn's own threaded worker gives a thread to a connection while it reads. Here the processes, their signals and the
parser are Gunicorn's; a thread gets what is there whole.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from types import FrameType
from typing import IO, Any, ClassVar

from gunicorn.http import wsgi
from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    NoMoreData,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.http.parser import RequestParser
from gunicorn.workers.base import Worker

from .faults import bare_answer
from .intake import ClientGoneError, Exchange, Intake, Patience, Room, Tls

_STATUSES = (
    (LimitRequestLine, 414),
    (LimitRequestHeaders, 431),
    (ExpectationFailed, 417),
    (UnsupportedTransferCoding, 501),
    ((InvalidResponseHeader, InvalidResponseHeaderName, ConfigurationProblem), 500),
    (ParseException, 400),
)
"""What Gunicorn's parser raises, and what is answered: the first that fits."""
_PIECE = 64 * 1024


class IntakeWorker(Worker):  # type: ignore[misc]
    """Serves the sockets of its master.

    Attributes:
        room: How much is held at once.
        patience: How long each stage may take.
        find_body_limit: Makes, of the application, what :class:`Intake` needs to know of bodies.
    """

    room: ClassVar[Room]
    patience: ClassVar[Patience]
    find_body_limit: Callable[[Any], Callable[[bytes, bytes], int]]
    _intake: Intake | None = None

    def run(self) -> None:
        """Serve until the master says so, or is gone."""
        tls = Tls(self.cfg.certfile, self.cfg.keyfile) if self.cfg.is_ssl else None
        self._intake = Intake(
            [each.sock for each in self.sockets],
            self._answer,
            max_body=self.find_body_limit(self.wsgi),
            tls=tls,
            room=self.room,
            patience=self.patience,
        )
        if not self.alive:
            # SIGTERM came between loading and the intake.
            self._intake.stop()
        self._intake.run(self._tick)

    def _tick(self) -> None:
        self.notify()
        if self._intake is not None and self.ppid != os.getppid():
            self._intake.stop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End well: SIGTERM. A worker that is still loading serves nobody yet, and ends at once."""
        if not self.booted:
            os._exit(0)
        super().handle_exit(sig, frame)
        if self._intake is not None:
            self._intake.stop()

    def _answer(self, exchange: Exchange) -> bool:
        sent = _Sent(exchange)
        try:
            parser = RequestParser(self.cfg, exchange, exchange.client)
            request = next(parser)
            if exchange.framing.chunked and exchange.framing.closes:
                return self._refuse(sent, 413 if exchange.framing.too_large else 400)
            keep = self._respond(request, sent, exchange)
            return keep and _is_used_up(request, parser)
        except ClientGoneError:
            raise
        except (NoMoreData, StopIteration):
            # The end came before that of the request, which only happens where its framing is doubtful.
            return self._refuse(sent, 400)
        except ParseException as exc:
            status = next(status for kinds, status in _STATUSES if isinstance(exc, kinds))
            if status == 500:
                self.log.exception("the answer could not be sent")
            return self._refuse(sent, status)
        except Exception:
            # The path may hold a token, so it is not logged.
            self.log.exception("a request failed in the application")
            return self._refuse(sent, 500)

    def _refuse(self, sent: _Sent, status: int) -> bool:
        # Behind the beginning of another answer this one would be read as its end.
        if not sent.any:
            sent.exchange.sendall(bare_answer(status, secure=sent.exchange.https))
        return False

    def _respond(self, request: Any, sent: _Sent, exchange: Exchange) -> bool:
        # Read before the application is called: a malformed chunk is the client's fault, and no bug of a page.
        body = _decoded(request) if exchange.framing.chunked else None
        try:
            response, environ = wsgi.create(request, sent, exchange.client, exchange.server, self.cfg)
            environ["wsgi.multithread"] = True
            if body is not None:
                environ["wsgi.input"] = body
            if exchange.must_close or not self.alive:
                response.force_close()
            parts = self.wsgi(environ, response.start_response)
            try:
                for part in parts:
                    response.write(part)
                response.close()
            finally:
                if hasattr(parts, "close"):
                    parts.close()
            return not response.should_close()
        finally:
            if body is not None:
                body.close()


class _Sent:
    """An exchange that knows whether anything of an answer was sent."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.any = False

    def sendall(self, data: bytes) -> None:
        self.any = True
        self.exchange.sendall(data)

    def send(self, data: bytes) -> int:
        """Drop what Gunicorn sends by itself, ``100 Continue``: the client got it before its body was read."""
        return len(data)


def _decoded(request: Any) -> IO[bytes]:
    body = tempfile.SpooledTemporaryFile(max_size=1024 * 1024)  # noqa: SIM115 - closed by the caller
    with contextlib.ExitStack() as stack:
        stack.callback(body.close)
        while piece := request.body.read(_PIECE):
            body.write(piece)
        body.seek(0)
        stack.pop_all()
    return body


def _is_used_up(request: Any, parser: Any) -> bool:
    """Tell whether parser and framing agree where the request ends; else what follows must not be read."""
    while request.body.read(_PIECE):
        pass
    return not parser.unreader.read()
