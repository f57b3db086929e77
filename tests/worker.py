"""One of several processes that work on the same store at the same moment.

Usage: worker.py NUMBER TASK ARGUMENT...; says that it is ready, waits for a line of input, and prints a line of words
for each thing it did.
"""

from __future__ import annotations

import sys
import time as clock
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from smartabsen.attendance import recording_rows
from smartabsen.attendance.csv_log import CsvLog
from smartabsen.attendance.punch_rows import LoggedPunch
from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Kept, Punch, PunchMethod, SignInState, Status, StoredSignIn
from smartabsen.org.rate_limit_rows import RateLimitTable
from smartabsen.qr import phone_rows, pin_rows
from smartabsen.qr.sign_in_rows import SignInTable
from smartabsen.store import meta, schema
from smartabsen.store.database import Database, Timeouts

BEGIN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def punch(number: int, *, key: str, employee_id: int, at: datetime) -> Punch:
    return Punch(0, employee_id, at, at.date(), PunchMethod.MANUAL, f"kiosk-{number}", key)


def rules(cooldown_s: int) -> Rules:
    return Rules(time(8, 0), 0, "Asia/Jakarta", time(4, 0), cooldown_s, 60)


def same_person(number: int, url: str) -> None:
    """Try five times to punch the same employee, a few milliseconds apart, each time with a key of its own."""
    database = Database(url)
    for step in range(5):
        at = BEGIN + timedelta(milliseconds=10 * step + number)
        one = punch(number, key=f"{number}-{step}", employee_id=1, at=at)
        print(database.run_write(lambda session, one=one: recording_rows.record(session, one, rules(60))).new)


def same_key(number: int, url: str) -> None:
    """Try to store one attempt, as its repetitions after lost answers would."""
    one = punch(number, key="attempt-1", employee_id=1, at=BEGIN + timedelta(seconds=number))
    print(Database(url).run_write(lambda session: recording_rows.record(session, one, rules(0))).punch.id)


def many_punches(number: int, url: str, count: str) -> None:
    """Punch for a person of one's own and for one whom all others punch, too."""
    # Patient: how long a turn takes on a busy machine is not what is tested.
    database = Database(url, timeouts=Timeouts(answer_s=90.0, busy_s=60.0))
    for step in range(int(count)):
        employee_id = 1 if step % 2 else number + 1
        at = BEGIN + timedelta(seconds=step, milliseconds=number)
        one = punch(number, key=f"{number}-{step}", employee_id=employee_id, at=at)
        began = clock.monotonic()
        done = database.run_write(lambda session, one=one: recording_rows.record(session, one, rules(0)))
        print(done.new, f"{clock.monotonic() - began:.3f}")


def claim(number: int, url: str) -> None:
    """Try to be the one who fixes a fact."""
    print(Database(url).run_write(lambda s: meta.compare_and_set(s, "first", expected=None, value=str(number))))


def first_open(number: int, url: str) -> None:
    """Open an empty database."""
    database = Database(url)
    with database.read() as session:
        meta.find(session, "anything")
    print(schema.schema_status(database).state)


def append_lines(number: int, directory: str, count: str) -> None:
    """Append lines to the attendance log, each twice."""
    log = CsvLog(Path(directory), zone="Asia/Jakarta")
    for step in range(int(count)):
        one = Punch(
            number * 1000 + step + 1, 1, BEGIN, BEGIN.date(), PunchMethod.FACE, "k", "key", status=Status.PRESENT
        )
        print(log.append(LoggedPunch(one, "E001", "Siti")), log.append(LoggedPunch(one, "E001", "Siti")))


def sign_in(number: int, url: str, count: str) -> None:
    """Confirm each token, then collect it for its browser, as all others do."""
    table, now = SignInTable(Database(url)), datetime.now(UTC)
    for step in range(int(count)):
        until = now + timedelta(minutes=2)
        confirmed = table.settle(f"t{step}", SignInState.VERIFIED, now=now, expires_at=until, phone=None)
        print("confirm", f"t{step}", confirmed)
        print("collect", f"t{step}", table.collect(f"st{step}", now=now) is not None)


def ask(number: int, url: str, count: str) -> None:
    """Ask for the same browser again and again."""
    table, now = SignInTable(Database(url)), datetime.now(UTC)
    for step in range(int(count)):
        name, done = f"{number}-{step}", False
        while not done:
            kept = table.add(StoredSignIn(name, f"c{name}", "browser", 42, "k", "", now, now + timedelta(minutes=10)))
            done = kept is Kept.YES
        print(done)


def crowd(number: int, url: str, count: str, *places: str) -> None:
    """Ask for ever new browsers at one address, and tell how many were there after each."""
    table, now = SignInTable(Database(url)), datetime.now(UTC)
    for step in range(int(count)):
        name = f"{number}-{step}"
        one = StoredSignIn(name, f"c{name}", f"s{name}", 42, "k", "", now, now + timedelta(minutes=10))
        print(table.add(one, places=places).value, len(table.find_holders(places)))


def pair(number: int, url: str) -> None:
    """Try to use up the one invitation."""
    now = datetime.now(UTC)
    paired = Database(url).run_write(lambda s: phone_rows.accept(s, "t", credential=str(number), label="", now=now))
    print(paired is not None)


def pin(number: int, url: str, count: str) -> None:
    """Try the same PIN several times."""
    database, now = Database(url), datetime.now(UTC)
    for _ in range(int(count)):
        print(database.run_write(lambda session: pin_rows.begin_try(session, 1, key_id="k", now=now)).verdict)


def rate_limit(number: int, url: str, limit: str, count: str) -> None:
    """Try what all others try, too."""
    table = RateLimitTable(Database(url))
    for _ in range(int(count)):
        print(table.hit("the same", limit=int(limit), per_s=600))


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    {
        "same-person": same_person,
        "same-key": same_key,
        "many-punches": many_punches,
        "claim": claim,
        "first-open": first_open,
        "append-lines": append_lines,
        "sign-in": sign_in,
        "ask": ask,
        "crowd": crowd,
        "pair": pair,
        "pin": pin,
        "rate-limit": rate_limit,
    }[sys.argv[2]](int(sys.argv[1]), *sys.argv[3:])
