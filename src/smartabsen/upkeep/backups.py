"""Backups: made while people punch, checked as a whole, and put back so that a failure leaves what lives as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .._version import __version__
from ..app.bootstrap import Services
from ..config import FILE_NAME
from ..config.zones import ZONE_FILE
from ..gallery.model_file import read_files
from ..kernel.errors import (
    ConflictError,
    DatabaseError,
    IntegrityError,
    KeyMissingError,
    SchemaError,
    SmartAbsenError,
    StorageError,
)
from ..kernel.i18n import N_
from ..kernel.reading import read_bytes
from ..org import user_rows, web_session_rows
from ..privacy import audit_check_rows, resealing_rows
from ..qr import phone_rows, sign_in_rows
from ..store import dumps, meta, schema
from ..store.database import Database, Session
from ..store.files import make_private_directory, storage_errors
from ..store.leftovers import RESTORING, working_folder
from ..store.schema import SchemaState
from ..trust import audit_rows as audit
from ..trust.audit import AuditVerdict, parsed_head
from ..trust.signing_rows import begin as begin_signing
from . import archive
from .archive import Manifest as Manifest
from .backup_files import SAFETY, BackupFile as BackupFile, free_name, list_backups, surplus
from .public_settings import public_settings
from .restored_files import staged_files

if TYPE_CHECKING:
    from ..trust.audit import AuditTrail

_DATABASE: Final = {dumps.SQLITE: "database.sqlite", dumps.SERVER: "database.sql"}

BeforeSwap = Callable[[Database, Database], None]
"""Told of the live and of the restored database, before the one takes the other's place."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        manifest: Of the backup.
        safety: The backup of what was there before; None on an empty home, or when nothing was changed.
        changed: False for a dry run.
    """

    manifest: Manifest
    safety: Path | None
    changed: bool


class Backups:
    """Backups of one installation.

    Args:
        services: Its parts.
        audit: Where backups and restores are noted.

    Attributes:
        before_swap: Called, one after another, before a restored database takes the place of the live one: what must
            not come back with an older backup (people who were erased since, phones that were revoked) is taken out
            here.
        after_restore: Called, one after another, when database and files are in place.
    """

    def __init__(self, services: Services, audit: AuditTrail) -> None:
        self._services = services
        self._audit = audit
        self.before_swap: list[BeforeSwap] = []
        self.after_restore: list[Callable[[], object]] = []

    @property
    def directory(self) -> Path:
        """Where backups lie."""
        return self._services.settings.backup.directory or self._services.settings.home / "backups"

    def create(self, *, recipient: str | None = None, keep: int | None = None) -> BackupFile:
        """Make a backup of database, trained model, log, queue and settings (without secrets), while others write.

        Every punch that was acknowledged before it began is in it.

        Args:
            recipient: Public key of age to encrypt to; the setting by default, empty for none.
            keep: How many backups stay, this one included; 0 keeps all; the setting by default. What becomes of safety
                copies says :func:`.backup_files.surplus`.

        Raises:
            DatabaseError, StorageError: It cannot be made; nothing is left of it.
            MissingDependencyError: A program or library for it is not installed.
        """
        settings = self._services.settings.backup
        status = schema.schema_status(self._services.database)
        state = status.state
        if state is SchemaState.HALF_COPIED:
            raise schema.refusal(status, self._services.database.address)
        if state in (SchemaState.EMPTY, SchemaState.UNFINISHED):
            schema.ensure_current(self._services.database)
        made = self._create(settings.recipient if recipient is None else recipient, suffix="")
        if state is not SchemaState.OLDER:
            # Before an upgrade, the trail cannot be written by this program yet.
            self._note_made(made)
        kept = settings.keep if keep is None else keep
        if kept:
            for old in surplus(self.list(), keep=kept, now=datetime.now(UTC)):
                archive.remove_archive(old.path)
        return made

    def list(self) -> tuple[BackupFile, ...]:
        """Return the backups that there are, the newest first."""
        return list_backups(self.directory)

    def find(self, path: Path) -> Path:
        """Return a path, or, for a bare name, the backup of that name."""
        return self.directory / path if not path.exists() and path.name == str(path) else path

    def verify(self, path: Path, *, identity: Path | None = None) -> Manifest:
        """Check a backup: its digest, every file in it, and that the database in it is whole.

        Raises:
            NotFoundError: There is no such file.
            InvalidInputError: It is encrypted, and the key is missing or another one.
            IntegrityError: It is damaged.
        """
        with self._unpacked(path, identity) as (manifest, _):
            return manifest

    def restore(
        self,
        path: Path,
        *,
        identity: Path | None = None,
        force_foreign: bool = False,
        without_key: bool = False,
        dry_run: bool = False,
    ) -> Restored:
        """Put a backup in the place of what lives.

        Everything is checked first, beside the live data; then a backup of that is made, and the database is replaced
        in one step. When anything fails until then, the live data is as it was; files are staged before, so that what
        follows only renames them. The audit trail names the head that was replaced, and the safety copy.

        Args:
            force_foreign: Accept the backup of another installation.
            without_key: Accept faces that no key here opens: nobody can be recognised before that key is here.
            dry_run: Check everything, change nothing.

        Raises:
            NotFoundError, InvalidInputError, IntegrityError: As :meth:`verify`.
            ConflictError: It is another installation's, or of another kind of database.
            KeyMissingError: The faces in it are sealed with a key that is not here.
            SchemaError: A newer smartabsen made it.
            DatabaseError, StorageError: It could not be put in place; where the database was replaced already, the
                error says so, and names the safety copy.
        """
        with self._unpacked(path, identity) as (manifest, folder):
            live = self._services.database
            self._check(manifest, live, path, force_foreign=force_foreign)
            dumped = folder / _DATABASE[manifest.kind]
            with dumps.staged(live, dumped, self._services.open_database) as (restored, swap):
                self._prepare(restored, manifest, path)
                if not without_key:
                    self._require_keys(restored, path)
                if dry_run:
                    return Restored(manifest, None, changed=False)
                with staged_files(self._services, folder) as files:
                    replaced = "" if dumps.is_damaged(live) or not _is_used(live) else dumps.identify(live).audit_head
                    safety = self._keep_live(live)
                    if safety is not None and not dumps.is_damaged(live):
                        for hook in self.before_swap:
                            hook(live, restored)
                    restored.run_write(_begin_anew)
                    restored.close()
                    swap()
                    with _telling_where_it_stands(safety):
                        files.place(self._services)
            with _telling_where_it_stands(safety):
                self._remember_head(live)
                for mend in self.after_restore:
                    mend()
                begin_signing(live)
                # Those in Redis as well: what they name may be somebody else's now.
                self._services.web_sessions.end_all()
                details = {"file": path.name, "made_at": manifest.made_at.isoformat()}
                details |= {"replaced": replaced, "safety": safety.name} if safety is not None else {}
                self._audit.note("backup.restore", details=details)
        return Restored(manifest, safety, changed=True)

    def verify_trail(self, path: Path, *, identity: Path | None = None, anchor: str = "") -> AuditVerdict:
        """Check the audit trail in a backup, as :meth:`.audit.AuditTrail.verify` does with the live one.

        Args:
            anchor: A head that must be in it, as the one that a restore replaced: its entry names it.

        Raises:
            NotFoundError, InvalidInputError, IntegrityError: As :meth:`verify`.
            ConflictError, SchemaError: As :meth:`restore`.
        """
        with self._unpacked(path, identity) as (manifest, folder):
            live = self._services.database
            self._check(manifest, live, path, force_foreign=True)
            dumped = folder / _DATABASE[manifest.kind]
            with dumps.staged(live, dumped, self._services.open_database) as (restored, _swap):
                self._make_current(restored, path)
                with restored.read(long=True) as session:
                    known = [parsed_head(anchor)] if anchor else []
                    return audit_check_rows.verify(session, *known, ring=self._services.trail_keeper.ring())

    # --- making -------------------------------------------------------------------------------------------------

    def _create(self, recipient: str, *, suffix: str) -> BackupFile:
        database = self._services.database
        make_private_directory(self.directory)
        self._services.sweep()
        made_at = datetime.now(UTC).replace(microsecond=0)
        ending = f"{suffix}.tar{archive.ENCRYPTED if recipient else ''}"
        path = free_name(self.directory, f"smartabsen-{made_at:%Y%m%dT%H%M%SZ}", ending)
        with archive.Contents(self.directory) as contents:
            kind = dumps.kind_of(database)
            found = dumps.identify(database)
            manifest = Manifest(made_at, __version__, found.schema, found.database_id, kind, found.audit_head, ())
            # Queue and model before the database: what leaves the queue meanwhile is then in both, and the model knows
            # nobody whom the database does not know.
            self._copy_files(contents)
            contents.take(_DATABASE[kind], dumps.dump(database, self.directory))
            archive.write_archive(path, manifest, contents, recipient=recipient)
        return BackupFile(path, made_at, path.stat().st_size, bool(recipient))

    def _note_made(self, made: BackupFile) -> None:
        try:
            self._audit.note("backup.create", details={"file": made.path.name})
        except DatabaseError as exc:
            # A disk that is full or about to die is when a backup is needed most; it is whole, and stays.
            self._services.remark(
                N_("The backup {file} is made, but the audit trail does not know of it: it cannot be written."),
                file=made.path.name,
            )
            self._services.remark(exc.message_id, **exc.params)

    def _copy_files(self, contents: archive.Contents) -> None:
        """Copy what changes while a backup is made: a file that grows would not fit to its digest."""
        services = self._services
        if services.punch_queue.path.exists():
            contents.add("queue.sqlite", services.punch_queue.content())
        for name, content in read_files(services.settings.assets_dir).items():
            contents.add(f"assets/{name}", content)
        with services.csv_log.locked():
            for day in services.csv_log.dates():
                path = services.csv_log.path(day)
                with storage_errors(path):
                    contents.add(f"Attendance/{path.name}", read_bytes(path))
        # Also where it is a setting, which may stand elsewhere: the days of this database were judged by it.
        contents.add(ZONE_FILE, f"{services.settings.site.zone}\n".encode())
        if public := public_settings(services.settings.home / FILE_NAME):
            contents.add(FILE_NAME, public.encode())

    # --- putting back -------------------------------------------------------------------------------------------

    @contextmanager
    def _unpacked(self, path: Path, identity: Path | None) -> Iterator[tuple[Manifest, Path]]:
        self._services.make_home()
        # In the home: the temporary directory of the system may be smaller, and is everybody's.
        with working_folder(self._services.settings.home, RESTORING) as folder:
            manifest = archive.extract_archive(path, folder, identity=identity)
            name = _DATABASE.get(manifest.kind, "")
            if not name or not (folder / name).is_file():
                raise archive.damaged(path, "there is no database in it")
            dumps.check_dump(folder / name, manifest.kind)
            yield manifest, folder

    def _check(self, manifest: Manifest, live: Database, path: Path, *, force_foreign: bool) -> None:
        if manifest.schema not in schema.REVISIONS:
            raise SchemaError(
                N_("The backup {path} was made by a newer smartabsen (schema {found}; this one knows {head})."),
                hint=N_("Update smartabsen on this machine."),
                path=path,
                found=manifest.schema,
                head=schema.HEAD,
            )
        if manifest.kind != dumps.kind_of(live):
            raise ConflictError(
                N_("The backup {path} is of another kind of database than the one in use ({kind})."),
                hint=N_("Restore it where its kind is in use, then: smartabsen db copy --to URL"),
                path=path,
                kind=live.address,
            )
        mine = manifest.database_id
        if not dumps.is_damaged(live) and _is_used(live):
            mine = dumps.identify(live).database_id
        if mine != manifest.database_id and not force_foreign:
            raise ConflictError(
                N_("The backup {path} is of another installation."),
                hint=N_("If it is to replace this one: --force-foreign"),
                path=path,
            )

    def _keep_live(self, live: Database) -> Path | None:
        """Keep what lives: as a backup, or, where it is damaged, the file itself under another name."""
        if dumps.is_damaged(live):
            return dumps.set_aside(live)
        return self._create(self._services.settings.backup.recipient, suffix=SAFETY).path if _is_used(live) else None

    def _require_keys(self, restored: Database, path: Path) -> None:
        """Refuse faces that could not be opened here: keys are in no backup, and nobody looks for them afterwards."""
        chain = self._services.key_chain
        with restored.read() as session:
            wanted = resealing_rows.key_ids(session)
        try:
            missing = wanted - set(chain.ring().ids)
        except KeyMissingError:
            missing = wanted
        if missing:
            raise KeyMissingError(
                N_("The faces in the backup {path} are sealed with a key that is not in {place}: {keys}."),
                hint=N_(
                    "Put the key file of that time there first; it is in no backup. Attendance alone can be restored "
                    "without it: --without-key"
                ),
                path=path,
                place=chain.place,
                keys=", ".join(sorted(missing)),
            )

    @staticmethod
    def _prepare(restored: Database, manifest: Manifest, path: Path) -> None:
        """Bring the restored copy to this program's schema, and check it as a whole."""
        Backups._make_current(restored, path)
        with restored.read(long=True) as session:
            if meta.database_id(session) != manifest.database_id:
                raise archive.damaged(path, "the database in it is another one than its manifest says")
            known = [audit.AuditHead.parse(manifest.audit_head)] if manifest.audit_head else []
            problems = audit_check_rows.verify(session, *known).problems
        if problems:
            raise IntegrityError(
                N_("The record of who did what is broken in the backup {path}."),
                hint=N_("Take another one; “smartabsen audit verify” looks at the live one."),
                path=path,
            )

    @staticmethod
    def _make_current(restored: Database, path: Path) -> None:
        status = schema.schema_status(restored)
        if status.state is SchemaState.OLDER:
            status = schema.upgrade(restored)
        if status.state is not SchemaState.CURRENT:
            raise archive.damaged(path, "the database in it has no schema of ours")

    def _remember_head(self, live: Database) -> None:
        """Let the home know the trail that was put in place, without what it wrote since; more entries follow."""
        with live.read() as session:
            database_id, head = meta.database_id(session), audit.head(session)
        self._services.trail_keeper.begin_anew(database_id, head, at=self._services.instant())


@contextmanager
def _telling_where_it_stands(safety: Path | None) -> Iterator[None]:
    """Say of an error after the swap that the database is the backup's, and where the one before is."""
    try:
        yield
    except SmartAbsenError as exc:
        raise StorageError(
            N_("The database of the backup is in place, but the restore could not be completed: {problem}"),
            hint=N_("Mend that, and restore again. What was there before: {safety}"),
            problem=exc,
            safety=safety or "-",
        ) from exc


def _begin_anew(session: Session) -> None:
    """Tell this state from the one that it replaces: row ids are given out again, and sessions name users by them.

    Invitations and requests that were open then may have been used since, and each works once.
    """
    meta.begin_generation(session)
    web_session_rows.end_all(session)
    sign_in_rows.end_all(session)
    phone_rows.end_invitations(session)
    user_rows.end_all_sessions(session)


def _is_used(database: Database) -> bool:
    if database.path is not None and not database.path.exists():
        return False
    return schema.schema_status(database).state not in (SchemaState.EMPTY, SchemaState.UNFINISHED)
