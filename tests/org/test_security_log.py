"""What the security log says, and what it never does: fail, wait, fill the disk, begin a line of somebody else's."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smartabsen import SmartAbsen
from smartabsen.config import load_settings
from smartabsen.kernel.actors import coming_from
from smartabsen.kernel.domain import SecurityKind
from smartabsen.kernel.errors import InvalidInputError
from smartabsen.org import security_log
from smartabsen.org.security_log import EventFilter, SecurityLog, read_event, read_since
from smartabsen.org.security_log_file import SecurityFiles
from smartabsen.org.security_settings import note_settings


class Clock:
    """Seconds that stand still until a test moves them."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> SecurityLog:
    """A log in a directory of its own."""
    return SecurityLog(SecurityFiles(tmp_path / "logs", keep_days=0), clock=clock)


def counts(log: SecurityLog) -> list[int]:
    return [event.count for event in log.events()]


def test_an_event_has_time_address_kind_and_reason(log: SecurityLog) -> None:
    """The address is that of the request which is answered."""
    with coming_from("192.0.2.7"):
        log.note(SecurityKind.LOGIN_REFUSED, actor="siti", reason="locked")
    (event,) = log.events()
    assert (event.kind, event.address, event.actor, event.reason) == ("login.refused", "192.0.2.7", "siti", "locked")
    assert abs((datetime.now(UTC) - event.at).total_seconds()) < 60


def test_alike_events_become_few_lines_whose_counts_add_up(log: SecurityLog, clock: Clock) -> None:
    """The first at once, then at every ten times as many, the rest when the minute is over."""
    for _ in range(1_234):
        log.note(SecurityKind.CSRF_REFUSED, reason="csrf", address="192.0.2.7")
    assert counts(log) == [1, 9, 90, 900]
    clock.now += security_log.WINDOW_S
    log.tick()
    assert counts(log) == [1, 9, 90, 900, 234]


def test_many_addresses_fill_no_disk_and_count_all_the_same(log: SecurityLog) -> None:
    """Of lines that strangers can cause there are so many; what is above is counted together."""
    for number in range(5_000):
        log.note(SecurityKind.ACCESS_DENIED, reason="forbidden", address=f"2001:db8::{number:x}")
    log.close()
    assert sum(counts(log)) == 5_000
    assert len(counts(log)) <= security_log.PER_WINDOW + 10
    assert {event.address for event in log.events()} >= {"*", "2001:db8::1"}


def test_a_flood_hides_no_login(log: SecurityLog) -> None:
    """What only people with a password can cause is always written, one line each."""
    for number in range(500):
        log.note(SecurityKind.ACCESS_DENIED, reason="forbidden", address=f"10.0.{number // 256}.{number % 256}")
    for _ in range(3):
        log.note(SecurityKind.LOGIN, actor="siti", address="192.0.2.7")
    assert [event.count for event in log.events(EventFilter(kind="login"))] == [1, 1, 1]


def test_nothing_that_is_written_begins_a_line_or_moves_a_cursor(log: SecurityLog, tmp_path: Path) -> None:
    """The file is ASCII without control characters, whatever a name holds."""
    evil = 'x"}\n{"at": "2020-01-01T00:00:00+00:00", "kind": "login.ok"}\r\x1b[2J\x7f\u202e\u2028'
    log.note(SecurityKind.LOGIN, actor=evil, address="192.0.2.7")
    written = (tmp_path / "logs" / "security.log").read_bytes()
    assert written.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in written.rstrip(b"\n"))
    (event,) = log.events()
    assert (event.kind, event.actor, event.at.year) == ("login.ok", evil, datetime.now(UTC).year)


def test_a_full_disk_costs_lines_and_no_answer(
    log: SecurityLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, and the next line that can be written says how many are missing."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    for _ in range(3):
        log.note(SecurityKind.LOGIN, actor="siti")
    assert len(caplog.records) == 1
    monkeypatch.setattr(os, "write", write)
    log.note(SecurityKind.LOGIN, actor="budi")
    assert [(event.actor, event.more) for event in log.events()] == [("budi", {"lost": "3"})]


def test_a_line_after_one_that_was_cut_off_is_found(log: SecurityLog, tmp_path: Path) -> None:
    """A disk that was full for a moment costs the line that was being written, and no other."""
    log.note(SecurityKind.LOGIN, actor="siti")
    path = tmp_path / "logs" / "security.log"
    with path.open("ab") as file:
        file.write(b'{"at": "2026-11-30T16:04:53.948+00:00", "kind": "log')
    log.note(SecurityKind.LOGIN, actor="budi")
    assert [event.actor for event in log.events()] == ["siti", "budi"]


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[" * 100_000, b"null", b"[]", b'{"at": 7}', b"\xff\xfe", b'{"kind": "x"}']
)
def test_what_is_no_event_is_passed_over(line: bytes) -> None:
    """Nothing that lies in the file stops a reader."""
    assert read_event(line) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", datetime(2026, 11, 30, 7, 30, tzinfo=UTC)),
        ("2d", datetime(2026, 11, 28, 8, 0, tzinfo=UTC)),
        ("2026-11-30", datetime(2026, 11, 29, 17, 0, tzinfo=UTC)),
        ("2026-11-30T08:15", datetime(2026, 11, 30, 1, 15, tzinfo=UTC)),
        ("30/11/2026", datetime(2026, 11, 29, 17, 0, tzinfo=UTC)),
        ("30 November 2026 8.15", datetime(2026, 11, 30, 1, 15, tzinfo=UTC)),
        ("30-11-2026 08:15", datetime(2026, 11, 30, 1, 15, tzinfo=UTC)),
        ("", None),
    ],
)
def test_since_is_read_as_people_write_it(text: str, expected: datetime | None) -> None:
    """A date is one of the site."""
    now = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    assert read_since(text, ZoneInfo("Asia/Jakarta"), now=now) == expected


@pytest.mark.parametrize(
    "text", ["gestern", "99999999d", "999999d", "2026-13-01", "31/11/2026", "30/11/2026 25.00", "-5m"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """With a sentence, whatever the number."""
    with pytest.raises(InvalidInputError):
        read_since(text, ZoneInfo("Asia/Jakarta"), now=datetime(2026, 11, 30, tzinfo=UTC))


def test_a_start_of_the_server_tells_which_protections_changed_and_no_secret(tmp_path: Path) -> None:
    """By name with both values; the first start has nothing to compare with."""

    def start(**flags: Any) -> dict[str, str]:
        loaded = load_settings({"home": tmp_path, "server.secret_key": "s3cret" * 8, **flags}, environ={})
        return dict(note_settings(tmp_path / "logs", loaded))

    assert start() == {}
    assert start(**{"signin.phone": "paired", "site.name": "Toko"}) == {"signin.phone": "any -> paired"}
    assert start(**{"signin.phone": "paired"}) == {}
    assert "s3cret" not in (tmp_path / "logs" / "settings.json").read_text()


def test_the_purge_deletes_old_security_logs(tmp_path: Path, clock: Clock) -> None:
    """By privacy.security_log_days, and says how many."""
    with SmartAbsen.open(flags={"home": str(tmp_path), "privacy.security_log_days": 7}) as app:
        app.security.note(SecurityKind.LOGIN, actor="siti")
        old = datetime.now(UTC).timestamp() - 8 * 86_400
        os.utime(tmp_path / "logs" / "security.log", (old, old))
        assert app.privacy.purge(dry_run=True).security_logs == 1
        assert app.privacy.purge(dry_run=False).security_logs == 1
        assert list(app.security.events()) == []


@pytest.mark.parametrize("kind", list(SecurityKind))
def test_each_kind_can_be_read_back(kind: SecurityKind, log: SecurityLog) -> None:
    """And every line is one JSON object with the same names."""
    log.note(kind, reason="x", place="p", address="192.0.2.1", more="m")
    (event,) = log.events()
    assert event.kind == kind
    line = json.loads(security_log.write_event(event))
    assert list(line) == ["at", "kind", "address", "reason", "place", "more", "count"]
