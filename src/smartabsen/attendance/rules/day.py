"""What became of a person's day: a pure function from its inputs to a result, with a reason for each rule that applied.

Minutes fill the time between arrival and departure: worked (overtime included), break, and what counts for nothing.
Whole seconds are compared and added; only sums are cut to minutes. Facts and law: ``Limits`` of the ruleset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...kernel.i18n import N_
from . import reasons as because
from .assignment import Given, Instance, assign, instance_of
from .expectation import Expectation, expectation_of
from .instants import instant_of, second_of
from .intervals import Interval, Intervals, common, gaps, total, without
from .model import DayInputs, DayKind, DayResult, DayStatus, LeaveOnDay, Minutes, Portion, Reason, Shift
from .pairing import Presence, presence_of

JOINT_LEAVE: Final = "bersama"
"""Code of the kind of leave that the firm takes together (cuti bersama)."""
_FOREVER: Final = 1 << 40


def judge_day(inputs: DayInputs) -> DayResult:
    """Judge a person's day.

    Returns:
        The result as it is at ``inputs.now``; the same inputs always give the same result.

    Raises:
        ValueError: An instant has no time zone.
    """
    if inputs.plan.joint_leave:
        return _judge_joint_leave(inputs)
    own = instance_of(inputs.plan)
    given = Given((), (), ())
    if inputs.punches:
        near = (instance_of(inputs.before.if_worked()), own, instance_of(inputs.after.if_worked()))
        given = assign(inputs.punches, near, inputs.terms, own)
    expected = expectation_of(own, inputs.leave)
    now = second_of(inputs.now)
    shift = inputs.plan.shift
    if given.kept and inputs.terms.employed and shift is not None and shift.open_end is not None:
        return _judge_open_end(inputs, own, given, now)
    if given.kept:
        return _Came(inputs, own, given, expected, now).result()
    return _judge_nobody(inputs, own, given, expected, now)


def _judge_joint_leave(inputs: DayInputs) -> DayResult:
    """Judge a date that is off by joint leave: who works all the same has an ordinary day, everybody else leave."""
    plan = inputs.plan.if_worked()
    worked = judge_day(replace(inputs, plan=plan))
    if worked.clock_in is not None or plan.shift is None:
        return worked
    leave = LeaveOnDay(JOINT_LEAVE, plan.holiday or N_("Joint leave"), DayStatus.LEAVE)
    return judge_day(replace(inputs, plan=plan, leave=(leave,)))


def _judge_nobody(inputs: DayInputs, own: Instance, given: Given, expected: Expectation, now: int) -> DayResult:
    """Return the result of a day without a punch that counts."""
    plan, terms, shift = inputs.plan, inputs.terms, inputs.plan.shift
    whole = next((each for each in inputs.leave if each.portion is Portion.FULL), None)
    if whole is None and expected.is_covered and inputs.leave:
        whole = inputs.leave[0]
    duty = next((each for each in inputs.leave if each.counts_as_work), None)
    is_closed = now >= own.closes
    minutes = {
        Minutes.EXPECTED: expected.minutes,
        Minutes.LEAVE: expected.leave_minutes,
        Minutes.WORKED: expected.duty_minutes,
    }
    reasons: list[Reason] = []
    if not terms.employed:
        status, minutes = DayStatus.OFF, {}
        reasons.append(because.not_employed())
    elif shift is None and whole is not None and (whole.counts_as_work or not plan.is_planned):
        status = whole.status
        reasons.append(because.leave(whole))
    elif shift is None:
        status = DayStatus.OFF
        reasons.append(because.day_off(plan))
    elif whole is not None:
        status = whole.status
        reasons.extend(because.leave(each) for each in inputs.leave)
    else:
        reasons.append(because.planned(plan, own))
        reasons.extend(because.leave(each) for each in inputs.leave)
        if not is_closed:
            status = DayStatus.PENDING
            reasons.append(because.pending(plan, own))
        elif not plan.is_planned:
            status, minutes = DayStatus.OFF, {}
            reasons.append(because.unplanned())
        elif shift.flexible_week is not None and shift.flexible_day is None and not shift.spans:
            status = DayStatus.OFF
            reasons.append(because.flexible_week(shift))
        else:
            missing = expected.minutes - expected.leave_minutes - expected.duty_minutes
            minutes[Minutes.MISSING] = missing
            status = duty.status if duty is not None else DayStatus.ABSENT
            reasons.append(because.absent(plan, own, missing))
    reasons.extend(because.outside(plan.zone, second) for second, _ in given.outside)
    return _result(inputs, given, status=status, minutes=minutes, reasons=reasons, is_final=is_closed)


def _judge_open_end(inputs: DayInputs, own: Instance, given: Given, now: int) -> DayResult:
    """Return the result of a day on which somebody came, where only the start of work is known."""
    shift = inputs.plan.shift
    assert shift is not None
    assert shift.open_end is not None
    (came, _), (left, _) = given.kept[0], given.kept[-1]
    stayed = (left - came) // 60
    has_left = len(given.kept) > 1 and stayed >= shift.open_end
    whole = next((each for each in inputs.leave if each.portion is Portion.FULL), None)
    is_excused = any(each.portion is not Portion.AFTERNOON for each in inputs.leave)
    is_late = came - own.start > 60 * shift.grace_in and not is_excused
    minutes = {Minutes.LATE: (came - own.start) // 60 if is_late else 0, Minutes.WORKED: stayed if has_left else 0}
    reasons = [because.starts(inputs.plan, own), *(because.leave(each) for each in inputs.leave)]
    if is_late:
        reasons.append(because.late(inputs.plan.zone, own.start, came, shift))
    elif came > own.start and not is_excused:
        reasons.append(because.grace_in(inputs.plan.zone, came, shift, (came - own.start) // 60))
    reasons.extend(because.repeat(inputs.plan.zone, second) for second, _ in given.repeats)
    status = whole.status if whole is not None else DayStatus.LATE if is_late else DayStatus.PRESENT
    is_final = now >= own.closes
    if is_final and not has_left:
        reasons.append(because.no_departure(inputs.plan.zone, None))
    return _result(
        inputs,
        given,
        status=status,
        minutes=minutes,
        reasons=reasons,
        is_final=is_final,
        departure=left if has_left else None,
    )


@dataclass(slots=True)
class _Came:
    """A day with a punch that counts, while it is judged."""

    inputs: DayInputs
    own: Instance
    given: Given
    expected: Expectation
    now: int

    def result(self) -> DayResult:
        """Judge it."""
        inputs, own, terms, plan = self.inputs, self.own, self.inputs.terms, self.inputs.plan
        seconds = [second for second, _ in self.given.kept]
        there = presence_of(seconds, own.anchors, 60 * terms.min_departure)
        is_expected = plan.shift is not None and terms.employed
        reasons: list[Reason] = []
        if not terms.employed:
            reasons.append(because.not_employed())
        elif plan.shift is None:
            reasons.append(because.day_off(plan))
        else:
            reasons.append(because.planned(plan, own))
            if not plan.is_planned:
                reasons.append(because.unplanned())
        if terms.employed:
            reasons.extend(because.leave(each) for each in inputs.leave)
        reasons.extend(because.repeat(plan.zone, second) for second, _ in self.given.repeats)
        reasons.extend(because.outside(plan.zone, second) for second, _ in self.given.outside)

        pause = _pause(there, own, inputs)
        reasons.extend(pause.reasons)
        counted = self._count_fixed(there, pause) if is_expected and own.spans else self._count_loose(there, pause)
        reasons.extend(counted.reasons)
        minutes: dict[Minutes, int] = {}
        is_late = False
        if is_expected:
            minutes[Minutes.EXPECTED] = self.expected.minutes
            minutes[Minutes.LEAVE] = self.expected.leave_minutes
            if own.spans:
                is_late = self._compare(there, pause, minutes, reasons)
            else:
                self._compare_flexible(there, counted, minutes, reasons)
        overtime = self._overtime(counted, reasons)
        regular = _cut(counted.regular_s // 60, plan.shift, reasons)
        if plan.shift is not None and plan.shift.rounding == 1 and overtime == (counted.overtime_s // 60):
            # Not two fractions of a minute lost where only their sum is cut.
            regular = (counted.regular_s + counted.overtime_s) // 60 - overtime
        worked = regular + overtime
        span = there.stretches[-1][1] - there.stretches[0][0] if there.stretches else 0
        minutes[Minutes.WORKED] = worked + (self.expected.duty_minutes if is_expected else 0)
        minutes[Minutes.BREAK] = pause.total_s // 60
        minutes[Minutes.UNCOUNTED] = max(0, span // 60 - worked - minutes[Minutes.BREAK])
        approved = self._approved(overtime, reasons)
        minutes[Minutes.OVERTIME] = overtime
        minutes[Minutes.OVERTIME_APPROVED] = approved
        suggested = None
        if there.open_since is not None and self.now >= own.ends_by:
            suggested = self._suggested(there.open_since)
            reasons.append(because.no_departure(plan.zone, suggested))
        return _result(
            inputs,
            self.given,
            status=self._status(is_late),
            minutes=minutes,
            reasons=reasons,
            is_final=self.now >= own.ends_by,
            departure=there.stretches[-1][1] if there.stretches and there.open_since is None else None,
            suggested=suggested,
        )

    def _status(self, is_late: bool) -> DayStatus:
        if self.inputs.terms.employed:
            whole = next((each for each in self.inputs.leave if each.portion is Portion.FULL), None)
            is_day_off = self.inputs.plan.shift is None and self.inputs.plan.is_planned
            if whole is not None and not (is_day_off and not whole.counts_as_work):
                return whole.status
            if self.inputs.leave and self.inputs.plan.shift is not None and self.expected.is_covered:
                return self.inputs.leave[0].status
        return DayStatus.LATE if is_late else DayStatus.PRESENT

    def _suggested(self, since: int) -> int | None:
        """Return the departure that the shift suggests for a forgotten one."""
        shift = self.inputs.plan.shift
        if self.own.spans:
            # Somebody who came after all spans had none to leave from.
            end = self.expected.end if self.expected.end is not None else self.own.end
            return end if end > since else None
        if shift is not None and shift.flexible_day is not None:
            return since + 60 * shift.flexible_day
        return None

    def _count_fixed(self, there: Presence, pause: _Pause) -> _Counted:
        """Count work inside and outside of planned spans."""
        own, shift = self.own, self.inputs.plan.shift
        assert shift is not None
        zone = self.inputs.plan.zone
        reasons: list[Reason] = []
        inside = total(common(there.stretches, own.spans)) - pause.taken_s
        before = total(common(there.stretches, [(0, own.start)]))
        after = total(common(there.stretches, [(own.end, _FOREVER)]))
        if self.inputs.plan.kind is not DayKind.WORKDAY:
            worked = inside + after + (before if shift.early_counts else 0)
            if worked >= 60:
                reasons.append(because.overtime_on(self.inputs.plan, self.inputs.terms, worked // 60))
            return _Counted(0, worked, reasons)
        overtime = after
        if before >= 60:
            reasons.append(because.early_arrival(zone, there.stretches[0][0], shift, before // 60))
        if shift.early_counts:
            overtime += before
            if before >= 60:
                reasons.append(because.overtime_before(self.inputs.terms, before // 60))
        if after >= 60:
            reasons.append(because.overtime_after(self.inputs.terms, zone, own.end, after // 60))
        if not shift.break_is_taken and not self.inputs.leave:
            # The break was worked through, and the shift says that this counts.
            through = max(0, inside - 60 * self.expected.minutes)
            if through >= 60:
                reasons.append(because.overtime_in_break(self.inputs.terms, through // 60))
            return _Counted(inside - through, overtime + through, reasons)
        return _Counted(inside, overtime, reasons)

    def _count_loose(self, there: Presence, pause: _Pause) -> _Counted:
        """Count work on a day without planned spans: flexible, off, or not planned."""
        plan, terms = self.inputs.plan, self.inputs.terms
        worked = total(there.stretches) - pause.taken_s
        if not terms.employed or (plan.shift is None and not plan.is_planned):
            return _Counted(worked, 0, [])
        if plan.shift is None or plan.kind is not DayKind.WORKDAY:
            reasons = [because.overtime_on(plan, terms, worked // 60)] if worked >= 60 else []
            return _Counted(0, worked, reasons)
        if plan.shift.flexible_day is None:
            return _Counted(worked, 0, [because.flexible_week(plan.shift)])
        due = 60 * max(0, self.expected.minutes - self.expected.leave_minutes - self.expected.duty_minutes)
        beyond = max(0, worked - due)
        reasons = [because.flexible_day(plan.shift, worked // 60)]
        if beyond >= 60:
            reasons.append(because.overtime_beyond(terms, beyond // 60))
        return _Counted(worked - beyond, beyond, reasons)

    def _compare(self, there: Presence, pause: _Pause, minutes: dict[Minutes, int], reasons: list[Reason]) -> bool:
        """Compare with what was expected: late, early, missing. Return whether the person was late."""
        plan, shift, segments = self.inputs.plan, self.inputs.plan.shift, self.expected.segments
        assert shift is not None
        if not segments or any(each.portion is Portion.FULL for each in self.inputs.leave):
            return False
        stretches: list[Interval] = list(there.stretches)
        if there.open_since is not None:
            stretches.append((there.open_since, _FOREVER))
        late_s, late_excused, is_late = self._late(stretches, shift, reasons)
        early_s, early_excused = self._early(there, shift, reasons) if there.open_since is None else (0, 0)
        away = without(self.expected.due, stretches)
        in_middle = total(common(away, gaps(stretches)))
        made_up = min(in_middle, pause.worked_through_s)
        missing = max(0, total(away) - late_excused - early_excused - made_up)
        minutes[Minutes.LATE] = late_s // 60
        minutes[Minutes.EARLY] = early_s // 60
        minutes[Minutes.MISSING] = missing // 60
        if missing >= 60:
            reasons.append(because.missing(plan, missing // 60))
        return is_late

    def _late(self, stretches: Intervals, shift: Shift, reasons: list[Reason]) -> tuple[int, int, bool]:
        """Return seconds late, seconds that the grace excuses, and whether it was exceeded."""
        zone, segments = self.inputs.plan.zone, self.expected.segments
        late = excused = 0
        is_late = has_come = False
        arrival = stretches[0][0]
        for index, (begin, end) in enumerate(segments):
            inside = common(stretches, [(begin, end)])
            if not inside and (has_come or index + 1 < len(segments) or arrival < begin):
                continue
            came, start = (
                (inside[0][0], begin) if inside and has_come else (max(arrival, segments[0][0]), segments[0][0])
            )
            has_come = True
            gap = came - start
            if gap > 60 * shift.grace_in:
                late, is_late = late + gap, True
                reasons.append(because.late(zone, start, came, shift))
            elif gap > 0:
                excused += gap
                if gap >= 60:
                    reasons.append(because.grace_in(zone, came, shift, gap // 60))
        return late, excused, is_late

    def _early(self, there: Presence, shift: Shift, reasons: list[Reason]) -> tuple[int, int]:
        """Return seconds that somebody left early, and those that the grace excuses."""
        zone, segments = self.inputs.plan.zone, self.expected.segments
        early = excused = 0
        present = [inside for each in segments if (inside := common(there.stretches, [each]))]
        last = there.stretches[-1][1]
        for index, inside in enumerate(present):
            is_last = index + 1 == len(present)
            left = inside[-1][1]
            end = segments[-1][1] if is_last else next(end for begin, end in segments if begin <= left <= end)
            gap = end - (last if is_last and last < end else left)
            if gap > 60 * shift.grace_out:
                early += gap
                reasons.append(because.early(zone, end, left, shift))
            elif gap > 0:
                excused += gap
                if gap >= 60:
                    reasons.append(because.grace_out(zone, left, shift, gap // 60))
        return early, excused

    def _compare_flexible(
        self, there: Presence, counted: _Counted, minutes: dict[Minutes, int], reasons: list[Reason]
    ) -> None:
        shift, expected = self.inputs.plan.shift, self.expected
        assert shift is not None
        if shift.flexible_day is None or there.open_since is not None or self.now < self.own.closes:
            return
        due = 60 * (expected.minutes - expected.leave_minutes - expected.duty_minutes)
        missing = (due - counted.regular_s - (counted.overtime_s if counted.regular_s == 0 else 0)) // 60
        if missing > 0:
            minutes[Minutes.MISSING] = missing
            reasons.append(because.missing(self.inputs.plan, missing))

    def _overtime(self, counted: _Counted, reasons: list[Reason]) -> int:
        """Return the overtime by the clock: nothing where it is shorter than what counts."""
        overtime = counted.overtime_s // 60
        least = self.inputs.terms.overtime_least
        if 0 < overtime < least:
            reasons.append(because.overtime_too_short(least, overtime))
            return 0
        return _cut(overtime, self.inputs.plan.shift, reasons)

    def _approved(self, overtime: int, reasons: list[Reason]) -> int:
        """Return how much of the overtime is paid: what orders cover, never more than was worked."""
        terms = self.inputs.terms
        ordered = sum(order.minutes for order in self.inputs.orders if order.counts)
        approved = 0 if terms.exempt else min(overtime, ordered)
        if not overtime:
            if ordered and self.now >= self.own.ends_by:
                reasons.append(because.order_unused(ordered))
            return approved
        if terms.exempt:
            reasons.append(because.overtime_exempt(terms, overtime))
            return 0
        if approved:
            reasons.append(because.overtime_approved(terms, approved, ordered))
        if overtime > approved:
            reasons.append(because.overtime_unapproved(terms, overtime - approved))
        if self.inputs.plan.kind is DayKind.WORKDAY and overtime > terms.limits.overtime_day:
            reasons.append(because.over_day_cap(terms, overtime))
        if approved >= terms.limits.food_after:
            reasons.append(because.food(terms))
        return approved


@dataclass(frozen=True, slots=True)
class _Counted:
    """Seconds of work, and why."""

    regular_s: int
    overtime_s: int
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class _Pause:
    """Seconds that were no work.

    Attributes:
        taken_s: Taken off the time that somebody was there.
        total_s: All between arrival and departure: recorded ones, those taken off, and between spans.
        worked_through_s: Of planned breaks, what was worked because another break was recorded.
    """

    taken_s: int
    total_s: int
    worked_through_s: int
    reasons: list[Reason]


def _pause(there: Presence, own: Instance, inputs: DayInputs) -> _Pause:
    """Return the breaks: recorded ones, else the planned one is taken off."""
    shift, terms = inputs.plan.shift, inputs.terms
    limits = terms.limits
    stretches = there.stretches
    away = gaps(stretches)
    recorded = total(common(away, own.spans)) if own.spans else total(away)
    between = total(common(stretches, gaps(own.spans)))
    planned = total(common(stretches, own.breaks))
    reasons: list[Reason] = []
    if recorded >= 60:
        reasons.append(because.break_recorded(recorded // 60))
    is_long = any(end - begin > 60 * limits.break_after for begin, end in stretches)
    has_pause = planned or between or recorded
    taken = 0
    if shift is not None and shift.break_is_taken and planned:
        if not recorded:
            taken = planned
            reasons.append(because.break_planned(shift, planned // 60))
        elif is_long:
            taken = max(0, min(planned, 60 * limits.break_least) - recorded)
            if taken:
                reasons.append(because.break_completed(terms, taken // 60))
    elif is_long and terms.break_by_law and recorded + between < 60 * limits.break_least:
        longest = max(stretches, key=lambda each: each[1] - each[0])
        taken = min(60 * limits.break_least - recorded - between, longest[1] - longest[0] - 60 * limits.break_after)
        reasons.append(because.break_completed(terms, taken // 60))
    if is_long and not has_pause and not taken:
        reasons.append(because.break_due(terms))
    through = planned - min(taken, planned)
    return _Pause(taken, taken + total(away) + between, through, reasons)


def _cut(minutes: int, shift: Shift | None, reasons: list[Reason]) -> int:
    step = shift.rounding if shift is not None else 1
    lost = minutes % step
    if lost:
        reasons.append(because.rounded(step, lost))
    return minutes - lost


def _result(
    inputs: DayInputs,
    given: Given,
    *,
    status: DayStatus,
    minutes: dict[Minutes, int],
    reasons: Sequence[Reason],
    is_final: bool,
    departure: int | None = None,
    suggested: int | None = None,
) -> DayResult:
    belonging = sorted((*given.kept, *given.repeats), key=lambda each: (each[0], each[1].id))
    clock_in = given.kept[0][1].at if given.kept else None
    clock_out = None
    if departure is not None:
        clock_out = next(punch.at for second, punch in reversed(given.kept) if second == departure)
    shift = inputs.plan.shift
    return DayResult(
        work_date=inputs.plan.work_date,
        status=status,
        clock_in=clock_in,
        clock_out=clock_out,
        punch_ids=tuple(punch.id for _, punch in belonging),
        minutes={kind: count for kind, count in minutes.items() if count},
        reasons=tuple(reasons),
        kind=inputs.plan.kind,
        shift=shift.code if shift is not None else "",
        is_final=is_final,
        ruleset=inputs.terms.ruleset,
        outside_ids=tuple(punch.id for _, punch in given.outside),
        unsure_ids=tuple(punch.id for _, punch in (*belonging, *given.outside) if not punch.is_sure),
        suggested_out=instant_of(suggested) if suggested is not None else None,
    )
