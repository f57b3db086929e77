"""``smartabsen qr``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import sign_in_view
from ..answer import INTERRUPTED, Answer, Problem, problem_of
from ..command import command, make_noun
from ..parameters import Light
from ..session import Session
from ..signals import stop_on_signals

app = make_noun()


@command(
    app,
    "qr",
    help=_("Ask for a confirmation by phone.")
    + "\n\n"
    + _("Prints a QR, a code for phones without a camera and a number, and waits until a phone has confirmed.")
    + " "
    + _("The phone needs the server: “smartabsen serve” must run, on this database.")
    + "\n\n"
    + _("Exit code 0 when it was confirmed, 1 when it was declined or nobody confirmed in time."),
    example="smartabsen qr && ./open-the-door.sh\nsmartabsen qr --json --max-seconds 120",
)
def qr(
    session: Session,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", min=0, metavar="S", help=_("End after so many seconds."))
    ] = None,
    light: Light = False,
) -> Answer:
    """Ask once, and say what the phone answered."""
    with session.open() as app, stop_on_signals() as stop:
        show = sign_in_view.show_request(session.out, app, dark=not light)
        answer = app.signin.ask(show=show, stop=stop.event, max_seconds=max_seconds)
    refusal = sign_in_view.refusal_of(answer)
    problem = Problem("interrupted", _("Interrupted.")) if stop.interrupted else refusal and problem_of(refusal)
    return Answer(
        data=sign_in_view.answer_data(answer),
        show=lambda out: sign_in_view.show_answer(out, answer),
        problems=(problem,) if problem and not answer.confirmed else (),
        exit_code=0 if answer.confirmed else INTERRUPTED if stop.interrupted else 1,
    )
