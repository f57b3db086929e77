"""Which liveness backends are installed, where their files are, and how one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ...kernel.errors import ModelMissingError
from ...kernel.i18n import N_
from ...kernel.reading import refuse_odd
from ..runtime import require_file
from . import LIVENESS
from .base import PassiveLiveness

AUTOMATIC: Final = ("minifasnet",)
"""What ``auto`` tries: backends whose weights a business may use. Others are named by who may use them."""
LIVENESS_PACK: Final = "minifasnet"
"""The pack that ``smartabsen models pull`` gets it with."""
_MINIFASNET_ENDINGS: Final = ("MiniFASNetV2.onnx", "MiniFASNetV1SE.onnx")


def build_liveness(name: str, *, models_dir: Path, threads: int = 0) -> PassiveLiveness:
    """Load a passive backend.

    Args:
        name: ``auto``, or as in the registry.
        models_dir: The models directory.
        threads: Of each model; 0 for a sensible number.

    Raises:
        UnknownBackendError: There is no such backend.
        MissingDependencyError: Its library is not installed.
        ModelMissingError: A file is not installed; with ``auto``, none of any backend.
        ModelDamagedError: A file cannot be read as what it should be.
    """
    chosen = _choose(models_dir) if name == "auto" else name
    make = LIVENESS.get_factory(chosen)
    return make(*find_files(chosen, models_dir), threads=threads)


def is_installed(name: str, models_dir: Path) -> bool:
    """Tell whether a backend has its files; with ``auto``, any that ``auto`` tries. ``none`` never has.

    A backend that is not known counts as installed: whoever named it wants a check, and learns at the first one why
    there is none.
    """
    if name == "none":
        return False
    try:
        find_files(_choose(models_dir) if name == "auto" else name, models_dir)
    except ModelMissingError:
        return False
    return True


def find_files(name: str, models_dir: Path) -> tuple[Path, ...]:
    """Return the files of a backend; none for those that have none, and of other packages, which bring their own.

    Raises:
        ModelMissingError: They are not installed.
    """
    find = _FILES.get(name)
    return find(models_dir) if find else ()


def _choose(models_dir: Path) -> str:
    missing: ModelMissingError | None = None
    for name in AUTOMATIC:
        try:
            find_files(name, models_dir)
        except ModelMissingError as exc:
            missing = missing or exc
        else:
            return name
    assert missing is not None
    raise missing


def _minifasnet_files(models_dir: Path) -> tuple[Path, ...]:
    """One of the two networks is enough; the names of conversions differ in what stands before that of the network."""
    folder = models_dir / "minifasnet"
    refuse_odd(folder)
    found = [next(iter(sorted(folder.glob(f"*{ending}"))), None) for ending in _MINIFASNET_ENDINGS]
    paths = tuple(path for path in found if path is not None)
    if not paths:
        raise ModelMissingError(
            N_("There is no liveness model in {folder}."),
            hint=N_("Get it: smartabsen models pull {pack}"),
            folder=folder,
            pack="minifasnet",
        )
    return paths


def _insightface_files(models_dir: Path) -> tuple[Path, ...]:
    return (require_file(models_dir / "insightface-liveness" / "liveness.onnx", pull="insightface-liveness"),)


_FILES: Final[Mapping[str, Callable[[Path], tuple[Path, ...]]]] = {
    "minifasnet": _minifasnet_files,
    "insightface": _insightface_files,
}
