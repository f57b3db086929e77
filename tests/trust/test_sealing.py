"""Seals: what is sealed opens with its key and in its place, and nothing else does."""

from __future__ import annotations

import pytest

from smartabsen.kernel.domain import ModelIdentity
from smartabsen.kernel.errors import KeyMissingError
from smartabsen.trust.sealing import KeyRing, binding, crop_binding, key_id_of, sealing_key_of, template_binding

from ..rows import make_ring

MODEL = ModelIdentity("fake", "ab" * 32, 8)
PLACE = template_binding("p7", MODEL, "photo")


def test_what_is_sealed_opens_in_its_place(ring: KeyRing) -> None:
    """The same bytes come back, and the seal says which key it needs."""
    sealed = ring.seal(b"a face", PLACE)

    assert ring.open(sealed, PLACE) == b"a face"
    assert sealing_key_of(sealed) == ring.active
    assert b"a face" not in sealed


@pytest.mark.parametrize(
    "place",
    [
        template_binding("p8", MODEL, "photo"),
        template_binding("p7", ModelIdentity("fake", "cd" * 32, 8), "photo"),
        template_binding("p7", ModelIdentity("fake", "ab" * 32, 9), "photo"),
        template_binding("p7", MODEL, "photo2"),
        crop_binding("p7", "photo"),
    ],
    ids=["employee", "model", "dimension", "photo", "purpose"],
)
def test_in_another_place_it_does_not_open(ring: KeyRing, place: bytes) -> None:
    """Another employee, model, photo or purpose."""
    assert ring.open(ring.seal(b"a face", PLACE), place) is None


def test_every_flipped_bit_is_noticed(ring: KeyRing) -> None:
    """In the ciphertext, the tag, the nonce and the head; a changed key id is a key that is not there."""
    sealed = ring.seal(b"a face", PLACE)
    for place in range(8 * len(sealed)):
        damaged = bytearray(sealed)
        damaged[place // 8] ^= 1 << place % 8
        try:
            assert ring.open(bytes(damaged), PLACE) is None
        except KeyMissingError:
            assert 8 <= place // 8 < 20


def test_a_key_id_in_the_head_cannot_be_exchanged() -> None:
    """A seal of one key does not open as one of another key, although both are there."""
    both = make_ring(1, 2)
    other = next(name for name in both.ids if name != both.active)
    sealed = both.seal(b"a face", PLACE)

    assert both.open(sealed.replace(both.active.encode(), other.encode()), PLACE) is None


def test_no_two_seals_are_equal(ring: KeyRing) -> None:
    """Each has a nonce of its own: equal faces cannot be told from their seals."""
    assert len({ring.seal(b"a face", PLACE) for _ in range(100)}) == 100


def test_parts_of_a_place_cannot_be_shifted() -> None:
    """What belongs to one part is never read as another's."""
    assert binding("a", "bc", "d") != binding("a", "b", "cd") != binding("ab", "c", "d")


def test_a_ring_shows_no_key() -> None:
    """Neither its repr nor that of its parts has anything of a key."""
    ring = make_ring(65)
    assert "A" * 8 not in f"{ring!r} {ring.ciphers!r}" and key_id_of(b"A" * 32) == ring.active
