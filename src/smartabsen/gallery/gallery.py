"""The trained gallery as running programs use it: loaded from its file, and again when that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import ACTIVE, FloatArray, KnownPerson, Match, Members, ModelIdentity
from ..kernel.errors import KeyMissingError, ModelDamagedError, NotTrainedError
from ..kernel.read_write import ReadWriteLock
from ..recognition.matchers.base import Matcher
from ..trust.sealing import KeyRing
from .engine_choice import mismatch
from .model_file import TrainedModel, find_stamp, load_model

REFIT_SHARE: Final = 0.1
"""Where more of the templates changed than this, or their number since the last fit, a matcher is fitted anew."""


class _Templates(Protocol):
    @property
    def template_ids(self) -> NDArray[np.int64]: ...
    @property
    def employee_ids(self) -> NDArray[np.int64]: ...
    @property
    def embeddings(self) -> FloatArray: ...


def template_rows(of: _Templates) -> Iterator[tuple[int, int, bytes]]:
    """Yield of each template its id, whose it is, and its embedding's bytes."""
    return zip(of.template_ids.tolist(), of.employee_ids.tolist(), map(bytes, of.embeddings), strict=True)


class LiveGallery:
    """A fitted matcher that follows the file of the trained model.

    Threads that share it ask within :meth:`reading`; one of them at a time calls :meth:`refresh`.

    Args:
        directory: Where the trained model lies.
        identity: Of the engine whose embeddings will be compared.
        make_matcher: Makes an empty matcher by name.
        ring: Gives the keys that it is sealed with, as they are at that moment.
        members: Who is compared, of those in the model.

    Raises:
        NotTrainedError: There is no trained model.
        ModelDamagedError: Its file is damaged.
        EngineMismatchError: It was trained for another engine.
        KeyMissingError: Its key is missing, or is another one.
    """

    def __init__(
        self,
        directory: Path,
        identity: ModelIdentity,
        make_matcher: Callable[[str], Matcher],
        *,
        ring: Callable[[], KeyRing],
        members: Members = ACTIVE,
    ) -> None:
        self._directory = directory
        self._identity = identity
        self._make_matcher = make_matcher
        self._ring = ring
        self._members = members
        self._lock = ReadWriteLock()
        self._version = ""
        self._stamp = find_stamp(directory)
        self._other_engine: ModelIdentity | None = None
        self._take(load_model(directory, ring()))

    def reading(self) -> AbstractContextManager[None]:
        """Return a ``with`` block in which all answers come from one and the same model; it is to be a short one."""
        return self._lock.reading()

    @property
    def identity(self) -> ModelIdentity:
        """Of the engine whose embeddings are compared."""
        return self._identity

    @property
    def version(self) -> str:
        """Version of the trained model in use, of which this may be a part."""
        return self._version

    @property
    def members(self) -> Members:
        """Who is compared."""
        return self._members

    @property
    def trained_at(self) -> datetime:
        """When it was trained (UTC)."""
        return self._model.trained_at

    @property
    def people(self) -> int:
        """Number of people in it."""
        return len(set(self._model.employee_ids.tolist()))

    @property
    def threshold(self) -> float:
        """Cosine that a recognition needs."""
        return self._model.threshold

    @property
    def margin(self) -> float:
        """Distance to the second-best person that a recognition needs."""
        return self._model.margin

    @property
    def verification(self) -> float:
        """Cosine that somebody needs who is compared with one person alone; see :meth:`verify`."""
        return self._model.verification

    @property
    def other_engine(self) -> ModelIdentity | None:
        """What the model in force was trained for, where that is another engine; None otherwise."""
        return self._other_engine

    def match(self, probes: Sequence[FloatArray]) -> tuple[Match, ...]:
        """Decide on probes, float32 (D,) of unit length each, all at once; labels are ids of employees."""
        if not probes:
            return ()
        return self._matcher.match(np.stack(probes), threshold=self._model.threshold, margin=self._model.margin)

    def knows(self, label: int) -> bool:
        """Tell whether an employee has templates in it."""
        return bool((self._model.employee_ids == label).any())

    def person(self, label: int) -> str:
        """Return the UUID of an employee as the model knows it; empty where an earlier version made the model."""
        member = self.member(label)
        return "" if member is None else member.uuid

    def member(self, label: int) -> KnownPerson | None:
        """Return who an employee is as the model knows it; None where an earlier version made the model."""
        return self._model.people.get(label)

    def verify(self, probes: Sequence[FloatArray], label: int) -> tuple[float, ...]:
        """Compare probes, float32 (D,) of unit length each, with one employee alone.

        Returns:
            For each probe the employee's similarity, as the matcher measures it; -1 where there is no template.
        """
        if not probes or not self.knows(label):
            return (-1.0,) * len(probes)
        own = self._model.employee_ids == label
        alone = self._make_matcher("exact")
        alone.fit(self._model.embeddings[own], self._model.employee_ids[own])
        return tuple(match.similarity for match in alone.match(np.stack(probes), threshold=-1.0, margin=0.0))

    def rows(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield of each template its id, whose it is, and its embedding's bytes."""
        return template_rows(self._model)

    def refresh(self) -> bool:
        """Take over a newly trained model; return whether there was one.

        A file that is damaged or gone, or whose key is, changes nothing: the model in memory was good, and goes on.
        """
        stamp = find_stamp(self._directory)
        if stamp is None or stamp == self._stamp:
            return False
        try:
            model = load_model(self._directory, self._ring())
        except (NotTrainedError, ModelDamagedError, KeyMissingError):
            return False
        self._stamp = stamp
        if model.model != self._identity:
            self._other_engine = model.model
            return False
        self._other_engine = None
        chosen = self._chosen(model)
        if (model.version, chosen.people) == (self._version, self._model.people):
            return False
        self._change(chosen)
        self._version = model.version
        return True

    def _take(self, model: TrainedModel) -> None:
        if model.model != self._identity:
            raise mismatch(model.model, wanted=str(self._identity))
        self._model = self._chosen(model)
        self._matcher, self._fitted = self._fitted_matcher(self._model), len(self._model.employee_ids)
        self._version = model.version

    def _chosen(self, model: TrainedModel) -> TrainedModel:
        """Return the part of a model that is of the members. What is in a model was active when it was trained."""
        if self._members.uuids is None:
            return model
        ids = [owner for owner, person in model.people.items() if self._members.includes(person.uuid)]
        return model.only(np.isin(model.employee_ids, ids))

    def _fitted_matcher(self, model: TrainedModel) -> Matcher:
        matcher = self._make_matcher(model.matcher)
        matcher.fit(model.embeddings, model.employee_ids)
        return matcher

    def _change(self, model: TrainedModel) -> None:
        """Go on with another model: where little is different, only that is changed in the matcher."""
        before = self._model
        people = _changed_people(before, model)
        gone = np.isin(before.employee_ids, people)
        come = np.isin(model.employee_ids, people)
        most = REFIT_SHARE * self._fitted
        grown = abs(len(model.employee_ids) - self._fitted)
        if model.matcher != before.matcher or max(gone.sum() + come.sum(), grown) > most:
            matcher = self._fitted_matcher(model)
            with self._lock.writing():
                self._matcher, self._fitted, self._model = matcher, len(model.employee_ids), model
            return
        with self._lock.writing():
            self._matcher.remove(people)
            if come.any():
                self._matcher.add(model.embeddings[come], model.employee_ids[come])
            self._model = model


def _changed_people(before: TrainedModel, after: TrainedModel) -> NDArray[np.int64]:
    """Return the employees whose templates are not the same in both models."""
    _, old, new = np.intersect1d(before.template_ids, after.template_ids, assume_unique=True, return_indices=True)
    same = (before.employee_ids[old] == after.employee_ids[new]) & (
        before.embeddings[old] == after.embeddings[new]
    ).all(axis=1)
    gone = np.delete(before.employee_ids, old[same])
    come = np.delete(after.employee_ids, new[same])
    return np.unique(np.concatenate([gone, come]))
