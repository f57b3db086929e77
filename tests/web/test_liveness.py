"""Liveness in the browser: movements are drawn and judged by the server, frames count once."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smartabsen import SmartAbsen
from smartabsen.kernel.domain import LivenessAction
from smartabsen.recognition.liveness.base import PassiveScore
from smartabsen.recognition.liveness.fake import FakeLiveness

from .pages import attempt, burst, csrf_of, rows, sign_in


@pytest.fixture
def flags(flags: dict[str, object], request: pytest.FixtureRequest) -> dict[str, object]:
    """The installation with a policy."""
    asked = getattr(request, "param", "off")
    backend = {"liveness.backend": "fake"} if asked == "auto" else {}
    return {**flags, "liveness.require": asked, **backend}


def test_frames_that_came_before_are_refused(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """Also in another sign-in: somebody has kept them."""
    frames = burst(9)
    page = sign_in(client, phone, token)
    assert attempt(client, page.text, frames, key="key-0001").json["outcome"] == "unknown"
    again = attempt(client, page.text, burst(9, frames=5) + frames[:1], key="key-0002")
    assert again.json["outcome"] == "not_a_camera"


def test_times_of_capture_are_demanded(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """A burst without them, or with times that stand, writes nothing."""
    page = sign_in(client, phone, token)
    for number, times in enumerate(("", "nan,nan", "1,1,1,1,1,1", "6,5,4,3,2,1")):
        files = attempt(client, page.text, burst(1, step_px=3 + number), key=f"key-000{number}", times=times)
        assert files.json["outcome"] == "not_a_camera"
    assert rows(people, "punches") == 0


@pytest.mark.parametrize("flags", ["active"], indirect=True)
def test_without_the_movement_nothing_is_recorded(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """A burst that shows a person who was asked for nothing, or who does nothing."""
    page = sign_in(client, phone, token)
    assert 'data-asks="/challenge"' in page.text
    assert attempt(client, page.text, burst(1), key="key-0001").json["outcome"] == "challenge_failed"
    client.post("/challenge", data={"csrf_token": csrf_of(page.text)})
    assert attempt(client, page.text, burst(2), key="key-0002").json["outcome"] == "challenge_failed"
    assert rows(people, "punches") == 0


@pytest.mark.parametrize("flags", ["active"], indirect=True)
def test_a_challenge_is_fresh_and_leaves_out_what_somebody_cannot_do(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """In words of the reader's language, and each time another one."""
    page = sign_in(client, phone, token)
    drawn = set()
    for _ in range(15):
        answer = client.post("/challenge", data={"csrf_token": csrf_of(page.text), "cannot": "look_up"}).json
        drawn.add(tuple(step["action"] for step in answer["steps"]))
    assert len(drawn) > 2
    assert LivenessAction.LOOK_UP.value not in {action for actions in drawn for action in actions}
    assert answer["straight"] == "Look straight at the camera."


@pytest.mark.parametrize("flags", ["passive"], indirect=True)
def test_a_missing_model_writes_nothing_and_is_in_the_audit_trail(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """The person learns that it could not be checked, the administrator why."""
    page = sign_in(client, phone, token)
    answer = attempt(client, page.text, burst(1)).json
    assert answer["outcome"] == "liveness_unavailable"
    assert "minifasnet" not in answer["message"] + answer["next_step"]
    assert rows(people, "punches") == 0
    entry = next(entry for entry in people.audit.entries() if entry.action == "checkin.liveness_unavailable")
    assert "minifasnet" in str(entry.details)


@pytest.mark.parametrize("flags", ["auto"], indirect=True)
@pytest.mark.parametrize(("score", "outcome"), [(0.9, "recognized"), (0.5, "movement_needed"), (0.1, "not_live")])
def test_by_default_a_picture_is_refused_and_doubt_asks_for_one_movement(
    people: SmartAbsen,
    client: FlaskClient,
    phone: FlaskClient,
    token: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    score: float,
    outcome: str,
) -> None:
    """The page asks for nothing at first; after doubt it knows where movements are drawn, and gets one."""
    monkeypatch.setattr(FakeLiveness, "score", lambda *_: PassiveScore(score))
    page = sign_in(client, phone, token)
    assert 'data-asks=""' in page.text and 'data-challenge="/challenge"' in page.text
    answer = attempt(client, page.text, burst(1), key="key-0001").json
    assert answer["outcome"] == outcome
    assert rows(people, "punches") == (outcome == "recognized")
    if outcome == "movement_needed":
        assert rows(people, "refusals") == 0
        steps = client.post("/challenge", data={"csrf_token": csrf_of(page.text)}).json["steps"]
        assert len(steps) == 1 and steps[0]["step"] == ""


@pytest.mark.parametrize("flags", ["auto"], indirect=True)
def test_a_look_tells_how_far_a_movement_is(
    people: SmartAbsen, client: FlaskClient, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """From the posture where it began; what is no posture, no movement or no picture is not one."""
    page = sign_in(client, phone, token)

    def look(frame: bytes, **fields: str) -> TestResponse:
        data = {"csrf_token": csrf_of(page.text), "action": "turn_left", "frame": (io.BytesIO(frame), "look.jpg")}
        return client.post("/challenge/look", data={**data, **fields})

    frame = burst(1)[0]
    first = look(frame).json
    assert first["ready"] and first["progress"] == 0.0
    x, y, eye_px = first["posture"]
    turned = look(frame, start=f"{x - 0.09},{y},{eye_px}").json
    assert turned["progress"] == pytest.approx(0.5, abs=0.01) and turned["text"] == "Seen. Slowly further."
    assert not turned["ready"]
    assert look(frame, start="nan,0,0").json["progress"] == 0.0
    assert look(b"no picture").json["posture"] is None
    assert look(frame, action="jump").status_code == 400
