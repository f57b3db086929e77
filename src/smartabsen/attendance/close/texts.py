"""What people read about periods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...kernel.i18n import N_
from .model import ProblemKind

PROBLEMS: Final[Mapping[ProblemKind, str]] = {
    ProblemKind.HASH: N_("{month}: the hash of the closed period is not the one of its closing."),
    ProblemKind.PART: N_("{month}: what was frozen of {code} is missing or was changed."),
    ProblemKind.RULESET: N_("{month}: the ruleset of the closed period was changed."),
    ProblemKind.RESULT: N_("{month}: the result of {code} on {date} is not the one that was frozen."),
    ProblemKind.EXPORT: N_("{month}: the export {profile} is not the one that was written."),
    ProblemKind.NO_KEY: N_("{month}: what was frozen cannot be opened here: the key is missing."),
}
