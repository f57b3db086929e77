"""Parameters that several commands share."""

from datetime import date
from typing import Annotated

import typer

from ..kernel.dates import read_date
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import _, describe_error

AllowDuplicate = Annotated[
    bool, typer.Option("--allow-duplicate", help=_("Enrol a face that looks like somebody enrolled, as of twins."))
]
Detector = Annotated[
    str | None,
    typer.Option("--detector", metavar="NAME", help=_("Face detector: auto, haar, hog, scrfd, yunet or retail.")),
]
Consent = Annotated[
    bool,
    typer.Option("--consent", help=_("Record consent to face recognition: see “smartabsen privacy consent-text”.")),
]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help=_("Why, for the record of who did what; asked on a terminal."))
]
ReasonIfAny = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help=_("Why, for the record of who did what; may be left out."))
]
Code = Annotated[str, typer.Argument(metavar="CODE", help=_("Code of the employee."))]
SiteOption = Annotated[str | None, typer.Option("--site", metavar="CODE", help=_("Code of the site of work."))]
DepartmentOption = Annotated[
    str | None, typer.Option("--department", metavar="CODE", help=_("Code of the department."))
]
Light = Annotated[bool, typer.Option("--light", help=_("The terminal is light; counts where it shows no colours."))]


def read_day(text: str, option: str) -> date:
    """Return the day that an option gives, as a person writes it. Raises typer.BadParameter."""
    try:
        return read_date(text)
    except InvalidInputError as exc:
        raise typer.BadParameter(describe_error(exc)[0], param_hint=option) from exc
