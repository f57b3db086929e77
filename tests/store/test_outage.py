"""What a process does with a server that is known to be away."""

from __future__ import annotations

import threading
import time

import pytest

from smartabsen import DatabaseAwayError, DatabaseError
from smartabsen.store.outage import SLOW_S, Outage


@pytest.fixture
def outage() -> Outage:
    """A server that somebody asked in vain."""
    found = Outage(patience_s=0.1)
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


def test_one_asks_and_the_others_are_told_soon(outage: Outage) -> None:
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


def test_a_silence_is_followed_by_a_rest_and_a_refusal_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes first waits for the end of the rest and asks; who is refused at once may ask again at once."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    away = DatabaseAwayError("{address} is away.", hint="Wait.", address="db")
    busy = Outage(rest_s=60.0)
    busy.note(away, took_s=SLOW_S)
    with busy.asking():
        busy.end()
    assert 0.0 < slept.pop() <= 60.0 and busy.known is None
    busy.note(away, took_s=SLOW_S / 2)
    with busy.asking():
        busy.end()
    assert slept in ([], [0.0])


def test_whoever_waits_for_another_one_goes_on_when_the_server_is_back() -> None:
    """The one who asks may be long in its work: the others learn that it was answered."""
    found = Outage(patience_s=30.0)
    found.note(DatabaseAwayError("{address} is away.", hint="Wait.", address="db"))
    ended = threading.Event()

    def ask() -> None:
        with found.asking():
            ended.set()

    with found.asking():
        thread = threading.Thread(target=ask)
        thread.start()
        assert not ended.wait(0.1)
        found.end()
        assert ended.wait(20)
    thread.join(20)
