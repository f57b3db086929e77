"""Parameters that several commands share."""

from typing import Annotated

import typer

from ..kernel.i18n import _

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
Light = Annotated[bool, typer.Option("--light", help=_("The terminal is light; counts where it shows no colours."))]
