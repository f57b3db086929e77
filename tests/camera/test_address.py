"""What people write to name a camera."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smartabsen.camera.address import display_name, kind_of, lock_key
from smartabsen.camera.sources import open_source
from smartabsen.kernel.errors import CameraError


def test_each_way_of_writing_names_its_kind(tmp_path: Path) -> None:
    """A number is a device, an address a stream, a path what lies there."""
    (tmp_path / "film.avi").touch()
    (tmp_path / "photo.JPG").touch()
    assert kind_of("0") == kind_of(" 12 ") == kind_of("/dev/video3") == "device"
    assert kind_of("RTSP://host/1") == kind_of("https://host/v.mjpg") == "stream"
    assert kind_of(str(tmp_path / "film.avi")) == "video"
    assert kind_of(str(tmp_path)) == kind_of(str(tmp_path / "photo.JPG")) == "folder"


@pytest.mark.parametrize("spec", ["", "   ", "no/such/film.mp4", "rtps://host/1", "-1"])
def test_what_names_no_camera_is_an_error_with_a_way_out(spec: str) -> None:
    """A typing mistake is told, with what would be right."""
    with pytest.raises(CameraError) as caught:
        open_source(spec)
    assert "rtsp://" in caught.value.hint


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("rtsp://admin:rahasia@10.0.0.7:554/h264", "rtsp://admin:***@10.0.0.7:554/h264"),
        ("rtsp://admin:rah@asia#1/2@10.0.0.7/h264", "rtsp://admin:***@10.0.0.7/h264"),
        ("rtsp://10.0.0.7/h264", "rtsp://10.0.0.7/h264"),
        ("http://10.0.0.7/v.cgi?user=admin&pwd=rahasia&res=2", "http://10.0.0.7/v.cgi?user=admin&pwd=***&res=2"),
        ("rtsp://10.0.0.7/user=admin_password=rahasia_channel=1.sdp", "rtsp://10.0.0.7/user=admin_password=***"),
        ("rtsp://admin@10.0.0.7/h264", "rtsp://admin@10.0.0.7/h264"),
        ("admin:rahasia@10.0.0.7/h264", "admin:***@10.0.0.7/h264"),
        ("0", "0"),
        ("film.mp4", "film.mp4"),
    ],
)
def test_no_password_is_ever_shown(spec: str, shown: str) -> None:
    """Also not one that was not percent-encoded, nor one in a field of the address."""
    assert display_name(spec) == shown


def test_a_camera_without_its_scheme_is_not_found_and_its_password_not_told() -> None:
    """Who forgets rtsp:// has typed the password all the same."""
    with pytest.raises(CameraError) as caught:
        kind_of("admin:rahasia@10.0.0.7/h264")
    assert "rahasia" not in str(caught.value)


def test_one_stream_has_one_key_whoever_signs_in() -> None:
    """User, password, case of the host and the default port make no other camera; the path does."""
    key = lock_key("rtsp://10.0.0.7/1")
    assert key == lock_key("RTSP://admin:x@10.0.0.7:554/1") == lock_key("rtsp://10.0.0.7:554/1")
    assert key != lock_key("rtsp://10.0.0.7/2")
    assert lock_key("rtsp://CAM.local/1") == lock_key("rtsp://cam.local/1")


@pytest.mark.skipif(sys.platform != "linux", reason="device nodes are Linux's")
def test_one_device_has_one_key_however_it_is_written(tmp_path: Path) -> None:
    """The number and the node of a device are the same camera; another number is not."""
    assert lock_key("0") == lock_key("00") == lock_key("/dev/video0") != lock_key("1")


def test_recordings_have_no_key(tmp_path: Path) -> None:
    """Any number of processes may read one file."""
    assert lock_key(str(tmp_path)) is None
    assert lock_key("film.mp4") is None
