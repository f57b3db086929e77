"""The way to a server: its name, its addresses, and no more time than is allowed."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from smartabsen import DatabaseAwayError
from smartabsen.store.database import Database, Timeouts
from smartabsen.store.mysql import _reach


def test_a_name_that_nobody_answers_for_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut the router that knows names may be away as well; systems wait ten seconds and more for it."""
    over = threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    database = Database("mysql+pymysql://root@db.example.com/none", timeouts=Timeouts(connect_s=0.2))
    with pytest.raises(DatabaseAwayError, match="does not answer"), database.read():
        pass
    assert not over.is_set()
    over.set()


def test_each_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """``localhost`` is ::1 and 127.0.0.1, and a server mostly listens on one of them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]
        with monkeypatch.context() as patch:
            real = socket.getaddrinfo
            patch.setattr(
                socket, "getaddrinfo", lambda host, *rest, **more: found if host == "db" else real(host, *rest, **more)
            )
            with _reach("db", port, timeout_s=5.0) as reached:
                assert reached.getpeername() == ("127.0.0.1", port)


def test_a_name_without_an_address_is_an_error_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a connection that is refused."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(OSError, match="no address"):
        _reach("db", 3306, timeout_s=1.0)
