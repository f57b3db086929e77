"""The servers that ``smartabsen serve`` starts, and how they stop.

In production Gunicorn runs several worker processes with threads; nothing is loaded before it forks, because a forked
child of a process that has searched or recognised hangs for ever (OpenMP). On Windows, which has no Gunicorn, Waitress
runs one process. Outside production it is one process with threads, which is there at once and ends at once.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ..config import ServerSettings
from ..core.app import SmartAbsen
from ..errors import ConfigError
from ..i18n import N_
from .auth import POLL
from .factory import create_app
from .faults import bare_answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""What TLS 1.2 may use: no CBC, and a key of its own for each connection (RFC 9325, 4.2). TLS 1.3 has nothing else."""
GRACE_S: Final = 15.0
"""Requests in progress get so long to end."""
_TIMEOUT_S: Final = 60
_log: Final = logging.getLogger(__name__)


def serve(app: SmartAbsen, *, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """Answer requests until ``stop`` is set, SIGTERM or Ctrl-C comes.

    Args:
        app: The installation. In production its connections are closed: each worker opens it anew.
        ready: Called when the server listens, or is about to where a server of others does the listening.

    Raises:
        ConfigError: It cannot start like this.
    """
    server = app.settings.server
    if not server.production:
        _serve_here(app, stop, ready)
    elif os.name == "nt":
        _serve_by_waitress(app, stop, ready)
    else:
        loaded, log_unchecked = app.services.loaded, app.services.log_unchecked
        app.close()
        ready()

        def make() -> WSGIApplication:
            worker = SmartAbsen(loaded)
            worker.services.log_unchecked = log_unchecked
            return _watching(worker)

        _serve_by_gunicorn(server, make)


def _watching(app: SmartAbsen) -> WSGIApplication:
    """Return the application of a process that serves from now on, and follow what other machines change."""
    served = create_app(app)
    # A worker of Gunicorn ends without closing its installation.
    atexit.register(app.security.close)
    _ = app.gallery_watch, app.nightly
    return served


# --- one process ---------------------------------------------------------------------------------------------


class LazyHandshake(ssl.SSLContext):
    """Shakes hands when a connection is first read, in its own thread: who only connects keeps nobody waiting."""

    def wrap_socket(self, sock: socket.socket, *_: Any, **options: Any) -> ssl.SSLSocket:
        """Wrap the listening socket."""
        return super().wrap_socket(sock, **{**options, "server_side": True, "do_handshake_on_connect": False})


class QuietHandler(WSGIRequestHandler):
    """Logs nothing about requests: addresses can hold tokens."""

    timeout = _TIMEOUT_S

    def version_string(self) -> str:
        """Return the name without versions."""
        return "smartabsen"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer a request that cannot be read; nothing of it, and the headers of every answer."""
        self.close_connection = True
        self.wfile.write(bare_answer(code, secure=isinstance(self.connection, ssl.SSLSocket)))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: ARG002 - Werkzeug's
        """Log what goes wrong below HTTP only where somebody debugs; browsers hang up all the time."""
        _log.debug(message, *args)


class InProgress:
    """Counts the requests that are being answered.

    Args:
        app: What answers them.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._count = 0
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        with self._changed:
            self._count += 1
        try:
            return self._app(environ, start_response)
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until none is left; False where some are after ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, timeout_s)


def _serve_here(app: SmartAbsen, stop: threading.Event, ready: Callable[[], None]) -> None:
    settings = app.settings.server
    counted = InProgress(_watching(app))
    context = None
    if settings.tls_cert is not None:
        context = LazyHandshake(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    listener = _listen(settings)
    server: BaseWSGIServer = make_server(
        settings.host,
        settings.port,
        counted,
        threaded=True,
        request_handler=QuietHandler,
        ssl_context=context,
        fd=listener.fileno(),
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
    thread.start()
    try:
        ready()
        stop.wait()
    finally:
        server.shutdown()
        counted.wait(GRACE_S)
        server.server_close()
        listener.close()


def _listen(settings: ServerSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        # Elsewhere it lets two programs have one port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as exc:
        listener.close()
        raise ConfigError(
            N_("The server cannot listen on {host}: {problem}"),
            hint=N_("Take 127.0.0.1 for this computer alone, 0.0.0.0 for its networks."),
            host=settings.host,
            problem=exc.strerror or exc,
        ) from exc
    return listener


# --- Gunicorn ------------------------------------------------------------------------------------------------


def gunicorn_options(settings: ServerSettings) -> dict[str, object]:
    """Return what Gunicorn is told."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    options: dict[str, object] = {
        "bind": f"{host}:{settings.port}",
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_class": "gthread",
        "preload_app": False,
        "timeout": _TIMEOUT_S,
        "graceful_timeout": int(GRACE_S),
        "keepalive": 5,
        # Requests are not logged: addresses can hold tokens.
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        # The number of trusted proxies is our own setting; by default Gunicorn would believe any on this machine.
        "forwarded_allow_ips": "",
        "proc_name": "smartabsen",
    }
    memory = Path("/dev/shm")  # noqa: S108 - for the heartbeat files of Gunicorn, which makes them unguessable
    if os.access(memory, os.W_OK):
        options["worker_tmp_dir"] = str(memory)
    if settings.tls_cert is not None:
        options |= {"certfile": str(settings.tls_cert), "keyfile": str(settings.tls_key), "ciphers": CIPHERS}
    return options


def _serve_by_gunicorn(settings: ServerSettings, make: Callable[[], WSGIApplication]) -> None:
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in gunicorn_options(settings).items():
                self.cfg.set(name, value)

        def load(self) -> WSGIApplication:
            return make()

    POLL.share()
    master = os.getpid()
    try:
        Application().run()
    except SystemExit as exc:
        # Gunicorn ends its processes so. A worker must not come back into the program of its master.
        if os.getpid() != master:
            raise
        if exc.code:
            raise ConfigError(
                N_("The server could not start its workers."), hint=N_("What they said stands above.")
            ) from exc


# --- Waitress ------------------------------------------------------------------------------------------------


def _serve_by_waitress(app: SmartAbsen, stop: threading.Event, ready: Callable[[], None]) -> None:
    settings = app.settings.server
    if settings.tls_cert is not None:
        raise ConfigError(
            N_("On Windows a server in production does not speak https itself."),
            hint=N_("Put a proxy with https before it (Caddy, IIS, Cloudflare Tunnel), or leave --production out."),
        )
    from waitress.server import create_server

    server = create_server(_watching(app), host=settings.host, port=settings.port, threads=settings.threads)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ready()
    while not stop.wait(0.5):
        # Windows delivers Ctrl-C between two short waits only.
        time.sleep(0)
    server.close()
