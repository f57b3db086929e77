"""The key file: made once, private, added to, and refused when it is not what it was."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from smartabsen.kernel.errors import KeyMissingError
from smartabsen.trust.keys import KeyChain
from smartabsen.trust.sealing import key_id_of


@pytest.fixture
def chain(tmp_path: Path) -> KeyChain:
    return KeyChain("", tmp_path / "secrets" / "keys.json", writable=True)


def test_without_a_file_the_ring_is_empty(chain: KeyChain) -> None:
    """Nothing is made before it is needed."""
    assert not chain.exists and chain.facts() == ()
    assert not chain.path.parent.exists()


def test_the_first_key_is_made_once_and_is_private(chain: KeyChain) -> None:
    """Owner only, file and directory; a second call changes nothing."""
    ring, made = chain.create()
    again, made_again = KeyChain("", chain.path, writable=True).create()

    assert (made, made_again, again.ids) == (True, False, ring.ids)
    if os.name != "nt":
        assert stat.S_IMODE(chain.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(chain.path.parent.stat().st_mode) == 0o700
    assert not chain.others_can_read()


@pytest.mark.skipif(os.name == "nt", reason="no such rights there")
def test_a_key_that_others_can_read_is_noticed(chain: KeyChain) -> None:
    """A copy that was put back is often open to everybody."""
    chain.create()
    chain.path.chmod(0o644)
    assert chain.others_can_read()


def test_a_new_key_is_active_and_the_old_ones_still_open(chain: KeyChain) -> None:
    """A running program sees the change without being told."""
    elsewhere = KeyChain("", chain.path, writable=True)
    old, _ = chain.create()
    assert elsewhere.ring().active == old.active

    new = chain.add_key()

    assert new.active != old.active and set(new.ids) == {old.active, new.active}
    assert elsewhere.ring().active == new.active
    assert elsewhere.ring().open(old.seal(b"x", b"place"), b"place") == b"x"
    assert [fact.active for fact in chain.facts()] == [False, True]


def test_the_active_key_cannot_be_forgotten(chain: KeyChain) -> None:
    """Others can."""
    old, _ = chain.create()
    new = chain.add_key()
    chain.forget(frozenset({old.active, new.active}))
    assert chain.ring().ids == (new.active,)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"active"', '"other"'),
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: "",
        lambda text: text.replace(json.loads(text)["keys"][0]["key"], base64.b64encode(b"k" * 32).decode()),
        lambda text: text.replace(json.loads(text)["keys"][0]["key"], base64.b64encode(b"short").decode()),
    ],
    ids=["cut", "no active", "format", "empty", "another key", "length"],
)
def test_a_file_that_holds_no_keys_is_refused_without_showing_it(chain: KeyChain, spoil: Callable[[str], str]) -> None:
    """Cut, edited, or another key under the old one's id: the error names the file and quotes nothing."""
    chain.create()
    text = chain.path.read_text()
    key = json.loads(text)["keys"][0]["key"]
    chain.path.write_text(spoil(text))

    with pytest.raises(KeyMissingError, match="cannot be read as keys") as caught:
        KeyChain("", chain.path, writable=True).ring()

    assert key not in f"{caught.value} {caught.value.__cause__} {caught.value.params}"


def test_keys_can_be_given_as_text(tmp_path: Path) -> None:
    """Base64 separated by commas, the first one active, or the content of a key file; such keys are read only."""
    one, two = (base64.b64encode(bytes([seed]) * 32).decode() for seed in (1, 2))
    chain = KeyChain(f"{one},{two}", tmp_path / "keys.json", writable=True, place="SMARTABSEN_KEYS")

    assert chain.ring().active == key_id_of(b"\1" * 32)
    assert chain.ring().ids == (key_id_of(b"\1" * 32), key_id_of(b"\2" * 32))
    with pytest.raises(KeyMissingError, match="SMARTABSEN_KEYS: it is read only"):
        chain.add_key()
    filed = KeyChain("", tmp_path / "keys.json", writable=True)
    ring, _ = filed.create()
    given = KeyChain(filed.path.read_text(), tmp_path / "none", writable=True, place="SMARTABSEN_KEYS")
    assert given.ring().ids == ring.ids
