"""Benchmarks: figures are ratios and shares measured in one run on this machine; ``make bench`` runs them all."""

import os
from pathlib import Path

SHARED = Path(os.environ.get("SMARTABSEN_TEST_SHARED", Path(__file__).parents[2] / "shared"))
"""Model weights and labelled photos, as for the tests."""
OUT = Path(__file__).parent / "out"
"""Caches and reports; ignored by git."""
