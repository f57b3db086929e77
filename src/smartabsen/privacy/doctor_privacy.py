"""Checks of ``doctor`` about biometric data: its keys, its seals, consents, retention, erasures that were cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import Check, CheckLevel
from ..kernel.errors import KeyMissingError
from ..kernel.i18n import N_
from ..people import consent_rows
from ..trust.active_key import has_seals
from ..trust.vault import OTHERS_CAN_READ, OTHERS_FIX
from . import erasure_rows
from .keys import Keys
from .purge import purge

_SHOWN: Final = 5
_OK, _WARN, _FAIL = CheckLevel.OK, CheckLevel.WARN, CheckLevel.FAIL


def check_keys(services: Services) -> Iterator[Check]:
    """Whether everything that is sealed opens."""
    try:
        found = Keys(services).check()
    except KeyMissingError as exc:
        yield Check("keys", _FAIL, exc.message_id, exc.hint_id, exc.text_params)
        return
    place, rows = ("place", found.place), sum(found.templates.values()) + sum(found.crops.values())
    with services.database.read() as session:
        sealed = has_seals(session)
    missing = sorted({one.key_id for one in found.broken if one.problem == "no_key"})
    if missing or (sealed and not found.keys):
        detail = N_("The key that faces are sealed with is not in {place}: nobody can be recognised. Attendance works.")
        fix = N_("Put the key file back from where you keep it; “smartabsen keys check” says more.")
        yield Check("keys", _FAIL, detail, fix, (place,))
    elif found.broken:
        codes = ", ".join(sorted({one.code for one in found.broken})[:_SHOWN])
        detail = N_("{count} sealed rows were changed, moved or never sealed, of: {codes}.")
        fix = N_("Find out who writes into the database; then: smartabsen keys check --delete-broken")
        yield Check("keys", _FAIL, detail, fix, (("count", str(len(found.broken))), ("codes", codes)))
    elif found.model in ("no_key", "broken"):
        yield Check("keys", _FAIL, N_("The trained model does not open."), "smartabsen train")
    elif not found.keys:
        yield Check(
            "keys", _OK, N_("Nothing is sealed yet: the first enrolment makes the key in {place}."), "", (place,)
        )
    else:
        detail = N_("{rows} rows are sealed, and all of them open with the keys in {place}.")
        yield Check("keys", _OK, detail, "", (("rows", str(rows)), place))
    if found.old:
        detail = N_(
            "{count} seals are of an earlier version, which names people by numbers that a restore gives out again."
        )
        yield Check("seals", _WARN, detail, "smartabsen keys rotate", (("count", str(found.old)),))
    if found.others_can_read:
        yield Check("key_file", _WARN, OTHERS_CAN_READ, OTHERS_FIX, (place,))


def check_privacy(services: Services) -> Iterator[Check]:
    """Whose face is stored without consent, what is kept too long, which erasures are not done."""
    with services.database.read() as session:
        without = consent_rows.without_consent(session)
        unfinished = sum(not done for _, done in erasure_rows.stored_tombstones(session))
    if without:
        names = ", ".join(f"{person.name} ({person.code})" for person in without[:_SHOWN])
        more = "" if len(without) <= _SHOWN else " …"
        detail = N_("The face of {count} people is stored without a recorded consent: {names}")
        fix = N_("Let them read “smartabsen privacy consent-text”, then: smartabsen privacy consent CODE")
        yield Check("consent", _WARN, detail, fix, (("count", str(len(without))), ("names", names + more)))
    else:
        yield Check("consent", _OK, N_("Everybody whose face is stored has a recorded consent."))
    if unfinished:
        detail = N_("{count} erasures were cut off before their end.")
        yield Check("erasures", _WARN, detail, "smartabsen privacy apply", (("count", str(unfinished)),))
    if not purge(services, dry_run=True).empty:
        detail = N_("Something is kept longer than the retention periods say.")
        yield Check("retention", _WARN, detail, "smartabsen privacy purge --dry-run")
