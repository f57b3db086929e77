"""What every passive liveness backend does: the fake one on drawn faces, the real ones on real pictures."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from smartabsen.kernel.domain import Face, ImageBGR, LandmarkScheme
from smartabsen.kernel.errors import InvalidInputError, ModelDamagedError, ModelError, ModelMissingError
from smartabsen.recognition.detectors.fake import FakeDetector, draw_face
from smartabsen.recognition.engines import build_detector
from smartabsen.recognition.liveness import LIVENESS
from smartabsen.recognition.liveness.base import ModelScore, PassiveLiveness, average
from smartabsen.recognition.liveness.files import build_liveness, find_files
from smartabsen.recognition.liveness.minifasnet import SCALES, get_scale


def drawn(shade: int = 120) -> tuple[ImageBGR, Face]:
    """A drawn face before a wall of one colour."""
    image = np.full((300, 400, 3), shade, dtype=np.uint8)
    draw_face(image, 1, centre_xy=(200, 150), size_px=100)
    return image, FakeDetector().detect(image)[0]


def save_model(path: Path, *, bias: float, inputs: tuple[int, ...] = (1, 3, 80, 80), outputs: int = 3) -> Path:
    """Write a network that answers the mean of its input and a constant: as logits, or as one probability."""
    nodes = [helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=0)]
    constants = [numpy_helper.from_array(np.array([1, 2, 3], dtype=np.int64), "axes")]
    if outputs == 1:
        nodes.append(helper.make_node("Add", ["mean", "bias"], ["out"]))
        constants.append(numpy_helper.from_array(np.array([bias], dtype=np.float32), "bias"))
        shape = [1]
    else:
        row = np.array([[0.0, bias, 0.0]], dtype=np.float32)
        nodes += [
            helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "row"], ["out"]),
        ]
        constants += [
            numpy_helper.from_array(np.zeros((1, 1), dtype=np.float32), "zero"),
            numpy_helper.from_array(row, "row"),
        ]
        shape = [1, 3]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, list(inputs))],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
        constants,
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


class LivenessContract:
    """Subclass with ``name`` and the fixture ``files``."""

    name: ClassVar[str]

    @pytest.fixture
    def files(self) -> tuple[Path, ...]:
        return ()

    @pytest.fixture
    def backend(self, files: tuple[Path, ...]) -> Iterator[PassiveLiveness]:
        made = LIVENESS.get_factory(self.name)(*files, threads=1)
        yield made
        made.close()

    @pytest.fixture
    def seen(self) -> tuple[ImageBGR, Face]:
        image, face = drawn()
        return image, replace(face, scheme=LandmarkScheme.ARCFACE5)

    def test_says_what_it_is(self, backend: PassiveLiveness, files: tuple[Path, ...]) -> None:
        """Its name, a digest where it has files, and the threshold of its authors."""
        assert backend.name == self.name
        assert not files or len(bytes.fromhex(backend.digest)) == 32
        assert 0.0 < backend.threshold <= 1.0

    def test_a_score_is_a_probability_with_its_models(
        self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]
    ) -> None:
        """The mean over models, each named with its digest."""
        score = backend.score(*seen)
        assert score.probability is not None
        assert 0.0 <= score.probability <= 1.0
        assert score.probability == pytest.approx(np.mean([each.probability for each in score.models]))
        assert all(each.model and len(bytes.fromhex(each.digest)) == 32 for each in score.models)

    def test_the_same_picture_gets_the_same_score(self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]) -> None:
        """Also in another thread; the picture is left as it was."""
        image, face = seen
        before = image.copy()
        with ThreadPoolExecutor(1) as pool:
            there = pool.submit(backend.score, image, face).result()
        assert backend.score(image, face) == there
        assert np.array_equal(image, before)

    def test_a_face_at_the_border_does_no_harm(self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]) -> None:
        """It is judged by what can be seen, or not at all; never with an exception or a made-up number."""
        image, face = seen
        corner = replace(face, box_xyxy=(0.0, 0.0, 90.0, 90.0), landmarks_xy=face.landmarks_xy - [150.0, 100.0])
        score = backend.score(image, corner)
        assert score.probability is None or 0.0 <= score.probability <= 1.0

    def test_refuses_what_is_no_image(self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]) -> None:
        """A float array is no frame."""
        with pytest.raises(InvalidInputError, match="uint8"):
            backend.score(seen[0].astype(np.float64), seen[1])

    def test_closes_twice(self, backend: PassiveLiveness) -> None:
        """The second time is harmless."""
        backend.close()
        backend.close()

    def test_a_damaged_file_is_named(self, files: tuple[Path, ...], tmp_path: Path) -> None:
        """A web page under the model's name."""
        for number, file in enumerate(files):
            damaged = tmp_path / "damaged" / file.name
            damaged.parent.mkdir(exist_ok=True)
            damaged.write_bytes(b"<!DOCTYPE html><html>Not found</html>" * 100)
            with pytest.raises(ModelDamagedError, match=file.stem):
                LIVENESS.get_factory(self.name)(*files[:number], damaged, *files[number + 1 :])


class TestFake(LivenessContract):
    name = "fake"

    def test_a_white_frame_around_the_face_is_an_attack(self, backend: PassiveLiveness) -> None:
        """A print is held up; a person stands before a wall."""
        person, print_ = backend.score(*drawn()), backend.score(*drawn(shade=255))
        assert (person.probability, print_.probability) == (1.0, 0.0)


class TestNone(LivenessContract):
    name = "none"

    def test_a_score_is_a_probability_with_its_models(
        self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]
    ) -> None:
        """It has no opinion, so nobody is live for it."""
        assert backend.score(*seen).probability is None


class TestMinifasnet(LivenessContract):
    """With networks of one layer; the real ones follow."""

    name = "minifasnet"

    @pytest.fixture
    def files(self, tmp_path: Path) -> tuple[Path, ...]:
        return tuple(
            save_model(tmp_path / f"{scale}_80x80_{ending}.onnx", bias=bias)
            for (ending, scale), bias in zip(SCALES.items(), (2.0, -2.0), strict=True)
        )

    def test_logits_become_probabilities(self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]) -> None:
        """Softmax, and the second of three classes."""
        expected = np.exp(2) / (2 + np.exp(2))
        assert backend.score(*seen).models[0].probability == pytest.approx(expected, abs=1e-6)

    def test_a_number_that_is_none_is_an_error(self, tmp_path: Path, seen: tuple[ImageBGR, Face]) -> None:
        """NaN is not taken for a low score, and not for a high one."""
        path = save_model(tmp_path / "MiniFASNetV2.onnx", bias=float("nan"))
        with pytest.raises(ModelError, match="no usable probability"):
            LIVENESS.get_factory("minifasnet")(path).score(*seen)

    def test_a_file_of_another_model_is_refused(self, tmp_path: Path) -> None:
        """By its name, whose ending tells the scale of its crops, and by its input."""
        with pytest.raises(ModelDamagedError, match=r"must end with MiniFASNetV2\.onnx, MiniFASNetV1SE\.onnx"):
            get_scale(Path("liveness.onnx"))
        path = save_model(tmp_path / "MiniFASNetV2.onnx", bias=0.0, inputs=(1, 3, 64, 64))
        with pytest.raises(ModelDamagedError, match=r"\(1, 3, 80, 80\)"):
            LIVENESS.get_factory("minifasnet")(path)


class TestInsightface(LivenessContract):
    """With a network of one layer: the real file may not be kept here."""

    name = "insightface"

    @pytest.fixture
    def files(self, tmp_path: Path) -> tuple[Path, ...]:
        return (save_model(tmp_path / "liveness.onnx", bias=0.1, outputs=1, inputs=(1, 3, 80, 80)),)

    def test_too_little_around_the_face_is_not_judged(
        self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]
    ) -> None:
        """The adapter refuses crops of which much lies outside the frame."""
        image, face = seen
        outside = replace(face, landmarks_xy=face.landmarks_xy - np.float32([200.0, 0.0]))
        assert backend.score(image, outside).probability is None

    def test_landmarks_without_a_mouth_are_refused(self, backend: PassiveLiveness, seen: tuple[ImageBGR, Face]) -> None:
        """dlib's five points cannot align this model's crop; the message names detectors that can."""
        image, face = seen
        with pytest.raises(ModelError, match="scrfd, yunet, retail"):
            backend.score(image, replace(face, scheme=LandmarkScheme.DLIB5))

    def test_a_number_that_is_no_probability_is_an_error(self, tmp_path: Path, seen: tuple[ImageBGR, Face]) -> None:
        """Its adapter raises a type of its own; here it is ours."""
        path = save_model(tmp_path / "liveness.onnx", bias=float("nan"), outputs=1)
        with pytest.raises(ModelError, match="insightface"):
            LIVENESS.get_factory("insightface")(path).score(*seen)


@pytest.mark.shared
class TestRealMinifasnet(LivenessContract):
    name = "minifasnet"

    @pytest.fixture
    def files(self, models_dir: Path) -> tuple[Path, ...]:
        return find_files("minifasnet", models_dir)

    @pytest.mark.parametrize("detector", ["yunet", "scrfd", "retail", "hog"])
    def test_sample_photos_fall_on_their_sides(
        self, backend: PassiveLiveness, detector: str, shared_dir: Path, models_dir: Path
    ) -> None:
        """A person above the threshold, a print and a screen below it, whichever detector drew the box."""
        find = build_detector(detector, models_dir=models_dir, threads=1)
        verdicts = {}
        for name in ("live_1", "attack_1", "attack_2"):
            image = cv2.imread(str(shared_dir / "faces" / "spoof" / f"{name}.jpg"))
            probability = backend.score(image, find.detect(image)[0]).probability
            assert probability is not None
            verdicts[name] = probability >= backend.threshold
        assert verdicts == {"live_1": True, "attack_1": False, "attack_2": False}


def test_the_mean_of_nothing_is_an_error() -> None:
    """Without a model there is no probability."""
    with pytest.raises(ModelError, match="no usable probability"):
        average("x", ())
    with pytest.raises(ModelError, match="no usable probability"):
        average("x", (ModelScore("m", "", 1.5),))


def test_auto_takes_what_is_installed_and_may_be_used(tmp_path: Path) -> None:
    """One of two networks is enough; without any, the error names the command that gets them."""
    with pytest.raises(ModelMissingError) as missing:
        build_liveness("auto", models_dir=tmp_path)
    assert "models pull {pack}" in missing.value.hint_id
    assert missing.value.params["pack"] == "minifasnet"
    (tmp_path / "minifasnet").mkdir()
    save_model(tmp_path / "minifasnet" / "4_0_0_80x80_MiniFASNetV1SE.onnx", bias=0.0)
    assert build_liveness("auto", models_dir=tmp_path).name == "minifasnet"
    with pytest.raises(ModelMissingError, match=r"insightface-liveness.liveness\.onnx"):
        build_liveness("insightface", models_dir=tmp_path)
