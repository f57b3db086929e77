"""Templates in the database: embeddings with the identity of their model, bound to an employee."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sqlalchemy import ColumnElement, CursorResult, and_, delete as sql_delete, func, select
from sqlalchemy.orm import Session

from ..domain import ModelIdentity, Quality, Template
from ..errors import InvalidInputError, ModelDamagedError
from ..i18n import N_
from . import employees
from .tables import SOURCE_LENGTH, Karyawan, TemplateRow
from .texts import shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..domain import FloatArray

_QUALITY_FIELDS = frozenset(field.name for field in dataclasses.fields(Quality))
# An embedding that came back from float32 is this near to unit length.
_LENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """All templates of one model, ordered by employee, then template.

    Attributes:
        model: What made them.
        embeddings: float32 (N, D), rows of unit length.
        employee_ids: int64 (N,), whose each row is.
        template_ids: int64 (N,).
        sources: N file names or cameras, for people.
    """

    model: ModelIdentity
    embeddings: FloatArray
    employee_ids: NDArray[np.int64]
    template_ids: NDArray[np.int64]
    sources: tuple[str, ...]


def add_many(session: Session, templates: Sequence[Template]) -> tuple[Template, ...]:
    """Store templates; a photo that the employee has a template of already (same model) is passed over.

    Returns:
        Those that were stored, with their ids, in the order given.

    Raises:
        InvalidInputError: An embedding has another type, shape or length than its model says.
        NotFoundError: There is no such employee.
    """
    for template in templates:
        _check(template)
    for employee_id in sorted({template.employee_id for template in templates}):
        employees.lock(session, employee_id)
    known = {
        (owner, model): photo_digests(session, owner, model)
        for owner, model in {(template.employee_id, template.model) for template in templates}
    }
    rows: dict[tuple[int, ModelIdentity, str], tuple[Template, TemplateRow]] = {}
    for template in templates:
        if template.photo_digest not in known[template.employee_id, template.model]:
            key = (template.employee_id, template.model, template.photo_digest)
            rows.setdefault(key, (template, _row(template)))
    session.add_all(row for _, row in rows.values())
    session.flush()
    return tuple(dataclasses.replace(template, id=row.id, source=row.source) for template, row in rows.values())


def of_employee(session: Session, employee_id: int, *, model: ModelIdentity | None = None) -> tuple[Template, ...]:
    """Return an employee's templates, the oldest first; of all models where none is given.

    Raises:
        ModelDamagedError: A stored embedding is not what its row says.
    """
    query = select(TemplateRow).where(TemplateRow.karyawan_id == employee_id).order_by(TemplateRow.id)
    if model is not None:
        query = query.where(_made_by(model))
    return tuple(_template(row) for row in session.scalars(query))


def gallery(session: Session, model: ModelIdentity, *, include_inactive: bool = False) -> Gallery:
    """Return all templates of a model as arrays.

    Raises:
        ModelDamagedError: A stored embedding is not what its row says.
    """
    query = (
        select(TemplateRow.id, TemplateRow.karyawan_id, TemplateRow.embedding, TemplateRow.source)
        .where(_made_by(model))
        .order_by(TemplateRow.karyawan_id, TemplateRow.id)
    )
    if not include_inactive:
        query = query.join(Karyawan).where(Karyawan.aktif)
    rows = session.execute(query).all()
    embeddings = np.empty((len(rows), model.dimension), dtype=np.float32)
    for index, (template_id, _, blob, _) in enumerate(rows):
        embeddings[index] = _embedding(template_id, blob, model.dimension)
    return Gallery(
        model=model,
        embeddings=embeddings,
        employee_ids=np.array([row.karyawan_id for row in rows], dtype=np.int64),
        template_ids=np.array([row.id for row in rows], dtype=np.int64),
        sources=tuple(row.source for row in rows),
    )


def photo_digests(session: Session, employee_id: int, model: ModelIdentity) -> frozenset[str]:
    """Return the digests of the photos that an employee has templates of."""
    query = select(TemplateRow.photo_digest).where(TemplateRow.karyawan_id == employee_id, _made_by(model))
    return frozenset(session.scalars(query))


def count(session: Session, model: ModelIdentity) -> int:
    """Return the number of templates of a model."""
    return session.scalar(select(func.count()).select_from(TemplateRow).where(_made_by(model))) or 0


def models(session: Session) -> dict[ModelIdentity, int]:
    """Return which models there are templates of, and how many."""
    columns = (TemplateRow.engine, TemplateRow.model_digest, TemplateRow.dimension)
    rows = session.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns))
    return {ModelIdentity(engine, digest, dimension): count for engine, digest, dimension, count in rows}


def delete(session: Session, template_ids: Iterable[int]) -> int:
    """Delete templates by their ids; return how many there were."""
    deleted = session.execute(sql_delete(TemplateRow).where(TemplateRow.id.in_(list(template_ids))))
    return cast(CursorResult[Any], deleted).rowcount


def _made_by(model: ModelIdentity) -> ColumnElement[bool]:
    return and_(
        TemplateRow.engine == model.engine,
        TemplateRow.model_digest == model.digest,
        TemplateRow.dimension == model.dimension,
    )


def _check(template: Template) -> None:
    embedding, model = template.embedding, template.model
    if embedding.dtype != np.float32 or embedding.shape != (model.dimension,):
        raise InvalidInputError(
            N_("An embedding of {model} must be float32 of shape ({dimension},), not {dtype} of shape {shape}."),
            model=str(model),
            dimension=model.dimension,
            dtype=str(embedding.dtype),
            shape=str(embedding.shape),
        )
    if not _is_unit(embedding):
        raise InvalidInputError(N_("An embedding of {model} does not have unit length."), model=str(model))


def _is_unit(embedding: FloatArray) -> bool:
    # A comparison with NaN is false, so this also refuses what is not finite.
    return bool(abs(float(np.linalg.norm(embedding)) - 1.0) <= _LENGTH_TOLERANCE)


def _row(template: Template) -> TemplateRow:
    return TemplateRow(
        karyawan_id=template.employee_id,
        engine=template.model.engine,
        model_digest=template.model.digest,
        dimension=template.model.dimension,
        embedding=template.embedding.astype("<f4").tobytes(),
        quality=json.dumps(dataclasses.asdict(template.quality)),
        source=shortened(template.source, SOURCE_LENGTH),
        photo_digest=template.photo_digest,
        created_at=datetime.now(UTC),
    )


def _template(row: TemplateRow) -> Template:
    quality: dict[str, Any] = json.loads(row.quality)
    return Template(
        id=row.id,
        employee_id=row.karyawan_id,
        embedding=_embedding(row.id, row.embedding, row.dimension),
        model=ModelIdentity(row.engine, row.model_digest, row.dimension),
        quality=Quality(**{name: value for name, value in quality.items() if name in _QUALITY_FIELDS}),
        source=row.source,
        photo_digest=row.photo_digest,
    )


def _embedding(template_id: int, blob: bytes, dimension: int) -> FloatArray:
    if len(blob) == 4 * dimension:
        embedding = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        if _is_unit(embedding):
            return embedding
    raise ModelDamagedError(
        N_("The stored template {id} is damaged."),
        hint=N_("Restore a copy of the database, or enrol this person again."),
        id=template_id,
    )
