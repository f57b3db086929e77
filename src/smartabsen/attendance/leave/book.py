"""Leave with requests, approvals and balances: the book that the ledger, the kinds and the requests make up.

The ledger alone says what is left. A request takes its days with its last approval; from the first approval on they
are held for it, so that two requests cannot be approved on the same last day. All that concerns one person is done one
after another: the row of the person is locked first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from ...kernel.domain import Employee
from ...kernel.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError, SmartAbsenError
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...people.directory import get_person, lock_person
from ...store.database import Session
from ...store.files import make_private_directory, write_atomically
from ...trust.work import Units, Work
from ..policy.rulesets import all_rulesets, find_ruleset
from ..policy.service import Policies
from ..rules.model import DayStatus, LeaveOnDay, Portion
from ..rules.ruleset import LeaveKind
from ..standing import Org, Scope, WorkCalendar
from . import book_rows as rows
from .book_rows import NewRequest
from .ledger import carriable, expiring, lacking
from .letters import Letters, check_letter, read_letter
from .model import (
    FULL_DAY,
    BulkLeave,
    Entry,
    LeaveAsk,
    LeaveBalance,
    LeaveRequest,
    LeaveStep,
    LeaveSum,
    LedgerEntry,
    Letter,
    Recounted,
    RequestState,
    days_text,
    total,
)

MAX_DAYS: Final = 366
_NOTE_LENGTH: Final = 500
_LABEL_LENGTH: Final = 100
_CODE_LENGTH: Final = 32
_LEAVE_STATUSES: Final = (DayStatus.LEAVE, DayStatus.EXCUSED, DayStatus.SICK, DayStatus.DUTY)


class LeaveBook:
    """The leave of one installation.

    Args:
        units: Where its work is done.
        policies: What the firm decides: approvals that are needed, notice, days in a row.
        calendar: Which days people work.
        org: Who belongs to a department.
        letters: Seals attachments.
        today: The date at the site.
    """

    def __init__(
        self,
        units: Units,
        *,
        policies: Policies,
        calendar: WorkCalendar,
        org: Org,
        letters: Letters,
        today: Callable[[], date],
    ) -> None:
        self._units = units
        self._policies = policies
        self._calendar = calendar
        self._org = org
        self._letters = letters
        self._today = today

    # --- kinds ---------------------------------------------------------------------------------------------

    def kinds(self) -> tuple[LeaveKind, ...]:
        """Return the kinds of leave: the law's, then the firm's."""
        with self._units.read() as session:
            return tuple(self._kinds(session).values())

    def put_kind(self, kind: LeaveKind) -> LeaveKind:
        """Add a kind of the firm, or change one.

        Raises:
            ConflictError: The law has a kind of that code.
            InvalidInputError: Code or label is empty or too long, or the status is none of leave.
        """
        code = checked_text(kind.code, field=N_("code"), limit=_CODE_LENGTH, required=True).lower()
        label = checked_text(kind.label, field=N_("name"), limit=_LABEL_LENGTH, required=True)
        if not all(letter.isalnum() or letter in "-_" for letter in code):
            raise InvalidInputError(
                N_("A kind of leave is named by letters, digits, - and _, not “{code}”."), code=code
            )
        if kind.status not in _LEAVE_STATUSES:
            raise InvalidInputError(N_("A day of leave cannot be called “{status}”."), status=kind.status.value)
        if any(each.code == code for each in self._law(self._today())):
            raise ConflictError(N_("The law has the kind of leave “{code}” already."), code=code)
        stored = replace(kind, code=code, label=label)

        def job(work: Work) -> LeaveKind:
            rows.put_kind(work.session, stored)
            details = {"kind": code, "name": label, "after": stored.status.value}
            work.record("leave.kind", details=details)
            return stored

        return self._units.write(job)

    # --- the ledger ----------------------------------------------------------------------------------------

    def grant(
        self, code: str, kind: str, half_days: int, *, expires: date | None, carried: bool = False, note: str = ""
    ) -> LeaveBalance:
        """Give somebody days of a kind.

        Args:
            expires: Last day on which they can be taken; None for ever.
            carried: They are carried over from the year before.

        Raises:
            NotFoundError: There is no such employee or kind.
            InvalidInputError: The days are none, or no balance belongs to the kind.
        """
        if half_days <= 0:
            raise InvalidInputError(N_("A grant has at least half a day; “leave adjust” takes days away."))
        entry = Entry.CARRY if carried else Entry.GRANT
        return self._units.write(
            lambda work: self.give_in(work, code, kind, half_days, entry=entry, expires=expires, note=note)
        )

    def adjust(self, code: str, kind: str, half_days: int, *, reason: str) -> LeaveBalance:
        """Add days to a balance or take some away, with a reason. Raises as :meth:`grant`."""
        checked_text(reason, field=N_("reason"), limit=_NOTE_LENGTH, required=True)
        if not half_days:
            raise InvalidInputError(N_("An adjustment of nothing changes nothing."))
        return self._units.write(
            lambda work: self.give_in(work, code, kind, half_days, entry=Entry.ADJUST, expires=None, note=reason)
        )

    def give_in(
        self, work: Work, code: str, kind: str, half_days: int, *, entry: Entry, expires: date | None, note: str
    ) -> LeaveBalance:
        """Do the same within a unit of work."""
        person = lock_person(work.session, get_person(work.session, code).id)
        account = self._account(work.session, kind)
        why = checked_text(note, field=N_("note"), limit=_NOTE_LENGTH)
        self._post_given(work, person, LedgerEntry(0, account, entry, half_days, self._today(), expires, note=why))
        self._post_expired(work, person, account)
        return self._balance(work.session, person.id, account)

    def carry_over(self, code: str, kind: str, *, year_end: date, most: int, expires: date) -> LeaveBalance:
        """Carry some of what expired at the end of a year over to the next one; once for each year.

        Days that were carried over themselves are not carried again.

        Args:
            year_end: Last day of the year, as 31 December; it must be over.
            most: Half days that are carried over at most.
            expires: Last day on which what is carried over can be taken.

        Raises:
            ConflictError: The year is not over, or was carried over already.
        """
        if self._today() <= year_end:
            raise ConflictError(N_("The year ends on {date}: carry over from the day after it on."), date=year_end)

        def job(work: Work) -> LeaveBalance:
            person = lock_person(work.session, get_person(work.session, code).id)
            account = self._account(work.session, kind)
            self._post_expired(work, person, account)
            known, begin = rows.ledger(work.session, person.id, account), year_end + timedelta(days=1)
            if any(each.entry is Entry.CARRY and each.day == begin for each in known):
                raise ConflictError(N_("The year that ended on {date} was carried over already."), date=year_end)
            if carried := min(carriable(known, year_end), most):
                new = LedgerEntry(0, account, Entry.CARRY, carried, begin, expires)
                self._post_given(work, person, new)
            return self._balance(work.session, person.id, account)

        return self._units.write(job)

    def expire(self, *, today: date | None = None) -> tuple[tuple[str, str, int], ...]:
        """Post what has expired of all people; return code, account and half days of each."""
        day = today or self._today()
        with self._units.read() as session:
            found = rows.people_with_expiry(session, day)
        done: list[tuple[str, str, int]] = []
        for employee_id, account in found:

            def job(work: Work, employee_id: int = employee_id, account: str = account) -> tuple[str, str, int]:
                person = lock_person(work.session, employee_id)
                return person.code, account, self._post_expired(work, person, account, today=day)

            expired = self._units.write(job)
            if expired[2]:
                done.append(expired)
        return tuple(done)

    def balances(self, code: str) -> tuple[LeaveBalance, ...]:
        """Return what somebody has left, by account; what has expired is posted first. Raises NotFoundError."""
        today = self._today()
        with self._units.read() as session:
            person = get_person(session, code)
            accounts = rows.accounts_of(session, person.id)
            due = any(expiring(rows.ledger(session, person.id, each), today) for each in accounts)
        if due:

            def job(work: Work) -> None:
                lock_person(work.session, person.id)
                for each in accounts:
                    self._post_expired(work, person, each)

            self._units.write(job)
        with self._units.read() as session:
            return tuple(self._balance(session, person.id, each) for each in accounts)

    # --- requests ------------------------------------------------------------------------------------------

    def request(self, code: str, ask: LeaveAsk) -> LeaveRequest:
        """Ask for leave.

        Raises:
            NotFoundError: There is no such employee or kind.
            InvalidInputError: The dates are out of order or hold no working day.
            ConflictError: More is asked for than is left or than the kind allows, or leave covers one of the days.
        """
        self._prepare(ask)
        return self._units.write(lambda work: self.request_in(work, code, ask))

    def request_in(self, work: Work, code: str, ask: LeaveAsk) -> LeaveRequest:
        """Do the same within a unit of work."""
        person = lock_person(work.session, get_person(work.session, code).id)
        policy = self._policies.in_session(work.session, person.id, self._today())
        kind = self._kind(work.session, ask.kind)
        if kind.account and (ask.first - self._today()).days < policy.leave_notice:
            raise ConflictError(
                N_("Leave must be asked for {days} days ahead; HR can enter it: “leave add”."),
                days=policy.leave_notice,
            )
        most = policy.leave_in_a_row
        request = self._store(work, person, kind, ask, steps_wanted=policy.leave_steps)
        if kind.account and most and request.half_days > most * FULL_DAY:
            raise ConflictError(N_("At most {days} days of leave may be taken in a row."), days=most)
        work.record("leave.request", subject=person.code, details=_details(request))
        return self._look(work.session, request.id)

    def approve(self, request_id: int, *, in_place_of: str = "", reason: str = "") -> LeaveRequest:
        """Approve a request: one step of those it needs, each by somebody else; the last one takes the days.

        Args:
            in_place_of: Whose approval it is, where somebody delegated theirs.

        Raises:
            NotFoundError: There is no such request.
            DeniedError: The same person has approved it, or nobody delegated anything.
            ConflictError: It is decided already, or less is left than it takes.
        """
        return self._units.write(lambda work: self.approve_in(work, request_id, in_place_of=in_place_of, reason=reason))

    def approve_in(self, work: Work, request_id: int, *, in_place_of: str = "", reason: str = "") -> LeaveRequest:
        """Do the same within a unit of work."""
        person, request = self._lock(work, request_id)
        self._require_open(request)
        self._require_another(work, request, in_place_of)
        self._post_expired(work, person, request.account)
        kind = self._kind(work.session, request.kind, also_inactive=True)
        days = self._counted(work.session, kind, person.id, request.first, request.last, request.portion)
        if days != rows.days_of(work.session, request_id):
            rows.replace_days(work.session, request, days)
        self._require_days(work.session, person.id, kind, days, without=request_id)
        steps_done = request.steps_done + 1
        is_last = steps_done >= request.steps_wanted
        state = RequestState.APPROVED if is_last else RequestState.REQUESTED
        rows.set_state(work.session, request_id, state, steps_done=steps_done)
        self._step(work, request_id, "approve", in_place_of=in_place_of, reason=reason)
        if is_last:
            self._take(work, request, days)
        details = {**_details(request), "after": state.value, "reason": reason, "in_place_of": in_place_of}
        work.record("leave.approve", subject=person.code, details=details)
        return self._look(work.session, request_id)

    def reject(self, request_id: int, *, reason: str = "") -> LeaveRequest:
        """Refuse a request that is not decided yet. Raises NotFoundError, ConflictError."""

        def job(work: Work) -> LeaveRequest:
            person, request = self._lock(work, request_id)
            self._require_open(request)
            rows.set_state(work.session, request_id, RequestState.REJECTED, steps_done=request.steps_done)
            self._step(work, request_id, "reject", reason=reason)
            work.record("leave.reject", subject=person.code, details={**_details(request), "reason": reason})
            return self._look(work.session, request_id)

        return self._units.write(job)

    def withdraw(self, request_id: int, *, reason: str = "") -> LeaveRequest:
        """Take a request back and give back what it took, whatever the balance. Raises NotFoundError, ConflictError."""
        return self._units.write(lambda work: self.withdraw_in(work, request_id, reason=reason))

    def withdraw_in(self, work: Work, request_id: int, *, reason: str = "") -> LeaveRequest:
        """Do the same within a unit of work."""
        person, request = self._lock(work, request_id)
        if request.state not in (RequestState.REQUESTED, RequestState.APPROVED):
            raise _decided(request)
        if request.state is RequestState.APPROVED:
            days = rows.days_of(work.session, request_id)
            self._take(work, request, {day: -halves for day, halves in days.items()})
        rows.set_state(work.session, request_id, RequestState.WITHDRAWN, steps_done=request.steps_done)
        self._step(work, request_id, "withdraw", reason=reason)
        work.record(
            "leave.withdraw",
            subject=person.code,
            details={**_details(request), "before": request.state.value, "reason": reason},
        )
        return self._look(work.session, request_id)

    def add(self, code: str, ask: LeaveAsk) -> LeaveRequest:
        """Enter leave that is approved at once, as HR does. Raises as :meth:`request`."""
        self._prepare(ask)

        def job(work: Work) -> LeaveRequest:
            person = lock_person(work.session, get_person(work.session, code).id)
            kind = self._kind(work.session, ask.kind)
            self._post_expired(work, person, kind.account)
            request = self._store(work, person, kind, ask, steps_wanted=1)
            rows.set_state(work.session, request.id, RequestState.APPROVED, steps_done=1)
            self._step(work, request.id, "add", reason=request.note)
            self._take(work, request, rows.days_of(work.session, request.id))
            work.record("leave.add", subject=person.code, details=_details(request))
            return self._look(work.session, request.id)

        return self._units.write(job)

    def add_for_department(self, department: str, ask: LeaveAsk) -> BulkLeave:
        """Enter leave for everybody of a department; who lacks the days is told, and keeps nobody else from theirs.

        Raises:
            NotFoundError: There is no such department.
        """
        with self._units.read() as session:
            department_id = self._org.scope_id(session, Scope.DEPARTMENT, department)
            people = rows.people(session, self._org.members(session, department_id, ask.first))
        return self.add_for(people, ask)

    def add_for(self, people: Sequence[tuple[str, str]], ask: LeaveAsk) -> BulkLeave:
        """Do the same for people by code and name."""
        added: list[LeaveRequest] = []
        refused: list[tuple[str, str, SmartAbsenError]] = []
        for code, name in people:
            try:
                added.append(self.add(code, ask))
            except (ConflictError, InvalidInputError) as exc:
                refused.append((code, name, exc))
        return BulkLeave(tuple(added), tuple(refused))

    def recount(self, first: date, last: date, *, code: str | None = None) -> tuple[Recounted, ...]:
        """Count the days of approved leave in a period again, as after a holiday was added: what is free is given back.

        Where a working day came back it is taken again, also below zero. Raises NotFoundError.
        """
        with self._units.read() as session:
            ids = (get_person(session, code).id,) if code else None
            states = (RequestState.APPROVED,)
            found = rows.find_all(session, employee_ids=ids, states=states, first=first, last=last)
        done: list[Recounted] = []
        for each in found:
            changed = self._units.write(partial(self.recount_in, request_id=each.id))
            if changed is not None:
                done.append(changed)
        return tuple(done)

    def recount_in(self, work: Work, request_id: int) -> Recounted | None:
        """Count one request again within a unit of work; None where nothing changed."""
        person, request = self._lock(work, request_id)
        if request.state is not RequestState.APPROVED:
            return None
        kind = self._kind(work.session, request.kind, also_inactive=True)
        before = rows.days_of(work.session, request_id)
        after = self._counted(work.session, kind, person.id, request.first, request.last, request.portion)
        if before == after:
            return None
        changed = {day: after.get(day, 0) - before.get(day, 0) for day in sorted({*before, *after})}
        rows.replace_days(work.session, request, after)
        self._take(work, request, changed)
        self._step(work, request_id, "recount")
        given_back = sum(before.values()) - sum(after.values())
        details = {**_details(request), "before": days_text(sum(before.values())),
                   "after": days_text(sum(after.values()))}  # fmt: skip
        work.record("leave.recount", subject=person.code, details=details)
        return Recounted(self._look(work.session, request_id), given_back)

    def delegate(self, to: str, first: date, last: date) -> int:
        """Let somebody approve leave in the place of whoever calls, from one day to another; return the row id.

        Raises:
            InvalidInputError: The period ends before it begins, or nobody or oneself is named.
        """
        name = checked_text(to, field=N_("name"), limit=_LABEL_LENGTH, required=True)
        _check_range(first, last)

        def job(work: Work) -> int:
            if name == work.actor:
                raise InvalidInputError(N_("Nobody delegates to oneself."))
            row_id = rows.delegate(work.session, work.actor, name, first, last, work.now)
            work.record("leave.delegate", details={"name": name, "from": str(first), "to": str(last)})
            return row_id

        return self._units.write(job)

    def get(self, request_id: int) -> LeaveRequest:
        """Return a request with its steps. Raises NotFoundError."""
        with self._units.read() as session:
            return self._look(session, request_id)

    def requests(
        self,
        *,
        code: str | None = None,
        states: Collection[RequestState] | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> tuple[LeaveRequest, ...]:
        """Return requests that touch a period, by first day, then code. Raises NotFoundError."""
        with self._units.read() as session:
            ids = (get_person(session, code).id,) if code else None
            kinds = self._kinds(session)
            found = rows.find_all(session, employee_ids=ids, states=states, first=first, last=last)
            return tuple(_labelled(each, kinds) for each in found)

    @staticmethod
    def read_letter(path: Path) -> Letter:
        """Read an attachment from a file. Raises InvalidInputError."""
        return read_letter(path)

    def open_letters(self, request_id: int) -> tuple[Letter, ...]:
        """Return the attachments of a request, opened; the audit trail is told. Raises NotFoundError, ModelError."""

        def job(work: Work) -> tuple[Letter, ...]:
            person, request = self._lock(work, request_id)
            work.record("leave.read_letter", subject=person.code, details=_details(request))
            return self._letters.open(work.session, request_id, person)

        return self._units.write(job)

    def write_letters(self, request_id: int, folder: Path) -> tuple[Path, ...]:
        """Write the attachments of a request into a private folder, opened. Raises as :meth:`open_letters`."""
        letters = self.open_letters(request_id)
        make_private_directory(folder)
        paths = [folder / f"{request_id}-{number}-{Path(each.name).name}" for number, each in enumerate(letters, 1)]
        for path, each in zip(paths, letters, strict=True):
            write_atomically(path, each.content)
        return tuple(paths)

    def leave_in_session(
        self, session: Session, employee_ids: Collection[int] | None, first: date, last: date
    ) -> Mapping[tuple[int, date], tuple[LeaveOnDay, ...]]:
        """Return approved leave as the rules of days need it, for many people and dates at once."""
        kinds = self._kinds(session)
        found: dict[tuple[int, date], list[LeaveOnDay]] = defaultdict(list)
        for employee_id, day, code, portion in rows.approved_days(session, first, last, employee_ids=employee_ids):
            kind = kinds.get(code) or LeaveKind(code, code, DayStatus.LEAVE)
            found[employee_id, day].append(LeaveOnDay(code, kind.label, kind.status, portion, kind.counts_as_work))
        return {key: tuple(each) for key, each in found.items()}

    def leave_on_days(
        self, session: Session, employee_ids: Collection[int], first: date, last: date
    ) -> Callable[[int, date], tuple[LeaveOnDay, ...]]:
        """Return how to look the same up by person and date: a source of the inputs of days."""
        found = self.leave_in_session(session, employee_ids, first, last)
        return lambda employee_id, day: found.get((employee_id, day), ())

    def sums_in_session(self, session: Session, first: date, last: date) -> Mapping[int, LeaveSum]:
        """Return what everybody took in a range by kind, and has left by account: two statements."""
        taken: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for employee_id, _day, code, portion in rows.approved_days(session, first, last):
            taken[employee_id][code] += FULL_DAY if portion is Portion.FULL else 1
        left: dict[int, dict[str, int]] = defaultdict(dict)
        for (employee_id, account), half_days in rows.balances(session).items():
            left[employee_id][account] = half_days
        return {each: LeaveSum(dict(taken.get(each, {})), left.get(each, {})) for each in {*taken, *left}}

    # --- inside --------------------------------------------------------------------------------------------

    @staticmethod
    def _law(on: date) -> tuple[LeaveKind, ...]:
        return (find_ruleset(on) or all_rulesets()[0]).leave

    def _kinds(self, session: Session) -> dict[str, LeaveKind]:
        return {kind.code: kind for kind in (*self._law(self._today()), *rows.firm_kinds(session))}

    def _kind(self, session: Session, code: str, *, also_inactive: bool = False) -> LeaveKind:
        kind = self._kinds(session).get(code.strip().lower())
        if kind is None or not (kind.is_active or also_inactive):
            raise NotFoundError(
                N_("There is no kind of leave “{code}”."), hint=N_("“smartabsen leave kinds” lists all."), code=code
            )
        return kind

    def _account(self, session: Session, code: str) -> str:
        kind = self._kind(session, code)
        if not kind.account:
            raise InvalidInputError(
                N_("No balance limits the kind of leave “{code}”: nothing can be granted of it."), code=kind.code
            )
        return kind.account

    def _prepare(self, ask: LeaveAsk) -> None:
        _check_range(ask.first, ask.last)
        if ask.letter is not None:
            check_letter(ask.letter)
            self._letters.prepare()

    def _counted(
        self, session: Session, kind: LeaveKind, employee_id: int, first: date, last: date, portion: Portion
    ) -> dict[date, int]:
        halves = FULL_DAY if portion is Portion.FULL else 1
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return {day: halves for day in days if kind.calendar or self._calendar.is_workday(session, employee_id, day)}

    def _store(
        self, work: Work, person: Employee, kind: LeaveKind, ask: LeaveAsk, *, steps_wanted: int
    ) -> LeaveRequest:
        """Check and store a request; the person is locked."""
        note = checked_text(ask.note, field=N_("note"), limit=_NOTE_LENGTH)
        days = self._counted(work.session, kind, person.id, ask.first, ask.last, ask.portion)
        if not days:
            raise InvalidInputError(
                N_("{name} does not work on any day from {first} to {last}: no leave is needed."),
                name=person.name,
                first=ask.first,
                last=ask.last,
            )
        self._require_length(kind, sum(days.values()), has_letter=ask.letter is not None)
        self._require_free(work.session, person, ask)
        self._require_days(work.session, person.id, kind, days)
        new = NewRequest(person.id, kind, ask.first, ask.last, ask.portion, days, note, steps_wanted)
        request_id = rows.add(work.session, new, by=work.actor, at=work.now)
        if ask.letter is not None:
            self._letters.add(work, check_letter(ask.letter), request_id=request_id, owner=person)
        return self._look(work.session, request_id)

    @staticmethod
    def _require_length(kind: LeaveKind, half_days: int, *, has_letter: bool) -> None:
        most = kind.extended_days if has_letter and kind.extended_days else kind.most_days
        if most is not None and half_days > most * FULL_DAY:
            text = N_("“{label}” has at most {most} days, not {days}.")
            hint = ""
            if kind.extended_days and not has_letter:
                hint = N_("With a letter it can be longer: --attach FILE.")
            raise ConflictError(text, hint=hint, label=kind.label, most=most, days=days_text(half_days))

    @staticmethod
    def _require_free(session: Session, person: Employee, ask: LeaveAsk) -> None:
        states = (RequestState.REQUESTED, RequestState.APPROVED)
        others = rows.find_all(session, employee_ids=(person.id,), states=states, first=ask.first, last=ask.last)
        for other in others:
            halves = {ask.portion, other.portion}
            if halves != {Portion.MORNING, Portion.AFTERNOON}:
                raise ConflictError(
                    N_("{name} has asked for leave from {first} to {last} already (number {id})."),
                    name=person.name,
                    first=other.first,
                    last=other.last,
                    id=other.id,
                )

    def _require_days(
        self, session: Session, employee_id: int, kind: LeaveKind, days: Mapping[date, int], *, without: int = 0
    ) -> None:
        """Refuse what the balance does not cover, days held for other requests included."""
        if not days:
            raise ConflictError(N_("None of the days is a working day any more: withdraw the request."))
        if not kind.account:
            return
        entries = rows.ledger(session, employee_id, kind.account)
        wanted = rows.held_days(session, employee_id, kind.account, without=without)
        asked = sum(days.values())
        for day, halves in days.items():
            wanted[day] = wanted.get(day, 0) + halves
        if missing := lacking(entries, wanted):
            raise ConflictError(
                N_("Days asked for: {asked}; left on these days: {left} ({account})."),
                hint=N_("“smartabsen leave balance CODE” shows the ledger."),
                asked=days_text(asked),
                left=days_text(max(asked - missing, 0)),
                account=kind.account,
            )

    @staticmethod
    def _require_open(request: LeaveRequest) -> None:
        if request.state is not RequestState.REQUESTED:
            raise _decided(request)

    def _require_another(self, work: Work, request: LeaveRequest, in_place_of: str) -> None:
        if in_place_of and not rows.may_stand_in(work.session, work.actor, in_place_of, self._today()):
            raise DeniedError(
                N_("{principal} has not delegated approvals to {actor} for today."),
                principal=in_place_of,
                actor=work.actor,
            )
        before = {
            name
            for step in rows.steps_of(work.session, request.id)
            if step.decision == "approve"
            for name in (step.actor, step.in_place_of)
            if name
        }
        if before & {work.actor, in_place_of}:
            raise DeniedError(
                N_("{actor} has approved this already: the next approval must be somebody else's."),
                hint=N_("Where one approval is enough: smartabsen policy set leave_steps=1 --valid-from DATE"),
                actor=in_place_of if in_place_of in before else work.actor,
            )

    def _lock(self, work: Work, request_id: int) -> tuple[Employee, LeaveRequest]:
        employee_id = rows.employee_of(work.session, request_id)
        if employee_id is None:
            raise _unknown(request_id)
        person = lock_person(work.session, employee_id)
        request = rows.find(work.session, request_id)
        assert request is not None
        return person, request

    def _look(self, session: Session, request_id: int) -> LeaveRequest:
        request = rows.find(session, request_id)
        if request is None:
            raise _unknown(request_id)
        full = replace(
            request, steps=rows.steps_of(session, request_id), letters=rows.letter_names(session, request_id)
        )
        return _labelled(full, self._kinds(session))

    def _step(self, work: Work, request_id: int, decision: str, *, in_place_of: str = "", reason: str = "") -> None:
        why = checked_text(reason, field=N_("reason"), limit=_NOTE_LENGTH)
        rows.add_step(work.session, request_id, LeaveStep(decision, work.actor, in_place_of, why, work.now))

    def _take(self, work: Work, request: LeaveRequest, days: Mapping[date, int]) -> None:
        """Post the days of a request to the ledger; below zero they are given back."""
        if not request.account:
            return
        for day, halves in days.items():
            if halves:
                entry = LedgerEntry(0, request.account, Entry.TAKE, -halves, day, request_id=request.id)
                rows.post(work.session, request.employee_id, entry, by=work.actor, at=work.now)

    @staticmethod
    def _post_given(work: Work, person: Employee, new: LedgerEntry) -> None:
        rows.post(work.session, person.id, new, by=work.actor, at=work.now)
        details = {
            "kind": new.account,
            "days": days_text(new.half_days),
            "entry": new.entry.value,
            "to": "" if new.expires_on is None else str(new.expires_on),
            "reason": new.note,
        }
        work.record("leave.ledger", subject=person.code, details=details)

    def _post_expired(self, work: Work, person: Employee, account: str, *, today: date | None = None) -> int:
        """Post what has expired of one account, and return how many half days that is."""
        if not account:
            return 0
        day, gone = today or self._today(), 0
        for lot, rest in expiring(rows.ledger(work.session, person.id, account), day):
            assert lot.expires_on is not None
            entry = LedgerEntry(0, account, Entry.EXPIRE, -rest, lot.expires_on, lot_id=lot.id)
            rows.post(work.session, person.id, entry, by=work.actor, at=work.now)
            details = {"kind": account, "days": days_text(rest), "date": str(lot.expires_on)}
            work.record("leave.expire", subject=person.code, details=details)
            gone += rest
        return gone

    def _balance(self, session: Session, employee_id: int, account: str) -> LeaveBalance:
        entries = rows.ledger(session, employee_id, account)
        held = sum(rows.held_days(session, employee_id, account).values())
        kind = self._kinds(session).get(account)
        return LeaveBalance(account, kind.label if kind else account, total(entries), held, entries)


def _labelled(request: LeaveRequest, kinds: Mapping[str, LeaveKind]) -> LeaveRequest:
    kind = kinds.get(request.kind)
    return replace(request, label=kind.label) if kind is not None else request


def _details(request: LeaveRequest) -> dict[str, str]:
    return {
        "kind": request.kind,
        "from": str(request.first),
        "to": str(request.last),
        "days": days_text(request.half_days),
        "request": str(request.id),
    }


def _check_range(first: date, last: date) -> None:
    if last < first:
        raise InvalidInputError(N_("The period ends ({last}) before it begins ({first})."), first=first, last=last)
    if (last - first).days >= MAX_DAYS:
        raise InvalidInputError(N_("At most {most} days can be entered at once."), most=MAX_DAYS)


def _unknown(request_id: int) -> NotFoundError:
    return NotFoundError(
        N_("There is no request for leave with the number {id}."),
        hint=N_("“smartabsen leave list” shows all."),
        id=request_id,
    )


def _decided(request: LeaveRequest) -> ConflictError:
    texts = {
        RequestState.APPROVED: N_("The request {id} is approved already; it can be withdrawn."),
        RequestState.REJECTED: N_("The request {id} was rejected."),
        RequestState.WITHDRAWN: N_("The request {id} was withdrawn."),
    }
    return ConflictError(texts[request.state], id=request.id)
