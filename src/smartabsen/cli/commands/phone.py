"""``smartabsen phone``."""

import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ... import wire
from ...kernel.i18n import _
from .. import sign_in_view, tables
from ..answer import Answer
from ..command import command, make_noun
from ..parameters import Code, Light
from ..session import Session
from ..signals import stop_on_signals

app = make_noun(
    "phone",
    help=_("Pair, list and revoke phones of employees; set their PINs."),
    example="smartabsen phone pair E001",
)


@command(
    app,
    "pair",
    help=_("Pair a phone with an employee.")
    + "\n\n"
    + _("Prints a QR that works once, within ten minutes, and waits until the employee's phone has used it.")
    + " "
    + _("The phone needs the server: “smartabsen serve” must run, on this database."),
    example="smartabsen phone pair E001",
)
def pair_phone(
    session: Session,
    code: Code,
    no_wait: Annotated[bool, typer.Option("--no-wait", help=_("Print the invitation and end."))] = False,
    light: Light = False,
) -> Answer:
    """Invite, and wait for the phone."""
    with session.open() as app, stop_on_signals() as stop:
        zone = ZoneInfo(app.settings.site.zone)
        pairing = app.phones.start_pairing(code)
        sign_in_view.show_pairing(session.out, app, pairing, dark=not light)
        phone = None if no_wait else app.phones.wait(pairing, stop=stop.event)
    return Answer(
        data=wire.Pairing.of(pairing, phone=phone),
        show=lambda out: tables.show_phones(out, (phone,), zone) if phone else None,
    )


@command(app, "list", help=_("List paired phones."), example="smartabsen phone list\nsmartabsen phone list E001")
def list_phones(
    session: Session, code: Annotated[str | None, typer.Argument(metavar="CODE", help=_("Only this employee."))] = None
) -> Answer:
    """List the phones of everybody or of one employee."""
    with session.open() as app:
        phones = app.phones.list_phones(code)
        zone = ZoneInfo(app.settings.site.zone)
    return Answer(
        data={"phones": [wire.Phone.of(each) for each in phones]},
        show=lambda out: tables.show_phones(out, phones, zone),
    )


@command(
    app,
    "revoke",
    help=_("End that a phone counts as an employee's, at once."),
    example="smartabsen phone revoke 3 --yes",
)
def revoke_phone(
    session: Session,
    phone: Annotated[int, typer.Argument(metavar="NUMBER", help=_("Number of the phone, as in the list."))],
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
) -> Answer:
    """Revoke a phone, after asking."""
    with session.open() as app:
        if not yes:
            session.ask(_("The phone {number} can no longer confirm or punch. Go on?", number=phone))
        revoked = app.phones.revoke(phone)
    sentence = _("Revoked: phone {number} of {name}.", number=phone, name=revoked.employee.name)
    return Answer(data={"phone": wire.Phone.of(revoked)}, show=lambda out: out.line(sentence))


@command(
    app,
    "pin",
    help=_("Set an employee's PIN for punches by phone.")
    + "\n\n"
    + _("Asks for it on a terminal; otherwise takes the first line of stdin. It never stands in the command line."),
    example="smartabsen phone pin E001\nsmartabsen phone pin E001 --remove",
)
def set_pin(
    session: Session,
    code: Code,
    remove: Annotated[bool, typer.Option("--remove", help=_("Take the PIN away."))] = False,
) -> Answer:
    """Set or remove a PIN."""
    with session.open() as app:
        if remove:
            employee = app.phones.remove_pin(code)
            sentence = _("{name} has no PIN now.", name=employee.name)
        else:
            app.get_employee(code)
            employee = app.phones.set_pin(code, _ask_for_pin(session))
            sentence = _("The PIN of {name} is set.", name=employee.name)
    return Answer(data={"employee": wire.Employee.of(employee)}, show=lambda out: out.line(sentence))


def _ask_for_pin(session: Session) -> str:
    if session.out.can_ask():
        return str(typer.prompt(_("PIN (six digits)"), hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().strip()
