"""What trials can say about an error rate, and what a rate of one comparison makes of a search (ISO/IEC 19795-1)."""

from __future__ import annotations

import math
from typing import Final

EXPECTED_ERRORS: Final = 10
"""A rate is claimed only where the trials would show so many errors at it: fewer say little about its size."""


def supports(target: float, trials: int) -> bool:
    """Tell whether ``trials`` can say something about a rate as small as ``target``."""
    return target * trials >= EXPECTED_ERRORS - 1e-9


def fpir_of(fmr: float, people: int) -> float:
    """Return the share of strangers taken for somebody among ``people``, if each comparison errs independently.

    FPIR = 1 - (1 - FMR) ** N (ISO/IEC 19795-1; NIST IR 8271 discusses its limits).
    """
    return -math.expm1(people * math.log1p(-min(fmr, 1.0 - 1e-15)))


def fmr_for(fpir: float, people: int) -> float:
    """Return the false match rate of one person that gives ``fpir`` among ``people``: the inverse of that."""
    return -math.expm1(math.log1p(-fpir) / max(1, people))
