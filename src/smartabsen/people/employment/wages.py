"""What people earn: sealed where it lies, opened for those who may know; the audit trail has each look."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import date

from ...kernel.errors import SealBrokenError
from ...kernel.i18n import N_
from ...kernel.reading import parse_json
from ...store.database import Session
from ...trust.sealing import BROKEN_HINT, KeyRing, wage_binding
from ...trust.work import Units, Work
from .. import employee_rows
from . import rows
from .model import BEGINNING, DatedWage, Wage
from .rules import checked_wage


class Wages:
    """The wages of one installation. Only an administrator and HR may see them: see :mod:`smartabsen.org.access`.

    Args:
        units: Of its database.
        ensure_key: Makes the first key where there is none.
        read_ring: Returns the keys that seals are opened with.
        write_ring: Returns, in a session, the keys that new data is sealed with.
        today: Returns the date that it is now at the first site.
    """

    def __init__(
        self,
        units: Units,
        *,
        ensure_key: Callable[[], None],
        read_ring: Callable[[], KeyRing],
        write_ring: Callable[[Session], KeyRing],
        today: Callable[[], date],
    ) -> None:
        self._units = units
        self._ensure_key = ensure_key
        self._read_ring = read_ring
        self._write_ring = write_ring
        self._today = today

    def put(self, code: str, wage: Wage, *, valid_from: date | None = None) -> date:
        """Store what somebody earns from a date on; return that date.

        Args:
            valid_from: None: from the beginning where no wage was known, else from today.

        Raises:
            NotFoundError: There is no employee with that code.
            InvalidInputError: It can be no wage.
            KeyMissingError: There is no key to seal it with.
        """
        wage = checked_wage(wage)
        self._ensure_key()
        today = self._today()

        def work(job: Work) -> date:
            employee = employee_rows.get(job.session, code)
            employee = employee_rows.lock(job.session, employee.id)
            ring = self._write_ring(job.session)
            known = any(True for _ in rows.sealed_wages(job.session, (employee.id,)))
            first = valid_from or (today if known else BEGINNING)
            sealed = ring.seal(_plain(wage), wage_binding(employee.uuid, first))
            rows.put_wage(job.session, employee.id, first, sealed, key_id=ring.active)
            # The trail says that a wage was stored, not which one: it is shown to more people.
            job.record("wage.set", subject=employee.code, details={"employee": str(employee.id), "from": str(first)})
            return first

        return self._units.write(work)

    def history(self, code: str) -> tuple[DatedWage, ...]:
        """Return all wages of a person, the earliest first; the look is written to the audit trail.

        Raises:
            NotFoundError: There is no employee with that code.
            SealBrokenError: A wage was changed by somebody without the key, or belongs to somebody else.
            KeyMissingError: The key is missing.
        """

        def work(job: Work) -> tuple[DatedWage, ...]:
            employee = employee_rows.get(job.session, code)
            found = self._opened(job.session, (employee.id,)).get(employee.id, ())
            job.record("wage.read", subject=employee.code, details={"employee": str(employee.id)})
            return found

        return self._units.write(work)

    def all_on(self, day: date, *, reason: str) -> Mapping[int, Wage]:
        """Return what everybody earns on a date by row id, those without a wage left out: two statements.

        Args:
            reason: What they are needed for, for the audit trail.

        Raises:
            SealBrokenError: A wage was changed by somebody without the key, or belongs to somebody else.
            KeyMissingError: The key is missing.
        """

        def work(job: Work) -> Mapping[int, Wage]:
            found = self._opened(job.session, None)
            job.record("wage.read_all", details={"on": str(day), "reason": reason, "people": str(len(found))})
            return {
                employee_id: [each.wage for each in wages if each.valid_from <= day][-1]
                for employee_id, wages in found.items()
                if wages[0].valid_from <= day
            }

        return self._units.write(work)

    def _opened(self, session: Session, ids: Collection[int] | None) -> dict[int, tuple[DatedWage, ...]]:
        return opened(session, self._read_ring, ids)


def opened(
    session: Session, read_ring: Callable[[], KeyRing], ids: Collection[int] | None
) -> dict[int, tuple[DatedWage, ...]]:
    """Return wages by row id of the employee, the earliest first; no key is asked for where there are none.

    Raises:
        SealBrokenError: A wage was changed by somebody without the key, or belongs to somebody else.
        KeyMissingError: The key is missing.
    """
    sealed = list(rows.sealed_wages(session, ids))
    if not sealed:
        return {}
    ring = read_ring()
    found: dict[int, tuple[DatedWage, ...]] = {}
    for employee_id, uuid, valid_from, content in sealed:
        plain = ring.open(content, wage_binding(uuid, valid_from))
        if plain is None:
            raise SealBrokenError(
                N_("The wage of the employee with the id {id} from {day} on is not what was sealed."),
                hint=BROKEN_HINT,
                id=employee_id,
                day=valid_from,
            )
        found[employee_id] = (*found.get(employee_id, ()), DatedWage(valid_from, Wage(**parse_json(plain))))
    return found


def _plain(wage: Wage) -> bytes:
    parts = {"basic": wage.basic, "fixed": wage.fixed, "variable": wage.variable, "daily": wage.daily}
    return json.dumps(parts).encode()
