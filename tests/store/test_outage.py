"""What a process does with a server that is known to be away."""

from __future__ import annotations

import threading

import pytest

from smartabsen import DatabaseAwayError, DatabaseError
from smartabsen.store.outage import Outage


@pytest.fixture
def outage() -> Outage:
    """A server that somebody asked in vain."""
    found = Outage()
    found.note(DatabaseAwayError("{address} is away.", hint="Wait.", address="db"))
    return found


def in_another_thread(outage: Outage) -> list[Exception]:
    """Ask; what was raised."""
    raised: list[Exception] = []

    def ask() -> None:
        try:
            with outage.asking():
                pass
        except DatabaseAwayError as exc:
            raised.append(exc)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    return raised


def test_one_asks_and_the_others_are_told_at_once(outage: Outage) -> None:
    """With the same words; whoever asks may ask for several things."""
    with outage.asking(), outage.asking():
        (told,) = in_another_thread(outage)
    assert str(told) == "db is away."
    assert in_another_thread(outage) == []


def test_all_ask_a_server_that_answered(outage: Outage) -> None:
    """From the first answer on, although the one who got it is not done yet."""
    with outage.asking():
        outage.end()
        assert in_another_thread(outage) == []


def test_a_refusal_is_an_answer(outage: Outage) -> None:
    """A server that knows no such user is there."""
    outage.note(DatabaseError("Refused."))
    with outage.asking():
        assert in_another_thread(outage) == []


def test_who_waited_for_another_ones_vain_attempt_makes_none(outage: Outage) -> None:
    """What was known before the waiting is no reason to be told again."""
    outage.tell_unless(outage.known)
    with pytest.raises(DatabaseAwayError, match="db is away"):
        outage.tell_unless(None)


def test_nobody_asks_again_right_after_a_failure_where_many_wait() -> None:
    """Who queued behind those that met the silence would meet it as well; later on somebody asks."""
    busy = Outage(rest_s=60.0)
    busy.note(DatabaseAwayError("{address} is away.", hint="Wait.", address="db"))
    with pytest.raises(DatabaseAwayError, match="db is away"), busy.asking():
        pass
    rested = Outage(rest_s=0.0)
    rested.note(DatabaseAwayError("{address} is away.", hint="Wait.", address="db"))
    with rested.asking():
        rested.end()
    assert rested.known is None
