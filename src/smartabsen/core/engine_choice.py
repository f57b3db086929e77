"""Which engine works: the gallery's own, the one that was named, or the best one installed."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Settings
from ..domain import LicenceClass, ModelIdentity
from ..errors import EngineMismatchError
from ..i18n import N_
from ..recognition.engines import Engine, find_obstacle, get_spec

PREFERENCE = ("insightface", "openvino", "dlib")
"""For ``engine = auto`` on an empty gallery, the best first."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine to use, and why it is this one (a message id)."""

    name: str
    why: str


def choose_engine(settings: Settings, active: ModelIdentity | None) -> EngineChoice:
    """Choose before anything is loaded.

    Args:
        active: What the gallery was enrolled with; None while it is empty.

    Raises:
        EngineMismatchError: The settings name another engine than the gallery's.
        UnknownBackendError: There is no engine of that name.
    """
    if settings.engine != "auto":
        get_spec(settings.engine)
    if active is not None:
        if settings.engine not in ("auto", active.engine):
            raise mismatch(active, wanted=settings.engine)
        return EngineChoice(active.engine, N_("the people here were enrolled with it"))
    if settings.engine != "auto":
        return EngineChoice(settings.engine, N_("the settings name it"))
    for name in PREFERENCE:
        spec = get_spec(name)
        refused = spec.licence_class is LicenceClass.NON_COMMERCIAL and not settings.accept_noncommercial
        if not refused and find_obstacle(name, models_dir=settings.models_dir, pack=settings.pack) is None:
            return EngineChoice(name, _WHY[name])
    return EngineChoice("dlib", _WHY["dlib"])


def check_identity(engine: Engine, active: ModelIdentity | None) -> None:
    """Refuse an engine whose embeddings do not belong to the gallery: other files under the same name.

    Raises:
        EngineMismatchError: They do not.
    """
    if active is not None and engine.identity != active:
        raise mismatch(active, wanted=str(engine.identity))


def mismatch(active: ModelIdentity, *, wanted: str) -> EngineMismatchError:
    """Return the error of an engine or a model file that is not the gallery's."""
    return EngineMismatchError(
        N_("The people here were enrolled with {active}; {wanted} cannot compare with that."),
        hint=N_(
            'Use the gallery\'s own engine (unset SMARTABSEN_ENGINE, or set engine = "{engine}"), or change the engine '
            "of everybody by their kept faces: smartabsen reembed --engine NAME --dry-run"
        ),
        active=active,
        wanted=wanted,
        engine=active.engine,
    )


_WHY = {
    "insightface": N_("the best engine that is installed, and its licence was accepted"),
    "openvino": N_("the best engine that is installed and free for business use"),
    "dlib": N_("the built-in engine; no better one is installed, or its licence was not accepted"),
}
