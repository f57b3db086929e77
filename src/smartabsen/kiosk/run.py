"""Everything around a kiosk: the lock, the camera, the log made equal first, the window."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ..app.bootstrap import Services
from ..attendance.punch import attempt_by_face
from ..camera.address import display_name
from ..camera.base import FrameSource
from ..camera.window import PreviewWindow, can_show
from ..gallery.gallery import LiveGallery
from ..gallery.gallery_watch import GalleryWatch
from ..gallery.identify import take_over_engine
from ..gallery.liveness import Attempts
from ..gallery.refusals import RefusalLog
from ..kernel.domain import ImageBGR, KioskEvent, KioskEventKind, KioskSummary
from ..kernel.ending import Ending
from ..kernel.errors import CameraError
from ..kernel.i18n import N_, _, describe_error
from ..kernel.texts import shortened
from ..org.limits import RateLimits
from ..recognition.annotate import SIGNS, Label, draw, draw_banner
from ..recognition.recognizer import Recognizer
from ..store.tables import NOTE_LENGTH
from .camera_report import CameraReport
from .frames import RememberedFrames
from .kiosk import Announce, Kiosk
from .liveness import KioskLiveness
from .parts import ShownFace
from .punch_writer import PunchWriter
from .start import PunchesOf, open_without_waiting

WINDOW_TITLE = "smartabsen"


class WindowView:
    """Shows frames with their faces in a window.

    Args:
        mirrored: The camera gives mirrored pictures already.
    """

    def __init__(self, *, mirrored: bool) -> None:
        self._window = PreviewWindow(WINDOW_TITLE)
        self._mirrored = mirrored
        self.lost_because = ""
        """What is wrong with the camera, in the language of the people here."""

    @property
    def wants_quit(self) -> bool:
        """Whether the person closed the window or pressed q."""
        return self._window.wants_quit

    def show(self, image_bgr: ImageBGR, faces: list[ShownFace]) -> None:
        """Show a frame as a mirror does: who is asked to turn to the left sees the face and the arrow go left."""
        labels = [_label(each, None if self._mirrored else image_bgr.shape[1]) for each in faces]
        self._window.show(draw(image_bgr if self._mirrored else image_bgr[:, ::-1], labels))

    def close(self) -> None:
        """Close the window."""
        self._window.close()

    def show_lost(self, image_bgr: ImageBGR | None) -> None:
        """Show that the camera gives no pictures."""
        last = np.zeros((360, 640, 3), np.uint8) if image_bgr is None else image_bgr
        text = self.lost_because or _("No picture from the camera.")
        self._window.show(draw_banner(last, text))


def run(
    services: Services,
    *,
    camera: str,
    max_seconds: float | None,
    announce: Announce,
    stop: threading.Event,
    window: bool,
) -> KioskSummary:
    """Run a kiosk; see :meth:`smartabsen.app.facade.SmartAbsen.run_kiosk`."""
    ending = Ending(stop, max_seconds=max_seconds)
    start = open_without_waiting(services)
    view, why = _open_view(wanted=window, mirrored=services.settings.liveness.mirrored)
    report = CameraReport(services)
    announce = partial(_announce_and_note, announce, report)
    with services.camera_lock(camera), GalleryWatch(services), report:
        source = services.open_camera(
            camera,
            stop=ending,
            on_lost=partial(_tell_of_camera, announce, view),
            on_back=partial(_tell_return, announce, display_name(camera)),
            on_skip=partial(_tell_loss, announce, KioskEventKind.TROUBLE),
        )
        try:
            _tell_start(services, announce, source, people=start.gallery.people, view=why)
            for detail, params in start.remarks:
                _tell(announce, KioskEventKind.TROUBLE, detail, params)
            log = RefusalLog(services, threshold=start.gallery.threshold, margin=start.gallery.margin)
            galleries = [start.gallery]

            def renew() -> tuple[Recognizer, LiveGallery]:
                galleries.append(take_over_engine(services, galleries[-1]))
                log.take_limits(threshold=galleries[-1].threshold, margin=galleries[-1].margin)
                return services.at_kiosk, galleries[-1]

            remembered = RememberedFrames(services.settings.home, camera)
            kiosk = Kiosk(
                frames=source,
                recognizer=services.at_kiosk,
                gallery=start.gallery,
                attempt=partial(attempt_by_face, services, note="" if source.live else _test_source(source.name)),
                liveness=KioskLiveness(
                    services.liveness,
                    Attempts(services.settings.liveness, RateLimits(services)),
                    recognizer=services.at_kiosk,
                    gallery=start.gallery,
                    watch=remembered.watch if source.live else None,
                    too_slow=partial(_tell_too_slow, announce),
                    keep=remembered.keep,
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
                summary = kiosk.run()
            if source.live:
                remembered.keep()
            return summary
        finally:
            source.close()
            if view is not None:
                view.close()


def _announce_and_note(announce: Announce, report: CameraReport, event: KioskEvent) -> None:
    report.note(event)
    announce(event)


def _announce_and_log(announce: Announce, log: RefusalLog, event: KioskEvent) -> None:
    log.note(event)
    announce(event)


def _label(shown: ShownFace, mirror_px: int | None) -> Label:
    left, top, right, bottom = shown.face.box_xyxy
    box = (left, top, right, bottom) if mirror_px is None else (mirror_px - right, top, mirror_px - left, bottom)
    request = shown.request
    if request is None:
        return Label(box, shown.outcome, shown.text)
    return Label(box, shown.outcome, shown.text, sign=SIGNS.get(request.prompt), progress=request.progress)


def _open_view(*, wanted: bool, mirrored: bool) -> tuple[WindowView | None, str]:
    if not wanted:
        return None, N_("no window was wanted")
    reason = can_show()
    if reason is None:
        return WindowView(mirrored=mirrored), N_("a window shows the camera, q closes it")
    return None, reason


def _test_source(name: str) -> str:
    """Return what a punch says that no camera saw: a file shows the same people whenever it is played."""
    return shortened(_("test source: {file}", file=Path(name).name), NOTE_LENGTH)


def _tell_start(services: Services, announce: Announce, source: FrameSource, *, people: int, view: str) -> None:
    zone = services.site_zone
    now = f"{services.clock.now().at.astimezone(zone):%H:%M} {zone.key}"
    details = (("camera", source.name), ("view", view), ("people", str(people)), ("time", now))
    started = N_("Camera: {camera}. People in the model: {people}. View: {view}. Time: {time}.")
    if not source.live:
        started = N_(
            "Test source: {camera}; its punches say so. People in the model: {people}. View: {view}. Time: {time}."
        )
    _tell(announce, KioskEventKind.STARTED, started, details)


def _tell_too_slow(announce: Announce) -> None:
    slow = N_(
        "The camera gives too few pictures a second to tell whether it shows the present: nobody is recorded until "
        "enough were compared."
    )
    _tell(announce, KioskEventKind.TROUBLE, slow, ())


def _tell_return(announce: Announce, camera: str) -> None:
    _tell(announce, KioskEventKind.CAMERA_BACK, N_("The camera is back."), (("camera", camera),))


def _tell_of_camera(announce: Announce, view: WindowView | None, error: CameraError) -> None:
    if view is not None:
        view.lost_because = describe_error(error)[0]
    _tell_loss(announce, KioskEventKind.CAMERA_LOST, error)


def _tell_loss(announce: Announce, kind: KioskEventKind, error: CameraError) -> None:
    _tell(announce, kind, error.message_id, error.text_params)


def _tell(announce: Announce, kind: KioskEventKind, detail: str, params: tuple[tuple[str, str], ...]) -> None:
    announce(KioskEvent(kind, datetime.now(UTC), detail=detail, params=params))
