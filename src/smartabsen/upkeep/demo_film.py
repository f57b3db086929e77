"""The demo's people and its camera, made on the spot out of photos that installed packages carry.

Five people of InsightFace's sample photo and the astronaut of scikit-image are enrolled; the face of InsightFace's
other photo is the stranger. The sixth person of the first photo looks so far to the side that he would be asked for
another one. What the film shows differs from the enrolment in size, position, turn, light, focus and noise, but it is
made of the same photographs: it shows that everything works together, and is no figure of accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..camera.film import Portrait, Variation, crop_with_margin, hold_up, vary, walk_past, write_video
from ..camera.picture import read_picture, write_picture
from ..kernel.errors import MissingDependencyError, ModelError
from ..kernel.i18n import N_

if TYPE_CHECKING:
    from ..kernel.domain import BoxXYXY, ImageBGR

PEOPLE: Final = 6
_GROUP_PHOTO: Final = ("insightface", "data/images/t1.jpg")
_IN_GROUP: Final = 6
_LOOKS_AWAY: Final = 4
"""Place of the one who looks to the side, from the left."""
_SIXTH_PHOTO: Final = ("skimage", "data/astronaut.png")
_STRANGERS_PHOTO: Final = ("insightface", "data/images/Tom_Hanks_54745.png")
_FACE_PX: Final = 200.0
_FPS: Final = 12.0
_STRANGER_COMES: Final = 3
"""How many of the six come before the stranger."""
ENROLMENT: Final = (
    Variation(),
    Variation(zoom=1.06, rotation_deg=3.0, brightness=1.05, jpeg_quality=90),
    Variation(zoom=0.92, rotation_deg=-3.0, shift_xy=(0.02, -0.01), brightness=0.88),
    Variation(zoom=0.85, shift_xy=(-0.03, 0.02), blur_px=1.0, noise=2.0, jpeg_quality=85),
    Variation(zoom=1.12, rotation_deg=-1.5, shift_xy=(0.01, 0.03), brightness=0.95, noise=3.0),
)
"""Five photos of each person, as people bring them: another distance, a tilt, other light, less sharp."""


@dataclass(frozen=True, slots=True)
class DemoMaterial:
    """What the demo works with.

    Attributes:
        photos: Name to the files to enrol with.
        film: The camera: a video file.
        frames: Its number of frames.
        fps: Its frames per second.
        order: Who comes, in this order; the stranger among them.
        stranger: The name of the one who is not enrolled.
        photograph: Another video: a print of the first person is held up to the camera.
    """

    photos: dict[str, tuple[Path, ...]]
    film: Path
    frames: int
    fps: float
    order: tuple[str, ...]
    stranger: str
    photograph: Path


def make_demo_material(
    directory: Path,
    boxes_of: Callable[[ImageBGR], Sequence[BoxXYXY]],
    names: Sequence[str],
    *,
    stranger: str = "stranger",
    seed: int = 7,
) -> DemoMaterial:
    """Write photos to enrol with and a film to recognise people in.

    Args:
        directory: Where to; it must exist.
        boxes_of: A face detector.
        names: Six names, given to the people in their order.
        stranger: What to call the seventh.
        seed: Paths, light and noise of the film; the same gives the same files.

    Raises:
        MissingDependencyError: A package whose photo is needed is not installed.
        ModelError: The detector does not find the faces.
        StorageError: A file cannot be written.
    """
    if len(names) != PEOPLE:
        raise ValueError(f"{PEOPLE} names are needed, not {len(names)}")
    group = _portraits(_GROUP_PHOTO, boxes_of, count=_IN_GROUP)
    del group[_LOOKS_AWAY]
    people = dict(zip(names, [*group, *_portraits(_SIXTH_PHOTO, boxes_of, count=1)], strict=True))
    photos = {
        name: tuple(_write_variations(directory, portrait, stem=f"person{number}", seed=seed + 100 * number))
        for number, (name, portrait) in enumerate(people.items(), start=1)
    }
    walkers = list(people.items())
    walkers.insert(_STRANGER_COMES, (stranger, _portraits(_STRANGERS_PHOTO, boxes_of, count=1)[0]))
    film = directory / "camera.avi"
    frames = write_video(film, walk_past([portrait for _, portrait in walkers], seed=seed, fps=_FPS), fps=_FPS)
    photograph = directory / "photograph.avi"
    write_video(photograph, hold_up(people[names[0]], seed=seed, fps=_FPS), fps=_FPS)
    return DemoMaterial(
        photos=photos,
        film=film,
        frames=frames,
        fps=_FPS,
        order=tuple(name for name, _ in walkers),
        stranger=stranger,
        photograph=photograph,
    )


def _portraits(
    photo: tuple[str, str], boxes_of: Callable[[ImageBGR], Sequence[BoxXYXY]], *, count: int
) -> list[Portrait]:
    """Return the portraits of the ``count`` largest faces, from left to right."""
    image = read_picture(_photo_of_package(*photo))
    largest = sorted(boxes_of(image), key=_area, reverse=True)[:count]
    if len(largest) < count:
        raise ModelError(
            N_("The detector finds {found} of the {count} faces in {photo}."),
            hint=N_("Try another one: --detector yunet."),
            found=len(largest),
            count=count,
            photo=photo[1],
        )
    return [crop_with_margin(image, box, face_px=_FACE_PX) for box in sorted(largest, key=lambda box: box[0] + box[2])]


def _photo_of_package(package: str, path: str) -> Path:
    # Found, not imported: importing these packages takes seconds.
    spec = find_spec(package)
    photo = None if spec is None or spec.origin is None else Path(spec.origin).parent / path
    if photo is None or not photo.is_file():
        raise MissingDependencyError(
            N_("The demo needs the photo {path} of the Python package {package}, which is not there."),
            hint=N_("Install it: pip install '{install}'"),
            path=path,
            package=package,
            install={"skimage": "scikit-image"}.get(package, package),
        )
    return photo


def _write_variations(directory: Path, portrait: Portrait, *, stem: str, seed: int) -> list[Path]:
    paths = []
    for number, variation in enumerate(ENROLMENT, start=1):
        path = directory / f"{stem}_{number}.jpg"
        write_picture(path, vary(portrait.image_bgr, variation, seed=seed + number))
        paths.append(path)
    return paths


def _area(box: BoxXYXY) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
