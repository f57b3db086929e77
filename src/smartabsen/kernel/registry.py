"""Backends by name, imported only when asked for.

Each kind (detector, embedder, matcher, camera ...) owns one :class:`Registry`. Other packages add a backend by
an entry point in the group ``smartabsen.<kind>``, whose object is the same kind of factory as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Generic, TypeVar

from .errors import MissingDependencyError, UnknownBackendError
from .i18n import N_

T = TypeVar("T")
TEST_BACKEND: Final = "fake"
"""Name of the double of each kind, which no list for people shows."""


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a backend lives, and what to install when its library is missing.

    Attributes:
        target: ``package.module:attribute`` of the factory.
        install: What to give to pip, for the hint.
    """

    target: str
    install: str = "smartabsen"


class Registry(Generic[T]):
    """The backends of one kind.

    Args:
        kind: Singular name of the kind, as in messages and in the entry-point group ``smartabsen.<kind>``.
        backends: Name to registration, in the order in which they are listed.
    """

    def __init__(self, kind: str, backends: Mapping[str, Registration]) -> None:
        self.kind = kind
        self._backends = dict(backends)

    def names(self) -> tuple[str, ...]:
        """Return the known names: ours first, then those of other packages."""
        return (*self._backends, *(name for name in self._foreign() if name not in self._backends))

    def get_factory(self, name: str) -> Callable[..., T]:
        """Import and return the factory of a backend.

        Raises:
            UnknownBackendError: No backend has that name.
            MissingDependencyError: Its library is not installed.
        """
        if name in self._backends:
            registration = self._backends[name]
            return self._load(name, registration.target, registration.install)
        foreign = self._foreign()
        if name in foreign:
            return self._load(name, foreign[name].value, foreign[name].module.split(".")[0])
        raise UnknownBackendError(
            N_("There is no {kind} named “{name}”. Known: {known}."),
            hint=N_("“smartabsen config show” says where each setting comes from."),
            kind=self.kind,
            name=name,
            known=", ".join(known for known in self.names() if known != TEST_BACKEND),
        )

    def _foreign(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=f"smartabsen.{self.kind}")}

    def _load(self, name: str, target: str, install: str) -> Callable[..., T]:
        module_name, _, attribute = target.partition(":")
        try:
            factory: Any = getattr(import_module(module_name), attribute)
        except ModuleNotFoundError as exc:
            raise MissingDependencyError(
                N_("The {kind} “{name}” needs the Python package {module}, which is not installed."),
                hint=N_("Install it: pip install '{install}'"),
                kind=self.kind,
                name=name,
                module=exc.name,
                install=install,
            ) from exc
        loaded: Callable[..., T] = factory
        return loaded
