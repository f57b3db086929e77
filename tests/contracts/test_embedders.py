"""What every embedder does: the fake one on drawn faces, the real ones on the faces of a group photo."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from smartabsen.kernel.domain import Face, FloatArray, ImageBGR
from smartabsen.kernel.errors import InvalidInputError, ModelDamagedError, ModelError
from smartabsen.recognition.alignment import align, crop_shape
from smartabsen.recognition.detectors.fake import FakeDetector, draw_face
from smartabsen.recognition.detectors.hog import HogDetector
from smartabsen.recognition.embedders import EMBEDDERS
from smartabsen.recognition.embedders.arcface import ArcfaceEmbedder
from smartabsen.recognition.embedders.base import Embedder
from smartabsen.recognition.embedders.batches import embed_checked
from smartabsen.recognition.embedders.retail_reid import RetailReidEmbedder
from smartabsen.recognition.embedders.sface import SfaceEmbedder
from smartabsen.recognition.runtime import find_dlib_file


@pytest.fixture(scope="module")
def t1_faces(t1_image: ImageBGR) -> tuple[Face, ...]:
    """The six faces of the group photo, with the landmarks that need no download."""
    return HogDetector(find_dlib_file("shape_predictor_5_face_landmarks.dat")).detect(t1_image)


class EmbedderContract:
    """Subclass with ``name`` and the fixture ``files``."""

    name: ClassVar[str]

    @pytest.fixture
    def files(self) -> tuple[Path, ...]:
        return ()

    @pytest.fixture
    def embedder(self, files: tuple[Path, ...]) -> Iterator[Embedder]:
        made = EMBEDDERS.get_factory(self.name)(*files, threads=1)
        yield made
        made.close()

    @pytest.fixture
    def crops(self, embedder: Embedder, t1_image: ImageBGR, t1_faces: tuple[Face, ...]) -> list[ImageBGR]:
        return [align(t1_image, face, embedder.template) for face in t1_faces]

    def test_says_what_it_is(self, embedder: Embedder, crops: list[ImageBGR]) -> None:
        """Name, dimension and crop size are those of its results."""
        assert embedder.name == self.name
        assert crops[0].shape == crop_shape(embedder.template)
        assert embedder.embed(crops).shape == (len(crops), embedder.dimension)

    def test_embeddings_have_unit_length(self, embedder: Embedder, crops: list[ImageBGR]) -> None:
        """So that a product is a cosine."""
        embeddings = embedder.embed(crops)
        assert embeddings.dtype == np.float32
        assert np.allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-5)

    def test_a_face_does_not_depend_on_its_neighbours(self, embedder: Embedder, crops: list[ImageBGR]) -> None:
        """Alone, among others, in another order: the same numbers."""
        together = embedder.embed(crops)
        alone = np.concatenate([embedder.embed([crop]) for crop in crops])
        backwards = embedder.embed(crops[::-1])[::-1]
        assert np.allclose(together, alone, atol=1e-4)
        assert np.allclose(together, backwards, atol=1e-4)

    def test_the_same_person_is_nearer_than_anybody_else(self, embedder: Embedder, crops: list[ImageBGR]) -> None:
        """In other light, with noise, each face is most similar to itself."""
        noise = np.random.default_rng(0).normal(0, 6, crops[0].shape)
        changed = [np.clip(crop * 0.7 + 20 + noise, 0, 255).astype(np.uint8) for crop in crops]
        similarity = embedder.embed(crops) @ embedder.embed(changed).T
        assert similarity.argmax(axis=1).tolist() == list(range(len(crops)))

    def test_colours_matter_in_their_order(self, embedder: Embedder, crops: list[ImageBGR]) -> None:
        """Blue taken for red gives another embedding: nobody swaps the channels without a test noticing."""
        swapped = [np.ascontiguousarray(crop[..., ::-1]) for crop in crops]
        similarity = np.einsum("ij,ij->i", embedder.embed(crops), embedder.embed(swapped))
        assert similarity.mean() < 0.9999

    def test_nothing_in_gives_nothing_out(self, embedder: Embedder) -> None:
        """An empty list is an empty array of the right width."""
        assert embedder.embed([]).shape == (0, embedder.dimension)

    def test_refuses_what_is_no_crop(self, embedder: Embedder, crops: list[ImageBGR]) -> None:
        """The message has the shape that is wanted and the one that came."""
        wanted = re.escape(str(crop_shape(embedder.template)))
        with pytest.raises(InvalidInputError, match=rf"{wanted}; this one is uint8 \(50, 60, 3\)"):
            embedder.embed([crops[0], np.zeros((50, 60, 3), dtype=np.uint8)])
        with pytest.raises(InvalidInputError, match="float64"):
            embedder.embed([crops[0].astype(np.float64)])

    def test_works_in_another_thread(self, embedder: Embedder, crops: list[ImageBGR]) -> None:
        """Made here, used there."""
        with ThreadPoolExecutor(1) as pool:
            there = pool.submit(embedder.embed, crops[:2]).result()
        assert np.allclose(there, embedder.embed(crops[:2]), atol=1e-4)

    def test_the_digest_is_that_of_its_files(self, embedder: Embedder, files: tuple[Path, ...]) -> None:
        """It is 64 hexadecimal digits; for a single file those that sha256sum gives."""
        assert len(bytes.fromhex(embedder.digest)) == 32
        if len(files) == 1 and files[0].suffix != ".xml":
            assert embedder.digest == hashlib.sha256(files[0].read_bytes()).hexdigest()

    def test_closes_twice(self, embedder: Embedder) -> None:
        """The second time is harmless."""
        embedder.close()
        embedder.close()

    @pytest.mark.parametrize("keep", [0, 100_000], ids=["web page", "cut off"])
    def test_a_damaged_file_is_named(self, files: tuple[Path, ...], keep: int, tmp_path: Path) -> None:
        """A web page under the model's name, or a download that stopped."""
        for number, file in enumerate(files):
            damaged = tmp_path / f"damaged{file.suffix}"
            content = file.read_bytes()[:keep] if keep else b"<!DOCTYPE html><html>Not found</html>" * 100
            damaged.write_bytes(content)
            if file.suffix == ".xml":
                damaged.with_suffix(".bin").write_bytes(content)
            with pytest.raises(ModelDamagedError, match=r"damaged\."):
                EMBEDDERS.get_factory(self.name)(*files[:number], damaged, *files[number + 1 :])


class TestFake(EmbedderContract):
    name = "fake"

    @pytest.fixture
    def crops(self, embedder: Embedder) -> list[ImageBGR]:
        return [drawn(embedder, person, size_px=120) for person in range(6)]

    # Drawn patterns are grey: the order of colours does not matter to them, and the rule is not tried.
    test_colours_matter_in_their_order = None

    def test_drawn_people_are_well_apart(self, embedder: Embedder) -> None:
        """One person at another size and in the dark stays above 0.9; fifty people stay below 0.5."""
        first = embedder.embed([drawn(embedder, person, size_px=120) for person in range(50)])
        second = embedder.embed([drawn(embedder, person, size_px=70, light=0.4) for person in range(50)])
        similarity = first @ second.T
        assert similarity.diagonal().min() > 0.9
        assert similarity[~np.eye(50, dtype=bool)].max() < 0.5


class TestDlibResnet(EmbedderContract):
    name = "dlib_resnet"

    @pytest.fixture
    def files(self) -> tuple[Path, ...]:
        return (find_dlib_file("dlib_face_recognition_resnet_model_v1.dat"),)

    def test_embeds_as_dlib_does(
        self, embedder: Embedder, t1_image: ImageBGR, t1_faces: tuple[Face, ...], files: tuple[Path, ...]
    ) -> None:
        """Our alignment and dlib's own give descriptors 0.1 apart at most; two people are 0.6 apart and more."""
        import dlib

        network = dlib.face_recognition_model_v1(str(files[0]))
        rgb = cv2.cvtColor(t1_image, cv2.COLOR_BGR2RGB)
        faces = [replace(face, landmarks_xy=face.landmarks_xy.round()) for face in t1_faces]  # dlib knows whole pixels
        ours = embedder.embed([align(t1_image, face, embedder.template) for face in faces])
        for face, embedding in zip(faces, ours, strict=True):
            theirs = np.array(network.compute_face_descriptor(dlib.get_face_chip(rgb, in_dlibs_words(face))))
            assert np.linalg.norm(embedding * np.linalg.norm(theirs) - theirs) < 0.1


@pytest.mark.shared
class TestArcface(EmbedderContract):
    name = "arcface"
    pack: ClassVar[str] = "buffalo_sc"

    @pytest.fixture
    def files(self, models_dir: Path) -> tuple[Path, ...]:
        return (models_dir / "insightface" / self.pack / "w600k_mbf.onnx",)

    def test_embeds_as_insightface_does(
        self, embedder: Embedder, crops: list[ImageBGR], files: tuple[Path, ...]
    ) -> None:
        """The same crops through insightface's own class give the same directions."""
        from insightface.model_zoo import ArcFaceONNX

        from smartabsen.recognition.runtime import load_onnx

        network = ArcFaceONNX(str(files[0]), session=load_onnx(files[0], threads=1))
        theirs: FloatArray = np.concatenate([network.get_feat(crop) for crop in crops])
        cosine = np.einsum("ij,ij->i", embedder.embed(crops), theirs) / np.linalg.norm(theirs, axis=1)
        assert cosine.min() > 0.9999


class TestArcfaceInt8(TestArcface):
    """The quantised copy, whose answer would depend on the whole batch if it were given one."""

    pack = "buffalo_sc_int8"


@pytest.mark.shared
class TestRetailReid(EmbedderContract):
    name = "retail_reid"

    @pytest.fixture
    def files(self, models_dir: Path) -> tuple[Path, ...]:
        return (models_dir / "openvino" / "face-reidentification-retail-0095.xml",)


@pytest.mark.shared
class TestSface(EmbedderContract):
    name = "sface"

    @pytest.fixture
    def files(self, models_dir: Path) -> tuple[Path, ...]:
        return (models_dir / "sface" / "face_recognition_sface_2021dec_int8bq.onnx",)

    def test_embeds_as_opencv_does(self, embedder: Embedder, crops: list[ImageBGR], files: tuple[Path, ...]) -> None:
        """The same crops through OpenCV's own class give the same directions."""
        network = cv2.FaceRecognizerSF.create(str(files[0]), "")
        theirs = np.concatenate([np.asarray(network.feature(crop)) for crop in crops])
        cosine = np.einsum("ij,ij->i", embedder.embed(crops), theirs) / np.linalg.norm(theirs, axis=1)
        assert cosine.min() > 0.9999


@pytest.mark.shared
class TestSfaceRetail(EmbedderContract):
    name = "sface_retail"

    @pytest.fixture
    def files(self, models_dir: Path) -> tuple[Path, ...]:
        return (
            models_dir / "sface" / "face_recognition_sface_2021dec_int8bq.onnx",
            models_dir / "openvino" / "face-reidentification-retail-0095.xml",
        )

    def test_the_cosine_is_the_mean_of_both_networks(
        self, embedder: Embedder, t1_image: ImageBGR, t1_faces: tuple[Face, ...], files: tuple[Path, ...]
    ) -> None:
        """Each network sees the crop that it would be given alone; bfloat16 moves the mean but for little."""
        parts = (SfaceEmbedder(files[0], threads=1), RetailReidEmbedder(files[1], threads=1))
        alone = [part.embed([align(t1_image, face, part.template) for face in t1_faces]) for part in parts]
        joint = embedder.embed([align(t1_image, face, embedder.template) for face in t1_faces])
        mean = np.mean([one @ one.T for one in alone], axis=0)
        assert np.allclose(joint @ joint.T, mean, atol=0.01)
        assert ((joint * np.hstack(alone)).sum(axis=1) / np.sqrt(2) > 0.998).all()
        for part in parts:
            part.close()


def drawn(embedder: Embedder, person: int, *, size_px: int, light: float = 1.0) -> ImageBGR:
    """Return the aligned crop of a drawn face."""
    image = np.full((240, 320, 3), (70, 120, 90), dtype=np.uint8)
    draw_face(image, person, centre_xy=(150, 120), size_px=size_px, light=light)
    return align(image, FakeDetector().detect(image)[0], embedder.template)


def in_dlibs_words(face: Face) -> object:
    """Return a face as dlib's ``full_object_detection``."""
    import dlib

    left, top, right, bottom = (round(edge) for edge in face.box_xyxy)
    points = [dlib.point(int(x), int(y)) for x, y in face.landmarks_xy.tolist()]
    return dlib.full_object_detection(dlib.rectangle(left, top, right, bottom), points)


@pytest.mark.parametrize("batch", ["N", 1])
def test_a_network_that_normalises_itself_gets_the_pixels_as_they_are(tmp_path: Path, batch: str | int) -> None:
    """Two networks that compute the same, one with the normalisation inside; with any batch or with one face."""
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, (112, 112, 3), dtype=np.uint8) for _ in range(3)]
    plain = ArcfaceEmbedder(write_network(tmp_path / "plain.onnx", batch, normalises=False))
    complete = ArcfaceEmbedder(write_network(tmp_path / "complete.onnx", batch, normalises=True))
    assert plain.dimension == complete.dimension == 64
    assert np.allclose(plain.embed(crops), complete.embed(crops), atol=1e-4)
    mean = (np.mean([crop[..., ::-1].reshape(-1, 3) for crop in crops], axis=1) - 127.5) / 127.5
    expected = mean @ np.random.default_rng(1).normal(size=(3, 64))
    assert np.allclose(plain.embed(crops), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-3)


def write_network(path: Path, batch: str | int, *, normalises: bool) -> Path:
    """Write a network that maps the mean colour of a crop to 64 numbers."""
    weights = np.random.default_rng(1).normal(size=(3, 64)).astype(np.float32)
    first = [("Sub", ["crop", "mean"], ["shifted"]), ("Mul", ["shifted", "scale"], ["pixels"])] if normalises else []
    layers = [
        ("GlobalAveragePool", ["pixels" if normalises else "crop"], ["pooled"]),
        ("Flatten", ["pooled"], ["colour"]),
        ("MatMul", ["colour", "weights"], ["embedding"]),
    ]
    graph = helper.make_graph(
        [helper.make_node(*node) for node in (*first, *layers)],
        "g",
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, [batch, 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, 64])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(127.5, dtype=np.float32), "mean"),
            numpy_helper.from_array(np.array(1 / 127.5, dtype=np.float32), "scale"),
        ],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("answer", [np.zeros((1, 4)), np.full((1, 4), np.nan), np.ones((1, 3))], ids=str)
def test_numbers_without_a_direction_are_an_error_of_the_model(answer: np.ndarray) -> None:
    """All zeros, no numbers, or too few of them never become an embedding."""
    crop = np.zeros((8, 8, 3), dtype=np.uint8)
    with pytest.raises(ModelError, match="no usable embedding"):
        embed_checked("odd", [crop], shape=(8, 8, 3), dimension=4, run=lambda _crops: answer)


def test_a_failing_runtime_is_an_error_of_the_model() -> None:
    """Whatever a runtime raises has our type and the model's name."""

    def fail(_crops: list[ImageBGR]) -> FloatArray:
        raise RuntimeError("out of something")

    with pytest.raises(ModelError, match="odd failed: out of something"):
        embed_checked("odd", [np.zeros((8, 8, 3), dtype=np.uint8)], shape=(8, 8, 3), dimension=4, run=fail)
