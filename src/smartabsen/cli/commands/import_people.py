"""``smartabsen import``."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from ... import wire
from ...kernel.domain import ImportReport, ImportVerdict
from ...kernel.errors import PartlyDoneError
from ...kernel.i18n import N_, _
from .. import tables
from ..answer import INTERRUPTED, Answer, Problem, problem_of
from ..command import command, make_noun
from ..parameters import AllowDuplicate, Consent, Detector
from ..session import Session
from ..signals import interrupt_on_sigterm

app = make_noun()

_ASSIGNMENT: Final = re.compile(r'\s*(?P<name>\w[\w ]*?)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^",]*))\s*(?:,|\Z)')


@command(
    app,
    "import",
    help=_("Enrol many people from a table of names and photos.")
    + "\n\n"
    + _(
        "Columns: code, name, position, photos (several separated by |; or photos found as DIR/<code>/* and "
        "DIR/<code>.jpg, DIR/<code>_2.jpg), consent (yes, no or a date as 30/11/2025). Titles are looked for in the "
        "first rows of every sheet, in English and Indonesian; --columns and --sheet say what is meant. The same file "
        "can be imported again: nothing is doubled. Exit code 7 when rows were rejected."
    ),
    example="smartabsen import people.csv --photos photos/ --dry-run\nsmartabsen import people.csv --photos photos/\n"
    "smartabsen import hr.xlsx --sheet Data --columns code=NIK,name=Nama",
)
def import_people(
    session: Session,
    people: Annotated[Path, typer.Argument(metavar="PEOPLE", readable=False, help=_("CSV or XLSX file."))],
    photos: Annotated[
        Path | None, typer.Option("--photos", metavar="DIR", readable=False, help=_("Directory of the photos."))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show the verdicts, write nothing."))] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help=_("Write rejected rows with their reasons to it."))
    ] = None,
    on_conflict: Annotated[
        Literal["skip", "update", "fail"], typer.Option("--on-conflict", help=_("What to do with a code that exists."))
    ] = "skip",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=64, help=_("Processes; one for each core by default."))
    ] = None,
    sheet: Annotated[str, typer.Option("--sheet", metavar="NAME", help=_("Sheet of the workbook."))] = "",
    columns: Annotated[
        str,
        typer.Option(
            "--columns",
            metavar="NAME=TITLE,...",
            help=_('Columns by their titles in the file, as code=NIK,name="Nama Karyawan"; an empty title: none.'),
        ),
    ] = "",
    consent: Consent = False,
    allow_duplicate: AllowDuplicate = False,
    detector: Detector = None,
) -> Answer:
    """Import, write the rejects if asked, and answer with the verdict of each row."""
    titles = _titles(columns)
    with session.open({"recognition.detector": detector}) as app, interrupt_on_sigterm():
        session.prepare_engine(app)
        with session.out.progress(_("Photos"), at_once=False) as progress:
            report = app.import_people(
                people,
                photos_dir=photos,
                dry_run=dry_run,
                on_conflict=on_conflict,
                allow_duplicate=allow_duplicate,
                workers=workers,
                consent=consent,
                sheet=sheet,
                columns=titles,
                ask=session.choose if session.out.can_ask() else None,
                on_progress=progress,
            )
        if rejects is not None:
            app.write_rejects(report, rejects)
        session.tell_calibration(app)
    problems, exit_code = _problems(report)
    return Answer(
        data=wire.Imported.of(report),
        show=lambda out: tables.show_import(out, report),
        problems=problems,
        exit_code=exit_code,
    )


def _titles(given: str) -> dict[str, str]:
    """Read ``code=NIK,name="Nama, lengkap"``; quotes hold titles with commas."""
    titles: dict[str, str] = {}
    place = 0
    while place < len(given):
        found = _ASSIGNMENT.match(given, place)
        if found is None or found["name"].casefold() in titles:
            raise typer.BadParameter(
                _('“{given}” cannot be read: it looks like code=NIK,name="Nama Karyawan".', given=given),
                param_hint="--columns",
            )
        quoted = found["quoted"]
        titles[found["name"].casefold()] = (found["plain"] if quoted is None else quoted).strip()
        place = found.end()
    return titles


def _problems(report: ImportReport) -> tuple[tuple[Problem, ...], int]:
    if report.interrupted:
        hint = _("Run the same command again: it goes on where it stopped.")
        return (Problem("interrupted", _("Interrupted."), hint),), INTERRUPTED
    rejected = report.count(ImportVerdict.REJECTED, ImportVerdict.PENDING)
    if not rejected:
        return (), 0
    if rejected == len(report.rows):
        return (Problem("refused", _("No row was imported.")),), 1
    error = PartlyDoneError(N_("Rejected rows: {count} of {all}."), count=rejected, all=len(report.rows))
    return (problem_of(error),), error.exit_code
