"""What a kiosk tells somebody who wears a mask."""

from __future__ import annotations

import dataclasses
from datetime import UTC

import numpy as np
import pytest

from smartabsen.kernel.domain import KioskEventKind
from smartabsen.kernel.messages import tell_decision
from smartabsen.kiosk.parts import ShownFace

from . import test_kiosk


@pytest.mark.parametrize("covered", [True, False])
def test_who_is_refused_with_a_covered_mouth_is_told_to_lower_the_mask(
    covered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the window and in the event, from which every other face of the kiosk makes its sentence."""
    monkeypatch.setattr(test_kiosk, "QUALITY", dataclasses.replace(test_kiosk.QUALITY, covered=covered))
    captions: list[str] = []

    class View:
        wants_quit = False

        def show(self, _image: np.ndarray, faces: list[ShownFace]) -> None:
            captions.extend(one.text for one in faces)

        def show_lost(self, image: np.ndarray | None) -> None:
            raise AssertionError("the camera is there")

    (event,) = [each for each in test_kiosk.play([{0: None}] * 40, view=View()) if each.kind is KioskEventKind.DECISION]
    assert event.covered is covered
    assert ("lower the mask" in tell_decision(event, UTC)) is covered
    assert ("lower the mask" in captions[-1]) is covered
