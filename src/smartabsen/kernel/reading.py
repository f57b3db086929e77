"""Reading what somebody named or left: a file that is none must not hang, and deep nesting must not end the program.

A named pipe waits in ``open`` for a writer that never comes, a terminal for keys, a device for ever. So every file that
is read is opened here: without waiting, and only if it is a file.
"""

from __future__ import annotations

import errno
import getpass
import io
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from .errors import StorageError
from .i18n import N_

MAX_TOML_BYTES: Final = 64 * 1024
_MAX_KEY_PARTS: Final = 10
_TOML_TEXT: Final = re.compile(r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TOML_PART: Final = re.compile(r"[\n=,{}\[\]]")
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_KINDS: Final = (
    (stat.S_ISFIFO, "it is a named pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)


class NotAFileError(OSError):
    """What has this name is no regular file; ``strerror`` says what it is."""


def open_file(path: Path | str) -> io.BufferedReader:
    """Open a regular file for reading, without ever waiting.

    Raises:
        NotAFileError: It is a named pipe, a socket or a device.
        IsADirectoryError: It is a directory.
        OSError: As ``open``.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as exc:
        if exc.errno == errno.ENXIO:
            # A socket cannot be opened at all.
            raise NotAFileError(errno.ENXIO, "it is a socket or a device, not a file", str(path)) from exc
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        check_kind(mode, path)
        return open(descriptor, "rb")  # noqa: PTH123 - by its descriptor, and closed by the caller
    except BaseException:
        os.close(descriptor)
        raise


def check_kind(mode: int, path: Path | str) -> None:
    """Raise NotAFileError where a mode of ``stat`` is that of a named pipe, a socket or a device."""
    for is_kind, what in _KINDS:
        if is_kind(mode):
            raise NotAFileError(errno.EINVAL, what, str(path))


def read_bytes(path: Path | str, *, most: int = -1) -> bytes:
    """Return the content of a regular file. Raises as :func:`open_file`.

    Args:
        most: Read no more than so many bytes.
    """
    with open_file(path) as file:
        return file.read(most)


def read_text(path: Path | str, *, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Return the text of a regular file, every end of a line as one line feed.

    Raises:
        UnicodeDecodeError: It is not in this encoding.
        OSError: As :func:`open_file`.
    """
    text = read_bytes(path).decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def user_name() -> str:
    """Return who this program runs as, for people: its rights are those of this user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A user without an entry in the system's list, as in containers.
        return str(os.getuid()) if hasattr(os, "getuid") else "?"


def blocking_place(path: Path) -> Path:
    """Return the outermost directory on the way to ``path`` that this user may not enter, else ``path`` itself."""
    return next((one for one in reversed(path.absolute().parents) if not os.access(one, os.X_OK)), path)


def no_permission_to_read(path: Path) -> StorageError:
    """Return the error of a file or directory that this user may not read, with the place whose rights are wrong."""
    return StorageError(
        N_("No permission to read {path}."),
        hint=N_("The user “{user}”, as whom smartabsen runs here, must be able to read {place}: check its rights."),
        path=path,
        place=blocking_place(path),
        user=user_name(),
    )


def refuse_odd(path: Path, *, directory: bool = True) -> None:
    """Refuse what is there and cannot be read: before it is called missing, because only files and folders count.

    Args:
        directory: A directory may be what is wanted.

    Raises:
        StorageError: This user may not read it, or it is a named pipe, a socket or a device.
    """
    try:
        mode = path.stat().st_mode
    except PermissionError as exc:
        raise no_permission_to_read(path) from exc
    except (OSError, ValueError):
        # It is missing: the caller says so.
        return
    try:
        check_kind(mode, path)
        if stat.S_ISDIR(mode) and not directory and os.access(path, os.R_OK):
            raise NotAFileError(errno.EISDIR, "it is a directory, not a file", str(path))
    except NotAFileError as exc:
        raise unreadable_error(exc) from exc
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        raise no_permission_to_read(path)


def is_unreadable(path: Path) -> bool:
    """Tell whether this user may not read what is there, or not even look whether it is there."""
    if blocking_place(path) != path:
        return True
    return os.path.lexists(path) and not os.access(path, os.R_OK)


def unreadable_error(exc: OSError) -> StorageError:
    """Return the error, for people, of an OSError that names a file."""
    path = Path(os.fsdecode(exc.filename))
    if isinstance(exc, PermissionError):
        return no_permission_to_read(path)
    if isinstance(exc, NotAFileError):
        return StorageError(
            N_("{path} cannot be used: {problem}."),
            hint=N_("Move it away, or name another file."),
            path=path,
            problem=exc.strerror,
        )
    return StorageError(
        N_("{path} cannot be read or written: {problem}"),
        hint=N_("Check the disk, then try again."),
        path=path,
        problem=exc.strerror or exc,
    )


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: It is no JSON, or nested more deeply than anything that this program writes.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a small TOML file says.

    Raises:
        UnicodeDecodeError: It is not in UTF-8.
        ValueError: It is no TOML, or longer or nested more deeply than any file of settings.
        OSError: As :func:`open_file`.
    """
    content = read_bytes(path, most=MAX_TOML_BYTES + 1)
    if len(content) > MAX_TOML_BYTES:
        raise ValueError(f"it is longer than {MAX_TOML_BYTES // 1024} KB")
    return parse_toml(content.decode("utf-8-sig").replace("\r\n", "\n"))


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text says.

    Raises:
        ValueError: It is no TOML, or longer or nested more deeply than any file of settings.
    """
    if len(text) > MAX_TOML_BYTES:
        raise ValueError(f"it is longer than {MAX_TOML_BYTES // 1024} KB")
    # The time that tomllib takes for a key grows with the square of its parts.
    if any(part.count(".") >= _MAX_KEY_PARTS for part in _TOML_PART.split(_TOML_TEXT.sub("", text))):
        raise ValueError(f"a key has more than {_MAX_KEY_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
