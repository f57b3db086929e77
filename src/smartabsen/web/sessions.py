"""Server-side sessions: the browser holds a random id, the database what it stands for.

A visitor who has done nothing yet has only a CSRF token, and maybe the draft of a request to sign in, which lie in a
signed cookie: a page that is merely fetched, by a link preview for instance, writes nothing into the database. Anything
else that is put into the session moves it there, and it can be ended there.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any, Final, cast

from flask import Flask, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin
from itsdangerous import BadSignature
from werkzeug.wrappers import Request, Response

from ..kernel.errors import SmartAbsenError
from .connection import cookie_name, is_https
from .faults import answer_instead
from .library import library

COOKIE: Final = "smartabsen"
VISIT_COOKIE: Final = "smartabsen_visit"
CSRF_KEY: Final = "csrf_token"
DRAFT_KEY: Final = "sign_in_draft"
_VISIT_KEYS: Final = frozenset({CSRF_KEY, DRAFT_KEY})
"""What a visitor may have while nothing of it is in the database."""
IDLE_S: Final = 30 * 60
ABSOLUTE_S: Final = 12 * 3600
_VISIT_S: Final = 12 * 3600
UNTOUCHED: Final = {"auth.status", "admin.today_part", "admin.training_part", "admin.phones_part"}
"""Endpoints that are polled: their requests do not put the idle end of a session off."""


class BrowserSession(SessionMixin):
    """What one browser is known by. Nothing is read before somebody looks into it.

    Attributes:
        modified: Whether it must be stored at the end of the request.
    """

    modified = False

    def __init__(self, sid: str, visit: str) -> None:
        self._cookie_sid = sid
        self._visit = visit
        self._data: dict[str, Any] | None = None
        self._sid: str | None = None
        self._user_id: int | None = None
        self._created_at: datetime | None = None
        self._stored: dict[str, Any] = {}
        self._ended = False

    def __getitem__(self, key: str) -> Any:
        return self._open()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._open()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._open()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._open())

    def __len__(self) -> int:
        return len(self._open())

    @property
    def sid(self) -> str | None:
        """The id, a secret; None while nothing of it is in the database."""
        self._open()
        return self._sid

    @property
    def claimed_sid(self) -> str:
        """The id that the browser sent, which may be of no session: nothing is read and nothing is kept alive."""
        return self._cookie_sid

    @property
    def user_id(self) -> int | None:
        """Row id of the administrator who is logged in, else None."""
        self._open()
        return self._user_id

    @property
    def began_at(self) -> datetime | None:
        """When the session began, UTC; None while nothing of it is in the database."""
        self._open()
        return self._created_at

    def need_sid(self) -> str:
        """Return the id; a session that is not in the database yet is put there now."""
        data = self._open()
        if self._sid is None:
            self._sid = library().web_sessions.create(data, idle_s=IDLE_S, absolute_s=ABSOLUTE_S)
            self._stored = deepcopy(data)
            self.modified = True
        return self._sid

    def renew(self) -> None:
        """Give the session a new id, the old one dies: done whenever it comes to mean more than before."""
        self._sid = library().web_sessions.renew(self.need_sid())
        self._forget_csrf()

    def log_in(self, user_id: int, *, idle_s: int, absolute_s: int, label: str = "") -> None:
        """End the session and begin one of an administrator, with a new id.

        Args:
            label: What the browser is called in lists.
        """
        store = library().web_sessions
        self._open()
        if self._sid is not None:
            store.revoke(self._sid)
        self._data, self._user_id, self._stored = {}, user_id, {}
        self._forget_csrf()
        address = request.remote_addr or ""
        self._sid = store.create(
            {}, idle_s=idle_s, absolute_s=absolute_s, user_id=user_id, address=address, label=label
        )

    def end(self) -> None:
        """End the session on the server and in the browser."""
        self._open()
        if self._sid is not None:
            library().web_sessions.revoke(self._sid)
        self._data, self._sid, self._user_id = {}, None, None
        self._ended = True
        self._forget_csrf()

    def _forget_csrf(self) -> None:
        self._open().pop(CSRF_KEY, None)
        g.pop(CSRF_KEY, None)
        self.modified = True

    def _open(self) -> dict[str, Any]:
        if self._data is None:
            self._data = {}
            stored = None
            if self._cookie_sid:
                # What a page asks by itself keeps nobody logged in, and writes nothing.
                stored = library().web_sessions.load(self._cookie_sid, touch=request.endpoint not in UNTOUCHED)
            if stored is not None:
                self._sid, self._user_id = self._cookie_sid, stored.user_id
                # Apart from each other: a list in it may be changed in place.
                self._data, self._stored = dict(stored.data), deepcopy(dict(stored.data))
                self._created_at = stored.created_at
            elif self._visit:
                self._data = _read_visit(self._visit)
        return self._data

    def store(self, response: Response, *, secure: bool) -> None:
        """Store what changed and set the cookies that belong to it."""
        if not self.modified:
            return
        data = self._open()
        if self._sid is None and not set(data) - _VISIT_KEYS:
            if self._ended:
                _delete(response, COOKIE, secure=secure)
            if data:
                set_cookie(response, VISIT_COOKIE, _write_visit(data), secure=secure, max_age=_VISIT_S)
            return
        sid = self.need_sid()
        if data != self._stored:
            library().web_sessions.save(sid, data)
        if sid != self._cookie_sid:
            set_cookie(response, COOKIE, sid, secure=secure)
            _delete(response, VISIT_COOKIE, secure=secure)


class DatabaseSessions(SessionInterface):
    """Flask's way to :class:`BrowserSession`."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:  # noqa: ARG002 - Flask's
        """Return the session of a request, not read yet."""
        secure = is_https()
        return BrowserSession(
            request.cookies.get(cookie_name(COOKIE, secure=secure), ""),
            request.cookies.get(cookie_name(VISIT_COOKIE, secure=secure), ""),
        )

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002 - Flask's
        """Store the session of a request; where that fails, its answer becomes that of the error.

        Flask calls this when nothing that is raised is answered by our handlers any more.
        """
        assert isinstance(session, BrowserSession)
        try:
            session.store(response, secure=is_https())
        except SmartAbsenError as exc:
            answer_instead(response, exc)


def browser_session() -> BrowserSession:
    """Return the session of the current request."""
    return cast(BrowserSession, session._get_current_object())  # type: ignore[attr-defined]


def set_cookie(response: Response, cookie: str, value: str, *, secure: bool, max_age: int | None = None) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    name = cookie_name(cookie, secure=secure)
    response.set_cookie(name, value, max_age=max_age, path="/", secure=secure, httponly=True, samesite="Lax")


def _delete(response: Response, cookie: str, *, secure: bool) -> None:
    response.delete_cookie(cookie_name(cookie, secure=secure), path="/", secure=secure, httponly=True, samesite="Lax")


def _serializer() -> Any:
    serializer = SecureCookieSessionInterface().get_signing_serializer(current_app)
    assert serializer is not None, "the application has no secret"
    return serializer


def _write_visit(data: dict[str, Any]) -> str:
    return str(_serializer().dumps(data))


def _read_visit(cookie: str) -> dict[str, Any]:
    try:
        # Its age is not looked at: the machine that wrote it may have had another clock, and all it holds is random.
        return dict(_serializer().loads(cookie))
    except BadSignature:
        return {}
