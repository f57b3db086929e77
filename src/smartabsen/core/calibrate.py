"""Choosing threshold and margin for the people who are enrolled here, and for a share of strangers that may pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ..domain import Confusion, Employee
from ..errors import InvalidInputError, NotFoundError
from ..i18n import N_
from ..recognition.calibration import LOOK_ALIKES, Choice as CalibrationChoice, choose, expect_fpir
from ..recognition.rates import Rate
from ..recognition.reference import find_table
from ..recognition.scores import Scores, compare_gallery
from ..store import audit, employees
from .audit import note
from .bootstrap import Services
from .calibration_record import CalibrationRecord, CalibrationState, find_record, hash_gallery, put_record
from .stored_gallery import read_gallery

__all__ = ["Calibration", "CalibrationChoice", "CalibrationReport", "calibration_state"]

GROWTHS: Final = (2.0, 10.0)
"""What would change with so many times the people."""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """The result of a calibration.

    Attributes:
        record: What it chose.
        choice: How.
        source: What the reference scores are of; empty where there are none for this model.
        before: Threshold and margin in force before.
        fnir_before: Expected false rejections with those.
        look_alikes: The most alike people, the worst first; ``similarity`` is that of two of their photos.
        duplicate_threshold: From this on two people are probably one, enrolled under two codes.
        grown: The same choice for 2 and 10 times the people.
        left_alone: FPIR to expect of 2 and 10 times the people where the threshold stays as it is now; None without a
            reference.
        stored: Whether it is in force now.
    """

    record: CalibrationRecord
    choice: CalibrationChoice
    source: str
    before: tuple[float, float]
    fnir_before: Rate
    look_alikes: tuple[Confusion, ...]
    duplicate_threshold: float
    grown: tuple[CalibrationChoice, ...]
    left_alone: tuple[float | None, ...]
    stored: bool


class Calibration:
    """Chooses, remembers, and tells whether the choice still fits.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def calibrate(self, target_fpir: float, *, force: bool = False) -> CalibrationReport:
        """Choose threshold and margin, and put them into force where the data support the target.

        Running kiosks go on with the trained model's limits until the next training.

        Args:
            target_fpir: Share of strangers that may be taken for somebody, between 0 and 0.5.
            force: Put them into force even where the data cannot support the target.

        Raises:
            InvalidInputError: The target is out of range.
            NotFoundError: Fewer than two people are enrolled.
        """
        if not 0.0 < target_fpir <= 0.5:
            raise InvalidInputError(N_("A target is a share between 0 and 0.5, as 0.001 for one stranger in 1,000."))
        services = self._services
        engine = services.engine
        with services.database.read() as session:
            gallery = read_gallery(services, session, engine.identity)
            people = {person.id: person for person in employees.find_all(session, model=engine.identity)}
        count = len(set(gallery.employee_ids.tolist()))
        if count < 2:
            raise NotFoundError(
                N_("Two people must be enrolled at least: there is nobody to be confused with."),
                hint=N_("Enrol people with “smartabsen enroll” or “smartabsen import”."),
            )
        scores = compare_gallery(gallery.embeddings, gallery.employee_ids, balance=engine.balance)
        table = find_table(engine.identity)
        choices = [
            choose(scores, table, target=target_fpir, engine_margin=engine.margin, growth=growth)
            for growth in (1.0, *GROWTHS)
        ]
        choice = choices[0]
        record = CalibrationRecord(
            at=datetime.now(UTC),
            model=engine.identity,
            gallery_hash=hash_gallery(gallery),
            people=count,
            templates=len(gallery.employee_ids),
            target_fpir=target_fpir,
            threshold=choice.threshold,
            margin=choice.margin,
        )
        before = services.threshold, services.margin
        stored = choice.promised or force
        if stored:
            with services.database.write() as session:
                put_record(session, record)
                audit.append(
                    session,
                    actor=services.actor,
                    action="model.calibrate",
                    subject=str(engine.identity),
                    details={"threshold": str(choice.threshold), "margin": str(choice.margin),
                             "target_fpir": str(target_fpir), "people": str(count)},
                )  # fmt: skip
        else:
            note(services, "biometric.compare", details={"templates": str(record.templates), "people": str(count)})
        return CalibrationReport(
            record=record,
            choice=choice,
            source="" if table is None else table.source,
            before=before,
            fnir_before=scores.fnir(*before),
            look_alikes=_look_alikes(scores, people),
            duplicate_threshold=engine.duplicate_threshold,
            grown=tuple(choices[1:]),
            left_alone=tuple(
                expect_fpir(table, choice.threshold - choice.shift, grown.comparisons) for grown in choices[1:]
            ),
            stored=stored,
        )

    def find(self) -> CalibrationRecord | None:
        """Return the calibration in force, None without one."""
        with self._services.database.read() as session:
            return find_record(session)

    def state(self) -> CalibrationState:
        """Tell whether there is a calibration, and whether it still fits the people who are enrolled."""
        return calibration_state(self._services)


def calibration_state(services: Services) -> CalibrationState:
    """Tell whether there is a calibration, and whether it still fits; no model is loaded for it.

    Raises:
        KeyMissingError, SealBrokenError: The templates cannot be read.
    """
    active = services.active_model()
    with services.database.read() as session:
        record = find_record(session)
        if record is None or active is None:
            return CalibrationState.NONE
        return record.state(read_gallery(services, session, active))


def _look_alikes(scores: Scores, people: dict[int, Employee]) -> tuple[Confusion, ...]:
    return tuple(
        Confusion(people[int(scores.labels[pair.row])], people[int(scores.labels[pair.other])], 1, pair.similarity)
        for pair in scores.worst_impostor[:LOOK_ALIKES]
    )
