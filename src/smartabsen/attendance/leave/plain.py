"""Izin and Sakit that HR enters by the day: records of leave beside the status of the day."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Final

from ...kernel.domain import Status
from ...trust.work import Work
from ..policy.rulesets import all_rulesets, find_ruleset
from ..rules.model import Portion
from ..rules.ruleset import LeaveKind
from . import book_rows as rows
from .book_rows import NewRequest
from .model import FULL_DAY, LeaveRequest, LeaveStep, RequestState

KINDS: Final = {Status.EXCUSED: "izin", Status.SICK: "sakit"}
"""The law's kinds that these days are."""


def cover(work: Work, employee_id: int, days: Collection[date], status: Status, *, note: str) -> None:
    """Let records say that somebody is on leave on some days; the caller holds the lock and appends the entry.

    A day of the same kind stays in its record, one of the other kind leaves its own, one of any other leave is left
    alone.
    """
    kind, free = KINDS[status], set(days)
    if not free:
        return
    for request in _of_person(work, employee_id, free):
        its_days = rows.days_of(work.session, request.id).keys() & free
        if request.kind in KINDS.values() and request.kind != kind and request.portion is Portion.FULL:
            _shrink(work, request, its_days)
        else:
            free -= its_days
    for run in _runs(free):
        _add(work, employee_id, kind, run, note)


def uncover(work: Work, employee_id: int, days: Collection[date]) -> None:
    """Take some days out of the records of Izin and Sakit."""
    wanted = set(days)
    for request in _of_person(work, employee_id, wanted) if wanted else ():
        if request.kind in KINDS.values() and request.portion is Portion.FULL:
            _shrink(work, request, rows.days_of(work.session, request.id).keys() & wanted)


def _of_person(work: Work, employee_id: int, days: Collection[date]) -> tuple[LeaveRequest, ...]:
    states = (RequestState.APPROVED, RequestState.REQUESTED)
    return rows.find_all(work.session, employee_ids=(employee_id,), states=states, first=min(days), last=max(days))


def _shrink(work: Work, request: LeaveRequest, gone: Collection[date]) -> None:
    """Withdraw a record, and enter what is left of it anew: the first and the last day of a record never change."""
    if not gone or request.state is not RequestState.APPROVED:
        return
    left = rows.days_of(work.session, request.id).keys() - set(gone)
    rows.set_state(work.session, request.id, RequestState.WITHDRAWN, steps_done=request.steps_done)
    rows.add_step(work.session, request.id, LeaveStep("withdraw", work.actor, "", "", work.now))
    for run in _runs(left):
        _add(work, request.employee_id, request.kind, run, request.note)


def _add(work: Work, employee_id: int, kind: str, days: list[date], note: str) -> None:
    new = NewRequest(
        employee_id, _kind(kind, days[0]), days[0], days[-1], Portion.FULL, dict.fromkeys(days, FULL_DAY), note, 1
    )
    request_id = rows.add(work.session, new, by=work.actor, at=work.now)
    rows.set_state(work.session, request_id, RequestState.APPROVED, steps_done=1)
    rows.add_step(work.session, request_id, LeaveStep("add", work.actor, "", note, work.now))


def _kind(code: str, on: date) -> LeaveKind:
    known = (find_ruleset(on) or all_rulesets()[0]).leave
    return next(each for each in known if each.code == code)


def _runs(days: Collection[date]) -> Iterator[list[date]]:
    run: list[date] = []
    for day in sorted(days):
        if run and run[-1] + timedelta(days=1) != day:
            yield run
            run = []
        run.append(day)
    if run:
        yield run
