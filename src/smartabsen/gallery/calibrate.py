"""Choosing threshold and margin for the people who are enrolled here, and for a share of strangers that may pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import (
    ACTIVE,
    CalibrationRecord,
    CalibrationState,
    Confusion,
    DecisionLimits,
    Employee,
    Gate,
    Members,
    Rate,
)
from ..kernel.errors import InvalidInputError, KeyMissingError, NotFoundError, SealBrokenError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..recognition.calibration import LOOK_ALIKES, Choice as CalibrationChoice, choose, expect_fpir
from ..recognition.reference import find_table
from ..recognition.scores import Scores, compare_gallery
from ..store.database import Session
from ..trust import audit_rows
from ..trust.audit import note
from . import model_rows
from .calibration_record import (
    StoredCalibration,
    find_record,
    find_stored,
    hash_gallery,
    limits_for,
    put_record,
    remove_record,
    state_of,
)
from .stored_gallery import read_gallery

__all__ = ["Calibration", "CalibrationChoice", "CalibrationReport", "calibration_state"]

LARGEST_TARGET: Final = 0.05
"""A threshold that takes more than one stranger in twenty for somebody is none."""
GROWTHS: Final = (2.0, 10.0)
"""What would change with so many times the people."""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """The result of a calibration.

    Attributes:
        record: What it chose.
        choice: How.
        source: What the reference scores are of; empty where there are none for this model.
        before: What a training would have put into use before.
        fnir_before: Expected false rejections with that.
        deciding: Threshold and margin of the trained model in use; None without one.
        gate: What the next training would ask of these people, if this choice were used.
        look_alikes: The most alike people, the worst first; ``similarity`` is that of two of their photos.
        duplicate_threshold: From this on two people are probably one, enrolled under two codes.
        grown: The same choice for 2 and 10 times the people.
        left_alone: FPIR to expect of 2 and 10 times the people where the threshold stays as it is now; None without a
            reference.
        stored: Whether the next training uses it.
    """

    record: CalibrationRecord
    choice: CalibrationChoice
    source: str
    before: DecisionLimits
    fnir_before: Rate
    deciding: tuple[float, float] | None
    gate: Gate
    look_alikes: tuple[Confusion, ...]
    duplicate_threshold: float
    grown: tuple[CalibrationChoice, ...]
    left_alone: tuple[float | None, ...]
    stored: bool

    @property
    def is_laxer(self) -> bool:
        """Whether the threshold chosen lies below the engine's own."""
        return self.choice.threshold < self.before.engine_threshold


class Calibration:
    """Chooses, remembers, and tells whether the choice still fits.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def calibrate(self, target_fpir: float, *, force: bool = False, members: Members = ACTIVE) -> CalibrationReport:
        """Choose threshold and margin, and put them into force where the data support the target.

        Running kiosks go on with the trained model's limits until the next training.

        Args:
            target_fpir: Share of strangers that may be taken for somebody, :data:`LARGEST_TARGET` at most.
            force: Put them into force even where the data cannot support the target.
            members: For whom: all active employees, or the chosen ones.

        Raises:
            InvalidInputError: The target is out of range.
            NotFoundError: Fewer than two people are enrolled.
        """
        if not 0.0 < target_fpir <= LARGEST_TARGET:
            raise InvalidInputError(
                N_("A target is a share above 0 and up to {largest}, as 0.001 for one stranger in 1,000."),
                largest=LARGEST_TARGET,
            )
        services = self._services
        engine = services.engine
        with services.database.read() as session:
            gallery = read_gallery(services, session, engine.identity, members=members)
            people = {person.id: person for person in employee_rows.find_all(session, model=engine.identity)}
            deciding = _deciding(services, session)
            stored_before = find_stored(session)
        count = len(set(gallery.employee_ids.tolist()))
        if count < 2:
            raise NotFoundError(
                N_("Two people must be enrolled at least: there is nobody to be confused with."),
                hint=N_("Enrol people with “smartabsen enroll” or “smartabsen import”."),
            )
        scores = compare_gallery(gallery.embeddings, gallery.employee_ids, balance=engine.balance)
        table = find_table(engine.identity)
        choices = [
            choose(
                scores,
                table,
                target=target_fpir,
                engine_threshold=engine.threshold,
                engine_margin=engine.margin,
                growth=growth,
            )
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
        named = services.settings.recognition
        before, limits = (
            limits_for(one, engine, named, model=engine.identity, people=count, templates=record.templates)
            for one in (stored_before, StoredCalibration(record, stored_before.own))
        )
        stored = choice.promised or force
        if stored:
            with services.database.write() as session:
                put_record(session, record)
                audit_rows.append(
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
            fnir_before=scores.fnir(before.threshold, before.margin),
            deciding=deciding,
            gate=Gate(
                limits,
                rank_1=scores.rank_1,
                recognised=_others(scores.fnir(limits.threshold, limits.margin)),
                demanded=services.settings.enrolment.min_accuracy,
            ),
            look_alikes=_look_alikes(scores, people),
            duplicate_threshold=engine.duplicate_threshold,
            grown=tuple(choices[1:]),
            left_alone=tuple(
                expect_fpir(table, choice.threshold - choice.shift, grown.comparisons) for grown in choices[1:]
            ),
            stored=stored,
        )

    def forget(self) -> CalibrationRecord:
        """Drop the calibration: what fits the number of people by itself is used from the next training on.

        Returns:
            What was dropped.

        Raises:
            NotFoundError: There is none.
        """
        with self._services.database.write() as session:
            record = find_record(session)
            if record is None:
                raise NotFoundError(
                    N_("There is no calibration to forget."),
                    hint=N_("The automatic threshold is used already. “smartabsen calibrate” chooses one."),
                )
            remove_record(session)
            audit_rows.append(
                session,
                actor=self._services.actor,
                action="model.calibrate_forget",
                subject=str(record.model),
                details={"threshold": str(record.threshold), "margin": str(record.margin),
                         "target_fpir": str(record.target_fpir), "people": str(record.people)},
            )  # fmt: skip
        return record

    def find(self) -> CalibrationRecord | None:
        """Return the calibration that is stored, None without one."""
        with self._services.database.read() as session:
            return find_record(session)

    def state(self) -> CalibrationState:
        """Tell whether there is a calibration, and whether it still fits the people who are enrolled."""
        return calibration_state(self._services)[1]


def calibration_state(services: Services) -> tuple[CalibrationRecord | None, CalibrationState]:
    """Return the calibration, and whether it still fits; no model is loaded for it.

    Raises:
        KeyMissingError, SealBrokenError: The templates cannot be read.
    """
    active = services.active_model()
    with services.database.read() as session:
        record = find_record(session)
        if record is None or active is None:
            return None, CalibrationState.NONE
        return record, state_of(record, read_gallery(services, session, active))


def _deciding(services: Services, session: Session) -> tuple[float, float] | None:
    try:
        trained = model_rows.find_record(session, services.key_chain.ring())
    except (KeyMissingError, SealBrokenError):
        # Nobody is recognised by a model that does not open, and a training makes it anew.
        return None
    return None if trained is None else (trained.threshold, trained.margin)


def _others(rate: Rate) -> Rate:
    return Rate(rate.trials - rate.count, rate.trials)


def _look_alikes(scores: Scores, people: dict[int, Employee]) -> tuple[Confusion, ...]:
    return tuple(
        Confusion(people[int(scores.labels[pair.row])], people[int(scores.labels[pair.other])], 1, pair.similarity)
        for pair in scores.worst_impostor[:LOOK_ALIKES]
    )
