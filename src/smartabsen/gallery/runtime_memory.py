"""Which runtime is the faster one here: tried once for each model on each machine, and remembered in the home."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from ..kernel.errors import StorageError
from ..kernel.reading import parse_json, read_text
from ..recognition.execution import RUNTIMES, Trial, choose_runtime, try_runtimes
from ..recognition.runtime import count_threads, digest_files
from ..store.files import write_atomically

FILE_NAME: Final = "runtimes.json"
_PACKAGES: Final = ("onnxruntime", "openvino")


class RuntimeMemory:
    """Remembers self-tests. A file that is damaged or cannot be written costs a new test, nothing else.

    Args:
        home: Directory of the installation.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / FILE_NAME
        self.tried: dict[str, tuple[Trial, ...]] = {}
        """The self-tests that decided about the models of this process, by file name."""

    def choose(self, path: Path, threads: int) -> str:
        """Return the runtime for a model file; the first time on a machine, try them.

        Raises:
            ModelDamagedError: The file is no ONNX model.
        """
        key = _key(path, threads)
        trials = self._find(key)
        if trials is None:
            trials = try_runtimes(path, threads=threads)
            self._remember(key, trials)
        self.tried[path.name] = trials
        return choose_runtime(trials)

    def _find(self, key: str) -> tuple[Trial, ...] | None:
        try:
            return tuple(Trial(**trial) for trial in self._read()[key])
        except (KeyError, TypeError):
            return None

    def _read(self) -> dict[str, Any]:
        try:
            stored = parse_json(read_text(self._path, encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stored if isinstance(stored, dict) else {}

    def _remember(self, key: str, trials: tuple[Trial, ...]) -> None:
        stored = self._read()
        stored[key] = [
            {"runtime": trial.runtime, "milliseconds": trial.milliseconds, "cosine": trial.cosine} for trial in trials
        ]
        with contextlib.suppress(StorageError):
            write_atomically(self._path, (json.dumps(stored, indent=2) + "\n").encode())


def _key(path: Path, threads: int) -> str:
    """Return what a self-test depends on: the model, the machine, the runtimes and their versions, the threads."""
    facts = [digest_files([path]), platform.node(), platform.machine(), platform.processor(), count_threads(threads)]
    return hashlib.sha256(json.dumps([*facts, *RUNTIMES, *map(_version, _PACKAGES)]).encode()).hexdigest()[:32]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
