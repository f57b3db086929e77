"""Where a request ends, while its bytes arrive (RFC 9112, section 6).

This decides one thing only: when a request is handed on. What it means, and whether it may be answered, is decided by
the parser behind, which gets these bytes and no others. Where the two disagree, the connection is closed: nothing that
one takes for a body is read as a request by the other.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

MAX_HEAD_BYTES: Final = 64 * 1024
"""Of the request line and the fields together."""
_MAX_LINE: Final = 8_190
_MAX_TRAILER: Final = 32 * 1024
_END: Final = b"\r\n\r\n"


class Stage(StrEnum):
    """What is awaited."""

    HEAD = "head"
    BODY = "body"
    WHOLE = "whole"
    """Nothing: the request can be handed on."""
    LARGE_HEAD = "large_head"
    """Nothing either: no server reads a head of that size."""


class Framing:
    """Follows one request.

    Args:
        max_body: Method and target to the largest body in bytes that is waited for; a longer one is not read.

    Attributes:
        stage: What is awaited.
        head_bytes: Length of request line and fields, with the empty line; 0 while they are not there.
        length: Of a body whose length was said, else None.
        chunked: Whether the body comes in chunks.
        wants_continue: Whether the client waits for ``100 Continue`` before it sends the body.
        too_large: The body is longer than what is waited for.
        closes: Nothing further may be read from this connection: the body is too large, or its end is doubtful.
    """

    def __init__(self, max_body: Callable[[bytes, bytes], int]) -> None:
        self._max_body = max_body
        self._most = 0
        self._head = bytearray()
        self._line = bytearray()
        self._left = 0
        self._sizes = 0
        self._overhead = 0
        self._in_trailer = False
        self.stage = Stage.HEAD
        self.head_bytes = 0
        self.length: int | None = None
        self.chunked = False
        self.wants_continue = False
        self.too_large = False
        self.closes = False

    def feed(self, data: bytes) -> int:
        """Take bytes as they come; return how many of them, from the first on, belong to this request."""
        taken = 0
        if self.stage is Stage.HEAD:
            taken = self._feed_head(data)
        if self.stage is Stage.BODY:
            taken += self._feed_chunks(data, taken) if self.chunked else self._feed_length(len(data) - taken)
        return taken

    def _feed_head(self, data: bytes) -> int:
        known = len(self._head)
        self._head += data
        end = self._head.find(_END, max(0, known - len(_END) + 1))
        if end < 0:
            if len(self._head) > MAX_HEAD_BYTES:
                self.stage = Stage.LARGE_HEAD
            elif self._head.count(b"\n") != self._head.count(b"\r\n"):
                # No parser behind takes a bare line feed for an end of line.
                self._doubt()
            return len(data)
        self.head_bytes = end + len(_END)
        taken = self.head_bytes - known
        head = bytes(self._head[:end])
        self._head = bytearray()
        if self.head_bytes > MAX_HEAD_BYTES:
            self.stage = Stage.LARGE_HEAD
        else:
            self._read_head(head)
        return taken

    def _read_head(self, head: bytes) -> None:
        first, *fields = head.removeprefix(b"\r\n").split(b"\r\n")
        lengths, codings = [], []
        for line in fields:
            name, _, value = line.partition(b":")
            if b"\n" in line or b"\r" in line or name != name.strip():
                # An end of line that is none, a folded line, or space before the colon: no parser behind takes them.
                self._doubt()
                return
            match name.lower():
                case b"content-length":
                    lengths.append(value.strip(b" \t"))
                case b"transfer-encoding":
                    codings.append(value.strip(b" \t").lower())
                case b"expect":
                    self.wants_continue = value.strip(b" \t").lower() == b"100-continue"
        method, _, rest = first.partition(b" ")
        self._most = self._max_body(method, rest.partition(b" ")[0])
        if codings:
            self.chunked = True
            if lengths or codings != [b"chunked"]:
                self._doubt()
                return
        elif len(lengths) > 1 or (lengths and not _is_number(lengths[0])):
            self._doubt()
            return
        elif lengths:
            self.length = self._left = int(lengths[0])
            self.closes = self.too_large = self.length > self._most
        if self.closes or not (self.chunked or self.length):
            self.stage = Stage.WHOLE
        else:
            self.stage = Stage.BODY

    def _feed_length(self, count: int) -> int:
        taken = min(count, self._left)
        self._left -= taken
        if not self._left:
            self.stage = Stage.WHOLE
        return taken

    def _feed_chunks(self, data: bytes, at: int) -> int:
        start = at
        while at < len(data) and self.stage is Stage.BODY:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            end = data.find(b"\n", at) + 1 or len(data)
            self._line += data[at:end]
            self._overhead += end - at
            at = end
            if self._line.endswith(b"\n"):
                line, self._line = bytes(self._line), bytearray()
                self._read_line(line)
            if len(self._line) > _MAX_LINE or self._overhead > self._most + MAX_HEAD_BYTES:
                self._doubt()
        return at - start

    def _read_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            self._doubt()
        elif self._in_trailer:
            self._sizes += len(line)
            if line == b"\r\n":
                self.stage = Stage.WHOLE
            elif self._sizes > _MAX_TRAILER or b":" not in line:
                self._doubt()
        else:
            size = line[:-2].partition(b";")[0].rstrip(b" \t")
            if not size or len(size) > 15 or size.strip(b"0123456789abcdefABCDEF"):
                self._doubt()
                return
            self._left = int(size, 16)
            self._sizes += self._left
            if self._sizes > self._most:
                # What there is goes to the application, which says that it is too much.
                self.too_large = True
                self._doubt()
            elif self._left:
                self._left += len(b"\r\n")
            else:
                self._in_trailer, self._sizes = True, 0

    def _doubt(self) -> None:
        self.stage, self.closes = Stage.WHOLE, True


def _is_number(value: bytes) -> bool:
    return 0 < len(value) < 16 and not value.strip(b"0123456789")
