"""Model packs: what is installed, and fetching one."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from smartabsen import ConflictError, LicenceError, ModelDamagedError, ModelError, NotFoundError, SmartAbsen
from smartabsen.kernel.domain import LicenceClass, ModelFile, ModelStatus
from smartabsen.recognition import catalog
from smartabsen.recognition.catalog import Download, ModelPack
from smartabsen.upkeep import model_packs

CONTENT = {"det.onnx": b"detector" * 1000, "rec.onnx": b"embedder" * 2000}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pack_of(archive: Path | None, *, licence: LicenceClass = LicenceClass.FREE) -> ModelPack:
    files = tuple(ModelFile(f"insightface/small/{name}", sha256(data), len(data)) for name, data in CONTENT.items())
    if archive is None:
        downloads = tuple(
            Download(f"https://models.example/{Path(file.path).name}", file.sha256, file.size_bytes, (file,))
            for file in files
        )
    else:
        content = archive.read_bytes()
        downloads = (Download("https://models.example/small.zip", sha256(content), len(content), files),)
    return ModelPack("small", "insightface", "", "test", licence, "https://models.example", downloads)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the server answers by address; an address that is not there has no network."""
    answers: dict[str, bytes] = {f"https://models.example/{name}": data for name, data in CONTENT.items()}

    def fetch(url: str, target: Path, *, sha256: str, size_bytes: int, on_progress: Any = None) -> None:
        if url not in answers:
            raise ModelError("{url} could not be downloaded.", url=url)
        if hashlib.sha256(answers[url]).hexdigest() != sha256:
            raise ModelDamagedError("not the published file")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(answers[url])
        if on_progress is not None:
            on_progress(size_bytes, size_bytes)

    monkeypatch.setattr(model_packs, "fetch", fetch)
    return answers


def offer(monkeypatch: pytest.MonkeyPatch, pack: ModelPack) -> None:
    monkeypatch.setitem(catalog.PACKS, "small", pack)


def installed(app: SmartAbsen) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in app.settings.models_dir.rglob("*.onnx")}


def states(packs: tuple[ModelStatus, ...]) -> list[str]:
    """What became of the packs, the liveness check's aside: it is tried for with every engine."""
    return [pack.state for pack in packs if pack.name != "minifasnet"]


def make_zip(tmp_path: Path, members: dict[str, bytes]) -> Path:
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_single_files_are_fetched_with_one_progress(
    app: SmartAbsen, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files arrive; a second pull fetches nothing."""
    offer(monkeypatch, pack_of(None))
    seen: list[tuple[int, int]] = []
    pulled = app.pull_models("small", on_progress=lambda done, total: seen.append((done, total)))
    assert states(pulled) == ["installed"]
    assert installed(app) == CONTENT
    assert seen[-1] == (24_000, 24_000)
    published.clear()
    assert states(app.pull_models("small")) == ["installed"]


def test_an_archive_is_unpacked_by_names_and_digests(
    app: SmartAbsen, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Members are found below folders; others, and paths that lead out, are left alone."""
    members = {f"small/{name}": data for name, data in CONTENT.items()}
    archive = make_zip(tmp_path, {**members, "../../evil.onnx": b"x", "small/other.onnx": b"y"})
    published["https://models.example/small.zip"] = archive.read_bytes()
    offer(monkeypatch, pack_of(archive))
    assert states(app.pull_models("small")) == ["installed"]
    assert installed(app) == CONTENT
    assert not list(tmp_path.rglob("evil.onnx"))


@pytest.mark.parametrize("changed", [{"det.onnx": b"other"}, {"det.onnx": CONTENT["det.onnx"] + b"x" * 100_000}, {}])
def test_an_archive_with_other_files_is_refused_and_nothing_is_changed(
    app: SmartAbsen,
    published: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    changed: dict[str, bytes],
) -> None:
    """A changed, a longer or a missing member: the pack that was there stays."""
    members = {**CONTENT, **changed} if changed else {"det.onnx": CONTENT["det.onnx"]}
    archive = make_zip(tmp_path, members)
    published["https://models.example/small.zip"] = archive.read_bytes()
    offer(monkeypatch, pack_of(archive))
    old = app.settings.models_dir / "insightface" / "small" / "det.onnx"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    with pytest.raises(ModelDamagedError):
        app.pull_models("small")
    assert installed(app) == {"det.onnx": b"old"}
    assert not list(app.settings.models_dir.glob(".pull-*"))


def test_a_restricted_licence_must_be_accepted(
    app: SmartAbsen, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fetched before; the message says what the licence allows."""
    offer(monkeypatch, pack_of(None, licence=LicenceClass.NON_COMMERCIAL))
    with pytest.raises(LicenceError, match="non-commercial research only"):
        app.pull_models("small")
    assert installed(app) == {}
    assert states(app.pull_models("small", accept_noncommercial=True)) == ["installed"]


def test_without_a_network_it_says_what_to_download_and_where_to_put_it(
    app: SmartAbsen, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint has the addresses, the names and the folder."""
    published.clear()
    offer(monkeypatch, pack_of(None))
    with pytest.raises(ModelError) as caught:
        app.pull_models("small")
    folder = str(app.settings.models_dir / "insightface" / "small")
    assert all(part in caught.value.hint for part in ("https://models.example/det.onnx", "rec.onnx", folder))


def test_an_unknown_pack_lists_the_known_ones(app: SmartAbsen) -> None:
    """A typing error is answered with what there is."""
    with pytest.raises(NotFoundError, match=r"buffalo_l.*openvino"):
        app.pull_models("bufalo")


def test_what_comes_with_a_package_is_not_fetched(app: SmartAbsen) -> None:
    """dlib's weights are there already."""
    with pytest.raises(ConflictError, match="comes with the installation"):
        app.pull_models("dlib")


@pytest.mark.shared
def test_the_catalogue_knows_the_genuine_files(flags: dict[str, object], models_dir: Path) -> None:
    """Real files have the pinned digests; a restored file under an official name is told apart, and still listed."""
    with SmartAbsen.open(flags={**flags, "models_dir": str(models_dir)}) as app:
        states = {status.name: status.state for status in app.models()}
    assert states["openvino"] == states["yunet"] == "installed"
    assert states["buffalo_sc"] == "different"
    assert states["buffalo_l"] == "missing"
    assert states["buffalo_sc_int8"] == "installed"
