"""Employees in the database. Every function works in the session it is given and leaves the commit to its owner."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, not_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..kernel.domain import Employee, KnownPerson, ModelIdentity
from ..kernel.errors import ConflictError, InvalidInputError, NotFoundError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text, folded
from ..store.clock import moment
from ..store.tables import CODE_LENGTH, NAME_LENGTH, SEARCH_LENGTH, FaceCropRow, Karyawan, TemplateRow, new_uuid

_KEY_LENGTH: Final = 2 * CODE_LENGTH
_CODE: Final = re.compile(r"\w(?:[\w ./-]*\w)?")


def code_key(code: str) -> str:
    """Return what makes a code unique: without case and surrounding blanks, so ``E001`` equals `` e001 ``."""
    return unicodedata.normalize("NFKC", code).casefold().strip()


def check_code(code: str) -> None:
    """Refuse a code that could be taken for an option, a formula or a path: it names folders and stands in commands.

    Raises:
        InvalidInputError: It is one.
    """
    if not _CODE.fullmatch(code) or any(not part.strip(" .") for part in code.split("/")):
        raise InvalidInputError(
            N_("“{code}” cannot be a code: it takes letters and digits, and between them blanks and . _ - /"),
            code=code,
        )


def checked_person(code: str, name: str, position: str) -> tuple[str, str, str]:
    """Return code, name and position as they are stored; everything that :func:`add` refuses of them is refused here.

    Raises:
        InvalidInputError: Code or name is empty or too long, or the code has letters that codes cannot have.
    """
    code = checked_text(code, field=N_("code"), limit=CODE_LENGTH, required=True)
    check_code(code)
    if len(code_key(code)) > _KEY_LENGTH:
        raise InvalidInputError(N_("The code “{code}” has characters that codes cannot have."), code=code)
    return code, *_checked_description(name, position)


def add(session: Session, *, code: str, name: str, position: str = "") -> Employee:
    """Add an employee.

    Raises:
        InvalidInputError: Code or name is empty or too long, or the code has letters that codes cannot have.
        ConflictError: The code exists.
    """
    code, name, position = checked_person(code, name, position)
    row = Karyawan(kode=code, kode_kunci=code_key(code), aktif=True, created_at=moment(session))
    _describe(row, name=name, position=position)
    try:
        # The savepoint keeps the transaction usable where another process was faster with the same code.
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise ConflictError(
            N_("There is an employee with the code {code} already."),
            hint=N_("“smartabsen employee show {code}” shows who it is."),
            code=code,
        ) from exc
    return _employee(row, 0)


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
    offset: int = 0,
    limit: int = 50,
) -> tuple[tuple[Employee, ...], int]:
    """Return one page of what :func:`find_all` finds, and how many there are in all; the database sorts and counts."""
    conditions = (*search_conditions(search), *(() if include_inactive else (Karyawan.aktif,)))
    query = _with_counts(model).where(*conditions).order_by(func.lower(Karyawan.nama), Karyawan.kode_kunci)
    total = session.scalar(select(func.count()).select_from(Karyawan).where(*conditions)) or 0
    people = session.execute(query.offset(offset).limit(limit))
    return tuple(_employee(row, count) for row, count in people), total


def search_conditions(search: str) -> list[ColumnElement[bool]]:
    """Return what an employee must fulfil to be found by a search; none for an empty one."""
    return [Karyawan.cari.contains(word, autoescape=True) for word in folded(search).split()]


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
    _describe(row, name=row.nama if name is None else name, position=row.jabatan if position is None else position)
    if active is not None:
        if row.aktif != active:
            row.nonaktif_sejak = None if active else moment(session)
        row.aktif = active
    session.flush()
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
