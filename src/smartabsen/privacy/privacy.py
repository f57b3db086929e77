"""What a person may ask for: a consent that is recorded, a copy of everything, erasure; and retention periods."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..app.bootstrap import Services
from ..kernel.domain import Consent, ConsentText, Employee
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import LANGUAGES, N_
from ..people import consent_rows as consents, employee_rows
from ..people.consent import consent_text, demands_consent, new_consent, store_consent
from ..store.database import Session
from .erase import Erasure, ErasurePlan, Scope, apply_tombstones, erase, forget_erased, plan_erasure
from .export import PersonExport, export_person
from .purge import Purge, purge


class Privacy:
    """Consents, exports, erasures and retention of an installation.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def demands_consent(self) -> bool:
        """Whether no face is enrolled here without a recorded consent (``privacy.consent = "require"``)."""
        return demands_consent(self._services)

    def consent_text(self, language: str | None = None) -> ConsentText:
        """Return the text that people agree to, in ``id`` or ``en``; None takes the current language.

        Raises:
            StorageError: The text in the home cannot be read.
        """
        return consent_text(self._services, language)

    def get_text(self, sha256: str) -> ConsentText:
        """Return the text in force that has a digest: what a form showed, if it is still in force.

        Raises:
            InvalidInputError: It is in force in no language.
        """
        for language in LANGUAGES:
            text = self.consent_text(language)
            if text.sha256 == sha256:
                return text
        raise InvalidInputError(N_("The text of the consent has changed meanwhile: let the person read the new one."))

    def find_consent(self, code: str) -> Consent | None:
        """Return the consent in force of an employee, or None. Raises NotFoundError."""
        with self._services.database.read() as session:
            return consents.find_in_force(session, employee_rows.get(session, code).id)

    def has_consent(self, code: str) -> bool:
        """Return whether somebody with that code is there and has agreed."""
        with self._services.database.read() as session:
            known = employee_rows.find(session, code)
            return known is not None and consents.find_in_force(session, known.id) is not None

    def record_consent(
        self, code: str, *, by: str | None = None, at: datetime | None = None, text: ConsentText | None = None
    ) -> Consent:
        """Record that somebody agreed to face recognition; nothing new where they agreed to the same text already.

        Args:
            by: Who records it; the user of the operating system by default.
            at: When it was given, aware; now by default.
            text: What the person read; the text in force, in the current language, by default.

        Returns:
            The consent in force.

        Raises:
            NotFoundError: There is no such employee.
        """
        consent = new_consent(self._services, at=at, by=by)
        if text is not None:
            consent = replace(consent, text_version=text.version, text_sha256=text.sha256, language=text.language)

        def work(session: Session) -> Consent:
            employee = employee_rows.get(session, code)
            return store_consent(session, employee_id=employee.id, code=employee.code, consent=consent)

        return self._services.database.run_write(work)

    def consents(self, code: str) -> tuple[Consent, ...]:
        """Return all consents of an employee, the oldest first, ended ones included. Raises NotFoundError."""
        with self._services.database.read() as session:
            return consents.of_employee(session, employee_rows.get(session, code).id)

    def without_consent(self) -> tuple[Employee, ...]:
        """Return the employees whose face is stored without a consent in force."""
        with self._services.database.read() as session:
            return consents.without_consent(session)

    def export(self, code: str, directory: str | Path, *, reason: str = "") -> PersonExport:
        """Write everything about one person into a new private directory; see :func:`.export.export_person`."""
        return export_person(self._services, code, Path(directory), reason=reason)

    def plan_erasure(self, code: str, *, scope: Scope = "all") -> ErasurePlan:
        """Say what :meth:`erase` would do, and change nothing. Raises NotFoundError."""
        return plan_erasure(self._services, code, scope=scope)

    def erase(self, code: str, *, reason: str, scope: Scope = "all") -> Erasure:
        """Erase a person (``all``), or only the face with its consent (``face``): the person stays and punches by hand.

        Running kiosks drop the person within 5 s. The attendance is pseudonymised or deleted, as
        ``privacy.attendance_after_erasure`` says. In the audit trail stay what was done, when and by whom; what is
        erased is whom it was about. Raises as :func:`.erase.erase`.

        Args:
            reason: Why, for the audit trail; without name and code.
        """
        return erase(self._services, code, scope=scope, reason=reason)

    def apply_tombstones(self) -> int:
        """Erase again whom an older backup has brought back, and complete what was cut off; return how many.

        That is also who was erased on another machine and is still in the files of this home. To be called after every
        restore. Raises as :func:`.erase.apply_tombstones`, and KeyMissingError.
        """
        done = apply_tombstones(self._services, thorough=True)
        return max(done, int(forget_erased(self._services)))

    def purge(self, *, dry_run: bool) -> Purge:
        """Delete what the retention periods of the settings say; see :func:`.purge.purge`."""
        return purge(self._services, dry_run=dry_run)
