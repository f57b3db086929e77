"""Employees in the database. Every function works in the session it is given and leaves the commit to its owner."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, not_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..kernel.codes import check_code as check_code, checked_code, code_key as code_key
from ..kernel.domain import Employee, KnownPerson, ModelIdentity
from ..kernel.errors import ConflictError, NotFoundError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text, folded
from ..store import meta
from ..store.clock import moment
from ..store.tables import (
    NAME_LENGTH,
    SEARCH_LENGTH,
    EmploymentTermsRow,
    FaceCropRow,
    FormerCodeRow,
    Karyawan,
    TemplateRow,
    new_uuid,
)
from .model import PeopleOf


def checked_person(code: str, name: str, position: str) -> tuple[str, str, str]:
    """Return code, name and position as they are stored; everything that :func:`add` refuses of them is refused here.

    Raises:
        InvalidInputError: Code or name is empty or too long, or the code has letters that codes cannot have.
    """
    return checked_code(code), *_checked_description(name, position)


def add(session: Session, *, code: str, name: str, position: str = "") -> Employee:
    """Add an employee.

    Raises:
        InvalidInputError: Code or name is empty or too long, or the code has letters that codes cannot have.
        ConflictError: The code exists, or somebody had it before.
    """
    code, name, position = checked_person(code, name, position)
    refuse_former_code(session, code)
    row = Karyawan(kode=code, kode_kunci=code_key(code), aktif=True, created_at=moment(session))
    _describe(row, name=name, position=position)
    try:
        # The savepoint keeps the transaction usable where another process was faster with the same code.
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise code_exists(code) from exc
    return _employee(row, 0)


def code_exists(code: str) -> ConflictError:
    """Return the error for a code that somebody has."""
    return ConflictError(
        N_("There is an employee with the code {code} already."),
        hint=N_("“smartabsen employee show {code}” shows who it is."),
        code=code,
    )


def refuse_former_code(session: Session, code: str, *, except_for: int | None = None) -> None:
    """Refuse a code that somebody had before: sheets and files of that time mean them by it.

    Args:
        except_for: Row id of whoever may have it back.

    Raises:
        ConflictError: Somebody else had it.
    """
    found = session.execute(
        select(Karyawan.id, Karyawan.kode, Karyawan.nama, FormerCodeRow.until_utc)
        .join(Karyawan, Karyawan.id == FormerCodeRow.karyawan_id)
        .where(FormerCodeRow.code_key == code_key(code))
    ).first()
    if found is not None and found[0] != except_for:
        _, now, name, until = found
        raise ConflictError(
            N_("{code} was the code of {name} until {day}, who has {now} now. Choose another one."),
            hint=N_("Older sheets and files mean {name} by it."),
            code=code,
            name=name,
            now=now,
            day=until.date(),
        )


def find(session: Session, code: str, *, model: ModelIdentity | None = None) -> Employee | None:
    """Return the employee with a code, or None. ``templates`` counts those of ``model``."""
    return _first(session, Karyawan.kode_kunci == code_key(code), model)


def get(session: Session, code: str, *, model: ModelIdentity | None = None) -> Employee:
    """Return the employee with a code.

    Raises:
        NotFoundError: There is none.
    """
    employee = find(session, code, model=model)
    if employee is None:
        raise _no_such_employee(code)
    return employee


def get_by_id(session: Session, employee_id: int, *, model: ModelIdentity | None = None) -> Employee:
    """Return the employee with a row id.

    Raises:
        NotFoundError: There is none.
    """
    employee = _first(session, Karyawan.id == employee_id, model)
    if employee is None:
        raise NotFoundError(N_("There is no employee with the id {id}."), id=employee_id)
    return employee


def find_all(
    session: Session, *, search: str = "", include_inactive: bool = True, model: ModelIdentity | None = None
) -> tuple[Employee, ...]:
    """Return employees, sorted by name, then code.

    Args:
        search: Words that code, name and position must contain between them; case and accents do not matter.
        include_inactive: Also those who may not punch.
        model: Whose templates are counted; None counts none.
    """
    query = _with_counts(model).where(*search_conditions(search))
    if not include_inactive:
        query = query.where(Karyawan.aktif)
    people = [_employee(row, count) for row, count in session.execute(query)]
    return tuple(sorted(people, key=lambda person: (person.name.casefold(), person.code)))


def find_page(
    session: Session,
    *,
    search: str = "",
    include_inactive: bool = True,
    model: ModelIdentity | None = None,
    people_of: PeopleOf | None = None,
    offset: int = 0,
    limit: int = 50,
) -> tuple[tuple[Employee, ...], int]:
    """Return one page of what :func:`find_all` finds, and how many there are in all; the database sorts and counts."""
    conditions = (*search_conditions(search, people_of), *(() if include_inactive else (Karyawan.aktif,)))
    query = _with_counts(model).where(*conditions).order_by(func.lower(Karyawan.nama), Karyawan.kode_kunci)
    total = session.scalar(select(func.count()).select_from(Karyawan).where(*conditions)) or 0
    people = session.execute(query.offset(offset).limit(limit))
    return tuple(_employee(row, count) for row, count in people), total


def search_conditions(search: str, people_of: PeopleOf | None = None) -> list[ColumnElement[bool]]:
    """Return what an employee must fulfil to be found by a search; none for an empty one.

    Args:
        people_of: Only these; None for everybody.
    """
    found = [Karyawan.cari.contains(word, autoescape=True) for word in folded(search).split()]
    if people_of is not None:
        said = (
            select(EmploymentTermsRow.department_id)
            .where(
                EmploymentTermsRow.karyawan_id == Karyawan.id,
                EmploymentTermsRow.department_id.is_not(None),
                EmploymentTermsRow.valid_from <= people_of.on,
            )
            .order_by(EmploymentTermsRow.valid_from.desc())
            .limit(1)
            .scalar_subquery()
        )
        found.append(said == people_of.department_id)
    return found


def belongs_to(session: Session, employee_id: int, people_of: PeopleOf) -> bool:
    """Return whether an employee is one of a department."""
    query = select(Karyawan.id).where(Karyawan.id == employee_id, *search_conditions("", people_of))
    return session.scalar(query) is not None


def left_with_face(session: Session, before: datetime) -> tuple[Employee, ...]:
    """Return who was deactivated before an instant and whose face is stored all the same, sorted by name."""
    face = exists().where(TemplateRow.karyawan_id == Karyawan.id) | exists().where(
        FaceCropRow.karyawan_id == Karyawan.id
    )
    query = select(Karyawan, literal(0)).where(not_(Karyawan.aktif), Karyawan.nonaktif_sejak < before, face)
    people = [_employee(row, count) for row, count in session.execute(query)]
    return tuple(sorted(people, key=lambda person: (person.name.casefold(), person.code)))


def count(session: Session) -> int:
    """Return the number of employees, inactive ones included."""
    return session.scalar(select(func.count()).select_from(Karyawan)) or 0


def update(
    session: Session, code: str, *, name: str | None = None, position: str | None = None, active: bool | None = None
) -> Employee:
    """Change what is given of an employee, and return them as they are then (without a count of templates).

    Raises:
        NotFoundError: There is none with that code.
        InvalidInputError: The name is empty or too long.
    """
    row = session.scalar(select(Karyawan).where(Karyawan.kode_kunci == code_key(code)).with_for_update())
    if row is None:
        raise _no_such_employee(code)
    before = row.nama, row.aktif
    _describe(row, name=row.nama if name is None else name, position=row.jabatan if position is None else position)
    if active is not None:
        if row.aktif != active:
            row.nonaktif_sejak = None if active else moment(session)
        row.aktif = active
    session.flush()
    if (row.nama, row.aktif) != before:
        # Whom kiosks recognise, and by which name.
        meta.raise_gallery_generation(session)
    return _employee(row, 0)


def lock(session: Session, employee_id: int) -> Employee:
    """Keep all others from writing about this employee until the transaction ends, and return them.

    On a server this locks the row (SELECT ... FOR UPDATE); on SQLite the write transaction holds the only lock already.

    Raises:
        NotFoundError: There is none with that id.
    """
    row = session.scalar(
        select(Karyawan).where(Karyawan.id == employee_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError(N_("There is no employee with the id {id}."), id=employee_id)
    return _with_uuid(session, row)


def lock_person(session: Session, person: str) -> Employee:
    """Do the same for the employee with a UUID, whatever row id they have in this database.

    Raises:
        NotFoundError: There is none, as after the database was replaced by one from before they were added.
    """
    row = session.scalar(
        select(Karyawan).where(Karyawan.uuid == person).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError(
            N_("The person is not in this database, as after a backup from before they were added was restored."),
            hint=N_("Add them again; then record it by hand if it is right: smartabsen punch CODE --note TEXT"),
        )
    return _employee(row, 0)


def members(session: Session) -> dict[int, KnownPerson]:
    """Return all employees by row id as a trained model knows them; who was inserted by another program may lack."""
    found = session.execute(
        select(Karyawan.id, Karyawan.uuid, Karyawan.kode, Karyawan.nama).where(Karyawan.uuid.is_not(None))
    )
    return {row_id: KnownPerson(uuid or "", code, name) for row_id, uuid, code, name in found}


def _with_uuid(session: Session, row: Karyawan) -> Employee:
    if row.uuid is None:
        # Another program inserted the row.
        row.uuid = new_uuid()
        session.flush()
    return _employee(row, 0)


def _checked_description(name: str, position: str) -> tuple[str, str]:
    return (
        checked_text(name, field=N_("name"), limit=NAME_LENGTH, required=True),
        checked_text(position, field=N_("position"), limit=NAME_LENGTH),
    )


def _describe(row: Karyawan, *, name: str, position: str) -> None:
    row.nama, row.jabatan = _checked_description(name, position)
    row.cari = folded(f"{row.kode} {row.nama} {row.jabatan}")[:SEARCH_LENGTH]


def _first(session: Session, condition: ColumnElement[bool], model: ModelIdentity | None) -> Employee | None:
    found = session.execute(_with_counts(model).where(condition)).first()
    return _employee(*found) if found else None


def _with_counts(model: ModelIdentity | None) -> Select[Karyawan, int]:
    if model is None:
        return select(Karyawan, literal(0))
    counts = (
        select(TemplateRow.karyawan_id, func.count().label("templates"))
        .where(and_(TemplateRow.engine == model.engine, TemplateRow.model_digest == model.digest))
        .group_by(TemplateRow.karyawan_id)
        .subquery()
    )
    return select(Karyawan, func.coalesce(counts.c.templates, 0)).outerjoin(counts, counts.c.karyawan_id == Karyawan.id)


def _employee(row: Karyawan, templates: int) -> Employee:
    return Employee(
        id=row.id,
        code=row.kode,
        name=row.nama,
        position=row.jabatan,
        active=row.aktif,
        created_at=row.created_at,
        templates=templates,
        uuid=row.uuid or "",
    )


def _no_such_employee(code: str) -> NotFoundError:
    return NotFoundError(
        N_("There is no employee with the code {code}."),
        hint=N_("“smartabsen employee list” shows all."),
        code=code,
    )
