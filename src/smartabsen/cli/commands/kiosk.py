"""``smartabsen run-kiosk``."""

from contextlib import closing
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from ...kernel.domain import KioskEvent, KioskEventKind
from ...kernel.errors import PartlyDoneError
from ...kernel.i18n import _
from .. import sign_in_view
from ..answer import INTERRUPTED
from ..command import command, make_noun
from ..kiosk_view import KioskView
from ..parameters import Detector
from ..session import Session
from ..signals import stop_on_signals
from ..sound import Sound

app = make_noun()


@command(
    app,
    "run-kiosk",
    help=_("Recognise people at a camera and record their attendance.")
    + "\n\n"
    + _("Ends with a summary: after --max-seconds, at the end of a recording, on SIGTERM or Ctrl-C (exit code 130).")
    + "\n\n"
    + _("Exit code 7 when a punch could be stored nowhere; nobody was told that it was.")
    + "\n\n"
    + _("One process at a time has a camera or a stream; video files and folders may be played by several at once.")
    + "\n\n"
    + _(
        "With --json it prints one line of JSON for each decision and each movement that is asked for, and a last one "
        "with the summary."
    )
    + "\n\n"
    + _("With --require-qr nothing is recognised before a phone has confirmed; “smartabsen serve” must run for that."),
    example="smartabsen run-kiosk --camera 0\n"
    "smartabsen run-kiosk --camera 0 --require-qr\n"
    "smartabsen run-kiosk --camera door.mp4 --headless --json",
)
def run_kiosk(
    session: Session,
    camera: Annotated[
        str | None, typer.Option("--camera", metavar="SRC", help=_("Number, rtsp://..., video file or folder."))
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help=_("Open no window."))] = False,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", min=0, metavar="S", help=_("End after so many seconds."))
    ] = None,
    sound: Annotated[
        Literal["off", "beep", "voice"] | None, typer.Option("--sound", help=_("How a decision is heard."))
    ] = None,
    require_qr: Annotated[
        bool, typer.Option("--require-qr", help=_("Ask for a confirmation by phone before the camera opens."))
    ] = False,
    detector: Detector = None,
) -> None:
    """Run until the end and print as it goes; Ctrl-C ends with exit code 130."""
    with session.open({"kiosk.sound": sound, "recognition.detector": detector}) as app, stop_on_signals() as stop:
        if require_qr and not sign_in_view.wait_for_phone(session.out, app, stop.event):
            raise typer.Exit(INTERRUPTED if stop.interrupted else 0)
        player = Sound(app.settings.kiosk.sound, notice=lambda message: session.out.warn(_(message)))
        view = KioskView(session.out, ZoneInfo(app.settings.site.zone), player.play)

        def on_event(event: KioskEvent) -> None:
            if event.kind is KioskEventKind.STARTED:
                session.tell_engine(app, view.note)
            session.tell_notices(app, view.warn)
            view.on_event(event)

        with closing(player), view.running():
            summary = app.run_kiosk(
                camera=camera,
                max_seconds=max_seconds,
                on_event=on_event,
                stop=stop.event,
                window=not headless,
            )
    view.show_summary(summary)
    if stop.interrupted:
        raise typer.Exit(INTERRUPTED)
    if summary.lost:
        raise typer.Exit(PartlyDoneError.exit_code)
