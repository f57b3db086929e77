"""The catalogue of model packs, and what is told of the copies on a machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from smartabsen.kernel.domain import LicenceClass, ModelFile
from smartabsen.kernel.errors import NotFoundError
from smartabsen.recognition.catalog import PACKS, Download, find_other_packs, get_pack, verify_pack
from smartabsen.recognition.packs import BEST_FIRST

CONTENTS = {"small/det.onnx": b"detector", "small/rec.onnx": b"embedder"}
FILES = tuple(ModelFile(path, hashlib.sha256(data).hexdigest(), len(data)) for path, data in CONTENTS.items())
SMALL = replace(
    get_pack("buffalo_sc"), name="small", downloads=(Download("https://models.example/small.zip", "0" * 64, 1, FILES),)
)


def put(models_dir: Path, **changes: bytes | None) -> None:
    for path, data in CONTENTS.items():
        content = changes.get(Path(path).stem, data)
        if content is not None:
            (models_dir / path).parent.mkdir(exist_ok=True)
            (models_dir / path).write_bytes(content)


def test_every_download_is_pinned() -> None:
    """Digest, size and an https address for each; the files of one that is no archive are the download itself."""
    for pack in PACKS.values():
        for download in pack.downloads:
            assert download.url.startswith("https://")
            assert all(len(bytes.fromhex(item.sha256)) == 32 for item in (download, *download.files))
            assert all(item.size_bytes > 0 for item in (download, *download.files))
            if not download.is_archive:
                assert [file.sha256 for file in download.files] == [download.sha256]


def test_licences_are_told_as_they_are() -> None:
    """What InsightFace offers is for research only; all others may be used for business."""
    restricted = {pack.name for pack in PACKS.values() if pack.licence_class is LicenceClass.NON_COMMERCIAL}
    assert restricted == {*BEST_FIRST, "insightface-liveness"}
    assert all(PACKS[name].engine == "insightface" for name in BEST_FIRST)
    assert {pack.licence_class for name, pack in PACKS.items() if name not in restricted} == {LicenceClass.FREE}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "installed"),
        ({"rec": b"restored"}, "different"),
        ({"rec": None}, "missing"),
        ({"rec": None, "det": None}, "missing"),
    ],
)
def test_copies_are_compared_with_what_was_published(
    tmp_path: Path, changes: dict[str, bytes | None], state: str
) -> None:
    """All files as published, another file under a published name, and not all there."""
    put(tmp_path, **changes)
    status = verify_pack(SMALL, tmp_path)
    assert (status.state, status.path) == (state, str(tmp_path / "small"))
    assert [bool(digest) for _, digest in status.files] == [
        changes.get(name, b"x") is not None for name in ("det", "rec")
    ]


def test_another_file_of_the_same_weights_is_known(tmp_path: Path) -> None:
    """A second conversion is installed as well as the published one, and is not told to differ."""
    second = hashlib.sha256(b"converted").hexdigest()
    files = (FILES[0], replace(FILES[1], others=(second,)))
    pack = replace(SMALL, downloads=(replace(SMALL.downloads[0], files=files),))
    put(tmp_path, rec=b"converted")
    status = verify_pack(pack, tmp_path)
    assert status.state == "installed" and status.published == (FILES[0].sha256, second)
    put(tmp_path, rec=b"something else")
    assert verify_pack(pack, tmp_path).state == "different"


def test_the_published_digests_stand_beside_those_found(tmp_path: Path) -> None:
    """Who reads that a file differs can see how."""
    put(tmp_path, det=b"other")
    compared = verify_pack(SMALL, tmp_path).compared_files()
    assert [published for _, _, published in compared] == [file.sha256 for file in SMALL.files]
    assert [found == published for _, found, published in compared] == [False, True]


def test_what_came_with_python_packages_is_bundled(tmp_path: Path) -> None:
    """dlib's weights and OpenCV's cascade are there without a models directory."""
    for name in ("dlib", "haar"):
        status = verify_pack(get_pack(name), tmp_path / "none")
        assert status.state == "bundled"
        assert Path(status.path).is_dir()
        assert all(len(digest) == 64 for _, digest in status.files)


def test_an_unknown_pack_lists_the_known_ones() -> None:
    """A typing error is answered with what there is."""
    with pytest.raises(NotFoundError, match=r"bufalo_l.*buffalo_l.*openvino"):
        get_pack("bufalo_l")


def test_folders_that_are_no_packs_are_left_out(tmp_path: Path) -> None:
    """A damaged file, or one that is no embedder, makes no pack of one's own."""
    folder = tmp_path / "insightface" / "notes"
    folder.mkdir(parents=True)
    (folder / "page.onnx").write_bytes(b"<html>")
    (tmp_path / "insightface" / "readme.txt").write_text("x")
    assert find_other_packs(tmp_path) == ()
    assert find_other_packs(tmp_path / "none") == ()


@pytest.mark.shared
def test_the_catalogue_knows_the_genuine_files(models_dir: Path) -> None:
    """Intel's and OpenCV's are as published; a restored network is told apart; a pack of one's own is listed."""
    states = {name: verify_pack(pack, models_dir).state for name, pack in PACKS.items()}
    assert states["openvino"] == states["yunet"] == states["minifasnet"] == "installed"
    assert states["buffalo_sc"] == "different"
    assert states["buffalo_l"] == "missing"
    found = dict(verify_pack(PACKS["buffalo_sc"], models_dir).files)
    genuine = next(file for file in PACKS["buffalo_sc"].files if file.path.endswith("det_500m.onnx"))
    assert found[genuine.path] == genuine.sha256
    own = find_other_packs(models_dir)
    assert [(status.name, status.licence_class) for status in own] == [("buffalo_sc_int8", LicenceClass.NON_COMMERCIAL)]


def test_every_pack_that_embeds_tells_its_size_and_most_what_their_makers_measured() -> None:
    """Figures of others, with where they stand; none is invented where none was found."""
    embedding = {name: pack for name, pack in PACKS.items() if pack.engine}
    assert {name: pack.dimension for name, pack in embedding.items()} == {
        "dlib": 128, "openvino": 256, "buffalo_l": 512, "antelopev2": 512, "buffalo_s": 512, "buffalo_sc": 512,
        "sface": 128,
    }  # fmt: skip
    assert [name for name, pack in embedding.items() if not pack.claimed] == ["antelopev2"]
    assert all("(" in pack.claimed for pack in embedding.values() if pack.claimed)
