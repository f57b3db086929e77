"""Which engine works, and what mends a gallery that was made with other files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smartabsen import EngineMismatchError
from smartabsen.core import engine_choice
from smartabsen.core.engine_choice import check_identity
from smartabsen.domain import ModelIdentity

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
