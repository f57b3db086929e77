"""Everything around a kiosk: the lock, the camera, the log made equal first, the window."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from ..camera.window import PreviewWindow, can_show
from ..domain import Face, ImageBGR, KioskEvent, KioskEventKind, KioskSummary, LivenessPrompt, Outcome
from ..errors import CameraError
from ..i18n import N_, _
from ..messages import PROMPTS
from ..recognition.annotate import Label, draw, draw_banner
from ..recognition.recognizer import Recognizer
from .bootstrap import Services
from .ending import Ending
from .gallery import LiveGallery
from .gallery_watch import GalleryWatch
from .identify import take_over_engine
from .kiosk import Announce, Kiosk
from .kiosk_liveness import KioskLiveness
from .kiosk_start import PunchesOf, open_without_waiting
from .limits import RateLimits
from .liveness import Attempts
from .punch import attempt_by_face
from .punch_writer import PunchWriter
from .refusals import RefusalLog

WINDOW_TITLE = "smartabsen"


class WindowView:
    """Shows frames with their faces in a window."""

    def __init__(self) -> None:
        self._window = PreviewWindow(WINDOW_TITLE)

    @property
    def wants_quit(self) -> bool:
        """Whether the person closed the window or pressed q."""
        return self._window.wants_quit

    def show(self, image_bgr: ImageBGR, faces: list[tuple[Face, Outcome | None, str]]) -> None:
        """Show a frame."""
        self._window.show(draw(image_bgr, [Label(face.box_xyxy, outcome, name) for face, outcome, name in faces]))

    def close(self) -> None:
        """Close the window."""
        self._window.close()

    def show_lost(self, image_bgr: ImageBGR | None) -> None:
        """Show that the camera gives no pictures."""
        last = np.zeros((360, 640, 3), np.uint8) if image_bgr is None else image_bgr
        self._window.show(draw_banner(last, _("No picture from the camera.")))


def run(
    services: Services,
    *,
    camera: str,
    max_seconds: float | None,
    announce: Announce,
    stop: threading.Event,
    window: bool,
) -> KioskSummary:
    """Run a kiosk; see :meth:`smartabsen.core.app.SmartAbsen.run_kiosk`."""
    ending = Ending(stop, max_seconds=max_seconds)
    start = open_without_waiting(services)
    view, why = _open_view(wanted=window)
    with services.camera_lock(camera), GalleryWatch(services):
        source = services.open_camera(
            camera,
            stop=ending,
            on_lost=partial(_tell_loss, announce, KioskEventKind.CAMERA_LOST),
            on_back=lambda: _tell(announce, KioskEventKind.CAMERA_BACK, N_("The camera is back."), ()),
            on_skip=partial(_tell_loss, announce, KioskEventKind.TROUBLE),
        )
        try:
            zone = services.site_zone
            now = f"{services.clock.now().at.astimezone(zone):%H:%M} {zone.key}"
            details = (("camera", source.name), ("view", why), ("people", str(start.gallery.people)), ("time", now))
            started = N_("Camera: {camera}. People in the model: {people}. View: {view}. Time: {time}.")
            _tell(announce, KioskEventKind.STARTED, started, details)
            for detail, params in start.remarks:
                _tell(announce, KioskEventKind.TROUBLE, detail, params)
            log = RefusalLog(services, threshold=start.gallery.threshold, margin=start.gallery.margin)
            galleries = [start.gallery]

            def renew() -> tuple[Recognizer, LiveGallery]:
                galleries.append(take_over_engine(services, galleries[-1]))
                log.take_limits(threshold=galleries[-1].threshold, margin=galleries[-1].margin)
                return services.at_kiosk, galleries[-1]

            kiosk = Kiosk(
                frames=source,
                recognizer=services.at_kiosk,
                gallery=start.gallery,
                attempt=partial(attempt_by_face, services),
                liveness=KioskLiveness(
                    services.liveness,
                    Attempts(services.settings.liveness, RateLimits(services)),
                    recognizer=services.at_kiosk,
                    gallery=start.gallery,
                    live=source.live,
                    prompt=partial(_tell_prompt, announce),
                ),
                writer=PunchWriter(PunchesOf(services), services.punch_queue, services.clock),
                clock=services.clock,
                votes=services.settings.kiosk.votes,
                announce=partial(_announce_and_log, announce, log),
                stop=ending,
                zone=ZoneInfo(services.settings.site.zone),
                view=view,
                people=start.people,
                renew=renew,
            )
            with log:
                return kiosk.run()
        finally:
            source.close()
            if view is not None:
                view.close()


def _announce_and_log(announce: Announce, log: RefusalLog, event: KioskEvent) -> None:
    log.note(event)
    announce(event)


def _open_view(*, wanted: bool) -> tuple[WindowView | None, str]:
    if not wanted:
        return None, N_("no window was wanted")
    reason = can_show()
    if reason is None:
        return WindowView(), N_("a window shows the camera, q closes it")
    return None, reason


def _tell_loss(announce: Announce, kind: KioskEventKind, error: CameraError) -> None:
    _tell(announce, kind, error.message_id, error.text_params)


def _tell_prompt(announce: Announce, track: int, prompt: LivenessPrompt) -> None:
    announce(KioskEvent(KioskEventKind.PROMPT, datetime.now(UTC), track=track, detail=PROMPTS[prompt], prompt=prompt))


def _tell(announce: Announce, kind: KioskEventKind, detail: str, params: tuple[tuple[str, str], ...]) -> None:
    announce(KioskEvent(kind, datetime.now(UTC), detail=detail, params=params))
