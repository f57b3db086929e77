"""A preview window on the machine's display."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..kernel.i18n import N_
from .capture import quiet_cv2

if TYPE_CHECKING:
    from ..kernel.domain import ImageBGR

_PROBE: Final = """
import sys
try:
    import cv2
    cv2.namedWindow("smartabsen")
    cv2.destroyAllWindows()
except Exception:
    sys.exit(3)
"""
_PROBE_TIMEOUT_S: Final = 10.0
_QUIT_KEYS: Final = frozenset({ord("q"), ord("Q"), 27})


def can_show() -> str | None:
    """Say why no window can be shown, as a message id; None when one can.

    Qt does not raise without a usable display: it aborts the process. So a child process tries first (about half a
    second), unless it is plain that there is no display.
    """
    if sys.platform not in ("win32", "darwin") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return N_("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    _choose_bundled_platform()
    try:
        probe = subprocess.run(  # noqa: S603 - our own interpreter with our own text
            [sys.executable, "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return N_("the display does not answer")
    if probe.returncode == 3:
        return N_("this OpenCV was built without windows (opencv-python-headless)")
    if probe.returncode != 0:
        return N_("the display does not answer, or refuses this user")
    return None


class PreviewWindow:
    """One window that shows images. Use it from the main thread, after :func:`can_show` returned None.

    Args:
        title: The window's title.
    """

    def __init__(self, title: str) -> None:
        self.wants_quit = False
        """Whether the person pressed q or Esc, or closed the window."""
        self._title = title
        self._shown = False

    def show(self, image_bgr: ImageBGR) -> None:
        """Show an image, uint8 (H, W, 3), and take note of keys. After a wish to quit nothing is shown any more."""
        if self.wants_quit:
            return
        cv2 = quiet_cv2()
        # Before imshow: it would open a window again that the person has closed.
        if self._shown and not self._is_open():
            self.wants_quit = True
            return
        if not self._shown:
            # Without Qt's tool bar and context menu, free to be resized.
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(self._title, image_bgr.shape[1], image_bgr.shape[0])
            self._shown = True
        cv2.imshow(self._title, image_bgr)
        self.wants_quit = cv2.waitKey(1) & 0xFF in _QUIT_KEYS

    def close(self) -> None:
        """Close the window. Closing twice is harmless."""
        if not self._shown:
            return
        self._shown = False
        cv2 = quiet_cv2()
        if self._is_open():
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)

    def _is_open(self) -> bool:
        cv2 = quiet_cv2()
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1)
        except cv2.error:
            # Qt ends its own thread with its last window.
            return False


def _choose_bundled_platform() -> None:
    """Let OpenCV's Qt use the platform that its wheel carries (X11), where the desktop's own Qt was told another one.

    Wayland desktops set QT_QPA_PLATFORM=wayland for all programs, and offer X11 as well.
    """
    if sys.platform in ("win32", "darwin") or not os.environ.get("DISPLAY"):
        return
    plugins = Path(str(quiet_cv2().__file__)).parent / "qt" / "plugins" / "platforms"
    wanted = os.environ.get("QT_QPA_PLATFORM", "xcb").split(";")[0].split(":")[0]
    if plugins.is_dir() and not (plugins / f"libq{wanted}.so").exists():
        os.environ["QT_QPA_PLATFORM"] = "xcb"
