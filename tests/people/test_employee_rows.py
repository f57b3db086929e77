"""Employees in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from smartabsen.gallery import template_rows
from smartabsen.kernel.domain import Employee, ModelIdentity, Template
from smartabsen.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from smartabsen.people import employee_rows
from smartabsen.store.database import Database
from smartabsen.trust.sealing import KeyRing


def test_an_employee_comes_back_as_added(database: Database) -> None:
    """Texts are put on one line without surrounding blanks; the instant of creation is UTC."""
    with database.write() as session:
        added = employee_rows.add(session, code=" E001 ", name="  Siti\n Rahma ", position="Kasir")

    with database.read() as session:
        found = employee_rows.get(session, "E001")
    assert found == added
    assert (found.code, found.name, found.position, found.active) == ("E001", "Siti Rahma", "Kasir", True)
    assert found.created_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(minutes=1)


@pytest.mark.parametrize("code", ["e001", "E001", " E001\t", "Ｅ００１"])
def test_codes_are_one_regardless_of_case_and_blanks(database: Database, siti: Employee, code: str) -> None:
    """The same on both databases, and a refusal leaves the transaction usable."""
    with database.write() as session:
        with pytest.raises(ConflictError, match=r"already"):
            employee_rows.add(session, code=code, name="Budi")
        other = employee_rows.add(session, code="E002", name="Budi")

    with database.read() as session:
        assert employee_rows.get(session, code).id == siti.id
        assert employee_rows.find_all(session) == (other, siti)


@pytest.mark.parametrize(
    ("code", "name"),
    [("", "Siti"), (" \n", "Siti"), ("E1", " "), ("E" * 65, "Siti"), ("E1", "S" * 201), ("ﷺ" * 60, "S")],
)
def test_code_and_name_must_be_there_and_fit(database: Database, code: str, name: str) -> None:
    """A text that one database would cut and the other keep is refused before it gets there."""
    with pytest.raises(InvalidInputError), database.write() as session:
        employee_rows.add(session, code=code, name=name)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", ["Andi", "Zoë Müller", "Siti 100%"]),
        ("KASIR", ["Andi", "Siti 100%"]),
        ("zoe muller", ["Zoë Müller"]),
        ("kasir siti", ["Siti 100%"]),
        ("e00", ["Andi", "Zoë Müller", "Siti 100%"]),
        ("100%", ["Siti 100%"]),
        ("_", []),
    ],
)
def test_a_search_finds_words_in_code_name_and_position(database: Database, search: str, expected: list[str]) -> None:
    """Case, accents and the order of words do not matter; % and _ are letters like others."""
    with database.write() as session:
        employee_rows.add(session, code="E001", name="Andi", position="Kasir")
        employee_rows.add(session, code="E002", name="Zoë Müller", position="Gudang")
        employee_rows.add(session, code="E003", name="Siti 100%", position="Kasir")

    with database.read() as session:
        found = employee_rows.find_all(session, search=search)

    assert sorted(person.name for person in found) == sorted(expected)


def test_a_list_is_sorted_by_name_and_can_leave_inactive_people_out(database: Database) -> None:
    """Sorting ignores case on both databases."""
    with database.write() as session:
        for code, name in (("E1", "zaki"), ("E2", "Ani"), ("E3", "budi")):
            employee_rows.add(session, code=code, name=name)
        employee_rows.update(session, "e3", active=False)

    with database.read() as session:
        everybody = employee_rows.find_all(session)
        active = employee_rows.find_all(session, include_inactive=False)

    assert [person.name for person in everybody] == ["Ani", "budi", "zaki"]
    assert [person.name for person in active] == ["Ani", "zaki"]


def test_a_change_touches_only_what_is_given_and_is_found_by_its_new_name(database: Database, siti: Employee) -> None:
    """A rename keeps position, code and id; the search follows."""
    with database.write() as session:
        renamed = employee_rows.update(session, "E001", name="Siti Aminah")

    with database.read() as session:
        assert employee_rows.find_all(session, search="aminah") == (renamed,)
        assert employee_rows.find_all(session, search="rahma") == ()
    assert (renamed.id, renamed.position, renamed.active) == (siti.id, "Kasir", True)


def test_templates_are_counted_for_the_model_that_is_asked_for(
    database: Database, siti: Employee, template: Callable[..., Template], ring: KeyRing
) -> None:
    """Templates of another model do not count."""
    other = ModelIdentity("other", "cd" * 32, 8)
    with database.write() as session:
        template_rows.add_many(
            session, [template(siti.id), template(siti.id), template(siti.id, model=other)], ring=ring
        )
        employee_rows.add(session, code="E002", name="Without")

    with database.read() as session:
        counts = {person.code: person.templates for person in employee_rows.find_all(session, model=template(0).model)}
        assert counts == {"E001": 2, "E002": 0}
        assert employee_rows.get(session, "E001", model=other).templates == 1
        assert employee_rows.get_by_id(session, siti.id).templates == 0


def test_who_does_not_exist_is_not_found(database: Database) -> None:
    """Finding gives None, getting raises with a way to see who there is."""
    with database.write() as session:
        assert employee_rows.find(session, "E001") is None
        with pytest.raises(NotFoundError, match="E001") as caught:
            employee_rows.get(session, "E001")
        with pytest.raises(NotFoundError):
            employee_rows.update(session, "E001", name="x")
        with pytest.raises(NotFoundError):
            employee_rows.get_by_id(session, 7)
    assert "employee list" in caught.value.hint


@pytest.mark.parametrize("code", ["-1", "..", "a/../b", "/etc", "a/", "=1+1", "E 1;", "a\\b", "@x", ".", "a//b", "E1."])
def test_a_code_is_no_option_no_path_and_no_formula(database: Database, code: str) -> None:
    """Codes name folders, and stand in commands and spreadsheets."""
    with pytest.raises(InvalidInputError, match="cannot be a code"), database.write() as session:
        employee_rows.add(session, code=code, name="Contoh")


@pytest.mark.parametrize("code", ["E001", "2026/IT-07", "A.B_C", "NIS 12 345", "7", "Ä1"])
def test_codes_as_offices_write_them_are_taken(database: Database, code: str) -> None:
    """Letters and digits, and between them blanks and . _ - /"""
    with database.write() as session:
        assert employee_rows.add(session, code=code, name="Contoh").code == code
