"""The templates in the database, for whoever compares faces: the intact ones, and a word about those that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import ACTIVE, DamagedTemplate, Members, ModelIdentity
from ..kernel.errors import SealBrokenError
from ..kernel.i18n import N_
from ..privacy.resealing_rows import owners_of_moved
from ..store.database import Session
from ..trust.vault import OTHERS_CAN_READ, OTHERS_FIX
from . import template_rows
from .template_rows import Gallery

DAMAGED: Final = N_("Templates in the database are damaged and are not used. Whose they are: {people}")
DAMAGED_FIX: Final = N_("Enrol these people again, or restore a backup. “smartabsen keys check” lists the rows.")
MOVED: Final = N_("Templates were sealed for other people, and somebody moved them; they are not used: {people}")
MOVED_FIX: Final = N_(
    "Look at the trail before anything is deleted or enrolled again: smartabsen audit verify. Somebody writes into the "
    "database."
)
ERASED: Final = N_("Somebody put templates of erased people back into the database; they are not used: {people}")
ERASED_FIX: Final = N_("Find out who writes into the database; then: smartabsen privacy apply")
_SHOWN: Final = 5


def read_gallery(services: Services, session: Session, model: ModelIdentity, *, members: Members = ACTIVE) -> Gallery:
    """Return the templates of a model, of all active employees or of whom ``members`` names.

    People are told of damaged ones, which keep nobody else from being recognised.

    They are told as well of templates of erased people that were put back, and of a key file that others can read.

    Raises:
        SealBrokenError: All are damaged: that is no accident to one row.
        KeyMissingError: The key is missing, or is another one.
    """
    gallery = template_rows.gallery(session, model, ring=services.key_chain.ring(), members=members)
    if gallery.damaged:
        if not len(gallery.template_ids):
            raise _nothing_left(services, session, gallery)
        for message, fix, people in explain_damaged(services, session, gallery):
            services.remark(message, people=people)
            services.remark(fix)
    if gallery.erased:
        services.remark(ERASED, people=", ".join(gallery.erased[:_SHOWN]))
        services.remark(ERASED_FIX)
    if services.key_chain.others_can_read():
        for message in (OTHERS_CAN_READ, OTHERS_FIX):
            services.remark(message, place=services.key_chain.place)
    return gallery


def explain_damaged(services: Services, session: Session, gallery: Gallery) -> Iterator[tuple[str, str, str]]:
    """Yield what happened to templates that are not what their rows say, what is to be done, and whose they are.

    Moved ones are evidence: who enrols these people again destroys it.
    """
    moved = owners_of_moved(session, [one.id for one in gallery.damaged], services.key_chain.ring())
    pairs = dict.fromkeys(f"{one.code} < {moved[one.id]}" for one in gallery.damaged if one.id in moved)
    if pairs:
        yield MOVED, MOVED_FIX, ", ".join(list(pairs)[:_SHOWN]) + (" …" if len(pairs) > _SHOWN else "")
    others = [one for one in gallery.damaged if one.id not in moved]
    if others:
        yield DAMAGED, DAMAGED_FIX, name_owners(others)


def _nothing_left(services: Services, session: Session, gallery: Gallery) -> SealBrokenError:
    message, fix, people = next(explain_damaged(services, session, gallery))
    if message == MOVED:
        return SealBrokenError(message, hint=fix, people=people)
    first = gallery.damaged[0]
    return template_rows.broken(template_id=first.id, code=first.code, sealed=first.sealed)


def name_owners(damaged: Sequence[DamagedTemplate]) -> str:
    """Name the people in whose rows damaged templates lie, each once, the first few of them."""
    owners = list(dict.fromkeys(f"{one.name} ({one.code})" for one in damaged))
    return ", ".join(owners[:_SHOWN]) + (" …" if len(owners) > _SHOWN else "")
