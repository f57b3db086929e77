"""What people read of leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...kernel.i18n import N_
from .model import Entry, RequestState

STATES: Final[Mapping[RequestState, str]] = {
    RequestState.REQUESTED: N_("requested"),
    RequestState.APPROVED: N_("approved"),
    RequestState.REJECTED: N_("rejected"),
    RequestState.WITHDRAWN: N_("withdrawn"),
}
ENTRIES: Final[Mapping[Entry, str]] = {
    Entry.GRANT: N_("granted"),
    Entry.CARRY: N_("carried over"),
    Entry.ADJUST: N_("adjusted"),
    Entry.TAKE: N_("taken"),
    Entry.EXPIRE: N_("expired"),
}
STEPS: Final[Mapping[str, str]] = {
    "approve": N_("approved"),
    "reject": N_("rejected"),
    "withdraw": N_("withdrawn"),
    "add": N_("entered"),
    "recount": N_("counted again"),
}
