"""Sealing: biometric data as ciphertext that opens only with the key, and only where it was put.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits for each seal. What the data belongs to (its purpose, the
employee, the model that made it) and the key's id are *additional authenticated data*: they are not in the ciphertext,
yet a row that is given to another employee, or a crop in a template's place, does not open.

An employee is named by the UUID in seals of version 2, which are made now. Version 1 named the row id, which is given
out again after an older database was restored; such a seal opens as before, until “keys rotate” renews it.

A sealed text is the magic of 8 bytes, which tells the version, the key's id (12 ASCII characters), the nonce
(12 bytes), the ciphertext and its tag (16 bytes).

*Signing* says that whoever wrote a row has the key, without hiding what it says: HMAC-SHA-256 (RFC 2104) with a key of
its own that HKDF (RFC 5869) derives from the same key. A signature is ``KEY ID:MAC in hex``.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..kernel.domain import ModelIdentity
from ..kernel.errors import KeyMissingError
from ..kernel.i18n import N_

T = TypeVar("T")
KEY_BYTES: Final = 32
KEY_ID_LENGTH: Final = 12
BROKEN_HINT: Final = N_(
    "“smartabsen keys check” lists all of them; with --delete-broken it removes them. Then enrol these people again."
)
"""What mends a row whose seal is broken."""
OLD_MAGIC: Final = b"SASEAL1\n"
"""What a seal of version 1 begins with."""
_MAGIC: Final = b"SASEAL2\n"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEAD: Final = len(_MAGIC) + KEY_ID_LENGTH
_BODY: Final = _HEAD + _NONCE_BYTES


class Signature(StrEnum):
    """What a look at a signature says."""

    GOOD = "good"
    NONE = "none"
    """There is no signature."""
    BROKEN = "broken"
    """The facts are not those that were signed."""
    NO_KEY = "no_key"
    """It was made with a key that is not there."""


def key_id_of(key: bytes) -> str:
    """Return the id of a key: 12 hex characters that tell keys apart and say nothing else about them."""
    return sha256(b"smartabsen key id\0" + key).hexdigest()[:KEY_ID_LENGTH]


def binding(purpose: str, *belongs_to: object) -> bytes:
    """Return what a seal is bound to.

    Args:
        purpose: ``template``, ``crop``, ``model``.
        belongs_to: The facts that must be the same when it is opened, in a fixed order.
    """
    parts = [purpose, *map(str, belongs_to)]
    # Each part with its length: no two lists of parts give the same bytes.
    return b"".join(b"%d:%b" % (len(text), text) for text in (part.encode() for part in parts))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a sealed face is.

    Attributes:
        row_id: What seals of version 1 are bound to.
        uuid: What those of version 2 are bound to; None where another program made the row.
    """

    row_id: int
    uuid: str | None

    def name_in(self, sealed: bytes) -> str:
        """Return what names the owner in a seal of the version of ``sealed``."""
        return str(self.row_id) if is_old(sealed) else self.uuid or ""


def template_binding(owner: str, model: ModelIdentity, photo_digest: str) -> bytes:
    """Return what the seal of a template is bound to.

    Args:
        owner: UUID of the employee; in a seal of version 1, see :meth:`Owner.name_in`, the row id.
    """
    # A gallery has thousands of templates of one model.
    return _template_prefix(model) + b"%d:%b%d:%b" % (*_sized(owner), *_sized(photo_digest))


def crop_binding(owner: str, photo_digest: str) -> bytes:
    """Return what the seal of a kept face is bound to; ``owner`` as for :func:`template_binding`."""
    return binding("crop", owner, photo_digest)


def model_binding(model: ModelIdentity, version: str) -> bytes:
    """Return what the seal of a trained model is bound to."""
    return binding("model", model.engine, model.digest, model.dimension, version)


@lru_cache(maxsize=16)
def _template_prefix(model: ModelIdentity) -> bytes:
    return binding("template", model.engine, model.digest, model.dimension)


def _sized(text: str) -> tuple[int, bytes]:
    encoded = text.encode()
    return len(encoded), encoded


def is_old(sealed: bytes) -> bool:
    """Return whether a seal is of version 1."""
    return sealed.startswith(OLD_MAGIC)


def sealing_key_of(sealed: bytes) -> str | None:
    """Return the id of the key that something is sealed with; None where it is not sealed."""
    if len(sealed) < _BODY + _TAG_BYTES or not sealed.startswith((_MAGIC, OLD_MAGIC)):
        return None
    return sealed[len(_MAGIC) : _HEAD].decode("ascii", errors="replace")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id, one of them active.

    Attributes:
        active: Id of the key that seals; empty in a ring without keys, which opens nothing.
        place: Where the keys come from, for people: a path, or the name of a variable.
        ciphers: The keys, ready for use. They are in no ``repr``.
        signers: Keys derived from them that sign, by the same ids.
    """

    active: str
    place: str
    ciphers: _Secrets[AESGCM]
    signers: _Secrets[bytes]

    @classmethod
    def of(cls, keys: Mapping[str, bytes], *, active: str, place: str) -> KeyRing:
        """Make a ring of keys of 32 bytes."""
        ciphers = _Secrets({name: AESGCM(key) for name, key in keys.items()})
        return cls(active, place, ciphers, _Secrets({name: _signing_key(key) for name, key in keys.items()}))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys."""
        return tuple(self.ciphers)

    def with_active(self, key_id: str) -> KeyRing:
        """Return the same keys with another active one.

        Raises:
            KeyMissingError: It is not among them.
        """
        if key_id not in self.ciphers:
            raise key_missing(key_id, place=self.place)
        return replace(self, active=key_id)

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        """Seal bytes with the active key.

        Args:
            bound_to: Made by :func:`binding`; needed again to open them.

        Raises:
            KeyMissingError: The ring has no key.
        """
        if not self.active:
            raise no_key(place=self.place)
        head = _MAGIC + self.active.encode("ascii")
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self.ciphers[self.active].encrypt(nonce, plain, head + bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> bytes | None:
        """Open what was sealed, and return None where it was changed, was bound to something else or is not sealed.

        Raises:
            KeyMissingError: It is sealed with a key that is not in the ring.
        """
        key_id = sealing_key_of(sealed)
        if key_id is None:
            return None
        cipher = self.ciphers.get(key_id)
        if cipher is None:
            raise key_missing(key_id, place=self.place) if self.ciphers else no_key(place=self.place)
        try:
            return cipher.decrypt(sealed[_HEAD:_BODY], sealed[_BODY:], sealed[:_HEAD] + bound_to)
        except InvalidTag:
            return None

    def sign(self, purpose: str, facts: Sequence[object]) -> str | None:
        """Sign facts with the active key; None where there is none.

        Args:
            purpose: ``audit``, ``punch``, ``day``.
            facts: What JSON can hold, in a fixed order.
        """
        if not self.active:
            return None
        return f"{self.active}:{_mac(self.signers[self.active], purpose, facts)}"

    def check_signature(self, signature: str | None, purpose: str, facts: Sequence[object]) -> Signature:
        """Return what a signature says of facts."""
        if not signature:
            return Signature.NONE
        key_id, _, mac = signature.partition(":")
        if key_id not in self.signers:
            return Signature.NO_KEY
        fits = hmac.compare_digest(mac.encode(), _mac(self.signers[key_id], purpose, facts).encode())
        return Signature.GOOD if fits else Signature.BROKEN


def _signing_key(key: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"smartabsen signature").derive(key)


def _mac(key: bytes, purpose: str, facts: Sequence[object]) -> str:
    return hmac.digest(key, json.dumps([purpose, *facts], ensure_ascii=False).encode(), "sha256").hex()


class _Secrets(dict[str, T]):
    """Keys by their ids that show nothing of themselves."""

    def __repr__(self) -> str:
        return f"<{len(self)} keys>"


def no_key(*, place: str) -> KeyMissingError:
    """Return the error of an installation whose biometric data is there and whose key is not."""
    return KeyMissingError(
        N_("The key that faces are sealed with is missing: {place}. Attendance can be read and recorded without it."),
        hint=N_(
            "Put the key file back from where you keep it; it is in no backup. Only if it is lost for good: "
            "“smartabsen keys init --discard-lost”, then enrol everybody again."
        ),
        place=place,
    )


def key_missing(key_id: str, *, place: str) -> KeyMissingError:
    """Return the error of a key that is not among those that are there."""
    return KeyMissingError(
        N_(
            "Faces here are sealed with the key {key}, which is not in {place}. Attendance can be read and recorded "
            "without it."
        ),
        hint=N_("Copy the key file of the installation that enrolled these people; “smartabsen keys check” says more."),
        key=key_id,
        place=place,
    )
