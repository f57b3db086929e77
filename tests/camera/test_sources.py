"""What every source of frames does, and what each kind does besides."""

from __future__ import annotations

import itertools
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pytest
from PIL import Image

from smartabsen.camera import device
from smartabsen.camera.base import MAX_PIXELS, Frame, FrameSource, OpenOptions
from smartabsen.camera.device import DeviceSource
from smartabsen.camera.fake import FakeSource
from smartabsen.camera.film import write_video
from smartabsen.camera.grabber import LatestFrame
from smartabsen.camera.picture import write_picture
from smartabsen.camera.sources import open_source
from smartabsen.camera.stream import StreamSource
from smartabsen.kernel.errors import CameraError


def grey(level: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """An image of one grey, ``size`` as (width, height)."""
    return np.full((size[1], size[0], 3), level, np.uint8)


def level_of(frame: Frame) -> int:
    """The grey of a frame, rounded to the steps of ten that these tests use."""
    return round(float(frame.image_bgr.mean()) / 10) * 10


def write_pictures(folder: Path, names: dict[str, int]) -> None:
    """Write one-grey pictures: name to level."""
    for name, level in names.items():
        write_picture(folder / name, grey(level))


def all_frames(source: FrameSource) -> list[Frame]:
    """Read a recording to its end, and close it."""
    frames = []
    while (frame := source.read(1.0)) is not None:
        frames.append(frame)
    source.close()
    return frames


class FakeCapture:
    """Stands in for cv2.VideoCapture on a machine without a camera."""

    opened: ClassVar[list[tuple[Any, ...]]] = []
    broken_sizes: ClassVar[bool] = False
    silent: ClassVar[bool] = False

    def __init__(self, *args: Any) -> None:
        self.opened.append(args)
        self.sized = False
        self.settings: dict[int, float] = {}

    def isOpened(self) -> bool:
        return True

    def set(self, prop: int, value: float) -> bool:
        self.settings[prop] = value
        return True

    def get(self, prop: int) -> float:
        return 64.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        import cv2

        if self.silent or (self.broken_sizes and cv2.CAP_PROP_FRAME_WIDTH in self.settings):
            return False, None
        return True, grey(100)

    def release(self) -> None:
        pass


@pytest.fixture
def a_camera(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[FakeCapture]]:
    """A machine with two cameras, each with a second node for metadata, as the kernel shows them."""
    import cv2

    for number, (name, index) in enumerate((("HD Webcam", 0), ("HD Webcam", 1), ("Door", 0), ("Door", 1))):
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / f"video{number}").touch()
        about = tmp_path / "sys" / f"video{number}"
        about.mkdir(parents=True)
        (about / "name").write_text(f"{name}\n")
        (about / "index").write_text(f"{index}\n")
    monkeypatch.setattr(device, "_DEVICES", tmp_path / "dev")
    monkeypatch.setattr(device, "_DEVICE_NAMES", tmp_path / "sys")
    monkeypatch.setattr(device, "device_node", lambda spec: str(tmp_path / "dev" / f"video{spec}"))
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    FakeCapture.opened.clear()
    yield FakeCapture
    FakeCapture.broken_sizes = FakeCapture.silent = False


class NetworkCamera(Protocol):
    """What the fixture ``start_camera`` makes."""

    url: str

    def unplug(self) -> None: ...


class SourceContract(ABC):
    """What every source does; a new kind adds a class that makes one."""

    @pytest.fixture
    @abstractmethod
    def source(self, tmp_path: Path) -> FrameSource:
        """A source with at least three frames."""

    def test_frames_are_colour_images_in_order(self, source: FrameSource) -> None:
        """Frames are uint8 (H, W, 3); index and time go up."""
        frames = [source.read(5.0) for _ in range(3)]
        source.close()
        for frame in frames:
            assert frame is not None
            assert frame.image_bgr.dtype == np.uint8
            assert frame.image_bgr.ndim == 3
            assert frame.image_bgr.shape[2] == 3
        stamps = [(frame.index, frame.at_s) for frame in frames if frame is not None]
        assert stamps == sorted(set(stamps))
        assert stamps[0][0] == 0 or source.live

    def test_frames_are_the_readers_to_keep(self, source: FrameSource) -> None:
        """Drawing on one frame changes no later one."""
        first = source.read(5.0)
        assert first is not None
        first.image_bgr[:] = 1
        second = source.read(5.0)
        source.close()
        assert second is not None
        assert second.image_bgr.mean() > 5

    def test_closing_twice_is_harmless_and_reading_then_is_an_error(self, source: FrameSource) -> None:
        """A closed source says so."""
        source.close()
        source.close()
        with pytest.raises(CameraError):
            source.read(0.1)


class TestFake(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FrameSource:
        return FakeSource([grey(level) for level in (10, 20, 30)])


class TestLatestFrame(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FrameSource:
        return LatestFrame(FakeSource((grey(100) for _ in range(1000)), live=True, period_s=0.005))


class TestVideo(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FrameSource:
        write_video(tmp_path / "100%02d.avi", (grey(level) for level in (10, 60, 110)), fps=8)
        return open_source(str(tmp_path / "100%02d.avi"))

    def test_every_frame_is_given_with_the_recordings_own_time(self, source: FrameSource) -> None:
        """Nothing is dropped, however slow the reader is; times are those of the recording."""
        frames = all_frames(source)
        assert [level_of(frame) for frame in frames] == [10, 60, 110]
        assert [frame.at_s for frame in frames] == pytest.approx([0.0, 0.125, 0.25])

    def test_the_frame_rate_gives_the_time_where_the_recording_states_none(
        self, source: FrameSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A container whose time stands still does not stop the clock."""
        capture = source._capture  # type: ignore[attr-defined]

        class Timeless:
            read, release = capture.read, capture.release

            @staticmethod
            def get(prop: int) -> float:
                return 0.0

        monkeypatch.setattr(source, "_capture", Timeless())
        assert [frame.at_s for frame in all_frames(source)] == pytest.approx([0.0, 0.125, 0.25])

    def test_a_text_file_that_calls_itself_a_video_is_refused_quietly(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """One clear error, and not a word from OpenCV or FFmpeg on stderr."""
        (tmp_path / "film.mp4").write_text("not a film\n" * 500)
        with pytest.raises(CameraError, match="not a video that can be read"):
            open_source(str(tmp_path / "film.mp4"))
        assert capfd.readouterr().err == ""


class TestFolder(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FrameSource:
        write_pictures(tmp_path, {"frame10.png": 30, "frame2.jpg": 20, "FRAME1.JPG": 10})
        return open_source(str(tmp_path))

    def test_pictures_come_in_the_order_a_person_expects(self, source: FrameSource) -> None:
        """Frame 2 comes before frame 10."""
        assert [level_of(frame) for frame in all_frames(source)] == [10, 20, 30]

    def test_what_cannot_be_used_is_skipped_with_a_reason(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """A broken, an empty and an enormous picture are named; the rest is played, and times keep their places."""
        write_pictures(tmp_path, {"a.png": 50, "e.png": 90})
        (tmp_path / "b.jpg").write_bytes(b"no picture")
        (tmp_path / "c.jpg").touch()
        Image.new("L", (6000, 6000)).save(tmp_path / "d.png")
        write_picture(tmp_path / "f.png", np.random.default_rng(1).integers(0, 256, (99, 99, 3), np.uint8))
        whole = (tmp_path / "f.png").read_bytes()
        (tmp_path / "f.png").write_bytes(whole[: len(whole) // 2])
        (tmp_path / ".g.png").write_bytes(whole)
        (tmp_path / "notes.txt").write_text("not a picture, and no reason to complain")
        told: list[CameraError] = []
        frames = all_frames(open_source(str(tmp_path), on_skip=told.append))
        assert [(frame.index, level_of(frame), frame.at_s) for frame in frames] == [(0, 50, 0.0), (4, 90, 0.8)]
        assert [Path(str(error.params["path"])).name for error in told] == ["b.jpg", "c.jpg", "d.png", "f.png"]
        assert f"over {MAX_PIXELS // 1_000_000} megapixels" in str(told[2])
        assert capfd.readouterr().err == ""

    def test_a_phones_picture_is_turned_upright(self, tmp_path: Path) -> None:
        """The EXIF orientation is honoured: a picture stored on its side comes out standing."""
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (80, 40), (200, 100, 50)).save(tmp_path / "phone.jpg", exif=exif)
        (frame,) = all_frames(open_source(str(tmp_path / "phone.jpg")))
        assert frame.image_bgr.shape == (80, 40, 3)

    def test_a_folder_without_a_usable_picture_is_an_error(self, tmp_path: Path) -> None:
        """Empty: on opening. With broken pictures only: at the end, instead of a silent nothing."""
        with pytest.raises(CameraError, match="no picture in the folder"):
            open_source(str(tmp_path))
        (tmp_path / "a.jpg").touch()
        with pytest.raises(CameraError, match="None of the 1 pictures"):
            open_source(str(tmp_path)).read(1.0)


class TestStream(SourceContract):
    @pytest.fixture
    def source(self, start_camera: Callable[..., NetworkCamera]) -> FrameSource:  # type: ignore[override]
        self.camera = start_camera()
        return open_source(self.camera.url)

    def test_the_name_carries_no_password(self, source: FrameSource) -> None:
        """What is shown and logged does not give the camera away."""
        source.close()
        assert "rahasia" not in source.name

    def test_a_stream_that_breaks_off_is_an_error(self, source: FrameSource) -> None:
        """A live source never ends like a recording."""
        assert source.read(1.0) is not None
        self.camera.unplug()
        with pytest.raises(CameraError, match="no pictures any more"):
            for _ in range(200):
                source.read(1.0)
        source.close()

    @pytest.mark.parametrize("scheme", ["rtsp", "http"])
    def test_a_peer_that_never_answers_costs_no_more_than_the_timeout(
        self, scheme: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """OpenCV's own default would be 30 s; and the error does not show the password."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"{scheme}://admin:rahasia@127.0.0.1:{silent.getsockname()[1]}/"
            started = time.monotonic()
            with pytest.raises(CameraError) as caught:
                StreamSource(url, OpenOptions(open_timeout_s=0.3))
        assert time.monotonic() - started < 2.0
        assert "rahasia" not in f"{caught.value} {caught.value.hint}"
        assert capfd.readouterr().err == ""


@pytest.mark.skipif("sys.platform != 'linux'", reason="device nodes are Linux's")
class TestDevice(SourceContract):
    @pytest.fixture
    def source(self, a_camera: type[FakeCapture]) -> FrameSource:  # type: ignore[override]
        return DeviceSource("0", OpenOptions())

    def test_a_missing_camera_lists_those_there_are(self, a_camera: type[FakeCapture]) -> None:
        """Each camera once, by number and product name."""
        with pytest.raises(CameraError, match="no camera 7") as caught:
            DeviceSource("7", OpenOptions())
        assert "0 (HD Webcam), 2 (Door)" in caught.value.hint

    def test_a_camera_that_may_not_be_opened_says_how_to_mend_it(
        self, a_camera: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On Linux the group video opens cameras."""
        monkeypatch.setattr(device.os, "access", lambda *args: False)
        with pytest.raises(CameraError, match="may not open") as caught:
            DeviceSource("0", OpenOptions())
        assert "group “video”" in caught.value.hint

    def test_a_camera_that_dislikes_our_size_is_taken_as_it_is(self, a_camera: type[FakeCapture]) -> None:
        """Some drivers accept 1280x720 and then send nothing."""
        a_camera.broken_sizes = True
        assert DeviceSource("0", OpenOptions()).read(1.0) is not None
        assert len(a_camera.opened) == 2

    def test_a_camera_that_gives_no_picture_is_refused_when_it_is_opened(self, a_camera: type[FakeCapture]) -> None:
        """A device held by another program opens, and stays silent."""
        a_camera.silent = True
        with pytest.raises(CameraError, match="gives no picture"):
            DeviceSource("0", OpenOptions())

    def test_a_camera_pulled_out_is_an_error(self, a_camera: type[FakeCapture], source: FrameSource) -> None:
        """A live source never ends like a recording."""
        source.read(1.0)
        a_camera.silent = True
        with pytest.raises(CameraError, match="no pictures any more"):
            source.read(1.0)


def test_a_frame_of_enormous_size_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A video that states 64 megapixels is not decoded."""
    import cv2

    monkeypatch.setattr(FakeCapture, "get", lambda self, prop: 8000.0)
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    (tmp_path / "film.mp4").touch()
    with pytest.raises(CameraError, match="too large: 8000x8000"):
        open_source(str(tmp_path / "film.mp4"))


@pytest.mark.shared
def test_a_real_recording_is_played_whole(shared_dir: Path) -> None:
    """All 345 frames of a phone's recording, upright and in time."""
    frames = all_frames(open_source(str(shared_dir / "faces" / "video" / "one_person.mp4")))
    assert len(frames) == 345
    assert frames[0].image_bgr.shape == (568, 320, 3)
    assert all(0 < later.at_s - earlier.at_s < 0.2 for earlier, later in itertools.pairwise(frames))
