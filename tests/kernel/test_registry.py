"""Registries: backends by name, imported when asked for."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from smartabsen.kernel import registry
from smartabsen.kernel.errors import MissingDependencyError, UnknownBackendError
from smartabsen.kernel.registry import Registration, Registry
from smartabsen.recognition.detectors import DETECTORS
from smartabsen.recognition.embedders import EMBEDDERS


def make_registry() -> Registry[Any]:
    return Registry(
        "colour",
        {
            "good": Registration("colorsys:rgb_to_hsv"),
            "lacking": Registration("smartabsen_no_such_module.red:Red", install="smartabsen[red]"),
        },
    )


def offer(monkeypatch: pytest.MonkeyPatch, **targets: str) -> None:
    """Let other packages offer these colours."""
    group = "smartabsen.colour"
    entries = [EntryPoint(name, target, group) for name, target in targets.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry for entry in entries if entry.group == group])


def test_a_backend_is_imported_when_it_is_asked_for() -> None:
    """Listing the names imports nothing."""
    sys.modules.pop("colorsys", None)
    colours = make_registry()
    assert colours.names() == ("good", "lacking")
    assert "colorsys" not in sys.modules
    assert colours.get_factory("good")(1, 0, 0) == (0.0, 1.0, 1)


def test_an_unknown_name_lists_the_known_ones() -> None:
    """In the words of the kind."""
    with pytest.raises(UnknownBackendError, match=r"no colour named “blue”. Known: good, lacking"):
        make_registry().get_factory("blue")


def test_a_missing_library_says_what_to_install() -> None:
    """The module that is missing, and the extra that brings it."""
    with pytest.raises(MissingDependencyError, match="smartabsen_no_such_module") as caught:
        make_registry().get_factory("lacking")
    assert caught.value.hint == "Install it: pip install 'smartabsen[red]'"


def test_other_packages_add_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point; they come after ours and cannot take their names."""
    offer(monkeypatch, theirs="colorsys:hsv_to_rgb", good="colorsys:hsv_to_rgb", broken="their_package.red:Red")
    colours = make_registry()
    assert colours.names() == ("good", "lacking", "theirs", "broken")
    assert colours.get_factory("theirs")(0.0, 1.0, 1) == (1, 0.0, 0.0)
    assert colours.get_factory("good")(1, 0, 0) == (0.0, 1.0, 1)
    with pytest.raises(MissingDependencyError, match="their_package") as caught:
        colours.get_factory("broken")
    assert "their_package" in caught.value.hint


@pytest.mark.parametrize("backends", [DETECTORS, EMBEDDERS], ids=["detectors", "embedders"])
def test_every_registered_backend_is_there(backends: Registry[Any]) -> None:
    """Each name leads to a class that calls itself so."""
    assert "fake" in backends.names()
    for name in backends.names():
        assert backends.get_factory(name).name == name  # type: ignore[attr-defined]
