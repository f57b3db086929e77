"""Word by Redis that another model is in force: heard at once, missed without harm."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from smartabsen.gallery import model_notices
from smartabsen.gallery.model_notices import ModelNotices
from smartabsen.store.redis_store import RedisLink
from tests.faults.gate import Gate


@pytest.fixture
def link(redis_url: str) -> Iterator[RedisLink]:
    opened = RedisLink(redis_url)
    yield opened
    opened.close()


@contextmanager
def listening(notices: ModelNotices) -> Iterator[queue.Queue[None]]:
    """Listen in a thread; what is heard comes out of the queue."""
    stop, heard = threading.Event(), queue.Queue[None]()
    thread = threading.Thread(target=notices.listen, args=(stop, lambda: heard.put(None)))
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_what_one_machine_tells_another_one_hears(link: RedisLink) -> None:
    """First that it listens now, then each notice."""
    with listening(ModelNotices(link)) as heard:
        heard.get(timeout=20)
        ModelNotices(link).tell()
        heard.get(timeout=20)


def test_it_is_heard_again_when_redis_is_back(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a word for what was missed meanwhile."""
    monkeypatch.setattr(model_notices, "RETRY_S", 0.05)
    server = urlsplit(redis_url)
    with Gate(server.hostname or "", server.port or 6379) as gate:
        far = RedisLink(f"redis://127.0.0.1:{gate.port}/0")
        with listening(ModelNotices(far)) as heard:
            heard.get(timeout=20)
            gate.set("closed")
            gate.set("open")
            heard.get(timeout=20)
        far.close()


@pytest.mark.parametrize("state", ["silent", "closed"])
def test_a_redis_that_does_not_answer_is_no_error(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for who tells nor for who listens: both go on without."""
    monkeypatch.setattr(model_notices, "RETRY_S", 0.05)
    with Gate(state=state) as gate:
        link = RedisLink(f"redis://127.0.0.1:{gate.port}/0")
        with listening(ModelNotices(link)) as heard:
            ModelNotices(link).tell()
            assert heard.empty()
        link.close()


def test_without_redis_there_is_nothing_to_hear() -> None:
    """Listening ends at once."""
    ModelNotices(None).tell()
    ModelNotices(None).listen(threading.Event(), lambda: None)
