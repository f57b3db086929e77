"""The servers that ``smartabsen serve`` starts, and how they stop.

In production Gunicorn runs several worker processes with threads; nothing is loaded before it forks, because a forked
child of a process that has searched or recognised hangs for ever (OpenMP). Outside production, and on Windows, which
has no Gunicorn, it is one process with threads. All of them take requests in by :mod:`smartabsen.web.intake`, so that
slow clients hold no thread.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Flask

from ..app.facade import SmartAbsen
from ..config import ServerSettings
from ..kernel.errors import ConfigError, SmartAbsenError
from ..kernel.i18n import N_
from ..upkeep.overtime import Overtime
from .access import body_limit
from .attendance import start_warm_up
from .auth import POLL
from .factory import create_app
from .intake import Intake, Patience, Room, Tls
from .library import EXTENSION
from .plain_http import answering

if TYPE_CHECKING:
    from .gunicorn_worker import IntakeWorker

PATIENCE: Final = Patience()
_TIMEOUT_S: Final = 60
_MASTER_S: Final = 1
"""What the master of the workers waits for them beyond their own grace, before it kills them."""
_LOADING_S: Final = 3.0
"""An end waits so long for models that are being loaded: to take a runtime apart meanwhile may crash."""
_SPARE_FILES: Final = 128
"""Descriptors that are not for connections: databases, models, logs."""
_FILES_EACH: Final = 3
"""A connection, and the temporary files of a large request and of a large answer."""


def serve(
    app: SmartAbsen,
    listener: socket.socket,
    *,
    stop: threading.Event,
    ready: Callable[[], None] = lambda: None,
    overtime: Overtime | None = None,
) -> None:
    """Answer requests until ``stop`` is set, SIGTERM or Ctrl-C comes; it then takes 5 seconds, and what is left after
    5.5 and 7.5 is ended by ``overtime``.

    Args:
        app: The installation. In production its connections are closed: each worker opens it anew.
        listener: Bound and listening.
        stop: Looked at all the time by one process, and by Gunicorn before it takes signals over.
        ready: Called when the server answers, or is about to where other processes do.
        overtime: Learns which processes answer.

    Raises:
        ConfigError: It cannot start like this.
    """
    if app.settings.server.production and os.name == "posix":
        _serve_by_gunicorn(app, listener, stop, ready, overtime or Overtime())
    else:
        _serve_here(app, listener, stop, ready)


def _watching(app: SmartAbsen) -> Flask:
    """Return the application of a process that serves from now on, and follow what other machines change."""
    served = create_app(app)
    # A worker of Gunicorn ends without closing its installation.
    atexit.register(app.security.close)
    _ = app.gallery_watch, app.nightly
    # The first person after a start waits no longer than others.
    thread = start_warm_up(app)
    app.services.on_close.callback(thread.join, _LOADING_S)
    return served


def room_for(settings: ServerSettings) -> Room:
    """Return how much one process holds at once: fewer connections where it may open few files."""
    usual = Room()
    connections = usual.connections
    if os.name == "posix":
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            connections = max(32, min(connections, (files - _SPARE_FILES) // _FILES_EACH))
    return Room(threads=settings.threads, connections=connections, by_address=not settings.proxies)


# --- one process ---------------------------------------------------------------------------------------------


def _serve_here(app: SmartAbsen, listener: socket.socket, stop: threading.Event, ready: Callable[[], None]) -> None:
    settings = app.settings.server
    served = _watching(app)
    app.serving.limit_hashing(shared=False)
    intake = Intake(
        [listener],
        answering(served),
        max_body=body_limit(served),
        tls=None if settings.tls_cert is None else Tls(str(settings.tls_cert), str(settings.tls_key)),
        room=room_for(settings),
        patience=PATIENCE,
    )
    thread = threading.Thread(target=intake.run, name="intake", daemon=True)
    thread.start()
    try:
        ready()
        while not stop.wait(0.5) and thread.is_alive():
            # Windows delivers Ctrl-C between two short waits only.
            pass
    finally:
        intake.stop()
        thread.join(PATIENCE.grace_s + _MASTER_S)


# --- Gunicorn ------------------------------------------------------------------------------------------------


def gunicorn_options(settings: ServerSettings, listener: int) -> dict[str, object]:
    """Return what Gunicorn is told.

    Args:
        listener: Descriptor of the listening socket.
    """
    options: dict[str, object] = {
        "bind": f"fd://{listener}",
        "workers": settings.workers,
        "worker_class": worker_class(settings),
        "preload_app": False,
        "timeout": _TIMEOUT_S,
        "graceful_timeout": int(PATIENCE.grace_s) + _MASTER_S,
        # Requests are not logged: addresses can hold tokens.
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        # The number of trusted proxies is our own setting; by default Gunicorn would believe any on this machine.
        "forwarded_allow_ips": "",
        "proc_name": "smartabsen",
        # Nobody steers it but by signals.
        "control_socket_disable": True,
        "worker_exit": _leave,
    }
    memory = Path("/dev/shm")  # noqa: S108 - for the heartbeat files of Gunicorn, which makes them unguessable
    if os.access(memory, os.W_OK):
        options["worker_tmp_dir"] = str(memory)
    if settings.tls_cert is not None:
        options |= {"certfile": str(settings.tls_cert), "keyfile": str(settings.tls_key)}
    return options


def _leave(_arbiter: object, worker: IntakeWorker) -> None:
    """End a worker that ended well at once: taking its modules apart costs half a second of a processor, and more than
    its master waits where there are many workers and few processors."""
    ended = sys.exc_info()[1]
    if worker.booted and isinstance(ended, SystemExit) and not ended.code:
        with contextlib.suppress(SmartAbsenError):
            worker.wsgi.extensions[EXTENSION].close()
        logging.shutdown()
        os._exit(0)


def worker_class(settings: ServerSettings) -> type[IntakeWorker]:
    """Return the class of the workers of a server."""
    from .gunicorn_worker import IntakeWorker

    class Configured(IntakeWorker):
        room = room_for(settings)
        patience = PATIENCE
        find_body_limit = staticmethod(body_limit)

    return Configured


def _serve_by_gunicorn(
    app: SmartAbsen, listener: socket.socket, stop: threading.Event, ready: Callable[[], None], overtime: Overtime
) -> None:
    from gunicorn.app.base import BaseApplication
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

    settings, loaded, log_unchecked = app.settings.server, app.services.loaded, app.services.log_unchecked
    app.close()
    ready()

    def look_at_stop(_arbiter: Arbiter) -> None:
        # What came before Gunicorn had its handlers is nothing to it.
        if stop.is_set():
            raise SystemExit(0)

    def tell_workers(arbiter: Arbiter, _worker: Worker) -> None:
        overtime.workers = arbiter.WORKERS

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            # Gunicorn closes the descriptor, and goes on with one of its own.
            options = gunicorn_options(settings, listener.detach())
            options |= {"when_ready": look_at_stop, "pre_fork": tell_workers}
            for name, value in options.items():
                # Not every version that may be installed knows all of them.
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            worker = SmartAbsen(loaded)
            worker.services.log_unchecked = log_unchecked
            return _watching(worker)

    POLL.share()
    app.serving.limit_hashing(shared=True)
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
