"""Benchmarks: figures are ratios and shares measured in one run on this machine; ``make bench`` runs them all."""

import os
from pathlib import Path

SHARED = Path(os.environ.get("BENCH_SHARED", Path(__file__).parents[2] / "shared"))
"""Model weights and labelled photos, as for the tests. The variable is named so because smartabsen refuses every
``SMARTABSEN_...`` that is no setting of its own."""
OUT = Path(__file__).parent / "out"
"""Caches and reports; ignored by git."""
ENGINES = ("open", "sface", "openvino", "insightface", "dlib")
"""The real engines, the best that a business may use first."""
