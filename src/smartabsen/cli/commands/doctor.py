"""``smartabsen doctor``."""

from ... import wire
from ...kernel.domain import CheckLevel
from ...kernel.errors import ConfigError
from ...kernel.i18n import _
from .. import tables
from ..answer import Answer, Problem
from ..command import command, make_noun
from ..session import Session, check_machine

app = make_noun()


@command(
    app,
    "doctor",
    help=_("Check this installation; each finding comes with its remedy.")
    + "\n\n"
    + _("Exit code 1 when a check failed."),
    example="smartabsen doctor",
)
def doctor(session: Session) -> Answer:
    """Run all checks."""
    try:
        with session.open() as app:
            checks = app.check_health()
    except ConfigError as error:
        checks = check_machine(error)
    failed = sum(each.level is CheckLevel.FAIL for each in checks)
    return Answer(
        data={"checks": [wire.Check.of(each) for each in checks]},
        show=lambda out: tables.show_checks(out, checks),
        problems=(Problem("unhealthy", _("Failed checks: {count}.", count=failed)),) if failed else (),
        exit_code=1 if failed else 0,
    )
