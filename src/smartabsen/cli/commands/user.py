"""``smartabsen user``."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

import typer

from ...kernel.domain import Role, User
from ...kernel.i18n import _
from .. import data, tables
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

if TYPE_CHECKING:
    from ...app.facade import SmartAbsen

app = make_noun(
    "user",
    help=_("Add, list, disable and enable users of the dashboard; set their passwords, end their sessions."),
    example="smartabsen user add siti --role admin",
)

# The values of Role, so that help and usage errors do without importing more.
RoleName: TypeAlias = Literal["admin", "viewer"]
Name = Annotated[str, typer.Argument(metavar="NAME", help=_("Name of the user."))]
_CHANGED_FIRST = _("The user must choose another one at the next sign-in.")
_ASKS = _("Asks for the password on a terminal; otherwise takes the first line of stdin.")


@command(
    app,
    "setup",
    help=_("Print the secret with which the first administrator is made in the browser.")
    + "\n\n"
    + _("It works once, within a day, at /admin/setup, and only while there is no user."),
    example="smartabsen user setup",
)
def issue_setup_secret(session: Session) -> Answer:
    """Make a setup secret; an earlier one is void."""
    with session.open() as app:
        secret = app.users.issue_setup_secret()
    return Answer(data={"setup_secret": secret}, show=lambda out: out.line(secret))


@command(
    app,
    "add",
    help=_("Add a user of the dashboard.") + "\n\n" + _ASKS + " " + _CHANGED_FIRST,
    example="smartabsen user add siti --role admin",
)
def add_user(
    session: Session,
    name: Name,
    role: Annotated[
        RoleName, typer.Option("--role", help=_("admin may change everything; viewer reads and exports attendance."))
    ] = "viewer",
) -> Answer:
    """Add a user."""
    with session.open() as app:
        password = _ask_for_password(session)
        return _changed(app, app.users.add(name, password, role=Role(role), temporary=True))


@command(
    app,
    "passwd",
    help=_("Set a user's password; it ends their sessions and takes a lock away.")
    + "\n\n"
    + _ASKS
    + " "
    + _CHANGED_FIRST,
    example="smartabsen user passwd siti",
)
def set_password(session: Session, name: Name) -> Answer:
    """Set a password."""
    with session.open() as app:
        app.users.get(name)
        password = _ask_for_password(session)
        return _changed(app, app.users.set_password(name, password, temporary=True))


@command(app, "list", help=_("List users of the dashboard."), example="smartabsen user list")
def list_users(session: Session) -> Answer:
    """List users by name."""
    with session.open() as app:
        users = app.users.list_users()
        zone, now = ZoneInfo(app.settings.site.zone), app.now()
    return Answer(
        data={"users": [data.user(each) for each in users]},
        show=lambda out: tables.show_users(out, users, zone, now=now),
    )


@command(
    app,
    "disable",
    help=_("Keep a user from signing in, and end their sessions at once."),
    example="smartabsen user disable siti",
)
def disable_user(session: Session, name: Name) -> Answer:
    """Disable a user; ``enable`` is the way back, so nothing is asked."""
    with session.open() as app:
        return _changed(app, app.users.disable(name))


@command(
    app,
    "enable",
    help=_("Let a user sign in again; takes away a lock that wrong passwords brought."),
    example="smartabsen user enable siti",
)
def enable_user(session: Session, name: Name) -> Answer:
    """Enable a user."""
    with session.open() as app:
        return _changed(app, app.users.enable(name))


@command(app, "role", help=_("Give a user another role."), example="smartabsen user role siti viewer")
def set_role(
    session: Session, name: Name, role: Annotated[RoleName, typer.Argument(metavar="ROLE", help=_("admin or viewer."))]
) -> Answer:
    """Change the role of a user."""
    with session.open() as app:
        return _changed(app, app.users.set_role(name, Role(role)))


@command(
    app,
    "sessions",
    help=_("List where a user is signed in: since when, from which address, in which browser, and when last seen."),
    example="smartabsen user sessions siti",
)
def list_sessions(session: Session, name: Name) -> Answer:
    """List the sessions of a user."""
    with session.open() as app:
        sessions = app.users.list_sessions(name)
        zone = ZoneInfo(app.settings.site.zone)
    return Answer(
        data={"sessions": [data.open_session(each) for each in sessions]},
        show=lambda out: tables.show_sessions(out, sessions, zone),
    )


@command(
    app,
    "sign-out",
    help=_("End all sessions of a user at once, or one of them."),
    example="smartabsen user sign-out siti\nsmartabsen user sign-out siti --session 0f3c5a9be1d24c77",
)
def sign_out(
    session: Session,
    name: Name,
    session_id: Annotated[
        str, typer.Option("--session", metavar="ID", help=_("Only this one, as “user sessions” names it."))
    ] = "",
) -> Answer:
    """End sessions of a user."""
    with session.open() as app:
        ended = 1
        if session_id:
            app.users.end_session(name, session_id)
        else:
            ended = app.users.end_sessions(name)
    text = _("Sessions ended: {count}", count=ended)
    return Answer(data={"ended": ended}, show=lambda out: out.line(text))


@command(
    app,
    "totp-off",
    help=_("Remove a user's second factor, as after a lost phone: the password alone lets them in."),
    example="smartabsen user totp-off siti",
)
def turn_totp_off(session: Session, name: Name) -> Answer:
    """Remove the second factor of a user."""
    with session.open() as app:
        return _changed(app, app.users.turn_totp_off(name))


def _ask_for_password(session: Session) -> str:
    if session.out.can_ask():
        return str(typer.prompt(_("Password"), hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _changed(app: "SmartAbsen", user: User) -> Answer:
    zone, now = ZoneInfo(app.settings.site.zone), app.now()
    return Answer(data={"user": data.user(user)}, show=lambda out: tables.show_users(out, (user,), zone, now=now))
