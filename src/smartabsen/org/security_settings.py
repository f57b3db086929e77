"""Which settings that protect something changed since the last start: by name, with both values, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..config import LoadedSettings
from ..kernel.errors import SmartAbsenError
from ..kernel.reading import parse_json, read_bytes
from ..store.files import write_atomically

_NAME: Final = "settings.json"
_SECTIONS: Final = ("signin.", "desk.", "server.", "liveness.", "privacy.")
_SECRETS: Final = frozenset({"server.secret_key"})


def note_settings(directory: Path, loaded: LoadedSettings) -> Mapping[str, str]:
    """Return what changed since the last call, as ``old -> new`` by name, and remember what is in force now.

    The first call of a home finds nothing. A file that cannot be read or written is no reason not to start.
    """
    path = directory / _NAME
    now = {
        each.name: str(each.value)
        for each in loaded.values()
        if each.name.startswith(_SECTIONS) and each.name not in _SECRETS
    }
    before = _read(path)
    if before == now:
        return {}
    try:
        write_atomically(path, json.dumps(now, indent=1, sort_keys=True).encode())
    except SmartAbsenError:
        return {}
    return {name: f"{before[name]} -> {value}" for name, value in now.items() if before.get(name, value) != value}


def _read(path: Path) -> dict[str, str]:
    try:
        stored: Any = parse_json(read_bytes(path))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}
