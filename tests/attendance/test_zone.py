"""The zone of a site: the machine's at the first start, kept from then on, and told wherever people look."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from smartabsen import KioskEvent, KioskEventKind, SmartAbsen
from smartabsen.cli.app import app as program
from smartabsen.config import load_settings
from smartabsen.config.zones import FIRST_START, ZONE_FILE, machine_zone, same_time
from smartabsen.kernel.domain import CheckLevel
from smartabsen.kernel.messages import local_text
from smartabsen.store.clock import MachineClock

from ..installation import Draw, enrol

run = CliRunner()


def zone_rows(app: SmartAbsen) -> list[tuple[CheckLevel, dict[str, str]]]:
    return [(row.level, dict(row.params)) for row in app.check_health() if row.name == "zone"]


def in_use(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch, zone: str) -> tuple[str, str]:
    """Start a home on a machine of that zone, and return the site's zone and where it comes from."""
    monkeypatch.setenv("TZ", zone)
    with SmartAbsen.open(flags=flags) as app:
        app.enrol("Adi Contoh", [], code="E1")
        return app.settings.site.zone, app.services.loaded.origins["site.zone"]


def test_a_fresh_home_takes_the_zone_of_the_machine(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer in Makassar judges lateness by WITA."""
    assert in_use(flags, monkeypatch, "Asia/Makassar") == ("Asia/Makassar", FIRST_START)


def test_the_zone_of_the_first_start_stays(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the machine is set to another one, which is then told."""
    in_use(flags, monkeypatch, "Asia/Makassar")
    assert in_use(flags, monkeypatch, "Asia/Jayapura") == ("Asia/Makassar", FIRST_START)
    with SmartAbsen.open(flags=flags) as app:
        (first, second) = zone_rows(app)
    assert (first[0], first[1]["zone"]) == (CheckLevel.OK, "Asia/Makassar")
    assert (second[0], second[1]["here"]) == (CheckLevel.WARN, "Asia/Jayapura")


def test_a_look_at_the_settings_keeps_no_zone(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first start is the one that makes the home."""
    monkeypatch.setenv("TZ", "Asia/Makassar")
    assert load_settings(flags).settings.site.zone == "Asia/Makassar"
    assert not Path(str(flags["home"])).exists()


def test_a_setting_goes_before_the_machine(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is kept: the setting may be changed."""
    zone, origin = in_use({**flags, "site.zone": "Asia/Jayapura"}, monkeypatch, "Asia/Makassar")
    assert (zone, origin) == ("Asia/Jayapura", "flag")
    assert not (Path(str(flags["home"])) / ZONE_FILE).exists()


def test_a_home_of_the_version_before_keeps_wib(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its days were judged so; doctor says it, and that the machine's is another one."""
    in_use(flags, monkeypatch, "Asia/Makassar")
    (Path(str(flags["home"])) / ZONE_FILE).unlink()
    with SmartAbsen.open(flags=flags) as app:
        assert app.settings.site.zone == "Asia/Jakarta"
        (first, second) = zone_rows(app)
    assert "as before there was a choice" in first[1]["origin"]
    assert (second[0], second[1]["here"]) == (CheckLevel.WARN, "Asia/Makassar")


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "GMT"])
def test_a_machine_in_utc_is_told_clearly(flags: dict[str, object], monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Servers and containers: nobody works by UTC, so WIB is taken, with a warning until somebody sets it."""
    assert in_use(flags, monkeypatch, zone) == ("Asia/Jakarta", FIRST_START)
    with SmartAbsen.open(flags=flags) as app:
        assert [level for level, _ in zone_rows(app)] == [CheckLevel.OK, CheckLevel.WARN]
        assert any(row.name == "zone" and row.level is CheckLevel.WARN for row in app.serving.prepare())
    with SmartAbsen.open(flags={**flags, "site.zone": "Asia/Jakarta"}) as app:
        assert [level for level, _ in zone_rows(app)] == [CheckLevel.OK]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("Asia/Makassar", "Asia/Makassar"),
        (":Asia/Jayapura", "Asia/Jayapura"),
        ("/usr/share/zoneinfo/Asia/Pontianak", "Asia/Pontianak"),
    ],
)
def test_the_zone_of_a_machine_is_named_in_several_ways(
    monkeypatch: pytest.MonkeyPatch, given: str, found: str
) -> None:
    """As TZ has it."""
    monkeypatch.setenv("TZ", given)
    assert machine_zone() == found


def test_zones_with_the_same_time_do_not_differ() -> None:
    """Pontianak has WIB under a name of its own."""
    assert same_time("Asia/Pontianak", "Asia/Jakarta")
    assert not same_time("Asia/Makassar", "Asia/Jakarta")


def test_a_consent_is_shown_with_the_day_that_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the zone of the site, east of which that day began earlier; in the trail as well."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMARTABSEN_ENGINE", "fake")
    monkeypatch.setenv("COLUMNS", "200")
    with SmartAbsen.open() as app:
        app.enrol("Adi Contoh", [], code="E1")
        app.privacy.record_consent("E1", at=datetime(2025, 11, 30, tzinfo=ZoneInfo("Asia/Jakarta")))
    shown = run.invoke(program, ["employee", "show", "E1"])
    assert "2025-11-30" in shown.output
    assert "2025-11-29" not in shown.output
    trail = run.invoke(program, ["audit", "list", "--action", "consent"])
    assert "at=2025-11-30 00:00:00" in trail.output


def test_only_instants_of_the_trail_are_shown_in_another_way() -> None:
    """Dates, names and numbers stay as they are."""
    zone = ZoneInfo("Asia/Makassar")
    assert local_text("2025-11-29T17:00:00+00:00", zone) == "2025-11-30 01:00:00"
    for other in ("2025-11-29", "T", "17", "9999-12-31T23:59:59+00:00", "2025-13-40T17:00:00Z"):
        assert local_text(other, zone) == other


def test_a_forgotten_punch_may_be_as_old_as_the_day_of_the_site_says(flags: dict[str, object]) -> None:
    """The day on which somebody was added is that of the site."""
    from smartabsen import InvalidInputError
    from smartabsen.attendance.corrections import BEFORE_ADDED

    with SmartAbsen.open(flags={**flags, "site.zone": "Pacific/Kiritimati"}) as app:
        person = app.enrol("Adi Contoh", [], code="E1").employee
        first = person.created_at.astimezone(ZoneInfo("Pacific/Kiritimati")).date() - BEFORE_ADDED
        clock = datetime(2026, 1, 1, 12, 0, tzinfo=UTC).time()
        assert app.corrections.add("E1", first, clock, reason="lupa").new
        with pytest.raises(InvalidInputError):
            app.corrections.add("E1", first - timedelta(days=1), clock, reason="lupa")


def test_the_clock_is_checked_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In JSON, with nothing against it; accepting it needs a reason."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMARTABSEN_ENGINE", "fake")
    checked = run.invoke(program, ["clock", "check", "--json"])
    assert checked.exit_code == 0, checked.output
    facts = json.loads(checked.stdout)["data"]
    assert (facts["state"], facts["offset_s"], facts["in_future"], facts["kiosks"]) == ("unconfirmed", None, 0, [])
    assert date.fromisoformat(facts["now"][:10]) >= date(2026, 11, 1)
    assert run.invoke(program, ["clock", "accept"]).exit_code == 2
    accepted = run.invoke(program, ["clock", "accept", "--reason", "compared with a phone", "--json"])
    assert json.loads(accepted.stdout)["status"] == "ok"


@pytest.mark.mariadb
def test_a_kiosk_says_time_and_zone_at_its_start_and_warns(
    flags: dict[str, object], draw: Draw, tmp_path: Path, mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock is ten minutes behind the server's, and its zone is not the site's."""
    loaded = load_settings({**flags, "database_url": mariadb_url})
    behind = MachineClock(lambda: datetime.now(UTC) - timedelta(minutes=10))
    monkeypatch.setenv("TZ", "Asia/Jayapura")
    events: list[KioskEvent] = []
    with SmartAbsen(loaded, machine=behind) as app:
        enrol(app, draw, 1, photos=2)
        app.train()
        app.run_kiosk(camera=str(draw("film/1.png", 1).parent), on_event=events.append, window=False)
    (started,) = [event for event in events if event.kind is KioskEventKind.STARTED]
    assert dict(started.params)["time"].endswith(" Asia/Jakarta")
    warned = [event.detail for event in events if event.kind is KioskEventKind.TROUBLE]
    assert any("off the database server's clock" in detail for detail in warned)
    assert any("lateness is judged by the site's" in detail for detail in warned)


def test_the_first_enrolment_tells_of_a_machine_in_utc_once(
    flags: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever begins with ``enroll`` or ``import`` hears it before a day is judged; later doctor says it."""
    monkeypatch.setenv("TZ", "UTC")
    people = tmp_path / "people.csv"
    people.write_text("code,name\nE1,Adi Contoh\n")
    arguments = ["--home", str(flags["home"]), "--engine", "fake"]
    first = run.invoke(program, [*arguments, "import", str(people)])
    second = run.invoke(program, [*arguments, "enroll", "Budi Contoh", "--code", "E2", "--no-photos"])
    assert (first.exit_code, second.exit_code) == (0, 0), (first.output, second.output)
    assert "set to UTC" in first.stderr and "site.zone" in first.stderr
    assert "UTC" not in second.stderr
