"""The preview window, without a display."""

from __future__ import annotations

import subprocess
import sys
import types

import numpy as np
import pytest

from smartabsen.camera import window
from smartabsen.camera.window import PreviewWindow, can_show

IMAGE = np.zeros((48, 64, 3), np.uint8)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="displays are X11's here")


class FakeScreen(types.ModuleType):
    """Stands in for the windows of cv2; ``key`` is pressed, ``closed`` is the window's x."""

    WND_PROP_VISIBLE, WINDOW_NORMAL, WINDOW_KEEPRATIO, WINDOW_GUI_NORMAL = range(4)
    error = RuntimeError

    def __init__(self) -> None:
        super().__init__("cv2")
        self.key = -1
        self.closed = False
        self.shown = 0

    def namedWindow(self, title: str, flags: int) -> None: ...

    def resizeWindow(self, title: str, width: int, height: int) -> None: ...

    def destroyWindow(self, title: str) -> None:
        self.closed = True

    def imshow(self, title: str, image: np.ndarray) -> None:
        self.shown += 1

    def waitKey(self, delay: int) -> int:
        return self.key

    def getWindowProperty(self, title: str, prop: int) -> float:
        if self.closed:
            raise RuntimeError("NULL guiReceiver (please create a window)")
        return 1.0


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> FakeScreen:
    """A screen in place of cv2's."""
    screen = FakeScreen()
    monkeypatch.setattr(window, "quiet_cv2", lambda: screen)
    return screen


@on_linux
def test_without_a_display_there_is_a_reason_and_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of no other process: a server without a display answers at once."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(subprocess, "run", None)
    assert "no display" in (can_show() or "")


@on_linux
@pytest.mark.parametrize("names", [{"DISPLAY": ":7777"}, {"WAYLAND_DISPLAY": "wayland-7777"}])
def test_a_display_that_does_not_answer_is_found_out_without_dying(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, str]
) -> None:
    """Qt would abort this very process."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert "does not answer" in (can_show() or "")


@on_linux
def test_an_opencv_without_windows_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headless wheel raises instead of aborting."""
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess(args, 3))
    assert "headless" in (can_show() or "")


@pytest.mark.parametrize("key", [ord("q"), ord("Q"), 27])
def test_q_and_escape_are_a_wish_to_quit(screen: FakeScreen, key: int) -> None:
    """No other key is."""
    preview = PreviewWindow("kiosk")
    screen.key = ord("x")
    preview.show(IMAGE)
    assert not preview.wants_quit
    screen.key = key
    preview.show(IMAGE)
    assert preview.wants_quit


def test_a_closed_window_is_a_wish_to_quit_and_stays_closed(screen: FakeScreen) -> None:
    """The window's x ends the session; imshow would open the window again."""
    preview = PreviewWindow("kiosk")
    preview.show(IMAGE)
    screen.closed = True
    preview.show(IMAGE)
    preview.show(IMAGE)
    assert preview.wants_quit
    assert screen.shown == 1
    preview.close()
    preview.close()
