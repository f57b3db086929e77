"""Frames that have come before, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smartabsen.gallery.seen_frame_rows import KEPT, Seen, SeenFrameTable
from smartabsen.kernel.errors import TooManyTriesError
from smartabsen.store.database import Database, Session

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def admit(table: SeenFrameTable, attempt: str, *frames: str, asked: str = "x") -> Seen:
    """Note an attempt whose frames have these digests."""
    return table.admit(attempt, asked=asked * 64, digests=[frame * 64 for frame in frames])


def test_a_frame_of_another_attempt_is_known_to_all_processes(database: Database) -> None:
    """One of many is enough; none of a refused attempt is kept."""
    here, there = SeenFrameTable(database), SeenFrameTable(database)
    assert admit(here, "first", "a", "b") is Seen.NEW
    assert admit(there, "second", "c", "b") is Seen.REPLAY
    assert admit(there, "third", "c") is Seen.NEW


def test_the_same_attempt_sent_again_is_no_replay(database: Database) -> None:
    """Its answer may have been lost on the way."""
    table = SeenFrameTable(database)
    assert admit(table, "first", "a") is Seen.NEW
    assert admit(table, "first", "a", "b") is Seen.NEW


def test_they_are_forgotten_after_a_day(database: Database) -> None:
    """So the table does not grow for ever: the frame, and what the attempt asked for."""
    now = [NOW]
    table = SeenFrameTable(database, clock=lambda: now[0])
    admit(table, "first", "a")
    now[0] = NOW + KEPT - timedelta(minutes=1)
    assert table.sweep() == 0
    now[0] = NOW + KEPT
    assert table.sweep() == 2


def test_a_key_stands_for_what_came_with_it_first(database: Database) -> None:
    """The same again is a repetition, in whichever process; something else under the key is not, and notes no frame."""
    here, there = SeenFrameTable(database), SeenFrameTable(database)
    assert admit(here, "key-0001", asked="a") is Seen.NEW
    assert admit(there, "key-0001", asked="a") is Seen.NEW
    assert admit(there, "key-0001", "f", asked="b") is Seen.OTHER_CONTENT
    assert admit(there, "key-0002", "f", asked="b") is Seen.NEW


def test_a_try_that_is_one_too_many_leaves_nothing(database: Database) -> None:
    """Counted in the same transaction, which it undoes."""

    def refuse(_session: Session) -> None:
        raise TooManyTriesError("too often", seconds=7)

    table = SeenFrameTable(database)
    with pytest.raises(TooManyTriesError):
        table.admit("first", asked="x" * 64, digests=["a" * 64], first=refuse)
    assert admit(table, "second", "a") is Seen.NEW
