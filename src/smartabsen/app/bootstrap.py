"""Builds the concrete parts from the settings: it alone knows them, with ``storage``, its half that keeps data.

Everything is made on first use and kept: a command that shows settings opens no database, and one that lists
employees loads no model.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from ..attendance.rules import Rules
from ..camera.base import FrameSource
from ..camera.lock import CameraLock
from ..camera.reconnect import check_pictures, open_camera
from ..camera.sources import open_source
from ..config import LoadedSettings
from ..gallery import template_rows
from ..gallery.calibration_record import find_stored, limits_for
from ..gallery.engine_choice import EngineChoice, check_identity, choose_engine, find_obstacle_here
from ..gallery.liveness import LivenessChecks, make_checks
from ..gallery.runtime_memory import RuntimeMemory
from ..kernel.actors import current_actor
from ..kernel.domain import DecisionLimits, ModelIdentity
from ..kernel.errors import CameraError, SmartAbsenError
from ..kernel.i18n import N_
from ..kernel.once import made_once
from ..kernel.pool import Pool
from ..recognition.detectors.base import Detector
from ..recognition.engines import Engine, build_detector, build_engine, find_pack_of
from ..recognition.execution import Execution
from ..recognition.matchers import MATCHERS
from ..recognition.matchers.base import Matcher
from ..recognition.quality import ENROLMENT_LIMITS, PROBE_LIMITS, QualityLimits
from ..recognition.recognizer import Recognizer
from ..store import meta
from ..store.clock import MachineClock
from .storage import Storage

FEWER_AT_ONCE: Final = N_("A further recogniser could not be loaded, so fewer people are recognised at once: {problem}")


@dataclass(frozen=True, slots=True, eq=False)
class Recognising:
    """What recognises for one thread at a time.

    Attributes:
        engine: Its detector and its embedder.
        enrolment: For photos that become templates.
        identification: For pictures of whoever is to be identified.
    """

    engine: Engine
    enrolment: Recognizer
    identification: Recognizer

    def close(self) -> None:
        """Release the models."""
        self.engine.close()


class Services(Storage):
    """The parts of one installation.

    One thread at a time works with :attr:`engine`, :attr:`enrolment`, :attr:`identification` and :attr:`at_kiosk`;
    others may read what the engine is. Where several threads recognise, they borrow by :meth:`recognising`.

    Args:
        loaded: The settings with their origins.
        machine: The clocks of this machine.
    """

    def __init__(self, loaded: LoadedSettings, *, machine: MachineClock | None = None) -> None:
        super().__init__(loaded, machine=machine)
        self._engine: Engine | None = None
        self._detectors: list[Detector] = []
        self._pack = self.settings.pack
        self._lock = threading.RLock()
        self._at_once = 1
        self._threads = self.settings.recognition.threads
        self._assumed_model: ModelIdentity | None = None
        self.on_close = ExitStack()
        """What runs beside the work and ends with it."""

    @classmethod
    def for_worker(cls, loaded: LoadedSettings, engine: str, pack: str) -> Services:
        """Return parts for a worker process: the engine that its parent chose, with one thread, and no database."""
        services = cls(loaded)
        services._pack = pack
        services.use_engine(services.build_engine(engine, threads=1))
        return services

    def recognise_at_once(self, count: int, *, threads: int) -> None:
        """Let so many threads recognise at once; called before any does.

        Args:
            count: Engines and liveness models that are loaded at most.
            threads: Of each model.
        """
        with self._lock:
            self._at_once, self._threads = count, threads
            checks = self.__dict__.pop("liveness", None)
            if checks is not None:
                checks.close()
            for name in ("_pool", "_finders"):
                self.__dict__.pop(name, None)
            if self._engine is not None:
                self._pool.exchange(self._equip(self._engine))

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
    def liveness(self) -> LivenessChecks:
        """The liveness checks of the policy; the model is loaded at its first use."""
        return make_checks(self.settings, at_once=self._at_once, threads=self._threads, on_trouble=self._tell_of_fewer)

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
            if self._engine is None:
                self.use_engine(self._build_for(self.active_model()))
            assert self._engine is not None
            return self._engine

    @contextmanager
    def recognising(self) -> Iterator[Recognising]:
        """Lend an engine for the ``with`` block; where all are at work, wait for one. Raises as :attr:`engine`.

        The engine may be changed meanwhile (:meth:`change_engine`): who has borrowed the one before goes on with it,
        and asks it, not :attr:`engine`, whose embeddings it makes.
        """
        # The first one is the engine in use; the pool has it as soon as it is loaded.
        _ = self.engine
        with self._pool.lend() as lent:
            yield lent

    @contextmanager
    def finding(self) -> Iterator[Detector]:
        """Lend a detector that does nothing else, for quick looks, which must not wait for whole recognitions."""
        _ = self.engine
        with self._finders.lend() as detector:
            yield detector

    @made_once
    def _pool(self) -> Pool[Recognising]:
        return Pool(self._make_recognising, size=self._at_once, on_trouble=self._tell_of_fewer)

    @made_once
    def _finders(self) -> Pool[Detector]:
        return Pool(self._make_finder, size=1)

    def _make_recognising(self) -> Recognising:
        first = self.engine
        engine = self.build_engine(first.name)
        try:
            # The files may be others by now.
            check_identity(engine, first.identity, models_dir=self.settings.models_dir)
        except SmartAbsenError:
            engine.close()
            raise
        return self._equip(engine)

    def _equip(self, engine: Engine) -> Recognising:
        enrolment = ENROLMENT_LIMITS.with_turn(self.settings.recognition.max_turn_deg)
        return Recognising(
            engine,
            Recognizer(engine.detector, engine.embedder, limits=enrolment),
            Recognizer(engine.detector, engine.embedder, limits=self._probe_limits(engine)),
        )

    def _make_finder(self) -> Detector:
        return build_detector(
            self.engine.detector.name,
            models_dir=self.settings.models_dir,
            pack=self._pack,
            max_side_px=self.settings.recognition.detect_px,
            threads=self._threads,
            execution=self.execution,
        )

    def _tell_of_fewer(self, error: Exception) -> None:
        self.remark(FEWER_AT_ONCE, problem=str(error) or type(error).__name__)

    def find_obstacle(self) -> SmartAbsenError | None:
        """Return why the engine cannot be loaded, without loading it; None where nothing is in the way."""
        return find_obstacle_here(self.settings, self.active_model())

    def _build_for(self, active: ModelIdentity | None) -> Engine:
        obstacle = find_obstacle_here(self.settings, active)
        if obstacle is not None:
            raise obstacle
        self._pack = self._find_pack(active)
        engine = self.build_engine(choose_engine(self.settings, active).name)
        check_identity(engine, active, models_dir=self.settings.models_dir)
        return engine

    def change_engine(self, active: ModelIdentity) -> None:
        """Take over the engine that the gallery is made with from now on; whoever holds a recogniser asks for it anew.

        Raises:
            EngineMismatchError: The settings name another one, or the files here are others.
            ModelError: Its files are missing or damaged.
        """
        with self._lock:
            if self._assumed_model is not None:
                self._assumed_model = active
            loaded = self.loaded_engine
            if loaded is None or loaded.identity != active:
                self.use_engine(self._build_for(active))

    def follow_engine(self) -> None:
        """Change the engine that is loaded where another one is in force; see :meth:`change_engine`."""
        active = self.active_model()
        if active is not None and self.loaded_engine is not None:
            self.change_engine(active)

    def use_engine(self, engine: Engine) -> None:
        """Take over an engine whose embeddings the gallery has from now on; it is closed with the rest.

        The one before is closed, where it is lent as soon as it comes back.
        """
        with self._lock:
            if engine is self._engine:
                return
            self._engine = engine
            self._pool.exchange(self._equip(engine))
            self._finders.exchange()
            for name in ("enrolment", "identification", "at_kiosk"):
                self.__dict__.pop(name, None)

    @property
    def loaded_engine(self) -> Engine | None:
        """The engine in use if it has been loaded, else None."""
        return self._engine

    def build_engine(self, name: str, *, threads: int | None = None) -> Engine:
        """Build an engine by name with the settings' pack, detector and sizes."""
        recognition = self.settings.recognition
        return build_engine(
            name,
            models_dir=self.settings.models_dir,
            pack=self._pack,
            detector=recognition.detector,
            max_side_px=recognition.detect_px,
            threads=self._threads if threads is None else threads,
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

    def limits(self) -> DecisionLimits:
        """Return what a recognition needs, as a training would put it into use now."""
        engine = self.engine
        with self.database.read() as session:
            stored = find_stored(session)
            people, rows = template_rows.size(session, engine.identity)
        return limits_for(
            stored, engine, self.settings.recognition, model=engine.identity, people=people, templates=rows
        )

    @made_once
    def enrolment(self) -> Recognizer:
        """The recogniser for photos that become templates."""
        return self._equip(self.engine).enrolment

    @made_once
    def identification(self) -> Recognizer:
        """The recogniser for pictures of whoever is to be identified."""
        return self._equip(self.engine).identification

    @made_once
    def at_kiosk(self) -> Recognizer:
        """The recogniser for frames of a camera: detection works on a smaller copy, and finds whom it can compare."""
        recognition, detect_px = self.settings.recognition, self.settings.kiosk.detect_px
        detector = build_detector(
            self.engine.detector.name,
            models_dir=self.settings.models_dir,
            pack=self._pack,
            max_side_px=detect_px,
            threads=recognition.threads,
            min_face_px=recognition.min_face_px if detect_px is None else 0,
            execution=self.execution,
        )
        self._detectors.append(detector)
        return Recognizer(detector, self.engine.embedder, limits=self._probe_limits(self.engine))

    def _probe_limits(self, engine: Engine) -> QualityLimits:
        smallest, sharpness = self.settings.recognition.min_face_px, engine.probe_sharpness
        limits = PROBE_LIMITS.with_least(min_face_px=smallest, min_sharpness=sharpness)
        return limits.with_turn(self.settings.recognition.max_turn_deg)

    def make_matcher(self, name: str, *, engine: Engine) -> Matcher:
        """Make an empty matcher by name, for embeddings of an engine."""
        return MATCHERS.get_factory(name)(balance=engine.balance)

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
        """Open a camera, look whether its picture changes, and return what went wrong, or None."""
        try:
            with self.camera_lock(spec):
                source = open_source(spec, open_timeout_s=5.0, read_timeout_s=5.0)
                try:
                    check_pictures(source, timeout_s=5.0)
                finally:
                    source.close()
        except CameraError as exc:
            return exc
        return None

    def close(self) -> None:
        """Stop what watches, and release models and connections."""
        self.on_close.close()
        for detector in self._detectors:
            detector.close()
        self._detectors.clear()
        self._pool.close()
        self._finders.close()
        self._engine = None
        if "liveness" in self.__dict__:
            self.liveness.close()
        self.close_storage()
