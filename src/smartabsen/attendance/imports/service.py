"""Takes punches of other devices in: each line once, never in the future, in the local time of the person's site."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ...kernel.domain import Punch, PunchMethod, Status
from ...people.employment.rules import History
from ...people.employment.service import histories
from ...store.database import Session
from ...trust.work import Units, Work
from .. import punch_rows
from ..results.model import Source
from ..results.service import Results
from . import rows
from .model import TAKEN, ImportedPunches, LineVerdict, PunchLine, Verdict
from .reading import read_punches

_BATCH: Final = 500
"""Lines of one transaction: others write in between."""
_NAME_LENGTH: Final = 80
_ONE: Final = timedelta(days=1)


class PunchImport:
    """Imports punches of one installation.

    Args:
        units: Of its database.
        results: Judges the days again that get a punch.
        closed: Says which days lie in a closed month.
        home_zone: IANA name of the zone of whoever has no site.
        now: The time (aware).
    """

    def __init__(
        self, units: Units, results: Results, closed: Source[bool], *, home_zone: str, now: Callable[[], datetime]
    ) -> None:
        self._units = units
        self._results = results
        self._closed = closed
        self._home_zone = home_zone
        self._now = now

    def take(self, path: Path, *, device: str = "", dry_run: bool = False) -> ImportedPunches:
        """Take the punches of a file in; a second run takes none of them again.

        Lines are stored in groups, each in a transaction of its own: what was cut off is completed by another run.

        Args:
            device: What the lines come from, where the file does not say.
            dry_run: Only say what would become of each line.

        Raises:
            NotFoundError: There is no such file.
            InvalidInputError: It is no file of punches.
        """
        lines = read_punches(path)
        verdicts: list[LineVerdict] = []
        seen: set[str] = set()
        while group := tuple(islice(lines, _BATCH)):
            if dry_run:
                with self._units.read() as session:
                    found = [verdict for verdict, _punch in self._judge(session, group, device, seen)]
            else:
                found = self._units.write(partial(self._store, group=group, device=device, seen=seen, name=path.name))
            if dry_run:
                # The database knows what was stored; only a dry run must remember it.
                seen |= {_key(each.line, device) for each in found if each.verdict in TAKEN}
            verdicts += found
        counts = Counter(each.verdict for each in verdicts)
        unknown = Counter(each.line.pin for each in verdicts if each.verdict is Verdict.UNKNOWN_PIN)
        return ImportedPunches(dict(counts), dict(sorted(unknown.items())), tuple(verdicts), dry_run)

    def _store(
        self, job: Work, group: Sequence[PunchLine], device: str, seen: set[str], name: str
    ) -> list[LineVerdict]:
        found = list(self._judge(job.session, group, device, seen))
        dates: dict[int, set[date]] = defaultdict(set)
        for _verdict, punch in found:
            if punch is not None:
                # What the person is told is what the day says; nobody is told anything here.
                punch_rows.insert(job.session, punch, Status.PRESENT)
                dates[punch.employee_id] |= {punch.work_date - _ONE, punch.work_date, punch.work_date + _ONE}
        today = self._now().date()
        for employee_id, days in sorted(dates.items()):
            for first, last in _runs(days):
                self._results.renew(job, (employee_id,), first, min(last, max(first, today)))
        taken = sum(punch is not None for _verdict, punch in found)
        if taken:
            details = {"file": name[-_NAME_LENGTH:], "lines": str(len(group)), "punches": str(taken)}
            job.record("punches.import", details=details)
        return [verdict for verdict, _punch in found]

    def _judge(
        self, session: Session, group: Sequence[PunchLine], device: str, seen: set[str]
    ) -> Iterator[tuple[LineVerdict, Punch | None]]:
        known = rows.known_keys(session, [_key(each, device) for each in group])
        codes = rows.codes(session)
        people = {codes[each.pin.casefold()][0] for each in group if each.pin.casefold() in codes}
        terms = histories(session, people)
        walls = [each.at.date() for each in group if each.at is not None]
        is_closed = self._closed(session, people, min(walls), max(walls)) if walls else lambda _id, _day: False
        now, here = self._now(), set[str]()
        for line in group:
            person = codes.get(line.pin.casefold())
            key = _key(line, device)
            if line.at is None or not line.pin:
                yield LineVerdict(line, Verdict.UNREADABLE), None
                continue
            if person is None:
                yield LineVerdict(line, Verdict.UNKNOWN_PIN), None
                continue
            employee_id, code = person
            at = line.at.replace(tzinfo=self._zone(terms[employee_id], line.at.date())).astimezone(UTC)
            if at > now:
                yield LineVerdict(line, Verdict.FUTURE, code), None
            elif key in known or key in seen or key in here:
                yield LineVerdict(line, Verdict.KNOWN, code), None
            else:
                here.add(key)
                verdict = Verdict.ADJUSTMENT if is_closed(employee_id, line.at.date()) else Verdict.NEW
                made = Punch(
                    id=0,
                    employee_id=employee_id,
                    at=at,
                    work_date=line.at.date(),
                    method=PunchMethod.IMPORT,
                    kiosk=(line.device or device)[:_NAME_LENGTH],
                    key=key,
                )
                yield LineVerdict(line, verdict, code), made

    def _zone(self, history: History, day: date) -> ZoneInfo:
        return ZoneInfo(history.on(day).zone or self._home_zone)


def _key(line: PunchLine, device: str) -> str:
    """Return the key of an attempt: the same device, PIN and time is the same punch."""
    facts = "\0".join((line.device or device, line.pin.casefold(), line.at.isoformat() if line.at else ""))
    return f"import-{hashlib.sha256(facts.encode()).hexdigest()[:48]}"


def _runs(days: set[date]) -> Iterator[tuple[date, date]]:
    """Yield the stretches of days that follow each other."""
    ordered = sorted(days)
    first = last = ordered[0]
    for day in ordered[1:]:
        if day - last > _ONE:
            yield first, last
            first = day
        last = day
    yield first, last
