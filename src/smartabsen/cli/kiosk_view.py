"""What a running kiosk shows: JSON lines for scripts, a line for each decision and a live line for people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import tzinfo

from rich.live import Live
from rich.text import Text

from ..domain import KioskEvent, KioskEventKind, KioskSummary, Outcome
from ..i18n import _
from ..messages import KIOSK_ENDINGS, fill, greet, refusal
from . import data
from .answer import one_line, print_json
from .output import Output

Play = Callable[[Outcome, str], None]
"""Lets people hear a decision: its outcome, and the sentence that greets or refuses them."""


_STATES = (KioskEventKind.STARTED, KioskEventKind.CAMERA_LOST, KioskEventKind.CAMERA_BACK)


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
        self._state = _("Starting the camera …")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep a live line at the bottom of a terminal for a ``with`` block."""
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

    def _decision(self, event: KioskEvent) -> None:
        assert event.outcome is not None
        message = greet(event.result, self._zone) if event.result else refusal(event.outcome)
        self._recorded += event.outcome is Outcome.RECOGNIZED
        self._refused += event.result is None
        if self._out.as_json:
            print_json(data.decision(event, message))
        else:
            style = "green" if event.result else "yellow"
            self._out.line(f"{event.at.astimezone(self._zone):%H:%M:%S}  {message}", style)
        self._play(event.outcome, message)

    def warn(self, text: str) -> None:
        """Show what people must not miss."""
        if self._live is None:
            self._out.warn(text)
        else:
            # Two streams on one terminal would tear the live line.
            self._out.line(text, "yellow")

    def _remark(self, event: KioskEvent) -> None:
        text = fill(event.detail, event.params)
        if event.kind in (KioskEventKind.CAMERA_LOST, KioskEventKind.TROUBLE):
            self.warn(text)
        elif self._live is None:
            self._out.note(text)
        if event.kind in _STATES:
            self._state = one_line(text)

    def _status(self) -> Text:
        counts = _("{recorded} recorded, {refused} refused", recorded=self._recorded, refused=self._refused)
        keys = _("Ctrl-C ends")
        return Text(f"{self._state}  ·  {counts}  ·  {keys}", style="bold", overflow="ellipsis", no_wrap=True)
