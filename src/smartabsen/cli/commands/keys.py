"""``smartabsen keys``."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.errors import KeyMissingError, PartlyDoneError, SealBrokenError, SmartAbsenError
from ...kernel.i18n import N_, _
from .. import privacy_view
from ..answer import Answer
from ..command import command, make_noun
from ..parameters import ReasonIfAny
from ..session import Session

app = make_noun(
    "keys", help=_("Make, change and check the keys that faces are sealed with."), example="smartabsen keys check"
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))]


@command(
    app,
    "init",
    help=_("Make the first key; where there is one, say which.")
    + "\n\n"
    + _("The first enrolment does this by itself. The key is never printed: keep a copy of its file."),
    example="smartabsen keys init",
)
def init(
    session: Session,
    discard_lost: Annotated[
        bool,
        typer.Option(
            "--discard-lost", help=_("The key is lost for good: delete every face that it sealed, and begin anew.")
        ),
    ] = False,
    yes: Yes = False,
) -> Answer:
    """Make a key."""
    with session.open() as app:
        if discard_lost:
            question = _("Every face is deleted, and everybody must be enrolled again. Is the key lost for good?")
            privacy_view.confirm(session, question, yes=yes)
        made = app.keys.init(discard_lost=discard_lost)
    return Answer(data=privacy_view.key_init(made), show=lambda out: privacy_view.show_key_init(out, made))


@command(
    app,
    "rotate",
    help=_("Make a new key, and seal everything with it.")
    + "\n\n"
    + _("It can be interrupted; the same command goes on. Old keys are kept: older backups need them.")
    + "\n\n"
    + _("Exit code 7 when rows keep the old seal, because they do not open."),
    example="smartabsen keys rotate",
)
def rotate(
    session: Session,
    forget_old: Annotated[
        bool, typer.Option("--forget-old", help=_("Drop the old keys: older backups can no longer be opened."))
    ] = False,
    reason: ReasonIfAny = "",
    yes: Yes = False,
) -> Answer:
    """Rotate."""
    with session.open() as app:
        if forget_old:
            question = _("Faces in older backups can no longer be opened then. Go on?")
            privacy_view.confirm(session, question, yes=yes)
        with session.out.progress(_("Rows")) as progress:
            done = app.keys.rotate(forget_old=forget_old, reason=reason, on_progress=progress)
    failure: SmartAbsenError | None = None
    if done.left:
        failure = PartlyDoneError(
            N_("Rows that do not open and keep their old seal: {count}. No other key is made while they are there."),
            hint=N_("“smartabsen keys check” names them."),
            count=done.left,
        )
    return Answer.of(privacy_view.key_rotation(done), lambda out: privacy_view.show_key_rotation(out, done), failure)


@command(
    app,
    "check",
    help=_("Open everything that is sealed, and say what does not open.")
    + "\n\n"
    + _("Exit code 6 when something does not open."),
    example="smartabsen keys check",
)
def check(
    session: Session,
    delete_broken: Annotated[
        bool, typer.Option("--delete-broken", help=_("Delete rows that were changed, moved or never sealed."))
    ] = False,
    yes: Yes = False,
) -> Answer:
    """Check."""
    with session.open() as app:
        if delete_broken:
            question = _("Broken rows are deleted; their people must be enrolled again. Go on?")
            privacy_view.confirm(session, question, yes=yes)
        found = app.keys.check(delete_broken=delete_broken)
        zone = ZoneInfo(app.settings.site.zone)
    failure: SmartAbsenError | None = None
    if not found.intact:
        no_key = found.model == "no_key" or any(row.problem == "no_key" for row in found.broken)
        kind = KeyMissingError if no_key else SealBrokenError
        failure = kind(
            N_("Not everything opens with the keys in {place}."),
            hint=N_("A missing key: put its file back. Broken rows: --delete-broken, then enrol these people again."),
            place=found.place,
        )
    return Answer.of(privacy_view.key_check(found), lambda out: privacy_view.show_key_check(out, found, zone), failure)
