"""``doctor``: what is broken is told, with what mends it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import Check, CheckLevel, ConfigError, DatabaseAwayError, SmartAbsen
from smartabsen.gallery.model_file import ARRAYS_NAME
from smartabsen.store import files
from smartabsen.store.database import Database
from smartabsen.trust.vault import OTHERS_CAN_READ
from smartabsen.upkeep.doctor import NEED_DATABASE, check_machine

from ..installation import Draw, enrol


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
    assert (row.level, known) == (CheckLevel.FAIL, "dlib, insightface, openvino, sface, open")
    assert "config show" in row.fix


def test_every_failure_has_a_remedy(app: SmartAbsen, tmp_path: Path) -> None:
    """Also where the settings themselves cannot be read."""
    found = check_machine(ConfigError("Broken."))
    assert (found[-1].name, found[-1].level) == ("settings", CheckLevel.FAIL)
    assert all(row.fix for row in (*found, *app.check_health()) if row.level is CheckLevel.FAIL)
    assert {"python", "opencv"} <= {row.name for row in found}


def edited_log(app: SmartAbsen) -> Path:
    app.enrol("Contoh", [], code="E1")
    app.punch("E1", note="ticket")
    log = next(app.settings.csv_dir.glob("*.csv"))
    log.write_bytes(log.read_bytes().replace(b"ticket", b"tocket"))
    return log


def test_an_edited_log_is_reported_and_left_as_it_is(app: SmartAbsen) -> None:
    """What somebody did to a file is evidence: the check neither mends nor copies it."""
    log = edited_log(app)
    before = {path.name: path.read_bytes() for path in app.settings.csv_dir.glob("*.csv*")}
    (row,) = rows(app, "log")
    assert row.level is CheckLevel.WARN and dict(row.params)["dates"] == log.stem and "csv rebuild" in row.fix
    assert {path.name: path.read_bytes() for path in app.settings.csv_dir.glob("*.csv*")} == before
    assert app.audit.entries(action="attendance.log_replaced") == ()


def test_a_log_that_is_behind_is_fine(app: SmartAbsen) -> None:
    """People punch on other machines, too."""
    edited_log(app).unlink()
    (row,) = rows(app, "log")
    assert (row.level, dict(row.params)) == (CheckLevel.OK, {"count": "2"})
    assert not list(app.settings.csv_dir.glob("*.csv"))


def test_a_damaged_model_file_is_reported_and_left_as_it_is(app: SmartAbsen, draw: Draw) -> None:
    """It is evidence as well; the next start makes it anew and records that."""
    enrol(app, draw, 1)
    app.train()
    assert [row.level for row in rows(app, "training")] == [CheckLevel.OK]
    path = app.settings.assets_dir / ARRAYS_NAME
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    before = path.read_bytes()
    (row,) = rows(app, "model_file")
    assert row.level is CheckLevel.FAIL and row.fix
    assert path.read_bytes() == before and app.audit.entries(action="model.file_replaced") == ()


def test_a_machine_without_a_model_file_is_fine_where_another_one_trained(app: SmartAbsen, draw: Draw) -> None:
    """It makes the file when it needs it; the check writes none."""
    enrol(app, draw, 1)
    app.train()
    path = app.settings.assets_dir / ARRAYS_NAME
    path.unlink()
    assert [row.level for row in rows(app, "training")] == [CheckLevel.OK]
    assert not path.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")
def test_a_key_file_that_others_can_read_is_told_by_whoever_uses_it(
    app: SmartAbsen, flags: dict[str, object], draw: Draw
) -> None:
    """Not by ``doctor`` alone."""
    enrol(app, draw, 1)
    app.train()
    key = app.services.key_chain.path
    remark = (OTHERS_CAN_READ, (("place", str(key)),))
    for mode, told in ((0o600, False), (0o644, True)):
        key.chmod(mode)
        with SmartAbsen.open(flags=flags) as again:
            again.identify([draw("probe.png", 1)])
            assert (remark in again.remarks) is told
            assert bool(rows(again, "key_file")) is told
