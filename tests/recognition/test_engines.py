"""Engines: what belongs together, what is installed, and what an error says."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from smartabsen.kernel.domain import LicenceClass, ModelIdentity
from smartabsen.kernel.errors import (
    MissingDependencyError,
    ModelDamagedError,
    ModelMissingError,
    SmartAbsenError,
    UnknownBackendError,
)
from smartabsen.recognition import engines
from smartabsen.recognition.alignment import align
from smartabsen.recognition.detectors.fake import draw_face
from smartabsen.recognition.engines import ENGINES, build_engine, find_obstacle, find_pack_of, get_spec
from smartabsen.recognition.packs import find_installed
from smartabsen.recognition.quality import ENROLMENT_LIMITS

DETECTOR_OUTPUTS = [[100, size] for size in (1, 1, 1, 4, 4, 4, 10, 10, 10)]
"""As SCRFD has them."""
LANDMARKS_106 = ([["N", 3, 192, 192]], [["N", 212]])
"""Another model of InsightFace's packs."""


def put_model(path: Path, inputs: list[list[object]], outputs: list[list[object]]) -> Path:
    """Write an ONNX file that describes such a model."""
    given = [helper.make_tensor_value_info(f"in{i}", TensorProto.FLOAT, shape) for i, shape in enumerate(inputs)]
    made = [helper.make_tensor_value_info(f"out{i}", TensorProto.FLOAT, shape) for i, shape in enumerate(outputs)]
    path.parent.mkdir(parents=True, exist_ok=True)
    save(helper.make_model(helper.make_graph([helper.make_node("Relu", ["in0"], ["out0"])], "g", given, made)), path)
    return path


def put_pack(folder: Path, dimension: int = 512) -> tuple[Path, Path]:
    """Write a pack under names that say nothing; return its detector and its embedder."""
    put_model(folder / "b.onnx", *LANDMARKS_106)
    return (
        put_model(folder / "c.onnx", [[1, 3, "?", "?"]], DETECTOR_OUTPUTS),
        put_model(folder / "a.onnx", [["N", 3, 112, 112]], [["N", dimension]]),
    )


def obstacle(name: str, models_dir: Path, **options: str) -> SmartAbsenError:
    """Return why an engine cannot be loaded, and prove that loading it says the same."""
    found = find_obstacle(name, models_dir=models_dir, **options)
    assert found is not None
    with pytest.raises(type(found)) as caught:
        build_engine(name, models_dir=models_dir, **options)
    assert (str(caught.value), caught.value.hint) == (str(found), found.hint)
    return found


def test_each_engine_is_complete() -> None:
    """Thresholds make sense, and whatever restricts business use is said."""
    for spec in ENGINES.values():
        assert 0 < spec.threshold < spec.duplicate_threshold < 1
        assert 0 < spec.margin < spec.threshold
        assert bool(spec.notice) == (spec.licence_class is LicenceClass.NON_COMMERCIAL)


def test_the_fake_engine_recognises_drawn_faces(tmp_path: Path) -> None:
    """From picture to cosine, with its own threshold."""
    image = np.full((300, 400, 3), (70, 120, 90), dtype=np.uint8)
    draw_face(image, 3, centre_xy=(120, 150), size_px=100)
    draw_face(image, 4, centre_xy=(280, 150), size_px=90)
    with build_engine("fake", models_dir=tmp_path) as engine:
        faces = engine.detector.detect(image)
        first, second = engine.embedder.embed([align(image, face, engine.embedder.template) for face in faces])
        again = engine.embedder.embed([align(image // 2, faces[0], engine.embedder.template)])[0]
    assert first @ again > engine.threshold > first @ second


def test_dlib_needs_no_file_of_the_models_directory(tmp_path: Path) -> None:
    """Nor a question: its weights came with its extra and are free."""
    assert find_obstacle("dlib", models_dir=tmp_path) is None
    with build_engine("dlib", models_dir=tmp_path, threads=1) as engine:
        assert engine.identity == ModelIdentity("dlib", engine.identity.digest, 128)
        assert (engine.licence_class, engine.notice) == (LicenceClass.FREE, "")


def test_another_detector_keeps_the_gallery_but_not_the_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity is the embedder's; a detector with a restricted licence restricts the whole."""
    with (
        build_engine("fake", models_dir=tmp_path) as plain,
        build_engine("fake", models_dir=tmp_path, detector="hog") as other,
    ):
        assert other.detector.name == "hog"
        assert other.identity == plain.identity
        assert other.licence_class is LicenceClass.FREE
    monkeypatch.setattr(engines, "build_detector", lambda *_args, **_options: plain.detector)
    restricted = build_engine("fake", models_dir=tmp_path, detector="scrfd")
    assert restricted.licence_class is LicenceClass.NON_COMMERCIAL
    assert "non-commercial research only" in restricted.notice


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    """Engines and detectors alike."""
    with pytest.raises(UnknownBackendError, match=r"arcface.*Known: dlib, insightface, openvino"):
        get_spec("arcface")
    with pytest.raises(UnknownBackendError, match=r"mtcnn.*haar, hog, scrfd, yunet, retail"):
        build_engine("dlib", models_dir=tmp_path, detector="mtcnn")
    assert find_obstacle("arcface", models_dir=tmp_path) is not None


@pytest.mark.parametrize(
    ("name", "options", "pull"),
    [
        ("openvino", {}, "openvino"),
        ("insightface", {}, "buffalo_l"),
        ("insightface", {"pack": "buffalo_s"}, "buffalo_s"),
        ("insightface", {"pack": "mine"}, "buffalo_l"),
        ("dlib", {"detector": "yunet"}, "sface"),
        ("dlib", {"detector": "scrfd"}, "buffalo_l"),
        ("dlib", {"detector": "retail"}, "openvino"),
    ],
)
def test_missing_files_come_with_the_command_that_gets_them(
    name: str, options: dict[str, str], pull: str, tmp_path: Path
) -> None:
    """And nothing is loaded to find out."""
    found = obstacle(name, tmp_path, **options)
    assert isinstance(found, ModelMissingError)
    assert f"smartabsen models pull {pull}" in found.hint


@pytest.mark.shared
@pytest.mark.parametrize(
    ("there", "file"),
    [
        (("openvino", "sface"), "landmarks-regression-retail-0009.xml"),
        (("sface",), "face_detection_yunet_2023mar_int8bq.onnx"),
        ((), "shape_predictor_5_face_landmarks.dat"),
    ],
)
def test_haar_takes_its_landmarks_from_what_is_installed(
    models_dir: Path, tmp_path: Path, there: tuple[str, ...], file: str
) -> None:
    """The most accurate of them; dlib's, where nothing else is there."""
    for pack in there:
        (tmp_path / pack).symlink_to(models_dir / pack)
    assert engines._landmarks_file(tmp_path, "auto").name == file


def test_haar_without_any_landmarks_says_what_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack that comes from the package index."""
    monkeypatch.setattr("smartabsen.recognition.runtime.find_spec", lambda name: None)
    found = obstacle("sface", tmp_path, detector="haar")
    assert "smartabsen models pull sface" in found.hint


def test_a_missing_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra of the engine."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "smartabsen.recognition.engines.find_spec", lambda name: None if name == "openvino" else find_spec(name)
    )
    found = find_obstacle("openvino", models_dir=tmp_path)
    assert isinstance(found, MissingDependencyError)
    assert "smartabsen[openvino]" in found.hint


def test_a_pack_is_known_by_what_its_files_take_and_give(tmp_path: Path) -> None:
    """Not by their names: a folder of one's own works like a published pack, below the models directory or not."""
    detector, embedder = put_pack(tmp_path / "insightface" / "mine")
    for pack in ("auto", "mine", str(tmp_path / "insightface" / "mine")):
        found = find_installed(tmp_path, pack)
        assert (found.name, found.detector, found.embedder) == ("mine", detector, embedder)
    alone = find_installed(tmp_path, str(embedder))
    assert (alone.detector, alone.embedder) == (None, embedder)


def test_auto_takes_the_best_pack(tmp_path: Path) -> None:
    """Packs of one's own come after the published ones; a folder without an embedder does not count."""
    best_first = ["buffalo_l", "antelopev2", "buffalo_s", "buffalo_sc", "aa_mine"]
    put_model(tmp_path / "insightface" / "a_detector_only" / "d.onnx", [[1, 3, 640, 640]], DETECTOR_OUTPUTS)
    for name in reversed(best_first):
        put_pack(tmp_path / "insightface" / name)
        assert find_installed(tmp_path).name == name


def test_a_pack_without_a_detector_borrows_one(tmp_path: Path) -> None:
    """So that a single embedder file can be tried; where there is none to borrow, the error says so."""
    embedder = put_model(tmp_path / "mine.onnx", [["N", 3, 112, 112]], [["N", 256]])
    assert "has a face detector" in str(find_obstacle("insightface", models_dir=tmp_path, pack=str(embedder)))
    assert find_obstacle("insightface", models_dir=tmp_path, pack=str(embedder), detector="hog") is None
    put_pack(tmp_path / "insightface" / "buffalo_s")
    assert find_obstacle("insightface", models_dir=tmp_path, pack=str(embedder)) is None


def test_a_damaged_pack_is_named_but_keeps_no_good_one_from_working(tmp_path: Path) -> None:
    """A web page saved under a model's name: an error where the pack was asked for, or where there is no other."""
    put_pack(tmp_path / "insightface" / "buffalo_l")[1].write_bytes(b"<html>Not found</html>" * 50)
    for pack in ("auto", "buffalo_l"):
        found = obstacle("insightface", tmp_path, pack=pack)
        assert isinstance(found, ModelDamagedError)
        assert "buffalo_l" in str(found)
    put_pack(tmp_path / "insightface" / "buffalo_sc")
    assert find_installed(tmp_path).name == "buffalo_sc"
    assert isinstance(obstacle("insightface", tmp_path, pack="buffalo_l"), ModelDamagedError)


def test_a_folder_without_an_embedder_is_no_pack(tmp_path: Path) -> None:
    """The error says what was looked for."""
    put_model(tmp_path / "faces" / "d.onnx", *LANDMARKS_106)
    assert "112 x 112" in str(find_obstacle("insightface", models_dir=tmp_path, pack=str(tmp_path / "faces")))


@pytest.mark.shared
def test_a_gallery_finds_its_pack_again(models_dir: Path) -> None:
    """By the identity that its embeddings have, whatever ``auto`` would take today."""
    for pack in ("buffalo_sc", "buffalo_sc_int8"):
        with build_engine("insightface", models_dir=models_dir, pack=pack, threads=1) as engine:
            assert find_pack_of(engine.identity, models_dir) == pack
            assert (engine.identity.dimension, engine.licence_class) == (512, LicenceClass.NON_COMMERCIAL)
    assert find_pack_of(ModelIdentity("insightface", "0" * 64, 512), models_dir) is None


@pytest.mark.shared
def test_every_engine_takes_every_detector(models_dir: Path) -> None:
    """Where the files are there."""
    for name in ("dlib", "insightface", "openvino", "sface", "open"):
        for detector in ("haar", "hog", "scrfd", "yunet", "retail"):
            assert find_obstacle(name, models_dir=models_dir, detector=detector) is None


def test_knowing_the_engines_loads_no_model_library() -> None:
    """Choosing one, and looking whether it is installed, is quick."""
    code = (
        "import sys; from pathlib import Path; from smartabsen.recognition import catalog, engines\n"
        "for name in engines.ENGINES: engines.find_obstacle(name, models_dir=Path())\n"
        "print([m for m in ('cv2', 'numpy', 'dlib', 'onnxruntime', 'openvino', 'insightface') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_kiosk_asks_for_less_sharpness_than_enrolment_whatever_the_engine() -> None:
    """Each engine refuses where it begins to err; templates are worth more care."""
    for spec in ENGINES.values():
        assert 0 < spec.probe_sharpness < ENROLMENT_LIMITS.min_sharpness
