"""Sessions of browsers and counts of tries in Redis, for several servers; with the same meaning as in the database.

Values are numbers and JSON, never a pickle: what somebody plants there is at worst a session that has ended. Every
call has a time limit, and a Redis that does not answer is an error of the database: nobody is let in without it.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from ..kernel.domain import OpenSession, WebSession
from ..kernel.errors import ConfigError, DatabaseAwayError, DatabaseError, MissingDependencyError
from ..kernel.i18n import N_
from ..kernel.reading import parse_json
from ..org.web_session_rows import UNKNOWN_BROWSER, Browser, hash_sid, listed_id
from .address import checked_redis_url

TIMEOUT_S: Final = 0.8
"""For a connection, and for each answer."""
PREFIX: Final = "smartabsen:"
_TOUCH_SHARE: Final = 0.1
_USER_S: Final = 90 * 86_400
"""How long the list of a user's sessions is kept after the last login; no session lasts longer."""

# Each script decides and writes in one step. KEYS and ARGV are strings; instants are seconds since 1970.
_SAVE: Final = """
local ends = redis.call('HGET', KEYS[1], 'idle_until')
if not ends or tonumber(ends) <= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
"""
_TOUCH: Final = """
local ends = redis.call('HGET', KEYS[1], 'idle_until')
if not ends or tonumber(ends) <= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'idle_until', ARGV[2], 'last_seen_at', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
_RENEW: Final = """
local ends = redis.call('HGET', KEYS[1], 'idle_until')
if not ends or tonumber(ends) <= tonumber(ARGV[1]) then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
if ARGV[2] ~= '' then redis.call('HSET', KEYS[2], 'user_id', ARGV[2]) end
local user = redis.call('HGET', KEYS[2], 'user_id')
if user and user ~= '' then
  local mine = ARGV[3] .. 'user:' .. user
  redis.call('SREM', mine, KEYS[1])
  redis.call('SADD', mine, KEYS[2])
  redis.call('EXPIRE', mine, ARGV[4])
end
return 1
"""
_HIT: Final = """
local count = tonumber(redis.call('HGET', KEYS[1], 'count') or '0')
local resets = tonumber(redis.call('HGET', KEYS[1], 'resets_at') or '0')
local now, limit, per = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if resets > now then
  if count >= limit then return tostring(resets - now) end
  redis.call('HSET', KEYS[1], 'count', count + 1)
  return '0'
end
redis.call('HSET', KEYS[1], 'count', 1, 'resets_at', ARGV[4])
redis.call('EXPIRE', KEYS[1], per)
return '0'
"""
_GIVE_BACK: Final = """
local count = tonumber(redis.call('HGET', KEYS[1], 'count') or '0')
if count > 0 then redis.call('HSET', KEYS[1], 'count', count - 1) end
return 0
"""
_TRIAL: Final = """
redis.call('HSET', KEYS[1], 'count', 1)
redis.call('EXPIRE', KEYS[1], 1)
redis.call('DEL', KEYS[1])
return 0
"""
_ROOM_BYTES: Final = 256 * 1024
"""What must be free besides: a hundred sessions."""
_REFUSALS: Final = {
    "OOM": (
        N_("Redis at {address} is full: it takes no writes."),
        N_("Give it more memory (maxmemory), or maxmemory-policy volatile-ttl; only what has an end is kept there."),
    ),
    "READONLY": (N_("Redis at {address} can only be read."), N_("Use the server that takes writes.")),
    "MISCONF": (
        N_("Redis at {address} takes no writes, for it cannot save to its disk."),
        N_("Free some space on its disk, and look into its log."),
    ),
    "NOPERM": (
        N_("Redis at {address} refuses the user name or password, or its rights do not suffice."),
        N_("Check SMARTABSEN_REDIS_URL."),
    ),
}
"""By the word that Redis says."""


class RedisLink:
    """A connection to Redis, made at the first use.

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``.

    Raises:
        ConfigError: The URL is none of these.
    """

    def __init__(self, url: str) -> None:
        parts = checked_redis_url(url)
        self._url = url
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        self.address = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
        """The URL without a password: fit to be shown."""

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Give the client for a ``with`` block, and translate its errors.

        Raises:
            DatabaseAwayError: Redis does not answer.
            DatabaseError: It refuses.
            MissingDependencyError: The library is not installed.
        """
        client = self._client
        import redis

        try:
            yield client
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as exc:
            raise DatabaseError(
                N_("Redis at {address} refuses the user name or password, or its rights do not suffice."),
                hint=N_("Check SMARTABSEN_REDIS_URL."),
                address=self.address,
            ) from exc
        except (redis.ConnectionError, redis.TimeoutError) as exc:
            raise DatabaseAwayError(
                N_("Redis at {address} does not answer."),
                hint=N_("Check that it runs; without SMARTABSEN_REDIS_URL the database does its work."),
                address=self.address,
            ) from exc
        except redis.RedisError as exc:
            # The library takes the first word away where it has a class for it; in a script it stands further behind.
            words: dict[type[Exception], str] = {redis.OutOfMemoryError: "OOM", redis.ReadOnlyError: "READONLY"}
            word = words.get(type(exc), "")
            raise self._refusal(f"{word} {exc}".partition("\n")[0].strip()) from exc

    def _refusal(self, problem: str) -> DatabaseError:
        for word, (message, hint) in _REFUSALS.items():
            if word in problem:
                return DatabaseError(message, hint=hint, address=self.address)
        return DatabaseError(
            N_("Redis at {address} reports a problem: {problem}"), address=self.address, problem=problem
        )

    def ping(self) -> None:
        """Find out whether Redis lets us in. Raises as :meth:`client`."""
        with self.client() as client:
            client.ping()

    def check_writable(self) -> None:
        """Do once what a sign-in does, with some room beside it, and leave nothing. Raises as :meth:`client`.

        A Redis that is full, or a copy of another one, answers every question and lets nobody in. One that has just
        become full takes one small write and refuses the next: a sign-in makes several.
        """
        trial = f"{PREFIX}trial:{secrets.token_hex(8)}"
        with self.client() as client, client.pipeline(transaction=False) as steps:
            steps.set(f"{trial}:room", "x" * _ROOM_BYTES, ex=1)
            steps.eval(_TRIAL, 1, trial)
            steps.delete(f"{trial}:room")
            for answer in steps.execute(raise_on_error=False):
                if isinstance(answer, Exception):
                    raise answer

    def check(self) -> str:
        """Ask Redis for its version. Raises as :meth:`client`."""
        with self.client() as client:
            return str(client.info("server")["redis_version"])

    def close(self) -> None:
        """Close its connections."""
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> Any:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as exc:
            raise MissingDependencyError(
                N_("A server with Redis needs the Python package redis."),
                hint=N_("Install it: pip install '{install}'"),
                install="smartabsen[redis]",
            ) from exc
        try:
            client = redis.Redis.from_url(
                self._url,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                # Its own tries would add up to more than a person waits.
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
                encoding_errors="replace",
                health_check_interval=30,
            )
            pool = client.connection_pool
            # Connects to nobody; what stands behind a question mark is looked at here.
            pool.connection_class(**pool.connection_kwargs)
        except (TypeError, ValueError):
            raise ConfigError(
                N_("The address of Redis has an option that cannot be understood."),
                hint=N_("It looks like redis://:password@127.0.0.1:6379/0."),
            ) from None
        return client


class RedisWebSessions:
    """The sessions of browsers; see :class:`smartabsen.org.web_session_rows.WebSessionStore`.

    Args:
        link: The Redis.
        clock: Gives the present instant (UTC, aware), the same on all machines: the database's.
            How long Redis keeps what has ended is counted by Redis itself.
    """

    def __init__(self, link: RedisLink, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._link = link
        self._clock = clock

    def create(
        self,
        data: Mapping[str, object],
        *,
        idle_s: int,
        absolute_s: int,
        user_id: int | None = None,
        browser: Browser = UNKNOWN_BROWSER,
    ) -> str:
        """Start a session and return its id: 43 random characters."""
        now, sid = self._clock().timestamp(), secrets.token_urlsafe(32)
        values = {
            "data": json.dumps(dict(data)),
            "user_id": "" if user_id is None else str(user_id),
            "created_at": repr(now),
            "idle_s": str(idle_s),
            "idle_until": repr(now + min(idle_s, absolute_s)),
            "expires_at": repr(now + absolute_s),
            "last_seen_at": repr(now),
            "address": browser.address,
            "label": browser.label,
        }
        with self._link.client() as client, client.pipeline() as steps:
            steps.hset(_session_key(sid), mapping=values)
            steps.expire(_session_key(sid), min(idle_s, absolute_s))
            if user_id is not None:
                steps.sadd(_user_key(user_id), _session_key(sid))
                steps.expire(_user_key(user_id), _USER_S)
            steps.execute()
        return sid

    def load(self, sid: str, *, touch: bool = True) -> WebSession | None:
        """Return a session that has not ended, or None; what cannot be read as one has ended."""
        now = self._clock().timestamp()
        with self._link.client() as client:
            found = _read_hash(client, _session_key(sid))
            try:
                session, idle_s = _decode(found), int(found["idle_s"])
                idle_until, expires_at = float(found["idle_until"]), float(found["expires_at"])
                last_seen = _last_seen(found)
            except (KeyError, TypeError, ValueError, OverflowError):
                return None
            if not now < min(idle_until, expires_at):
                return None
            later = min(now + idle_s, expires_at)
            if touch and max(later - idle_until, now - last_seen) > _TOUCH_SHARE * idle_s:
                arguments = [repr(now), repr(later), math.ceil(later - now)]
                client.eval(_TOUCH, 1, _session_key(sid), *arguments)
        return session

    def save(self, sid: str, data: Mapping[str, object]) -> bool:
        """Store other data; False where the session has ended."""
        now = repr(self._clock().timestamp())
        with self._link.client() as client:
            return bool(client.eval(_SAVE, 1, _session_key(sid), now, "data", json.dumps(dict(data))))

    def renew(self, sid: str, *, user_id: int | None = None) -> str | None:
        """Give a session another id, in one step: the old one is dead."""
        new_id = secrets.token_urlsafe(32)
        arguments = [repr(self._clock().timestamp()), "" if user_id is None else str(user_id), PREFIX, _USER_S]
        with self._link.client() as client:
            done = client.eval(_RENEW, 2, _session_key(sid), _session_key(new_id), *arguments)
        return new_id if done else None

    def revoke(self, sid: str) -> bool:
        """End a session; False where there was none."""
        with self._link.client() as client:
            return bool(client.delete(_session_key(sid)))

    def revoke_user(self, user_id: int, *, keep: str = "") -> int:
        """End all sessions of a user but ``keep``, and return how many."""
        with self._link.client() as client:
            theirs = set(client.smembers(_user_key(user_id))) - {_session_key(keep)}
            if not theirs:
                return 0
            ended = int(client.delete(*theirs))
            client.srem(_user_key(user_id), *theirs)
        return ended

    def list_user(self, user_id: int) -> tuple[OpenSession, ...]:
        """Return the sessions of a user that have not ended, the latest first."""
        now = self._clock().timestamp()
        with self._link.client() as client:
            found = {key: _read_hash(client, key) for key in client.smembers(_user_key(user_id))}
            ended = [key for key, fields in found.items() if not fields]
            if ended:
                client.srem(_user_key(user_id), *ended)
        listed = (_listed(key, fields, now) for key, fields in found.items())
        return tuple(sorted(filter(None, listed), key=lambda each: (-each.began_at.timestamp(), each.id)))

    def revoke_listed(self, user_id: int, session_id: str) -> bool:
        """End a session of a user's list; False where it is not in it."""
        with self._link.client() as client:
            keys = [key for key in client.smembers(_user_key(user_id)) if _listed_id(key) == session_id]
            if not keys:
                return False
            client.srem(_user_key(user_id), *keys)
            return bool(client.delete(*keys))

    def end_all(self) -> None:
        """End all sessions, of whomever."""
        with self._link.client() as client:
            for kind in ("session", "user"):
                for key in client.scan_iter(match=f"{PREFIX}{kind}:*", count=1000):
                    client.delete(key)

    def sweep(self) -> int:
        """Redis itself removes what has ended."""
        return 0


class RedisRateLimits:
    """Counts of tries; see :class:`smartabsen.org.rate_limit_rows.RateLimitTable`.

    Args:
        link: The Redis.
        clock: Gives the present instant (UTC, aware), the same on all machines: the database's.
            How long Redis keeps what has ended is counted by Redis itself.
    """

    def __init__(self, link: RedisLink, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._link = link
        self._clock = clock

    def hit(self, key: str, *, limit: int, per_s: int) -> int:
        """Count a try, and return 0 where it is allowed, else the whole seconds to wait."""
        now = self._clock().timestamp()
        with self._link.client() as client:
            wait = client.eval(_HIT, 1, _count_key(key), repr(now), limit, per_s, repr(now + per_s))
        return _whole(float(wait))

    def wait_s(self, key: str, *, limit: int) -> int:
        """Return the whole seconds until the next try is allowed, 0 where it is now; counts nothing."""
        now = self._clock().timestamp()
        with self._link.client() as client:
            count, resets_at = client.hmget(_count_key(key), "count", "resets_at")
        if count is None or resets_at is None or int(count) < limit:
            return 0
        return _whole(float(resets_at) - now)

    def give_back(self, key: str) -> None:
        """Take one try back, as after a right one."""
        with self._link.client() as client:
            client.eval(_GIVE_BACK, 1, _count_key(key))

    def forget(self, key: str) -> None:
        """Forget all tries of a key."""
        with self._link.client() as client:
            client.delete(_count_key(key))

    def sweep(self) -> int:
        """Redis itself removes counts that mean nothing any more."""
        return 0


def _read_hash(client: Any, key: str) -> dict[str, str]:
    """Return the fields of a hash; nothing where somebody planted another kind of value in its place."""
    import redis

    try:
        fields: dict[str, str] = client.hgetall(key)
    except redis.ResponseError as exc:
        if not str(exc).startswith("WRONGTYPE"):
            raise
        return {}
    return fields


def _decode(found: Mapping[str, str]) -> WebSession:
    data = parse_json(found["data"])
    if not isinstance(data, dict):
        raise ValueError("the data of a session is an object")
    user_id = int(found["user_id"]) if found["user_id"] else None
    return WebSession(data, user_id, datetime.fromtimestamp(float(found["created_at"]), UTC))


def _last_seen(found: Mapping[str, str]) -> float:
    return float(found.get("last_seen_at") or found["created_at"])


def _listed(key: str, found: Mapping[str, str], now: float) -> OpenSession | None:
    try:
        if not now < min(float(found["idle_until"]), float(found["expires_at"])):
            return None
        instants = (float(found["created_at"]), _last_seen(found), float(found["expires_at"]))
        began_at, seen_at, ends_at = (datetime.fromtimestamp(instant, UTC) for instant in instants)
    except (KeyError, ValueError, OverflowError):
        # Nobody is let in by what cannot be read as a session.
        return None
    return OpenSession(_listed_id(key), began_at, seen_at, ends_at, found.get("address", ""), found.get("label", ""))


def _listed_id(key: str) -> str:
    return listed_id(key.rpartition(":")[2])


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds)) if seconds > 0 else 0


def _session_key(sid: str) -> str:
    return f"{PREFIX}session:{hash_sid(sid)}"


def _user_key(user_id: int) -> str:
    return f"{PREFIX}user:{user_id}"


def _count_key(key: str) -> str:
    return f"{PREFIX}tries:{sha256(key.encode()).hexdigest()}"
