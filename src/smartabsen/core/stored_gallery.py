"""The templates in the database, for whoever compares faces: the intact ones, and a word about those that are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..domain import ACTIVE, DamagedTemplate, Members, ModelIdentity
from ..i18n import N_
from ..store import templates
from ..store.database import Session
from ..store.templates import Gallery
from .bootstrap import Services
from .vault import OTHERS_CAN_READ, OTHERS_FIX

DAMAGED: Final = N_("Templates in the database are damaged and are not used. Whose they are: {people}")
DAMAGED_FIX: Final = N_("Enrol these people again, or restore a backup. “smartabsen keys check” lists the rows.")
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
    gallery = templates.gallery(session, model, ring=services.key_chain.ring(), members=members)
    if gallery.damaged:
        if not len(gallery.template_ids):
            first = gallery.damaged[0]
            raise templates.broken(template_id=first.id, code=first.code, sealed=first.sealed)
        services.remark(DAMAGED, people=name_owners(gallery.damaged))
        services.remark(DAMAGED_FIX)
    if gallery.erased:
        services.remark(ERASED, people=", ".join(gallery.erased[:_SHOWN]))
        services.remark(ERASED_FIX)
    if services.key_chain.others_can_read():
        for message in (OTHERS_CAN_READ, OTHERS_FIX):
            services.remark(message, place=services.key_chain.place)
    return gallery


def name_owners(damaged: Sequence[DamagedTemplate]) -> str:
    """Name the people in whose rows damaged templates lie, each once, the first few of them."""
    owners = list(dict.fromkeys(f"{one.name} ({one.code})" for one in damaged))
    return ", ".join(owners[:_SHOWN]) + (" …" if len(owners) > _SHOWN else "")
