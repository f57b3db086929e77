"""What the command line shows of a request to sign in, and of an invitation to pair a phone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.text import Text

from ..kernel.domain import Pairing, SignInRequest, SignInState
from ..kernel.errors import DeniedError, InvalidInputError
from ..kernel.i18n import N_, _, describe_error
from . import data
from .answer import one_line
from .output import Output
from .session import terminal_of

if TYPE_CHECKING:
    from ..app.facade import SmartAbsen
    from ..qr.signin import SignInAnswer
    from ..qr.terminal import Terminal


def show_request(out: Output, app: SmartAbsen, *, dark: bool = True) -> Callable[[SignInRequest], None]:
    """Return what shows a request to the person at the terminal: QR, address and code, number.

    Args:
        dark: Whether the terminal's background is dark; counts where it shows no colours.
    """
    zone = ZoneInfo(app.settings.site.zone)

    def show(request: SignInRequest) -> None:
        _warn_of_local_address(out, app)
        _draw(out, lambda terminal: app.signin.render_terminal(request, terminal), dark=dark)
        _line(out, _("Scan this with a phone, or open {address} there and type the code.", address=app.signin.address))
        _line(out, _("Code: {code}", code=request.access_code), "bold")
        _line(out, _("Number to type on the phone: {number}", number=request.number), "bold")
        out.note(_("Waiting for the phone until {time}. Ctrl-C ends.", time=_clock(request.expires_at, zone)))

    return show


def show_pairing(out: Output, app: SmartAbsen, pairing: Pairing, *, dark: bool = True) -> None:
    """Show an invitation: QR and address."""
    _warn_of_local_address(out, app)
    zone = ZoneInfo(app.settings.site.zone)
    _draw(out, lambda terminal: app.phones.render_terminal(pairing, terminal), dark=dark)
    places = {"name": pairing.employee.name, "code": pairing.employee.code}
    _line(out, _("For the phone of {name} ({code}): scan this, or open the address there.", **places))
    _line(out, pairing.url)
    out.note(_("It works once, until {time}.", time=_clock(pairing.expires_at, zone)))


def wait_for_phone(out: Output, app: SmartAbsen, stop: threading.Event) -> bool:
    """Ask until a phone has confirmed; requests that expire are renewed. False where ``stop`` was set first.

    Raises:
        DeniedError: The request was declined.
    """
    answer = app.signin.ask(show=show_request(out, app), stop=stop, renew=True)
    if not answer.confirmed and stop.is_set():
        return False
    refusal = refusal_of(answer)
    if refusal is not None:
        raise refusal
    out.note(answer_sentence(answer))
    return True


def answer_sentence(answer: SignInAnswer) -> str:
    """Say who confirmed."""
    if answer.employee is None:
        return _("Confirmed by a phone.")
    return _("Confirmed by the phone of {name} ({code}).", name=answer.employee.name, code=answer.employee.code)


def show_answer(out: Output, answer: SignInAnswer) -> None:
    """Print who confirmed; nothing where nobody did."""
    if answer.confirmed:
        out.line(answer_sentence(answer), "green")


def refusal_of(answer: SignInAnswer) -> DeniedError | None:
    """Return why there is no confirmation, None where there is one."""
    if answer.confirmed:
        return None
    if answer.state is SignInState.DECLINED:
        return DeniedError(N_("The request was declined on the phone."))
    if answer.state is SignInState.PENDING:
        return DeniedError(N_("No phone confirmed in time."), hint=N_("Ask once more."))
    if answer.state is SignInState.WRONG_NUMBER:
        return DeniedError(
            N_("A wrong number was typed on the phone; that ended the request."),
            hint=N_("Ask once more, and type the number that stands here then."),
        )
    return DeniedError(N_("The request has expired."), hint=N_("Ask once more."))


def answer_data(answer: SignInAnswer) -> data.Json:
    """Return the same for scripts."""
    return {"state": answer.state.value, "employee": data.person(answer.employee)}


def _warn_of_local_address(out: Output, app: SmartAbsen) -> None:
    if not app.signin.reaches_phones:
        warning = N_("Phones do not reach {address}: set SMARTABSEN_PUBLIC_URL to the server's address.")
        out.warn(_(warning, address=app.signin.public_url))


def _draw(out: Output, render: Callable[[Terminal], str], *, dark: bool) -> None:
    try:
        out.screen.out(render(terminal_of(out.screen, dark=dark)), highlight=False)
    except InvalidInputError as exc:
        # Too narrow a terminal; the code and the address below do without the picture.
        out.warn(" ".join(describe_error(exc)))


def _line(out: Output, text: str, style: str = "") -> None:
    out.screen.print(Text(one_line(text), style=style), soft_wrap=True)


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"
