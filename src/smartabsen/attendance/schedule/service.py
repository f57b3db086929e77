"""Shifts, patterns and presets: adding, changing and removing them. Each change is written to the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ...kernel.codes import checked_code, code_key
from ...kernel.dates import FIRST_DAY
from ...kernel.errors import ConflictError, InvalidInputError, NotFoundError
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...store.database import Session
from ...store.tables import NAME_LENGTH
from ...trust.work import Units, Work
from ..rules.model import Shift
from . import rows
from .model import OFF, Pattern, Preset, Replacement, ShiftVersion, Step
from .rules_cycles import read_cycle, show_cycle
from .rules_shifts import check_shift, version_on
from .texts import shift_in_words


@dataclass(frozen=True, slots=True)
class ShiftHistory:
    """A shift with its versions, the oldest first; ``current`` is the one of today, or the first that comes."""

    code: str
    versions: tuple[ShiftVersion, ...]
    current: ShiftVersion

    def on(self, work_date: date) -> Shift:
        """Return the shift as it is on a date."""
        found = version_on(self.versions, work_date)
        assert found is not None
        return found


class Shifts:
    """The shifts, patterns and presets of one installation.

    Args:
        units: Of its database.
        today: Returns the date of today at the main site.
    """

    def __init__(self, units: Units, today: Callable[[], date]) -> None:
        self._units = units
        self._today = today

    # --- shifts ----------------------------------------------------------------------------------------------

    def list_shifts(self) -> tuple[ShiftHistory, ...]:
        """Return all shifts by their codes."""
        today = self._today()
        with self._units.read() as session:
            return tuple(_history(code, versions, today) for code, versions in rows.shifts(session).items())

    def get_shift(self, code: str) -> ShiftHistory:
        """Return one shift. Raises NotFoundError."""
        key = code_key(code)
        for each in self.list_shifts():
            if code_key(each.code) == key:
                return each
        raise no_such_shift(code)

    def add_shift(self, shift: Shift, *, valid_from: date = FIRST_DAY) -> Shift:
        """Add a shift.

        Args:
            shift: A span that starts before the previous one ended lies on the next day.
            valid_from: Before it nothing can be planned with other times: by default these hold for all dates.

        Returns:
            The shift with its spans and breaks in their places.

        Raises:
            InvalidInputError: Something of it cannot be; see :func:`.check_shift`.
            ConflictError: The code exists.
        """
        code = checked_code(shift.code)
        if code_key(code) == code_key(OFF):
            raise InvalidInputError(N_("A shift cannot be called OFF: that is a day off."))
        shift = check_shift(replace(shift, code=code, name=_name(shift.name)))

        def work(job: Work) -> Shift:
            rows.put_version(job.session, rows.add_shift(job.session, code), ShiftVersion(shift, valid_from))
            details = {"valid_from": valid_from.isoformat(), "after": shift_in_words(shift)}
            job.record("shift.add", subject=code, details=details)
            return shift

        return self._units.write(work)

    def change_shift(self, shift: Shift, *, valid_from: date) -> Shift:
        """Give a shift other times from a date on; dates before keep theirs.

        Raises:
            NotFoundError: There is no shift with that code.
            InvalidInputError: Something of it cannot be.
            ConflictError: It has a version from that date already, and that holds by now.
        """
        shift = check_shift(replace(shift, name=_name(shift.name)))
        today = self._today()

        def work(job: Work) -> Shift:
            ids = rows.shift_ids(job.session)
            shift_id, code = _known_shift(ids, shift.code)
            wanted = replace(shift, code=code)
            versions = rows.shifts(job.session)[code]
            before = [each for each in versions if each.valid_from <= valid_from]
            same = before[-1] if before and before[-1].valid_from == valid_from else None
            if same is not None and same.shift == wanted:
                return wanted
            if same is not None and valid_from <= today:
                raise ConflictError(
                    N_("The shift {code} has a version from {date} that is in force: it cannot be another one."),
                    hint=N_("Give a later date, or add a shift with another code."),
                    code=code,
                    date=valid_from,
                )
            rows.put_version(job.session, shift_id, ShiftVersion(wanted, valid_from))
            details = {
                "valid_from": valid_from.isoformat(),
                "before": shift_in_words(before[-1].shift) if before else "",
                "after": shift_in_words(wanted),
            }
            job.record("shift.change", subject=code, details=details)
            return wanted

        return self._units.write(work)

    def remove_shift(self, code: str) -> None:
        """Remove a shift that no pattern, roster or preset names. Raises NotFoundError, ConflictError."""

        def work(job: Work) -> None:
            shift_id, known = _known_shift(rows.shift_ids(job.session), code)
            if rows.is_shift_used(job.session, shift_id):
                raise ConflictError(N_("The shift {code} is used by a pattern, a roster or a preset."), code=known)
            rows.delete_shift(job.session, shift_id)
            job.record("shift.remove", subject=known)

        self._units.write(work)

    # --- patterns --------------------------------------------------------------------------------------------

    def list_patterns(self) -> tuple[Pattern, ...]:
        """Return all patterns by their codes."""
        with self._units.read() as session:
            return tuple(rows.patterns(session).values())

    def add_pattern(self, code: str, cycle: str, *, name: str = "", starts: date | None = None) -> Pattern:
        """Add a pattern.

        Args:
            cycle: Shifts with their days, as ``PAGI:5,OFF:2``.
            starts: A date on which the cycle begins; see :class:`.Pattern`.

        Raises:
            InvalidInputError: The code or the cycle cannot be one.
            NotFoundError: A shift of the cycle does not exist.
            ConflictError: The code exists.
        """
        code, steps = checked_code(code), read_cycle(cycle)

        def work(job: Work) -> Pattern:
            ids = rows.shift_ids(job.session)
            known = tuple(
                step if step.shift is None else Step(_known_shift(ids, step.shift)[1], step.days) for step in steps
            )
            pattern = Pattern(code, _name(name), known, starts)
            rows.add_pattern(job.session, pattern, {each: row_id for row_id, each in ids.values()})
            details = {"cycle": show_cycle(known), "from": starts.isoformat() if starts else ""}
            job.record("pattern.add", subject=code, details=details)
            return pattern

        return self._units.write(work)

    def remove_pattern(self, code: str) -> None:
        """Remove a pattern that was never assigned. Raises NotFoundError, ConflictError."""

        def work(job: Work) -> None:
            pattern_id, known = get_pattern(job.session, code)
            if rows.is_pattern_used(job.session, pattern_id):
                raise ConflictError(N_("The pattern {code} is assigned."), code=known)
            rows.delete_pattern(job.session, pattern_id)
            job.record("pattern.remove", subject=known)

        self._units.write(work)

    # --- presets ---------------------------------------------------------------------------------------------

    def list_presets(self) -> tuple[Preset, ...]:
        """Return all presets, the earliest first."""
        with self._units.read() as session:
            return rows.presets(session)

    def add_preset(
        self, code: str, first: date, last: date, replacements: Iterable[Replacement], *, name: str = ""
    ) -> Preset:
        """Put other shifts in place of those of patterns between two dates, both included.

        Raises:
            InvalidInputError: The code cannot be one, the range ends before it begins, nothing is replaced, or a shift
                is replaced twice on the same day of the week.
            NotFoundError: A shift does not exist.
            ConflictError: The code exists.
        """
        code, wanted = checked_code(code), tuple(replacements)
        _check_preset(first, last)
        if not wanted:
            raise InvalidInputError(N_("A preset replaces at least one shift."))

        def work(job: Work) -> Preset:
            ids = rows.shift_ids(job.session)
            known = tuple(
                Replacement(_known_shift(ids, each.shift)[1], _known_shift(ids, each.instead)[1], each.weekday)
                for each in wanted
            )
            if len({(each.shift, each.weekday) for each in known}) < len(known):
                raise InvalidInputError(N_("A preset replaces a shift once on each day of the week."))
            preset = Preset(code, _name(name), first, last, known)
            rows.add_preset(job.session, preset, {each: row_id for row_id, each in ids.values()})
            job.record("preset.add", subject=code, details={"from": first.isoformat(), "to": last.isoformat()})
            return preset

        return self._units.write(work)

    def move_preset(self, code: str, *, days: int = 0, first: date | None = None, last: date | None = None) -> Preset:
        """Move a preset by days, or let it begin or end on another date.

        Raises:
            NotFoundError: There is no such preset.
            InvalidInputError: It would end before it begins.
        """

        def work(job: Work) -> Preset:
            before = get_preset(job.session, code)
            preset_id = rows.find_preset_id(job.session, code)
            assert preset_id is not None
            by = timedelta(days=days)
            after = replace(before, first=(first or before.first) + by, last=(last or before.last) + by)
            _check_preset(after.first, after.last)
            if after != before:
                rows.move_preset(job.session, preset_id, after.first, after.last)
                details = {
                    "before": f"{before.first} - {before.last}",
                    "after": f"{after.first} - {after.last}",
                }
                job.record("preset.move", subject=before.code, details=details)
            return after

        return self._units.write(work)

    def remove_preset(self, code: str) -> None:
        """Remove a preset. Raises NotFoundError."""

        def work(job: Work) -> None:
            preset = get_preset(job.session, code)
            preset_id = rows.find_preset_id(job.session, code)
            assert preset_id is not None
            rows.delete_preset(job.session, preset_id)
            details = {"from": preset.first.isoformat(), "to": preset.last.isoformat()}
            job.record("preset.remove", subject=preset.code, details=details)

        self._units.write(work)


def get_pattern(session: Session, code: str) -> tuple[int, str]:
    """Return row id and code of a pattern. Raises NotFoundError."""
    found = rows.find_pattern(session, code)
    if found is None:
        raise NotFoundError(
            N_("There is no pattern with the code {code}."), hint=N_("“smartabsen pattern list” shows all."), code=code
        )
    return found


def get_preset(session: Session, code: str) -> Preset:
    """Return a preset. Raises NotFoundError."""
    key = code_key(code)
    for preset in rows.presets(session):
        if code_key(preset.code) == key:
            return preset
    raise NotFoundError(
        N_("There is no preset with the code {code}."), hint=N_("“smartabsen preset list” shows all."), code=code
    )


def no_such_shift(code: str) -> NotFoundError:
    """Return the error for a code that no shift has."""
    return NotFoundError(
        N_("There is no shift with the code {code}."), hint=N_("“smartabsen shift list” shows all."), code=code
    )


def _known_shift(ids: Mapping[str, tuple[int, str]], code: str) -> tuple[int, str]:
    found = ids.get(code_key(code))
    if found is None:
        raise no_such_shift(code)
    return found


def _history(code: str, versions: tuple[ShiftVersion, ...], today: date) -> ShiftHistory:
    current = next((each for each in reversed(versions) if each.valid_from <= today), versions[0])
    return ShiftHistory(code, versions, current)


def _name(name: str) -> str:
    return checked_text(name, field=N_("name"), limit=NAME_LENGTH)


def _check_preset(first: date, last: date) -> None:
    if last < first:
        raise InvalidInputError(N_("The period ends ({last}) before it begins ({first})."), first=first, last=last)
