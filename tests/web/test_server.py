"""``smartabsen serve``: it starts, checks, answers and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from smartabsen import SmartAbsen
from smartabsen.config import ServerSettings
from smartabsen.upkeep.overtime import Overtime
from smartabsen.web.server import gunicorn_options, room_for, worker_class

from .server_process import STRONG_SECRET, running_server

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
    assert "Exception" not in said and "Error" not in said
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
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
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


def hold(port: int, data: bytes, context: ssl.SSLContext | None = None) -> socket.socket:
    """A client that sends this and then nothing."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    if context is not None:
        client = context.wrap_socket(client, server_hostname="127.0.0.1")
    client.sendall(data)
    return client


BODY = b"POST /verify_qr HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\na"
HEAD = b"GET /verify_qr HTTP/1.1\r\nHost:"
IDLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
READER = b"GET /bootstrap/static/css/bootstrap.min.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 40
PRODUCTION = ("--production", "--workers", "2")


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("arguments", [(), PRODUCTION], ids=["one process", "production"])
@pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
def test_slow_clients_keep_neither_visitors_nor_the_end_waiting(
    tmp_path: Path, arguments: tuple[str, ...], https: bool, number: signal.Signals
) -> None:
    """Thirty of each kind, more than there are threads; no other time is told here: bench.slow_clients measures it."""
    context, authority, files = None, None, ()
    if https:
        with SmartAbsen.open(flags={"home": str(tmp_path)}) as app:
            made = app.tls.init()
        authority = made.authority
        context = ssl.create_default_context(cafile=str(authority))
        files = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key))
    settings = {"SMARTABSEN_SECRET_KEY": STRONG_SECRET}
    with running_server(tmp_path, *arguments, *files, settings=settings) as server, ExitStack() as stack:
        for data in (BODY, HEAD, READER, IDLE):
            for _ in range(30):
                stack.enter_context(hold(server.port, data, context))
        for _ in range(30):
            stack.enter_context(hold(server.port, b""))
        for _ in range(5):
            assert server.get("/verify_qr", cafile=authority, timeout_s=30)[0] == 200
        server.process.send_signal(number)
        server.process.wait(60)


TOLD_TOO_EARLY = """
import sys, threading
from smartabsen import SmartAbsen
from smartabsen.web.server import serve

with SmartAbsen.open(flags={"home": sys.argv[1], "server.production": True, "server.port": 0}) as app:
    stop = threading.Event()
    with app.serving.listen() as listener:
        serve(app, listener, stop=stop, ready=stop.set)
    print("ended")
"""


@POSIX
def test_a_production_server_ends_that_was_told_before_its_workers_began(tmp_path: Path) -> None:
    """The signal came while Gunicorn had no handlers yet: it was lost, and the server stayed."""
    environment = {**os.environ, "SMARTABSEN_SECRET_KEY": STRONG_SECRET}
    command = [sys.executable, "-c", TOLD_TOO_EARLY, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            said, _ = process.communicate(timeout=90)
        finally:
            process.terminate()
    assert (said, process.returncode) == ("ended\n", 0)


@POSIX
@pytest.mark.parametrize("booted", [False, True])
def test_a_worker_that_is_still_loading_ends_at_once(booted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It serves nobody yet; one that serves ends well."""
    kind = worker_class(ServerSettings())
    worker = kind.__new__(kind)
    worker.booted, worker.alive = booted, True
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    worker.handle_exit(signal.SIGTERM, None)
    assert (ended == [0]) is not booted and not worker.alive


def test_the_end_leaves_time_below_ten_seconds() -> None:
    """Gunicorn kills its workers after five; whoever is left then is a matter of the watch over the end."""
    assert gunicorn_options(ServerSettings(), 7)["graceful_timeout"] == 5
    assert Overtime()._kill_s <= 6 and Overtime()._exit_s <= 8


@pytest.mark.slow
@POSIX
def test_two_servers_on_port_0_take_two_ports(tmp_path: Path) -> None:
    """And say which: in words, and in the address that QR codes carry."""
    with (
        running_server(tmp_path / "a") as one,
        running_server(tmp_path / "b", "--production", settings={"SMARTABSEN_SECRET_KEY": STRONG_SECRET}) as two,
    ):
        assert one.port != two.port and 0 not in (one.port, two.port)
        assert one.get("/healthz")[0] == two.get("/healthz")[0] == 200
        assert f"runs at {two.address}" in two.stop()


@pytest.mark.slow
@POSIX
def test_port_0_is_told_to_scripts(tmp_path: Path) -> None:
    """The answer of ``--json`` has the address that it was."""
    environment = {**os.environ, "SMARTABSEN_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "smartabsen", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "runs at" in line)
    process.terminate()
    stdout, _ = process.communicate(timeout=60)
    address = json.loads(stdout)["data"]["address"]
    assert f"runs at {address}." in line and not address.endswith(":0")


def test_gunicorn_neither_preloads_nor_believes_proxies_nor_logs_requests() -> None:
    """A model before a fork hangs the children, a header from this machine is not a proxy, addresses hold tokens."""
    options = gunicorn_options(ServerSettings(workers=4, threads=6), 7)
    assert (options["preload_app"], options["forwarded_allow_ips"], options["accesslog"]) == (False, "", None)
    assert (options["bind"], options["workers"]) == ("fd://7", 4)


def test_a_process_holds_fewer_connections_where_it_may_open_few_files() -> None:
    """And counts no addresses behind a trusted proxy, whose visitors all have one."""
    assert room_for(ServerSettings(threads=6)).threads == 6
    assert room_for(ServerSettings()).by_address and not room_for(ServerSettings(proxies=1)).by_address
    if os.name == "posix":
        import resource

        files = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (428, files[1]))
            assert room_for(ServerSettings()).connections == 100
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, files)
