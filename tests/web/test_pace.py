"""How fast a page may ask by itself."""

from __future__ import annotations

from smartabsen.web import pace


def test_an_asker_may_ask_once_in_a_while_and_a_refusal_does_not_count() -> None:
    """Whoever asks all the time still gets an answer every second."""
    now = [0.0]
    asking = pace.Pace(1.0, clock=lambda: now[0])
    answers = []
    for tenth in range(25):
        now[0] = tenth / 10
        answers.append(asking.is_too_fast("a"))
    assert [tenth for tenth, refused in enumerate(answers) if not refused] == [0, 10, 20]
    assert not asking.is_too_fast("b")


def test_the_memory_is_bounded() -> None:
    """Those who asked longest ago are forgotten first."""
    asking = pace.Pace(1000.0)
    for number in range(pace._KEPT + 1):
        asking.is_too_fast(str(number))
    assert not asking.is_too_fast("0")
    assert asking.is_too_fast(str(pace._KEPT))
