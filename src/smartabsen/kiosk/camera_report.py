"""Tells the database what is wrong with a kiosk's camera, for the dashboard and the doctor of every machine."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from ..app.bootstrap import Services
from ..kernel.domain import CameraTrouble, KioskEvent, KioskEventKind
from ..kernel.errors import SmartAbsenError
from . import camera_trouble_rows

AGAIN_S: Final = 5.0
"""A database that does not answer is told again after so long."""


class CameraReport:
    """Writes the state of a kiosk's camera, in a thread of its own. Use it in a ``with`` block.

    Only the last state counts; a database that is away learns it when it is back. What stands at the end of a kiosk
    stays: the camera of a kiosk that was switched off because of it is still broken. The next start of the kiosk takes
    it back, and finds out anew.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._trouble: CameraTrouble | None = None
        self._thread = threading.Thread(target=self._run, name="camera report", daemon=True)

    def __enter__(self) -> Self:
        self._changed.set()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._changed.set()
        self._thread.join(timeout=5.0)

    def note(self, event: KioskEvent) -> None:
        """Take a kiosk's event; only those of its camera are kept."""
        if event.kind is KioskEventKind.CAMERA_LOST:
            self._trouble = CameraTrouble(self._services.kiosk_name, event.detail, event.params, event.at)
        elif event.kind is KioskEventKind.CAMERA_BACK:
            self._trouble = None
        else:
            return
        self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            ends = self._stop.is_set()
            if not self._write(self._trouble):
                if ends or self._stop.wait(AGAIN_S):
                    return
                self._changed.set()
            elif ends:
                return

    def _write(self, trouble: CameraTrouble | None) -> bool:
        try:
            with self._services.database.write() as session:
                if trouble is None:
                    camera_trouble_rows.clear(session, self._services.kiosk_name)
                else:
                    camera_trouble_rows.put(session, trouble)
        except SmartAbsenError:
            return False
        return True
