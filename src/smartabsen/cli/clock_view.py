"""What people and scripts see of a machine's clock."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from ..kernel.i18n import N_, _
from .answer import Json
from .output import Output

if TYPE_CHECKING:
    from ..upkeep.clock_care import ClockFacts

_STATES: Final = {
    "confirmed": N_("The database server confirms it: {seconds} s off, {tolerance} s are allowed."),
    "off": N_("It is {seconds} s off the database server's, {tolerance} s are allowed: punches are marked."),
    "unconfirmed": N_("No server tells the time; nothing speaks against it."),
    "doubted": N_(
        "The latest trusted time is {known}, by which it is {least} or later now: punches are marked as doubtful."
    ),
}


def clock(facts: ClockFacts) -> Json:
    """The clock of this machine."""
    return {
        "state": facts.state.value,
        "now": facts.now.isoformat(timespec="milliseconds"),
        "machine": facts.machine.isoformat(timespec="milliseconds"),
        "offset_s": facts.offset_s,
        "tolerance_s": facts.tolerance_s,
        "known": facts.known.isoformat(timespec="milliseconds"),
        "least": facts.least.isoformat(timespec="milliseconds"),
        "in_future": len(facts.ahead),
        "future": [{"code": one.code, "at": one.at.isoformat(timespec="seconds")} for one in facts.ahead],
        "kiosks": [
            {
                "kiosk": each.kiosk,
                "elsewhere": each.kiosk == facts.namesake,
                "marked": each.punches,
                "offset_s": each.offset_s,
                "at": each.at.isoformat(timespec="seconds"),
            }
            for each in facts.kiosks
        ],
    }


def show_clock(out: Output, facts: ClockFacts, zone: tzinfo) -> None:
    """Print the clock; times are those of the site."""
    out.line(_("This machine's clock shows {time}.", time=f"{facts.machine.astimezone(zone):%Y-%m-%d %H:%M:%S}"))
    state = _(
        _STATES[facts.state.value],
        seconds=f"{facts.offset_s or 0.0:+.1f}",
        tolerance=f"{facts.tolerance_s:.0f}",
        known=f"{facts.known.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        least=f"{facts.least.astimezone(zone):%Y-%m-%d %H:%M:%S}",
    )
    out.line(state, "green" if facts.right else "red")
    if facts.ahead:
        from ..upkeep.clock_care import name_punches

        out.line(_("Punches that lie in the future: {punches}.", punches=name_punches(facts.ahead, zone)), "yellow")
    for each in facts.kiosks:
        name = _("another machine called {kiosk}", kiosk=each.kiosk) if each.kiosk == facts.namesake else each.kiosk
        seconds = _("unknown") if each.offset_s is None else f"{each.offset_s:+.1f} s"
        out.line(_("{kiosk}: off by {seconds}, marked punches: {count}", kiosk=name, seconds=seconds,
                   count=each.punches), "yellow")  # fmt: skip
