"""What people call the law's kinds of leave; kinds of the firm carry their own label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...kernel.i18n import N_

LABELS: Final[Mapping[str, str]] = {
    "tahunan": N_("Annual leave"),
    "cuti-bersama": N_("Joint leave"),
    "sakit": N_("Sick leave"),
    "haid": N_("Menstrual leave"),
    "melahirkan": N_("Maternity leave"),
    "keguguran": N_("Leave after a miscarriage"),
    "isteri-melahirkan": N_("Wife's childbirth or miscarriage"),
    "menikah": N_("Own marriage"),
    "menikahkan-anak": N_("Marriage of a child"),
    "khitan-anak": N_("Circumcision of a child"),
    "baptis-anak": N_("Baptism of a child"),
    "keluarga-meninggal": N_("Death of spouse, child, child-in-law, parent or parent-in-law"),
    "serumah-meninggal": N_("Death of a member of the household"),
    "haji": N_("Religious obligation"),
    "tugas-negara": N_("Duty to the state"),
    "serikat": N_("Duty of the trade union"),
    "pelatihan": N_("Training by the company"),
    "izin": N_("Leave of absence"),
    "dinas-luar": N_("Duty elsewhere"),
    "wfh": N_("Work from home"),
}
"""By code, as message ids."""
