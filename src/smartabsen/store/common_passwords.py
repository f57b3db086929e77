"""Passwords that everybody thinks of: well-known words with years, numbers and rows of keys around them."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = (
    # English and everywhere
    "password passwd passw pass admin administrator root user login welcome letmein secret master super access "
    "changeme default test testing guest hello iloveyou love monkey dragon football baseball princess sunshine "
    "shadow superman batman starwars computer internet google facebook whatsapp instagram android samsung iphone "
    "microsoft windows office company server system money freedom summer winter spring autumn "
    "flower angel jesus michael jordan "
    # Indonesian
    "sandi katasandi rahasia sayang cinta sayangku cintaku aku kamu kamulah saya bismillah alhamdulillah allah "
    "allahuakbar muhammad assalamualaikum indonesia indonesiaraya merdeka pancasila garuda jakarta bandung surabaya "
    "semarang medan makassar yogyakarta jogja denpasar bali jawa sumatra kalimantan sulawesi papua selamat selamatpagi "
    "pagi siang malam terimakasih kantor kerja karyawan pegawai perusahaan absen absensi hadir kehadiran smartabsen "
    "gaji keluarga anak ibu mama papa bapak sekolah bahagia sukses semangat mantap ganteng cantik bola persib persija"
)
_ROWS: Final = (
    "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn", "qazwsxedcrfvtgb",
    "q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p", "abcdefghijklmnopqrstuvwxyz", "0123456789",
)  # fmt: skip
_SHORTEST_RUN: Final = 3
_LEFT_OVER: Final = 4
"""Letters and digits besides what is well known that make it hard to guess."""
_MANY_WORDS: Final = 4
"""So many well-known words in a row are a sentence of one's own."""
_SIGNS: Final = str.maketrans("@$!013457", "asioieast")
_KNOWN: Final = re.compile("|".join(sorted(set(_WORDS.split()), key=len, reverse=True)))
_AROUND: Final = re.compile(r"^\d+|[\W\d_]+$")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")


def is_common(password: str) -> bool:
    """Return whether a password is little more than well-known words, years, rows of keys, or a number."""
    text = "".join(password.casefold().split())
    if text.isdigit():
        return len(text) < 2 * len("1234567890")
    # Digits within are letters in disguise, those around are digits.
    disguised = _AROUND.sub("", text).translate(_SIGNS)
    return any(_is_known(form) for form in (text, disguised) if form)


def _is_known(text: str) -> bool:
    rest, words = _KNOWN.subn(" ", text)
    rest = _without_runs(_YEAR.sub(" ", rest))
    left = "".join(letter for letter in rest if letter.isalnum())
    # A letter that is only repeated says no more than one.
    return words < _MANY_WORDS and len(set(left)) < _LEFT_OVER


def _without_runs(text: str) -> str:
    kept, at = [], 0
    while at < len(text):
        length = _run_at(text, at)
        if length < _SHORTEST_RUN:
            kept.append(text[at])
            length = 1
        at += length
    return "".join(kept)


def _run_at(text: str, at: int) -> int:
    """Return how many characters from ``at`` on lie in a row of keys, in either direction."""
    length = 1
    while at + length < len(text) and any(
        text[at : at + length + 1] in row or text[at : at + length + 1] in row[::-1] for row in _ROWS
    ):
        length += 1
    return length
