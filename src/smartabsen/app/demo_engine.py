"""The engine of the demonstration: the best free one whose files are on this machine, else one fetched for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from ..config import load_settings
from ..gallery.engine_choice import DEFAULT, STRONGEST
from ..kernel.errors import ModelMissingError, SmartAbsenError
from ..recognition.engines import find_obstacle
from ..recognition.liveness.files import LIVENESS_PACK, find_files
from .facade import SmartAbsen

CHOICES: Final = (STRONGEST, DEFAULT)
"""Engines of the demonstration, the best first."""


@dataclass(frozen=True, slots=True)
class DemoEngine:
    """What the demonstration recognises with.

    Attributes:
        name: The engine.
        models_dir: Where its files lie.
        guarded: Whether the files of the passive liveness check lie there too.
    """

    name: str
    models_dir: Path
    guarded: bool


def cached_models_dir() -> Path:
    """Return the directory in which fetched files are kept for the next demonstration."""
    return user_cache_path("smartabsen", appauthor=False) / "models"


def find_engine(home: Path, flags: Mapping[str, object], *, on_fetch: Callable[[str], None]) -> DemoEngine:
    """Choose the engine, and fetch the default one where no directory has any.

    Looked at are the directory that the settings name, or else that of this user's own home and then the cache.

    Args:
        home: The demonstration's home.
        flags: Settings by dotted name; an engine that they or the environment name is taken as it is.
        on_fetch: Told the name of what is about to be fetched.

    Raises:
        ModelError: The named engine is not there, or the default one cannot be fetched.
        MissingDependencyError: A library of the named engine is not installed.
    """
    loaded = load_settings({**flags, "home": str(home)})
    settings = loaded.settings
    names = CHOICES if settings.engine == "auto" else (settings.engine,)
    own = "models_dir" in flags or loaded.origins.get("models_dir", "default") != "default"
    target = settings.models_dir if own else cached_models_dir()
    places = (target,) if own else (load_settings({}).settings.models_dir, target)
    found, problem = _find(names, places)
    if found is not None and found.models_dir != cached_models_dir():
        return found
    if found is None and DEFAULT not in names:
        assert problem is not None
        raise problem
    if found is None:
        on_fetch(DEFAULT)
    # With everything there this does nothing; else it also tries for the files of the liveness check.
    with SmartAbsen.open(flags={**flags, "home": str(home), "models_dir": str(target)}) as app:
        app.pull_models(DEFAULT)
    found, problem = _find(names, places)
    if found is None:
        assert problem is not None
        raise problem
    return found


def _find(names: tuple[str, ...], places: tuple[Path, ...]) -> tuple[DemoEngine | None, SmartAbsenError | None]:
    problem: SmartAbsenError | None = None
    for name in names:
        for place in places:
            problem = find_obstacle(name, models_dir=place)
            if problem is None:
                return DemoEngine(name, place, guarded=_is_guarded(place)), None
    return None, problem


def _is_guarded(models_dir: Path) -> bool:
    try:
        return bool(find_files(LIVENESS_PACK, models_dir))
    except ModelMissingError:
        return False
