"""Takes requests in: whole ones go to a thread, slow ones wait where they hold none.

One loop per process accepts, shakes hands, reads head and body, and sends what a client was too slow to take. A thread
gets a connection when the whole request is there, and is free again when the answer is written, whether or not the
client has read it. So the number of clients that are slow on purpose does not matter to the others. Each stage has a
deadline; where there is no room left, those go first who have made the server wait for longest.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import queue
import selectors
import socket
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

from .faults import bare_answer
from .framing import Framing, Stage

_RECEIVE: Final = 64 * 1024
_TURN: Final = 16 * _RECEIVE
"""Of one client before the others have their turn."""
_ACCEPTS: Final = 64
_TICK_S: Final = 0.5
_IN_MEMORY: Final = 1024 * 1024
_SMALL: Final = 64 * 1024
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""What TLS 1.2 may use: no CBC, and a key of its own for each connection (RFC 9325, 4.2). TLS 1.3 has nothing else."""
_FULL: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each stage of a connection may take, in seconds.

    Attributes:
        handshake_s: Of TLS.
        head_s: From the first byte of a request, or from the beginning of a connection, to the end of the fields.
        body_s: For a body, and a second more for each :attr:`slowest_rate` bytes that came.
        answer_s: For reading the answer, by the same rule.
        idle_s: A kept connection without a request.
        linger_s: A client may still send after the last answer, so that it gets to read that.
        slowest_rate: Bytes in a second. 4 KiB are less than the slowest mobile networks carry.
        grace_s: Requests in progress at the end of the server.
        partial_s: Requests that have not arrived whole then, and answers that were not read.
    """

    handshake_s: float = 10.0
    head_s: float = 10.0
    body_s: float = 20.0
    answer_s: float = 20.0
    idle_s: float = 15.0
    linger_s: float = 2.0
    slowest_rate: int = 4096
    grace_s: float = 4.0
    partial_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much is held at once by one process.

    Attributes:
        threads: Requests that are answered.
        connections: Open ones.
        held_bytes: Of requests that have not been answered, in memory and in nameless temporary files.
        memory_bytes: Of those, in memory.
        by_address: Whether the address that holds most gives way first. Not behind a trusted proxy: all its visitors
            come from one address.
    """

    threads: int = 8
    connections: int = 400
    held_bytes: int = 256 * 1024 * 1024
    memory_bytes: int = 64 * 1024 * 1024
    by_address: bool = True


class _State(StrEnum):
    HANDSHAKE = "handshake"
    READING = "reading"
    WORKING = "working"
    WRITING = "writing"
    LINGERING = "lingering"


class ClientGoneError(OSError):
    """Nobody is there any more for the answer."""


class Exchange:
    """One request that is there whole, and the way for its answer: all that a thread sees of a connection.

    It looks like a socket to parsers: :meth:`recv` gives the bytes of this request and then the end.

    Attributes:
        client: Address and port of the client.
        server: Address and port that it came to.
        https: Whether it came over TLS.
        framing: What is known about the request's parts.
        request: Its bytes, from the first one on.
        must_close: The connection ends after this answer.
    """

    def __init__(self, connection: _Connection, *, must_close: bool) -> None:
        self._connection = connection
        self.client = connection.client
        self.server = connection.server
        self.https = connection.https
        self.framing = connection.framing
        self.request: IO[bytes] = connection.inbox
        self.request.seek(0)
        self.must_close = must_close

    def recv(self, size: int) -> bytes:
        """Return the next bytes of the request; none at its end."""
        return self.request.read(size)

    def sendall(self, data: bytes) -> None:
        """Send a part of the answer, or keep it for a client that is slow; never waits.

        Raises:
            ClientGoneError: It is in vain.
        """
        self._connection.outbox.write(data)
        try:
            self._connection.send()
        except OSError as exc:
            raise ClientGoneError(*exc.args) from exc


class _Outbox:
    """What a client has not taken yet: a little in memory, the rest in a temporary file without a name."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._read = self._written = 0
        self._part = memoryview(b"")

    def __bool__(self) -> bool:
        return bool(self._part) or self._read < self._written

    def write(self, data: bytes) -> None:
        if not self:
            # The part that is being sent never changes: TLS wants to see the same bytes again.
            self._part = memoryview(bytes(data))
            return
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(max_size=_SMALL)  # noqa: SIM115 - closed by close()
        self._file.seek(self._written)
        self._file.write(data)
        self._written += len(data)

    def part(self) -> memoryview:
        if not self._part and self._file is not None and self._read < self._written:
            self._file.seek(self._read)
            self._part = memoryview(self._file.read(_RECEIVE))
            self._read += len(self._part)
            if self._read == self._written:
                self.close()
        return self._part

    def sent(self, count: int) -> None:
        self._part = self._part[count:]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._read, self._written = None, 0, 0


class _Connection:
    """One client. It belongs to the loop, or, while it is ``WORKING``, to one thread."""

    def __init__(self, plain: socket.socket, client: Any, server: Any, context: ssl.SSLContext | None) -> None:
        plain.setblocking(False)
        with contextlib.suppress(OSError):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket: socket.socket = plain
        self.client, self.server, self.https = client, server, context is not None
        if context is not None:
            self.socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self.state = _State.HANDSHAKE if self.https else _State.READING
        self.events = 0
        self.since = self.deadline = 0.0
        self.progress = 0
        self.answered = 0
        self.keep = False
        self.framing: Framing
        self.inbox: IO[bytes]
        self.held = 0
        self.ahead = b""
        self.continued = False
        self.outbox = _Outbox()

    def begin(self, framing: Framing) -> None:
        """Await a request."""
        self.framing = framing
        self.inbox = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by forget()
        self.held = 0
        self.continued = False

    def forget(self) -> None:
        """Drop the request."""
        self.inbox.close()
        self.held = 0

    @property
    def is_idle(self) -> bool:
        """Whether it waits for the first byte of a request."""
        return self.state is _State.READING and not self.held

    def send(self) -> None:
        """Send what the client takes now. Raises OSError where it is gone."""
        while part := self.outbox.part():
            try:
                count = self.socket.send(part)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self.outbox.sent(count)
            self.progress += count

    def close(self) -> None:
        """End it at once."""
        self.outbox.close()
        self.inbox.close()
        with contextlib.suppress(OSError):
            self.socket.close()


class Tls:
    """The context of a server's certificate, which is read again when its files have changed.

    Args:
        certificate: File of the certificate.
        key: File of its key.
        look_s: Seconds between two looks at them.
    """

    def __init__(self, certificate: str, key: str, *, look_s: float = 5.0) -> None:
        self._files = (certificate, key)
        self._look_s = look_s
        self._seen = _ages(self._files)
        self._looked_at = time.monotonic()
        self._context = self._load()

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.load_cert_chain(*self._files)
        return context

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection."""
        if time.monotonic() - self._looked_at >= self._look_s:
            self._looked_at = time.monotonic()
            ages = _ages(self._files)
            if ages != self._seen:
                try:
                    self._context, self._seen = self._load(), ages
                except (OSError, ssl.SSLError):
                    # Half written: the next look finds both.
                    _log.warning("the new certificate cannot be read yet", exc_info=True)
        return self._context


def _ages(files: Iterable[str]) -> tuple[int, ...]:
    with contextlib.suppress(OSError):
        return tuple(Path(file).stat().st_mtime_ns for file in files)
    return ()


class Intake:
    """Serves listening sockets.

    Args:
        listeners: Bound and listening.
        answer: Called in a thread for each whole request; returns whether the connection may stay. It handles its own
            errors.
        max_body: Method and target to the largest body that is waited for, in bytes.
        tls: Of the listeners; None where they speak plain http.
        room: How much is held at once.
        patience: How long each stage may take.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        answer: Callable[[Exchange], bool],
        *,
        max_body: Callable[[bytes, bytes], int],
        tls: Tls | None = None,
        room: Room | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._listeners, self._answer, self._max_body, self._tls = tuple(listeners), answer, max_body, tls
        self._room, self._patience = room or Room(), patience or Patience()
        self._selector = selectors.DefaultSelector()
        self._connections: set[_Connection] = set()
        self._jobs: queue.SimpleQueue[_Connection | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[_Connection] = queue.SimpleQueue()
        self._working = 0
        self._held = 0
        self._accepting = False
        self._looked_at = 0.0
        self._stop_at: float | None = None
        self._stopping = self._ended = False
        self._bell, self._ear = socket.socketpair()
        for end in (self._bell, self._ear):
            end.setblocking(False)

    def stop(self) -> None:
        """Take nothing new in, and end within ``grace_s``. May be called by signal handlers and other threads."""
        self._stopping = True
        self._wake()

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Serve until :meth:`stop`.

        Args:
            tick: Called at least twice a second.
        """
        for number in range(self._room.threads):
            threading.Thread(target=self._work, name=f"answer-{number}", daemon=True).start()
        self._selector.register(self._ear, selectors.EVENT_READ, self._hear)
        try:
            while not self._is_over():
                tick()
                self._accept_or_not()
                for key, _ in self._selector.select(_TICK_S):
                    self._dispatch(key)
                self._look_at_clock()
        finally:
            self._end()

    # --- the loop ----------------------------------------------------------------------------------------

    def _dispatch(self, key: selectors.SelectorKey) -> None:
        if not isinstance(key.data, _Connection):
            key.data()
        elif key.data in self._connections:
            self._step(key.data)

    def _step(self, connection: _Connection) -> None:
        """Go on with a connection that can; whatever happens to one is no matter of the others."""
        try:
            match connection.state:
                case _State.HANDSHAKE:
                    self._shake_hands(connection)
                case _State.READING:
                    self._read(connection)
                case _State.WRITING:
                    self._write(connection)
                case _State.LINGERING:
                    self._linger(connection)
        except OSError:
            self._drop(connection)
        except Exception:  # noqa: BLE001 - the other clients go on
            _log.exception("a connection failed")
            self._drop(connection)

    def _is_over(self) -> bool:
        if not self._stopping:
            return False
        now = time.monotonic()
        if self._stop_at is None:
            self._stop_at = now
            self._stop_accepting()
            for each in tuple(self._connections):
                if each.is_idle or each.state in (_State.HANDSHAKE, _State.LINGERING):
                    self._drop(each)
        waited = now - self._stop_at
        if waited >= self._patience.partial_s:
            for each in [each for each in self._connections if each.state in (_State.READING, _State.WRITING)]:
                if each.since <= now - self._patience.partial_s:
                    self._drop(each)
        return not self._connections or waited >= self._patience.grace_s

    def _end(self) -> None:
        for each in tuple(self._connections):
            if each.state is _State.WORKING:
                # Its thread still uses it, and closes it if the process lives that long.
                continue
            self._drop(each)
        for _ in range(self._room.threads):
            self._jobs.put(None)
        self._stop_accepting()
        self._selector.close()
        self._ended = True
        for end in (self._bell, self._ear):
            end.close()

    def _look_at_clock(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < _TICK_S / 2:
            return
        self._looked_at = now
        for each in [each for each in self._connections if each.state is not _State.WORKING and each.deadline <= now]:
            allowed = each.progress / self._patience.slowest_rate
            if self._earns_time(each) and each.deadline + allowed > now:
                continue
            self._expire(each)

    def _earns_time(self, connection: _Connection) -> bool:
        if connection.state is _State.WRITING:
            return True
        return connection.state is _State.READING and connection.framing.stage is Stage.BODY

    def _expire(self, connection: _Connection) -> None:
        if connection.state is _State.READING and connection.held:
            self._refuse(connection, 408)
        else:
            self._drop(connection)

    def _enter(self, connection: _Connection, state: _State, within_s: float) -> None:
        connection.state, connection.progress = state, 0
        connection.deadline = time.monotonic() + within_s

    def _watch(self, connection: _Connection, events: int) -> None:
        if events == connection.events:
            return
        if not connection.events:
            self._selector.register(connection.socket, events, connection)
        elif not events:
            self._selector.unregister(connection.socket)
        else:
            self._selector.modify(connection.socket, events, connection)
        connection.events = events

    def _drop(self, connection: _Connection) -> None:
        if connection not in self._connections:
            return
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._watch(connection, 0)
        self._connections.discard(connection)
        self._held -= connection.held
        connection.close()

    # --- accepting ---------------------------------------------------------------------------------------

    def _accept_or_not(self) -> None:
        # While no thread is free another worker may have one; where none has, the first that is free accepts.
        busy = self._working >= self._room.threads
        wanted = self._stop_at is None and not busy
        if wanted and not self._accepting:
            for listener in self._listeners:
                listener.setblocking(False)
                self._selector.register(listener, selectors.EVENT_READ, lambda each=listener: self._accept(each))
            self._accepting = True
        elif not wanted:
            self._stop_accepting()

    def _stop_accepting(self) -> None:
        if self._accepting:
            for listener in self._listeners:
                self._selector.unregister(listener)
        self._accepting = False

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTS):
            if len(self._connections) >= self._room.connections and not self._make_room():
                return
            try:
                plain, client = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as exc:
                if exc.errno in _FULL and not self._make_room():
                    # Every descriptor is in use by requests that are being answered.
                    time.sleep(0.05)
                    return
                continue
            self._welcome(plain, client, listener.getsockname())

    def _welcome(self, plain: socket.socket, client: Any, server: Any) -> None:
        try:
            connection = _Connection(plain, client, server, self._tls.context() if self._tls else None)
        except (OSError, ValueError):
            # Gone already.
            plain.close()
            return
        connection.begin(Framing(self._max_body))
        connection.since = time.monotonic()
        self._connections.add(connection)
        if connection.https:
            self._enter(connection, _State.HANDSHAKE, self._patience.handshake_s)
        else:
            self._enter(connection, _State.READING, self._patience.head_s)
        self._watch(connection, selectors.EVENT_READ)

    def _make_room(self) -> bool:
        """Close the connection that deserves it most; False where all are being answered."""
        for candidates in (
            [each for each in self._connections if each.is_idle and each.answered],
            [each for each in self._connections if each.state is _State.LINGERING],
            self._greediest([each for each in self._connections if each.state in (_State.HANDSHAKE, _State.READING)]),
            self._greediest([each for each in self._connections if each.state is _State.WRITING]),
        ):
            if candidates:
                self._drop(min(candidates, key=lambda each: each.since))
                return True
        return False

    def _greediest(self, candidates: list[_Connection]) -> list[_Connection]:
        if not self._room.by_address or not candidates:
            return candidates
        counted = Counter(_origin(each) for each in candidates)
        most = max(counted.values())
        return [each for each in candidates if counted[_origin(each)] == most]

    # --- reading -----------------------------------------------------------------------------------------

    def _shake_hands(self, connection: _Connection) -> None:
        assert isinstance(connection.socket, ssl.SSLSocket)
        try:
            connection.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(connection, selectors.EVENT_READ)
        except ssl.SSLWantWriteError:
            self._watch(connection, selectors.EVENT_WRITE)
        else:
            self._enter(connection, _State.READING, self._patience.head_s)
            self._watch(connection, selectors.EVENT_READ)
            self._read(connection)

    def _read(self, connection: _Connection) -> None:
        turn = 0
        while connection.state is _State.READING:
            try:
                data = connection.socket.recv(_RECEIVE)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
                return
            except ssl.SSLWantWriteError:
                # A renewed key: rare, and over with the next bytes.
                return
            if not data:
                self._drop(connection)
                return
            self._take(connection, data)
            turn += len(data)
            if turn >= _TURN and not (isinstance(connection.socket, ssl.SSLSocket) and connection.socket.pending()):
                return

    def _take(self, connection: _Connection, data: bytes) -> None:
        """Put bytes to the request, and hand it on when it is whole."""
        if connection.is_idle:
            connection.since = time.monotonic()
            self._enter(connection, _State.READING, self._patience.head_s)
        framing = connection.framing
        before = framing.stage
        taken = framing.feed(data)
        try:
            connection.inbox.write(data[:taken])
        except OSError:
            _log.warning("no room for a request on the disk", exc_info=True)
            self._refuse(connection, 503)
            return
        connection.ahead = data[taken:]
        connection.held += taken
        connection.progress += taken
        self._held += taken
        if framing.stage is Stage.LARGE_HEAD:
            self._refuse(connection, 431)
        elif framing.stage is Stage.WHOLE:
            self._hand_on(connection)
        else:
            if before is Stage.HEAD and framing.stage is Stage.BODY:
                self._enter(connection, _State.READING, self._patience.body_s)
                self._invite(connection)
            self._keep_within_bounds(connection)

    def _invite(self, connection: _Connection) -> None:
        framing = connection.framing
        if framing.wants_continue and not connection.continued and connection.held == framing.head_bytes:
            connection.continued = True
            connection.outbox.write(_CONTINUE)
            connection.send()

    def _keep_within_bounds(self, connection: _Connection) -> None:
        if self._held > self._room.memory_bytes and connection.held > _SMALL:
            roll = getattr(connection.inbox, "rollover", None)
            if roll is not None:
                roll()
        while self._held > self._room.held_bytes:
            reading = [each for each in self._connections if each.state is _State.READING and each.held]
            if not reading:
                return
            self._drop(max(self._greediest(reading), key=lambda each: each.held))

    def _hand_on(self, connection: _Connection) -> None:
        self._watch(connection, 0)
        connection.state = _State.WORKING
        self._working += 1
        self._jobs.put(connection)

    # --- answering ---------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (connection := self._jobs.get()) is not None:
            exchange = Exchange(connection, must_close=connection.framing.closes or self._stopping)
            try:
                connection.keep = self._answer(exchange) and not exchange.must_close
            except ClientGoneError:
                connection.keep = False
            except Exception:  # noqa: BLE001 - the thread goes on
                _log.exception("a request failed below the application")
                connection.keep = False
            if self._ended:
                connection.close()
            self._done.put(connection)
            # It may be the last thing that holds what the request held.
            del exchange, connection
            self._wake()

    def _wake(self) -> None:
        # A full pipe rings as well.
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError, InterruptedError):
            self._ear.recv(4096)
        while True:
            try:
                connection = self._done.get_nowait()
            except queue.Empty:
                return
            self._working -= 1
            connection.answered += 1
            self._held -= connection.held
            connection.forget()
            connection.since = time.monotonic()
            self._enter(connection, _State.WRITING, self._patience.answer_s)
            self._step(connection)

    def _write(self, connection: _Connection) -> None:
        connection.send()
        if connection.outbox:
            self._watch(connection, selectors.EVENT_WRITE)
        elif connection.keep and not self._stopping:
            self._await_next(connection)
        else:
            self._part_from(connection)

    def _await_next(self, connection: _Connection) -> None:
        connection.begin(Framing(self._max_body))
        connection.since = time.monotonic()
        self._enter(connection, _State.READING, self._patience.idle_s)
        self._watch(connection, selectors.EVENT_READ)
        ahead, connection.ahead = connection.ahead, b""
        if ahead:
            # The next request came behind the one before.
            self._take(connection, ahead)
        if connection.state is _State.READING and connection.https:
            # What TLS has read already rings no bell.
            self._read(connection)

    def _refuse(self, connection: _Connection, status: int) -> None:
        connection.keep = False
        self._held -= connection.held
        connection.forget()
        connection.outbox.write(bare_answer(status, secure=connection.https))
        self._enter(connection, _State.WRITING, self._patience.linger_s)
        self._step(connection)

    def _part_from(self, connection: _Connection) -> None:
        """End the answer, and read on for a moment: what is closed with unread bytes loses the answer on its way."""
        if isinstance(connection.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                connection.socket.unwrap()
        connection.socket.shutdown(socket.SHUT_WR)
        self._enter(connection, _State.LINGERING, self._patience.linger_s)
        self._watch(connection, selectors.EVENT_READ)

    def _linger(self, connection: _Connection) -> None:
        for _ in range(_TURN // _RECEIVE):
            try:
                if not connection.socket.recv(_RECEIVE):
                    self._drop(connection)
                    return
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
                return


def _origin(connection: _Connection) -> str:
    """Return whose a connection is: an address, or the network of 64 bits that a host has of IPv6."""
    address = str(connection.client[0]) if isinstance(connection.client, tuple) else str(connection.client)
    if ":" in address and not address.startswith("::ffff:"):
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    return address
