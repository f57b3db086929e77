"""``smartabsen serve``: it starts, checks, answers and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from smartabsen import SmartAbsen
from smartabsen.config import ServerSettings
from smartabsen.web.server import InProgress, gunicorn_options

from .server_process import STRONG_SECRET, free_port, running_server

POSIX = pytest.mark.skipif(os.name != "posix", reason="Gunicorn and these signals are POSIX")


def serve(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a server that should refuse to start."""
    environment = {**os.environ, **settings, "SMARTABSEN_HOME": str(home)}
    command = [sys.executable, "-m", "smartabsen", "serve", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_server_answers_and_ends_well(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """With what is missing on its lips, and no request or token in its log."""
    with running_server(tmp_path) as server:
        assert server.get("/healthz") == (200, b'{"status": "ok"}\n')
        assert server.get("/verify_qr?secret=AAAA")[0] == 200
        said = server.stop(number)
    assert server.process.returncode == code
    assert f"runs at {server.address}" in said
    assert "smartabsen train" in said and "--host 0.0.0.0" in said
    assert "AAAA" not in said and "GET" not in said


@pytest.mark.slow
@POSIX
def test_production_has_workers_that_end_with_it(tmp_path: Path) -> None:
    """Gunicorn's processes answer; the program comes back once, with exit code 0."""
    settings = {"SMARTABSEN_SECRET_KEY": STRONG_SECRET}
    with running_server(tmp_path, "--production", "--workers", "3", settings=settings) as server:
        assert server.get("/healthz")[0] == 200
        # The first worker may answer before the others are there.
        deadline = time.monotonic() + 20
        while len(workers := psutil.Process(server.process.pid).children()) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(workers) == 3
        said = server.stop()
    assert server.process.returncode == 0
    assert said.count("The server has ended.") == 1
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
@POSIX
def test_https_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    """A client that trusts the authority accepts the server, whose cookies are bound to https."""
    with SmartAbsen.open(flags={"home": str(tmp_path)}) as app:
        made = app.tls.init()
    files = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key))
    settings = {"SMARTABSEN_SECRET_KEY": STRONG_SECRET}
    with running_server(tmp_path, "--production", *files, settings=settings) as server:
        status, body = server.get("/ca.crt", cafile=made.authority)
        assert (status, body) == (200, made.authority.read_bytes())
        server.stop()


@pytest.mark.slow
@POSIX
def test_who_only_connects_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A connection without a handshake does not hold up the others, also outside production."""
    with SmartAbsen.open(flags={"home": str(tmp_path)}) as app:
        made = app.tls.init()
    files = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key))
    with running_server(tmp_path, *files) as server:
        port = int(server.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            assert server.get("/healthz", cafile=made.authority, timeout_s=20)[0] == 200
        server.stop()


@pytest.mark.parametrize("secret", ["", "short", "changeme" * 8])
def test_production_refuses_a_missing_or_weak_secret(tmp_path: Path, secret: str) -> None:
    """And says how to make one."""
    done = serve(tmp_path, "--production", SMARTABSEN_SECRET_KEY=secret)
    assert done.returncode == 3
    assert "SMARTABSEN_SECRET_KEY" in done.stderr and "secrets.token_urlsafe" in done.stderr
    assert not secret or secret not in done.stderr


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    """With another one to take."""
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        done = serve(tmp_path, "--port", str(port))
    assert done.returncode == 3
    assert f"Port {port}" in done.stderr and "--port" in done.stderr


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    """Before anything listens."""
    with SmartAbsen.open(flags={"home": str(tmp_path)}) as app:
        made = app.tls.init()
    assert serve(tmp_path, "--tls-cert", str(made.certificate)).returncode == 3
    done = serve(tmp_path, "--tls-cert", str(made.certificate), "--tls-key", str(made.authority.with_name("ca.key")))
    assert done.returncode == 3 and "does not belong" in done.stderr


def test_requests_in_progress_are_waited_for() -> None:
    """A stop does not cut an answer off."""
    entered, finish = threading.Event(), threading.Event()

    def app(environ: object, start_response: object) -> list[bytes]:
        entered.set()
        finish.wait(10)
        return [b"done"]

    counted = InProgress(app)  # type: ignore[arg-type]
    worker = threading.Thread(target=lambda: counted({}, lambda *_: lambda _: None))  # type: ignore[arg-type, return-value]
    worker.start()
    assert entered.wait(5)
    assert not counted.wait(0.05)
    started = time.monotonic()
    finish.set()
    assert counted.wait(5) and time.monotonic() - started < 5
    worker.join()


def test_gunicorn_neither_preloads_nor_believes_proxies_nor_logs_requests() -> None:
    """A model before a fork hangs the children, a header from this machine is not a proxy, addresses hold tokens."""
    options = gunicorn_options(ServerSettings(host="::", workers=4, threads=6))
    assert (options["preload_app"], options["forwarded_allow_ips"], options["accesslog"]) == (False, "", None)
    assert (options["bind"], options["workers"], options["threads"]) == ("[::]:5001", 4, 6)
