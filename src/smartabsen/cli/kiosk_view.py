"""What a running kiosk shows: JSON lines for scripts, a line for each decision and live lines below for people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from typing import Final

from rich.cells import cell_len
from rich.live import Live
from rich.text import Text

from ..kernel.domain import KioskEvent, KioskEventKind, KioskSummary, Outcome
from ..kernel.i18n import _
from ..kernel.messages import KIOSK_ENDINGS, describe_request, fill, greet, tell_decision
from . import data
from .answer import one_line, print_json
from .output import Output

_BETWEEN: Final = "  ·  "
_CAMERA: Final = frozenset({KioskEventKind.CAMERA_LOST, KioskEventKind.CAMERA_BACK})
Play = Callable[[Outcome, str], None]
"""Lets people hear a decision: its outcome, and the sentence that greets or refuses them."""


class KioskView:
    """Shows the events of a kiosk. May be called from any thread.

    Args:
        out: Where to.
        zone: Zone of the site, for times.
        play: The sound of a decision.
    """

    def __init__(self, out: Output, zone: tzinfo, play: Play) -> None:
        self._out = out
        self._zone = zone
        self._play = play
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._recorded = 0
        self._refused = 0
        self._pending = 0
        self._camera = _("Starting the camera …")
        self._lost = False
        self._rate = ""
        self._last = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the state at the bottom of a terminal for a ``with`` block."""
        if self._out.as_json or self._out.quiet or not self._out.stdout.is_terminal:
            yield
            return
        with Live(self._status(), console=self._out.stdout, refresh_per_second=4, transient=True) as self._live:
            yield
        self._live = None

    def on_event(self, event: KioskEvent) -> None:
        """Show one event."""
        with self._lock:
            if event.kind is KioskEventKind.DECISION:
                self._decision(event)
            elif event.kind is KioskEventKind.DELIVERED:
                self._delivered(event)
            elif event.kind is KioskEventKind.RUNNING:
                self._rate = _("{count} pictures/s", count=f"{event.frames_per_s:.0f}")
            elif event.kind is not KioskEventKind.SUMMARY:
                self._remark(event)
            if self._live is not None:
                self._live.update(self._status())

    def show_summary(self, summary: KioskSummary) -> None:
        """Show the last line."""
        if self._out.as_json:
            print_json(data.kiosk_summary(summary))
            return
        counts = _(
            "{recorded} recorded, {again} recorded before, {refused} refused; {frames} frames in {seconds} s.",
            recorded=summary.recorded,
            again=summary.already_recorded,
            refused=summary.refused,
            frames=summary.frames,
            seconds=f"{summary.seconds:.1f}",
        )
        self._out.line(f"{_(KIOSK_ENDINGS.get(summary.reason, summary.reason))} {counts}", "bold")
        if summary.pending:
            waiting = _("{count} punches wait on this kiosk; they are passed on by themselves.", count=summary.pending)
            self._out.warn(waiting)

    def _decision(self, event: KioskEvent) -> None:
        assert event.outcome is not None
        message = tell_decision(event, self._zone)
        welcome = event.result is not None or event.outcome is Outcome.PENDING
        self._recorded += event.outcome is Outcome.RECOGNIZED
        self._pending += event.outcome is Outcome.PENDING
        self._refused += not welcome
        if self._out.as_json:
            print_json(data.decision(event, message))
        else:
            style = "yellow" if not welcome else "green" if event.result else "cyan"
            self._show(event, message, style)
        self._play(event.outcome, message)

    def _delivered(self, event: KioskEvent) -> None:
        assert event.result is not None
        self._recorded += event.outcome is Outcome.RECOGNIZED
        self._pending = max(0, self._pending - 1)
        message = _("In the database now: {message}", message=greet(event.result, self._zone))
        if self._out.as_json:
            print_json(data.decision(event, message))
        else:
            self._show(event, message, "green")

    def _show(self, event: KioskEvent, message: str, style: str) -> None:
        self._last = f"{event.at.astimezone(self._zone):%H:%M:%S}  {message}"
        self._out.line(self._last, style)

    def warn(self, text: str) -> None:
        """Show what people must not miss."""
        if self._live is None:
            self._out.warn(text)
        else:
            # Two streams on one terminal would tear the live lines.
            self._out.line(text, "yellow")

    def note(self, text: str) -> None:
        """Show a remark; above the live lines it is told once and scrolls away."""
        if self._live is None:
            self._out.note(text)
        else:
            self._out.line(text, "dim")

    def _remark(self, event: KioskEvent) -> None:
        text = self._text(event)
        if event.kind in _CAMERA and self._out.as_json:
            print_json(data.camera_event(event, text))
        if event.kind in (KioskEventKind.CAMERA_LOST, KioskEventKind.TROUBLE):
            self.warn(text)
        elif event.kind is KioskEventKind.PROMPT and self._out.as_json:
            print_json(data.prompt(event, text))
        elif event.kind is KioskEventKind.PROMPT:
            self._out.line(f"{event.at.astimezone(self._zone):%H:%M:%S}  {text}", "cyan")
        else:
            self.note(text)
        if event.kind is KioskEventKind.CAMERA_LOST:
            self._camera, self._lost = _("Camera lost, trying again"), True
        elif event.kind in (KioskEventKind.STARTED, KioskEventKind.CAMERA_BACK):
            self._camera, self._lost = _("Camera on"), False

    @staticmethod
    def _text(event: KioskEvent) -> str:
        if event.request is None:
            return fill(event.detail, event.params)
        who = event.employee.name if event.employee else _("Person {track}", track=event.track)
        return describe_request(event.request, name=who)

    def _status(self) -> Text:
        """Return the state, as many lines as it needs on this terminal; only the last decision may be cut off."""
        parts = [
            self._camera,
            self._rate,
            _("{recorded} recorded, {refused} refused", recorded=self._recorded, refused=self._refused),
            _("{pending} kept on this kiosk", pending=self._pending) if self._pending else "",
            _("Ctrl-C ends"),
        ]
        width = self._out.stdout.width
        lines = [*_flow([part for part in parts if part], width), _cut(self._last, width)]
        style = "bold white on red" if self._lost else "bold"
        return Text("\n".join(line for line in lines if line), style=style, no_wrap=True, overflow="crop")


def _flow(parts: Sequence[str], width: int) -> list[str]:
    """Put parts side by side, each whole, on lines of at most ``width`` columns."""
    lines = [""]
    for part in parts:
        joined = f"{lines[-1]}{_BETWEEN}{part}" if lines[-1] else part
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


def _cut(text: str, width: int) -> str:
    cut = Text(one_line(text))
    cut.truncate(width, overflow="ellipsis")
    return cut.plain
