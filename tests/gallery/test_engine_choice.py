"""Which engine works, and what mends a gallery that was made with other files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smartabsen import EngineMismatchError, MissingDependencyError, ModelMissingError
from smartabsen.config import Settings, load_settings
from smartabsen.gallery import engine_choice
from smartabsen.gallery.engine_choice import (
    EngineChoice,
    check_identity,
    choose_engine,
    find_obstacle_here,
    find_pack_to_fetch,
    find_stronger,
)
from smartabsen.kernel.domain import ModelIdentity

ACTIVE = ModelIdentity("insightface", "ab" * 32, 512)


def engine(name: str, digest: str) -> Any:
    """An engine of which only the identity counts."""
    return SimpleNamespace(identity=ModelIdentity(name, digest * 32, 512))


@pytest.mark.parametrize(
    ("pack", "expected"),
    [("buffalo_s", ["SMARTABSEN_PACK=buffalo_s", 'pack = "buffalo_s"']), (None, ["SMARTABSEN_PACK", "setting “pack”"])],
)
def test_another_pack_than_the_gallerys_is_named_by_its_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pack: str | None, expected: list[str]
) -> None:
    """The engine is the right one: advice to unset SMARTABSEN_ENGINE would lead nowhere."""
    monkeypatch.setattr(engine_choice, "find_pack_of", lambda identity, models_dir: pack)
    with pytest.raises(EngineMismatchError) as caught:
        check_identity(engine("insightface", "cd"), ACTIVE, models_dir=tmp_path)
    assert all(words in caught.value.hint for words in expected)
    assert "SMARTABSEN_ENGINE" not in caught.value.hint


def test_the_gallerys_own_engine_passes_and_another_one_is_named(tmp_path: Path) -> None:
    """Nothing to mend, or the setting that mends it."""
    check_identity(engine("insightface", "ab"), ACTIVE, models_dir=tmp_path)
    check_identity(engine("dlib", "ab"), None, models_dir=tmp_path)
    with pytest.raises(EngineMismatchError) as caught:
        check_identity(engine("dlib", "ab"), ACTIVE, models_dir=tmp_path)
    assert "SMARTABSEN_ENGINE" in caught.value.hint


def settings_of(folder: Path, **flags: object) -> Settings:
    """Settings of a home in ``folder``."""
    return load_settings({"home": str(folder), **flags}).settings


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let only these engines be there."""
    missing = ModelMissingError("missing")
    monkeypatch.setattr(engine_choice, "find_obstacle", lambda name, **_: None if name in names else missing)


@pytest.mark.parametrize(
    ("there", "accepted", "taken"),
    [
        (("insightface", "open", "sface", "openvino", "dlib"), False, "open"),
        (("insightface", "open", "sface", "openvino", "dlib"), True, "insightface"),
        (("sface", "openvino", "dlib"), True, "sface"),
        (("openvino", "dlib"), False, "openvino"),
    ],
)
def test_the_most_accurate_engine_that_is_there_and_licensed_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: tuple[str, ...], accepted: bool, taken: str
) -> None:
    """And the reason is told."""
    installed(monkeypatch, *there)
    choice = choose_engine(settings_of(tmp_path, accept_noncommercial=accepted), None)
    assert choice.name == taken and "accura" in choice.why


@pytest.mark.parametrize("there", [(), ("dlib",)])
def test_without_an_engine_one_line_says_what_to_fetch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: tuple[str, ...]
) -> None:
    """dlib is never taken silently: who wants it names it."""
    installed(monkeypatch, *there)
    settings = settings_of(tmp_path)
    assert isinstance(choose_engine(settings, None), EngineChoice)
    assert find_pack_to_fetch(settings, None) == "sface"
    found = find_obstacle_here(settings, None)
    assert isinstance(found, ModelMissingError) and "smartabsen models pull sface" in found.hint
    assert find_pack_to_fetch(settings_of(tmp_path, engine="dlib"), None) is None


def test_a_home_whose_library_is_gone_is_told_both_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Install it again, or change everybody."""
    gone = MissingDependencyError("gone", hint="Install it: pip install '{install}'", install="smartabsen[dlib]")
    monkeypatch.setattr(engine_choice, "find_obstacle", lambda name, **_: gone)
    found = find_obstacle_here(settings_of(tmp_path), ModelIdentity("dlib", "ab" * 32, 128))
    assert isinstance(found, MissingDependencyError)
    assert "pip install 'smartabsen[dlib]'" in found.hint and "smartabsen reembed --engine sface" in found.hint


@pytest.mark.parametrize(
    ("active", "library", "line"),
    [
        ("dlib", False, "pip install 'smartabsen[openvino]' && smartabsen models pull open && smartabsen reembed"),
        ("sface", True, "smartabsen models pull open && smartabsen reembed --engine open --dry-run"),
        ("open", False, None),
        ("insightface", False, None),
    ],
)
def test_a_stronger_engine_is_named_with_the_line_that_gets_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, active: str, library: bool, line: str | None
) -> None:
    """Nobody is told to leave the strongest engine, or one that they have a licence for."""
    monkeypatch.setattr(engine_choice, "find_spec", lambda module: object() if library else None)
    found = find_stronger(settings_of(tmp_path), ModelIdentity(active, "ab" * 32, 128))
    assert (found.line if found else None) == line or (line and found and found.line.startswith(line))
