"""Wrong clocks: two kiosks on one database, codes that expire, clocks that were set, and a person's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from smartabsen import ConflictError, InvalidInputError, Outcome, SmartAbsen, Status
from smartabsen.attendance import punch_rows
from smartabsen.attendance.punch import attempt_by_face
from smartabsen.config import load_settings
from smartabsen.kernel.domain import CheckLevel, PunchMethod, SignInState, VerifyOutcome
from smartabsen.kiosk.punch_writer import PunchWriter
from smartabsen.kiosk.start import PunchesOf
from smartabsen.store.clock import BootTime, DatabaseClock, MachineClock
from smartabsen.store.trusted_clock import KNOWN_AT, KNOWN_TIME, TrustedClock
from smartabsen.upkeep.clock_care import ClockState

MINUTES_10 = timedelta(minutes=10)
HOUR = timedelta(hours=1)
YEARS_3 = timedelta(days=3 * 365)
SITE = ZoneInfo("Asia/Jakarta")
NEAR_S = 30.0
"""What a measured offset may differ on a busy machine."""


class Machine:
    """A machine whose clock can be set; ``shift`` is what it is ahead of the right time."""

    def __init__(self, shift: timedelta = timedelta(0), *, boot: str = "one") -> None:
        self.shift = shift
        self.clock = MachineClock(lambda: datetime.now(UTC) + self.shift, boot=boot)


Open = Callable[..., SmartAbsen]


@pytest.fixture
def start_of_work() -> str:
    """Work began five minutes ago: who comes now is late, by a clock that is ten minutes behind not."""
    return f"{datetime.now(SITE) - timedelta(minutes=5):%H:%M}"


@pytest.fixture
def open_machine(flags: dict[str, object], tmp_path: Path, start_of_work: str) -> Iterator[Open]:
    """Opens a machine with a home of its own, or one that was there before, and a clock."""
    opened: list[SmartAbsen] = []

    def open_one(machine: Machine, name: str = "home", **more: object) -> SmartAbsen:
        noon = f"{datetime.now(SITE) + timedelta(hours=12):%H:%M}"
        rules = {"attendance.start": start_of_work, "attendance.day_starts_at": noon, "site.kiosk": name}
        settings = {**flags, **rules, "home": str(tmp_path / name), **more}
        opened.append(SmartAbsen(load_settings(settings), machine=machine.clock))
        return opened[-1]

    yield open_one
    for app in opened:
        app.close()


@pytest.fixture
def office(open_machine: Open, mariadb_url: str) -> SmartAbsen:
    """A machine with the right time on a database server, with two employees."""
    app = open_machine(Machine(), "office", database_url=mariadb_url)
    for code in ("E1", "E2"):
        app.enrol(f"Contoh {code}", [], code=code)
    return app


def clock_rows(app: SmartAbsen) -> list[tuple[CheckLevel, dict[str, str]]]:
    return [(row.level, dict(row.params)) for row in app.check_health() if row.name == "clock"]


def near(offset_s: float | None, wanted_s: float) -> bool:
    return offset_s is not None and abs(offset_s - wanted_s) < NEAR_S


# --- two kiosks ----------------------------------------------------------------------------------------------


@pytest.mark.mariadb
def test_a_second_punch_at_a_kiosk_that_is_behind_is_no_arrival_before_the_first(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """The cooldown counts by the server's time, and lateness stays."""
    behind = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url)
    first = office.punch("E1")
    second = behind.punch("E1")
    assert (first.outcome, first.day.status) == (Outcome.RECOGNIZED, Status.LATE)
    assert (second.outcome, second.day.status) == (Outcome.ALREADY_RECORDED, Status.LATE)
    assert second.punch.id == first.punch.id


@pytest.mark.mariadb
def test_a_punch_of_a_kiosk_that_is_off_has_the_servers_time_its_offset_and_a_mark(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """So somebody looks at it, and the day is right all the same."""
    behind = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url)
    right, wrong = office.punch("E1").punch, behind.punch("E2")
    assert (right.clock_trusted, near(right.clock_offset_s, 0)) == (True, True)
    assert (wrong.punch.clock_trusted, near(wrong.punch.clock_offset_s, -600)) == (False, True)
    assert abs(wrong.punch.at - datetime.now(UTC)) < timedelta(minutes=2)
    assert wrong.day.status is Status.LATE
    assert any("not to be trusted" in message for message, _ in behind.remarks)


@pytest.mark.mariadb
def test_doctor_tells_a_clock_that_is_off_here_and_at_other_kiosks(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """By how much, and whose."""
    behind = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url)
    behind.punch("E2")
    ((level, here), *_) = clock_rows(behind)
    assert (level, near(float(here["seconds"]), -600)) == (CheckLevel.WARN, True)
    (own, other) = clock_rows(office)
    assert (own[0], near(float(own[1]["seconds"]), 0)) == (CheckLevel.OK, True)
    assert (other[0], other[1]["kiosk"], near(float(other[1]["seconds"]), -600)) == (CheckLevel.WARN, "door", True)


@pytest.mark.mariadb
def test_a_machine_of_the_same_name_does_not_make_this_ones_clock_wrong(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """Cloned images share a name; each home knows which marks are its own."""
    behind = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url, **{"site.kiosk": "office"})
    behind.punch("E2")
    (own, other) = [row for row in office.check_health() if row.name == "clock"]
    assert (own.level, other.level, "another machine" in other.detail) == (CheckLevel.OK, CheckLevel.WARN, True)
    assert (office.clock.facts().namesake, behind.clock.facts().namesake) == ("office", "")
    assert not any("another machine" in row.detail for row in behind.check_health())


@pytest.mark.mariadb
def test_the_tolerance_can_be_set(open_machine: Open, office: SmartAbsen, mariadb_url: str) -> None:
    """Ten minutes may be allowed."""
    more = {"attendance.clock_tolerance_s": 3_600}
    behind = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url, **more)
    assert behind.punch("E1").punch.clock_trusted
    assert behind.clock.facts().state is ClockState.CONFIRMED


@pytest.mark.mariadb
def test_a_clock_that_is_set_while_the_program_runs_changes_no_time(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """The steady clock counts on from the server's answer; the offset shows what was set."""
    machine = Machine()
    door = open_machine(machine, "door", database_url=mariadb_url)
    assert door.punch("E1").punch.clock_trusted
    machine.shift = timedelta(hours=-1)
    reading = door.services.clock.now()
    assert abs(reading.at - datetime.now(UTC)) < timedelta(seconds=NEAR_S)
    assert (reading.trusted, near(reading.offset_s, -3600)) == (False, True)


@pytest.mark.mariadb
def test_a_clock_that_a_server_confirms_is_trusted_again_by_itself(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """Once in the future, right afterwards: only the punch in between is marked."""
    machine = Machine(YEARS_3)
    door = open_machine(machine, "door", database_url=mariadb_url)
    assert not door.punch("E1").punch.clock_trusted
    machine.shift = timedelta(0)
    assert door.punch("E2").punch.clock_trusted
    assert door.clock.facts().state is ClockState.CONFIRMED


@pytest.mark.mariadb
def test_a_home_that_remembers_the_future_trusts_the_server(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """Homes of before kept a wrong time for years."""
    door = open_machine(Machine(), "door", database_url=mariadb_url)
    door.services.punch_queue.note_fact(KNOWN_TIME, (datetime.now(UTC) + YEARS_3).isoformat())
    assert door.punch("E1").punch.clock_trusted
    assert door.services.clock.last_known < datetime.now(UTC) + HOUR


# --- punches that wait ---------------------------------------------------------------------------------------


def deliver(app: SmartAbsen) -> None:
    PunchWriter(PunchesOf(app.services), app.services.punch_queue, app.services.clock).close()
    assert app.services.punch_queue.count() == 0


def at_door(app: SmartAbsen, employee_id: int) -> None:
    """Recognise somebody while the database is away: the punch goes into the queue."""
    attempt = attempt_by_face(app.services, employee_id, similarity=0.9, reading=app.services.clock.now(),
                              person=app.get_employee(f"E{employee_id}").uuid)  # fmt: skip
    app.services.punch_queue.add(attempt, database_id="")


def stored(app: SmartAbsen, employee_id: int) -> punch_rows.Punch:
    with app.services.database.read() as session:
        (row,) = session.execute(text("SELECT id FROM punches WHERE karyawan_id = :id"), {"id": employee_id})
        return punch_rows.get(session, row[0])


@pytest.mark.mariadb
def test_a_punch_that_waits_keeps_the_last_known_offset(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """Also after a new start of the program, as long as the machine was not started anew."""
    door = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url)
    door.services.assume_model(door.services.build_engine("fake").identity)
    door.services.look_at_clock().now()
    door.services.clock.note()
    door.close()
    again = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url)
    again.services.assume_model(again.services.build_engine("fake").identity)
    at_door(again, 1)
    (waiting,) = again.services.punch_queue.oldest()
    assert (near(waiting.punch.clock_offset_s, -600), waiting.punch.clock_trusted) == (True, False)
    deliver(again)
    assert abs(stored(office, 1).at - datetime.now(UTC)) < timedelta(minutes=2)


@pytest.mark.mariadb
def test_a_punch_taken_before_anybody_told_the_time_gets_it_when_it_is_delivered(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """A kiosk that wakes up in the past before its server does; the order of the punches is the right one."""
    door = open_machine(Machine(-3 * HOUR), "door", database_url=mariadb_url)
    door.services.assume_model(door.services.build_engine("fake").identity)
    at_door(door, 1)
    (waiting,) = door.services.punch_queue.oldest()
    assert waiting.punch.clock_offset_s is None
    later = office.punch("E2").punch
    deliver(door)
    punch = stored(office, 1)
    assert near(punch.clock_offset_s, -3 * 3600)
    assert timedelta(0) < later.at - punch.at < timedelta(minutes=2)
    assert not punch.clock_trusted


def test_a_queue_of_the_version_before_is_read(open_machine: Open) -> None:
    """Its punches have neither offset nor reading."""
    app = open_machine(Machine())
    app.enrol("Contoh 1", [], code="E1")
    app.services.assume_model(app.services.build_engine("fake").identity)
    at_door(app, 1)
    import sqlite3

    with sqlite3.connect(app.services.punch_queue.path) as connection:
        connection.execute("ALTER TABLE waiting DROP COLUMN clock_offset_s")
        connection.execute("ALTER TABLE waiting DROP COLUMN taken_at")
    connection.close()
    (waiting,) = app.services.punch_queue.oldest()
    assert (waiting.punch.clock_offset_s, waiting.punch.taken_at) == (None, "")
    deliver(app)
    assert stored(app, 1).method is PunchMethod.FACE


# --- what expires --------------------------------------------------------------------------------------------


@pytest.mark.mariadb
def test_a_machine_that_is_behind_confirms_no_dead_code(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """The code died half an hour ago; this machine believes that it is an hour earlier."""
    behind = open_machine(Machine(-HOUR), "door", database_url=mariadb_url)
    asked = office.signin.generate_qr_code("browser")
    assert behind.signin.find_ask(asked.token) is not None
    with office.services.database.write() as session:
        session.execute(text("UPDATE qr_tokens SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 30 MINUTE"))
    assert behind.signin.find_ask(asked.token) is None
    assert behind.signin.verify_qr_code(asked.token, number=asked.number) is VerifyOutcome.INVALID
    assert behind.signin.get_verification_status("browser") is SignInState.DEAD


@pytest.mark.mariadb
def test_a_machine_that_is_ahead_kills_nothing_that_lives(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """Codes, invitations, sessions and pauses last as long as they were made for."""
    ahead = open_machine(Machine(HOUR), "door", database_url=mariadb_url)
    asked = office.signin.generate_qr_code("browser")
    invited = office.phones.start_pairing("E1")
    sid = office.web_sessions.create({"a": 1}, idle_s=600, absolute_s=600)
    assert office.services.rate_limits.hit("somebody", limit=1, per_s=600) == 0
    assert ahead.phones.find_pairing(invited.token) is not None
    assert ahead.web_sessions.load(sid) is not None
    assert 0 < ahead.services.rate_limits.hit("somebody", limit=1, per_s=600) <= 600
    assert ahead.signin.verify_qr_code(asked.token, number=asked.number) is VerifyOutcome.CONFIRMED


@pytest.mark.mariadb
def test_a_machine_that_is_behind_lets_nothing_live_on(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """Invitations, sessions and pauses that ended half an hour ago are over."""
    behind = open_machine(Machine(-HOUR), "door", database_url=mariadb_url)
    invited = office.phones.start_pairing("E1")
    sid = office.web_sessions.create({"a": 1}, idle_s=600, absolute_s=600)
    office.services.rate_limits.hit("somebody", limit=1, per_s=600)
    with office.services.database.write() as session:
        ago = "UTC_TIMESTAMP(6) - INTERVAL 30 MINUTE"
        session.execute(text(f"UPDATE pairings SET expires_at = {ago}"))
        session.execute(text(f"UPDATE web_sessions SET idle_until = {ago}"))
        session.execute(text(f"UPDATE rate_limits SET resets_at = {ago}"))
    assert behind.phones.find_pairing(invited.token) is None
    assert behind.web_sessions.load(sid) is None
    assert behind.services.rate_limits.hit("somebody", limit=1, per_s=600) == 0


@pytest.mark.mariadb
@pytest.mark.parametrize("shift", [-HOUR, HOUR])
def test_a_lock_after_wrong_passwords_lasts_as_long_on_every_machine(
    open_machine: Open, office: SmartAbsen, mariadb_url: str, shift: timedelta
) -> None:
    """An hour more or less on a machine's clock neither ends nor prolongs it."""
    from smartabsen import Role

    office.users.add("siti", "Contoh-sandi-panjang-1", role=Role.ADMIN)
    other = open_machine(Machine(shift), "door", database_url=mariadb_url, **{"desk.login_tries": 1})
    assert other.users.authenticate("siti", "salah sekali") is None
    locked_until = office.users.get("siti").locked_until
    assert locked_until is not None
    assert timedelta(minutes=13) < locked_until - datetime.now(UTC) < timedelta(minutes=17)


@pytest.mark.mariadb
@pytest.mark.parametrize("shift", [-HOUR, HOUR])
def test_counts_and_sessions_in_redis_follow_the_database(
    open_machine: Open, mariadb_url: str, redis_url: str, shift: timedelta
) -> None:
    """Machines share one time there, too."""
    right = open_machine(Machine(), "office", database_url=mariadb_url, redis_url=redis_url)
    wrong = open_machine(Machine(shift), "door", database_url=mariadb_url, redis_url=redis_url)
    key = f"clock-{shift.total_seconds()}-{datetime.now(UTC).timestamp()}"
    sid = right.web_sessions.create({"a": 1}, idle_s=600, absolute_s=600)
    assert right.services.rate_limits.hit(key, limit=1, per_s=600) == 0
    assert 0 < wrong.services.rate_limits.wait_s(key, limit=1) <= 600 + NEAR_S
    found = wrong.web_sessions.load(sid)
    assert found is not None
    assert abs(found.created_at - datetime.now(UTC)) < timedelta(minutes=2)
    right.web_sessions.revoke(sid)
    right.services.rate_limits.forget(key)


# --- SQLite: nobody to ask -----------------------------------------------------------------------------------


@pytest.mark.parametrize("boot", ["one", "another"])
def test_a_clock_set_back_rewrites_no_day(open_machine: Open, boot: str) -> None:
    """The later punch is marked and does not count as the arrival, in a new process and after a new start as well."""
    app = open_machine(Machine())
    app.enrol("Contoh 1", [], code="E1")
    before = app.punch("E1")
    assert (before.punch.clock_trusted, before.day.status) == (True, Status.LATE)
    app.close()
    again = open_machine(Machine(-HOUR, boot=boot))
    after = again.punch("E1")
    assert (after.outcome, after.punch.clock_trusted, after.punch.clock_offset_s) == (Outcome.RECOGNIZED, False, None)
    assert (after.day.status, after.day.clock_in) == (Status.LATE, before.punch.at)
    assert again.audit.verify_attendance().problems == ()
    assert any("not to be trusted" in message for message, _ in again.remarks)


def test_a_clock_set_back_before_the_first_punch_of_a_day_is_noticed_within_a_start_of_the_machine() -> None:
    """The steady clock says how late it must be at least."""
    now, steady = datetime(2026, 12, 1, 1, 30, tzinfo=UTC), [1_000.0]
    wall = [now]
    clock = TrustedClock(DatabaseClock(MachineClock(lambda: wall[0], steady=lambda: steady[0], boot="one")))
    assert clock.now().trusted
    steady[0] += 12 * 3600
    wall[0] += 11 * HOUR
    assert not clock.now().trusted
    wall[0] += HOUR
    assert clock.now().trusted


class Facts(dict[str, str]):
    """What earlier runs came to know."""

    def find_fact(self, name: str) -> str:
        """Return one."""
        return self.get(name, "")

    def note_facts(self, facts: Mapping[str, str]) -> None:
        """Keep them."""
        self.update(facts)


@pytest.mark.parametrize(("shown_s", "trusted"), [(130, True), (20, False), (50, False)])
def test_a_row_that_is_younger_than_the_noted_time_makes_no_right_clock_doubtful(shown_s: int, trusted: bool) -> None:
    """The reading of the steady clock belongs to the noted time; a clock that was set back is noticed as before."""
    noted = datetime(2026, 11, 30, 8, tzinfo=UTC)
    memory = Facts({KNOWN_TIME: noted.isoformat(), KNOWN_AT: str(BootTime("one", 100.0))})
    machine = MachineClock(lambda: noted + timedelta(seconds=shown_s), steady=lambda: 230.0, boot="one")
    row = noted + timedelta(seconds=121)
    clock = TrustedClock(DatabaseClock(machine), memory=memory, known=row)
    assert clock.least == noted + timedelta(seconds=130)
    assert clock.now().trusted is trusted


def test_every_way_of_punching_judges_the_clock_alike(open_machine: Open) -> None:
    """By hand, by face, by phone and PIN, and a correction."""
    app = open_machine(Machine())
    for number in (1, 2, 3, 4):
        app.enrol(f"Contoh {number}", [], code=f"E{number}")
    phone = app.phones.find_phone(app.phones.complete_pairing(app.phones.start_pairing("E3").token).value)
    app.phones.set_pin("E3", "274913")
    before = app.punch("E4")
    app.close()
    again = open_machine(Machine(-HOUR))
    services = again.services
    services.assume_model(services.build_engine("fake").identity)
    assert phone is not None
    by_hand = again.punch("E1").punch
    by_face = attempt_by_face(services, 2, similarity=0.9, reading=services.look_at_clock().now())
    by_pin = again.phones.punch_by_pin(phone, "274913", key="pin-1").punch
    local = (before.punch.at - 2 * HOUR).astimezone(SITE)
    corrected = again.corrections.correct(before.punch.id, local.time().replace(microsecond=0), reason="lupa").entry
    assert [one.clock_trusted for one in (by_hand, by_face, by_pin, corrected)] == [False] * 4
    # What a person has said counts, whatever the clock showed when it was said.
    day = again.corrections.get_day("E4", corrected.work_date).day
    assert day is not None
    assert day.clock_in == corrected.at


def test_a_clock_once_in_the_future_is_told_and_mended_by_a_persons_word(open_machine: Open) -> None:
    """Without it every right punch would be marked for years."""
    machine = Machine(YEARS_3)
    app = open_machine(machine)
    for code in ("E1", "E2", "E3"):
        app.enrol(f"Contoh {code}", [], code=code)
    assert app.punch("E1").punch.clock_trusted
    app.close()
    again = open_machine(Machine(boot="another"))
    assert not again.punch("E2").punch.clock_trusted
    levels = [level for level, _ in clock_rows(again)]
    assert levels[:2] == [CheckLevel.WARN, CheckLevel.WARN]
    facts = again.clock.facts()
    assert (facts.state, [one.code for one in facts.ahead], facts.right) == (ClockState.DOUBTED, ["E1"], False)
    with pytest.raises(InvalidInputError):
        again.clock.accept(reason=" ")
    assert again.clock.accept(reason="compared with a phone").state is ClockState.UNCONFIRMED
    assert again.punch("E3").punch.clock_trusted
    (entry,) = [one for one in again.audit.entries(limit=10) if one.action == "clock.accept"]
    assert entry.details["reason"] == "compared with a phone"
    again.close()
    third = open_machine(Machine(boot="third"))
    assert third.clock.facts().state is ClockState.UNCONFIRMED


def test_a_running_program_follows_a_persons_word(open_machine: Open) -> None:
    """The command is another process than the server."""
    served = open_machine(Machine(YEARS_3))
    for code in ("E1", "E2", "E3"):
        served.enrol(f"Contoh {code}", [], code=code)
    served.punch("E1")
    running = open_machine(Machine())
    assert not running.punch("E2").punch.clock_trusted
    open_machine(Machine()).clock.accept(reason="compared with a phone")
    assert running.punch("E3").punch.clock_trusted


@pytest.mark.parametrize("ahead", [HOUR, timedelta(days=300), YEARS_3])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_jump_into_the_future_is_marked_and_forgotten(open_machine: Open, ahead: timedelta, restarted: bool) -> None:
    """Since a start of the machine its steady clock knows better, also in a new process; nobody has to say a word."""
    machine = Machine()
    app = open_machine(machine)
    for code in ("E1", "E2", "E3"):
        app.enrol(f"Contoh {code}", [], code=code)
    assert app.punch("E1").punch.clock_trusted
    machine.shift = ahead
    jumped = open_machine(machine) if restarted else app
    assert not jumped.punch("E2").punch.clock_trusted
    machine.shift = timedelta(0)
    again = open_machine(machine) if restarted else app
    assert again.punch("E3").punch.clock_trusted
    facts = again.clock.facts()
    assert (facts.state, [one.code for one in facts.ahead]) == (ClockState.UNCONFIRMED, ["E2"])
    told = [params["punches"] for _, params in clock_rows(again) if "punches" in params]
    assert told == [f"E2 {facts.ahead[0].at.astimezone(SITE):%Y-%m-%d %H:%M}"]


@pytest.mark.parametrize(("days", "trusted"), [(20, True), (40, False)])
def test_over_a_new_start_a_leap_of_more_than_a_month_is_marked(open_machine: Open, days: int, trusted: bool) -> None:
    """Holidays are shorter; and after a marked one the right time is trusted, also after one more start."""
    app = open_machine(Machine())
    for code in ("E1", "E2", "E3"):
        app.enrol(f"Contoh {code}", [], code=code)
    app.punch("E1")
    app.close()
    later = open_machine(Machine(timedelta(days=days), boot="another"))
    assert later.punch("E2").punch.clock_trusted is trusted
    later.close()
    right = open_machine(Machine(boot="third"))
    assert right.punch("E3").punch.clock_trusted is not trusted


def test_a_leap_of_years_is_marked_and_forgotten(open_machine: Open) -> None:
    """Where the right time was known before, the wrong one is not believed."""
    machine = Machine()
    app = open_machine(machine)
    for code in ("E1", "E2", "E3"):
        app.enrol(f"Contoh {code}", [], code=code)
    assert app.punch("E1").punch.clock_trusted
    machine.shift = YEARS_3
    assert not app.punch("E2").punch.clock_trusted
    machine.shift = timedelta(0)
    assert app.punch("E3").punch.clock_trusted


@pytest.mark.mariadb
def test_nobody_can_overrule_the_server(open_machine: Open, office: SmartAbsen, mariadb_url: str) -> None:
    """A clock that is off is to be set."""
    behind = open_machine(Machine(-MINUTES_10), "door", database_url=mariadb_url)
    with pytest.raises(ConflictError):
        behind.clock.accept(reason="because")


# --- signatures ----------------------------------------------------------------------------------------------


@pytest.mark.mariadb
def test_an_offset_is_under_the_signature_and_a_punch_without_one_is_signed_as_before(
    open_machine: Open, office: SmartAbsen, mariadb_url: str
) -> None:
    """An offset that is changed, taken out or slipped in shows."""
    office.services.ensure_key()
    kept = office.punch("E1").punch
    from smartabsen.attendance.punch import record_attempt

    old = replace(kept, id=0, employee_id=2, key="old", clock_offset_s=None, taken_at="")
    record_attempt(office.services, old)
    assert office.audit.verify_attendance().problems == ()

    def problems(statement: str) -> int:
        with office.services.database.write() as session:
            session.execute(text(statement))
        return len(office.audit.verify_attendance().problems)

    assert problems("UPDATE punches SET clock_offset_s = 5 WHERE karyawan_id = 1") == 1
    assert problems("UPDATE punches SET clock_offset_s = NULL WHERE karyawan_id = 1") == 1
    assert problems("UPDATE punches SET clock_offset_s = 5 WHERE karyawan_id = 2") == 2


# --- the parts -----------------------------------------------------------------------------------------------


def test_readings_of_two_starts_of_a_machine_cannot_be_compared() -> None:
    """And what is written can be read again."""
    assert BootTime("a", 5.0).since(BootTime("b", 1.0)) is None
    assert BootTime("a", 5.0).since(BootTime("a", 1.0)) == timedelta(seconds=4)
    assert BootTime.parse(str(BootTime("a", 5.25))) == BootTime("a", 5.25)
    assert [BootTime.parse(each) for each in ("", "a", "@1", "a@x")] == [None] * 4


def test_a_server_is_asked_at_first_once_a_minute_and_when_the_clock_was_set() -> None:
    """In between the steady clock counts on."""
    wall, steady = [datetime(2026, 12, 1, tzinfo=UTC)], [0.0]
    clock = DatabaseClock(MachineClock(lambda: wall[0], steady=lambda: steady[0], boot="one"))
    assert clock.is_due
    clock.take(datetime(2026, 12, 1, 0, 10, tzinfo=UTC), asked_at=clock.machine.steady())
    assert not clock.is_due
    assert clock.read() == (datetime(2026, 12, 1, 0, 10, tzinfo=UTC), -MINUTES_10)
    steady[0] += 30
    wall[0] += timedelta(seconds=30)
    assert (clock.is_due, clock.instant()) == (False, datetime(2026, 12, 1, 0, 10, 30, tzinfo=UTC))
    wall[0] += HOUR
    assert (clock.is_due, clock.instant()) == (True, datetime(2026, 12, 1, 0, 10, 30, tzinfo=UTC))
    wall[0] -= HOUR
    steady[0] += 31
    wall[0] += timedelta(seconds=31)
    assert clock.is_due


def test_an_answer_that_says_nothing_is_no_time() -> None:
    """A server that was never set, and one that took long after a good answer."""
    steady = [0.0]
    clock = DatabaseClock(MachineClock(lambda: datetime(2026, 12, 1, tzinfo=UTC), steady=lambda: steady[0], boot="one"))
    clock.take(datetime(1970, 1, 1, tzinfo=UTC), asked_at=clock.machine.steady())
    assert clock.known is None
    clock.take(datetime(2026, 12, 1, tzinfo=UTC), asked_at=clock.machine.steady())
    before = clock.known
    asked = clock.machine.steady()
    steady[0] += 60
    clock.take(datetime(2026, 12, 2, tzinfo=UTC), asked_at=asked)
    assert clock.known == before
