"""Where a request ends, found while its bytes arrive."""

from __future__ import annotations

import pytest

from smartabsen.web.framing import MAX_HEAD_BYTES, Framing, Stage

MOST = 1_000


def framing() -> Framing:
    """One that waits for a thousand bytes of body."""
    return Framing(lambda method, target: MOST)


def feed(request: bytes, step: int) -> tuple[Framing, int]:
    """Feed bytes in steps until the request is whole; the framing, and how many bytes it took."""
    found, taken = framing(), 0
    for at in range(0, len(request), step):
        taken += found.feed(request[at : at + step])
        if found.stage is Stage.WHOLE:
            break
    return found, taken


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value\r\nab\r\nc\r\n0A\r\n0123456789\r\n0\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "request_",
    [GET, POST, CHUNKED + b"\r\n", CHUNKED + b"Trailer: x\r\n\r\n", b"\r\n" + GET, b"GET / HTTP/1.0\r\n\r\n"],
)
def test_a_request_ends_where_it_ends_however_it_is_cut(request_: bytes, step: int) -> None:
    """What follows is the beginning of the next one."""
    found, taken = feed(request_ + b"GET /next HTTP/1.1\r\n\r\n", step)
    assert (found.stage, taken, found.closes) == (Stage.WHOLE, len(request_), False)


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
        b"Content-Length: -1",
        b"Content-Length:",
        b"Content-Length: 1_0",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Host: a\nContent-Length: 5",
        b"Host: a\rContent-Length: 5",
        b"Content-Length : 5",
        b"Host: a\r\n Content-Length: 5",
    ],
)
def test_what_can_be_read_in_two_ways_ends_the_connection(head: bytes, step: int) -> None:
    """It is handed on at once, for the parser to refuse, and nothing is read behind it."""
    found, _ = feed(b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\nabcdeGET / HTTP/1.1\r\n\r\n", step)
    assert (found.stage, found.closes) == (Stage.WHOLE, True)


@pytest.mark.parametrize(
    "chunk", [b"zz\r\n", b"\r\n", b"-1\r\n", b"5\nabcde", b"1" * 20 + b"\r\n", b"5;" + b"x" * 9000]
)
def test_a_chunk_that_is_none_ends_the_connection(chunk: bytes) -> None:
    """Its end cannot be known."""
    found, _ = feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, 64)
    assert (found.stage, found.closes, found.too_large) == (Stage.WHOLE, True, False)


@pytest.mark.parametrize("head", [b"Content-Length: 1001\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3E9\r\n"])
def test_a_body_that_is_too_large_is_not_waited_for(head: bytes) -> None:
    """Whether its size was said at first or comes with a chunk."""
    found, _ = feed(b"POST / HTTP/1.1\r\n" + head, 1000)
    assert (found.stage, found.closes, found.too_large) == (Stage.WHOLE, True, True)


def test_many_small_chunks_with_long_extensions_end_the_connection() -> None:
    """They would be read for ever, and add up to little."""
    chunk = b"1;" + b"x" * 8000 + b"\r\na\r\n"
    found, taken = feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 100, 4096)
    assert (found.stage, found.closes) == (Stage.WHOLE, True)
    assert taken < MAX_HEAD_BYTES + 20_000


def test_a_head_without_end_is_not_kept() -> None:
    """Nor is a whole one of that size."""
    found, _ = feed(b"GET / HTTP/1.1\r\nA: " + b"x" * (MAX_HEAD_BYTES + 5000), 4096)
    assert found.stage is Stage.LARGE_HEAD
    found = framing()
    found.feed(b"GET / HTTP/1.1\r\nA: " + b"x" * (MAX_HEAD_BYTES + 5000) + b"\r\n\r\n")
    assert found.stage is Stage.LARGE_HEAD


def test_a_wish_for_100_continue_is_seen() -> None:
    """In any case of its letters."""
    found = framing()
    found.feed(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
    assert (found.wants_continue, found.stage) == (True, Stage.BODY)
