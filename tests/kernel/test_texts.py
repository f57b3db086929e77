"""Texts on their way into tables."""

from __future__ import annotations

import pytest

from smartabsen.kernel.errors import InvalidInputError
from smartabsen.kernel.texts import checked_text


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200b", "\u200f", "\ufeff"])
def test_a_name_with_signs_that_turn_it_around_is_refused(sign: str) -> None:
    """Two people would look alike, or one like another."""
    with pytest.raises(InvalidInputError, match="invisible signs"):
        checked_text(f"Siti {sign}Rahma", field="name", limit=100)


def test_names_of_all_scripts_are_taken() -> None:
    """Arabic letters read from the right by themselves; joiners belong to the spelling of some scripts."""
    for name in ("\u0633\u064a\u062a\u064a", "\u0936\u094d\u200d\u0930\u0940", "Zo\u00eb D\u2019Angelo"):
        assert checked_text(name, field="name", limit=100) == name
