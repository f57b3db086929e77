"""Frames that have come before, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smartabsen.gallery.seen_frame_rows import KEPT, SeenFrameTable
from smartabsen.store.database import Database

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def test_a_frame_of_another_attempt_is_known_to_all_processes(database: Database) -> None:
    """One of many is enough; none of a refused attempt is kept."""
    here, there = SeenFrameTable(database), SeenFrameTable(database)
    assert here.note(["a" * 64, "b" * 64], attempt="first")
    assert not there.note(["c" * 64, "b" * 64], attempt="second")
    assert there.note(["c" * 64], attempt="third")


def test_the_same_attempt_sent_again_is_no_replay(database: Database) -> None:
    """Its answer may have been lost on the way."""
    table = SeenFrameTable(database)
    assert table.note(["a" * 64], attempt="first")
    assert table.note(["a" * 64, "b" * 64], attempt="first")


def test_they_are_forgotten_after_a_day(database: Database) -> None:
    """So the table does not grow for ever."""
    now = [NOW]
    table = SeenFrameTable(database, clock=lambda: now[0])
    table.note(["a" * 64], attempt="first")
    now[0] = NOW + KEPT - timedelta(minutes=1)
    assert table.sweep() == 0
    now[0] = NOW + KEPT
    assert table.sweep() == 1


def test_a_key_stands_for_what_came_with_it_first(database: Database) -> None:
    """The same again is a repetition, in whichever process; something else under the key is not."""
    here, there = SeenFrameTable(database), SeenFrameTable(database)
    assert here.claim("key-0001", asked="a" * 64)
    assert there.claim("key-0001", asked="a" * 64)
    assert not there.claim("key-0001", asked="b" * 64)
    assert there.claim("key-0002", asked="b" * 64)
