"""Milliseconds of each step from a frame to a decision, and what our code adds to the models themselves.

The steps run as at a kiosk; all faces of a frame are compared together. The calls into ONNX Runtime, OpenVINO, dlib and
OpenCV's detectors are timed in the same run, so that the whole and their sum meet the same machine.

The gallery are the 60 people of ``gallery.txt`` with three photos each. The frames:

- *one face*: a photo of one of them, enlarged to the height of a frame of 640 x 480;
- *five faces*: five of them in one frame;
- *film*: ``one_person.mp4``, a stranger who moves;
- *nobody*: edges of photos. Where nothing is found, detectors look a second time.

    python -m bench.pipeline --engine openvino --detector yunet
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from operator import attrgetter
from pathlib import Path
from statistics import mean, median
from time import perf_counter_ns
from typing import Any, Final
from unittest.mock import patch

import cv2
import numpy as np

from bench import SHARED
from smartabsen.kernel.domain import ImageBGR
from smartabsen.recognition.alignment import align
from smartabsen.recognition.engines import Engine, build_engine
from smartabsen.recognition.matchers import MATCHERS
from smartabsen.recognition.matchers.base import Matcher
from smartabsen.recognition.quality import PROBE_LIMITS, measure_quality
from smartabsen.recognition.recognizer import Recognizer
from smartabsen.recognition.tracking import Tracker
from smartabsen.recognition.voting import TrackVote

COMBINATIONS: Final = (
    ("dlib", "hog"),
    ("insightface", "scrfd"),
    ("openvino", "retail"),
    ("sface", "yunet"),
    ("open", "retail"),
    ("insightface", "haar"),
    ("openvino", "haar"),
    ("openvino", "yunet"),
)
"""Engines with their own detector, then with others in front."""
ENROLLED: Final = 3
VOTES: Final = 3
FRAME_S: Final = 1 / 15
WIDTH, HEIGHT = 640, 480
STEPS: Final = ("detect", "align", "quality", "embed", "match", "decide")
RAW_STEPS: Final = ("detect", "embed")
RAW_CALLS: Final = {
    "haar": ("_cascade.detectMultiScale3", "_landmarks._request.infer"),
    "hog": ("_detector.run", "_predictor._predict"),
    "scrfd": ("_model.run",),
    "yunet": ("_network._session.run",),
    "retail": ("_detector.infer", "_landmarks._request.infer"),
    "dlib_resnet": ("_model.compute_face_descriptor",),
    "arcface": ("_model.run",),
    "retail_reid": ("_model.infer",),
    "sface": ("_model.run",),
    "sface_retail": ("_sface._model.run", "_retail._model.infer"),
}
"""Where each detector and embedder calls its runtime: an attribute that is called, or a method of an attribute."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One combination on one kind of frame: medians over frames, in milliseconds with one thread.

    Attributes:
        engine, detector, matcher: Their names.
        scene: What the frames show.
        frames: Number of frames that were timed.
        faces: Faces embedded in one frame, on average.
        steps_ms: Each step; the sum over all faces of a frame.
        total_ms: From the frame to the votes.
        raw_steps_ms: Of detection and embedding, what passes inside the models.
        raw_ms: Of the whole, the same.
        observe_ratio: Detection to embedding, as a multiple of ``raw_ms``.
        ratio: The same with match and decision.
    """

    engine: str
    detector: str
    matcher: str
    scene: str
    frames: int
    faces: float
    steps_ms: dict[str, float]
    total_ms: float
    raw_steps_ms: dict[str, float]
    raw_ms: float
    observe_ratio: float
    ratio: float


class Stopwatch:
    """Adds up nanoseconds by name."""

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``call`` with its time added to ``name``."""
        ns = self.ns

        def measured(*args: Any, **kwargs: Any) -> Any:
            start = perf_counter_ns()
            try:
                return call(*args, **kwargs)
            finally:
                ns[name] += perf_counter_ns() - start

        return measured


class Proxy:
    """Stands in for an object of a runtime; one of its methods is replaced."""

    def __init__(self, target: Any, method: str, call: Callable[..., Any]) -> None:
        self._target = target
        setattr(self, method, call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def measure(
    engine_name: str,
    *,
    detector: str = "auto",
    matcher: str = "auto",
    shared: Path = SHARED,
    frames: int = 30,
    rounds: int = 2,
) -> list[Timing]:
    """Time one engine with one thread.

    Args:
        engine_name: As in the setting ``engine``.
        detector: ``auto`` for its own.
        matcher: As in the setting ``recognition.matcher``.
        shared: Where weights and photos lie.
        frames: Different frames of each scene.
        rounds: How often each is timed.
    """
    people = gallery_photos(shared)
    with build_engine(engine_name, models_dir=shared / "models", detector=detector, threads=1) as engine:
        gallery = MATCHERS.get_factory(matcher)(balance=engine.balance)
        fit(gallery, engine, [own[:ENROLLED] for own in people])
        probes = [photo for own in people for photo in own[ENROLLED:]]
        watch = Stopwatch()
        with timing(engine, watch):
            return [
                _measure_scene(engine, gallery, watch, scene=scene, images=list(islice(images, frames)) * rounds)
                for scene, images in scenes(probes, shared)
            ]


def gallery_photos(shared: Path) -> list[list[Path]]:
    """Return the photos of each person to enrol."""
    lfw = shared / "faces" / "lfw"
    return [sorted((lfw / name).glob("*.jpg")) for name in (lfw / "gallery.txt").read_text().split()]


def fit(matcher: Matcher, engine: Engine, people: list[list[Path]]) -> None:
    """Enrol the largest face of each photo."""
    embeddings, labels = [], []
    for label, photos in enumerate(people):
        for photo in photos:
            image = read(photo)
            faces = engine.detector.detect(image)
            if faces:
                embeddings.append(engine.embedder.embed([align(image, faces[0], engine.embedder.template)])[0])
                labels.append(label)
    matcher.fit(np.stack(embeddings), np.array(labels, dtype=np.int64))


def scenes(probes: list[Path], shared: Path) -> Iterator[tuple[str, Iterator[ImageBGR]]]:
    """Yield the name and the frames of each scene; there are always more frames."""
    spread = probes[:: max(1, len(probes) // 150)]
    yield "one face", map(one_face, cycle(spread))
    yield "five faces", (several(spread[start : start + 5]) for start in cycle(range(0, len(spread) - 4, 5)))
    yield "film", cycle(film(shared / "faces" / "video" / "one_person.mp4", step=10))
    yield "nobody", (nobody(spread[start : start + 16]) for start in cycle(range(0, len(spread) - 15, 4)))


def one_face(photo: Path) -> ImageBGR:
    """Return a frame with a photo in its middle, whose edges are drawn out to the sides."""
    image = cv2.resize(read(photo), (HEIGHT, HEIGHT), interpolation=cv2.INTER_CUBIC)
    side = (WIDTH - HEIGHT) // 2
    return np.asarray(cv2.copyMakeBorder(image, 0, 0, side, side, cv2.BORDER_REPLICATE), dtype=np.uint8)


def several(photos: list[Path]) -> ImageBGR:
    """Return a frame with up to six photos in two rows."""
    frame = np.full((HEIGHT, WIDTH, 3), 110, dtype=np.uint8)
    columns, rows = 3, 2
    width, height = WIDTH // columns, HEIGHT // rows
    for place, photo in enumerate(photos):
        image = read(photo)
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        row, column = divmod(place, columns)
        frame[row * height : (row + 1) * height, column * width : (column + 1) * width] = image[
            top : top + height, left : left + width
        ]
    return frame


def nobody(photos: list[Path]) -> ImageBGR:
    """Return a frame of the left edges of photos, where there are walls, crowds and lawns but seldom a face."""
    strips = [cv2.resize(read(photo)[:, :25], (WIDTH // len(photos), HEIGHT)) for photo in photos]
    return np.asarray(cv2.resize(np.hstack(strips), (WIDTH, HEIGHT)), dtype=np.uint8)


def film(path: Path, *, step: int) -> list[ImageBGR]:
    """Return every ``step``-th frame of a film."""
    capture = cv2.VideoCapture(str(path))
    images: list[ImageBGR] = []
    while True:
        there, image = capture.read()
        if not there:
            break
        images.append(np.asarray(image, dtype=np.uint8))
    capture.release()
    return images[::step]


def read(photo: Path) -> ImageBGR:
    """Return a photo."""
    return np.asarray(cv2.imread(str(photo)), dtype=np.uint8)


@contextmanager
def timing(engine: Engine, watch: Stopwatch) -> Iterator[None]:
    """Time the steps of :class:`Recognizer`, and ``raw`` for what happens inside the runtimes."""
    for step, part, name in (
        ("detect", engine.detector, engine.detector.name),
        ("embed", engine.embedder, engine.embedder.name),
    ):
        for call in RAW_CALLS[name]:
            _time_raw(part, call, partial(watch.timed, f"raw {step}"))
    with (
        patch.object(engine.detector, "detect", watch.timed("detect", engine.detector.detect)),
        patch.object(engine.embedder, "embed", watch.timed("embed", engine.embedder.embed)),
        patch("smartabsen.recognition.recognizer.align", watch.timed("align", align)),
        patch("smartabsen.recognition.recognizer.measure_quality", watch.timed("quality", measure_quality)),
    ):
        yield


def as_markdown(timings: list[Timing]) -> str:
    """Return the figures as a table."""
    steps = " | ".join(STEPS)
    lines = [
        f"| engine | detector | frame | faces | {steps} | total ms | raw ms | observe / raw | total / raw |",
        "|---|---|---|" + "---:|" * (len(STEPS) + 5),
    ]
    for one in timings:
        cells = [
            one.engine,
            one.detector,
            one.scene,
            f"{one.faces:.1f}",
            *(_cell(one, step) for step in STEPS),
            f"{one.total_ms:.2f}",
            f"{one.raw_ms:.2f}",
            f"{one.observe_ratio:.3f}",
            f"{one.ratio:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure what was named, or all combinations, and print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=sorted({engine for engine, _ in COMBINATIONS}))
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--matcher", default="auto")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    combinations = ((options.engine, options.detector),) if options.engine else COMBINATIONS
    timings: list[Timing] = []
    for engine, detector in combinations:
        print(f"{engine} with {detector} ...", file=sys.stderr)
        timings += measure(
            engine,
            detector=detector,
            matcher=options.matcher,
            shared=options.shared,
            frames=options.frames,
            rounds=options.rounds,
        )
    print(
        f"Median ms of a frame, one thread, matcher {options.matcher}; in brackets what passes inside the models. "
        "Goal: total / raw at most 1.10.\n"
    )
    print(as_markdown(timings))


def _measure_scene(engine: Engine, matcher: Matcher, watch: Stopwatch, *, scene: str, images: list[ImageBGR]) -> Timing:
    recognizer = Recognizer(engine.detector, engine.embedder, limits=PROBE_LIMITS)
    tracker = Tracker()
    votes: defaultdict[int, TrackVote] = defaultdict(lambda: TrackVote(votes=VOTES, same_person=engine.threshold))
    frames: list[Counter[str]] = []
    faces: list[int] = []
    for warm_up in images[:3]:
        recognizer.observe(warm_up)
    for number, image in enumerate(images):
        watch.ns.clear()
        now_s = number * FRAME_S
        begin = perf_counter_ns()
        seen = recognizer.observe(image)
        observed = perf_counter_ns()
        compared = [one.embedding for one in seen if one.embedding is not None]
        decided = iter(
            matcher.match(np.stack(compared), threshold=engine.threshold, margin=engine.margin) if compared else ()
        )
        matches = [None if one.embedding is None else next(decided) for one in seen]
        matched = perf_counter_ns()
        tracks = tracker.update([one.face.box_xyxy for one in seen], now_s)
        for track, one, match in zip(tracks, seen, matches, strict=True):
            if one.embedding is not None and match is not None:
                votes[track].add_match(match, one.embedding, now_s)
            elif one.refusal is not None:
                votes[track].add_refusal(one.refusal, now_s)
        end = perf_counter_ns()
        times = Counter(observe=observed - begin, match=matched - observed, decide=end - matched, total=end - begin)
        frames.append(times + watch.ns + Counter(raw=watch.ns["raw detect"] + watch.ns["raw embed"]))
        faces.append(sum(match is not None for match in matches))

    def ms(name: str) -> float:
        return median(times[name] for times in frames) / 1e6

    return Timing(
        engine=engine.name,
        detector=engine.detector.name,
        matcher=matcher.name,
        scene=scene,
        frames=len(frames),
        faces=mean(faces),
        steps_ms={step: ms(step) for step in STEPS},
        total_ms=ms("total"),
        raw_steps_ms={step: ms(f"raw {step}") for step in RAW_STEPS},
        raw_ms=ms("raw"),
        observe_ratio=median(times["observe"] / times["raw"] for times in frames),
        ratio=median(times["total"] / times["raw"] for times in frames),
    )


def _cell(timing: Timing, step: str) -> str:
    raw = f" ({timing.raw_steps_ms[step]:.2f})" if step in RAW_STEPS else ""
    return f"{timing.steps_ms[step]:.2f}{raw}"


def _time_raw(part: object, call: str, timed: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace an attribute of a detector or embedder, or a method of one, by a timed one."""
    *path, method = call.split(".")
    holder = attrgetter(".".join(path))(part)
    raw = timed(getattr(holder, method))
    if hasattr(holder, "__dict__") and method in vars(holder):
        setattr(holder, method, raw)
        return
    # Objects of compiled classes take no attributes: put a stand-in into their place.
    owner = attrgetter(".".join(path[:-1]))(part) if path[:-1] else part
    setattr(owner, path[-1], Proxy(holder, method, raw))


if __name__ == "__main__":
    main()
