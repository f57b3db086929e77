"""Decoding: every picture a person may bring ends upright in memory, or in a refusal that says what to do."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from smartabsen.kernel.domain import Outcome
from smartabsen.kernel.errors import InvalidInputError
from smartabsen.recognition.images import (
    MAX_BYTES,
    MAX_SCANS,
    ImageRefusal,
    Picture,
    decode_frame,
    decode_image,
    encode_image,
)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Four quarters of different colours: no turn or mirroring leaves it the same."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return Image.fromarray(pixels)


def decoded(data: bytes) -> Picture:
    picture = decode_image(data)
    assert isinstance(picture, Picture), picture
    assert picture.image_bgr.dtype == np.uint8
    assert picture.image_bgr.ndim == 3
    assert picture.image_bgr.shape[2] == 3
    return picture


def refused(data: bytes) -> ImageRefusal:
    refusal = decode_image(data)
    assert isinstance(refusal, ImageRefusal), refusal
    refusal.detail.format(**dict(refusal.params))
    return refusal


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"\x00" * 100_000)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_out_upright_for_every_exif_orientation(format: str, orientation: int) -> None:
    """All eight turns and mirrorings that EXIF knows are undone, in each format that carries EXIF."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(quarters(), format, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))[..., ::-1]
    found = decoded(data).image_bgr
    assert found.shape == upright.shape
    # Far from the borders between the quarters, where the formats ring.
    corners = np.ix_([4, -5], [4, -5])
    np.testing.assert_allclose(found[corners], upright[corners], atol=12)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_large_turned_photo_is_reduced_and_upright(format: str) -> None:
    """A photo of 4000 x 2000 that EXIF turns comes out as 1000 x 2000, and its boxes go back to the file's pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decoded(encoded(quarters(4000, 2000), format, exif=exif))
    assert picture.image_bgr.shape == (2000, 1000, 3)
    assert picture.reduction == 2
    assert picture.box_in_file((1.0, 2.0, 300.5, 400.0)) == (2.0, 4.0, 601.0, 800.0)
    # Turned clockwise, the blue quarter (lower left) comes to the upper left.
    assert picture.image_bgr[10, 10].tolist() == pytest.approx([255, 0, 0], abs=12)


@pytest.mark.parametrize(
    ("width", "reduction"), [(800, 1), (3199, 1), (3200, 2), (6399, 2), (6400, 4), (12_799, 4), (12_800, 8)]
)
def test_the_longer_side_keeps_1600_pixels(width: int, reduction: int) -> None:
    """The reduction is the strongest that leaves 1600 pixels."""
    picture = decoded(encoded(Image.new("RGB", (width, 20)), "JPEG"))
    assert picture.reduction == reduction
    assert picture.image_bgr.shape[1] == -(-width // reduction)


@pytest.mark.parametrize(
    ("mode", "format"),
    [
        ("L", "JPEG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("1", "PNG"),
        ("I;16", "PNG"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
        ("CMYK", "JPEG"),
        ("P", "BMP"),
        ("RGB", "BMP"),
    ],
)
def test_every_kind_of_pixel_becomes_three_channels_of_eight_bits(mode: str, format: str) -> None:
    """Grey, palette, bilevel, 16-bit, transparent and CMYK pictures keep their light and dark."""
    grey = np.zeros((40, 60), dtype=np.uint8)
    grey[:, 30:] = 255
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    found = decoded(encoded(image, format)).image_bgr
    assert found.shape == (40, 60, 3)
    assert found[:, 5].max() < 60
    assert found[:, 55].min() > 190


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_file_that_was_cut_off_is_refused(format: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Half a file, or all but its last bytes, is no picture; the decoder's own complaints do not reach the screen."""
    pixels = np.random.default_rng(1).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(pixels), format)
    for length in (20, len(data) // 2, len(data) - 2):
        refusal = refused(data[:length])
        assert refusal.outcome is Outcome.UNREADABLE
        assert length == 20 or "cut off" in refusal.detail
    assert capfd.readouterr().err == ""


def test_a_preview_inside_a_cut_jpeg_does_not_pass_for_its_end() -> None:
    """The end marker of an EXIF preview is not the end of the picture."""
    preview = encoded(quarters(), "JPEG")
    exif = Image.Exif()
    exif[0x9286] = b"ASCII\x00\x00\x00" + preview
    data = encoded(quarters(640, 480), "JPEG", exif=exif, quality=95)
    assert data.index(b"\xff\xd9") < len(data) - 2
    assert "cut off" in refused(data[:-20]).detail


def test_what_follows_the_end_of_a_picture_is_ignored() -> None:
    """Phones append films and maps to their JPEGs, and some screenshots carry leftovers."""
    for format in ("JPEG", "PNG", "WEBP"):
        assert decoded(encoded(quarters(), format) + b"\x00leftover" * 50).image_bgr.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"hello, this is text", "JPEG, PNG"),
        (b"\xff\xd8\xff", "JPEG, PNG"),
        (b"\x89PNG\r\n\x1a\n", "JPEG, PNG"),
        (b"BM", "JPEG, PNG"),
        (b"RIFF\x00\x00\x00\x00WEBP", "JPEG, PNG"),
        (png_claiming(0, 10), "JPEG, PNG"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"GIF89a" + b"\x00" * 40, "JPEG, PNG"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_to_do(data: bytes, word: str) -> None:
    """Each refusal is data, and says what the file is or should be."""
    refusal = refused(data)
    assert refusal.outcome is Outcome.UNREADABLE
    assert word in refusal.detail


def test_a_damaged_body_is_refused() -> None:
    """A whole file whose pixels do not decode is unreadable."""
    data = bytearray(encoded(quarters(), "PNG"))
    start = data.index(b"IDAT") + 4
    data[start : start + 20] = bytes(20)
    assert refused(bytes(data)).outcome is Outcome.UNREADABLE


@pytest.mark.parametrize("size", [(5001, 5000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_would_unfold_to_gigabytes_is_refused_before_it_does(size: tuple[int, int]) -> None:
    """Of a PNG more than 25 megapixels are refused by the header alone."""
    data = png_claiming(*size)
    tracemalloc.start()
    try:
        assert refused(data).outcome is Outcome.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("lossless", [True, False])
def test_the_size_of_a_webp_is_read_from_each_of_its_headers(lossless: bool) -> None:
    """Lossy, lossless and extended files say how large they are in different places."""
    large = Image.new("RGB", (5100, 5000))
    assert refused(encoded(large, "WEBP", lossless=lossless)).outcome is Outcome.TOO_LARGE
    exif = Image.Exif()
    exif[0x0112] = 1
    assert refused(encoded(large, "WEBP", lossless=lossless, exif=exif)).outcome is Outcome.TOO_LARGE


def test_exactly_25_megapixels_are_read() -> None:
    """The limit is inclusive."""
    assert decoded(encoded(Image.new("L", (5000, 5000)), "JPEG")).image_bgr.shape == (2500, 2500, 3)


def jpeg_claiming(width: int, height: int, **options: object) -> bytearray:
    """Return a small JPEG whose header says that it is larger."""
    data = bytearray(encoded(quarters(), "JPEG", **options))
    frame = next(data.index(bytes([0xFF, marker])) for marker in (0xC0, 0xC2) if bytes([0xFF, marker]) in data)
    struct.pack_into(">HH", data, frame + 5, height, width)
    return data


def test_a_large_photo_of_a_phone_is_read_reduced() -> None:
    """50 megapixels as JPEG: never more than an eighth of them are in memory, and boxes are those of the file."""
    picture = decoded(encoded(Image.new("L", (8160, 6120), 90), "JPEG"))
    assert (picture.image_bgr.shape, picture.reduction) == ((1530, 2040, 3), 4)
    assert picture.box_in_file((0, 0, 2040, 1530)) == (0, 0, 8160, 6120)
    least = decode_image(encoded(Image.new("L", (8160, 6120), 90), "JPEG"), working_px=10_000)
    assert isinstance(least, Picture) and least.reduction == 2


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((12_100, 10_000), {}),
        ((8160, 6120), {"progressive": True}),
    ],
)
def test_a_jpeg_that_cannot_be_read_row_by_row_or_is_larger_still_is_refused(
    size: tuple[int, int], options: dict[str, object]
) -> None:
    """Of a progressive one a decoder keeps everything in memory."""
    assert refused(bytes(jpeg_claiming(*size, **options))).outcome is Outcome.TOO_LARGE


def test_a_jpeg_with_its_colours_apart_is_no_exception() -> None:
    """A scan for each colour makes a decoder keep everything, too."""
    data = jpeg_claiming(8160, 6120)
    data[data.index(b"\xff\xda") + 4] = 1
    assert refused(bytes(data)).outcome is Outcome.TOO_LARGE


def test_a_file_that_is_too_long_is_refused() -> None:
    """A film that is named .jpg is not decoded."""
    assert refused(bytes(MAX_BYTES + 1)).outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".webp", ".bmp"])
def test_an_encoded_picture_can_be_read_back(suffix: str) -> None:
    """What is written for people is a picture again."""
    image = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 255, (50, 70, 3), dtype=np.uint8), (0, 0), 4)
    found = decoded(encode_image(image, suffix=suffix)).image_bgr
    assert np.abs(found.astype(int) - image).mean() < 4


def test_an_unknown_suffix_is_refused_with_the_known_ones() -> None:
    """Who asks for a .gif is told what there is."""
    with pytest.raises(InvalidInputError) as caught:
        encode_image(np.zeros((4, 4, 3), dtype=np.uint8), suffix=".gif")
    assert ".png" in caught.value.hint


def test_a_picture_that_does_not_fit_the_format_is_refused() -> None:
    """WebP ends at 16383 pixels."""
    with pytest.raises(InvalidInputError):
        encode_image(np.zeros((1, 20_000, 3), dtype=np.uint8), suffix=".webp")


def noise(width: int = 320, height: int = 240) -> Image.Image:
    """A picture whose data are spread evenly over the file."""
    return Image.fromarray(np.random.default_rng(3).integers(0, 255, (height, width, 3), dtype=np.uint8))


JPEG_KINDS: dict[str, dict[str, object]] = {
    "baseline": {},
    "optimised": {"optimize": True, "subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 7},
    "progressive restarts": {"progressive": True, "restart_marker_rows": 1},
}


@pytest.mark.parametrize("kind", JPEG_KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("share", [0.4, 0.6, 0.95])
def test_half_a_jpeg_with_an_end_marker_is_cut_off(kind: str, mode: str, share: float) -> None:
    """Decoders fill the rest with grey and say nothing; a face from it is worth nothing."""
    data = encoded(noise().convert(mode), "JPEG", quality=60, **JPEG_KINDS[kind])
    part = data[: round(len(data) * share)].rstrip(b"\xff") + b"\xff\xd9"
    assert "cut off" in refused(part).detail


@pytest.mark.parametrize("kind", JPEG_KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_whole_jpeg_of_every_kind_is_decoded(kind: str, mode: str) -> None:
    """Also one that is grey to its last corner, as the rest of a cut one would be, and one with bytes too many."""
    for picture in (noise(), Image.new("RGB", (333, 250), (128, 128, 128))):
        data = encoded(picture.convert(mode), "JPEG", quality=60, **JPEG_KINDS[kind])
        decoded(data)
        decoded(data[:-2] + b"left over" + data[-2:])


@pytest.mark.parametrize("kind", JPEG_KINDS)
def test_every_pixel_is_that_of_opencv(kind: str) -> None:
    """Templates of before were made from what OpenCV decoded: the same photo gives the same pixels."""
    data = encoded(noise(), "JPEG", **JPEG_KINDS[kind])
    reference = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded(data).image_bgr, reference)


def with_scans(count: int, *, size: int = 64) -> bytes:
    """A progressive JPEG whose last scan is repeated until there are ``count``."""
    data = encoded(Image.new("L", (size, size), 90), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * (count - data.count(b"\xff\xda")) + data[-2:]


def test_a_jpeg_of_more_scans_than_any_camera_writes_is_refused_before_it_is_decoded() -> None:
    """Each scan goes over all coefficients: 275 KB with hundreds of them took 3 to 11 seconds."""
    decoded(with_scans(MAX_SCANS))
    refusal = refused(with_scans(MAX_SCANS + 1))
    assert refusal.outcome is Outcome.UNREADABLE
    assert dict(refusal.params) == {"scans": "21", "limit": "20"}


def test_scans_are_counted_past_what_lies_between_them() -> None:
    """Bytes too many and repeated fill bytes between two scans hide none of them."""
    data = with_scans(MAX_SCANS + 1)
    assert "scans" in refused(data.replace(b"\xff\xda", b"\x00\x01\xff\xff\xda")).detail


def test_a_frame_of_a_browser_is_plain_and_of_a_camera_s_size() -> None:
    """Anybody may send frames, many at once: nothing is decoded that no camera in a browser gives."""
    assert isinstance(decode_frame(encoded(noise(), "JPEG")), Picture)
    progressive = decode_frame(encoded(noise(), "JPEG", progressive=True))
    assert isinstance(progressive, ImageRefusal)
    assert "progressive" in progressive.detail
    large = decode_frame(encoded(Image.new("RGB", (2400, 1800)), "JPEG"))
    assert isinstance(large, ImageRefusal)
    assert large.outcome is Outcome.TOO_LARGE


def odd_pictures() -> dict[str, bytes]:
    """Files of which libjpeg, libpng and OpenCV say something on stderr."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    png, jpeg = encoded(noise(), "PNG"), encoded(noise(), "JPEG")
    profile = chunk(b"iCCP", b"sRGB\x00\x00" + zlib.compress(b"no profile"))
    return {
        "profile": png[:33] + profile + png[33:],
        "checksum": png[:60] + b"\x00\x01\x02" + png[63:],
        "half png with its end": png[: len(png) // 2] + chunk(b"IEND", b""),
        "too many bytes": jpeg[:-2] + b"left over" + jpeg[-2:],
        "noise in the middle": jpeg[:3000] + b"\x12\x34" * 40 + jpeg[3080:],
        "broken exif": jpeg[:2] + b"\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff" + jpeg[2:],
        "half webp": encoded(noise(), "WEBP")[:2000] + bytes(200),
        "bmp": encoded(noise(), "BMP")[:60] + bytes(20),
    }


@pytest.mark.parametrize("kind", odd_pictures())
def test_no_decoder_writes_on_the_screen(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What is wrong with a picture is said by us, or it is nothing worth saying."""
    decode_image(odd_pictures()[kind])
    assert capfd.readouterr() == ("", "")


def test_metadata_are_no_part_of_what_is_decoded() -> None:
    """A colour profile that libpng would refuse, and a text of a gigabyte, do not spoil a good picture."""
    decoded(odd_pictures()["profile"])
    decoded(odd_pictures()["broken exif"])


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8" + b"\xff\xe0\x00\x02" * 200_000 + b"\xff\xd9", b"\x89PNG\r\n\x1a\n" + bytes(4_000_000)],
    ids=["jpeg", "png"],
)
def test_a_file_of_endless_segments_is_no_picture(data: bytes) -> None:
    """Walking through them would be the work that the look at the header is to save."""
    assert refused(data).outcome is Outcome.UNREADABLE
