"""Templates in the database: sealed embeddings with the identity of their model, bound to an employee.

Whoever can write the database, yet has no key, cannot add a face, and cannot give one to somebody else: a seal opens
only in the row of the employee, the model and the photo that it was made for.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sqlalchemy import ColumnElement, CursorResult, and_, delete as sql_delete, func, or_, select
from sqlalchemy.orm import Session

from ..kernel.domain import (
    ACTIVE,
    DamagedTemplate,
    KnownPerson,
    Members,
    ModelIdentity,
    Quality,
    Template,
    TemplateFacts,
)
from ..kernel.errors import InvalidInputError, KeyMissingError, SealBrokenError
from ..kernel.i18n import N_
from ..kernel.reading import parse_json
from ..kernel.texts import shortened
from ..people import employee_rows
from ..privacy.erasure_rows import ALL
from ..store.clock import moment
from ..store.tables import SOURCE_LENGTH, ErasureRow, Karyawan, TemplateRow
from ..trust.sealing import BROKEN_HINT, KeyRing, Owner, sealing_key_of, template_binding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernel.domain import FloatArray

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
        photo_digests: N digests (hex) of the photos.
        people: Those employees by row id; who was inserted by another program may be missing.
        damaged: Templates of the model that are not among these: they are not what their rows say.
        erased: Codes of people who were erased and of whom somebody put templates back: these are not among them.
    """

    model: ModelIdentity
    embeddings: FloatArray
    employee_ids: NDArray[np.int64]
    template_ids: NDArray[np.int64]
    sources: tuple[str, ...]
    photo_digests: tuple[str, ...]
    people: Mapping[int, KnownPerson]
    damaged: tuple[DamagedTemplate, ...] = ()
    erased: tuple[str, ...] = ()


def add_many(session: Session, templates: Sequence[Template], *, ring: KeyRing) -> tuple[Template, ...]:
    """Seal and store templates; a photo that the employee has a template of already (same model) is passed over.

    Returns:
        Those that were stored, with their ids, in the order given.

    Raises:
        InvalidInputError: An embedding has another type, shape or length than its model says.
        NotFoundError: There is no such employee.
        KeyMissingError: The ring has no key.
    """
    for template in templates:
        _check(template)
    owners = {
        employee_id: employee_rows.lock(session, employee_id)
        for employee_id in sorted({template.employee_id for template in templates})
    }
    known = {
        (owner, model): photo_digests(session, owner, model)
        for owner, model in {(template.employee_id, template.model) for template in templates}
    }
    rows: dict[tuple[int, ModelIdentity, str], tuple[Template, TemplateRow]] = {}
    now = moment(session)
    for template in templates:
        if template.photo_digest not in known[template.employee_id, template.model]:
            key = (template.employee_id, template.model, template.photo_digest)
            rows.setdefault(key, (template, _row(template, owners[template.employee_id].uuid, ring, now=now)))
    session.add_all(row for _, row in rows.values())
    session.flush()
    return tuple(dataclasses.replace(template, id=row.id, source=row.source) for template, row in rows.values())


def of_employee(
    session: Session, employee_id: int, *, ring: KeyRing, model: ModelIdentity | None = None
) -> tuple[Template, ...]:
    """Return an employee's templates, the oldest first; of all models where none is given.

    Raises:
        SealBrokenError: A stored embedding is not what its row says.
        KeyMissingError: One is sealed with a key that is not in the ring.
    """
    query = (
        select(TemplateRow, Karyawan.kode, Karyawan.uuid)
        .join(Karyawan)
        .where(TemplateRow.karyawan_id == employee_id)
        .order_by(TemplateRow.id)
    )
    if model is not None:
        query = query.where(_made_by(model))
    return tuple(_template(row, code, uuid, ring) for row, code, uuid in session.execute(query))


def facts_of_employee(session: Session, employee_id: int) -> tuple[TemplateFacts, ...]:
    """Return what may be known of an employee's templates without a key, the oldest first."""
    query = select(TemplateRow).where(TemplateRow.karyawan_id == employee_id).order_by(TemplateRow.id)
    return tuple(
        TemplateFacts(
            id=row.id,
            model=ModelIdentity(row.engine, row.model_digest, row.dimension),
            quality=_quality(row.quality),
            source=row.source,
            photo_digest=row.photo_digest,
            created_at=row.created_at,
        )
        for row in session.scalars(query)
    )


def gallery(session: Session, model: ModelIdentity, *, ring: KeyRing, members: Members = ACTIVE) -> Gallery:
    """Return templates of a model as arrays, and which ones are damaged: these harm nobody but their owner.

    What an erasure has taken away is not among them, though somebody put the rows back: the tombstone stands.

    Args:
        members: Whose.

    Raises:
        KeyMissingError: One is sealed with a key that is not in the ring.
    """
    query = (
        select(
            TemplateRow.id,
            TemplateRow.karyawan_id,
            TemplateRow.embedding,
            TemplateRow.key_id,
            TemplateRow.source,
            TemplateRow.photo_digest,
            Karyawan.kode,
            Karyawan.nama,
            Karyawan.uuid,
        )
        .join(Karyawan)
        .where(_made_by(model), ~_is_erased())
        .order_by(TemplateRow.karyawan_id, TemplateRow.id)
    )
    put_back = select(Karyawan.kode).join(TemplateRow).where(_made_by(model), _is_erased()).distinct()
    if not members.include_inactive:
        query = query.where(Karyawan.aktif)
    # Chosen here, not in the query: databases differ in how many values one may name.
    found = [row for row in session.execute(query).all() if members.includes(row.uuid or "")]
    opened = [_opened(row, ring, model) for row in found]
    # All at once: one check of thousands of rows takes the time of a few single ones.
    size = 4 * model.dimension
    blank = b"\0" * size
    content = b"".join(plain if plain is not None and len(plain) == size else blank for plain in opened)
    embeddings = np.frombuffer(content, dtype="<f4").astype(np.float32).reshape(len(found), model.dimension)
    intact = np.abs(np.linalg.norm(embeddings, axis=1) - 1.0) <= _LENGTH_TOLERANCE
    rows = [row for row, good in zip(found, intact, strict=True) if good]
    return Gallery(
        model=model,
        embeddings=embeddings if len(rows) == len(found) else embeddings[intact],
        employee_ids=np.array([row.karyawan_id for row in rows], dtype=np.int64),
        template_ids=np.array([row.id for row in rows], dtype=np.int64),
        sources=tuple(row.source for row in rows),
        photo_digests=tuple(row.photo_digest for row in rows),
        people={row.karyawan_id: KnownPerson(row.uuid, row.kode, row.nama) for row in rows if row.uuid},
        damaged=tuple(
            DamagedTemplate(
                id=row.id,
                employee_id=row.karyawan_id,
                code=row.kode,
                name=row.nama,
                photo_digest=row.photo_digest,
                sealed=sealing_key_of(row.embedding) is not None,
            )
            for row, good in zip(found, intact, strict=True)
            if not good
        ),
        erased=tuple(sorted(session.scalars(put_back))),
    )


def photo_digests(session: Session, employee_id: int, model: ModelIdentity) -> frozenset[str]:
    """Return the digests of the photos that an employee has templates of."""
    query = select(TemplateRow.photo_digest).where(TemplateRow.karyawan_id == employee_id, _made_by(model))
    return frozenset(session.scalars(query))


def count(session: Session, model: ModelIdentity) -> int:
    """Return the number of templates of a model."""
    return session.scalar(select(func.count()).select_from(TemplateRow).where(_made_by(model))) or 0


def size(session: Session, model: ModelIdentity) -> tuple[int, int]:
    """Return how many active employees have templates of a model, and how many templates these are."""
    query = (
        select(func.count(TemplateRow.karyawan_id.distinct()), func.count())
        .select_from(TemplateRow)
        .join(Karyawan)
        .where(_made_by(model), Karyawan.aktif)
    )
    people, rows = session.execute(query).one()
    return people, rows


def models(session: Session) -> dict[ModelIdentity, int]:
    """Return which models there are templates of, and how many."""
    columns = (TemplateRow.engine, TemplateRow.model_digest, TemplateRow.dimension)
    rows = session.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns))
    return {ModelIdentity(engine, digest, dimension): count for engine, digest, dimension, count in rows}


def delete(session: Session, template_ids: Iterable[int]) -> int:
    """Delete templates by their ids; return how many there were."""
    deleted = session.execute(sql_delete(TemplateRow).where(TemplateRow.id.in_(list(template_ids))))
    return cast(CursorResult[Any], deleted).rowcount


def delete_where_other_exists(session: Session, *, model: ModelIdentity, other: ModelIdentity) -> int:
    """Delete the templates of ``model`` of people who have some of ``other``; return how many there were."""
    have_other = set(session.scalars(select(TemplateRow.karyawan_id).where(_made_by(other)).distinct()))
    condition = and_(_made_by(model), TemplateRow.karyawan_id.in_(have_other))
    return cast(CursorResult[Any], session.execute(sql_delete(TemplateRow).where(condition))).rowcount


def _is_erased() -> ColumnElement[bool]:
    # Who agreed again after the erasure of a face has templates that are younger; who was erased never comes back.
    taken = or_(ErasureRow.scope == ALL, TemplateRow.created_at <= ErasureRow.at_utc)
    same = (ErasureRow.karyawan_id == TemplateRow.karyawan_id, ErasureRow.karyawan_created_at == Karyawan.created_at)
    return select(ErasureRow.id).where(*same, taken).exists()


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


def _row(template: Template, uuid: str, ring: KeyRing, *, now: datetime) -> TemplateRow:
    plain = template.embedding.astype("<f4").tobytes()
    return TemplateRow(
        karyawan_id=template.employee_id,
        engine=template.model.engine,
        model_digest=template.model.digest,
        dimension=template.model.dimension,
        embedding=ring.seal(plain, template_binding(uuid, template.model, template.photo_digest)),
        quality=json.dumps(dataclasses.asdict(template.quality)),
        source=shortened(template.source, SOURCE_LENGTH),
        photo_digest=template.photo_digest,
        key_id=ring.active,
        created_at=now,
    )


def _template(row: TemplateRow, code: str, uuid: str | None, ring: KeyRing) -> Template:
    model = ModelIdentity(row.engine, row.model_digest, row.dimension)
    bound_to = template_binding(Owner(row.karyawan_id, uuid).name_in(row.embedding), model, row.photo_digest)
    return Template(
        id=row.id,
        employee_id=row.karyawan_id,
        embedding=_embedding(ring, row.embedding, bound_to, row.dimension, template_id=row.id, code=code),
        model=model,
        quality=_quality(row.quality),
        source=row.source,
        photo_digest=row.photo_digest,
    )


def _quality(text: str) -> Quality:
    stored: dict[str, Any] = parse_json(text)
    return Quality(**{name: value for name, value in stored.items() if name in _QUALITY_FIELDS})


def _embedding(
    ring: KeyRing, sealed: bytes, bound_to: bytes, dimension: int, *, template_id: int, code: str
) -> FloatArray:
    plain = ring.open(sealed, bound_to)
    if plain is not None and len(plain) == 4 * dimension:
        embedding = np.frombuffer(plain, dtype="<f4").astype(np.float32)
        if _is_unit(embedding):
            return embedding
    raise broken(template_id=template_id, code=code, sealed=sealing_key_of(sealed) is not None)


def _opened(row: Any, ring: KeyRing, model: ModelIdentity) -> bytes | None:
    owner = Owner(row.karyawan_id, row.uuid).name_in(row.embedding)
    try:
        return ring.open(row.embedding, template_binding(owner, model, row.photo_digest))
    except KeyMissingError:
        if sealing_key_of(row.embedding) == row.key_id:
            raise
        # No key is missing: the name of the key is damaged in the seal.
        return None


def broken(*, template_id: int, code: str, sealed: bool) -> SealBrokenError:
    """Return the error of a template that is not what its row says; ``sealed``: it has a seal at least."""
    if sealed:
        message = N_("The seal of the template {id} of {code} is broken: it was changed, or moved from somebody else.")
    else:
        message = N_("The template {id} of {code} is not sealed: it was not stored by smartabsen, or is damaged.")
    return SealBrokenError(
        message,
        hint=BROKEN_HINT,
        id=template_id,
        code=code,
    )
