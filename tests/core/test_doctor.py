"""``doctor``: what is broken is told, with what mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import Check, CheckLevel, ConfigError, DatabaseAwayError, SmartAbsen
from smartabsen.core.doctor import NEED_DATABASE, check_machine
from smartabsen.store import files
from smartabsen.store.database import Database


def rows(app: SmartAbsen, name: str) -> list[Check]:
    """The rows of one check."""
    return [check for check in app.check_health() if check.name == name]


def test_a_home_that_cannot_be_written_is_a_failure(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried, not asked for: a mounted share has rights that nobody sees."""
    assert rows(app, "home")[0].level is CheckLevel.OK
    assert list(app.settings.home.glob(".write-test*")) == []

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.os, "open", refuse)
    (row,) = rows(app, "home")
    assert (row.level, bool(row.fix)) == (CheckLevel.FAIL, True)


def test_a_database_that_cannot_be_written_is_a_failure(app: SmartAbsen) -> None:
    """Reading alone does not show it; the trial leaves nothing behind."""
    assert rows(app, "database")[0].level is CheckLevel.OK
    with app.services.database.write() as session:
        assert session.scalar(text("SELECT count(*) FROM meta WHERE name = 'write_test'")) == 0
        session.execute(text("CREATE TRIGGER no BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'readonly'); END"))
    (row,) = rows(app, "database")
    assert row.level is CheckLevel.FAIL


@pytest.mark.parametrize("trouble", ["away", "damaged"])
def test_a_database_that_cannot_be_read_is_asked_once(
    flags: dict[str, object], monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """What needs it is shown as not checked: nobody waits for the same silence eight times, or reads it so often."""
    asked = []
    if trouble == "away":
        monkeypatch.setattr(
            Database, "_make_ready", lambda _: asked.append(1) or _raise(DatabaseAwayError("Away.", hint="Wait."))
        )
    else:
        home = Path(str(flags["home"]))
        home.mkdir(parents=True)
        (home / "smartabsen.db").write_bytes(b"noise " * 5_000)
    with SmartAbsen.open(flags=flags) as app:
        found = app.check_health()
    levels = {row.name: row.level for row in found}
    assert levels["database"] is CheckLevel.FAIL
    assert {row.name for row in found if row.level is CheckLevel.SKIP} == NEED_DATABASE
    assert levels["queue"] is CheckLevel.OK
    assert len(asked) == (1 if trouble == "away" else 0)


def _raise(error: Exception) -> None:
    raise error


def test_an_engine_that_does_not_exist_comes_with_a_remedy(flags: dict[str, object]) -> None:
    """The row names the known engines, the double for tests not among them, and where to look."""
    with SmartAbsen.open(flags={**flags, "engine": "nonsense"}) as app:
        (row,) = rows(app, "engine")
    known = dict(row.params)["known"]
    assert (row.level, known) == (CheckLevel.FAIL, "dlib, insightface, openvino")
    assert "config show" in row.fix


def test_every_failure_has_a_remedy(app: SmartAbsen, tmp_path: Path) -> None:
    """Also where the settings themselves cannot be read."""
    found = check_machine(ConfigError("Broken."))
    assert (found[-1].name, found[-1].level) == ("settings", CheckLevel.FAIL)
    assert all(row.fix for row in (*found, *app.check_health()) if row.level is CheckLevel.FAIL)
    assert {"python", "opencv"} <= {row.name for row in found}
