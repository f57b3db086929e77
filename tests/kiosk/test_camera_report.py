"""What the dashboard and the doctor know of a kiosk's camera."""

from __future__ import annotations

from datetime import UTC, datetime

from smartabsen import KioskEvent, KioskEventKind, SmartAbsen
from smartabsen.kernel.domain import CheckLevel
from smartabsen.kiosk.camera_report import CameraReport

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
LOST = KioskEvent(
    KioskEventKind.CAMERA_LOST,
    NOW,
    detail="The picture of the camera “{camera}” stands still.",
    params=(("camera", "door"),),
)


def test_a_camera_in_trouble_is_told_until_it_is_back(app: SmartAbsen) -> None:
    """To the dashboard and the doctor, also after the kiosk has ended; its next start finds out anew."""
    with CameraReport(app.services) as report:
        report.note(LOST)
    (trouble,) = app.desk.today().cameras
    (row,) = [row for row in app.check_health() if row.name == "kiosks"]
    assert (trouble.kiosk, trouble.detail, trouble.since) == (app.services.kiosk_name, LOST.detail, NOW)
    assert row.level is CheckLevel.FAIL and "stands still" in dict(row.params)["problem"]

    with CameraReport(app.services) as report:
        report.note(LOST)
        report.note(KioskEvent(KioskEventKind.CAMERA_BACK, NOW, detail="The camera is back."))
    assert app.desk.today().cameras == ()
