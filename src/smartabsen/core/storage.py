"""What keeps data, built from the settings: database, log, queue, keys, Redis. ``bootstrap`` adds what recognises."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..config import CREDENTIAL_ORIGIN, LoadedSettings, Settings
from ..errors import ConfigError, DatabaseError, StorageError
from ..i18n import N_
from ..store import audit
from ..store.csv_log import CsvLog
from ..store.csv_sync import LogRepair, reconcile
from ..store.database import Database
from ..store.files import make_private_directory
from ..store.keys import KeyChain
from ..store.model_notices import ModelNotices
from ..store.mysql import Tls
from ..store.punch_queue import PunchQueue
from ..store.rate_limits import RateLimitStore, RateLimitTable
from ..store.redis_store import RedisLink, RedisRateLimits, RedisWebSessions
from ..store.resealing import ring_for_writing
from ..store.sealing import KeyRing
from ..store.seen_frames import SeenFrameTable
from ..store.sign_ins import SignInTable
from ..store.signing import begin
from ..store.trail_keeper import TrailKeeper
from ..store.web_sessions import WebSessionStore, WebSessionTable
from .actors import current_actor
from .clock import TrustedClock, remembered_clock
from .erased_here import ErasedHere
from .once import made_once
from .secrets import ServerSecret, load_secret
from .vault import KEY_MADE, ensure_key


class Storage:
    """Where one installation keeps its data; everything is made on first use and kept.

    Args:
        loaded: The settings with their origins.
    """

    def __init__(self, loaded: LoadedSettings) -> None:
        self.loaded = loaded
        self.settings: Settings = loaded.settings
        self.remarks: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        """What people should be told, as message ids with their places."""
        self.reported: set[object] = set()
        """Which damaged files the audit trail has been told of."""
        self.log_behind = False
        """Whether the attendance log lacks something, as it could not be written."""
        self.log_unchecked = False
        """Whether log and database are still to be made equal, as a start does: the database was away then."""

    def use_port(self, port: int) -> None:
        """Let the settings name the port that the server listens on, where they asked for any."""
        if port != self.settings.server.port:
            server = self.settings.server.model_copy(update={"port": port})
            self.settings = self.settings.model_copy(update={"server": server})
            self.loaded = self.loaded.model_copy(update={"settings": self.settings})

    @made_once
    def database(self) -> Database:
        """The database; its schema is made or checked at the first unit of work."""
        self.make_home()
        return self._open(self.settings.database_address, on_ready=self._make_ready, keeper=self.trail_keeper)

    @made_once
    def trail_keeper(self) -> TrailKeeper:
        """What signs and remembers the audit trail of the database."""
        return TrailKeeper(lambda: self.key_chain.ring(), self.settings.home / "secrets" / "audit-heads.json")

    @made_once
    def key_chain(self) -> KeyChain:
        """The keys of the biometric data: ``key_chain.ring()`` opens it."""
        origins = self.loaded.origins
        return KeyChain(
            self.settings.keys,
            self.settings.keys_path,
            writable=origins.get("keys_file") != CREDENTIAL_ORIGIN,
            place=origins.get("keys", ""),
        )

    def ensure_key(self) -> None:
        """Make the first key where there is none, and tell people; raises as :func:`.vault.ensure_key`."""
        if ensure_key(self.key_chain, self.database):
            self.remarks.append((KEY_MADE, (("path", str(self.key_chain.path)),)))
            begin(self.database)

    def writing_ring(self) -> KeyRing:
        """Return the keys, that one active which this database wants new data sealed with. Raises KeyMissingError."""
        return self.database.run_write(lambda session: ring_for_writing(session, self.key_chain))

    def _make_ready(self, database: Database) -> None:
        with suppress(DatabaseError):
            # Where nothing can be written now, the next start notes it.
            begin(database)
        if self.log_unchecked:
            try:
                self.reconcile_log()
            except StorageError:
                self.log_behind = True
            self.log_unchecked = False

    def open_database(self, url: str) -> Database:
        """Return a database by its URL, with the password and certificates of the settings where it is a server.

        What is written to it is signed; its head is not remembered, for it is not the live one.
        """
        return self._open(url, keeper=TrailKeeper(lambda: self.key_chain.ring(), None))

    def _open(self, url: str, *, keeper: TrailKeeper, on_ready: Callable[[Database], None] | None = None) -> Database:
        given = self.settings.database
        tls = Tls(given.tls_ca, given.tls_cert, given.tls_key) if given.tls_ca is not None else None
        password = given.password or _first_line(given.password_file)
        return Database(url, password=password, tls=tls, on_ready=on_ready, keeper=keeper)

    @made_once
    def csv_log(self) -> CsvLog:
        """The attendance log."""
        return CsvLog(self.settings.csv_dir, zone=self.settings.site.zone)

    @made_once
    def punch_queue(self) -> PunchQueue:
        """Punches of the kiosks here that wait for the database."""
        return PunchQueue(self.settings.home / "queue" / "punches.db")

    @made_once
    def erased_here(self) -> ErasedHere:
        """What this home holds of people who were erased."""
        return ErasedHere(self.settings.home, self.database, self.csv_log, self.punch_queue)

    @made_once
    def clock(self) -> TrustedClock:
        """The wall clock, with the latest time that was trusted."""
        return remembered_clock(self.punch_queue)

    @made_once
    def secret(self) -> ServerSecret:
        """The server's secret; the first use may make one in the home."""
        self.make_home()
        return load_secret(self.settings)

    @made_once
    def sign_ins(self) -> SignInTable:
        """Where requests to sign in are kept."""
        return SignInTable(self.database)

    @made_once
    def redis(self) -> RedisLink | None:
        """The Redis that the settings name, or None."""
        return RedisLink(self.settings.redis_url) if self.settings.redis_url else None

    @made_once
    def notices(self) -> ModelNotices:
        """Word to and from other machines that another model is in force."""
        return ModelNotices(self.redis)

    @made_once
    def rate_limits(self) -> RateLimitStore:
        """Where tries are counted."""
        return RateLimitTable(self.database) if self.redis is None else RedisRateLimits(self.redis)

    @made_once
    def seen_frames(self) -> SeenFrameTable:
        """Which frames have come from browsers."""
        return SeenFrameTable(self.database)

    @made_once
    def web_sessions(self) -> WebSessionStore:
        """Where sessions of browsers are kept."""
        return WebSessionTable(self.database) if self.redis is None else RedisWebSessions(self.redis)

    def remark(self, message: str, **params: object) -> None:
        """Keep something that happened by the way and that people should be told, once.

        Args:
            message: A message id; ``params`` fill its places.
        """
        remark = (
            message,
            tuple((name, value if isinstance(value, str) else str(value)) for name, value in params.items()),
        )
        if remark not in self.remarks:
            self.remarks.append(remark)

    def make_home(self) -> None:
        """Make the home, for its owner only.

        Raises:
            StorageError: It cannot be made.
        """
        try:
            make_private_directory(self.settings.home)
        except StorageError as exc:
            raise StorageError(
                exc.message_id,
                hint=N_("Choose a home that can be written: SMARTABSEN_HOME, or --home DIR."),
                **exc.params,
            ) from exc

    def reconcile_log(self, *, thorough: bool = False) -> LogRepair:
        """Make the attendance log equal to the database; what had to be mended is remarked.

        First those leave it who were erased, here or on another machine: that is no difference to be told.
        """
        self.erased_here.follow(thorough=thorough)
        repair = reconcile(self.database, self.csv_log, thorough=thorough)
        if repair.added or repair.rewritten:
            self.remark(
                N_("The attendance log differed from the database and was made equal. Missing lines: {added}."),
                added=repair.added,
            )
        if repair.kept:
            # Lines that the database does not know: punches that were deleted or changed in it, or a file's own story.
            details = {"file": " ".join(path.name for path in repair.kept)}
            actor = current_actor()
            self.database.run_write(
                lambda session: audit.append(session, actor=actor, action="attendance.log_replaced", details=details)
            )
        return repair

    def close_storage(self) -> None:
        """Release connections."""
        if "database" in self.__dict__:
            self.database.close()
        if "redis" in self.__dict__ and self.redis is not None:
            self.redis.close()


def _first_line(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            N_("The password file {path} cannot be read: {problem}"),
            path=path,
            problem=getattr(exc, "strerror", None) or exc,
        ) from exc
