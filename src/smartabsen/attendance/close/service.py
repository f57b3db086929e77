"""Closes months: what stands in the way, what is frozen, what came later, and who may open one again."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from ...kernel.errors import ConflictError, InvalidInputError, NotFoundError
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...store.database import Session
from ...trust.work import Units, Work
from ..leave.model import LeaveSum
from ..policy.service import Policies
from ..results.model import StoredDay
from ..results.reading import stored_days
from ..results.service import Results
from ..rules.exceptions import DayException, Severity, exceptions_of, exceptions_of_week
from ..rules.model import DayResult
from ..rules.overtime import round_half_up
from ..rules.week import monday_of
from . import rows
from .checking import problems_of
from .freezing import VERSION, canonical, difference, digest, frozen_day, frozen_recap, same_for_payroll, thawed
from .model import Adjustment, Found, Month, Period, PeriodCheck, PeriodProblem, Reopening
from .pay import PayBook, WagesOf
from .recap import NO_LEAVE, OvertimeSum, PayOf, overtime_of, recap
from .vault import PeriodVault

LOOKED_BACK: Final = 12
"""Closed periods that are judged again for adjustments; what changes in older ones is not found."""
_ALL: Final = 10_000_000
_REASON_LENGTH: Final = 500
_SEVERITIES: Final = {each: number for number, each in enumerate(reversed(Severity))}
LeaveOf = Callable[[Session, date, date], Mapping[int, LeaveSum]]
Key = tuple[int, date]


@dataclass(frozen=True, slots=True)
class _Change:
    """A day of a closed period that is another one now.

    Attributes:
        now: None where the day has no result.
    """

    employee_id: int
    month: Month
    day: date
    before: Mapping[str, Any]
    now: DayResult | None


class Periods:
    """The months of one installation.

    Args:
        units: Of its database.
        results: Judges days again.
        policies: What the firm decides.
        vault: Seals what is frozen.
        today: Returns the date that it is now at the first site.
        leave: What everybody took in a range, and has left.
        wages: Opens wages.
    """

    def __init__(
        self,
        units: Units,
        results: Results,
        policies: Policies,
        vault: PeriodVault,
        *,
        today: Callable[[], date],
        leave: LeaveOf,
        wages: WagesOf,
    ) -> None:
        self._units = units
        self._results = results
        self._policies = policies
        self._vault = vault
        self._today = today
        self._leave = leave
        self._wages = wages

    # --- asking ---------------------------------------------------------------------------------------------

    def list(self) -> tuple[Period, ...]:
        """Return every month that was closed at some time, the newest first."""
        with self._units.read() as session:
            return rows.all_periods(session)

    def get(self, month: Month) -> Period:
        """Return a closed period. Raises NotFoundError."""
        with self._units.read() as session:
            return self._closed(session, month)

    def check(self, month: Month) -> PeriodCheck:
        """Return what stands in the way of closing a month, or what of a closed one is not as it was closed.

        Days are judged again first where the month is open, as “day recompute” does.
        """
        with self._units.read() as session:
            period = rows.find(session, month)
        if period is not None and period.is_closed:
            return self._check_closed(period)
        self._results.recompute(month.first, month.last)
        later = self._judged_closed(month)
        with self._units.read(long=True) as session:
            return self._check_open(session, month, period, self._changes(session, month, later))

    def verify(self) -> tuple[PeriodProblem, ...]:
        """Return what of all closed periods is not as it was closed."""
        with self._units.read(long=True) as session:
            return tuple(
                problem for each in rows.closed(session) for problem in problems_of(session, each, self._vault)
            )

    # --- changing -------------------------------------------------------------------------------------------

    def close(self, month: Month) -> Period:
        """Freeze the results of a month, their rulesets and the adjustments of earlier ones.

        Raises:
            ConflictError: It is closed already, is not over, or something critical is open; “period check” names it.
            KeyMissingError: There is no key to seal it with.
        """
        self._require_over(month)
        with self._units.read() as session:
            self._require_open(session, month)
        self._vault.prepare()
        self._results.recompute(month.first, month.last)
        later = self._judged_closed(month)

        def job(work: Work) -> Period:
            rows.lock_everybody(work.session)
            self._require_open(work.session, month)
            changes = self._changes(work.session, month, later)
            found = self._check_open(work.session, month, None, changes)
            if not found.can_close:
                raise ConflictError(
                    N_("{month} cannot be closed: {count} things are open."),
                    hint=N_("“smartabsen period check {month}” names them."),
                    month=month,
                    count=len(found.blocking) + len(found.unfinished) + len(found.unpayable),
                )
            return self._freeze(work, month, changes, found.adjustments)

        return self._units.write(job)

    def ask_to_reopen(self, month: Month, *, reason: str) -> Reopening:
        """Ask that a closed month is opened again; somebody else confirms it.

        Raises:
            NotFoundError: It is not closed.
            ConflictError: A later month is closed, which may carry its adjustments.
            InvalidInputError: There is no reason.
        """
        why = checked_text(reason, field=N_("reason"), limit=_REASON_LENGTH)
        if not why:
            raise InvalidInputError(N_("A closed period is opened again for a reason: give it."))

        def job(work: Work) -> Reopening:
            period = self._reopenable(work.session, month)
            wish = rows.ask(work.session, period.id, reason=why, by=work.actor, at=work.now)
            work.record("period.ask_reopen", subject=str(month), details={"request": str(wish), "reason": why})
            return Reopening(wish, month, period.id, why, work.actor, work.now)

        return self._units.write(job)

    def reopen(self, wish_id: int, *, month: Month | None = None) -> Reopening:
        """Confirm a wish: the month is open again, and its days are judged anew.

        Args:
            month: That it must be about.

        Raises:
            NotFoundError: There is no such wish, or the month is not closed any more.
            ConflictError: Whoever asked confirms, or it is confirmed already.
        """

        def job(work: Work) -> Reopening:
            wish = rows.find_wish(work.session, wish_id)
            if wish is None or (month is not None and wish.month != month):
                raise NotFoundError(N_("There is no request to open a period with the number {id}."), id=wish_id)
            if wish.confirmed_by:
                raise ConflictError(N_("The request {id} is confirmed already."), id=wish_id)
            if wish.asked_by == work.actor:
                raise ConflictError(N_("You asked for it yourself: another person must confirm."))
            period = self._reopenable(work.session, wish.month)
            if period.id != wish.period_id:
                raise NotFoundError(N_("There is no request to open a period with the number {id}."), id=wish_id)
            rows.lock_everybody(work.session)
            rows.confirm(work.session, wish_id, by=work.actor, at=work.now)
            rows.open_again(work.session, period.id)
            details = {"request": str(wish_id), "asked_by": wish.asked_by, "reason": wish.reason}
            work.record("period.reopen", subject=str(wish.month), details=details)
            return Reopening(wish.id, wish.month, wish.period_id, wish.reason, wish.asked_by, wish.asked_at, work.actor)

        done = self._units.write(job)
        self._results.recompute(done.month.first, done.month.last)
        return done

    # --- inside ---------------------------------------------------------------------------------------------

    @staticmethod
    def _closed(session: Session, month: Month) -> Period:
        period = rows.find(session, month)
        if period is None or not period.is_closed:
            raise NotFoundError(N_("{month} is not closed."), month=month)
        return period

    def _reopenable(self, session: Session, month: Month) -> Period:
        period = self._closed(session, month)
        later = [each.month for each in rows.closed(session) if each.month > month]
        if later:
            raise ConflictError(
                N_("{later} is closed after {month} and may carry its adjustments: open that one first."),
                later=max(later),
                month=month,
            )
        return period

    def _require_over(self, month: Month) -> None:
        if not self._is_over(month):
            raise ConflictError(N_("{month} is not over yet."), month=month)

    def _is_over(self, month: Month) -> bool:
        return month.last < self._today()

    @staticmethod
    def _require_open(session: Session, month: Month) -> None:
        period = rows.find(session, month)
        if period is not None and period.is_closed:
            raise ConflictError(
                N_("{month} is closed already."), hint=N_("What changed later goes into the next one."), month=month
            )

    def _judged_closed(self, before: Month) -> Mapping[Key, DayResult]:
        """Return the days of earlier closed periods that would be judged otherwise now."""
        with self._units.read() as session:
            months = sorted(each.month for each in rows.closed(session) if each.month < before)[-LOOKED_BACK:]
        found: dict[Key, DayResult] = {}
        for month in months:
            again = self._results.recompute(month.first, month.last, dry_run=True, most_differences=_ALL)
            found |= {(each.employee_id, each.work_date): each.after for each in again.differences}
        return found

    def _changes(self, session: Session, before: Month, now: Mapping[Key, DayResult]) -> tuple[_Change, ...]:
        """Return what differs from what was last paid, in order of date and person."""
        closed = rows.closed(session)
        earlier = {each.month for each in closed if each.month < before}
        paid: dict[Key, Mapping[str, Any]] = {}
        touched: set[Key] = set(now)
        people = {employee_id for employee_id, _ in now}
        for period in closed:
            carries = bool(_summary(period).get("adjustments"))
            if period.month not in earlier and not carries:
                continue
            for part in rows.parts(session, period.id, employee_ids=None if carries else people):
                assert part.employee_id is not None
                content = json.loads(self._vault.open(period.id, part))
                if period.month in earlier:
                    for day in content["days"]:
                        paid[part.employee_id, date.fromisoformat(day["date"])] = day
                for adjusted in content["adjustments"]:
                    key = part.employee_id, date.fromisoformat(adjusted["date"])
                    paid[key] = adjusted["after"]
                    touched.add(key)
        months = sorted(earlier)
        stored = stored_days(session, months[0].first, months[-1].last) if touched and months else {}
        found: list[_Change] = []
        for key in sorted(touched, key=lambda each: (each[1], each[0])):
            employee_id, day = key
            result = now[key] if key in now else stored[key].result if key in stored else None
            was = paid.get(key, {})
            is_now = frozen_day(result) if result is not None else {}
            if Month.of(day) in earlier and not same_for_payroll(was, is_now):
                found.append(_Change(employee_id, Month.of(day), day, was, result))
        return tuple(found)

    def _check_closed(self, period: Period) -> PeriodCheck:
        with self._units.read(long=True) as session:
            problems = problems_of(session, period, self._vault)
            summary = _summary(period)
        people = summary.get("people", [])
        return PeriodCheck(
            period.month, period, True, len(people), int(summary.get("days", 0)), (), (), (), (), problems
        )

    def _check_open(
        self, session: Session, month: Month, period: Period | None, changes: Sequence[_Change]
    ) -> PeriodCheck:
        begin = monday_of(month.first)
        stored = stored_days(session, begin, month.last)
        people = rows.people(session)
        ids = {employee_id for employee_id, _ in stored} | {each.employee_id for each in changes}
        book = PayBook(session, self._policies, None, ids, begin, month.last)
        by_person: dict[int, list[StoredDay]] = defaultdict(list)
        for (employee_id, _day), each in stored.items():
            by_person[employee_id].append(each)
        found: list[Found] = []
        unfinished: list[tuple[str, date]] = []
        unpayable: list[tuple[str, date]] = []
        for employee_id, days in by_person.items():
            code, name, _uuid = people[employee_id]
            own = [each.result for each in days if each.result.work_date >= month.first]
            found += [Found(code, name, each, each.severity is Severity.CRITICAL) for each in
                      self._exceptions(book, employee_id, days, month)]  # fmt: skip
            unfinished += [(code, each.work_date) for each in own if not each.is_final]
            unpayable += [(code, day) for day in overtime_of(own, book.pay(employee_id)).unpayable]
        found.sort(key=lambda each: (_SEVERITIES[each.exception.severity], each.exception.work_date, each.code))
        in_month = [key for key in stored if key[1] >= month.first]
        return PeriodCheck(
            month,
            period,
            self._is_over(month),
            len({employee_id for employee_id, _ in in_month}),
            len(in_month),
            tuple(sorted(unfinished)),
            tuple(sorted(unpayable)),
            tuple(found),
            tuple(_adjustment(each, people[each.employee_id]) for each in changes),
        )

    def _exceptions(
        self, book: PayBook, employee_id: int, days: Sequence[StoredDay], month: Month
    ) -> Iterator[DayException]:
        today = self._today()
        weeks: dict[date, list[DayResult]] = defaultdict(list)
        for each in sorted(days, key=lambda stored: stored.result.work_date):
            result = each.result
            weeks[monday_of(result.work_date)].append(result)
            if result.work_date >= month.first:
                day = result.work_date
                exempt = bool(book.employment(employee_id, day).exempt)
                policy = book.exception_policy(employee_id, day)
                yield from exceptions_of(result, today=today, policy=policy, is_exempt=exempt)
        for monday, results in weeks.items():
            # A week belongs to the month that it ends in: it is whole then.
            if monday + timedelta(days=6) <= month.last:
                exempt = bool(book.employment(employee_id, monday).exempt)
                policy = book.exception_policy(employee_id, monday)
                yield from exceptions_of_week(results, today=today, policy=policy, is_exempt=exempt)

    def _freeze(
        self, work: Work, month: Month, changes: Sequence[_Change], adjustments: Sequence[Adjustment]
    ) -> Period:
        session = work.session
        stored = stored_days(session, month.first, month.last)
        people = rows.people(session)
        by_person: dict[int, list[StoredDay]] = defaultdict(list)
        for (employee_id, _day), each in stored.items():
            by_person[employee_id].append(each)
        changed: dict[int, list[tuple[_Change, Adjustment]]] = defaultdict(list)
        for change, adjustment in zip(changes, adjustments, strict=True):
            changed[change.employee_id].append((change, adjustment))
        ids = sorted({*by_person, *changed})
        begin = min([month.first, *(each.day for each in changes)])
        book = PayBook(session, self._policies, self._wages, ids, begin, month.last)
        if book.has_wages:
            details = {"on": str(month.last), "reason": f"period {month}", "people": str(len(ids))}
            work.record("wage.read_all", details=details)
        leave = self._leave(session, month.first, month.last)
        rulesets = tuple(sorted({each.result.ruleset for each in stored.values()}))
        period_id = rows.add(session, month, by=work.actor, at=work.now, rulesets=rulesets)
        totals: Counter[str] = Counter()
        digests: dict[str, str] = {}
        for employee_id in ids:
            part = _part(book, employee_id, people[employee_id], by_person[employee_id], changed[employee_id],
                         leave.get(employee_id, NO_LEAVE), month)  # fmt: skip
            uuid = people[employee_id][2]
            totals.update(part["recap"]["minutes"])
            digests[uuid] = self._vault.put(session, period_id, uuid, canonical(part), employee_id=employee_id)
        summary = canonical(
            {
                "version": VERSION,
                "month": str(month),
                "closing": period_id,
                "rulesets": rulesets,
                "people": sorted(digests.items()),
                "days": len(stored),
                "adjustments": len(changes),
                "minutes": dict(totals),
            }
        )
        sealed_hash = digest(summary)
        rows.finish(session, period_id, summary=summary.decode(), digest=sealed_hash)
        details = {
            "closing": str(period_id),
            "hash": sealed_hash,
            "people": str(len(ids)),
            "days": str(len(stored)),
            "adjustments": str(len(changes)),
            "rulesets": " ".join(rulesets),
        }
        work.record("period.close", subject=str(month), details=details)
        return Period(period_id, month, True, work.actor, work.now, sealed_hash, rulesets, summary.decode())


def _summary(period: Period) -> Mapping[str, Any]:
    try:
        found = json.loads(period.summary)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _adjustment(change: _Change, person: tuple[str, str, str]) -> Adjustment:
    after = frozen_day(change.now) if change.now is not None else {}
    code, name, _uuid = person
    return Adjustment(code, name, change.month, change.day, change.before, after, difference(change.before, after))


def _part(
    book: PayBook,
    employee_id: int,
    person: tuple[str, str, str],
    days: Sequence[StoredDay],
    changed: Sequence[tuple[_Change, Adjustment]],
    leave: LeaveSum,
    month: Month,
) -> dict[str, Any]:
    """Return what is frozen of one person."""
    code, name, _uuid = person
    pay = book.pay(employee_id)
    own = sorted(days, key=lambda each: each.result.work_date)
    holds = book.employment(employee_id, month.last)

    def frozen(result: DayResult, revision: int) -> dict[str, Any]:
        on = book.employment(employee_id, result.work_date)
        return frozen_day(
            result, revision=revision, zone=on.zone or "Asia/Jakarta", site=on.site, department=on.department
        )

    return {
        "code": code,
        "name": name,
        "site": holds.site,
        "department": holds.department,
        "days": [frozen(each.result, each.revision) for each in own],
        "recap": frozen_recap(recap((each.result for each in own), pay, leave=leave)),
        "adjustments": [
            {
                "month": str(change.month),
                "date": change.day.isoformat(),
                "before": change.before,
                "after": frozen(change.now, 0) if change.now is not None else {},
                "minutes": adjustment.minutes,
                "amount": _amount(change, pay),
            }
            for change, adjustment in changed
        ],
    }


def _amount(change: _Change, pay: PayOf) -> int | None:
    """Return what the overtime of a day is worth more now than it was, in whole rupiah; None without a wage."""
    before = overtime_of((thawed(change.before),), pay) if change.before else OvertimeSum()
    after = overtime_of((change.now,), pay) if change.now is not None else OvertimeSum()
    if before.exact is None or after.exact is None:
        return None
    return round_half_up(after.exact - before.exact)
