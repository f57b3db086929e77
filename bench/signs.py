"""Whether signs of paper and screens that need no training tell the sample attacks from people.

- *moire*: the strongest peak of the Fourier spectrum of the face at high frequencies, over the median there;
- *frame*: the longest straight edge around the face (Hough), in widths of the face;
- *background*: not possible on single photos: it needs films of attacks, of which there are none here.

Each sign is turned into a limit that refuses every sample attack; the share of pictures of people beyond that limit is
what it would cost. A sign that is tuned on two attacks is tested on none: this only shows whether it could help.

    python -m bench.signs
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from bench import SHARED
from bench.liveness import largest
from bench.pipeline import film, read
from smartabsen.kernel.domain import Face, ImageBGR
from smartabsen.recognition.detectors.base import Detector
from smartabsen.recognition.engines import build_detector
from smartabsen.recognition.liveness.crops import cut_around

SIDE: Final = 128


def moire(image_bgr: ImageBGR, face: Face) -> float:
    """Return how far the strongest regular pattern stands out of the spectrum of a face."""
    grey = cv2.cvtColor(cut_around(image_bgr, face.box_xyxy, scale=1.0), cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((small - small.mean()) * window)))
    across, down = np.meshgrid(*(np.arange(SIDE) - SIDE // 2,) * 2)
    high = spectrum[np.hypot(across, down) > SIDE / 5]
    return float(high.max() / np.median(high))


def frame(image_bgr: ImageBGR, face: Face) -> float:
    """Return the longest straight edge within 2.7 times the face, in widths of the face."""
    crop = cut_around(image_bgr, face.box_xyxy, scale=2.7)
    scale = 200.0 / crop.shape[1]
    grey = cv2.cvtColor(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    lines = cv2.HoughLinesP(cv2.Canny(grey, 60, 160), 1, np.pi / 180, 40, minLineLength=30, maxLineGap=4)
    if lines is None:
        return 0.0
    ends = lines.reshape(-1, 4).astype(np.float64)
    longest = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]).max()
    return float(longest / (scale * (face.box_xyxy[2] - face.box_xyxy[0])))


SIGNS: Final[dict[str, Callable[[ImageBGR, Face], float]]] = {"moire": moire, "frame": frame}


def measure(shared: Path, detector: Detector, press: int) -> Iterator[str]:
    """Yield a table."""
    faces = shared / "faces"
    photos = sorted((faces / "lfw").glob("*/*_0001.jpg"))[1::2]
    groups = {
        "attacks": [read(path) for path in sorted((faces / "spoof").glob("attack_*.jpg"))],
        "press photos": [read(path) for path in photos[:press]],
        "film": film(faces / "video" / "one_person.mp4", step=5),
    }
    seen = {name: [(image, largest(detector, image)) for image in images] for name, images in groups.items()}
    yield "| sign | attacks | people beyond the weaker attack: press photos | film |\n|---|---|---|---|"
    for name, sign in SIGNS.items():
        values = {
            group: [sign(image, face) for image, face in pairs if face is not None] for group, pairs in seen.items()
        }
        limit = min(values["attacks"])
        shown = ", ".join(f"{value:.1f}" for value in values["attacks"])
        beyond = [
            f"{sum(value >= limit for value in values[group])} of {len(values[group])}"
            for group in ("press photos", "film")
        ]
        yield f"| {name} | {shown} | {beyond[0]} | {beyond[1]} |"


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--press", type=int, default=300)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    detector = build_detector(options.detector, models_dir=options.shared / "models", threads=1)
    for line in measure(options.shared, detector, options.press):
        print(line, flush=True)


if __name__ == "__main__":
    main()
