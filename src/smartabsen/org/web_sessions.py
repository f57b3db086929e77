"""Sessions of browsers, kept by the server: what the web server calls."""

from __future__ import annotations

from collections.abc import Mapping

from ..app.bootstrap import Services
from ..kernel.domain import WebSession
from ..kernel.errors import NotFoundError
from ..kernel.i18n import N_
from .web_session_rows import Browser, hash_sid, listed_id


class WebSessions:
    """The sessions of this installation.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self._store = services.web_sessions

    def create(
        self,
        data: Mapping[str, object],
        *,
        idle_s: int,
        absolute_s: int,
        user_id: int | None = None,
        address: str = "",
        label: str = "",
    ) -> str:
        """Start a session and return its id, for the cookie; the server keeps a hash of it only.

        Args:
            data: Plain JSON values.
            idle_s: Seconds without use after which it ends.
            absolute_s: Seconds after which it ends in any case.
            user_id: Who is logged in.
            address, label: Of the browser, for the list of the user's sessions.
        """
        browser = Browser(address, label)
        return self._store.create(data, idle_s=idle_s, absolute_s=absolute_s, user_id=user_id, browser=browser)

    def find_listed_id(self, sid: str) -> str:
        """Return what names a session in the list of its user; it opens nothing."""
        return listed_id(hash_sid(sid))

    def load(self, sid: str, *, touch: bool = True) -> WebSession | None:
        """Return a session that has not ended, or None.

        Args:
            touch: Whether this is a use that puts the idle end off, noted a few times within it; without, nothing is
                ever written: for what a page asks by itself.
        """
        return self._store.load(sid, touch=touch)

    def save(self, sid: str, data: Mapping[str, object]) -> bool:
        """Store other data; False where the session has ended."""
        return self._store.save(sid, data)

    def renew(self, sid: str, *, user_id: int | None = None) -> str:
        """Give a session another id with the same data; the old one is dead. To be called whenever rights grow.

        Args:
            user_id: Who has logged in; None leaves it as it was.

        Raises:
            NotFoundError: The session has ended.
        """
        renewed = self._store.renew(sid, user_id=user_id)
        if renewed is None:
            raise NotFoundError(N_("The session has ended."), hint=N_("Open the page again."))
        return renewed

    def revoke(self, sid: str) -> bool:
        """End a session; False where there was none."""
        return self._store.revoke(sid)

    def revoke_user(self, user_id: int, *, keep: str = "") -> int:
        """End all sessions of a user but ``keep``, and return how many."""
        return self._store.revoke_user(user_id, keep=keep)

    def cleanup(self) -> int:
        """Remove sessions that have ended and return how many; :meth:`create` does it by itself."""
        return self._store.sweep()
