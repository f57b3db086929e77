"""The face session: several pictures decide together, and a port tells callers nothing but plain data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest

from smartabsen.kernel.domain import (
    Face,
    FloatArray,
    ImageBGR,
    LandmarkScheme,
    Match,
    ModelIdentity,
    Observation,
    Outcome,
    Quality,
)
from smartabsen.recognition.liveness.challenge import Sight
from smartabsen.recognition.session import FaceSession, LocalFaceSession

FACE = Face((0.0, 0.0, 100.0, 100.0), 1.0, np.zeros((5, 2), dtype=np.float32), LandmarkScheme.ARCFACE5)
QUALITY = Quality(100, 120, 200, 0, 1)


class Script:
    """A recogniser and a gallery in which the level of a picture says who is in it; 0 is too dark, 9 a stranger."""

    identity = ModelIdentity("fake", "ab" * 32, 10)
    verification, margin = 0.5, 0.1

    def find(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        return (FACE,)

    def examine_each(self, shown: Sequence[tuple[ImageBGR, Face]]) -> tuple[Observation, ...]:
        people = [int(image[0, 0, 0]) for image, _ in shown]
        unit = np.eye(10, dtype=np.float32)
        return tuple(
            Observation(FACE, QUALITY, None, unit[who]) if who else Observation(FACE, QUALITY, Outcome.TOO_DARK, None)
            for who in people
        )

    def reading(self) -> AbstractContextManager[None]:
        return nullcontext()

    def match(self, probes: Sequence[FloatArray]) -> tuple[Match, ...]:
        people = [int(probe.argmax()) for probe in probes]
        return tuple(Match(Outcome.UNKNOWN if who == 9 else Outcome.RECOGNIZED, who, 0.9, -1, 1.9) for who in people)

    def verify(self, probes: Sequence[FloatArray], label: int) -> tuple[float, ...]:
        return tuple(0.9 if int(probe.argmax()) == label else 0.0 for probe in probes)

    def knows(self, label: int) -> bool:
        return label < 9

    def person(self, label: int) -> str:
        return f"uuid-{label}" if label > 0 else ""


@pytest.fixture
def session() -> FaceSession:
    script = Script()
    return LocalFaceSession(script, script)


def sights(*people: int) -> list[Sight]:
    return [Sight(np.full((1, 1, 3), who, dtype=np.uint8), FACE) for who in people]


def test_each_face_is_compared_by_itself(session: FaceSession) -> None:
    """One that is not good enough to be compared has no match, and the others keep their own."""
    found = session.compare(sights(3, 0, 4))
    assert [None if one.match is None else one.match.label for one in found] == [3, None, 4]
    assert found[1].observation.refusal is Outcome.TOO_DARK


@pytest.mark.parametrize(
    ("people", "claimed", "outcome", "person"),
    [
        ((3, 3, 0), None, Outcome.RECOGNIZED, "uuid-3"),
        ((3, 4, 4), None, Outcome.AMBIGUOUS, ""),
        ((3, 9, 9), None, Outcome.UNKNOWN, ""),
        ((3, 0, 0), None, Outcome.TOO_DARK, ""),
        ((3,), None, Outcome.NO_FACE, ""),
        ((3, 3, 3), 3, Outcome.RECOGNIZED, "uuid-3"),
        ((3, 3, 4), 3, Outcome.OTHER_FACE, "uuid-4"),
    ],
)
def test_pictures_decide_together(
    session: FaceSession, people: tuple[int, ...], claimed: int | None, outcome: Outcome, person: str
) -> None:
    """Two must name the same person and none another, with a claim and without one."""
    decision = session.decide(sights(*people), claimed=claimed)
    assert (decision.outcome, decision.person) == (outcome, person)


def test_a_decision_names_the_pictures_that_were_compared(session: FaceSession) -> None:
    """Whoever judges whether the person lives looks at these, and at no others."""
    decision = session.decide(sights(0, 3, 3))
    assert decision.compared == (1, 2) and decision.model_digest == Script.identity.digest


@pytest.mark.parametrize("claimed", [False, True])
def test_further_pictures_are_of_the_person_all_or_none(session: FaceSession, claimed: bool) -> None:
    """One of somebody else, or one that cannot be compared, is enough to say no."""
    assert session.confirms(sights(3, 3), label=3, claimed=claimed)
    assert not session.confirms(sights(3, 4), label=3, claimed=claimed)
    assert not session.confirms(sights(3, 0), label=3, claimed=claimed)
