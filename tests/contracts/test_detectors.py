"""What every detector does: the fake one on drawn faces, the real ones on a photo of six people."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import Face, ImageBGR, LandmarkScheme
from smartabsen.kernel.errors import InvalidInputError, ModelDamagedError
from smartabsen.recognition.detectors import DETECTORS
from smartabsen.recognition.detectors.base import Detector
from smartabsen.recognition.detectors.fake import draw_face
from smartabsen.recognition.engines import build_detector, find_haar_cascade
from smartabsen.recognition.runtime import find_dlib_file

T1_CENTRES = ((518, 341), (958, 133), (112, 330), (796, 411), (320, 207), (1180, 335))
"""Where the faces of insightface's group photo are."""
GREY = np.full((480, 640, 3), 128, dtype=np.uint8)


def centre(face: Face) -> tuple[float, float]:
    left, top, right, bottom = face.box_xyxy
    return (left + right) / 2, (top + bottom) / 2


def area(face: Face) -> float:
    left, top, right, bottom = face.box_xyxy
    return (right - left) * (bottom - top)


def contains(face: Face, point: tuple[float, float]) -> bool:
    left, top, right, bottom = face.box_xyxy
    return left < point[0] < right and top < point[1] < bottom


def eyes_and_nose(face: Face) -> np.ndarray:
    """Return left eye, right eye and nose, whichever scheme the face has."""
    points = face.landmarks_xy
    if face.scheme is LandmarkScheme.DLIB5:
        return np.array([points[2:4].mean(axis=0), points[0:2].mean(axis=0), points[4]])
    return points[:3]


def cut(image: ImageBGR, face: Face, margin: float) -> ImageBGR:
    """Return the surroundings of a face, ``margin`` being a part of its box."""
    left, top, right, bottom = face.box_xyxy
    x, y = margin * (right - left), margin * (bottom - top)
    rows = slice(max(0, round(top - y)), round(bottom + y))
    return image[rows, max(0, round(left - x)) : round(right + x)]


class DetectorContract:
    """Subclass with ``name``, and ``fewest`` where a detector is known to find fewer faces than there are."""

    name: ClassVar[str]
    fewest: ClassVar[int] = 6

    @pytest.fixture
    def detector(self, folder: Path) -> Iterator[Detector]:
        made = build_detector(self.name, models_dir=folder, threads=1)
        yield made
        made.close()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """The models directory; empty for detectors that come with the installation."""
        return tmp_path

    @pytest.fixture
    def image(self, t1_image: ImageBGR) -> ImageBGR:
        return t1_image

    @pytest.fixture
    def centres(self) -> tuple[tuple[int, int], ...]:
        return T1_CENTRES

    @pytest.fixture
    def faces(self, detector: Detector, image: ImageBGR, centres: tuple[tuple[int, int], ...]) -> list[Face]:
        """The faces that are in the picture, of those the detector gives."""
        return [face for face in detector.detect(image) if any(contains(face, point) for point in centres)]

    def test_says_what_it_is(self, detector: Detector, faces: list[Face]) -> None:
        """Name and landmarks are those of the registry and of its faces."""
        assert detector.name == self.name
        assert {face.scheme for face in faces} == {detector.scheme}

    def test_finds_the_faces(self, faces: list[Face], centres: tuple[tuple[int, int], ...]) -> None:
        """Each face is found once, though the frame was reduced."""
        assert len(faces) >= min(self.fewest, len(centres))
        assert all(sum(contains(face, point) for face in faces) <= 1 for point in centres)

    def test_gives_the_largest_face_first(self, detector: Detector, image: ImageBGR) -> None:
        """The one nearest to the camera is the first."""
        areas = [area(face) for face in detector.detect(image)]
        assert areas == sorted(areas, reverse=True)

    def test_landmarks_lie_in_the_face(self, faces: list[Face]) -> None:
        """Five points, the left eye left of the right one, the nose below them, all near the box."""
        for face in faces:
            assert face.landmarks_xy.shape == (5, 2)
            assert face.landmarks_xy.dtype == np.float32
            left_eye, right_eye, nose = eyes_and_nose(face)
            assert left_eye[0] < right_eye[0]
            assert nose[1] > max(left_eye[1], right_eye[1])
            reach = 0.8 * face.size_px
            assert np.abs(face.landmarks_xy - centre(face)).max() < reach

    def test_boxes_end_at_the_edges_of_the_image(self, detector: Detector, image: ImageBGR, faces: list[Face]) -> None:
        """A face that is cut off has a box within the image."""
        left, _, right, _ = faces[0].box_xyxy
        _height, width = image.shape[:2]
        half = image[:, : round(left + 0.75 * (right - left))] if left > width - right else image[:, round(left) + 10 :]
        for face in detector.detect(half):
            box = face.box_xyxy
            assert 0 <= box[0] < box[2] <= half.shape[1]
            assert 0 <= box[1] < box[3] <= half.shape[0]

    def test_coordinates_are_those_of_the_image_given(
        self, detector: Detector, image: ImageBGR, faces: list[Face]
    ) -> None:
        """The same picture four times as large has its face four times as far from the corner."""
        part = cut(image, faces[0], 0.8)
        large = np.asarray(cv2.resize(part, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        small_face, large_face = detector.detect(part)[0], detector.detect(large)[0]
        tolerance = 0.08 * large_face.size_px
        assert np.allclose(np.multiply(small_face.box_xyxy, 4), large_face.box_xyxy, atol=2 * tolerance)
        assert np.allclose(eyes_and_nose(small_face) * 4, eyes_and_nose(large_face), atol=tolerance)

    def test_finds_a_face_that_fills_the_picture(self, detector: Detector, image: ImageBGR, faces: list[Face]) -> None:
        """A crop along the box, large or small, is a face still."""
        for face in faces[:3]:
            crop = cut(image, face, 0.0)
            for height in (120, 900):
                factor = height / crop.shape[0]
                close = np.asarray(cv2.resize(crop, None, fx=factor, fy=factor), dtype=np.uint8)
                found = detector.detect(close)
                assert found
                assert contains(found[0], (close.shape[1] / 2, close.shape[0] / 2))

    def test_finds_nothing_where_nothing_is(self, detector: Detector) -> None:
        """Neither in a blank picture nor in noise, nor in one pixel."""
        noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
        assert [detector.detect(image) for image in (GREY, noise, GREY[:1, :1])] == [(), (), ()]

    @pytest.mark.parametrize("wrong", [GREY[..., 0], GREY.astype(np.float32), GREY[:0], None], ids=str)
    def test_refuses_what_is_no_image(self, detector: Detector, wrong: Any) -> None:
        """Grey, float, empty and missing images are named, not guessed at."""
        with pytest.raises(InvalidInputError, match="uint8 array"):
            detector.detect(wrong)

    def test_takes_a_view_and_leaves_it_as_it_is(self, detector: Detector, image: ImageBGR) -> None:
        """A mirrored view gives what its copy gives; the pixels stay."""
        view, copy = image[:, ::-1], image[:, ::-1].copy()
        boxes = [face.box_xyxy for face in detector.detect(view)]
        assert boxes == [face.box_xyxy for face in detector.detect(copy)]
        assert np.array_equal(view, copy)

    def test_works_in_another_thread(self, detector: Detector, image: ImageBGR) -> None:
        """Made here, used there."""
        with ThreadPoolExecutor(1) as pool:
            there = pool.submit(detector.detect, image).result()
        assert [face.box_xyxy for face in there] == [face.box_xyxy for face in detector.detect(image)]

    def test_closes_twice(self, detector: Detector) -> None:
        """The second time is harmless."""
        detector.close()
        detector.close()


class TestFake(DetectorContract):
    name = "fake"
    fewest = 3

    @pytest.fixture
    def centres(self) -> tuple[tuple[int, int], ...]:
        return ((150, 150), (400, 200), (900, 400))

    @pytest.fixture
    def image(self, centres: tuple[tuple[int, int], ...]) -> ImageBGR:
        image = np.full((720, 1280, 3), (70, 120, 90), dtype=np.uint8)
        for person, point in enumerate(centres):
            draw_face(image, person, centre_xy=point, size_px=120 + 40 * person)
        return image

    def test_a_turned_face_has_its_nose_aside(self, detector: Detector) -> None:
        """So that drawn faces can be refused for being turned away."""
        image = GREY.copy()
        draw_face(image, 1, centre_xy=(300, 200), size_px=200, turn=-1.0)
        left_eye, right_eye, nose = eyes_and_nose(detector.detect(image)[0])
        assert nose[0] < (left_eye[0] + right_eye[0]) / 2 - 30


class TestHog(DetectorContract):
    name = "hog"


class TestHaar(DetectorContract):
    name = "haar"
    fewest = 3


@pytest.mark.shared
class TestScrfd(DetectorContract):
    name = "scrfd"

    @pytest.fixture
    def folder(self, models_dir: Path) -> Path:
        return models_dir

    def test_finds_what_insightface_finds(self, models_dir: Path, image: ImageBGR) -> None:
        """Boxes, scores and landmarks are those of insightface's own class for the same input."""
        from insightface.model_zoo import SCRFD

        from smartabsen.recognition.detectors.scrfd import ScrfdDetector
        from smartabsen.recognition.runtime import load_onnx

        path = models_dir / "insightface" / "buffalo_sc" / "det_500m.onnx"
        picture = image[:864]  # both sides are multiples of 32, so that neither fills up or stretches
        theirs = SCRFD(str(path), session=load_onnx(path, threads=1), static_shape_sessions=False)
        boxes, landmarks = theirs.detect(picture, input_size=(1280, 864))
        ours = ScrfdDetector(path, max_side_px=1280, threads=1).detect(picture)
        order = np.argsort(-(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
        assert len(ours) == len(boxes) == 6
        found = np.array([(*face.box_xyxy, face.score) for face in ours])
        assert np.allclose(found, boxes[order], atol=0.01)
        assert np.allclose(np.stack([face.landmarks_xy for face in ours]), landmarks[order], atol=0.01)

    @pytest.mark.parametrize(("min_face_px", "searched"), [(0, 640), (60, 384), (36, 640), (400, 58)])
    def test_works_on_a_copy_as_small_as_the_smallest_face_allows(
        self, models_dir: Path, monkeypatch: pytest.MonkeyPatch, min_face_px: int, searched: int
    ) -> None:
        """Who wants no faces below 60 pixels waits for the search of a copy of 384, not of 640."""
        from smartabsen.recognition.detectors.scrfd import ScrfdDetector

        path = models_dir / "insightface" / "buffalo_sc" / "det_500m.onnx"
        detector = ScrfdDetector(path, threads=1, min_face_px=min_face_px)
        widths: list[int] = []
        search = detector._search
        monkeypatch.setattr(detector, "_search", lambda copy: (widths.append(copy.shape[1]), search(copy))[1])
        detector.detect(np.full((480, 640, 3), 90, dtype=np.uint8))
        assert widths[0] == searched

    def test_finds_the_faces_it_shall_find_in_the_smaller_copy(self, models_dir: Path, image: ImageBGR) -> None:
        """All that are as large as was said, and where they are in the whole image."""
        from smartabsen.recognition.detectors.scrfd import ScrfdDetector

        path = models_dir / "insightface" / "buffalo_sc" / "det_500m.onnx"
        found = ScrfdDetector(path, max_side_px=1280, threads=1, min_face_px=100).detect(image)
        assert all(any(contains(face, point) for face in found) for point in T1_CENTRES)

    def test_takes_a_model_of_one_size(self, models_dir: Path, image: ImageBGR, tmp_path: Path) -> None:
        """Some packs fix the input; the picture is then fitted into it."""
        import onnx

        from smartabsen.recognition.detectors.scrfd import ScrfdDetector

        model = onnx.load(models_dir / "insightface" / "buffalo_sc" / "det_500m.onnx")
        for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]:
            dimension.dim_value = 640
        onnx.save(model, tmp_path / "fixed.onnx")
        found = ScrfdDetector(tmp_path / "fixed.onnx", threads=1).detect(image)
        assert all(any(contains(face, point) for face in found) for point in T1_CENTRES)


@pytest.mark.shared
class TestYunet(DetectorContract):
    name = "yunet"

    @pytest.fixture
    def folder(self, models_dir: Path) -> Path:
        return models_dir

    @pytest.mark.parametrize("file", ["yunet/face_detection_yunet_2023mar.onnx", "sface/*yunet*int8bq.onnx"])
    @pytest.mark.parametrize("width", [640, 317])
    def test_finds_what_opencv_finds(self, models_dir: Path, image: ImageBGR, file: str, width: int) -> None:
        """The same network gives the same boxes, points and scores, whatever runs it and however its file packs it."""
        from smartabsen.recognition.detectors.yunet import YunetDetector

        (path,) = models_dir.glob(file)
        picture = np.asarray(cv2.resize(image, (width, width * 2 // 3)), dtype=np.uint8)
        theirs = cv2.FaceDetectorYN.create(str(path), "", (width, width * 2 // 3), YunetDetector.SCORE, 0.3)
        rows = theirs.detect(picture)[1].astype(np.float64)
        ours = YunetDetector(path, threads=1)._search(picture)
        assert len(rows) == len(ours.scores) > 2
        order, ours_order = np.argsort(-rows[:, 14]), np.argsort(-ours.scores)
        boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
        assert np.allclose(boxes[order], ours.boxes_xyxy[ours_order], atol=0.01)
        assert ours.landmarks_xy is not None
        assert np.allclose(rows[order, 4:14].reshape(-1, 5, 2), ours.landmarks_xy[ours_order], atol=0.01)
        assert np.allclose(rows[order, 14], ours.scores[ours_order], atol=1e-4)

    def test_refuses_another_network(self, models_dir: Path) -> None:
        """A face detector of another family has other outputs."""
        from smartabsen.recognition.detectors.yunet import YunetDetector

        with pytest.raises(ModelDamagedError, match=r"det_500m\.onnx"):
            YunetDetector(models_dir / "insightface" / "buffalo_sc" / "det_500m.onnx", threads=1)


@pytest.mark.shared
class TestRetail(DetectorContract):
    name = "retail"

    @pytest.fixture
    def folder(self, models_dir: Path) -> Path:
        return models_dir

    @pytest.mark.parametrize("shape", [(600, 1920), (1920, 600)])
    def test_finds_faces_in_long_pictures(
        self, detector: Detector, image: ImageBGR, faces: list[Face], shape: tuple[int, int]
    ) -> None:
        """What is longer than 16:9 is not squeezed beyond recognition."""
        face = cut(image, faces[0], 0.3)
        picture = np.full((*shape, 3), 90, dtype=np.uint8)
        top, left = (shape[0] - face.shape[0]) // 2, (shape[1] - face.shape[1]) // 2
        picture[top : top + face.shape[0], left : left + face.shape[1]] = face
        assert [contains(found, (shape[1] / 2, shape[0] / 2)) for found in detector.detect(picture)] == [True]


WEB_PAGE = b"<!DOCTYPE html><html><body>Not found</body></html>" * 100


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("hog", 0),
        ("haar", 0),
        ("haar", 1),
        ("scrfd", 0),
        ("yunet", 0),
        pytest.param("retail", 0, marks=pytest.mark.shared),
        pytest.param("retail", 1, marks=pytest.mark.shared),
    ],
)
@pytest.mark.parametrize("content", [WEB_PAGE, b""], ids=["web page", "empty"])
def test_a_damaged_file_is_named(
    name: str, good: int, content: bytes, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Whichever of its files holds something else: the error says which one, not what a runtime makes of it."""
    damaged = tmp_path / "damaged.xml"
    damaged.write_bytes(content)
    damaged.with_suffix(".bin").write_bytes(content)
    before: list[Path] = []
    if good:
        before = (
            [find_haar_cascade()]
            if name == "haar"
            else [request.getfixturevalue("models_dir") / "openvino" / "face-detection-retail-0004.xml"]
        )
    after = {"haar": [find_dlib_file("shape_predictor_5_face_landmarks.dat")], "retail": [damaged]}.get(name, [])
    with pytest.raises(ModelDamagedError, match=r"damaged\.xml"):
        DETECTORS.get_factory(name)(*before, damaged, *(after if not good else []))
