"""A backup as one file: a tar with a manifest of SHA-256 digests, optionally encrypted to a public key (age).

Beside it lies ``NAME.sha256`` with the digest of the whole file, so that a flipped bit is found without the key. The
manifest stands first; every other member is in it, with its size and digest, and nothing else is in the archive.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from ..kernel.errors import IntegrityError, InvalidInputError, MissingDependencyError, NotFoundError, SmartAbsenError
from ..kernel.i18n import N_
from ..kernel.reading import no_permission_to_read, open_file, parse_json, read_text, refuse_odd
from ..store.files import PRIVATE_FILE, atomic_file, nameless_file, storage_errors, write_atomically

FORMAT: Final = 1
ENCRYPTED: Final = ".age"
_MANIFEST: Final = "manifest.json"
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_BLOCK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file of a backup."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        made_at: UTC.
        program: Version of smartabsen that made it.
        schema: Revision of the database's schema.
        database_id: Identity of the database.
        kind: ``sqlite`` or ``server``: how the database is stored in it.
        audit_head: Head of the audit trail at that time.
        files: All files in it.
    """

    made_at: datetime
    program: str
    schema: str
    database_id: str
    kind: str
    audit_head: str
    files: tuple[ArchivedFile, ...]


class Contents:
    """What a backup is made of, as it was at one time: on the disk without a name, so that nothing of it stays there.

    Args:
        directory: On whose disk; it exists.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._spool = nameless_file(directory)
        self._parts: list[tuple[ArchivedFile, BinaryIO, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for file in {self._spool, *(file for _, file, _ in self._parts)}:
            file.close()

    @property
    def files(self) -> tuple[ArchivedFile, ...]:
        """All of it, in the order in which it was added."""
        return tuple(entry for entry, _, _ in self._parts)

    def add(self, name: str, content: bytes) -> None:
        """Add a file by its content. Raises StorageError."""
        with storage_errors(self._directory):
            start = self._spool.seek(0, os.SEEK_END)
            self._spool.write(content)
        self._parts.append((ArchivedFile(name, len(content), sha256(content).hexdigest()), self._spool, start))

    def take(self, name: str, file: BinaryIO) -> None:
        """Add an open file, which is closed in the end. Raises StorageError."""
        with storage_errors(self._directory):
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            digest = sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
        self._parts.append((ArchivedFile(name, size, digest.hexdigest()), file, 0))

    def blocks(self, manifest: Manifest) -> Iterator[bytes]:
        """Yield the archive, piece by piece: a tar with the manifest first."""
        written = 0
        for block in self._members(_encode(manifest, self.files)):
            written += len(block)
            yield block
        yield b"\0" * (2 * tarfile.BLOCKSIZE + -(written + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE)

    def _members(self, about: bytes) -> Iterator[bytes]:
        yield _tar_head(_MANIFEST, len(about))
        yield about
        yield b"\0" * (-len(about) % tarfile.BLOCKSIZE)
        for entry, file, start in self._parts:
            yield _tar_head(entry.name, entry.size_bytes)
            file.seek(start)
            left = entry.size_bytes
            while left:
                block = file.read(min(left, _BLOCK))
                if not block:
                    raise OSError(errno.EIO, "a file became shorter")
                left -= len(block)
                yield block
            yield b"\0" * (-entry.size_bytes % tarfile.BLOCKSIZE)


def write_archive(path: Path, manifest: Manifest, contents: Contents, *, recipient: str = "") -> None:
    """Write a backup and its digest; a crash leaves the whole of it or nothing.

    An encrypted one is encrypted from the first byte: no plain copy of it is ever on the disk under a name.

    Args:
        manifest: Its ``files`` are filled in here.
        contents: What goes into it.
        recipient: Public key of age; empty for no encryption.

    Raises:
        InvalidInputError: The key is none.
        MissingDependencyError: The library for encryption is not installed.
        StorageError: The disk is full, or permission is missing.
    """
    keys = _recipients(recipient) if recipient else []
    with storage_errors(path), atomic_file(path) as file:
        sink = _Hashed(file)
        if keys:
            import pyrage

            pyrage.encrypt_io(_Blocks(contents.blocks(manifest)), sink, keys)
        else:
            for block in contents.blocks(manifest):
                sink.write(block)
        # The digest first: an archive without one is taken as it is, one with a wrong digest is refused.
        write_atomically(_digest_path(path), f"{sink.digest}  {path.name}\n".encode())


def extract_archive(path: Path, into: Path, *, identity: Path | None = None) -> Manifest:
    """Check a backup as a whole, and every file in it, and lay the files down in an empty directory.

    Args:
        identity: File with the secret key of age.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: It is encrypted and no key was given, or not this one.
        IntegrityError: Anything differs from what was written.
    """
    refuse_odd(path, directory=False)
    if not path.is_file():
        raise NotFoundError(N_("There is no backup {path}."), path=path)
    check_digest(path)
    with storage_errors(into), ExitStack() as opened:
        if path.suffix == ENCRYPTED:
            plain = opened.enter_context(nameless_file(into))
            _decrypt(path, plain, identity)
            plain.seek(0)
        else:
            plain = opened.enter_context(open_file(path))
        try:
            return _extract(path, plain, into)
        except SmartAbsenError:
            raise
        except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as exc:
            raise damaged(path, str(exc).partition("\n")[0] or type(exc).__name__) from exc


def check_digest(path: Path) -> bool:
    """Compare a backup with the digest beside it; return whether there is one. Raises IntegrityError."""
    beside = _digest_path(path)
    if not beside.is_file():
        return False
    with storage_errors(path):
        wanted = read_text(beside, encoding="ascii", errors="replace").split(" ")[0]
        if wanted != _digest(path):
            raise damaged(path, "its SHA-256 differs from the one noted when it was made")
    return True


def damaged(path: Path, problem: str) -> IntegrityError:
    """Return the error of a backup that is not what was written."""
    return IntegrityError(
        N_("The backup {path} is damaged: {problem}."), hint=N_("Take another one."), path=path, problem=problem
    )


def remove_archive(path: Path) -> None:
    """Delete a backup and its digest. Raises StorageError."""
    with storage_errors(path):
        path.unlink(missing_ok=True)
        _digest_path(path).unlink(missing_ok=True)


def _extract(path: Path, plain: BinaryIO, into: Path) -> Manifest:
    with tarfile.open(fileobj=plain, mode="r:") as tar:
        first = tar.next()
        if first is None or first.name != _MANIFEST or first.size > _LARGEST_MANIFEST:
            raise damaged(path, "it does not begin with a manifest")
        manifest = _decode(path, _read(tar, first))
        wanted = {entry.name: entry for entry in manifest.files}
        while (member := tar.next()) is not None:
            entry = wanted.pop(member.name, None)
            if entry is None or not member.isreg() or member.size != entry.size_bytes:
                raise damaged(path, f"{member.name} is not what the manifest says")
            if not _lay_down(tar, member, entry, into):
                raise damaged(path, f"{entry.name} differs from its digest")
    if wanted:
        raise damaged(path, f"{min(wanted)} is missing")
    return manifest


def _lay_down(tar: tarfile.TarFile, member: tarfile.TarInfo, entry: ArchivedFile, into: Path) -> bool:
    """Write a member into its file; return whether it is what the manifest says."""
    target = into / entry.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = tar.extractfile(member)
    assert source is not None
    digest = sha256()
    with _new(target) as file:
        while block := source.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest() == entry.sha256


def _tar_head(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, PRIVATE_FILE
    return info.tobuf(tarfile.PAX_FORMAT)


class _Blocks(io.RawIOBase):
    """Pieces as one file to read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class _Hashed:
    """Writes into a file, and knows the SHA-256 of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = sha256()

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _encode(manifest: Manifest, entries: tuple[ArchivedFile, ...]) -> bytes:
    facts: dict[str, Any] = {
        "format": FORMAT,
        "made_at": manifest.made_at.isoformat(),
        "program": manifest.program,
        "schema": manifest.schema,
        "database_id": manifest.database_id,
        "kind": manifest.kind,
        "audit_head": manifest.audit_head,
        "files": [{"name": one.name, "size": one.size_bytes, "sha256": one.sha256} for one in entries],
    }
    return (json.dumps({**facts, "checksum": _checksum(facts)}, indent=1) + "\n").encode()


def _decode(path: Path, content: bytes) -> Manifest:
    facts: dict[str, Any] = parse_json(content)
    if facts.pop("checksum") != _checksum(facts):
        raise damaged(path, "the checksum of its manifest is wrong")
    if facts["format"] != FORMAT:
        raise IntegrityError(
            N_("The backup {path} has a format that this smartabsen does not know."),
            hint=N_("Update smartabsen on this machine."),
            path=path,
        )
    files = tuple(ArchivedFile(one["name"], one["size"], one["sha256"]) for one in facts["files"])
    if not all(_NAME.fullmatch(one.name) for one in files):
        raise damaged(path, "a name in its manifest is none of ours")
    return Manifest(
        made_at=datetime.fromisoformat(facts["made_at"]).astimezone(UTC),
        program=facts["program"],
        schema=facts["schema"],
        database_id=facts["database_id"],
        kind=facts["kind"],
        audit_head=facts["audit_head"],
        files=files,
    )


def _checksum(facts: Mapping[str, Any]) -> str:
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = tar.extractfile(member)
    return b"" if source is None else source.read()


def _digest(path: Path) -> str:
    with open_file(path) as file:
        digest = sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _digest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _new(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb")


def _recipients(text: str) -> list[Any]:
    _require_age()
    import pyrage

    try:
        return [pyrage.x25519.Recipient.from_str(text.strip())]
    except pyrage.RecipientError as exc:
        raise InvalidInputError(
            N_("The recipient of backups is no public key of age."),
            hint=N_("It begins with age1; “age-keygen” makes a pair of keys."),
        ) from exc


def _decrypt(path: Path, plain: BinaryIO, identity: Path | None) -> None:
    _require_age()
    import pyrage

    if identity is None:
        raise InvalidInputError(
            N_("The backup {path} is encrypted."),
            hint=N_("Name the file with the secret key: --identity FILE"),
            path=path,
        )
    try:
        lines = read_text(identity, encoding="utf-8").splitlines()
        keys = [pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.startswith("AGE-SECRET-KEY-")]
    except PermissionError as exc:
        raise no_permission_to_read(identity) from exc
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as exc:
        raise InvalidInputError(N_("{path} is no file with a secret key of age."), path=identity) from exc
    try:
        with open_file(path) as source:
            pyrage.decrypt_io(source, plain, keys)
    except pyrage.DecryptError as exc:
        if "matching keys" in str(exc).lower():
            raise InvalidInputError(
                N_("The backup {path} was encrypted to another key."),
                hint=N_("Take the secret key of that one."),
                path=path,
            ) from exc
        raise damaged(path, str(exc)) from exc
    except OSError as exc:
        # A part that was changed is an error of reading for pyrage, without a number of the system's.
        if exc.errno is not None:
            raise
        raise damaged(path, str(exc)) from exc


def _require_age() -> None:
    try:
        import pyrage  # noqa: F401 - whether it is there
    except ImportError as exc:
        raise MissingDependencyError(
            N_("Encrypted backups need the Python package pyrage."),
            hint=N_("Install it: pip install '{install}'"),
            install="smartabsen[age]",
        ) from exc
