"""Annotated pictures: boxes in the right colour, and names that can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import ImageFont

from smartabsen.kernel.domain import ImageBGR, Outcome
from smartabsen.recognition import annotate
from smartabsen.recognition.annotate import Label, draw, draw_banner


@pytest.fixture
def image() -> ImageBGR:
    return np.full((240, 320, 3), 90, dtype=np.uint8)


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without any font but Pillow's own."""

    def fail(name: str, size: int) -> None:
        raise OSError(name)

    with monkeypatch.context() as patch:
        patch.setattr(ImageFont, "truetype", fail)
        annotate._font.cache_clear()
        annotate._plate.cache_clear()
        # Pillow's own font is made by the same function, from memory.
        patch.setattr(annotate.ImageFont, "load_default", lambda size: PILLOWS_OWN)
        yield
    annotate._font.cache_clear()
    annotate._plate.cache_clear()


PILLOWS_OWN = ImageFont.load_default(13)


def changed(before: ImageBGR, after: ImageBGR) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what was drawn."""
    rows, columns = np.nonzero((before != after).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_the_picture_that_was_given_stays_as_it_is(image: ImageBGR) -> None:
    """Drawing is on a copy."""
    before = image.copy()
    drawn = draw(image, [Label((50, 60, 150, 200), Outcome.RECOGNIZED, "Siti")])
    np.testing.assert_array_equal(image, before)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8


@pytest.mark.parametrize(
    ("outcome", "strongest"), [(Outcome.RECOGNIZED, 1), (Outcome.UNKNOWN, 2), (Outcome.ALREADY_RECORDED, 0)]
)
def test_the_colour_of_a_box_tells_the_outcome(image: ImageBGR, outcome: Outcome, strongest: int) -> None:
    """Green for recognised, red for unknown, blue for already recorded."""
    colour = draw(image, [Label((50, 60, 150, 200), outcome)])[130, 50]
    assert int(colour.argmax()) == strongest


def test_advice_and_undecided_faces_have_colours_of_their_own(image: ImageBGR) -> None:
    """Amber and grey."""
    amber = draw(image, [Label((50, 60, 150, 200), Outcome.TOO_DARK)])[130, 50].astype(int)
    assert amber[2] > 200 > 150 < amber[1] > amber[0] + 100
    grey = draw(image, [Label((50, 60, 150, 200), None)])[130, 50]
    assert len(set(grey.tolist())) == 1


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_text_is_readable_on_any_background(level: int, outcome: Outcome) -> None:
    """Letters stand on a plate, with a contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""
    image = np.full((240, 320, 3), level, dtype=np.uint8)
    drawn = draw(image, [Label((50, 100, 150, 200), outcome, "MMMMMM")])
    plate = drawn[78:98, 54:90].reshape(-1, 3)
    colours, counts = np.unique(plate, axis=0, return_counts=True)
    background = colours[counts.argmax()]
    letters = colours[np.abs(colours.astype(int) - background).sum(axis=1).argmax()]
    lights = sorted([luminance(background), luminance(letters)])
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5


def luminance(colour_bgr: np.ndarray) -> float:
    """Relative luminance, WCAG 2.2."""
    share = colour_bgr / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.0722, 0.7152, 0.2126])


def test_text_is_above_the_box_where_there_is_room_and_over_its_edge_where_not(image: ImageBGR) -> None:
    """A face at the upper edge keeps its name."""
    _, top, _, _ = changed(image, draw(image, [Label((50, 100, 150, 200), Outcome.RECOGNIZED, "Siti")]))
    assert 70 < top < 90
    drawn = draw(image, [Label((50, 3, 150, 100), Outcome.RECOGNIZED, "Siti")])
    assert (drawn[10:16, 55:80] != 90).any()


@pytest.mark.parametrize(
    "box", [(-40, -50, 60, 40), (290, 200, 400, 300), (500, 500, 600, 600), (-90, -90, -10, -10), (9, 9, 9, 9)]
)
def test_a_box_at_the_edge_or_outside_breaks_nothing(image: ImageBGR, box: tuple[float, float, float, float]) -> None:
    """The plate of a face that is half in the picture is wholly in it."""
    drawn = draw(image, [Label(box, Outcome.UNKNOWN, "Unknown\nperson")])
    left, top, right, bottom = changed(image, drawn)
    assert right - left > 40
    assert bottom - top > 20


@pytest.mark.parametrize("show", [lambda image, text: draw(image, [Label((20, 60, 90, 110), None, text)]), draw_banner])
def test_a_sentence_that_is_wider_than_the_picture_is_read_to_its_end(
    show: Callable[[ImageBGR, str], ImageBGR],
) -> None:
    """It goes on in the next line: whoever was refused needs the last words as well."""
    image = np.zeros((240, 320, 3), dtype=np.uint8)
    sentence = "The movement was not seen. Look straight at the camera, then follow slowly with your whole {}."
    assert (show(image, sentence.format("head")) != show(image, sentence.format("hand"))).any()


def test_text_that_is_larger_than_the_picture_is_cut() -> None:
    """A long name on a thumbnail."""
    tiny = np.zeros((20, 30, 3), dtype=np.uint8)
    assert draw(tiny, [Label((5, 5, 15, 15), Outcome.UNKNOWN, "word " * 40 + "\n\n\n")]).shape == tiny.shape


def test_names_keep_their_accents(image: ImageBGR) -> None:
    """An é is drawn as an é, not as an e, a box or a question mark."""
    texts = ("José", "Jose", "Jos?", "Jos\uffff", "Łukasz", "Lukasz")
    pictures = [draw(image, [Label((50, 100, 150, 200), Outcome.RECOGNIZED, text)]).tobytes() for text in texts]
    assert len(set(pictures)) == len(texts) - 1  # the letter that no font has is a question mark
    composed = draw(image, [Label((50, 100, 150, 200), Outcome.RECOGNIZED, "Jose\u0301")])
    assert composed.tobytes() == pictures[0]


def test_without_a_font_names_are_written_plainly(image: ImageBGR, no_fonts: None) -> None:
    """Pillow's own font knows ASCII only: letters lose their accents, and never become boxes."""
    for text, plain in (
        ("José Łukasz", "Jose Lukasz"),
        ("Straße – Ørsted", "Strasse - Orsted"),
        ("Bùi Đức", "Bui Duc"),
    ):
        label, expected = (Label((20, 100, 150, 200), Outcome.RECOGNIZED, words) for words in (text, plain))
        np.testing.assert_array_equal(draw(image, [label]), draw(image, [expected]))


def test_a_banner_stands_on_a_darkened_copy() -> None:
    """What is under it is still seen, and the picture itself stays as it is."""
    image = np.full((120, 320, 3), 200, np.uint8)
    shown = draw_banner(image, "No picture from the camera.")
    assert shown.shape == image.shape and (image == 200).all()
    assert (shown[0, 0] == 66).all()
    assert shown[60, 160].max() > 66 or shown[55:65].max() == 255


def test_a_banner_wider_than_the_picture_is_cut() -> None:
    """A small window must not stop the kiosk."""
    assert draw_banner(np.zeros((20, 30, 3), np.uint8), "No picture from the camera. " * 5).shape == (20, 30, 3)
