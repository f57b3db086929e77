"""How often attacks and people pass the liveness checks, in the terms of ISO/IEC 30107-3.

APCER: share of the attack presentations of one kind that are taken for a person. BPCER: share of the presentations of
people that are refused. Rates stand beside their counts; of few presentations a rate says little.

- *passive*: the sample photos of ``../shared/faces/spoof``, and pictures of people;
- *active*: prints of photos of ``../shared/faces`` under rendered movements (see :mod:`bench.attacks`), each against a
  challenge that its movement imitates; the synthetic head; and one person's turn in ``../shared/faces/video``.

    python -m bench.liveness --photos 3 --detector scrfd --detector hog
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from bench import SHARED
from bench.attacks import Print
from bench.films import FPS, PRINTS, film_cut, film_head, film_print
from smartabsen.kernel.domain import ChallengeFailure, Face, ImageBGR, LivenessAction, Rate
from smartabsen.kernel.errors import ModelMissingError
from smartabsen.recognition.detectors.base import Detector
from smartabsen.recognition.engines import build_detector
from smartabsen.recognition.liveness.base import PassiveLiveness
from smartabsen.recognition.liveness.challenge import Challenge, ChallengeJudge, ChallengeState
from smartabsen.recognition.liveness.files import build_liveness

DIRECTIONS: Final = {
    "right": LivenessAction.TURN_LEFT,
    "left": LivenessAction.TURN_RIGHT,
    "up": LivenessAction.LOOK_UP,
}
"""Where the nose goes in the image, and how a person would call it."""
FRONTAL_PHOTOS: Final = (
    "Brennon_Leighton/Brennon_Leighton_0001.jpg",
    "Calbert_Cheaney/Calbert_Cheaney_0001.jpg",
    "Dan_Reeves/Dan_Reeves_0001.jpg",
    "Casey_Mears/Casey_Mears_0001.jpg",
    "Dave_Tucker/Dave_Tucker_0001.jpg",
    "Derrick_Taylor/Derrick_Taylor_0001.jpg",
)
"""Photos of LFW in which people look straight ahead."""
FILM_STEP: Final = 5
TURN_IN_FILM: Final = (46, 10)
"""Run backwards between these frames, the film shows a person who turns from the front to the right of the image."""


@dataclass
class Count:
    """Presentations of one kind, and how many were taken for a person."""

    tried: int = 0
    passed: int = 0
    failures: list[ChallengeFailure | None] = field(default_factory=list)

    def add(self, state: ChallengeState) -> None:
        """Count one."""
        self.tried += 1
        self.passed += state.passed
        if not state.passed:
            self.failures.append(state.failure)


def judge(
    frames: Iterable[ImageBGR], faces: Iterable[Face | None], action: LivenessAction, *, fps: float
) -> ChallengeState:
    """Play a film to a challenge of one action; what is unfinished when it ends has failed by time."""
    judge = ChallengeJudge(Challenge((action,)))
    for number, (frame, face) in enumerate(zip(frames, faces, strict=True)):
        state = judge.add(frame, face, number / fps)
        if state.over:
            return state
    return judge.state


def largest(detector: Detector, image_bgr: ImageBGR) -> Face | None:
    """Return the largest face, or None."""
    return next(iter(detector.detect(image_bgr)), None)


def measure_passive(shared: Path, detectors: dict[str, Detector]) -> Iterator[str]:
    """Yield a table of the sample photos."""
    yield "| backend | detector | photo | probability | taken for a person |\n|---|---|---|---|---|"
    for backend in _backends(shared):
        for name, detector in detectors.items():
            for photo in sorted((shared / "faces" / "spoof").glob("*.jpg")):
                image = np.asarray(cv2.imread(str(photo)), dtype=np.uint8)
                face = largest(detector, image)
                score = None if face is None else backend.score(image, face).probability
                verdict = "-" if score is None else "yes" if score >= backend.threshold else "no"
                shown = "-" if score is None else f"{score:.3f}"
                yield f"| {backend.name} | {name} | {photo.stem} | {shown} | {verdict} |"


def measure_active(prints: list[Print], detectors: dict[str, Detector], directions: Iterable[str]) -> Iterator[str]:
    """Yield a table with a row for each kind of presentation."""
    wanted = list(directions)
    yield "| presentation | " + " | ".join(detectors) + " |\n|---|" + "---|" * len(detectors)
    every: list[dict[str, Count]] = []
    for kind in PRINTS:
        films = ((film_print(each, kind, to, seed=number), to) for number, each in enumerate(prints) for to in wanted)
        every.append(_count(films, detectors))
        yield _row(f"print, {kind.name}", every[-1])
    for name, fade in (("two photos, one cut after the other", 0), ("two photos, faded over 6 frames", 6)):
        films = ((film_cut(each, to, fade_frames=fade), to) for each in prints for to in wanted)
        every.append(_count(films, detectors))
        yield _row(name, every[-1])
    together = {
        label: Count(sum(counts[label].tried for counts in every), sum(counts[label].passed for counts in every))
        for label in detectors
    }
    yield _row(f"**all {len(every)} kinds of photos together**", together)
    for angle in (18.0, 25.0):
        films = (
            (film_head(each, to, angle=angle, seed=number), to) for number, each in enumerate(prints) for to in wanted
        )
        yield _row(f"**synthetic head**, {angle:.0f} degrees", _count(films, detectors))


def measure_bona_fide(shared: Path, detectors: dict[str, Detector], *, photos: int) -> Iterator[str]:
    """Yield a table of pictures of people that a backend refuses: frames of a film, and press photos.

    A press photo is of a person, but taken by another camera, light and distance than a kiosk's.
    """
    capture = cv2.VideoCapture(str(shared / "faces" / "video" / "one_person.mp4"))
    film = []
    while (answer := capture.read())[0]:
        film.append(np.asarray(answer[1], dtype=np.uint8))
    capture.release()
    press = sorted((shared / "faces" / "lfw").glob("*/*_0001.jpg"))
    step = max(1, len(press) // photos)
    pictures = {
        f"frames of one film, every {FILM_STEP}th": film[::FILM_STEP],
        "press photos of LFW": [np.asarray(cv2.imread(str(path)), dtype=np.uint8) for path in press[::step][:photos]],
    }
    yield "| backend | detector | pictures of people | not judged | refused |\n|---|---|---|---|---|"
    for backend in _backends(shared):
        for name, detector in detectors.items():
            for label, images in pictures.items():
                faces = [(image, largest(detector, image)) for image in images]
                scores = [None if face is None else backend.score(image, face).probability for image, face in faces]
                judged = [score for score in scores if score is not None]
                refused = Rate(sum(score < backend.threshold for score in judged), len(judged))
                yield (
                    f"| {backend.name} | {name} | {label} | {len(scores) - len(judged)} of {len(scores)} "
                    f"| {refused.count} of {refused.trials} ({100 * refused.low:.1f} to {100 * refused.high:.1f} %) |"
                )


def measure_film(shared: Path, detectors: dict[str, Detector]) -> str:
    """Return a row for the person of the film: a turn there and back, as it is and mirrored."""
    capture = cv2.VideoCapture(str(shared / "faces" / "video" / "one_person.mp4"))
    frames = []
    while len(frames) <= max(TURN_IN_FILM):
        read, frame = capture.read()
        assert read, "the film is shorter than expected"
        frames.append(np.asarray(frame, dtype=np.uint8))
    capture.release()
    start, end = TURN_IN_FILM
    turn = frames[start:end:-2] + frames[end : start + 1 : 2]
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in turn]
    counts = _count(iter([(turn, "right"), (mirrored, "left")]), detectors)
    return _row("**a person** in a film, turn", counts)


def _count(films: Iterator[tuple[Iterable[ImageBGR], str]], detectors: dict[str, Detector]) -> dict[str, Count]:
    counts = {detector: Count() for detector in detectors}
    for film, direction in films:
        frames = list(film)
        for label, detector in detectors.items():
            faces = [largest(detector, frame) for frame in frames]
            counts[label].add(judge(frames, faces, DIRECTIONS[direction], fps=FPS))
    return counts


def _row(name: str, counts: dict[str, Count]) -> str:
    return f"| {name} | " + " | ".join(f"{each.passed} of {each.tried}" for each in counts.values()) + " |"


def _backends(shared: Path) -> Iterator[PassiveLiveness]:
    for name in ("minifasnet", "insightface"):
        try:
            yield build_liveness(name, models_dir=shared / "models", threads=1)
        except ModelMissingError:
            continue


def _prints(shared: Path, detector: Detector, number: int) -> list[Print]:
    prints = []
    for name in FRONTAL_PHOTOS[:number]:
        image = np.asarray(cv2.imread(str(shared / "faces" / "lfw" / name)), dtype=np.uint8)
        face = largest(detector, image)
        assert face is not None
        prints.append(Print.of(image, face))
    return prints


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", action="append", choices=["scrfd", "yunet", "retail", "hog", "haar"])
    parser.add_argument("--photos", type=int, default=3)
    parser.add_argument("--press", type=int, default=200, help="press photos for the passive check")
    parser.add_argument("--direction", action="append", choices=list(DIRECTIONS))
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    models = options.shared / "models"
    detectors = {
        name: build_detector(name, models_dir=models, threads=1)
        for name in options.detector or ["scrfd", "yunet", "hog"]
    }
    print("### Passive: sample photos\n")
    for line in measure_passive(options.shared, detectors):
        print(line, flush=True)
    print("\n### Passive: pictures of people\n")
    for line in measure_bona_fide(options.shared, detectors, photos=options.press):
        print(line, flush=True)
    prints = _prints(options.shared, build_detector("scrfd", models_dir=models, threads=1), options.photos)
    print(f"\n### Active: taken for a person, of presentations ({len(prints)} photos)\n")
    print(measure_film(options.shared, detectors), flush=True)
    for line in measure_active(prints, detectors, options.direction or list(DIRECTIONS)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
