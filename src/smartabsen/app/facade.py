"""The facade of the library: what the command line, the web server and scripts call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from ..attendance import punch, reporting
from ..attendance.reporting import ReportFormat
from ..config import LoadedSettings, Settings, load_settings
from ..gallery import enrol, identify, import_people, train
from ..gallery.engine_choice import EngineChoice, find_pack_to_fetch
from ..gallery.enrol import CameraEvent
from ..gallery.gallery import LiveGallery
from ..gallery.import_people import OnConflict
from ..kernel.domain import (
    ACTIVE,
    Employee,
    EnrolReport,
    ImageResult,
    ImportReport,
    KioskEvent,
    KioskSummary,
    Members,
    ModelStatus,
    PunchResult,
    Report,
    SettingValue,
    TableQuestion,
    TemplateFacts,
    TrainReport,
)
from ..kernel.i18n import current_language
from ..kiosk import run
from ..people import people
from ..people.people_file import Person
from ..store.clock import MachineClock
from ..upkeep import model_install, model_packs
from ..upkeep.clock_care import tell_zone_once
from .bootstrap import Services
from .use_cases import UseCases

Progress = Callable[[int, int], None]
"""Called with what is done and the total."""


class SmartAbsen(UseCases):
    """One installation: its people, its trained model, its attendance.

    Nothing is opened before it is needed. Use it in one thread at a time, as a context manager or with :meth:`close`.

    Args:
        loaded: Settings with their origins; :meth:`open` reads them.
        machine: The clocks of this machine.

    Attributes:
        services: The parts behind it, for modules of ``smartabsen.core``.
    """

    def __init__(self, loaded: LoadedSettings, *, machine: MachineClock | None = None) -> None:
        super().__init__(Services(loaded, machine=machine))
        self._gallery: LiveGallery | None = None

    @classmethod
    def open(cls, *, flags: Mapping[str, object] | None = None) -> Self:
        """Open the installation that flags, environment and ``smartabsen.toml`` describe.

        Args:
            flags: Settings by dotted name that win over all others, as ``{"engine": "sface", "home": "/srv/absen"}``.

        Raises:
            ConfigError: A setting is unknown or out of range.
        """
        return cls(load_settings(flags))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release models and database connections."""
        self.services.close()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.services.settings

    def setting_values(self) -> tuple[SettingValue, ...]:
        """Return every setting with its value, origin and meaning."""
        return tuple(self.services.loaded.values())

    @property
    def notices(self) -> tuple[str, ...]:
        """What people must be told about the engine in use (licences), as message ids; empty until it is loaded."""
        engine = self.services.loaded_engine
        return (engine.notice,) if engine is not None and engine.notice else ()

    @property
    def remarks(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """What happened by the way and people should know, as message ids with their places."""
        return tuple(self.services.remarks)

    def take_remarks(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """Return :attr:`remarks` and forget them, so that a program that runs for long tells the same again."""
        taken = self.remarks
        del self.services.remarks[: len(taken)]
        return taken

    def engine_choice(self) -> EngineChoice:
        """Return the name of the engine in use and why it is this one, without loading it."""
        return self.services.engine_choice()

    def pack_to_fetch(self) -> str | None:
        """Return the model pack without which nobody can be enrolled here; None where an engine is there or named."""
        return find_pack_to_fetch(self.settings, self.services.active_model())

    # --- people --------------------------------------------------------------------------------------------

    def enrol(
        self,
        name: str,
        photos: Sequence[str | Path] | str | Path,
        *,
        code: str,
        position: str = "",
        allow_duplicate: bool = False,
        consent: bool = False,
        on_progress: Progress | None = None,
    ) -> EnrolReport:
        """Enrol one person from photos or folders of photos; an employee with that code gets further templates.

        Args:
            name: Full name.
            photos: Files or folders; none adds the employee without a template.
            code: The employer's unique code.
            allow_duplicate: Accept a face that looks like another employee's.
            consent: The person agreed to face recognition; that is recorded with the text in force.

        Returns:
            A verdict for each photo. When none of the given photos was accepted, nobody was added.

        Raises:
            ConflictError: The code belongs to somebody of another name.
            InvalidInputError: Code or name is empty or too long.
            EngineMismatchError: The people here were enrolled with another engine.
            ConsentMissingError: The policy demands consent, and there is none.
        """
        if isinstance(photos, str | Path):
            # A single path; a string would be taken apart into letters, and “.” is a folder.
            photos = [photos]
        tell_zone_once(self.services)
        person = Person(code, name, position, self.now() if consent else None)
        return enrol.enrol(self.services, person, photos, allow_duplicate=allow_duplicate, on_progress=on_progress)

    def enrol_from_camera(
        self,
        name: str,
        *,
        code: str,
        camera: str,
        shots: int = 5,
        position: str = "",
        allow_duplicate: bool = False,
        consent: bool = False,
        on_event: CameraEvent | None = None,
        stop: threading.Event | None = None,
    ) -> EnrolReport:
        """Take photos of one person at a camera and enrol them; see :meth:`enrol`.

        Args:
            camera: Device number, ``rtsp://...``, video file or folder.
            shots: Good photos to take, at least a second apart.
            on_event: Told how many photos are wanted, then the verdict on each one.
            stop: Ends the session when it is set.

        Raises:
            CameraError: The camera is held by another process or gives no good photo.
        """
        tell_zone_once(self.services)
        return enrol.enrol_from_camera(
            self.services,
            Person(code, name, position, self.now() if consent else None),
            camera=camera,
            shots=shots,
            allow_duplicate=allow_duplicate,
            on_event=on_event,
            stop=stop,
        )

    def import_people(
        self,
        people_file: str | Path,
        *,
        photos_dir: str | Path | None = None,
        dry_run: bool = False,
        on_conflict: OnConflict = "skip",
        allow_duplicate: bool = False,
        workers: int | None = None,
        consent: bool = False,
        sheet: str = "",
        columns: Mapping[str, str] | None = None,
        ask: Callable[[TableQuestion], int] | None = None,
        on_progress: Progress | None = None,
    ) -> ImportReport:
        """Enrol many people from a CSV or XLSX file with the columns code, name, position, photos.

        Args:
            photos_dir: Where photos lie, also those found as ``<code>/*`` and ``<code>.jpg``; the file's own
                directory by default.
            dry_run: Examine and judge everything, write nothing.
            on_conflict: What becomes of a row whose code exists: ``skip``, ``update`` or ``fail``.
            workers: Processes that examine photos; None chooses.
            consent: Everybody agreed to face recognition, but those whose cell says no; otherwise the column
                ``consent`` says who did.
            sheet: Name of the sheet of a workbook; empty looks for it.
            columns: Titles in the file by the names of columns, as ``{"code": "NIK"}``; an empty title uses none. The
                others are looked for.
            ask: Asks a person where several sheets or columns could be meant, and returns the place of the choice.

        Returns:
            The verdict of each row, and what was taken for what.

        Raises:
            NotFoundError: The file does not exist.
            InvalidInputError: It is no table of people.
            ConflictError: ``on_conflict`` is ``fail`` and a code exists.
        """
        tell_zone_once(self.services)
        return import_people.import_people(
            self.services,
            Path(people_file),
            photos_dir=None if photos_dir is None else Path(photos_dir),
            dry_run=dry_run,
            on_conflict=on_conflict,
            allow_duplicate=allow_duplicate,
            workers=workers,
            consent=consent,
            choice=import_people.table_choice(sheet, columns or {}),
            ask=ask,
            on_progress=on_progress,
        )

    def write_rejects(self, report: ImportReport, path: str | Path) -> None:
        """Write the rows of an import that were rejected or not reached to a .csv or .xlsx file, with the reasons.

        A CSV has the separator, the encoding and the titles of the file that was imported.
        """
        import_people.write_rejects(report, Path(path), separator=self.settings.report.separator(current_language()))

    def employees(self, *, search: str = "", include_inactive: bool = True) -> tuple[Employee, ...]:
        """Return employees sorted by name; ``search`` looks into code, name and position."""
        return people.list_employees(self.services, search=search, include_inactive=include_inactive)

    def get_employee(self, code: str) -> Employee:
        """Return one employee. Raises NotFoundError."""
        return people.get_employee(self.services, code)

    def templates_of(self, code: str) -> tuple[TemplateFacts, ...]:
        """Return what is known of the templates of one employee, of all engines. Raises NotFoundError."""
        templates = people.templates_of(self.services, code)
        self.audit.note_reading("biometric.read", employee=code, details={"templates": str(len(templates))})
        return templates

    def rename_employee(self, code: str, name: str) -> Employee:
        """Give an employee another name. Raises NotFoundError, InvalidInputError."""
        return people.rename_employee(self.services, code, name)

    def deactivate_employee(self, code: str, *, reason: str = "") -> Employee:
        """Keep an employee from punching, at once and on all kiosks; the attendance stays. Raises NotFoundError."""
        return people.set_active(self.services, code, active=False, reason=reason)

    def activate_employee(self, code: str, *, reason: str = "") -> Employee:
        """Let an employee punch again, and be recognised at once where a model is trained. Raises NotFoundError."""
        return people.set_active(self.services, code, active=True, reason=reason)

    # --- recognition ---------------------------------------------------------------------------------------

    def train(
        self, *, min_accuracy: float | None = None, force: bool = False, members: Members = ACTIVE
    ) -> TrainReport:
        """Fit the matcher on all templates, measure it by leave-one-out, and put it into use if it is good enough.

        Its threshold fits the number of people by itself, for the setting ``recognition.target_fpir``.

        Args:
            min_accuracy: Share demanded by the gate, 0..1; the setting (0.99) by default.
            force: Put it into use whatever its accuracy.
            members: Who is recognised by it, all active employees by default.

        Returns:
            The report; ``activated`` says whether the model is in use, ``weak`` who is recognised in few of their own
            photos. Running kiosks take it over by themselves.

        Raises:
            NotFoundError: Nobody is enrolled.
        """
        report = train.train(self.services, min_accuracy=min_accuracy, force=force, members=members)
        self._gallery = None
        return report

    def identify(
        self, images: Sequence[str | Path] | str | Path, *, draw_dir: str | Path | None = None
    ) -> tuple[ImageResult, ...]:
        """Say who is in each picture, in the order given; a folder stands for the pictures in it, sorted by name.

        Args:
            draw_dir: Where annotated copies go: a directory, or for one picture a file named .jpg, .png, .webp or .bmp.

        Raises:
            InvalidInputError: A folder holds no picture, or the copies cannot go there.
            NotTrainedError: There is no trained model yet.
            StorageError: An annotated copy cannot be written.
        """
        self._gallery = identify.current_gallery(self.services, self._gallery)
        if isinstance(images, str | Path):
            images = [images]
        target = None if draw_dir is None else Path(draw_dir)
        return identify.identify(self.services, self._gallery, images, draw_dir=target)

    def run_kiosk(
        self,
        *,
        camera: str | None = None,
        max_seconds: float | None = None,
        on_event: Callable[[KioskEvent], None],
        stop: threading.Event | None = None,
        window: bool = False,
    ) -> KioskSummary:
        """Recognise people at a camera and record their attendance until the recording ends or ``stop`` is set.

        Args:
            camera: Device number, ``rtsp://...``, video file or folder; the setting by default.
            max_seconds: End after so many seconds.
            on_event: Told each event; a decision is told after its punch is on disk.
            stop: Ends the session when it is set.
            window: Show a window where there is a display.

        Raises:
            CameraBusyError: Another process holds the camera.
            CameraError: The camera cannot be opened.
            NotTrainedError: There is no trained model yet.
        """
        return run.run(
            self.services,
            camera=camera or self.settings.kiosk.camera,
            max_seconds=max_seconds,
            announce=on_event,
            stop=stop or threading.Event(),
            window=window,
        )

    # --- attendance ----------------------------------------------------------------------------------------

    def punch(self, code: str, *, note: str = "", key: str | None = None) -> PunchResult:
        """Record a punch for somebody by hand, marked as such.

        Args:
            note: Why by hand.
            key: Idempotency key: a repetition with the same key stores nothing new.

        Raises:
            NotFoundError: There is no employee with that code.
            ConflictError: The employee is inactive.
            KeyReusedError: The key has stored another punch: of somebody else, or with another note.
            DatabaseError: It is not known to be stored; try again with the same key.

        A log file that cannot be written (open in a spreadsheet, no permission) is no error: :attr:`remarks` tells it,
        and the next punch or start of a kiosk completes it.
        """
        return punch.punch_by_hand(self.services, code, note=note, key=key)

    def report(self, first: date, last: date, *, code: str | None = None) -> Report:
        """Return days and totals of a period, both ends included, of one employee or all."""
        report = reporting.make_report(self.services, first, last, code=code)
        self.audit.note_reading("attendance.read", employee=code or "", details={"from": str(first), "to": str(last)})
        return report

    def write_report(self, report: Report, path: str | Path, *, format: ReportFormat, totals: bool = False) -> None:
        """Write a report as ``xlsx`` (days and totals) or ``csv`` (days, or ``totals``). Raises StorageError."""
        self._note_report(report, Path(path).name)
        separator = self.settings.report.separator(current_language())
        reporting.write_report(report, Path(path), format=format, totals=totals, separator=separator)

    def report_text(self, report: Report, *, totals: bool = False) -> str:
        """Return a report as the CSV that :meth:`write_report` writes."""
        self._note_report(report, "-")
        separator = self.settings.report.separator(current_language())
        return reporting.report_text(report, totals=totals, separator=separator)

    def _note_report(self, report: Report, file: str) -> None:
        details = {"from": str(report.first), "to": str(report.last), "file": file}
        self.audit.note_reading("attendance.export", details=details)

    def reconcile_log(self) -> int:
        """Make the attendance log equal to the database; return how many lines were missing. Kiosks do it at start."""
        return self.services.reconcile_log().added

    # --- models and health ---------------------------------------------------------------------------------

    def models(self) -> tuple[ModelStatus, ...]:
        """Return what is known of each model pack and of its copy here, with the digests of its files."""
        return model_packs.list_packs(self.services)

    def pull_models(
        self, name: str, *, accept_noncommercial: bool = False, on_progress: Progress | None = None
    ) -> tuple[ModelStatus, ...]:
        """Download a model pack, or all packs of an engine, and check them against their published digests.

        Raises:
            LicenceError: Its weights are for non-commercial research only, and that was not accepted.
            ModelError: It cannot be downloaded; the hint says how to place it by hand.
            ModelDamagedError: What came is not what was published.
        """
        return model_packs.pull(self.services, name, accept_noncommercial=accept_noncommercial, on_progress=on_progress)

    def install_models(
        self, path: str | Path, *, name: str | None = None, accept_noncommercial: bool = False
    ) -> tuple[ModelStatus, ...]:
        """Install model files from a folder, an archive or a file; see :func:`.model_install.install`."""
        return model_install.install(self.services, Path(path), name=name, accept_noncommercial=accept_noncommercial)
