"""What a kiosk remembers of its camera's last frames over a restart: digests and coarse waves, never a picture."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ..camera.address import display_name, lock_key
from ..kernel.errors import StorageError
from ..kernel.reading import read_bytes
from ..recognition.liveness.freshness import FreshnessWatch, pack, unpack
from ..store.files import write_atomically

DIRECTORY = "frames"


class RememberedFrames:
    """Keeps the frames of one camera in the home; a file that cannot be read or written costs the memory, nothing else.

    Args:
        home: Directory of the installation.
        camera: As a person names it: two names of one device share a file.
    """

    def __init__(self, home: Path, camera: str) -> None:
        name = sha256((lock_key(camera) or display_name(camera)).encode()).hexdigest()[:16]
        self._path = home / DIRECTORY / f"{name}.bin"
        try:
            data = read_bytes(self._path)
        except OSError:
            data = b""
        self.watch = FreshnessWatch(kept=unpack(data))
        """Watches the camera, and knows what was kept."""

    def keep(self) -> None:
        """Write the last frames down."""
        with suppress(StorageError):
            write_atomically(self._path, pack(self.watch.worth_keeping))
