"""Terms of employment over time, codes that change, and sealed wages."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from smartabsen import ConflictError, InvalidInputError, SealBrokenError, SmartAbsen
from smartabsen.people.employment.model import BEGINNING, Agreed, Changes, Placement, Wage
from smartabsen.people.employment.rules import History, first_day, history, read_weekday
from smartabsen.privacy import record_check_rows

NOVEMBER = date(2026, 11, 1)
SITES = {1: Placement(1, "UTAMA", "Utama", "Asia/Jakarta"), 2: Placement(2, "MKS", "Makassar", "Asia/Makassar")}


def terms(*agreed: Agreed, joined: date | None = None, left: date | None = None) -> History:
    """Return the history of somebody of whom this was said."""
    return history(
        employee_id=1,
        code="E001",
        name="Contoh",
        joined=joined,
        left=left,
        agreed=agreed,
        sites=SITES,
        departments={7: Placement(7, "GUDANG", "Gudang")},
        first_site=SITES[1],
    )


def test_of_whom_nothing_was_said_works_five_days_at_the_first_site() -> None:
    """Nobody is nowhere."""
    found = terms().on(NOVEMBER)

    assert (found.site, found.zone, found.department, found.week, found.exempt) == ("UTAMA", "Asia/Jakarta", "", 5, "")
    assert found.is_employed


def test_a_row_says_only_what_it_says_and_the_rest_goes_on() -> None:
    """A person who moves in the middle of a month keeps the week, and was elsewhere the day before."""
    found = terms(
        Agreed(date(2026, 11, 16), site_id=2),
        Agreed(BEGINNING, site_id=1, department_id=7, week=6, shortest_day=5, exempt="PP pasal 12"),
    )

    before, after = found.on(date(2026, 11, 15)), found.on(date(2026, 11, 16))
    assert (before.site, before.zone, after.site, after.zone) == ("UTAMA", "Asia/Jakarta", "MKS", "Asia/Makassar")
    assert (after.department, after.week, after.shortest_day, after.exempt) == ("GUDANG", 6, 5, "PP pasal 12")


def test_who_joined_later_or_left_before_is_not_employed() -> None:
    """Both days belong to the employment."""
    found = terms(joined=date(2026, 11, 3), left=date(2026, 11, 20))

    days = [date(2026, 11, day) for day in (2, 3, 20, 21)]
    assert [found.on(day).is_employed for day in days] == [False, True, True, False]


def test_what_is_said_first_holds_from_the_beginning_and_a_change_from_today() -> None:
    """Field by field: who has a site has not said a week yet."""
    known = [Agreed(BEGINNING, site_id=1)]

    assert first_day("week", known, asked=None, today=NOVEMBER) == BEGINNING
    assert first_day("site_id", known, asked=None, today=NOVEMBER) == NOVEMBER
    assert first_day("site_id", known, asked=date(2026, 12, 1), today=NOVEMBER) == date(2026, 12, 1)


@pytest.mark.parametrize(("word", "number"), [("Sabtu", 5), ("sat", 5), ("jum'at", 4), ("7", 6)])
def test_weekdays_are_read_in_both_languages(word: str, number: int) -> None:
    """Monday is 0."""
    assert read_weekday(word) == number


@pytest.fixture
def firm(home: dict[str, object]) -> Any:
    """An installation with two sites, a department and an employee."""
    with SmartAbsen.open(flags={**home, "site.zone": "Asia/Jakarta"}) as app:
        app.sites.add("MKS", name="Makassar", zone="Asia/Makassar")
        app.departments.add("GUDANG", name="Gudang")
        app.add_employee("Contoh Satu", code="E001", changes=Changes(site="UTAMA", department="GUDANG"))
        yield app


def test_a_move_is_kept_with_its_date_and_written_to_the_trail(firm: SmartAbsen) -> None:
    """The days before keep their zone."""
    firm.employments.change("E001", Changes(site="MKS"), valid_from=date(2026, 11, 16))

    zones = [firm.employments.on("E001", date(2026, 11, day)).zone for day in (15, 16)]
    assert zones == ["Asia/Jakarta", "Asia/Makassar"]
    told = firm.desk.audit().entries[0]
    assert (told.action, told.details["site_before"], told.details["site_after"]) == (
        "employment.change", "UTAMA", "MKS",
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [Changes(week=7), Changes(joined=date(2026, 11, 3), left=date(2026, 11, 1)), Changes(), Changes(shortest_day=9)],
)
def test_terms_that_cannot_be_are_refused(firm: SmartAbsen, changes: Changes) -> None:
    """And nothing of them is stored."""
    before = firm.employments.history("E001")

    with pytest.raises(InvalidInputError):
        firm.employments.change("E001", changes)
    assert firm.employments.history("E001") == before


def test_facts_of_many_people_take_as_many_statements_as_of_one(firm: SmartAbsen) -> None:
    """The day engine asks for everybody and a month at once."""
    engine = firm.services.database._engine
    counts: list[int] = []
    for wanted in (1, 12):
        for number in range(2, wanted + 2):
            if firm.employees(search=f"E{number:03}") == ():
                firm.add_employee(f"Contoh {number}", code=f"E{number:03}", changes=Changes(site="MKS", week=6))
        seen: list[str] = []
        listener = lambda *given, seen=seen: seen.append(given[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listener)
        found = firm.employments.between(NOVEMBER, date(2026, 11, 30))
        event.remove(engine, "before_cursor_execute", listener)
        counts.append(len([each for each in seen if each.lstrip().upper().startswith("SELECT")]))
        assert len(found) == 30 * (wanted + 1)
    assert counts[0] == counts[1] <= 6


def test_a_code_that_changes_keeps_everything_and_is_nobody_elses(firm: SmartAbsen) -> None:
    """Not silently: whoever wants the old one is told whose it was; its owner may have it back."""
    firm.punch("E001", note="by hand")
    changed = firm.recode_employee("e001", "MKS-001")

    assert changed.code == "MKS-001"
    assert [each.code for each in firm.employments.former_codes("MKS-001")] == ["E001"]
    with pytest.raises(ConflictError, match="Contoh Satu"):
        firm.add_employee("Contoh Dua", code="E001")
    with firm.services.database.read() as session:
        assert record_check_rows.compare(session, UTC) == ()
    assert firm.recode_employee("MKS-001", "E001").code == "E001"
    assert [each.code for each in firm.employments.former_codes("E001")] == ["MKS-001"]


def test_a_code_of_somebody_else_is_refused(firm: SmartAbsen) -> None:
    """Whatever its case."""
    firm.add_employee("Contoh Dua", code="E002")

    with pytest.raises(ConflictError):
        firm.recode_employee("E001", "e002")


def test_a_wage_is_sealed_and_each_look_is_recorded(firm: SmartAbsen) -> None:
    """The database shows no number, and a row that was given to somebody else does not open."""
    firm.wages.put("E001", Wage(5_000_000, fixed=500_000))
    firm.wages.put("E001", Wage(6_000_000), valid_from=date(2026, 12, 1))

    first, second = firm.wages.history("E001")
    assert (first.wage, second.valid_from) == (Wage(5_000_000, fixed=500_000), date(2026, 12, 1))
    assert list(firm.wages.all_on(date(2026, 11, 30), reason="test").values()) == [Wage(5_000_000, fixed=500_000)]
    assert [each.action for each in firm.desk.audit().entries[:2]] == ["wage.read_all", "wage.read"]
    assert not any("5000000" in str(each.details) for each in firm.desk.audit().entries)
    with firm.services.database.write() as session:
        assert b"5000000" not in session.scalar(text("SELECT wage FROM wages ORDER BY id LIMIT 1"))
        session.execute(text("UPDATE wages SET valid_from = '2026-01-01' WHERE valid_from < '2026-01-01'"))
    with pytest.raises(SealBrokenError):
        firm.wages.history("E001")


def test_a_renewed_key_opens_wages_as_well(firm: SmartAbsen) -> None:
    """Rotating reseals them."""
    firm.wages.put("E001", Wage(daily=150_000))
    firm.keys.rotate()

    (known,) = firm.wages.history("E001")
    assert known.wage.daily == 150_000
    assert firm.keys.check().broken == ()


@pytest.mark.parametrize("wage", [Wage(), Wage(1, daily=1), Wage(-1), Wage(0, fixed=5)])
def test_what_can_be_no_wage_is_refused(firm: SmartAbsen, wage: Wage) -> None:
    """Neither nothing nor both."""
    with pytest.raises(InvalidInputError):
        firm.wages.put("E001", wage)


@pytest.mark.parametrize("attendance", ["pseudonymise", "delete"])
def test_an_erased_person_leaves_no_terms_no_wage_and_no_code(home: dict[str, object], attendance: str) -> None:
    """The department stays without its head, the user without the employee, and the trail has neither code."""
    flags = {**home, "privacy.attendance_after_erasure": attendance}
    with SmartAbsen.open(flags=flags) as app:
        app.add_employee("Contoh Satu", code="E001", changes=Changes(week=6, joined=date(2026, 1, 5)))
        app.recode_employee("E001", "MKS-001")
        app.departments.add("GUDANG", name="Gudang", head="MKS-001")
        app.users.add("contoh", "long enough words", employee="MKS-001")
        app.wages.put("MKS-001", Wage(5_000_000))

        app.privacy.erase("MKS-001", reason="asked for it in writing", scope="all")

        with app.services.database.read() as session:
            for table in ("employment_terms", "wages", "former_codes"):
                assert session.scalar(text(f"SELECT COUNT(*) FROM {table}")) == 0
            assert session.scalar(text("SELECT COUNT(*) FROM karyawan WHERE tanggal_bergabung IS NOT NULL")) == 0
        (department,) = app.departments.list_departments()
        assert department.head_id is None
        assert app.users.get("contoh").employee_id is None
        assert not [entry for entry in app.desk.audit().entries if entry.subject in ("E001", "MKS-001")]
        with app.services.database.read() as session:
            assert record_check_rows.compare(session, UTC) == ()


def test_a_list_of_people_says_where_and_from_when_on(firm: SmartAbsen, tmp_path: Path) -> None:
    """A site that is not there refuses the row, and the others go on."""
    people = tmp_path / "people.csv"
    people.write_text(
        "code,name,site,department,joined,left,week,shortest day\n"
        "E010,Contoh Sepuluh,MKS,GUDANG,5/1/2026,,6,Sabtu\n"
        "E011,Contoh Sebelas,NOPE,,,,,\n"
        "E012,Contoh Dua Belas,,,5/1/2026,4/1/2026,,\n"
        "E013,Contoh Tiga Belas,,,,,7,\n"
    )

    report = firm.import_people(people)

    assert [row.reason for row in report.rows] == ["no_photos", "bad_terms", "bad_terms", "bad_terms"]
    found = firm.employments.on("E010", NOVEMBER)
    assert (found.site, found.department, found.joined, found.week, found.shortest_day) == (
        "MKS", "GUDANG", date(2026, 1, 5), 6, 5,
    )  # fmt: skip
    people.write_text("code,name,week\nE010,Contoh Sepuluh,5\n")
    firm.import_people(people, on_conflict="update")
    assert firm.employments.on("E010", NOVEMBER).week == 6
    assert firm.employments.on("E010").week == 5
