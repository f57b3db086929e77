"""Fetch one file with a pinned digest: into a temporary file, checked, then moved into place."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ..kernel.errors import ModelDamagedError, ModelError, StorageError
from ..kernel.i18n import N_

Progress = Callable[[int, int], None]
"""Called with what is done and the total."""

TIMEOUT_S: Final = 30.0
_CHUNK: Final = 1 << 18


def fetch(url: str, target: Path, *, sha256: str, size_bytes: int, on_progress: Progress | None = None) -> None:
    """Download ``url`` to ``target``, whose directory is made; ``target`` appears whole and verified, or not at all.

    Args:
        size_bytes: The published size; more than that is not read.

    Raises:
        ModelError: There is no network, or the server refused.
        ModelDamagedError: The bytes have another digest than the published one.
        StorageError: The file cannot be written.
    """
    if urlsplit(url).scheme != "https":
        raise ModelError(N_("{url} is not an https address."), url=url)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial_name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as exc:
        raise StorageError(N_("{path} cannot be written: {problem}"), path=target, problem=exc.strerror) from exc
    partial = Path(partial_name)
    try:
        with os.fdopen(descriptor, "wb") as sink:
            found = _copy(url, sink.write, size_bytes=size_bytes, on_progress=on_progress)
            sink.flush()
            os.fsync(sink.fileno())
        if found != sha256:
            raise ModelDamagedError(
                N_("What {url} sent is not the published file: its SHA-256 begins with {found}, not {expected}."),
                hint=N_("Nothing was installed. Try again; a proxy or a login page may have answered instead."),
                url=url,
                found=found[:12],
                expected=sha256[:12],
            )
        partial.replace(target)
    except OSError as exc:
        raise StorageError(N_("{path} cannot be written: {problem}"), path=target, problem=exc.strerror) from exc
    finally:
        partial.unlink(missing_ok=True)


def _copy(url: str, write: Callable[[bytes], int], *, size_bytes: int, on_progress: Progress | None) -> str:
    digest = hashlib.sha256()
    done = 0
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "smartabsen"})  # noqa: S310 - https, checked
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            while chunk := answer.read(_CHUNK):
                done += len(chunk)
                if done > size_bytes:
                    break
                digest.update(chunk)
                _write(write, chunk)
                if on_progress is not None:
                    on_progress(done, size_bytes)
    except _WriteError as exc:
        raise exc.problem from exc
    except (urllib.error.URLError, TimeoutError, ConnectionError, OSError) as exc:
        raise ModelError(
            N_("{url} could not be downloaded: {problem}"),
            hint=N_("Without a network: “smartabsen models path” says what to download elsewhere and where to put it."),
            url=url,
            problem=getattr(exc, "reason", exc),
        ) from exc
    return digest.hexdigest()


class _WriteError(Exception):
    """A failed write, kept apart from a failed read: both are OSError."""

    def __init__(self, problem: OSError) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _write(write: Callable[[bytes], int], chunk: bytes) -> None:
    try:
        write(chunk)
    except OSError as exc:
        raise _WriteError(exc) from exc
