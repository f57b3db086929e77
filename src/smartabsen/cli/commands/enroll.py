"""``smartabsen enroll``."""

from pathlib import Path
from typing import Annotated

import typer

from ...kernel.domain import EnrolReport, PhotoVerdict
from ...kernel.i18n import _
from ...kernel.messages import describe_verdict
from .. import data, privacy_view, tables
from ..answer import Answer, Problem
from ..command import command, make_noun
from ..output import Output
from ..parameters import AllowDuplicate, Consent, Detector
from ..session import Session

ADVISED_PHOTOS = 3
"""So many photos of each person the published accuracy was measured with."""

app = make_noun()


@command(
    app,
    "enroll",
    help=_("Enrol a person from photos or from a camera.")
    + "\n\n"
    + _("Each photo gets a verdict. Exit code 0 when at least one photo was accepted."),
    example="smartabsen enroll 'Siti Rahma' front.jpg left.jpg --code E001 --consent",
)
def enroll(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("Full name of the person."))],
    code: Annotated[str, typer.Option("--code", metavar="CODE", help=_("The employer's unique code."))],
    photos: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PHOTO", readable=False, help=_("Photos of the person, or folders of photos.")),
    ] = None,
    position: Annotated[str, typer.Option("--position", metavar="TEXT", help=_("Job title."))] = "",
    camera: Annotated[
        str | None, typer.Option("--camera", metavar="SRC", help=_("Take photos: number, rtsp://..., file, folder."))
    ] = None,
    shots: Annotated[int, typer.Option("--shots", min=1, max=50, help=_("Photos to take at the camera."))] = 5,
    no_photos: Annotated[
        bool, typer.Option("--no-photos", help=_("Add the person without a face: punches are made by hand."))
    ] = False,
    consent: Consent = False,
    allow_duplicate: AllowDuplicate = False,
    detector: Detector = None,
) -> Answer:
    """Enrol from photos, from a guided capture, or without a face."""
    if [bool(photos), bool(camera), no_photos].count(True) != 1:
        raise typer.BadParameter(_("Give either photos, or --camera, or --no-photos."))
    with session.open({"recognition.detector": detector}) as app:
        if not no_photos:
            consent = privacy_view.ask_consent(session, app, name=name, code=code, given=consent)
            session.prepare_engine(app)
        if camera:
            report = app.enrol_from_camera(
                name,
                code=code,
                camera=camera,
                shots=shots,
                position=position,
                allow_duplicate=allow_duplicate,
                consent=consent,
                on_event=lambda event: _guide(session.out, event),
            )
        else:
            with session.out.progress(_("Photos")) as progress:
                report = app.enrol(
                    name,
                    list(photos or ()),
                    code=code,
                    position=position,
                    allow_duplicate=allow_duplicate,
                    consent=consent,
                    on_progress=progress,
                )
        session.tell_calibration(app)
    return _answer(report)


def _answer(report: EnrolReport) -> Answer:
    def show(out: Output) -> None:
        tables.show_enrolment(out, report)
        if report.accepted:
            if report.employee.templates - report.copies < ADVISED_PHOTOS:
                out.note(_("Better with {count} photos or more: from the front, then in other light.",
                           count=ADVISED_PHOTOS))  # fmt: skip
            out.note(_("Next: smartabsen train"))

    failed = bool(report.verdicts) and not report.accepted
    refused = (Problem("refused", _("No photo was accepted.")),) if failed else ()
    return Answer(data=data.enrolment(report), show=show, problems=refused, exit_code=1 if refused else 0)


def _guide(out: Output, event: PhotoVerdict | int) -> None:
    """Guide a person at the camera: the number of photos wanted, or what became of the one just taken."""
    if isinstance(event, PhotoVerdict) and event.accepted:
        # Whether it is this person's face is judged at the end, over all photos.
        out.warn(_("Photo taken."))
    elif isinstance(event, PhotoVerdict):
        out.warn(" ".join(part for part in describe_verdict(event) if part))
    else:
        out.warn(_("Look at the camera. Photos wanted: {count}", count=event))
