"""Exports of closed periods for payroll: written once for each profile, and the same bytes ever after."""

from __future__ import annotations

import json
from pathlib import Path

from ...kernel.errors import NotFoundError, SealBrokenError
from ...kernel.i18n import N_
from ...store.files import write_atomically
from ...trust.work import Units, Work
from . import rows
from .freezing import canonical, digest
from .model import Month, PeriodFile
from .profiles import Profile
from .rendering import render
from .vault import PeriodVault


class PeriodExports:
    """The exports of one installation.

    Args:
        units: Of its database.
        vault: Opens what is frozen, and seals what was exported.
    """

    def __init__(self, units: Units, vault: PeriodVault) -> None:
        self._units = units
        self._vault = vault

    def export(self, month: Month, profile: Profile) -> PeriodFile:
        """Return a closed period as a file; the first call writes it, later ones give the same bytes.

        Raises:
            NotFoundError: The month is not closed.
            SealBrokenError: What was frozen or exported was changed.
            KeyMissingError: The key is missing.
        """
        name = _stored_name(profile)

        def job(work: Work) -> PeriodFile:
            period = rows.find(work.session, month)
            if period is None or not period.is_closed:
                raise NotFoundError(N_("{month} is not closed."), month=month)
            subject = f"{month}/{name}"
            known = {each.name: each for each in rows.exports(work.session, period.id)}
            if name in known:
                content = self._vault.open(period.id, known[name])
            else:
                content = self._render(work, period.id, period.summary, profile, month)
                self._vault.put(work.session, period.id, name, content)
            details = {"closing": str(period.id), "profile": profile.name, "digest": digest(content)}
            work.record("period.export", subject=subject, details=details)
            return PeriodFile(f"period-{month}-{profile.name}.{profile.format}", profile.name, content, digest(content))

        return self._units.write(job)

    @staticmethod
    def write(file: PeriodFile, path: Path | None = None) -> Path:
        """Write an export, by default under its own name in the current folder. Raises StorageError."""
        target = path or Path(file.name)
        write_atomically(target, file.content)
        return target

    def _render(self, work: Work, period_id: int, summary: str, profile: Profile, month: Month) -> bytes:
        expected = dict(json.loads(summary)["people"])
        parts = []
        for part in rows.parts(work.session, period_id):
            if expected.get(part.name) != part.digest:
                raise SealBrokenError(
                    N_("What was frozen of the period is not as it was closed; “period check” names it.")
                )
            parts.append(json.loads(self._vault.open(period_id, part)))
        return render(profile, parts, str(month))


def _stored_name(profile: Profile) -> str:
    """Return the name of an export: profiles of one's own may change under the same name, so it has their digest."""
    columns = [[each.title, each.field, each.text] for each in profile.columns]
    facts = [profile.format, profile.rows, columns, profile.separator, profile.date_format, profile.time_format]
    return profile.name if profile.is_shipped else f"{profile.name}-{digest(canonical(facts))[:12]}"
