"""Consent to face recognition: the text, recording it, and what the policy asks for."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import Consent, ConsentText
from ..kernel.errors import ConsentMissingError, StorageError
from ..kernel.i18n import LANGUAGES, N_, current_language
from ..kernel.reading import read_bytes
from ..store.database import Session
from ..trust import audit_rows
from . import consent_rows

_SHIPPED: Final = Path(__file__).parents[1] / "texts"
_VERSION_LINE: Final = re.compile(r"\A(?:version|versi)\s*:\s*(?P<version>\S.{0,79}?)\s*\n", re.IGNORECASE)


def consent_text(services: Services, language: str | None = None) -> ConsentText:
    """Return the text that people agree to.

    The files ``consent.id.txt`` and ``consent.en.txt`` in the home replace the ones that come with smartabsen; where
    only one of them is there, it is the text for both languages.

    Args:
        language: ``id`` or ``en``; None takes the current one.

    Raises:
        StorageError: A file in the home cannot be read.
    """
    wanted = language if language in LANGUAGES else current_language()
    order = (wanted, *(other for other in LANGUAGES if other != wanted))
    for folder in (services.settings.home, _SHIPPED):
        for name in order:
            path = folder / f"consent.{name}.txt"
            if path.is_file():
                return _read(path, name)
    raise AssertionError("the consent texts come with the package")


def new_consent(services: Services, *, at: datetime | None = None, by: str | None = None) -> Consent:
    """Return a consent to the text in force, to be stored."""
    text = consent_text(services)
    return Consent(
        at=at or services.instant(),
        text_version=text.version,
        text_sha256=text.sha256,
        language=text.language,
        recorded_by=by or services.actor,
    )


def store_consent(session: Session, *, employee_id: int, code: str, consent: Consent) -> Consent:
    """Record a consent and write it to the audit trail; return the one in force."""
    stored = consent_rows.add(session, employee_id, consent)
    if stored is consent:
        details = {"version": consent.text_version, "sha256": consent.text_sha256, "at": consent.at.isoformat()}
        audit_rows.append(session, actor=consent.recorded_by, action="consent.record", subject=code, details=details)
    return stored


def demands_consent(services: Services) -> bool:
    """Return whether no face may be enrolled here without consent."""
    return services.settings.privacy.consent == "require"


def consent_missing(name: str) -> ConsentMissingError:
    """Return the error of a face that may not be enrolled."""
    return ConsentMissingError(
        N_("{name} has not agreed to face recognition, and no face is enrolled here without that."),
        hint=N_(
            "Let the person read “smartabsen privacy consent-text”; then enrol with --consent, or tick the consent in "
            "the dashboard. Who does not agree is added with --no-photos and punches another way."
        ),
        name=name,
    )


def _read(path: Path, language: str) -> ConsentText:
    try:
        content = read_bytes(path)
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise StorageError(N_("{path} cannot be read or written: {problem}"), path=path, problem=exc) from exc
    digest = sha256(content).hexdigest()
    stated = _VERSION_LINE.match(text)
    version = stated["version"] if stated else digest[:12]
    return ConsentText(language, version, text[stated.end() if stated else 0 :].strip("\n"), digest)
