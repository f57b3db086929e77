"""Whole requests come in by one loop, answers go out by it; both ways of reading HTTP behind it do the same."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, request

from smartabsen import SmartAbsen
from smartabsen.web.intake import Exchange, Intake, Patience, Room, Tls
from smartabsen.web.plain_http import answering

if TYPE_CHECKING:
    from collections.abc import Mapping

HANG_S = 30
"""No test waits for longer; none asserts that anything is quicker than a fraction of it."""
MOST = 200_000
PAGE = b"x" * 3_000_000
SOON = Patience(handshake_s=1, head_s=1, body_s=1, answer_s=1, idle_s=1, slowest_rate=1_000_000)


@dataclass
class Site:
    """An application that is served.

    Attributes:
        port: Of 127.0.0.1.
        intake: What serves it.
        release: Lets the requests of ``/wait`` end.
        entered: Set when one of them is being answered.
        thread: It runs the loop.
    """

    port: int
    intake: Intake
    release: threading.Event
    entered: threading.Event
    thread: threading.Thread


def make_app(entered: threading.Event, release: threading.Event) -> Flask:
    """Pages of every kind."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST

    @app.route("/", methods=["GET", "POST"])
    def echo() -> Response:
        body = request.get_data()
        return Response(
            f"{request.method} {request.query_string.decode()} {len(body)} {sum(body)}", mimetype="text/plain"
        )

    @app.post("/unread")
    def unread() -> str:
        return "unread"

    @app.get("/large")
    def large() -> bytes:
        return PAGE

    @app.get("/stream")
    def stream() -> Response:
        return Response((f"part {number};" for number in range(3)), mimetype="text/plain")

    @app.get("/wait")
    def wait() -> str:
        entered.set()
        release.wait(HANG_S)
        return "waited"

    @app.get("/bug")
    def bug() -> Response:
        def parts() -> Iterator[str]:
            yield "begin"
            raise RuntimeError("a bug")

        return Response(parts(), headers={"Content-Length": "100"})

    @app.get("/environ")
    def environ() -> dict[str, str]:
        return {name: value for name, value in request.environ.items() if isinstance(value, str)}

    return app


def plain(app: Flask) -> Callable[[Exchange], bool]:
    """What answers outside production."""
    return answering(app)


def gunicorn(app: Flask) -> Callable[[Exchange], bool]:
    """What answers in production: the worker of Gunicorn without its processes."""
    from gunicorn.config import Config

    from smartabsen.web.gunicorn_worker import IntakeWorker

    class Quiet:
        def exception(self, message: str, *_: object) -> None:
            logging.getLogger("test").info(message)

    worker = IntakeWorker(1, os.getppid(), [], None, 30, Config(), Quiet())
    # The master's heartbeat.
    worker.tmp.close()
    worker.wsgi = app
    return worker._answer


PARSERS = [plain, pytest.param(gunicorn, marks=pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn"))]


class Serve:
    """Starts sites and ends them after a test."""

    def __init__(self, parser: Callable[[Flask], Callable[[Exchange], bool]], stack: ExitStack) -> None:
        self._parser, self._stack = parser, stack

    def __call__(self, *, tls: Tls | None = None, room: Room | None = None, patience: Patience | None = None) -> Site:
        """Serve the application."""
        return self._stack.enter_context(self._serve(tls, room or Room(threads=2), patience or Patience()))

    @contextmanager
    def _serve(self, tls: Tls | None, room: Room, patience: Patience) -> Iterator[Site]:
        entered, release = threading.Event(), threading.Event()
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            answer = self._parser(make_app(entered, release))
            intake = Intake(
                [listener],
                answer,
                max_body=lambda method, target: MOST,
                tls=tls,
                room=room,
                patience=replace(patience, grace_s=1.0, partial_s=0.3),
            )
            thread = threading.Thread(target=intake.run, daemon=True)
            thread.start()
            try:
                yield Site(listener.getsockname()[1], intake, release, entered, thread)
            finally:
                release.set()
                intake.stop()
                thread.join(HANG_S)
                assert not thread.is_alive()


@pytest.fixture(params=PARSERS, ids=["plain", "gunicorn"])
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts sites, for each way of reading HTTP."""
    with ExitStack() as stack:
        yield Serve(request.param, stack)


class Client:
    """A client that sends what it likes.

    Args:
        port: Of the server.
        context: For TLS.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=HANG_S)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._kept = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> Client:
        """Send bytes."""
        self.socket.sendall(data)
        return self

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        self._kept += data
        return bool(data)

    def answer(self, *, of_head: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        while b"\r\n\r\n" not in self._kept:
            assert self._more(), self._kept
        head, _, self._kept = self._kept.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in fields)}
        status = int(line.split()[1])
        if of_head or status < 200:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            return status, headers, self._chunks()
        size = int(headers.get("content-length", 0))
        while len(self._kept) < size and self._more():
            pass
        body, self._kept = self._kept[:size], self._kept[size:]
        return status, headers, body

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._kept:
                assert self._more()
            size, _, self._kept = self._kept.partition(b"\r\n")
            while len(self._kept) < int(size, 16) + 2:
                assert self._more()
            body += self._kept[: int(size, 16)]
            self._kept = self._kept[int(size, 16) + 2 :]
            if not int(size, 16):
                return body

    def is_closed(self) -> bool:
        """Whether the server ends the connection without another answer; waits for it."""
        while self._more():
            pass
        return not self._kept


def get(path: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", *fields, "", ""]).encode()


def post(body: bytes, *fields: str, path: str = "/") -> bytes:
    """A request with one."""
    return get(path, f"Content-Length: {len(body)}", *fields, method="POST") + body


def ask(port: int, data: bytes, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Status and body of one request in a connection of its own."""
    with Client(port, context) as client:
        status, _, body = client.send(data).answer()
        return status, body


# --- what must work --------------------------------------------------------------------------------------


def test_requests_follow_one_another_in_a_connection(serve: Serve) -> None:
    """With bodies and without, also sent ahead of the answers, and the order stays."""
    with Client(serve().port) as client:
        client.send(get("/?a") + post(b"abc") + get("/?b"))
        assert [client.answer()[2] for _ in range(3)] == [b"GET a 0 0", b"POST  3 294", b"GET b 0 0"]
        client.send(get("/?c", "Connection: close"))
        status, headers, body = client.answer()
        assert (status, headers["connection"], body) == (200, "close", b"GET c 0 0")
        assert client.is_closed()


def test_a_request_may_come_byte_by_byte(serve: Serve) -> None:
    """Head and body."""
    with Client(serve().port) as client:
        for each in post(b"abc"):
            client.send(bytes([each]))
        assert client.answer()[2] == b"POST  3 294"


def test_chunks_are_put_together(serve: Serve) -> None:
    """With a trailer, and the connection goes on behind them."""
    head = get("/", "Transfer-Encoding: chunked", method="POST")
    with Client(serve().port) as client:
        client.send(head + b"3;a=b\r\nabc\r\n").send(b"4\r\nabcd\r\n0\r\nX: y\r\n\r\n")
        assert client.answer()[2] == b"POST  7 688"
        assert client.send(get("/?a")).answer()[2] == b"GET a 0 0"


def test_a_body_is_invited_once(serve: Serve) -> None:
    """Who waits for ``100 Continue`` gets it before the body, and one answer after it."""
    request_ = post(b"abc", "Expect: 100-continue")
    with Client(serve().port) as client:
        assert client.send(request_[:-3]).answer()[0] == 100
        assert client.send(request_[-3:]).answer()[::2] == (200, b"POST  3 294")
        # Who does not wait needs none.
        assert client.send(request_).answer()[0] in (100, 200)


def test_an_answer_to_head_has_no_body(serve: Serve) -> None:
    """And the length of the one to GET."""
    with Client(serve().port) as client:
        status, headers, _ = client.send(get("/large", method="HEAD")).answer(of_head=True)
        assert (status, headers["content-length"]) == (200, str(len(PAGE)))
        assert client.send(get("/?a")).answer()[2] == b"GET a 0 0"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_answer_of_unknown_length_arrives_whole(serve: Serve, version: str) -> None:
    """In chunks, or until the end of an old client's connection."""
    with Client(serve().port) as client:
        client.send(get("/stream", version=version))
        if version == "1.1":
            assert client.answer()[2] == b"part 0;part 1;part 2;"
        else:
            while client._more():
                pass
            assert client._kept.endswith(b"\r\n\r\npart 0;part 1;part 2;")


def test_a_large_body_and_a_large_answer_arrive_whole(serve: Serve) -> None:
    """As large as it may be, and much larger than what the network buffers."""
    port = serve().port
    body = bytes(range(250)) * (MOST // 250)
    assert ask(port, post(body)) == (200, f"POST  {MOST} {sum(body)}".encode())
    with Client(port) as client:
        client.send(get("/large"))
        time.sleep(0.2)
        assert client.answer()[2] == PAGE


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_in_words_before_it_is_sent(serve: Serve, chunked: bool) -> None:
    """The client that goes on sending gets to read the answer."""
    body = b"a" * (MOST + 1)
    with Client(serve().port) as client:
        if chunked:
            client.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"%X\r\n" % len(body))
        else:
            client.send(post(body)[: -len(body)])
        assert client.answer()[0] == 413
        with contextlib.suppress(ConnectionError):
            client.send(body)
        assert client.is_closed()


def test_a_body_that_nobody_reads_is_no_request(serve: Serve) -> None:
    """What it holds is not answered."""
    with Client(serve().port) as client:
        assert client.send(post(get("/?smuggled"), path="/unread")).answer()[2] == b"unread"
        assert client.send(get("/?a")).answer()[2] == b"GET a 0 0"


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: +5",),
        ("Content-Length : 5",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("X: a\r\n folded",),
        ("X: a\nY: b",),
        ("X: a\0b",),
        ("Host: other",),
        ("Expect: something",),
        ("no colon",),
    ],
)
def test_a_doubtful_request_is_refused_and_nothing_is_read_behind_it(serve: Serve, fields: tuple[str, ...]) -> None:
    """Both parsers say no, with the headers of an error, and close."""
    with Client(serve().port) as client:
        client.send(get("/", *fields, method="POST") + b"0\r\n\r\n" + get("/?smuggled"))
        status, headers, body = client.answer()
        assert status in (400, 417, 501) and b"smuggled" not in body
        assert headers["x-content-type-options"] == "nosniff" and headers["connection"] == "close"
        assert client.is_closed()


@pytest.mark.parametrize(
    "line",
    ["GET / HTTP/2.0", "get / HTTP/1.1", "GET  / HTTP/1.1", "GET /", "GET example.org HTTP/1.1", "GET /\x01 HTTP/1.1"],
)
def test_a_request_line_that_is_none_is_refused(serve: Serve, line: str) -> None:
    """Without an answer of the application."""
    status, body = ask(serve().port, f"{line}\r\nHost: a\r\n\r\n".encode())
    assert status in (400, 404, 505) and b"GET" not in body


@pytest.mark.parametrize("data", [b"5\r\nabcdeX\r\n", b"zz\r\n", b"5\r\nabcde\r\n0\r\nbad\r\n\r\n"])
def test_malformed_chunks_are_the_clients_fault(serve: Serve, data: bytes) -> None:
    """400, and no bug of a page."""
    head = get("/", "Transfer-Encoding: chunked", method="POST")
    assert ask(serve().port, head + data)[0] == 400


def test_a_head_that_never_ends_is_refused(serve: Serve) -> None:
    """431, long before memory is full."""
    with Client(serve().port) as client:
        with contextlib.suppress(ConnectionError):
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000)
        assert client.answer()[0] == 431


def test_a_bug_in_the_middle_of_an_answer_cuts_it_off(serve: Serve) -> None:
    """No other answer is put behind it, and the connection ends."""
    with Client(serve().port) as client:
        status, _, body = client.send(get("/bug")).answer()
        assert (status, body) == (200, b"begin")
        assert client.is_closed()


def test_the_application_sees_the_client_and_no_forged_names(serve: Serve) -> None:
    """A name with an underscore is dropped: it would look like the same one with a hyphen."""
    site = serve()
    status, body = ask(site.port, get("/environ", "X_Forwarded_For: 1.2.3.4", "X-Two: a", "X-Two: b"))
    text = body.decode()
    assert status == 200 and '"REMOTE_ADDR":"127.0.0.1"' in text and f'"SERVER_PORT":"{site.port}"' in text
    assert '"HTTP_X_TWO":"a,b"' in text and "1.2.3.4" not in text


def test_clients_that_hang_up_at_any_instant_harm_nobody(serve: Serve) -> None:
    """In the head, in the body, before the answer and in it."""
    port = serve().port
    for data in (b"", b"GET", post(b"abcdef")[:-3], get("/large"), get("/large") * 5):
        for _ in range(5):
            Client(port).send(data).socket.close()
    assert ask(port, get("/?a"))[1] == b"GET a 0 0"


# --- slow clients ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Certificate, key and authority."""
    home = tmp_path_factory.mktemp("tls")
    with SmartAbsen.open(flags={"home": str(home)}) as app:
        made = app.tls.init()
    return made.certificate, made.key, made.authority


SLOW: Mapping[str, bytes] = {
    "silent": b"",
    "head": b"GET / HTTP/1.1\r\nHost",
    "body": post(b"abcdef")[:-3],
    "chunks": get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nab",
    "reader": get("/large") * 3,
}


@pytest.mark.parametrize("kind", SLOW)
def test_honest_clients_are_answered_beside_many_slow_ones(serve: Serve, kind: str) -> None:
    """Sixty of them with two threads, whatever they are slow with."""
    site = serve()
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(Client(site.port)).send(SLOW[kind])
        for _ in range(5):
            assert ask(site.port, get("/?a"))[1] == b"GET a 0 0"


def test_handshakes_that_never_come_keep_nobody_waiting(serve: Serve, certificate: tuple[Path, Path, Path]) -> None:
    """Nor those that stop in the middle; over TLS everything else works as well."""
    site = serve(tls=Tls(str(certificate[0]), str(certificate[1])))
    context = ssl.create_default_context(cafile=str(certificate[2]))
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(Client(site.port))
            stack.enter_context(Client(site.port)).send(bytes.fromhex("16030102000100"))
        body = bytes(range(250)) * (MOST // 250)
        with Client(site.port, context) as client:
            assert client.send(post(body) + get("/large") + get("/?a")).answer()[0] == 200
            assert client.answer()[2] == PAGE
            assert client.answer()[2] == b"GET a 0 0"


@pytest.mark.parametrize("kind", SLOW)
def test_slow_clients_are_shown_out(serve: Serve, kind: str) -> None:
    """At the deadline of what they are slow with; one that sent something is told."""
    site = serve(patience=SOON)
    with Client(site.port) as client:
        client.send(SLOW[kind])
        if kind == "reader":
            time.sleep(4)
            with contextlib.suppress(AssertionError):
                while client.answer()[2] == PAGE:
                    pass
            assert not client._more()
        else:
            if kind != "silent":
                assert client.answer()[0] == 408
            assert client.is_closed()


def test_a_kept_connection_ends_when_nothing_comes(serve: Serve) -> None:
    """Without another answer."""
    with Client(serve(patience=SOON).port) as client:
        assert client.send(get("/?a")).answer()[0] == 200
        assert client.is_closed()


def test_a_slow_but_steady_body_is_waited_for(serve: Serve) -> None:
    """It takes longer than a body may at first, and comes faster than the slowest rate."""
    patience = replace(SOON, slowest_rate=1)
    body = b"a" * 30
    with Client(serve(patience=patience).port) as client:
        client.send(post(body)[:-30])
        for _ in range(30):
            client.send(b"a")
            time.sleep(0.1)
        assert client.answer()[0] == 200


def test_where_no_room_is_left_the_oldest_makes_room(serve: Serve) -> None:
    """An honest client is let in, though slow ones hold all connections."""
    site = serve(room=Room(threads=2, connections=20))
    with ExitStack() as stack:
        slow = [stack.enter_context(Client(site.port)).send(SLOW["body"]) for _ in range(40)]
        assert ask(site.port, get("/?a"))[1] == b"GET a 0 0"
        assert slow[0].is_closed()


def test_the_address_that_holds_most_makes_room_first(serve: Serve) -> None:
    """One that has a single connection keeps it, though it is the oldest."""
    site = serve(room=Room(threads=2, connections=20))
    with ExitStack() as stack:
        other = Client.__new__(Client)
        other.socket = socket.create_connection(("127.0.0.1", site.port), HANG_S, source_address=("127.0.0.9", 0))
        other._kept = b""
        stack.enter_context(other).send(SLOW["body"])
        for _ in range(60):
            stack.enter_context(Client(site.port)).send(SLOW["body"])
        assert other.send(b"def").answer()[0] == 200


# --- the end ---------------------------------------------------------------------------------------------


def test_a_stop_lets_an_answer_end_and_says_that_the_connection_does(serve: Serve) -> None:
    """Who is being answered gets the answer."""
    site = serve()
    with Client(site.port) as client:
        client.send(get("/wait"))
        assert site.entered.wait(HANG_S)
        site.intake.stop()
        site.release.set()
        assert client.answer()[2] == b"waited"
        assert client.is_closed()
    site.thread.join(HANG_S)
    assert not site.thread.is_alive()


@pytest.mark.parametrize("kind", [*SLOW, "idle", "working"])
def test_a_stop_waits_for_nobody_for_ever(serve: Serve, kind: str) -> None:
    """Whatever clients hold open, or an application."""
    site = serve()
    with Client(site.port) as client:
        if kind == "working":
            client.send(get("/wait"))
            assert site.entered.wait(HANG_S)
        elif kind == "idle":
            client.send(get("/?a")).answer()
        else:
            client.send(SLOW[kind])
            time.sleep(0.2)
        site.intake.stop()
        site.thread.join(HANG_S)
        assert not site.thread.is_alive()


def test_a_renewed_certificate_is_shown_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    """And one that is half written is not."""
    with SmartAbsen.open(flags={"home": str(tmp_path)}) as app:
        made = app.tls.init()
        tls = Tls(str(made.certificate), str(made.key), look_s=0.0)
        site = serve(tls=tls)
        context = ssl.create_default_context(cafile=str(made.authority))

        def shown() -> Any:
            with Client(site.port, context) as client:
                assert isinstance(client.socket, ssl.SSLSocket)
                return (client.socket.getpeercert() or {})["serialNumber"]

        before = shown()
        whole = made.certificate.read_bytes()
        made.certificate.write_bytes(whole[:100])
        assert shown() == before
        made.certificate.write_bytes(whole)
        app.tls.init()
        assert shown() != before
