"""Days as people type them, in lists, on the command line and in forms."""

from __future__ import annotations

from datetime import date

import pytest

from smartabsen.kernel.dates import read_date
from smartabsen.kernel.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("30/11/2025", date(2025, 11, 30)),
        ("01/12/2025", date(2025, 12, 1)),
        ("1-12-2025", date(2025, 12, 1)),
        ("01.12.2025", date(2025, 12, 1)),
        (" 1 / 12 / 2025 ", date(2025, 12, 1)),
        ("1 Desember 2025", date(2025, 12, 1)),
        ("1 Des 2025", date(2025, 12, 1)),
        ("1-Agt-2025", date(2025, 8, 1)),
        ("1 Agst 2025", date(2025, 8, 1)),
        ("30–11–2025", date(2025, 11, 30)),
        ("Senin, 1 Desember 2025", date(2025, 12, 1)),
        ("Jum'at, 5 Desember 2025", date(2025, 12, 5)),
        ("Jum’at 5 Desember 2025", date(2025, 12, 5)),
        ("Monday, 1 December 2025", date(2025, 12, 1)),
        ("17 August 2025", date(2025, 8, 17)),
        ("December 1, 2025", date(2025, 12, 1)),
        ("2025-12-01", date(2025, 12, 1)),
        ("2025/12/1", date(2025, 12, 1)),
        ("29/02/2028", date(2028, 2, 29)),
        ("０１/１２/２０２５", date(2025, 12, 1)),
    ],
)
def test_a_date_is_read_as_indonesians_write_it(text: str, day: date) -> None:
    """The day stands before the month, names of months are known in both languages."""
    assert read_date(text) == day


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("31/02/2026", "does not exist: month 2 of 2026 has 28 days"),
        ("2026-02-31", "does not exist"),
        ("31 September 2026", "does not exist"),
        ("00/12/2025", "does not exist"),
        ("12/31/2025", "no month 31. The day stands before the month"),
        ("1/12/25", "two digits"),
        ("1 Des 25", "two digits"),
        ("05/01/1890", "out of all reason"),
        ("2531-01-05", "out of all reason"),
        ("45991", "is no date"),
        ("01122025", "is no date"),
        ("1 Foo 2025", "is no date"),
        ("kemarin", "is no date"),
        ("Tidak, 1 Desember 2025", "is no date"),
        ("Ditarik, 1 Desember 2025", "is no date"),
        ("Senin ini, 1 Desember 2025", "is no date"),
        ("2025-11-30 07:30", "is no date"),
        ("", "is no date"),
    ],
)
def test_what_is_no_day_is_called_what_it_is(text: str, words: str) -> None:
    """A day that does not exist, a year that cannot be meant and a word are three different mistakes."""
    with pytest.raises(InvalidInputError, match=words):
        read_date(text)


@pytest.mark.parametrize(
    "text", ["30/11/2025 14:05:33", "2025-11-30T14:05:33+07:00", "30/11/2025 14.05", "2025-11-30 07:30"]
)
def test_the_clock_of_a_form_is_left_out_where_that_is_meant(text: str) -> None:
    """Form programs stamp an answer with its time."""
    assert read_date(text, with_clock=True) == date(2025, 11, 30)
