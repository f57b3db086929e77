"""Why people were refused: written beside the kiosk, kept for a while, naming nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smartabsen import SmartAbsen
from smartabsen.gallery import refusal_rows
from smartabsen.gallery.refusals import RefusalLog
from smartabsen.kernel.domain import KioskEvent, KioskEventKind, Measure, Measured, Outcome, Refusal
from smartabsen.kernel.errors import DatabaseError

NOW = datetime.now(UTC).replace(microsecond=0)


def decision(
    outcome: Outcome, similarity: float | None = None, lead: float | None = None, measured: Measured | None = None
) -> KioskEvent:
    return KioskEvent(
        KioskEventKind.DECISION, NOW, outcome=outcome, similarity=similarity, lead=lead, measured=measured
    )


def test_refusals_are_kept_with_how_far_they_were(app: SmartAbsen) -> None:
    """Below the threshold, too near to a second person, or not compared at all; greetings are no refusals."""
    with RefusalLog(app.services, threshold=0.5, margin=0.1) as log:
        for event in (
            decision(Outcome.UNKNOWN, 0.47, 0.3),
            decision(Outcome.AMBIGUOUS, 0.6, 0.04),
            decision(Outcome.TOO_DARK, measured=Measured(32.0, 40.0)),
            decision(Outcome.TURNED_AWAY, measured=Measured(0.75, 0.5)),
            decision(Outcome.NOT_LIVE, 0.9, 0.8, Measured(0.3, 0.8)),
            decision(Outcome.TOO_MANY_ATTEMPTS, 0.9, 0.8),
            decision(Outcome.RECOGNIZED, 0.9, 0.8),
            decision(Outcome.PENDING, 0.9, 0.8),
            KioskEvent(KioskEventKind.STARTED, NOW),
        ):
            log.note(event)
    found = {refusal.outcome: refusal for refusal in app.refusals.latest()}
    assert {outcome: (refusal.measure, refusal.short_by) for outcome, refusal in found.items()} == {
        Outcome.UNKNOWN: (Measure.SIMILARITY, pytest.approx(0.03)),
        Outcome.AMBIGUOUS: (Measure.LEAD, pytest.approx(0.06)),
        Outcome.TOO_DARK: (Measure.BRIGHTNESS, 8.0),
        Outcome.TURNED_AWAY: (Measure.YAW, 0.25),
        Outcome.NOT_LIVE: (Measure.LIVENESS, 0.5),
        Outcome.TOO_MANY_ATTEMPTS: (None, None),
    }
    assert found[Outcome.NOT_LIVE].measured == Measured(0.3, 0.8)
    assert found[Outcome.UNKNOWN].at == NOW and found[Outcome.UNKNOWN].kiosk == app.services.kiosk_name


def test_a_movement_that_was_not_made_has_no_number(app: SmartAbsen) -> None:
    """The cosine of somebody who was recognised first says nothing about it."""
    with RefusalLog(app.services, threshold=0.5, margin=0.1) as log:
        log.note(decision(Outcome.NOT_LIVE, 0.9, 0.8))
    (refusal,) = app.refusals.latest()
    assert (refusal.measure, refusal.measured, refusal.value) == (None, None, None)


def test_a_database_that_refuses_does_not_stop_the_kiosk(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is dropped."""

    def refuse(*_given: object, **_named: object) -> None:
        raise DatabaseError("it is away")

    monkeypatch.setattr(refusal_rows, "add_many", refuse)
    with RefusalLog(app.services, threshold=0.5, margin=0.1) as log:
        for _ in range(500):
            log.note(decision(Outcome.UNKNOWN, 0.4, 0.3))
    assert app.refusals.latest() == ()


def test_nothing_is_kept_where_nobody_wants_it(flags: dict[str, object]) -> None:
    """Zero days: no thread, no row."""
    with SmartAbsen.open(flags={**flags, "kiosk.refusals_days": 0}) as app:
        with RefusalLog(app.services, threshold=0.5, margin=0.1) as log:
            log.note(decision(Outcome.UNKNOWN, 0.4, 0.3))
        assert app.refusals.latest() == ()


def test_old_ones_and_too_many_are_forgotten(app: SmartAbsen) -> None:
    """By age, and by number."""
    with app.services.database.write() as session:
        refusal_rows.add_many(
            session,
            [Refusal(NOW - timedelta(days=day), "k", Outcome.UNKNOWN, 0.4, 0.5, 0.3, 0.1) for day in range(40, 0, -1)],
        )
        refusal_rows.prune(session, before=NOW - timedelta(days=30, hours=1))
        assert len(refusal_rows.latest(session, 100)) == 30
        refusal_rows.prune(session, before=NOW - timedelta(days=30, hours=1), most=5)
        assert [row.at for row in refusal_rows.latest(session, 100)] == [
            NOW - timedelta(days=day) for day in range(1, 6)
        ]
