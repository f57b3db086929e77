"""``smartabsen policy``."""

from typing import Annotated

import typer

from ...attendance.standing import Scope
from ...kernel.i18n import _
from .. import policy_view
from ..answer import Answer
from ..command import command, make_noun
from ..parameters import read_day
from ..session import Session

app = make_noun(
    "policy",
    help=_("Decide what the law leaves to the firm, from a date on; list what is decided."),
    example="smartabsen policy list",
)


@command(
    app,
    "set",
    help=_("Decide a policy from a date on, for the firm, a site, a department or a person.")
    + "\n\n"
    + _("The nearest wins: person, department, site, firm. The value “inherit” lets the next wider one hold again."),
    example="smartabsen policy set hour_rounding=floor --valid-from 2026-12-01\n"
    "smartabsen policy set grace=10 --valid-from 2026-12-01 --employee E001",
)
def set_policy(
    session: Session,
    assignment: Annotated[
        str, typer.Argument(metavar="KEY=VALUE", help=_("The policy and its value; “policy list” shows all."))
    ],
    valid_from: Annotated[str, typer.Option("--valid-from", metavar="DATE", help=_("First day on which it holds."))],
    site: Annotated[str | None, typer.Option("--site", metavar="CODE", help=_("Only at this site."))] = None,
    department: Annotated[
        str | None, typer.Option("--department", metavar="CODE", help=_("Only in this department."))
    ] = None,
    employee: Annotated[
        str | None, typer.Option("--employee", metavar="CODE", help=_("Only for this employee."))
    ] = None,
) -> Answer:
    """Set a policy."""
    name, equals, value = assignment.partition("=")
    if not equals:
        raise typer.BadParameter(_("Write KEY=VALUE, as hour_rounding=floor."), param_hint="KEY=VALUE")
    given = {Scope.SITE: site, Scope.DEPARTMENT: department, Scope.EMPLOYEE: employee}
    scopes = [(scope, code) for scope, code in given.items() if code is not None]
    if len(scopes) > 1:
        raise typer.BadParameter(_("One of --site, --department and --employee, not several."))
    scope, code = scopes[0] if scopes else (Scope.FIRM, "")
    day = read_day(valid_from, "--valid-from")
    with session.open() as library:
        entry = library.policies.set(name, value, valid_from=day, scope=scope, code=code)
    return Answer(data=policy_view.entry(entry), show=lambda out: policy_view.show_entries(out, (entry,)))


@command(
    app,
    "list",
    help=_("List the known policies with their defaults, and what is decided."),
    example="smartabsen policy list",
)
def list_policies(session: Session) -> Answer:
    """List keys and decisions."""
    with session.open() as library:
        entries = library.policies.entries()
    return Answer(
        data={"keys": policy_view.keys(), "policies": [policy_view.entry(each) for each in entries]},
        show=lambda out: policy_view.show(out, entries),
    )
