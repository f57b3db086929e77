"""Word that another model is in force, so that nobody has to wait for the next look at the database.

A notice carries nothing: who hears it asks the database, which is the truth. One that is lost, or that somebody plants,
is at worst a look too few or too many.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..kernel.errors import SmartAbsenError
from ..store.redis_store import PREFIX, RedisLink

RETRY_S: Final = 2.0
"""How long a Redis that does not answer is left alone."""
_CHANNEL: Final = f"{PREFIX}model"
_LISTEN_S: Final = 0.5


class ModelNotices:
    """Notices by Redis; without one, none comes and none is sent.

    Args:
        link: The Redis that the settings name, or None.
    """

    def __init__(self, link: RedisLink | None) -> None:
        self._link = link

    def tell(self) -> None:
        """Tell all who listen. A Redis that does not answer is no error: they look for themselves."""
        if self._link is None:
            return
        with suppress(SmartAbsenError), self._link.client() as client:
            client.publish(_CHANNEL, "")

    def listen(self, stop: threading.Event, on_notice: Callable[[], None]) -> None:
        """Call ``on_notice`` for each notice until ``stop`` is set; to be run in a thread of its own.

        It is also called when a connection is made: what was told before was not heard.
        """
        if self._link is None:
            return
        while not stop.is_set():
            with suppress(SmartAbsenError):
                self._hear(self._link, stop, on_notice)
            stop.wait(RETRY_S)

    def _hear(self, link: RedisLink, stop: threading.Event, on_notice: Callable[[], None]) -> None:
        with link.client() as client, client.pubsub() as heard:
            heard.subscribe(_CHANNEL)
            while not stop.is_set():
                if heard.get_message(timeout=_LISTEN_S) is not None:
                    on_notice()
