"""A kiosk whose database goes away and comes back, with a real server behind a gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartabsen import DatabaseError, KioskEvent, KioskEventKind, Outcome, SmartAbsen
from tests.installation import Draw

from .gate import Gate


def run(behind: dict[str, object], film: Path) -> list[KioskEvent]:
    events: list[KioskEvent] = []
    with SmartAbsen.open(flags=behind) as app:
        app.run_kiosk(camera=str(film), on_event=events.append)
    return events


def decided(events: list[KioskEvent]) -> list[tuple[KioskEventKind, Outcome | None]]:
    wanted = (KioskEventKind.DECISION, KioskEventKind.DELIVERED)
    return [(event.kind, event.outcome) for event in events if event.kind in wanted]


@pytest.mark.mariadb
@pytest.mark.parametrize("state", ["closed", "silent"])
def test_a_kiosk_starts_and_records_while_its_database_is_away(
    state: str, behind: dict[str, object], gate: Gate, draw: Draw, tmp_path: Path
) -> None:
    """It knows the trained model; what it kept is in the database after the next session, once."""
    with SmartAbsen.open(flags=behind) as app:
        app.enrol("Contoh", [draw("a.png", 1), draw("b.png", 1, size_px=140)], code="E1")
        app.train()
    for number in range(8):
        draw(f"film/{number}.png", 1, shade=90)
    gate.set(state)
    events = run(behind, tmp_path / "film")
    assert decided(events) == [(KioskEventKind.DECISION, Outcome.PENDING)]
    assert events[-1].summary is not None and events[-1].summary.pending == 1
    assert [one.employee.code for one in events if one.outcome is Outcome.PENDING and one.employee] == ["E1"]
    with SmartAbsen.open(flags=behind) as app:
        assert [one.punch.code for one in app.services.punch_queue.oldest()] == ["E1"]

    gate.set("open")
    draw("empty/1.png")
    events = run(behind, tmp_path / "empty")
    assert (KioskEventKind.DELIVERED, Outcome.RECOGNIZED) in decided(events)
    with SmartAbsen.open(flags=behind) as app:
        assert app.punch("E1").outcome is Outcome.ALREADY_RECORDED
        (log,) = app.settings.csv_dir.glob("*.csv")
        assert len(log.read_text().splitlines()) == 2


@pytest.mark.mariadb
def test_a_model_that_was_never_checked_does_not_start_without_a_database(
    behind: dict[str, object], gate: Gate, draw: Draw, tmp_path: Path
) -> None:
    """Its numbers may name other people: the error of the database stands."""
    with SmartAbsen.open(flags=behind) as app:
        app.enrol("Contoh", [draw("a.png", 1), draw("b.png", 1, size_px=140)], code="E1")
        app.train()
        app.services.punch_queue.note_fact("gallery", "another one")
    gate.set("closed")
    with pytest.raises(DatabaseError, match="does not answer"):
        run(behind, tmp_path)
