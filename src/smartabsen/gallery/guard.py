"""Whether anything keeps a photograph out: told by the doctor, the server and the kiosk in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import Check, CheckLevel
from ..kernel.i18n import N_
from ..recognition.liveness.files import LIVENESS_PACK

_PLACES: Final = (("pack", LIVENESS_PACK),)
_RISK: Final = N_("Nothing guards the door: a photo of an employee held up to the camera is recorded as that employee.")
_PULL: Final = N_("Get the model of liveness: smartabsen models pull {pack}")
_TURN_ON: Final = N_("Set liveness.require to “auto”; the model: smartabsen models pull {pack}")
_RISK_AND_PULL: Final = N_(
    "Nothing guards the door: a photo of an employee held up to the camera is recorded as that employee. Get the model "
    "of liveness: smartabsen models pull {pack}"
)
_RISK_AND_TURN_ON: Final = N_(
    "Nothing guards the door: a photo of an employee held up to the camera is recorded as that employee. Set "
    "liveness.require to “auto”; the model: smartabsen models pull {pack}"
)


def check_guard(services: Services) -> Iterator[Check]:
    """Yield a warning where no punch by face is checked for liveness, with what mends it; nothing where one is."""
    if not services.liveness.guards:
        fix = _PULL if services.settings.liveness.require == "auto" else _TURN_ON
        yield Check("liveness", CheckLevel.WARN, _RISK, fix, _PLACES)


def remark_on_guard(services: Services) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return the same as one message with its places."""
    if services.liveness.guards:
        return []
    return [(_RISK_AND_PULL if services.settings.liveness.require == "auto" else _RISK_AND_TURN_ON, _PLACES)]
