"""The keys of one installation: read from where they are kept, made once, added to, and never shown.

They come from one of three places: a text that was given (an environment variable), a file (``secrets/keys.json`` in
the home, a systemd credential), or nowhere yet. Only the file in the home is ever written. It is JSON::

    {"format": 1, "active": "0a1b2c3d4e5f", "keys": [{"id": "...", "key": "<base64>", "made_at": "..."}]}

A given text is that same JSON, or keys in base64 separated by commas of which the first is active. The id of a key
follows from the key, so a key under another one's id is noticed.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ..kernel.errors import ConflictError, KeyMissingError, KeyUnreadableError
from ..kernel.i18n import N_
from ..kernel.reading import blocking_place, parse_json, read_text, user_name
from ..store.file_lock import file_lock
from ..store.files import remove_abandoned, storage_errors, write_atomically
from .sealing import KEY_BYTES, KeyRing, key_id_of

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What may be told about a key.

    Attributes:
        id: Follows from the key.
        made_at: UTC, None where that is not known.
        active: Whether it seals what is new.
    """

    id: str
    made_at: datetime | None
    active: bool


@dataclass(frozen=True, slots=True)
class _Keys:
    """The content of a key file. ``keys`` is in the order in which they were made."""

    active: str
    keys: dict[str, bytes]
    made_at: dict[str, str]

    def __repr__(self) -> str:
        return f"<{len(self.keys)} keys>"


class KeyChain:
    """The keys of one installation. Threads share one.

    Args:
        given: The keys themselves, as text; empty where they are in a file.
        path: The key file.
        writable: Whether the file is ours to make and to change.
        place: What ``given`` is called, for people.
    """

    def __init__(self, given: str, path: Path, *, writable: bool, place: str = "") -> None:
        self._given = given
        self.path = path
        self.writable = writable and not given
        self.place = place if given else str(path)
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._ring: KeyRing | None = None

    def ring(self) -> KeyRing:
        """Return the keys as they are now; a ring that opens nothing where there are none.

        The file is read again when it has changed: a running kiosk learns of a rotation.

        Raises:
            KeyMissingError: The file cannot be read, or holds no usable keys.
        """
        with self._lock:
            stamp = self._find_stamp()
            if self._ring is None or stamp != self._stamp:
                keys = self._load()
                self._ring = (
                    KeyRing.of(keys.keys, active=keys.active, place=self.place)
                    if keys
                    else KeyRing.of({}, active="", place=self.place)
                )
                self._stamp = stamp
            return self._ring

    @property
    def exists(self) -> bool:
        """Whether there is a key. Raises as :meth:`ring`."""
        return bool(self.ring().active)

    def facts(self) -> tuple[KeyFacts, ...]:
        """Return what may be told about the keys, the oldest first. Raises as :meth:`ring`."""
        keys = self._load()
        if keys is None:
            return ()
        return tuple(
            KeyFacts(name, _instant(keys.made_at.get(name, "")), active=name == keys.active) for name in keys.keys
        )

    def others_can_read(self) -> bool:
        """Whether somebody but the owner may read the key file; False where there are no such rights, or no file."""
        if self._given or os.name == "nt":
            return False
        try:
            return bool(self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
        except OSError:
            return False

    def create(self) -> tuple[KeyRing, bool]:
        """Make the first key, unless there is one; of several processes at once one makes it.

        Returns:
            The keys, and whether this call made the first one.

        Raises:
            KeyMissingError: The place is not ours to write.
            StorageError: It cannot be written.
        """
        made = False

        def change(keys: _Keys | None) -> _Keys | None:
            nonlocal made
            if keys is not None:
                return None
            made = True
            return _with_new_key(None)

        self._change(change)
        return self.ring(), made

    def add_key(self) -> KeyRing:
        """Make a further key, and make it the active one. Raises as :meth:`create`."""
        self._change(_with_new_key)
        return self.ring()

    def set_aside(self) -> Path:
        """Rename the key file, so that a new one can be made; return where it lies now. Raises StorageError."""
        aside = self.path.with_name(f"{self.path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        with file_lock(self._lock_path), storage_errors(self.path):
            if self.path.exists():
                self.path.rename(aside)
        return aside

    def forget(self, key_ids: frozenset[str]) -> None:
        """Drop keys that nothing is sealed with any more; the active one stays. Raises as :meth:`create`."""

        def change(keys: _Keys | None) -> _Keys | None:
            if keys is None:
                return None
            kept = {name: key for name, key in keys.keys.items() if name not in key_ids or name == keys.active}
            return replace(keys, keys=kept) if len(kept) < len(keys.keys) else None

        self._change(change)

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(f".{self.path.name}.lock")

    def _change(self, change: Callable[[_Keys | None], _Keys | None]) -> None:
        if not self.writable:
            raise KeyMissingError(
                N_("Keys cannot be made or changed in {place}: it is read only to smartabsen."),
                hint=N_("Make them where they are kept; the active one comes first. docs/privacy.md shows how."),
                place=self.place,
            )
        with file_lock(self._lock_path):
            changed = change(self._load())
            if changed is not None:
                remove_abandoned(self.path)
                write_atomically(self.path, _text(changed))

    def _find_stamp(self) -> tuple[int, int, int] | None:
        if self._given:
            return None
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _load(self) -> _Keys | None:
        if self._given:
            return self._parse(self._given)
        try:
            text = read_text(self.path, encoding="utf-8-sig")
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise _unreadable(self.path, exc) from exc
        except UnicodeDecodeError as exc:
            raise self._unusable() from exc
        return self._parse(text)

    def _parse(self, text: str) -> _Keys:
        try:
            return _parsed(text.strip())
        except (ValueError, KeyError, TypeError, AttributeError):
            # Without the cause: it could quote a key.
            raise self._unusable() from None

    def _unusable(self) -> KeyMissingError:
        return KeyMissingError(
            N_("{place} cannot be read as keys. Attendance can be read and recorded without them."),
            hint=N_("Put the key file back from where you keep it."),
            place=self.place,
        )


def _unreadable(path: Path, exc: OSError) -> KeyUnreadableError:
    hint = N_("The keys are not lost. Check the owner and the rights of {place}; smartabsen runs as “{user}” here.")
    return KeyUnreadableError(
        N_("The key file {path} cannot be read: {problem}."),
        hint=hint,
        path=path,
        problem=exc.strerror or exc,
        place=blocking_place(path),
        user=user_name(),
    )


def check_replaceable(chain: KeyChain) -> None:
    """Refuse to discard keys that are not in a file of ours.

    Raises:
        ConflictError: They are given by the environment or lie elsewhere.
    """
    if not chain.writable:
        raise ConflictError(N_("The keys in {place} are not smartabsen's to replace."), place=chain.place)


def _parsed(text: str) -> _Keys:
    if not text.startswith("{"):
        keys = [_key(part) for part in text.split(",")]
        return _Keys(key_id_of(keys[0]), {key_id_of(key): key for key in keys}, {})
    document: dict[str, Any] = parse_json(text)
    if document["format"] != _FORMAT:
        raise ValueError("another format")
    found = {str(one["id"]): _key(one["key"]) for one in document["keys"]}
    active = str(document["active"])
    if active not in found or any(key_id_of(key) != name for name, key in found.items()):
        raise ValueError("ids and keys do not belong together")
    made_at = {str(one["id"]): str(one.get("made_at", "")) for one in document["keys"]}
    return _Keys(active, found, made_at)


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("no base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError("another length")
    return key


def _text(keys: _Keys) -> bytes:
    entries = [
        {"id": name, "key": base64.b64encode(key).decode("ascii"), "made_at": keys.made_at.get(name, "")}
        for name, key in keys.keys.items()
    ]
    document = {"format": _FORMAT, "active": keys.active, "keys": entries}
    return (json.dumps(document, indent=2) + "\n").encode()


def _with_new_key(keys: _Keys | None) -> _Keys:
    key = os.urandom(KEY_BYTES)
    name = key_id_of(key)
    before = keys or _Keys("", {}, {})
    return replace(
        before,
        active=name,
        keys={**before.keys, name: key},
        made_at={**before.made_at, name: datetime.now(UTC).isoformat(timespec="seconds")},
    )


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
