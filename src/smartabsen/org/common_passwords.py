"""Passwords that everybody thinks of: made of nothing but well-known words, years, numbers and rows of keys.

What counts is the whole: a phrase that holds such words or rows among others of its own is a good one.
"""

from __future__ import annotations

import re
from math import inf
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
_MANY_PIECES: Final = 4
"""So many well-known words and rows one after the other are a sentence of one's own."""
_SIGNS: Final = str.maketrans("@$!013457", "asioieast")
_KNOWN: Final = frozenset(_WORDS.split())
_LONGEST: Final = max(map(len, _KNOWN))
_AROUND: Final = re.compile(r"^\d+|[\W\d_]+$")


def is_common(password: str) -> bool:
    """Return whether a password is nothing but a few well-known words and rows of keys with numbers, or a number."""
    text = "".join(password.casefold().split())
    if text.isdigit():
        return len(text) < 2 * len("1234567890")
    # Digits within are letters in disguise, those around are digits.
    disguised = _AROUND.sub("", text).translate(_SIGNS)
    return any(_is_known(form) for form in (text, disguised) if form)


def _is_known(text: str) -> bool:
    """Return whether fewer than :data:`_MANY_PIECES` words and rows cover the whole text; digits and signs are free."""
    pieces: list[float] = [0.0, *(inf for _ in text)]
    for at, letter in enumerate(text):
        here = pieces[at]
        if here == inf:
            continue
        # A letter that is only repeated says no more than one.
        if not letter.isalpha() or (at and letter == text[at - 1]):
            pieces[at + 1] = min(pieces[at + 1], here)
        longest_run = _run_at(text, at)
        for length in range(1, min(len(text) - at, max(longest_run, _LONGEST)) + 1):
            if _SHORTEST_RUN <= length <= longest_run or text[at : at + length] in _KNOWN:
                pieces[at + length] = min(pieces[at + length], here + 1)
    return pieces[-1] < _MANY_PIECES


def _run_at(text: str, at: int) -> int:
    """Return how many characters from ``at`` on lie in a row of keys, in either direction."""
    length = 1
    while at + length < len(text) and any(
        text[at : at + length + 1] in row or text[at : at + length + 1] in row[::-1] for row in _ROWS
    ):
        length += 1
    return length
