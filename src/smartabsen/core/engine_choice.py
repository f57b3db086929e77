"""Which engine works: the gallery's own, the one that was named, or the best one installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config import Settings
from ..domain import LicenceClass, ModelIdentity
from ..errors import EngineMismatchError
from ..i18n import N_
from ..recognition.engines import Engine, find_obstacle, find_pack_of, get_spec

PREFERENCE = ("insightface", "open", "openvino", "sface", "dlib")
"""For ``engine = auto`` on an empty gallery, the best first, as measured (docs/accuracy.md)."""


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


def check_identity(engine: Engine, active: ModelIdentity | None, *, models_dir: Path) -> None:
    """Refuse an engine whose embeddings do not belong to the gallery: other files under the same name.

    Args:
        models_dir: Where the pack is looked for that does belong to it.

    Raises:
        EngineMismatchError: They do not.
    """
    if active is None or engine.identity == active:
        return
    error = mismatch(active, wanted=str(engine.identity))
    if engine.identity.engine != active.engine:
        raise error
    pack = find_pack_of(active, models_dir) if active.engine == "insightface" else None
    if pack is not None:
        hint = N_('Use the pack that they were enrolled with: set SMARTABSEN_PACK={pack}, or pack = "{pack}".')
    else:
        hint = N_(
            "No installed files have that digest: bring back those of the enrolment (for InsightFace name their pack "
            "by SMARTABSEN_PACK or the setting “pack”), or enrol in a new home: smartabsen --home DIR import PEOPLE.csv"
        )
    raise EngineMismatchError(error.message_id, hint=hint, **error.params, pack=pack)


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
