"""This machine's clock and zone beside those of the database and of the site: looked at, told, put right."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from ..app.bootstrap import Services
from ..attendance import clock_evidence_rows
from ..attendance.clock_evidence_rows import DoubtfulKiosk, FuturePunch
from ..config.zones import FIRST_START, UTC_NAMES, machine_zone, same_time
from ..kernel.domain import Check, CheckLevel
from ..kernel.errors import ConflictError, InvalidInputError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..store.trusted_clock import MARKED
from ..trust import audit_rows

KIOSK_DAYS: Final = 7
"""How far back marked punches are told."""
_SHOWN: Final = 5
"""Punches of the future that are named."""
_OK, _WARN = CheckLevel.OK, CheckLevel.WARN


class ClockState(StrEnum):
    """What is to be thought of this machine's clock."""

    CONFIRMED = "confirmed"
    """The database server shows the same time."""
    OFF = "off"
    """The database server shows another time."""
    UNCONFIRMED = "unconfirmed"
    """No server tells the time; nothing speaks against the clock."""
    DOUBTED = "doubted"
    """No server tells the time, and what was trusted before speaks against this one."""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """This machine's clock.

    Attributes:
        now: The time that counts, UTC: the server's where there is one.
        machine: What this machine's clock shows, UTC.
        offset_s: Seconds that this machine is ahead of the server; None where none told the time.
        tolerance_s: So much is allowed.
        known: The latest time that was trusted, UTC.
        least: What a right clock shows now or has passed, by that time and the steady clock since then, UTC.
        ahead: The punches that count and lie in the future.
        kiosks: Kiosks with marked punches of the last days.
        namesake: Name of this machine's kiosk, where the last marked punch under it is another machine's.
    """

    state: ClockState
    now: datetime
    machine: datetime
    offset_s: float | None
    tolerance_s: float
    known: datetime
    least: datetime
    ahead: tuple[FuturePunch, ...]
    kiosks: tuple[DoubtfulKiosk, ...]
    namesake: str = ""

    @property
    def right(self) -> bool:
        """Whether punches of this machine are not marked."""
        return self.state in (ClockState.CONFIRMED, ClockState.UNCONFIRMED)


class ClockCare:
    """Care for the clock of this machine.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def facts(self) -> ClockFacts:
        """Look at the clock; nothing is changed. Raises DatabaseError."""
        services = self._services
        clock = services.look_at_clock()
        # Before the look, which takes a server's word over what was known.
        known, least = clock.last_known, clock.least
        reading = clock.now()
        since = services.rules.work_date(reading.at) - timedelta(days=KIOSK_DAYS)
        with services.database.read() as session:
            ahead = clock_evidence_rows.after(session, reading.at + clock.tolerance)
            kiosks = clock_evidence_rows.doubtful_kiosks(session, since=since)
        if reading.offset_s is not None:
            state = ClockState.CONFIRMED if reading.trusted else ClockState.OFF
        else:
            state = ClockState.UNCONFIRMED if reading.trusted else ClockState.DOUBTED
        machine = services.machine.wall().astimezone(UTC)
        tolerance_s = clock.tolerance.total_seconds()
        own = services.punch_queue.find_fact(MARKED)
        namesake = any(one.kiosk == services.kiosk_name and one.key != own for one in kiosks)
        return ClockFacts(
            state,
            reading.at,
            machine,
            reading.offset_s,
            tolerance_s,
            known,
            least,
            ahead,
            kiosks,
            services.kiosk_name if namesake else "",
        )

    def accept(self, *, reason: str) -> ClockFacts:
        """Take a person's word that this machine's clock is right, with an entry in the audit trail.

        Args:
            reason: How the person knows; it cannot be empty.

        Raises:
            InvalidInputError: No reason is given.
            ConflictError: The database server shows another time: the clock is to be set instead.
            StorageError: It cannot be kept.
        """
        services, reason = self._services, reason.strip()
        if not reason:
            raise InvalidInputError(N_("The {field} is empty."), field=N_("reason"))
        before = self.facts()
        if before.state is ClockState.OFF:
            raise ConflictError(
                N_("The clock of this machine is {seconds} s off the database server's."),
                hint=N_("Set it right (on Linux: timedatectl set-ntp true); it is then trusted by itself."),
                seconds=f"{before.offset_s:+.0f}",
            )
        services.clock.accept(uuid.uuid4().hex)
        details = {"reason": reason, "known": before.known.isoformat(), "now": before.now.isoformat()}
        services.database.run_write(
            lambda session: audit_rows.append(
                session, actor=services.actor, action="clock.accept", subject=services.kiosk_name, details=details
            )
        )
        return self.facts()


def check_clock(services: Services) -> Iterator[Check]:
    """Whether this machine's clock is right, punches in the future, and kiosks whose clock was not right."""
    facts = ClockCare(services).facts()
    yield _clock_row(services, facts)
    if facts.ahead:
        detail = N_("Punches that lie in the future: {punches}. A clock was ahead when they were recorded.")
        fix = N_("Correct or take them out in the dashboard, or wait for their day.")
        yield _row("clock", _WARN, detail, fix, punches=name_punches(facts.ahead, services.site_zone))
    for kiosk in facts.kiosks:
        places: dict[str, object] = {"kiosk": kiosk.kiosk, "count": kiosk.punches, "days": KIOSK_DAYS}
        fix = N_("Look at the clock of that machine, and at the days of these punches.")
        if kiosk.kiosk == facts.namesake:
            places["offset"] = "?" if kiosk.offset_s is None else f"{kiosk.offset_s:+.0f} s"
            detail = N_(
                "The clock of another machine that is called {kiosk} as well was off at last ({offset}); marked "
                "punches in {days} days: {count}."
            )
            fix = N_("Give each machine a name of its own (site.kiosk), and look at the clock of that one.")
            yield _row("clock", _WARN, detail, fix, **places)
        elif kiosk.offset_s is None:
            detail = N_("The clock of {kiosk} was not to be trusted; marked punches in {days} days: {count}.")
            yield _row("clock", _WARN, detail, fix, **places)
        else:
            detail = N_("The clock of {kiosk} was {seconds} s off at last; marked punches in {days} days: {count}.")
            yield _row("clock", _WARN, detail, fix, seconds=f"{kiosk.offset_s:+.0f}", **places)


def tell_zone_once(services: Services) -> None:
    """Remark before the first enrolment what is odd about the zone: all days are judged by it. Raises DatabaseError."""
    with services.database.read() as session:
        if employee_rows.count(session):
            return
    for row in check_zone(services):
        if row.level is not _OK:
            for message in (row.detail, row.fix):
                services.remark(message, **dict(row.params))


def check_zone(services: Services) -> Iterator[Check]:
    """Which zone the site has and why, and whether this machine's is another one."""
    zone, origin = services.settings.site.zone, services.loaded.origins.get("site.zone", "default")
    here = machine_zone()
    told = _ORIGINS.get(origin, origin)
    if here in UTC_NAMES and origin == FIRST_START:
        told = N_("taken where this machine is set to UTC; site.zone changes it")
    yield _row("zone", _OK, N_("{zone} ({origin})"), zone=zone, origin=told)
    if same_time(zone, here):
        return
    if here in UTC_NAMES:
        # Servers and containers are; where somebody has chosen the zone, nothing is to be said.
        if origin in _ORIGINS:
            detail = N_("This machine is set to UTC, which is no site's time: {zone} was taken, not asked for.")
            yield _row("zone", _WARN, detail, _SET_ZONE, zone=zone)
        return
    detail = N_("The site's time is that of {zone}, this machine's that of {here}: lateness is judged by the site's.")
    fix = N_("Set site.zone, or the machine's zone (on Linux: timedatectl set-timezone {zone}).")
    yield _row("zone", _WARN, detail, fix, zone=zone, here=here)


def name_punches(ahead: Sequence[FuturePunch], zone: tzinfo) -> str:
    """Name punches by code and time of the site, the first few of them, and how many more there are."""
    named = ", ".join(f"{one.code} {one.at.astimezone(zone):%Y-%m-%d %H:%M}" for one in ahead[:_SHOWN])
    more = len(ahead) - _SHOWN
    return f"{named} … (+{more})" if more > 0 else named


def _clock_row(services: Services, facts: ClockFacts) -> Check:
    zone = services.site_zone
    places = {
        "now": f"{facts.machine.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "known": f"{facts.known.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "least": f"{facts.least.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "seconds": f"{facts.offset_s or 0.0:+.1f}",
        "tolerance": f"{facts.tolerance_s:.0f}",
    }
    level = _OK if facts.right else _WARN
    detail, fix = _CLOCKS[facts.state]
    return _row("clock", level, detail, fix, **places)


def _row(check: str, level: CheckLevel, detail: str, fix: str = "", **params: object) -> Check:
    # Texts of the catalogue stay what they are, to be translated where they are shown.
    places = ((name, value if isinstance(value, str) else str(value)) for name, value in params.items())
    return Check(check, level, detail, fix, tuple(places))


_SET_ZONE: Final = N_("Set site.zone to the site's: Asia/Jakarta, Asia/Makassar or Asia/Jayapura.")
_ORIGINS: Final = {
    "default": N_("WIB, as before there was a choice; site.zone changes it"),
    FIRST_START: N_("as this machine had it at the first start; site.zone changes it"),
}
_CLOCKS: Final = {
    ClockState.CONFIRMED: (N_("{now}, {seconds} s off the database server's clock."), ""),
    ClockState.OFF: (
        N_("{now}, {seconds} s off the database server's clock: punches of this machine are marked, with the server's "
           "time (allowed: {tolerance} s)."),
        N_("Set it right (on Linux: timedatectl set-ntp true); it is then trusted by itself."),
    ),
    ClockState.UNCONFIRMED: (N_("{now}; no server tells the time, nothing speaks against it."), ""),
    ClockState.DOUBTED: (
        N_("{now}; the latest trusted time is {known}, by which it is {least} or later now: punches of this machine "
           "are marked as doubtful."),
        N_("Set the clock; if it is right, say so: smartabsen clock accept --reason TEXT"),
    ),
}  # fmt: skip
