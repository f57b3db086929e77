"""Attachments of requests for leave, as a doctor's letter: sealed before they are stored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from ...kernel.domain import Employee
from ...kernel.errors import InvalidInputError, KeyMissingError, SealBrokenError
from ...kernel.i18n import N_
from ...kernel.reading import read_bytes, unreadable_error
from ...kernel.texts import shortened
from ...store.database import Session
from ...trust.active_key import ring_for_writing
from ...trust.keys import KeyChain
from ...trust.sealing import binding
from ...trust.work import Work
from . import book_rows as rows
from .book_rows import StoredLetter
from .model import Letter

MOST_BYTES: Final = 5 * 1024 * 1024
BEGINNINGS: Final = {".pdf": b"%PDF-", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG\r\n\x1a\n"}
"""What an attachment may be, and how such a file begins."""
_NAME_LENGTH: Final = 200


def read_letter(path: Path) -> Letter:
    """Read an attachment from a file. Raises InvalidInputError as :func:`check_letter`, and where it cannot be read."""
    try:
        return check_letter(Letter(path.name, read_bytes(path)))
    except OSError as exc:
        raise unreadable_error(exc) from exc


def check_letter(letter: Letter) -> Letter:
    """Return an attachment with a name that fits.

    Raises:
        InvalidInputError: It is no PDF, JPEG or PNG, or larger than 5 MB.
    """
    begins = BEGINNINGS.get(Path(letter.name).suffix.lower())
    if begins is None or not letter.content.startswith(begins):
        raise InvalidInputError(
            N_("“{name}” cannot be attached: take a PDF, a JPEG or a PNG."), name=shortened(letter.name, 80)
        )
    if len(letter.content) > MOST_BYTES:
        raise InvalidInputError(N_("“{name}” is larger than 5 MB."), name=shortened(letter.name, 80))
    return replace(letter, name=shortened(letter.name, _NAME_LENGTH))


def letter_binding(owner: str, digest: str) -> bytes:
    """Return what the seal of an attachment is bound to: its person (UUID) and the SHA-256 of what it says."""
    return binding("leave-letter", owner, digest)


class Letters:
    """Seals attachments, and opens them.

    Args:
        chain: The keys of the installation.
        ensure_key: Makes the first key where there is none.
    """

    def __init__(self, chain: KeyChain, ensure_key: Callable[[], None]) -> None:
        self._chain = chain
        self._ensure_key = ensure_key

    def prepare(self) -> None:
        """Make sure that there is a key, before a unit of work begins."""
        self._ensure_key()

    def add(self, work: Work, letter: Letter, *, request_id: int, owner: Employee) -> None:
        """Seal and store an attachment of a request."""
        ring = ring_for_writing(work.session, self._chain)
        digest = sha256(letter.content).hexdigest()
        sealed = ring.seal(letter.content, letter_binding(owner.uuid, digest))
        stored = StoredLetter(0, request_id, owner.id, letter.name, digest, sealed)
        rows.add_letter(work.session, stored, key_id=ring.active, at=work.now)

    def open(self, session: Session, request_id: int, owner: Employee) -> tuple[Letter, ...]:
        """Open the attachments of a request.

        Raises:
            KeyMissingError: The key of one is not there.
            SealBrokenError: One was changed, or moved from another person.
        """
        ring, found = self._chain.ring(), []
        for each in rows.letters_of(session, request_id):
            plain = ring.open(each.content, letter_binding(owner.uuid, each.digest))
            if plain is None:
                raise SealBrokenError(N_("The attachment “{name}” is not as it was stored."), name=each.name)
            found.append(Letter(each.name, plain))
        return tuple(found)

    def of_person(self, session: Session, owner: Employee) -> dict[str, bytes]:
        """Return all attachments of somebody by a file name of ours; those that do not open are left out."""
        found: dict[str, bytes] = {}
        for request in rows.find_all(session, employee_ids=(owner.id,)):
            with suppress(KeyMissingError, SealBrokenError):
                for number, each in enumerate(self.open(session, request.id, owner), start=1):
                    # The name came with the file: only its ending is used.
                    found[f"letters/{request.id}-{number}{Path(each.name).suffix.lower()}"] = each.content
        return found
