"""Signing in with a phone, as this installation is set: the requests, their QR pictures, and waiting for the answer."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import (
    Employee,
    PairedPhone,
    SecurityKind,
    SignInAsk,
    SignInDraft,
    SignInRequest,
    SignInState,
    VerifyOutcome,
)
from ..org.addresses import is_local, public_url
from .render import svg_qr
from .sync import QRSyncManager
from .terminal import Terminal

POLL_S: Final = 1.0
_OVER: Final = (SignInState.DEAD, SignInState.WRONG_NUMBER)
_REFUSED: Final = {
    VerifyOutcome.INVALID: SecurityKind.TOKEN_REFUSED,
    VerifyOutcome.WRONG_NUMBER: SecurityKind.SIGN_IN_REFUSED,
    VerifyOutcome.DECLINED: SecurityKind.SIGN_IN_REFUSED,
    VerifyOutcome.PHONE_NOT_PAIRED: SecurityKind.SIGN_IN_REFUSED,
}
"""What the security log calls an answer that confirmed nothing."""


@dataclass(frozen=True, slots=True)
class SignInAnswer:
    """What became of a request that somebody waited for.

    Attributes:
        state: How it ended; PENDING where the waiting ended first.
        employee: Whose paired phone confirmed, where it was one.
    """

    state: SignInState
    employee: Employee | None = None

    @property
    def confirmed(self) -> bool:
        return self.state is SignInState.VERIFIED


class SignIn(QRSyncManager):
    """The requests of this installation: a :class:`QRSyncManager` on its database, and what surrounds it.

    Args:
        services: The parts of the installation.
    """

    def __init__(self, services: Services) -> None:
        settings = services.settings
        super().__init__(
            services.sign_ins,
            services.rate_limits,
            public_url=public_url(settings),
            key=services.secret.derive("sign-in"),
            paired_only=settings.signin.phone == "paired",
            places=settings.signin.waiting_per_address,
            clock=services.database.now,
            tidy=services.tidying.do,
        )
        self._security = services.security
        self._kiosk = services.kiosk_name
        self._place = settings.site.name

    def generate_qr_code(self, session: str, *, kiosk: str = "", place: str = "", address: str = "") -> SignInRequest:
        """Make a request for a browser session; the session's earlier one is dead from now on.

        Args:
            session: What only the asking browser has; it is needed to collect.
            kiosk, place: Who asks, shown on the phone; the names in the settings by default.
            address: Where the browser is; see :meth:`QRSyncManager.generate_qr_code`.

        Raises:
            DatabaseError: The database does not answer.
            TooManyTriesError: All places at the address are held by others who are left undisturbed for now.
        """
        names = {"kiosk": kiosk or self._kiosk, "place": place or self._place}
        return super().generate_qr_code(session, address=address, **names)

    def draft(self, *, kiosk: str = "", place: str = "") -> tuple[SignInRequest, SignInDraft]:
        """Make a request that nobody keeps; see :meth:`QRSyncManager.draft`. Names are those in the settings."""
        return super().draft(kiosk=kiosk or self._kiosk, place=place or self._place)

    def keep_draft(self, draft: SignInDraft, session: str, *, kiosk: str = "", place: str = "", address: str) -> bool:
        """Keep a draft; see :meth:`QRSyncManager.keep_draft`. Names are those in the settings."""
        names = {"kiosk": kiosk or self._kiosk, "place": place or self._place}
        return super().keep_draft(draft, session, address=address, **names)

    def find_ask(self, secret: str, *, client: str | None = None) -> SignInAsk | None:
        """Return who asks; see :meth:`QRSyncManager.find_ask`. A secret that is none any more is a security event."""
        found = super().find_ask(secret, client=client)
        if found is None:
            self._security.note(SecurityKind.TOKEN_REFUSED, reason="sign_in")
        return found

    def verify_qr_code(
        self,
        secret: str,
        *,
        number: int | None,
        decline: bool = False,
        phone: PairedPhone | None = None,
        client: str = "",
    ) -> VerifyOutcome:
        """Answer a request; see :meth:`QRSyncManager.verify_qr_code`. What confirmed nothing is a security event."""
        outcome = super().verify_qr_code(secret, number=number, decline=decline, phone=phone, client=client)
        if kind := _REFUSED.get(outcome):
            reason = "sign_in" if outcome is VerifyOutcome.INVALID else outcome.value
            self._security.note(kind, reason=reason, **({"phone": str(phone.id)} if phone else {}))
        return outcome

    @property
    def reaches_phones(self) -> bool:
        """Whether the address in the QR leads a phone here: an address of this machine alone does not."""
        return not is_local(self.public_url)

    @property
    def address(self) -> str:
        """What a phone without a camera opens to type the access code."""
        return f"{self.public_url}/verify_qr"

    def render_svg(self, request: SignInRequest) -> str:
        """Return the request's QR as a standalone SVG document; the same request is drawn once."""
        return svg_qr(request.url)

    def render_terminal(self, request: SignInRequest, terminal: Terminal) -> str:
        """Return the request's QR as lines of text.

        Raises:
            InvalidInputError: The terminal is too narrow.
        """
        return terminal.draw_qr(request.url)

    def ask(
        self,
        *,
        show: Callable[[SignInRequest], None],
        stop: threading.Event,
        max_seconds: float | None = None,
        renew: bool = False,
        poll_s: float = POLL_S,
    ) -> SignInAnswer:
        """Ask for a confirmation by phone, wait for it, and collect it: a terminal in the place of a browser.

        Args:
            show: Shows each request to the person.
            stop: Ends the waiting when it is set.
            max_seconds: Ends it after so many seconds.
            renew: A request that died (expired, wrong number) is followed by another one.
            poll_s: Time between two looks into the database.

        Returns:
            VERIFIED, once; DECLINED; WRONG_NUMBER; DEAD; or PENDING where the waiting was ended before an answer came.
        """
        session = secrets.token_urlsafe(32)
        deadline = None if max_seconds is None else time.monotonic() + max_seconds
        while True:
            show(self.generate_qr_code(session))
            state = self._wait(session, stop=stop, deadline=deadline, poll_s=poll_s)
            if state is SignInState.VERIFIED:
                grant = self.collect(session)
                return SignInAnswer(SignInState.DEAD) if grant is None else SignInAnswer(state, grant.employee)
            if state not in _OVER or not renew:
                return SignInAnswer(state)

    def _wait(self, session: str, *, stop: threading.Event, deadline: float | None, poll_s: float) -> SignInState:
        while (state := self.get_verification_status(session)) is SignInState.PENDING:
            left_s = poll_s if deadline is None else min(poll_s, deadline - time.monotonic())
            if left_s <= 0 or stop.wait(left_s):
                break
        return state
