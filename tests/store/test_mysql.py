"""The way to a server: its name, its addresses, and no more time than is allowed."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from smartabsen import ConfigError, DatabaseAwayError
from smartabsen.store.database import Database, Timeouts
from smartabsen.store.mysql import Tls, _reach
from smartabsen.store.tls import make_authority


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


def test_a_file_of_tls_that_cannot_be_used_is_called_that(tmp_path: Path) -> None:
    """A pipe was waited for, a terminal asked for the password of a key, and all else was “a bug in smartabsen”."""
    good, key = tmp_path / "good.pem", tmp_path / "key.pem"
    make_authority(good, key, name="Contoh", names=("db.example.com",))
    locked = tmp_path / "locked.pem"
    private = load_pem_private_key(key.read_bytes(), password=None)
    locked.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    odd = {name: tmp_path / name for name in ("pipe", "folder", "device", "text", "nowhere")}
    os.mkfifo(odd["pipe"])
    odd["folder"].mkdir()
    odd["device"].symlink_to("/dev/zero")
    odd["text"].write_bytes(b"[" * 100_000)
    wrong = [*(Tls(path) for path in odd.values()), *(Tls(good, path, key) for path in odd.values())]
    wrong += [*(Tls(good, good, path) for path in odd.values()), Tls(good, good, locked), Tls(good, key, good)]
    for tls in wrong:
        database = Database("mysql+pymysql://root@127.0.0.1:1/none", tls=tls)
        with pytest.raises(ConfigError, match="cannot be used for the connection to the database"), database.read():
            pass
    # With good ones, what is wrong is that nobody is there.
    with pytest.raises(DatabaseAwayError), Database("mysql+pymysql://root@127.0.0.1:1/none", tls=Tls(good)).read():
        pass
