"""Frames of 640 x 480, from pixels to embeddings, against other pipelines in the same run.

- *ours*: detection, alignment, quality, embedding, and the comparison with 180 templates on top. *Photo* finds all
  faces, *kiosk* those of 60 pixels and more, as a session at a camera does; *decided* is a frame of that session in
  which nobody is undecided, so that it needs detection only;
- *FaceAnalysis.get* of insightface with the same two weight files (detection and recognition, none of its other
  models), by ONNX Runtime as it comes, in its usual 640 x 640;
- *face_recognition*: ``face_locations`` and ``face_encodings`` of that package, where it is installed.

All run with one thread and take turns on the same frames, with one face and with five. Given are the median and the
least of processor time, which is the time that passes on an idle machine; the median of the ratios to
``FaceAnalysis.get`` on the same frame; and the frames a second that the median allows.

    python -m bench.rivals --frames 20
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, redirect_stdout, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

import numpy as np

from bench import SHARED
from bench.pipeline import fit, gallery_photos, scenes
from smartabsen.kernel.domain import ImageBGR
from smartabsen.recognition.engines import Engine, build_detector, build_engine
from smartabsen.recognition.execution import Execution
from smartabsen.recognition.matchers import MATCHERS
from smartabsen.recognition.quality import PROBE_LIMITS
from smartabsen.recognition.recognizer import Recognizer
from smartabsen.recognition.runtime import load_onnx

REFERENCE: Final = "FaceAnalysis.get (onnxruntime)"
OURS: Final = (
    ("insightface", "onnxruntime"),
    ("insightface", "onnxruntime-rewritten"),
    ("insightface", "openvino"),
    ("openvino", "openvino"),
    ("sface", "onnxruntime-rewritten"),
    ("sface", "openvino"),
    ("open", "openvino"),
    ("dlib", "onnxruntime"),
)
SCENES: Final = 2
"""One face, and five."""


@dataclass(slots=True)
class Contestant:
    """A way from a frame to embeddings, and its times in milliseconds."""

    name: str
    run: Callable[[ImageBGR], object]
    times: list[float] = field(default_factory=list)

    def time(self, image: ImageBGR) -> None:
        """Time one frame."""
        start = process_time()
        self.run(image)
        self.times.append(1e3 * (process_time() - start))


def our_contestants(shared: Path, stack: ExitStack, engines: Collection[str]) -> Iterator[Contestant]:
    """Yield our engines, those named, with a gallery of the people of ``gallery.txt``."""
    people = [own[:3] for own in gallery_photos(shared)]
    for name, runtime in OURS:
        if name not in engines:
            continue
        execution = Execution(runtime=runtime, device="cpu")
        models = shared / "models"
        engine = stack.enter_context(build_engine(name, models_dir=models, threads=1, execution=execution))
        matcher = MATCHERS.get_factory("auto")(balance=engine.balance)
        fit(matcher, engine, people)
        smaller = build_detector(
            engine.detector.name,
            models_dir=models,
            threads=1,
            min_face_px=int(PROBE_LIMITS.min_face_px),
            execution=execution,
        )
        stack.callback(smaller.close)
        for kind, detector in (("photo", engine.detector), ("kiosk", smaller)):
            recognizer = Recognizer(detector, engine.embedder, limits=PROBE_LIMITS)
            yield Contestant(f"ours: {name} ({runtime}), {kind}", _pipeline(recognizer, engine, matcher))
        yield Contestant(f"ours: {name} ({runtime}), kiosk, decided", recognizer.find)


def face_analysis(shared: Path, stack: ExitStack) -> Contestant:
    """Return insightface's own pipeline with the same files and one thread."""
    from insightface.app.common import Face
    from insightface.model_zoo import SCRFD, ArcFaceONNX

    folder = shared / "models" / "insightface" / "buffalo_sc"
    with redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))):
        detector = SCRFD(str(folder / "det_500m.onnx"), session=load_onnx(folder / "det_500m.onnx", threads=1))
        detector.prepare(-1, input_size=(640, 640), det_thresh=0.5)
        recogniser = ArcFaceONNX(str(folder / "w600k_mbf.onnx"), load_onnx(folder / "w600k_mbf.onnx", threads=1))
        recogniser.prepare(-1)

    def get(image: ImageBGR) -> list[Any]:
        """What FaceAnalysis.get does with these two models."""
        boxes, points = detector.detect(image, max_num=0, metric="default")
        faces = [Face(bbox=box[:4], kps=kps, det_score=box[4]) for box, kps in zip(boxes, points, strict=True)]
        for face in faces:
            recogniser.get(image, face)
        return faces

    return Contestant(REFERENCE, get)


def face_recognition() -> Contestant | None:
    """Return the pipeline of the package ``face_recognition``, or None where it cannot be imported."""
    if find_spec("face_recognition") is None:
        return None
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore")
        import face_recognition as package

        def run(image: ImageBGR) -> object:
            rgb = image[:, :, ::-1].copy()
            return package.face_encodings(rgb, package.face_locations(rgb))

        return Contestant("face_recognition (dlib)", run)
    return None


def measure(shared: Path, *, frames: int, engines: Collection[str]) -> dict[str, list[Contestant]]:
    """Let all contestants take turns on the same frames; return them with their times, by scene."""
    with ExitStack() as stack:
        contestants = [*our_contestants(shared, stack, engines), face_analysis(shared, stack)]
        other = face_recognition()
        contestants += [other] if other else []
        probes = [photo for own in gallery_photos(shared) for photo in own[3:]]
        measured: dict[str, list[Contestant]] = {}
        for scene, images in islice(scenes(probes, shared), SCENES):
            shown = list(islice(images, frames))
            measured[scene] = [Contestant(one.name, one.run) for one in contestants]
            for one in contestants:
                one.run(shown[0])
            for image in shown:
                for one in measured[scene]:
                    one.time(image)
        return measured


def as_markdown(contestants: list[Contestant]) -> str:
    """Return the figures of one scene as a table."""
    reference = next(one.times for one in contestants if one.name == REFERENCE)
    lines = ["| pipeline | median ms | least ms | of FaceAnalysis.get | frames/s |", "|---|---:|---:|---:|---:|"]
    for one in contestants:
        middle = median(one.times)
        ratio = median(own / its for own, its in zip(one.times, reference, strict=True))
        lines.append(f"| {one.name} | {middle:.1f} | {min(one.times):.1f} | {ratio:.2f} | {1e3 / middle:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=30)
    names = tuple(dict.fromkeys(name for name, _ in OURS))
    parser.add_argument("--engine", action="append", choices=names, help="all by itself")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    for scene, contestants in measure(options.shared, frames=options.frames, engines=options.engine or names).items():
        print(f"Frames with {scene}:\n\n{as_markdown(contestants)}\n")
    if face_recognition() is None:
        print("The package face_recognition is not installed, so it was not compared.")


def _pipeline(recognizer: Recognizer, engine: Engine, matcher: Any) -> Callable[[ImageBGR], object]:
    def run(image: ImageBGR) -> object:
        found = [seen.embedding for seen in recognizer.observe(image) if seen.embedding is not None]
        return matcher.match(np.stack(found), threshold=engine.threshold, margin=engine.margin) if found else ()

    return run


if __name__ == "__main__":
    main()
