"""What a punch by hand costs the disk besides the database's own syncs."""

from __future__ import annotations

from pathlib import Path

from smartabsen import SmartAbsen


def test_a_punch_by_hand_syncs_its_line_and_the_head_of_the_trail(flags: dict[str, object], syncs: list[str]) -> None:
    """As each command does: in a program of its own, where others punched before."""
    with SmartAbsen.open(flags=flags) as app:
        for number in (1, 2, 3):
            app.enrolments.add(f"E{number}", f"Contoh {number}")
        app.punch("E1")
    for code in ("E2", "E3"):
        with SmartAbsen.open(flags=flags) as app:
            syncs.clear()
            app.punch(code, note="camera broken")
        assert len(syncs) == 2, syncs
        assert sum(Path(each).suffix == ".csv" for each in syncs) == 1
