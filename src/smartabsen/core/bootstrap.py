"""Builds the concrete parts from the settings: the only module of ``core`` that knows them.

Everything is made on first use and kept: a command that shows settings opens no database, and one that lists
employees loads no model.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from ..attendance.rules import Rules
from ..camera.base import FrameSource
from ..camera.lock import CameraLock
from ..camera.reconnect import open_camera
from ..camera.sources import open_source
from ..config import LoadedSettings, Settings
from ..domain import ModelIdentity
from ..errors import CameraError, ConfigError, StorageError
from ..i18n import N_
from ..recognition.detectors.base import Detector
from ..recognition.engines import Engine, build_detector, build_engine, find_pack_of
from ..recognition.execution import Execution
from ..recognition.matchers import MATCHERS
from ..recognition.matchers.base import Matcher
from ..recognition.quality import ENROLMENT_LIMITS, PROBE_LIMITS, QualityLimits
from ..recognition.recognizer import Recognizer
from ..store import meta
from ..store.csv_log import CsvLog
from ..store.csv_sync import LogRepair, reconcile
from ..store.database import Database
from ..store.files import make_private_directory
from ..store.mysql import Tls
from ..store.punch_queue import PunchQueue
from ..store.rate_limits import RateLimitStore, RateLimitTable
from ..store.redis_store import RedisLink, RedisRateLimits, RedisWebSessions
from ..store.sign_ins import SignInTable
from ..store.web_sessions import WebSessionStore, WebSessionTable
from .actors import current_actor
from .calibration_record import find_record
from .clock import TrustedClock, remembered_clock
from .engine_choice import EngineChoice, check_identity, choose_engine
from .once import made_once
from .runtime_memory import RuntimeMemory
from .secrets import ServerSecret, load_secret


class Services:
    """The parts of one installation.

    Args:
        loaded: The settings with their origins.
    """

    def __init__(self, loaded: LoadedSettings) -> None:
        self.loaded = loaded
        self.settings: Settings = loaded.settings
        self._engines: dict[str, Engine] = {}
        self._detectors: list[Detector] = []
        self._pack = self.settings.pack
        self._lock = threading.RLock()
        self.recognising = threading.Lock()
        """To be held while detector and embedder work, where several threads use them: runtimes differ in what they
        can do at once, and a server's cores are better used by one face after the other."""
        self._assumed_model: ModelIdentity | None = None
        self.remarks: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        """What people should be told, as message ids with their places."""

    @classmethod
    def for_worker(cls, loaded: LoadedSettings, engine: str, pack: str) -> Services:
        """Return parts for a worker process: the engine that its parent chose, with one thread, and no database."""
        services = cls(loaded)
        services._pack = pack
        services._engines["in use"] = services.build_engine(engine, threads=1)
        return services

    @made_once
    def rules(self) -> Rules:
        """The rules of attendance."""
        attendance = self.settings.attendance
        return Rules(
            start=attendance.start,
            grace_minutes=attendance.grace_minutes,
            zone=self.settings.site.zone,
            day_starts_at=attendance.day_starts_at,
            cooldown_s=attendance.cooldown_s,
            min_work_minutes=attendance.min_work_minutes,
        )

    @made_once
    def database(self) -> Database:
        """The database; its schema is made or checked at the first unit of work."""
        self.make_home()
        return self.open_database(self.settings.database_address)

    def open_database(self, url: str) -> Database:
        """Return a database by its URL, with the password and certificates of the settings where it is a server."""
        given = self.settings.database
        tls = Tls(given.tls_ca, given.tls_cert, given.tls_key) if given.tls_ca is not None else None
        return Database(url, password=given.password or _first_line(given.password_file), tls=tls)

    @made_once
    def csv_log(self) -> CsvLog:
        """The attendance log."""
        return CsvLog(self.settings.csv_dir, zone=self.settings.site.zone)

    @made_once
    def punch_queue(self) -> PunchQueue:
        """Punches of the kiosks here that wait for the database."""
        return PunchQueue(self.settings.home / "queue" / "punches.db")

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
    def rate_limits(self) -> RateLimitStore:
        """Where tries are counted."""
        return RateLimitTable(self.database) if self.redis is None else RedisRateLimits(self.redis)

    @made_once
    def web_sessions(self) -> WebSessionStore:
        """Where sessions of browsers are kept."""
        return WebSessionTable(self.database) if self.redis is None else RedisWebSessions(self.redis)

    @property
    def pack(self) -> str:
        """The InsightFace pack in use, once the engine is loaded."""
        return self._pack

    @property
    def kiosk_name(self) -> str:
        """Name of this kiosk: the one set, or the machine's."""
        return self.settings.site.kiosk or platform.node() or "kiosk"

    @made_once
    def site_zone(self) -> ZoneInfo:
        """The zone of the site, in which people read times."""
        return ZoneInfo(self.settings.site.zone)

    @property
    def actor(self) -> str:
        """Who acts, for the audit trail; see ``core.actors``."""
        return current_actor()

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

    def active_model(self) -> ModelIdentity | None:
        """Return the identity of the gallery's embeddings, None before the first enrolment."""
        if self._assumed_model is not None:
            return self._assumed_model
        with self.database.read() as session:
            return meta.find_active_model(session)

    def assume_model(self, model: ModelIdentity) -> None:
        """Take the gallery's identity as known, for a kiosk that starts while the database is away."""
        self._assumed_model = model

    def engine_choice(self) -> EngineChoice:
        """Choose the engine without loading it."""
        return choose_engine(self.settings, self.active_model())

    @property
    def engine(self) -> Engine:
        """The engine in use; the first use loads it.

        Raises:
            EngineMismatchError: It is not the gallery's.
            ModelError: Its files are missing or damaged.
        """
        with self._lock:
            if "in use" not in self._engines:
                active = self.active_model()
                self._pack = self._find_pack(active)
                engine = self.build_engine(choose_engine(self.settings, active).name)
                check_identity(engine, active)
                self._engines["in use"] = engine
            return self._engines["in use"]

    @property
    def loaded_engine(self) -> Engine | None:
        """The engine in use if it has been loaded, else None."""
        return self._engines.get("in use")

    def build_engine(self, name: str, *, threads: int | None = None) -> Engine:
        """Build an engine by name with the settings' pack, detector and sizes."""
        recognition = self.settings.recognition
        return build_engine(
            name,
            models_dir=self.settings.models_dir,
            pack=self._pack,
            detector=recognition.detector,
            max_side_px=recognition.detect_px,
            threads=recognition.threads if threads is None else threads,
            execution=self.execution,
        )

    @made_once
    def execution(self) -> Execution:
        """What ONNX models run on."""
        recognition = self.settings.recognition
        return Execution(runtime=recognition.runtime, device=recognition.device, choose=self.runtime_memory.choose)

    @made_once
    def runtime_memory(self) -> RuntimeMemory:
        """Which runtime is the faster one on this machine."""
        return RuntimeMemory(self.settings.home)

    def _find_pack(self, active: ModelIdentity | None) -> str:
        # A gallery stays with its pack when a better one is installed later.
        if self.settings.pack != "auto" or active is None or active.engine != "insightface":
            return self.settings.pack
        return find_pack_of(active, self.settings.models_dir) or "auto"

    @property
    def threshold(self) -> float:
        """Cosine that a recognition needs: the one set, the calibrated one, or the engine's."""
        named = self.settings.recognition.threshold
        return self._limits[0] if named is None else named

    @property
    def margin(self) -> float:
        """Distance to the second-best person that a recognition needs: set, calibrated, or the engine's."""
        named = self.settings.recognition.margin
        return self._limits[1] if named is None else named

    @property
    def _limits(self) -> tuple[float, float]:
        engine = self.engine
        with self.database.read() as session:
            calibrated = find_record(session)
        # One of another engine says nothing about these cosines.
        if calibrated is None or calibrated.model != engine.identity:
            return engine.threshold, engine.margin
        return calibrated.threshold, calibrated.margin

    @made_once
    def enrolment(self) -> Recognizer:
        """The recogniser for photos that become templates."""
        return Recognizer(self.engine.detector, self.engine.embedder, limits=ENROLMENT_LIMITS)

    @made_once
    def identification(self) -> Recognizer:
        """The recogniser for pictures of whoever is to be identified."""
        return Recognizer(self.engine.detector, self.engine.embedder, limits=self._probe_limits)

    @made_once
    def at_kiosk(self) -> Recognizer:
        """The recogniser for frames of a camera: detection works on a smaller copy."""
        recognition = self.settings.recognition
        detector = build_detector(
            self.engine.detector.name,
            models_dir=self.settings.models_dir,
            pack=self._pack,
            max_side_px=self.settings.kiosk.detect_px,
            threads=recognition.threads,
            execution=self.execution,
        )
        self._detectors.append(detector)
        return Recognizer(detector, self.engine.embedder, limits=self._probe_limits)

    @property
    def _probe_limits(self) -> QualityLimits:
        return PROBE_LIMITS.with_min_face_px(self.settings.recognition.min_face_px)

    def make_matcher(self, name: str) -> Matcher:
        """Make an empty matcher by name."""
        return MATCHERS.get_factory(name)()

    def camera_lock(self, spec: str) -> CameraLock:
        """Return the lock of a camera, shared by all processes of this machine, whatever their home."""
        return CameraLock(spec, holder=self.kiosk_name)

    def open_camera(
        self,
        spec: str,
        *,
        stop: threading.Event,
        on_lost: Callable[[CameraError], None],
        on_back: Callable[[], None],
        on_skip: Callable[[CameraError], None] | None = None,
    ) -> FrameSource:
        """Open a camera for a session."""
        return open_camera(spec, stop=stop, on_lost=on_lost, on_back=on_back, on_skip=on_skip)

    def try_camera(self, spec: str) -> CameraError | None:
        """Open a camera, take one picture, and return what went wrong, or None."""
        try:
            with self.camera_lock(spec):
                source = open_source(spec, open_timeout_s=5.0, read_timeout_s=5.0)
                try:
                    source.read(5.0)
                finally:
                    source.close()
        except CameraError as exc:
            return exc
        return None

    def reconcile_log(self, *, thorough: bool = False) -> LogRepair:
        """Make the attendance log equal to the database; what had to be mended is remarked."""
        repair = reconcile(self.database, self.csv_log, thorough=thorough)
        if repair.added or repair.rewritten:
            remark = N_("The attendance log differed from the database and was made equal: {added} lines were missing.")
            self.remarks.append((remark, (("added", str(repair.added)),)))
        return repair

    def close(self) -> None:
        """Release models and connections."""
        for detector in self._detectors:
            detector.close()
        for engine in self._engines.values():
            engine.close()
        self._detectors.clear()
        self._engines.clear()
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
