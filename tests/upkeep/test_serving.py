"""What a server needs before it starts, and certificates in the home."""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from smartabsen import SmartAbsen
from smartabsen.kernel.domain import CheckLevel
from smartabsen.kernel.errors import ConfigError, NotFoundError
from smartabsen.kernel.once import made_once
from smartabsen.org import addresses
from smartabsen.org.hashing import HashingQueue
from smartabsen.qr.terminal import Terminal
from smartabsen.upkeep import serving
from smartabsen.upkeep.serving import check_server


def rows(flags: dict[str, object], **settings: object) -> dict[str, CheckLevel]:
    """What the checks of a server's settings say."""
    with SmartAbsen.open(flags={**flags, **settings}) as app:
        return {row.name: row.level for row in check_server(app.services)}


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({}, {"phones"}),
        ({"server.host": "192.168.1.20"}, {"https"}),
        ({"server.public_url": "http://10.0.0.5:5001"}, {"https"}),
        ({"server.public_url": "https://absen.example.com", "server.proxies": 1}, {"signin"}),
        ({"server.public_url": "https://absen.example.com", "signin.phone": "paired"}, {"proxies"}),
        ({"server.public_url": "https://absen.local", "server.proxies": 1}, set()),
        ({"server.secret_key": "changeme"}, {"secret", "phones"}),
    ],
)
def test_a_server_says_what_is_not_right_with_its_settings(
    flags: dict[str, object], settings: dict[str, Any], warned: set[str]
) -> None:
    """Phones that do not reach it, cameras that http does not get, a proxy that is not trusted, phones of anybody."""
    assert {name for name, level in rows(flags, **settings).items() if level is not CheckLevel.OK} == warned


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"server.public_url": "https://absen.example.com"}, True),
        ({"server.public_url": "https://absen.example.com", "server.proxies": 1}, False),
        ({"server.public_url": "https://absen.example.com", "server.tls_cert": "cert.pem"}, False),
        ({"server.public_url": "http://10.0.0.5:5001"}, False),
    ],
)
def test_a_server_in_production_does_not_start_behind_a_proxy_it_does_not_trust(
    flags: dict[str, object], settings: dict[str, Any], refused: bool
) -> None:
    """Everybody would seem to be in the office; the hint names the setting."""
    with SmartAbsen.open(flags={**flags, "server.production": True, **settings}) as app:
        if not refused:
            app.serving.check_proxies()
            return
        with pytest.raises(ConfigError, match="proxy before it") as told:
            app.serving.check_proxies()
        assert "server.proxies" in told.value.hint


def test_starting_looks_at_the_proxies(flags: dict[str, object]) -> None:
    """Before the database and anything else."""
    good = {"server.production": True, "server.secret_key": secrets.token_urlsafe(48)}
    with (
        SmartAbsen.open(flags={**flags, **good, "server.public_url": "https://absen.example.com"}) as app,
        pytest.raises(ConfigError, match="proxy before it"),
    ):
        app.serving.prepare()


def test_the_rows_of_the_server_are_in_doctor(app: SmartAbsen) -> None:
    """IT staff see them without starting it."""
    assert {"secret", "phones", "signin"} <= {check.name for check in app.check_health()}


def test_tls_init_renews_the_certificate_and_keeps_the_authority(app: SmartAbsen) -> None:
    """Phones that trust it need not be touched again."""
    first, second = app.tls.init(("absen.kantor.lan",)), app.tls.init(("absen.kantor.lan",))
    assert (first.new_authority, second.new_authority) == (True, False)
    assert first.fingerprint == second.fingerprint
    assert {"absen.kantor.lan", "localhost", "127.0.0.1"} <= set(second.names)
    assert app.tls.init(new_authority=True).fingerprint != first.fingerprint
    assert "##" in app.tls.render_terminal(Terminal("ascii"))


def test_a_name_that_the_authority_was_not_made_for_needs_a_new_one(app: SmartAbsen) -> None:
    """And the message says which option makes it."""
    app.tls.init()
    with pytest.raises(ConfigError, match=r"baru\.example") as caught:
        app.tls.init(("baru.example",))
    assert "--new-authority" in caught.value.hint


def test_without_tls_init_there_is_no_authority(app: SmartAbsen) -> None:
    """The page that phones fetch it from says so."""
    with pytest.raises(NotFoundError):
        app.tls.read_authority()


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:5001", True),
        ("http://192.168.1.5", True),
        ("https://absen", True),
        ("https://absen.local", True),
        ("https://absen.example.com", False),
        ("https://8.8.8.8", False),
        ("http://[fd00::1]:5001", True),
    ],
)
def test_an_address_is_private_or_reachable_from_outside(url: str, private: bool) -> None:
    """By its look: no name server is asked."""
    assert addresses.is_private(url) is private


def test_a_part_is_made_once_whichever_thread_is_first(tmp_path: Path) -> None:
    """Two recognisers in one process would be twice the memory, and two databases two pools."""
    made: list[int] = []

    class Parts:
        @made_once
        def part(self) -> object:
            made.append(1)
            time.sleep(0.05)
            return object()

    parts = Parts()
    seen: list[object] = []
    threads = [threading.Thread(target=lambda: seen.append(parts.part)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(set(map(id, seen)))) == (1, 1)
    assert isinstance(Parts.__dict__["part"], made_once)


@pytest.mark.parametrize(("threads", "inside"), [(1, 1), (2, 1), (4, 3), (8, 6), (64, 48)])
def test_logins_at_once_leave_threads_for_other_pages(
    flags: dict[str, object], monkeypatch: pytest.MonkeyPatch, threads: int, inside: int
) -> None:
    """Those that hash hold a thread like those that wait."""
    limits: list[dict[str, float]] = []
    monkeypatch.setattr(HashingQueue, "limit", lambda _queue, **given: limits.append(given))
    with SmartAbsen.open(flags={**flags, "server.threads": threads}) as app:
        app.serving.limit_hashing(shared=False)
    assert [each["inside"] for each in limits] == [inside]


@pytest.mark.parametrize(
    ("cores", "settings", "at_once", "threads"),
    [
        (1, {}, 1, 1),
        (8, {}, 8, 1),
        (8, {"server.production": True, "server.workers": 2}, 4, 1),
        (2, {"server.production": True, "server.workers": 8}, 1, 1),
        (8, {"server.recognitions": 2}, 2, 4),
        (16, {"server.recognitions": 1}, 1, 4),
        (8, {"server.recognitions": 2, "recognition.threads": 3}, 2, 3),
    ],
)
def test_a_process_recognises_as_many_faces_at_once_as_its_share_of_the_cores(
    flags: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    settings: dict[str, Any],
    at_once: int,
    threads: int,
) -> None:
    """All workers together have no more threads than cores, unless somebody asks for it; one each at least."""
    monkeypatch.setattr(serving, "count_cores", lambda: cores)
    with SmartAbsen.open(flags={**flags, **settings}) as app:
        asked: list[tuple[int, int]] = []
        monkeypatch.setattr(app.services, "recognise_at_once", lambda count, *, threads: asked.append((count, threads)))
        app.serving.share_cores()
    assert asked == [(at_once, threads)]
