"""The main job on a MariaDB server, through the facade."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smartabsen import DatabaseError, Outcome, SmartAbsen

from ..installation import Draw


@pytest.mark.mariadb
def test_the_main_job_on_mariadb(draw: Draw, flags: dict[str, object], mariadb_url: str, tmp_path: Path) -> None:
    """Enrol, train, recognise at a camera, report; a second installation on the same database sees it all."""
    flags["database_url"] = mariadb_url
    with SmartAbsen.open(flags=flags) as app:
        app.enrol("Contoh Élan", [draw("a.png", 1), draw("b.png", 1, size_px=140)], code="E1")
        assert app.train().activated
        for number in range(8):
            draw(f"film/{number}.png", 1, shade=90)
        assert app.run_kiosk(camera=str(tmp_path / "film"), on_event=lambda _: None).recorded == 1
        (log,) = app.settings.csv_dir.glob("*.csv")
        assert "Contoh Élan" in log.read_text(encoding="utf-8-sig")
    with SmartAbsen.open(flags={**flags, "home": str(tmp_path / "second")}) as second:
        (day,) = second.report(
            datetime.now(UTC).date() - timedelta(days=1), datetime.now(UTC).date() + timedelta(days=1)
        ).days
        assert (day.code, day.name) == ("E1", "Contoh Élan")
        assert second.reconcile_log() == 1
        assert second.punch("E1").outcome is Outcome.ALREADY_RECORDED
    assert not (tmp_path / "home" / "smartabsen.db").exists()


def test_a_server_that_is_not_there_is_one_clear_error(flags: dict[str, object]) -> None:
    """The message has no password in it, and the hint says what to check."""
    flags["database_url"] = "mysql+pymysql://root:secret@127.0.0.1:9/none"
    with SmartAbsen.open(flags=flags) as app, pytest.raises(DatabaseError) as caught:
        app.employees()
    assert "secret" not in str(caught.value) + caught.value.hint
    assert "127.0.0.1" in str(caught.value)
