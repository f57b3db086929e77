"""As installed, with real models: a photograph held up is refused, in the kiosk and in the browser; a person is not."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen import SmartAbsen
from smartabsen.kernel.domain import ImageBGR, KioskEvent, KioskEventKind, Outcome
from smartabsen.kiosk.checkin import Burst

pytestmark = [pytest.mark.shared, pytest.mark.slow]
FRAMES = 30


def held_up(photo: Path, *, sway_px: float) -> list[ImageBGR]:
    """Frames of a photo before a camera: with noise, and moved as hands move it."""
    image = cv2.imread(str(photo))
    height, width = image.shape[:2]
    frames = []
    for number in range(FRAMES):
        place = np.array([[1.0, 0, sway_px * np.sin(number / 4)], [0, 1.0, sway_px * np.cos(number / 5)]])
        moved = cv2.warpAffine(image, place, (width, height), borderMode=cv2.BORDER_REFLECT)
        noise = np.random.default_rng(number).normal(0.0, 2.0, moved.shape)
        frames.append(np.clip(moved + noise, 0, 255).astype(np.uint8))
    return frames


def person(shared_dir: Path) -> list[ImageBGR]:
    """Frames of the person in the film."""
    capture = cv2.VideoCapture(str(shared_dir / "faces" / "video" / "one_person.mp4"))
    frames = [np.asarray(capture.read()[1], dtype=np.uint8) for _ in range(4 * FRAMES)]
    capture.release()
    return frames


def write_film(path: Path, frames: Sequence[ImageBGR]) -> Path:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15.0, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture(scope="module")
def presentations(shared_dir: Path) -> dict[str, list[ImageBGR]]:
    """Who is before the camera, by name."""
    spoof = shared_dir / "faces" / "spoof"
    films = {
        f"{name}, {how}": held_up(spoof / f"{name}.jpg", sway_px=sway_px)
        for name in ("attack_1", "attack_2")
        for how, sway_px in (("still", 0.0), ("moving", 3.0))
    }
    return {**films, "person": person(shared_dir)}


@pytest.fixture(scope="module")
def flags(
    presentations: dict[str, list[ImageBGR]], models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    """An installation as it comes, with people enrolled who are shown by what is held up."""
    directory = tmp_path_factory.mktemp("door")
    flags: dict[str, object] = {"home": str(directory / "home"), "engine": "openvino", "models_dir": str(models_dir)}
    enrolled = {"E001": presentations["attack_1, still"][:10:5], "E002": presentations["attack_2, still"][:10:5]}
    enrolled["E003"] = presentations["person"][3 * FRAMES :: 10]
    with SmartAbsen.open(flags=flags) as app:
        for code, frames in enrolled.items():
            photos = []
            for number, frame in enumerate(frames):
                photos.append(directory / f"{code}-{number}.png")
                cv2.imwrite(str(photos[-1]), frame)
            app.enrol(f"Contoh {code}", photos, code=code, consent=True)
        app.train()
    return flags


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("attack_1, still", Outcome.NOT_LIVE),
        ("attack_1, moving", Outcome.NOT_LIVE),
        ("attack_2, still", Outcome.NOT_LIVE),
        ("attack_2, moving", Outcome.NOT_LIVE),
        ("person", Outcome.RECOGNIZED),
    ],
)
def test_at_the_kiosk(
    flags: dict[str, object],
    presentations: dict[str, list[ImageBGR]],
    tmp_path: Path,
    name: str,
    outcome: Outcome,
) -> None:
    """Nothing was set: the model is there, so it guards the door. The first decision on the film."""
    film = write_film(tmp_path / "film.avi", presentations[name][:FRAMES])
    events: list[KioskEvent] = []
    with SmartAbsen.open(flags=flags) as app:
        app.run_kiosk(camera=str(film), on_event=events.append, stop=threading.Event(), window=False)
    decisions = [event.outcome for event in events if event.kind is KioskEventKind.DECISION]
    assert decisions[:1] == [outcome]
    assert Outcome.RECOGNIZED not in decisions[1:]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("attack_1, moving", Outcome.NOT_LIVE), ("attack_2, moving", Outcome.NOT_LIVE), ("person", Outcome.RECOGNIZED)],
)
def test_in_the_browser(
    flags: dict[str, object], presentations: dict[str, list[ImageBGR]], name: str, outcome: Outcome
) -> None:
    """The same model, the same limits."""
    frames = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in presentations[name][:FRAMES:5]]
    burst = Burst(frames, [0.22 * number for number in range(len(frames))])
    with SmartAbsen.open(flags={**flags, "attendance.cooldown_s": 0}) as app:
        result = app.checkin.attempt(burst, key="browser-" + name.replace(", ", "-").replace("_", "-"))
    assert result.outcome in (outcome, Outcome.ALREADY_RECORDED if outcome is Outcome.RECOGNIZED else outcome)
    assert (result.result is None) == (outcome is Outcome.NOT_LIVE)
