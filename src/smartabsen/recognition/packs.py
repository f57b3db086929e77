"""InsightFace packs on this machine: folders of ONNX files, told apart by what the files take and give, not by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..kernel.errors import ModelDamagedError, ModelMissingError
from ..kernel.i18n import N_
from ..kernel.reading import refuse_odd
from .onnx_file import OnnxFile, Shape, read_onnx

FOLDER: Final = "insightface"
BEST_FIRST: Final = ("buffalo_l", "antelopev2", "buffalo_s", "buffalo_sc")
"""By InsightFace's own figures (MR-ALL: 91.3 for buffalo_l, 71.9 for buffalo_s and buffalo_sc); antelopev2 is about as
good as buffalo_l at twice its time."""


@dataclass(frozen=True, slots=True)
class InstalledPack:
    """The files of a pack that recognition uses.

    Attributes:
        name: Name of its folder (or file).
        detector: Its SCRFD face detector, where it has one.
        embedder: Its ArcFace network.
    """

    name: str
    detector: Path | None
    embedder: Path


def find_installed(models_dir: Path, pack: str = "auto") -> InstalledPack:
    """Return an InsightFace pack.

    Args:
        models_dir: The models directory.
        pack: ``auto`` for the best that is installed, a name below ``insightface/``, a folder, or a single ONNX file.

    Raises:
        ModelMissingError: There is none, or it has no ArcFace network.
        ModelDamagedError: An ONNX file of it cannot be read.
    """
    if pack == "auto":
        for installed in iterate_installed(models_dir):
            return installed
        raise ModelMissingError(
            N_("No InsightFace pack is installed in {folder}."),
            hint=N_("Get one: smartabsen models pull {pack}"),
            folder=models_dir / FOLDER,
            pack=BEST_FIRST[0],
        )
    place = models_dir / FOLDER / pack
    if not place.exists():
        place = Path(pack).expanduser()
    refuse_odd(place)
    if not place.exists():
        raise ModelMissingError(
            N_("There is no InsightFace pack “{pack}” in {folder}, and no folder of that name."),
            hint=N_("“smartabsen models list” shows what is installed; get more: smartabsen models pull {known}"),
            pack=pack,
            folder=models_dir / FOLDER,
            known=pack if pack in BEST_FIRST else BEST_FIRST[0],
        )
    found = _read_pack(place)
    if found is None:
        raise ModelMissingError(
            N_("No file in {folder} is an ArcFace network (112 x 112 pixels in, one embedding out)."),
            hint=N_("Get a pack: smartabsen models pull {pack}"),
            folder=place,
            pack=BEST_FIRST[0],
        )
    return found


def iterate_installed(models_dir: Path) -> Iterator[InstalledPack]:
    """Yield the packs below ``models_dir`` that have an ArcFace network, the best first.

    One that cannot be read is passed over as long as another can be used: it must not keep a good one from working.

    Raises:
        ModelDamagedError: None can be read.
    """
    damaged: ModelDamagedError | None = None
    usable = False
    folder = models_dir / FOLDER
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    for name in sorted(names, key=lambda name: BEST_FIRST.index(name) if name in BEST_FIRST else len(BEST_FIRST)):
        try:
            pack = _read_pack(folder / name)
        except ModelDamagedError as exc:
            damaged = damaged or exc
            continue
        if pack is not None:
            usable = True
            yield pack
    if damaged is not None and not usable:
        raise damaged


def is_scrfd(model: OnnxFile) -> bool:
    """Tell whether a model is a face detector of the SCRFD or RetinaFace family with landmarks."""
    image = model.inputs[0]
    return len(image) == 4 and image[1] == 3 and len(model.outputs) in (9, 15) and model.outputs[-1][-1:] == (10,)


def is_arcface(model: OnnxFile) -> bool:
    """Tell whether a model turns crops of 112 x 112 pixels into embeddings."""
    return model.inputs[0][1:] == (3, 112, 112) and len(model.outputs) == 1 and _is_embedding(model.outputs[0])


def _is_embedding(shape: Shape) -> bool:
    return len(shape) == 2 and shape[1] is not None and shape[1] >= 64


def _read_pack(place: Path) -> InstalledPack | None:
    paths = [place] if place.is_file() else sorted(place.glob("*.onnx"))
    # Of two of a kind, the larger one: it is the better one in every pack there is.
    largest_first = sorted(paths, key=lambda path: -path.stat().st_size)
    models = [read_onnx(path) for path in largest_first]
    detectors = [model.path for model in models if is_scrfd(model)]
    embedders = [model.path for model in models if is_arcface(model)]
    if not embedders:
        return None
    return InstalledPack(name=place.name, detector=detectors[0] if detectors else None, embedder=embedders[0])
