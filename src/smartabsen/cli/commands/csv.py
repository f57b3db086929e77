"""``smartabsen csv``."""

from ...kernel.i18n import _
from .. import keeping_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun(
    "csv", help=_("Compare the attendance log with the database, or make it anew."), example="smartabsen csv verify"
)


@command(
    app,
    "verify",
    help=_("Compare every file of the attendance log with the database. Nothing is changed."),
    example="smartabsen csv verify",
)
def verify(session: Session) -> Answer:
    """Compare; exit code 1 where files differ."""
    with session.open() as app:
        compared, differences = app.attendance_log.verify()
    return Answer.of(
        keeping_view.differences(compared, differences),
        lambda out: keeping_view.show_differences(out, compared, differences),
        keeping_view.log_failure(differences),
    )


@command(
    app,
    "rebuild",
    help=_("Make every file of the attendance log equal to the database.")
    + "\n\n"
    + _("A file that held something else is kept beside the new one."),
    example="smartabsen csv rebuild",
)
def rebuild(session: Session) -> Answer:
    """Make the files equal to the database."""
    with session.open() as app:
        repair = app.attendance_log.rebuild()
    return Answer(data=keeping_view.repair(repair), show=lambda out: keeping_view.show_repair(out, repair))
