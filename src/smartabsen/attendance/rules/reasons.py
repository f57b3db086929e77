"""The sentences that say why a day is as it is: one function for each rule, each a message with places to fill."""

from __future__ import annotations

from ...kernel.i18n import N_, _
from .assignment import Instance
from .instants import clock_text
from .model import DayKind, LeaveOnDay, PlannedDay, Portion, Reason, Shift, Terms

_ON_DAY = {
    DayKind.WORKDAY: N_("Work on a day off: {minutes} minutes of overtime."),
    DayKind.REST_DAY: N_("Work on a weekly rest day: {minutes} minutes of overtime."),
    DayKind.HOLIDAY: N_("Work on a holiday: {minutes} minutes of overtime."),
    DayKind.SHORTEST_DAY: N_("Work on a holiday on the shortest working day: {minutes} minutes of overtime."),
}
_LEAVE = {
    Portion.FULL: N_("Leave for the whole day: {label}."),
    Portion.MORNING: N_("Leave in the morning: {label}."),
    Portion.AFTERNOON: N_("Leave in the afternoon: {label}."),
}


def describe_reason(reason: Reason) -> str:
    """Return a reason as a sentence in the current language."""
    return _(reason.text, **reason.params)


def not_employed() -> Reason:
    """The date lies outside the employment."""
    return Reason("not-employed", N_("Not employed on this date."))


def unplanned() -> Reason:
    """Nobody planned the date."""
    return Reason("unplanned", N_("Nobody planned this date, so nobody is absent on it."))


def day_off(plan: PlannedDay) -> Reason:
    """Nothing is expected."""
    if not plan.is_planned:
        return unplanned()
    if plan.holiday:
        return Reason("holiday", N_("Holiday: {holiday}."), {"holiday": plan.holiday}, article="calendar")
    return Reason("day-off", N_("Day off by the roster."), article=_source(plan))


def planned(plan: PlannedDay, own: Instance) -> Reason:
    """A shift was planned."""
    assert plan.shift is not None
    if plan.shift.open_end is not None:
        return starts(plan, own)
    if not own.spans:
        return Reason("shift", N_("Planned: shift {shift}, flexible."), {"shift": plan.shift.code}, _source(plan))
    params = {
        "shift": plan.shift.code,
        "start": clock_text(plan.zone, own.start),
        "end": clock_text(plan.zone, own.end),
    }
    return Reason("shift", N_("Planned: shift {shift}, {start} to {end}."), params, _source(plan))


def starts(plan: PlannedDay, own: Instance) -> Reason:
    """Only the start of work is known."""
    params = {"start": clock_text(plan.zone, own.start)}
    return Reason("start", N_("Work starts at {start}; when it ends nobody has said."), params, _source(plan))


def leave(each: LeaveOnDay) -> Reason:
    """Leave covers the day or half of it."""
    return Reason("leave", _LEAVE[each.portion], {"label": each.label}, article=f"leave {each.kind}")


def pending(plan: PlannedDay, own: Instance) -> Reason:
    """The window is open."""
    params = {"time": clock_text(plan.zone, own.closes)}
    return Reason("pending", N_("Not there yet; the day is judged after {time}."), params, _shift(plan.shift))


def absent(plan: PlannedDay, own: Instance, minutes: int) -> Reason:
    """The window has closed, and nobody came."""
    params = {"time": clock_text(plan.zone, own.closes)}
    return Reason("absent", N_("No punch until {time}, when the day closed."), params, _shift(plan.shift), minutes)


def late(zone: str, start: int, came: int, shift: Shift) -> Reason:
    """The arrival exceeds the grace."""
    params = {
        "start": clock_text(zone, start),
        "arrival": clock_text(zone, came),
        "minutes": str((came - start) // 60),
        "grace": str(shift.grace_in),
    }
    text = N_("Late by {minutes} minutes: start at {start}, arrival at {arrival}, grace {grace} minutes.")
    return Reason("late", text, params, _shift(shift), (came - start) // 60)


def grace_in(zone: str, came: int, shift: Shift, minutes: int) -> Reason:
    """The arrival lies within the grace."""
    params = {"arrival": clock_text(zone, came), "grace": str(shift.grace_in)}
    text = N_("Arrival at {arrival} is within the grace of {grace} minutes.")
    return Reason("grace.in", text, params, _shift(shift), minutes)


def early(zone: str, end: int, left: int, shift: Shift) -> Reason:
    """The departure is too early."""
    params = {"end": clock_text(zone, end), "departure": clock_text(zone, left), "minutes": str((end - left) // 60)}
    text = N_("Left {minutes} minutes early: end at {end}, departure at {departure}.")
    return Reason("early", text, params, _shift(shift), (end - left) // 60)


def grace_out(zone: str, left: int, shift: Shift, minutes: int) -> Reason:
    """The departure lies within the grace."""
    params = {"departure": clock_text(zone, left), "grace": str(shift.grace_out)}
    text = N_("Departure at {departure} is within the grace of {grace} minutes.")
    return Reason("grace.out", text, params, _shift(shift), minutes)


def missing(plan: PlannedDay, minutes: int) -> Reason:
    """Not all was worked."""
    return _counted("missing", N_("{minutes} minutes of what was planned are missing."), minutes, _shift(plan.shift))


def break_recorded(minutes: int) -> Reason:
    """Breaks were punched."""
    return _counted("break.recorded", N_("Recorded breaks: {minutes} minutes."), minutes)


def break_planned(shift: Shift, minutes: int) -> Reason:
    """No break was punched."""
    text = N_("No break was recorded; the planned one of {minutes} minutes is taken off.")
    return _counted("break.planned", text, minutes, _shift(shift))


def break_completed(terms: Terms, minutes: int) -> Reason:
    """A break was shorter than the least one."""
    text = N_("Breaks shorter than the least one are completed: {minutes} minutes are taken off.")
    return _counted("break.legal", text, minutes, _article(terms, "break_after"))


def break_due(terms: Terms) -> Reason:
    """A break is due and none was had."""
    params = {"hours": _hours(terms.limits.break_after), "least": str(terms.limits.break_least)}
    text = N_("More than {hours} hours in a row without a break; one of {least} minutes was due.")
    return Reason("break.due", text, params, _article(terms, "break_after"))


def repeat(zone: str, second: int) -> Reason:
    """A punch repeats the one before."""
    text = N_("The punch at {time} repeats the one before.")
    return Reason("punch.repeat", text, {"time": clock_text(zone, second)})


def outside(zone: str, second: int) -> Reason:
    """A punch belongs to no shift."""
    text = N_("The punch at {time} lies outside every planned shift.")
    return Reason("punch.outside", text, {"time": clock_text(zone, second)})


def no_departure(zone: str, suggested: int | None) -> Reason:
    """The window has closed without a departure."""
    if suggested is None:
        return Reason("departure.missing", N_("No departure was recorded."))
    text = N_("No departure was recorded; the shift suggests {time}.")
    return Reason("departure.missing", text, {"time": clock_text(zone, suggested)})


def early_arrival(zone: str, came: int, shift: Shift, minutes: int) -> Reason:
    """Somebody came before the start."""
    params = {"arrival": clock_text(zone, came), "minutes": str(minutes)}
    if shift.early_counts:
        text = N_("Arrival at {arrival}, {minutes} minutes before the start, which counts.")
    else:
        text = N_("Arrival at {arrival}, {minutes} minutes before the start, which does not count.")
    return Reason("arrival.early", text, params, _shift(shift), minutes)


def overtime_before(terms: Terms, minutes: int) -> Reason:
    """Work before the start."""
    return _counted(
        "overtime.before", N_("Overtime before the start: {minutes} minutes."), minutes, _article(terms, "workday")
    )


def overtime_after(terms: Terms, zone: str, end: int, minutes: int) -> Reason:
    """Work after the end."""
    params = {"minutes": str(minutes), "end": clock_text(zone, end)}
    text = N_("Overtime after the end at {end}: {minutes} minutes.")
    return Reason("overtime.after", text, params, _article(terms, "workday"), minutes)


def overtime_in_break(terms: Terms, minutes: int) -> Reason:
    """A break was worked through."""
    text = N_("The planned break was worked: {minutes} minutes of overtime.")
    return _counted("overtime.break", text, minutes, _article(terms, "workday"))


def overtime_beyond(terms: Terms, minutes: int) -> Reason:
    """More than a flexible day asks for."""
    text = N_("More than the flexible day asks for: {minutes} minutes of overtime.")
    return _counted("overtime.beyond", text, minutes, _article(terms, "workday"))


def overtime_on(plan: PlannedDay, terms: Terms, minutes: int) -> Reason:
    """All work of a day off is overtime of its kind."""
    return _counted(f"overtime.{plan.kind.value}", _ON_DAY[plan.kind], minutes, _article(terms, plan.kind.value))


def overtime_too_short(least: int, minutes: int) -> Reason:
    """Overtime shorter than what counts."""
    params = {"minutes": str(minutes), "least": str(least)}
    text = N_("{minutes} minutes beyond the shift are less than the {least} that count as overtime.")
    return Reason("overtime.least", text, params, "policy", minutes)


def overtime_approved(terms: Terms, minutes: int, ordered: int) -> Reason:
    """An order covers overtime."""
    params = {"minutes": str(minutes), "ordered": str(ordered)}
    text = N_("Overtime approved: {minutes} minutes (ordered: {ordered}).")
    return Reason("overtime.approved", text, params, _article(terms, "order"), minutes)


def overtime_unapproved(terms: Terms, minutes: int) -> Reason:
    """No order covers overtime."""
    text = N_("Overtime not approved yet: {minutes} minutes. It is kept, and paid once an order covers it.")
    return _counted("overtime.unapproved", text, minutes, _article(terms, "order"))


def overtime_exempt(terms: Terms, minutes: int) -> Reason:
    """The person's overtime is not paid."""
    params = {"minutes": str(minutes), "clause": terms.exempt}
    text = N_("{minutes} minutes of overtime are not paid: exempt by {clause}.")
    return Reason("overtime.exempt", text, params, _article(terms, "exempt"), minutes)


def order_unused(minutes: int) -> Reason:
    """An order was not worked."""
    return _counted("overtime.unused", N_("Overtime was ordered and not worked: {minutes} minutes."), minutes)


def over_day_cap(terms: Terms, minutes: int) -> Reason:
    """More overtime on a day than allowed."""
    params = {"minutes": str(minutes), "hours": _hours(terms.limits.overtime_day)}
    text = N_("{minutes} minutes of overtime are more than the {hours} hours a day that are allowed.")
    return Reason("overtime.cap-day", text, params, _article(terms, "overtime_day"), minutes)


def food(terms: Terms) -> Reason:
    """Food and drink are due."""
    params = {"hours": _hours(terms.limits.food_after)}
    text = N_("Overtime of {hours} hours or more: food and drink are due.")
    return Reason("overtime.food", text, params, _article(terms, "food_after"))


def flexible_day(shift: Shift, worked: int) -> Reason:
    """The day asks for minutes, not for hours of the clock."""
    params = {"minutes": str(worked), "asked": str(shift.flexible_day)}
    text = N_("Flexible: {minutes} minutes worked, {asked} asked for.")
    return Reason("flexible.day", text, params, _shift(shift), worked)


def flexible_week(shift: Shift) -> Reason:
    """The week asks for minutes."""
    params = {"asked": str(shift.flexible_week or 0)}
    return Reason("flexible.week", N_("Flexible: the week asks for {asked} minutes."), params, _shift(shift))


def rounded(step: int, minutes: int) -> Reason:
    """Minutes were cut off."""
    params = {"minutes": str(minutes), "step": str(step)}
    return Reason("rounding", N_("{minutes} minutes are cut off: time counts in steps of {step}."), params, "shift")


def _counted(rule: str, text: str, minutes: int, article: str = "") -> Reason:
    return Reason(rule, text, {"minutes": str(minutes)}, article, minutes)


def _hours(minutes: int) -> str:
    return f"{minutes / 60:g}"


def _article(terms: Terms, name: str) -> str:
    return terms.limits.articles.get(name, "")


def _shift(shift: Shift | None) -> str:
    return f"shift {shift.code}" if shift is not None else ""


def _source(plan: PlannedDay) -> str:
    return f"pattern {plan.pattern}" if plan.pattern else plan.source
