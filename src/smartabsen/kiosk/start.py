"""What a kiosk needs of the database before it can start, and how it starts when that is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..app.bootstrap import Services
from ..attendance.punch import log_punch, record_attempt
from ..gallery.gallery import LiveGallery
from ..gallery.guard import remark_on_guard
from ..gallery.identify import load_gallery, open_gallery
from ..gallery.model_file import load_model
from ..gallery.model_in_force import checked_gallery, note_gallery
from ..kernel.domain import CheckLevel, Employee, Punch, PunchResult
from ..kernel.errors import DatabaseError, ModelError, SchemaError, StorageError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..store import meta
from ..store.database import Session
from ..upkeep.clock_care import check_clock, check_zone
from .punch_writer import DATABASE_ID, GENERATION, RESTORED, DatabaseIdentity, PunchWriter

Remark = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Start:
    """What a kiosk starts with.

    Attributes:
        gallery: The trained model.
        people: Employees by id; empty while the database is away.
        remarks: What people should know, as message ids with their places.
    """

    gallery: LiveGallery
    people: Mapping[int, Employee]
    remarks: tuple[Remark, ...]


def open_without_waiting(services: Services) -> Start:
    """Load the trained model and make the log equal to the database, or go without a database that does not answer.

    A kiosk whose database is away starts with the trained model that it checked against that database the last time:
    who is recognised is kept in the queue, and the database decides when it is back.

    Raises:
        NotTrainedError: There is no trained model, or it belongs to another database; what waits was passed on.
        DatabaseError: The database is away and the trained model was never checked against it.
    """
    try:
        try:
            gallery = open_gallery(services)
        except ModelError:
            # What was recorded earlier does not depend on a model.
            pass_on_waiting(services)
            raise
        with services.database.read() as session:
            people = {person.id: person for person in employee_rows.find_all(session)}
            identity = find_identity(session)
        noted = _note_start(services, gallery, identity)
        # Of a state that is gone, the log may have lines that count right and say something else.
        remarks = [*noted, *_reconcile(services, thorough=(RESTORED, ()) in noted), *_clock(services)]
    except SchemaError:
        raise
    except DatabaseError as exc:
        gallery, people = _open_offline(services, exc), {}
        remarks = [(exc.message_id, exc.text_params)]
    return Start(gallery, people, (*remarks, *remark_on_guard(services), *_waiting(services)))


def pass_on_waiting(services: Services) -> None:
    """Pass on the punches that wait where no session will; what came of them is remarked. Raises StorageError."""
    queue = services.punch_queue
    before = queue.count()
    if not before:
        return
    aside = len(queue.refused())
    waiting = PunchWriter(PunchesOf(services), queue, services.clock).close()
    aside = len(queue.refused()) - aside
    services.remark(
        N_("Of the punches that waited on this kiosk {passed} were passed on, {aside} are kept aside, {waiting} wait."),
        passed=str(before - waiting - aside),
        aside=str(aside),
        waiting=str(waiting),
    )


@dataclass(frozen=True, slots=True)
class PunchesOf:
    """Database and log of an installation, for the writer of a kiosk."""

    services: Services

    def record(self, attempt: Punch) -> PunchResult:
        """Store an attempt in the database."""
        return record_attempt(self.services, attempt, exact=True)

    def log(self, result: PunchResult) -> None:
        """Append the line of a stored punch to the log."""
        log_punch(self.services, result)

    def reconcile(self) -> None:
        """Make the log equal to the database."""
        self.services.reconcile_log()

    def ask_time(self) -> None:
        """Ask the database for its time where that is due."""
        database = self.services.database
        if database.path is None and database.clock.is_due:
            with database.read():
                pass

    def identity(self) -> DatabaseIdentity:
        """Return which database it is."""
        with self.services.database.read() as session:
            return find_identity(session)


def _clock(services: Services) -> list[Remark]:
    found = (*check_clock(services), *check_zone(services))
    return [(row.detail, row.params) for row in found if row.level is not CheckLevel.OK]


def find_identity(session: Session) -> DatabaseIdentity:
    """Return which database it is, and which of its states."""
    return DatabaseIdentity(meta.database_id(session), meta.generation(session), meta.row_ids_are_certain(session))


def _note_start(services: Services, gallery: LiveGallery, identity: DatabaseIdentity) -> list[Remark]:
    queue = services.punch_queue
    try:
        before = queue.find_fact(GENERATION)
        queue.note_fact(DATABASE_ID, identity.database_id)
        queue.note_fact(GENERATION, identity.generation)
        note_gallery(services, gallery.version)
    except StorageError as exc:
        return [(exc.message_id, exc.text_params)]
    return [(RESTORED, ())] if before not in ("", identity.generation) else []


def _reconcile(services: Services, *, thorough: bool) -> list[Remark]:
    before = len(services.remarks)
    try:
        services.reconcile_log(thorough=thorough)
    except StorageError as exc:
        return [(exc.message_id, exc.text_params)]
    # Told as an event of the kiosk, and not a second time.
    remarks = services.remarks[before:]
    del services.remarks[before:]
    return remarks


def _open_offline(services: Services, away: DatabaseError) -> LiveGallery:
    trained = load_model(services.settings.assets_dir, services.key_chain.ring())
    if not checked_gallery(services, trained.version):
        raise away
    services.assume_model(trained.model)
    return load_gallery(services)


def _waiting(services: Services) -> list[Remark]:
    remarks: list[Remark] = []
    try:
        waiting, refused = services.punch_queue.count(), len(services.punch_queue.refused())
    except StorageError as exc:
        return [(exc.message_id, exc.text_params)]
    if waiting:
        remarks.append((N_("Punches that wait on this kiosk for the database: {count}."), (("count", str(waiting)),)))
    if refused:
        detail = N_("{count} punches are kept aside on this kiosk: the database refuses them. See “smartabsen doctor”.")
        remarks.append((detail, (("count", str(refused)),)))
    return remarks
