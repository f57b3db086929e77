"""Signing in with a phone, as this installation is set: the requests, their QR pictures, and waiting for the answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from ..config import Settings
from ..domain import SignInRequest, SignInState
from ..qr.render import svg_qr, terminal_qr
from ..qr.sync import QRSyncManager
from .bootstrap import Services

POLL_S: Final = 1.0
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a terminal can show.

    Attributes:
        encoding: Of its stream; None is taken for ASCII.
        color: Whether it takes ANSI colours.
        columns: Its width, if known.
        dark: Without colours: whether its background is dark.
    """

    encoding: str | None
    color: bool = False
    columns: int | None = None
    dark: bool = True


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
        )
        self._kiosk = services.kiosk_name
        self._place = settings.site.name

    def generate_qr_code(self, session: str, *, kiosk: str = "", place: str = "") -> SignInRequest:
        """Make a request for a browser session; the session's earlier one is dead from now on.

        Args:
            session: What only the asking browser has; it is needed to collect.
            kiosk, place: Who asks, shown on the phone; the names in the settings by default.

        Raises:
            DatabaseError: The database does not answer.
        """
        return super().generate_qr_code(session, kiosk=kiosk or self._kiosk, place=place or self._place)

    @property
    def reaches_phones(self) -> bool:
        """Whether the address in the QR leads a phone here: an address of this machine alone does not."""
        return urlsplit(self._public_url).hostname not in _LOCAL

    @property
    def address(self) -> str:
        """What a phone without a camera opens to type the access code."""
        return f"{self._public_url}/verify_qr"

    def render_svg(self, request: SignInRequest) -> str:
        """Return the request's QR as a standalone SVG document; the same request is drawn once."""
        return svg_qr(request.url)

    def render_terminal(self, request: SignInRequest, terminal: Terminal) -> str:
        """Return the request's QR as lines of text.

        Raises:
            InvalidInputError: The terminal is too narrow.
        """
        return draw_qr(request.url, terminal)

    def wait(self, session: str, *, until: datetime, stop: threading.Event, poll_s: float = POLL_S) -> SignInState:
        """Wait until a phone has answered, ``until`` has come or ``stop`` is set; return how the request stands then.

        Args:
            until: UTC, as the request's ``expires_at``.
        """
        while (state := self.get_verification_status(session)) is SignInState.PENDING:
            left_s = (until - datetime.now(UTC)).total_seconds()
            if left_s <= 0 or stop.wait(min(poll_s, left_s)):
                break
        return state


def public_url(settings: Settings) -> str:
    """Return the address that QR codes carry: the one set, or that of a server on this machine."""
    if settings.server.public_url:
        return settings.server.public_url.rstrip("/")
    host = settings.server.host
    if host in ("0.0.0.0", "::", "127.0.0.1"):  # noqa: S104 - not listened on here
        host = "localhost" if settings.server.https else "127.0.0.1"
    elif ":" in host:
        host = f"[{host}]"
    return f"{'https' if settings.server.https else 'http'}://{host}:{settings.server.port}"


def draw_qr(text: str, terminal: Terminal) -> str:
    """Return a QR as lines of text, readable whatever the terminal's colours.

    Raises:
        InvalidInputError: The terminal is too narrow.
    """
    return terminal_qr(
        text,
        encoding=terminal.encoding,
        color=terminal.color,
        columns=terminal.columns,
        dark_terminal=terminal.dark,
    )
