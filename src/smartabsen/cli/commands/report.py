"""``smartabsen report``."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import typer

from ... import wire
from ...kernel.dates import read_date
from ...kernel.domain import Report
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import _, describe_error
from .. import tables
from ..answer import Answer
from ..command import command, make_noun
from ..output import Output
from ..session import Session

if TYPE_CHECKING:
    from ...app.facade import SmartAbsen

app = make_noun()

Format: TypeAlias = Literal["table", "csv", "json", "xlsx"]
FileKind: TypeAlias = Literal["csv", "xlsx"]
_FILES: Final[tuple[FileKind, ...]] = ("csv", "xlsx")


@command(
    app,
    "report",
    help=_("Show or export attendance days and totals.")
    + "\n\n"
    + _("From the first of this month to today, unless told otherwise. CSV goes to stdout when there is no --output.")
    + "\n\n"
    + _("A table, JSON and XLSX have the days and the totals of each employee; a CSV has one of the two."),
    example="smartabsen report --from 2026-11-01 --to 2026-11-30 --output november.xlsx",
)
def report(
    session: Session,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help=_("First day, as 1/11/2026 or 2026-11-01."))
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help=_("Last day."))] = None,
    format: Annotated[Format | None, typer.Option("--format", help=_("By default a table, or what FILE is."))] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", readable=False, help=_("Write a .csv or .xlsx file.")),
    ] = None,
    employee: Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("Only this employee."))] = None,
    totals: Annotated[bool, typer.Option("--totals", help=_("CSV with the totals instead of the days."))] = False,
) -> Answer:
    """Report days and totals; a file where one is asked for."""
    if format == "json":
        session.use_json()
    kind = _file_kind(format, output)
    if totals and kind != "csv":
        raise typer.BadParameter(_("--totals belongs to a CSV: --format csv, or --output FILE.csv."))
    with session.open() as app:
        first_day, last_day = _period(first, last, app.desk.work_date())
        result = app.report(first_day, last_day, code=employee)
        show = _writer(app, result, kind, output, totals=totals)
    written = {"output": str(output)} if output else {}
    return Answer(data={**wire.Attendance.of(result).plain(), **written}, show=show)


def _file_kind(format: Format | None, output: Path | None) -> FileKind | None:
    """Say which file is wanted, None where none is."""
    if output is None:
        if format == "xlsx":
            raise typer.BadParameter(_("xlsx needs --output FILE."))
        return "csv" if format == "csv" else None
    wanted = output.suffix.lower().lstrip(".") if format in (None, "json") else format
    for kind in _FILES:
        if wanted == kind:
            return kind
    raise typer.BadParameter(_("--output writes csv or xlsx."))


def _period(first: str | None, last: str | None, today: date) -> tuple[date, date]:
    last_day = _day(last, "--to") or today
    return _day(first, "--from") or last_day.replace(day=1), last_day


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return read_date(text)
    except InvalidInputError as exc:
        raise typer.BadParameter(describe_error(exc)[0], param_hint=option) from exc


def _writer(
    app: "SmartAbsen", result: Report, kind: FileKind | None, output: Path | None, *, totals: bool
) -> Callable[[Output], None]:
    """Write the file if one is wanted, and return what people see."""
    if output is not None and kind is not None:
        app.write_report(result, output, format=kind, totals=totals)
        return lambda out: out.note(_("Written: {path}", path=output))
    if kind is None:
        return lambda out: tables.show_report(out, result)
    text = app.report_text(result, totals=totals)
    return lambda out: out.write_text(text)
