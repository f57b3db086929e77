"""What ``smartabsen demo`` shows: each step as it is done, and where everything lies in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .. import wire
from ..kernel.domain import EnrolReport, KioskEvent, KioskEventKind, TrainReport
from ..kernel.i18n import _
from ..kernel.messages import describe_verdict, fill, tell_decision
from . import tables, training_view
from .answer import Json
from .output import Output

if TYPE_CHECKING:
    from ..app.demo import DemoReport, DemoStep


def show_step(out: Output, step: DemoStep) -> None:
    """Print what was just done; nothing where the answer will be JSON."""
    if out.as_json:
        return
    if step.title:
        out.line(fill(step.title, step.params), "bold")
    result = step.result
    if isinstance(result, EnrolReport):
        out.line(f"  {tables.enrolment_sentence(result)}")
        _show_refusals(out, result)
    elif isinstance(result, TrainReport):
        training_view.show(out, result)
    elif isinstance(result, KioskEvent) and result.kind is KioskEventKind.DECISION and result.outcome is not None:
        local = result.at.astimezone(ZoneInfo(step.zone))
        message = tell_decision(result, ZoneInfo(step.zone))
        out.line(f"  {local:%H:%M:%S}  {message}", "green" if result.result else "yellow")


def _show_refusals(out: Output, report: EnrolReport) -> None:
    """Say why photos were not taken: each is refused for a reason, and the others are enough."""
    for sentence in dict.fromkeys(describe_verdict(each)[0] for each in report.verdicts if not each.accepted):
        out.line("    " + _("Refused: {reason}", reason=sentence), "dim")


def show_report(out: Output, report: DemoReport, *, kept: bool) -> None:
    """Print the attendance, the log, where everything lies and the QR of the address."""
    out.line()
    tables.show_report(out, report.attendance)
    out.line(_("The attendance log:"), "bold")
    out.block("\n".join(report.csv_lines))
    out.line()
    for label, path in report.places:
        out.line(f"{_(label)}: {path}")
    if not kept:
        out.line(_("This home was a temporary one and is gone now; --keep DIR keeps it."))
    out.line()
    out.block(report.qr_text)
    out.line(_("The address of “smartabsen serve” on this computer: {address}", address=report.address))
    out.line(
        _("A phone does not reach 127.0.0.1: for phones, set SMARTABSEN_PUBLIC_URL to an address of your network.")
    )
    out.line(
        _(
            "{recorded} people recorded, {refused} stranger refused, in {seconds} s.",
            recorded=report.recorded,
            refused=report.refused,
            seconds=f"{report.seconds:.1f}",
        ),
        "bold",
    )
    out.line(_("These are samples of a few photographs: they show that it works, not how accurate it is."))


def report_data(report: DemoReport) -> Json:
    """Return the same for scripts."""
    return {
        "home": str(report.home),
        "engine": report.engine,
        "recorded": report.recorded,
        "refused": report.refused,
        "photograph_refused": report.photograph_refused,
        "seconds": round(report.seconds, 2),
        "attendance": wire.Attendance.of(report.attendance),
        "csv_lines": list(report.csv_lines),
        "places": dict(report.places),
        "address": report.address,
    }
