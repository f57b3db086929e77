"""The keys that biometric data is sealed with: made, exchanged, checked. Nobody is ever shown one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..app.bootstrap import Services
from ..gallery.model_file import load_model, model_key, remove_model, reseal_model
from ..kernel.errors import ConflictError, KeyMissingError, KeyUnreadableError, ModelDamagedError, NotTrainedError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text
from ..store import meta
from ..store.database import Session
from ..store.tables import NOTE_LENGTH
from ..trust import audit_rows, signing_rows
from ..trust.active_key import has_seals
from ..trust.keys import KeyFacts, check_replaceable
from ..trust.sealing import KeyRing, key_missing, no_key
from . import resealing_rows
from .resealing_rows import BrokenSeal

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class KeyInit:
    """What came of :meth:`Keys.init`.

    Attributes:
        active: Id of the key that seals what is new.
        place: Where it lies.
        made: Whether it was made now.
        discarded: Rows that were deleted because their key is lost.
    """

    active: str
    place: str
    made: bool
    discarded: int = 0


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """What came of :meth:`Keys.rotate`.

    Attributes:
        active: Id of the key that seals everything now.
        place: Where it lies.
        made: Whether it was made now; False where an earlier rotation was finished, or the keys are kept elsewhere.
        rows: Templates and kept faces that were sealed anew.
        model: Whether the trained model was sealed anew.
        forgotten: Ids of the keys that were dropped.
        left: Rows that keep their seal, because they do not open: changed, moved, or their key is missing.
    """

    active: str
    place: str
    made: bool
    rows: int
    model: bool
    forgotten: tuple[str, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What came of :meth:`Keys.check`.

    Attributes:
        place: Where the keys lie.
        keys: What may be told about each; empty where there is none.
        others_can_read: Somebody but the owner may read the key file.
        templates, crops: Number of rows by the id of their key; the empty id stands for rows without a seal.
        broken: Rows that do not open.
        old: Rows whose seal names people by their row ids, as an earlier version made it: a rotation renews it.
        model: ``ok``, ``none`` (nothing trained), ``no_key``, ``broken``.
        deleted: Broken rows that were deleted.
    """

    place: str
    keys: tuple[KeyFacts, ...]
    others_can_read: bool
    templates: dict[str, int]
    crops: dict[str, int]
    broken: tuple[BrokenSeal, ...]
    model: str
    deleted: int = 0
    old: int = 0

    @property
    def intact(self) -> bool:
        """Whether everything opens that is there."""
        return len(self.broken) == self.deleted and self.model in ("ok", "none")


class Keys:
    """The keys of an installation.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._chain = services.key_chain

    def init(self, *, discard_lost: bool = False) -> KeyInit:
        """Make the first key; where there is one, nothing is done.

        Args:
            discard_lost: The key is lost for good: delete everything that it sealed, and begin anew.

        Raises:
            KeyMissingError: The database is sealed with a key that is kept elsewhere.
            ConflictError: Nothing is lost that could be discarded.
            StorageError: The key file cannot be written.
        """
        discarded = self._discard_lost() if discard_lost else 0
        with self._services.database.read() as session:
            if not self._chain.exists and has_seals(session):
                raise no_key(place=self._chain.place)
        made = self._chain.writable and self._chain.create()[1]
        if made:
            signing_rows.begin(self._services.database)
        ring = self._services.writing_ring()
        if made:
            self._note("keys.init", {"key": ring.active})
        return KeyInit(ring.active, self._chain.place, made, discarded)

    def rotate(self, *, forget_old: bool = False, reason: str = "", on_progress: Progress | None = None) -> KeyRotation:
        """Make a new key and seal everything with it; a rotation that was cut off is finished instead.

        Keys that are kept elsewhere are not made here: put the new one first, then call this. It can be killed at any
        moment: each row has the old seal or the new one, and both keys are kept until all are done.

        Args:
            forget_old: Drop the keys that nothing is sealed with any more. Older backups cannot be opened then.
            reason: Why, for the audit trail.

        Raises:
            InvalidInputError: The reason is too long.
            KeyMissingError: There is no key, or it is not the one of this database.
            SealBrokenError: The trained model is broken; the rows are done.
        """
        reason = checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH)
        ring = self._ring()
        database = self._services.database
        with database.read() as session:
            before = meta.find(session, meta.ACTIVE_KEY)
        if before is not None and before not in ring.ids:
            raise key_missing(before, place=ring.place)
        with database.read() as session:
            unfinished = resealing_rows.count_not_sealed_with(session, ring.active) > 0
        unfinished = unfinished or model_key(self._services.settings.assets_dir) not in (None, ring.active)
        made = self._chain.writable and not unfinished and before in (None, ring.active)
        if made:
            ring = self._chain.add_key()
        rows = resealing_rows.reseal(database, ring, on_progress=on_progress)
        model = self._reseal_model(ring)
        forgotten = self._forget_old(ring) if forget_old else ()
        with database.read() as session:
            left = resealing_rows.count_not_sealed_with(session, ring.active)
        told = {"reason": reason, "key": ring.active, "rows": str(rows), "forgotten": " ".join(forgotten)}
        self._note("keys.rotate", told)
        return KeyRotation(ring.active, ring.place, made, rows, model, forgotten, left)

    def check(self, *, delete_broken: bool = False) -> KeyCheck:
        """Open everything that is sealed, and say what does not open.

        Args:
            delete_broken: Delete the rows that were changed, moved or never sealed; not those whose key is missing.

        Raises:
            KeyMissingError: The key file cannot be read.
        """
        ring = self._chain.ring()
        with self._services.database.read() as session:
            found = resealing_rows.check_seals(session, ring)
        deleted = 0
        if delete_broken:
            doomed = tuple(one for one in found.broken if one.problem != "no_key")
            deleted = self._services.database.run_write(lambda session: self._delete(session, doomed))
        rows = sum((*found.templates.values(), *found.crops.values()))
        self._note("biometric.read", {"rows": str(rows)})
        return KeyCheck(
            place=self._chain.place,
            keys=self._chain.facts(),
            others_can_read=self._chain.others_can_read(),
            templates=found.templates,
            crops=found.crops,
            broken=found.broken,
            model=self._model_state(ring),
            deleted=deleted,
            old=found.old,
        )

    def _ring(self) -> KeyRing:
        ring = self._chain.ring()
        if not ring.active:
            raise no_key(place=self._chain.place)
        return ring

    def _discard_lost(self) -> int:
        check_replaceable(self._chain)
        try:
            found = self.check()
            lost = any(one.problem == "no_key" for one in found.broken) or found.model == "no_key"
            with self._services.database.read() as session:
                in_force = meta.find(session, meta.ACTIVE_KEY)
            lost = lost or (in_force is not None and in_force not in self._chain.ring().ids)
        except KeyUnreadableError:
            # What this user may not read is not lost.
            raise
        except KeyMissingError:
            lost = True
        if not lost:
            raise ConflictError(
                N_("Nothing is lost: everything here opens with the keys in {place}."), place=self._chain.place
            )
        self._chain.set_aside()
        remove_model(self._services.settings.assets_dir)
        discarded = self._services.database.run_write(resealing_rows.discard_all)
        self._services.database.scrub()
        self._note("keys.discard", {"rows": str(discarded)})
        return discarded

    def _reseal_model(self, ring: KeyRing) -> bool:
        try:
            return reseal_model(self._services.settings.assets_dir, ring)
        except NotTrainedError:
            return False

    def _forget_old(self, ring: KeyRing) -> tuple[str, ...]:
        with self._services.database.read() as session:
            found = resealing_rows.check_seals(session, ring)
        needed = {ring.active, *found.templates, *found.crops}
        forgotten = tuple(name for name in ring.ids if name not in needed)
        signing_rows.sign_anew(self._services.database, ring, frozenset(forgotten))
        self._chain.forget(frozenset(forgotten))
        return forgotten

    def _model_state(self, ring: KeyRing) -> str:
        try:
            load_model(self._services.settings.assets_dir, ring)
        except NotTrainedError:
            return "none"
        except KeyMissingError:
            return "no_key"
        except ModelDamagedError:
            return "broken"
        return "ok"

    def _delete(self, session: Session, doomed: tuple[BrokenSeal, ...]) -> int:
        deleted = resealing_rows.delete_broken(session, doomed)
        for code in sorted({one.code for one in doomed}):
            count = sum(one.code == code for one in doomed)
            details = {"rows": str(count)}
            audit_rows.append(
                session, actor=self._services.actor, action="keys.delete_broken", subject=code, details=details
            )
        return deleted

    def _note(self, action: str, details: dict[str, str]) -> None:
        self._services.database.run_write(
            lambda session: audit_rows.append(session, actor=self._services.actor, action=action, details=details)
        )
