"""What a zip archive says of itself, looked at before anything is unpacked or its directory is read as a whole."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from typing import BinaryIO, Final

_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LOCATOR_64: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_LONGEST_COMMENT: Final = 0xFFFF
_ENTRY_BYTES: Final = 200
"""Of the directory, for each file: a header of 46, a name, and what packers add."""
_SMALL_BYTES: Final = 1_000_000


class UnwantedZipError(ValueError):
    """An archive is refused by what its directory says."""


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """What an archive may hold.

    Attributes:
        members: Files.
        unpacked_bytes: All of them together.
        packed_times: How many times larger than its packed form a file of more than a megabyte may be.
    """

    members: int
    unpacked_bytes: int
    packed_times: float


def check_end(file: BinaryIO, limits: ZipLimits) -> None:
    """Refuse an archive whose last bytes announce too large a directory: zipfile would read all of it.

    Raises:
        UnwantedZipError: There are more files than allowed.
    """
    length = file.seek(0, 2)
    file.seek(max(0, length - _LONGEST_COMMENT - _END_BYTES - _LOCATOR_BYTES))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        # No archive: zipfile says so.
        return
    _disk, _first, _here, members, size = struct.unpack_from("<HHHHI", tail, at + 4)
    is_large = tail[max(0, at - _LOCATOR_BYTES) : at].startswith(_LOCATOR_64)
    if is_large or members > limits.members or size > limits.members * _ENTRY_BYTES:
        raise UnwantedZipError("too many files")


def check_directory(archive: zipfile.ZipFile, limits: ZipLimits) -> None:
    """Refuse an archive by its directory, which is read by now.

    Raises:
        UnwantedZipError: It would unpack to more than allowed, or holds a file that is packed too tightly.
    """
    members = archive.infolist()
    if len(members) > limits.members:
        raise UnwantedZipError("too many files")
    if sum(member.file_size for member in members) > limits.unpacked_bytes:
        raise UnwantedZipError("too much when unpacked")
    for member in members:
        if member.file_size > max(_SMALL_BYTES, limits.packed_times * member.compress_size):
            raise UnwantedZipError("packed too tightly")
