"""What keeps data, built from the settings: database, log, queue, keys, Redis. ``bootstrap`` adds what recognises."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ..attendance import clock_evidence_rows
from ..attendance.csv_log import CsvLog
from ..attendance.csv_sync import LogRepair, reconcile
from ..config import CREDENTIAL_ORIGIN, LoadedSettings, Settings
from ..config.zones import FIRST_START, ZONE_FILE
from ..gallery.model_notices import ModelNotices
from ..gallery.seen_frame_rows import SeenFrameTable
from ..kernel.actors import current_actor
from ..kernel.errors import ConfigError, DatabaseError, StorageError
from ..kernel.i18n import N_
from ..kernel.once import made_once
from ..kernel.reading import read_text
from ..kiosk.punch_queue import PunchQueue
from ..org.rate_limit_rows import RateLimitStore, RateLimitTable
from ..org.secrets import ServerSecret, load_secret
from ..org.security_log import SecurityLog
from ..org.security_log_file import SecurityFiles
from ..org.web_session_rows import WebSessionStore, WebSessionTable
from ..privacy.erased_here import ErasedHere
from ..qr.sign_in_rows import SignInTable
from ..store.clock import MachineClock
from ..store.database import Database
from ..store.files import make_private_directory, write_atomically
from ..store.leftovers import AGE_S, sweep
from ..store.mysql import Tls
from ..store.redis_store import RedisLink, RedisRateLimits, RedisWebSessions
from ..store.trusted_clock import TrustedClock
from ..trust import audit_rows
from ..trust.active_key import ring_for_writing
from ..trust.keys import KeyChain
from ..trust.sealing import KeyRing
from ..trust.signing_rows import begin
from ..trust.trail_keeper import TrailKeeper
from ..trust.vault import KEY_MADE, ensure_key
from ..upkeep.tidying import Tidying


class Storage:
    """Where one installation keeps its data; everything is made on first use and kept.

    Args:
        loaded: The settings with their origins.
        machine: The clocks of this machine.
    """

    def __init__(self, loaded: LoadedSettings, *, machine: MachineClock | None = None) -> None:
        self.loaded = loaded
        self.machine = machine or MachineClock()
        self.settings: Settings = loaded.settings
        self.remarks: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        """What people should be told, as message ids with their places."""
        self.reported: set[object] = set()
        """Which damaged files the audit trail has been told of."""
        self.log_behind = False
        """Whether the attendance log lacks something, as it could not be written."""
        self.log_unchecked = False
        """Whether log and database are still to be made equal, as a start does: the database was away then."""
        self._swept = False

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
        return Database(url, password=password, tls=tls, on_ready=on_ready, keeper=keeper, machine=self.machine)

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
        """The clock that attendance is judged by, with what earlier runs came to know."""
        known = None
        if self.database.path is not None and self.database.path.exists():
            # A file knows when it was last written to; a server is asked for the time itself.
            with suppress(DatabaseError), self.database.read() as session:
                known = clock_evidence_rows.latest(session)
        tolerance = timedelta(seconds=self.settings.attendance.clock_tolerance_s)
        return TrustedClock(self.database.clock, tolerance=tolerance, memory=self.punch_queue, known=known)

    def look_at_clock(self) -> TrustedClock:
        """Return :attr:`clock`, the server having been asked where that is due and it answers."""
        if self.database.path is None and self.database.clock.is_due:
            with suppress(DatabaseError), self.database.read():
                pass
        self.clock.follow()
        return self.clock

    def instant(self) -> datetime:
        """Return the time (UTC) by the database, or by this machine where that never told it."""
        try:
            return self.database.now()
        except DatabaseError:
            return self.database.clock.instant()

    @made_once
    def secret(self) -> ServerSecret:
        """The server's secret; the first use may make one in the home."""
        self.make_home()
        return load_secret(self.settings)

    @made_once
    def security(self) -> SecurityLog:
        """The security log; nothing is opened before the first event."""
        keep_days = self.settings.privacy.security_log_days
        # The time by the database, as far as it was told: nobody waits for it to write a line.
        files = SecurityFiles(
            self.settings.home / "logs", keep_days=keep_days, now=lambda: self.database.clock.instant()
        )
        return SecurityLog(files)

    @made_once
    def tidying(self) -> Tidying:
        """When what has expired is removed."""
        return Tidying()

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
        if self.redis is not None:
            return RedisRateLimits(self.redis, clock=self.instant)
        return RateLimitTable(self.database, tidy=self.tidying.do)

    @made_once
    def seen_frames(self) -> SeenFrameTable:
        """Which frames have come from browsers."""
        return SeenFrameTable(self.database, tidy=self.tidying.do)

    @made_once
    def web_sessions(self) -> WebSessionStore:
        """Where sessions of browsers are kept."""
        if self.redis is not None:
            return RedisWebSessions(self.redis, clock=self.instant)
        return WebSessionTable(self.database, tidy=self.tidying.do)

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
            zone = self.settings.home / ZONE_FILE
            if self.loaded.origins.get("site.zone") == FIRST_START and not zone.exists():
                write_atomically(zone, f"{self.settings.site.zone}\n".encode())
        except StorageError as exc:
            raise StorageError(
                exc.message_id,
                hint=N_("Choose a home that can be written: SMARTABSEN_HOME, or --home DIR."),
                **exc.params,
            ) from exc
        if not self._swept:
            self._swept = True
            self.sweep()

    def sweep(self, *, min_age_s: float = AGE_S) -> int:
        """Remove what commands that were killed left behind in the folders of this installation; return how much.

        Args:
            min_age_s: What was written to within so long stays.
        """
        given = self.settings
        home = given.home
        folders = (home, home / "secrets", home / "queue", home / "cache", given.assets_dir, given.csv_dir,
                   given.models_dir, given.backup.directory or home / "backups")  # fmt: skip
        return sweep(folders, min_age_s=min_age_s)

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
                lambda session: audit_rows.append(
                    session, actor=actor, action="attendance.log_replaced", details=details
                )
            )
        return repair

    def close_storage(self) -> None:
        """Release connections, and write what is only counted so far."""
        if "security" in self.__dict__:
            self.security.close()
        if "tidying" in self.__dict__:
            self.tidying.close()
        if "database" in self.__dict__:
            self.database.close()
        if "redis" in self.__dict__ and self.redis is not None:
            self.redis.close()


def _first_line(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return read_text(path, encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            N_("The password file {path} cannot be read: {problem}"),
            path=path,
            problem=getattr(exc, "strerror", None) or exc,
        ) from exc
