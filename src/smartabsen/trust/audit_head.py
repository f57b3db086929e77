"""The head of the audit trail: number and hash of the last entry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Number and hash of the last entry; ``str`` and :meth:`parse` are its written form."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> AuditHead:
        """Read the written form. Raises ValueError."""
        number, _, digest = text.strip().partition(":")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ValueError("a head of the audit trail is NUMBER:HASH with 64 hex characters")
        return cls(int(number), digest)
