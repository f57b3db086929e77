"""Passwords: nothing of them is cut off, and nothing of them is kept."""

from __future__ import annotations

from types import SimpleNamespace

import bcrypt
import pytest

from smartabsen.kernel.errors import InvalidInputError
from smartabsen.org import passwords


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ROUNDS", 4)


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("x" * 72 + "a", "x" * 72 + "b"),
        ("x" * 1000 + "a", "x" * 1000 + "b"),
        ("before\0after one", "before\0after two"),
        ("kata sandi 日本", "kata sandi 日木"),
    ],
)
def test_passwords_that_differ_late_or_behind_a_nul_are_different(password: str, other: str) -> None:
    """bcrypt alone reads 72 bytes and ends at a NUL."""
    stored = passwords.hash_password(password)

    assert passwords.is_password(password, stored)
    assert not passwords.is_password(other, stored)
    assert password not in stored


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    """A letter and its accent as two signs, or as one."""
    assert passwords.is_password("caf\u00e9 di pojok", passwords.hash_password("cafe\u0301 di pojok"))


def test_nobody_costs_as_much_to_refuse_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a stored hash a whole bcrypt of the same rounds is done all the same; it is never right."""
    stored = passwords.hash_password("somebody's password")
    compared: list[bytes] = []

    def compare(password: bytes, known: bytes) -> bool:
        compared.append(known)
        return bcrypt.checkpw(password, known)

    monkeypatch.setattr(passwords, "bcrypt", SimpleNamespace(**vars(bcrypt) | {"checkpw": compare}))
    assert not passwords.is_password("nobody's password", None)
    assert not passwords.is_password("another password", stored)
    assert [known[:7] for known in compared] == [stored[:7].encode()] * 2


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("9 letter", "too short"),
        ("x" * 1025, "too long"),
        ("aaaaaaaaaaaa", "too easy"),
        ("ababababababab", "too easy"),
        ("my name is Siti!", "too easy"),
        ("siti-siti-siti", "too easy"),
        ("Siti-rumahku", "too easy"),
        ("Siti password1234", "too easy"),
        ("sitiababababababab", "too easy"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, words: str) -> None:
    """Length counts, signs are not demanded; the password itself is not in the message."""
    with pytest.raises(InvalidInputError, match=words) as caught:
        passwords.check_strength(password, name="siti")
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd2026!",
        "Rahasia12345",
        "admin-Jakarta-2026",
        "qwertyuiop",
        "1q2w3e4r5t6y",
        "0987654321",
        "081234567890",
        "bismillah99",
        "Indonesia1945!!",
        "abcdefghijk",
        "smartabsen 2026",
        "qwertyuiop asdfghjkl",
        "rahasia 123 kantor",
    ],
)
def test_what_everybody_thinks_of_is_refused(password: str) -> None:
    """Well-known words of both languages, years, rows of keys and numbers, in disguise too."""
    with pytest.raises(InvalidInputError, match="tried first"):
        passwords.check_strength(password, name="siti")


@pytest.mark.parametrize(
    "password",
    [
        "empat kuda makan rumput",
        "lima kuda makan rumput",
        "kopi panas jam tujuh",
        "xK9vT2mQ4zLp",
        "long enough words",
        "ibu dan bapak dan saya",
        "papa mama pergi",
        "qwerty di kebun",
        "rahasia kebun teh",
        "saya sayang ibu bapak",
    ],
)
def test_a_sentence_is_a_good_password(password: str) -> None:
    """No digits, no signs; well-known words and rows of keys may be in it: what counts is the whole."""
    passwords.check_strength(password, name="siti")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ani", "orang berani makan durian"),
        ("a", "empat kuda makan rumput"),
        ("budi", "menanam budidaya rumput laut"),
        ("siti", "siti makan bakso dengan sambal"),
    ],
)
def test_a_phrase_of_ones_own_may_hold_the_name(name: str, password: str) -> None:
    """By chance or not: without the name it is long enough and nobody's first guess."""
    passwords.check_strength(password, name=name)
