"""``smartabsen punch``."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ... import wire
from ...kernel.i18n import _
from ...kernel.messages import greet
from ..answer import Answer
from ..command import command, make_noun
from ..parameters import Code
from ..session import Session

app = make_noun()


@command(
    app,
    "punch",
    help=_("Record a punch by hand.") + "\n\n" + _("It is recorded as made by hand."),
    example="smartabsen punch E001 --note 'Camera out of order'",
)
def punch(
    session: Session,
    code: Code,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help=_("Why it is recorded by hand."))] = "",
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help=_("Key of this attempt: tried again, it is recorded once.")),
    ] = None,
) -> Answer:
    """Punch for an employee now."""
    with session.open() as app:
        result = app.punch(code, note=note, key=key)
        message = greet(result, ZoneInfo(app.settings.site.zone))
    return Answer(data=wire.Punched.of(result, message=message), show=lambda out: out.line(message))
