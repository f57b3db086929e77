"""Model files, checks and settings of an installation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .words import LicenceClass


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a pack in the models directory.

    Attributes:
        path: Its name below that directory.
        sha256: As published.
        size_bytes: Its size.
        others: SHA-256 of other files with the same weights, which do as well.
    """

    path: str
    sha256: str
    size_bytes: int
    others: tuple[str, ...] = ()

    def is_known(self, digest: str) -> bool:
        """Tell whether a SHA-256 is that of the published file, or of one that does as well."""
        return digest == self.sha256 or digest in self.others


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What is known of a model pack and of its copy on this machine.

    Attributes:
        name: As for ``models pull NAME``.
        engine: The engine it serves, empty where several.
        purpose: detection, embedding, landmarks ... in English.
        licence: Name of the licence of the weights.
        licence_class: What it allows.
        source: Where it comes from.
        state: ``installed``, ``missing``, ``different`` (not the published files) or ``bundled``.
        path: Where it lies or would lie.
        files: File name and digest found (empty digest where missing).
        published: Digests that these files should have, in the same order; empty where none is published.
        dimension: Numbers in an embedding; 0 where it has none, or that is not known.
        claimed: Accuracy that its makers tell, with where they do, in English; measured by them, not by us.
    """

    name: str
    engine: str
    purpose: str
    licence: str
    licence_class: LicenceClass
    source: str
    state: str
    path: str
    files: tuple[tuple[str, str], ...] = field(default=())
    published: tuple[str, ...] = ()
    dimension: int = 0
    claimed: str = ""

    def compared_files(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, digest found and digest published of each file; empty where there is none."""
        published = self.published or ("",) * len(self.files)
        return tuple((*file, digest) for file, digest in zip(self.files, published, strict=True))


class CheckLevel(StrEnum):
    """How a check of ``doctor`` ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """Not checked: it needs something that another row says is not there."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of ``doctor``.

    Attributes:
        name: Stable name, as ``camera``.
        level: ok, warn or fail.
        detail: What was found; a message id with ``params``.
        fix: The line that mends it; a message id with ``params``. Empty when ok.
    """

    name: str
    level: CheckLevel
    detail: str
    fix: str = ""
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SettingValue:
    """One setting: dotted name, value and where the value comes from (flag, environment, file, default)."""

    name: str
    value: object
    origin: str
    about: str
