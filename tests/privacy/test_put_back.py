"""Templates of an erased person that somebody puts back into the database are refused, named, and erased again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from smartabsen import SmartAbsen
from smartabsen.gallery.gallery_watch import GalleryWatch
from smartabsen.gallery.model_file import load_model
from smartabsen.gallery.stored_gallery import ERASED
from smartabsen.store.tables import TemplateRow

from ..installation import Draw, enrol
from ..machines import known, office as office, office_flags, shared as shared, wait_until

Rows = list[dict[str, Any]]


@pytest.fixture
def kept(office: SmartAbsen) -> Rows:
    """Rows of person 1 as a thief of an old backup has them, seals and all."""
    with office.services.database.read() as session:
        query = select(TemplateRow.__table__).where(TemplateRow.karyawan_id == 1)
        return [dict(row) for row in session.execute(query).mappings()]


def put_back(app: SmartAbsen, rows: Rows) -> None:
    with app.services.database.connect(exclusive=True) as connection:
        connection.execute(insert(TemplateRow), rows)
        connection.execute(text("UPDATE karyawan SET aktif = 1 WHERE id = 1"))


def in_model(app: SmartAbsen) -> set[int]:
    return set(load_model(app.settings.assets_dir, app.services.key_chain.ring()).employee_ids.tolist())


@pytest.fixture
def again(office: SmartAbsen) -> Iterator[SmartAbsen]:
    """A program that is started later on the same machine."""
    with SmartAbsen.open(flags=office_flags(office)) as app:
        yield app


@pytest.mark.parametrize("scope", ["all", "face"])
def test_old_rows_are_neither_trained_nor_recognised(
    office: SmartAbsen, kept: Rows, again: SmartAbsen, draw: Draw, scope: str
) -> None:
    """The seal is good and the person is active: the tombstone stands all the same."""
    office.privacy.erase("E1", reason="asked for it", scope=scope)  # type: ignore[arg-type]
    put_back(office, kept)
    again.train()
    assert in_model(again) == {2}
    assert known(again, draw, 1, 2) == [None, "E2"]
    code = "ERASED-1" if scope == "all" else "E1"
    assert (ERASED, (("people", code),)) in again.remarks
    assert [row.level.value for row in again.check_health() if row.detail == ERASED] == ["fail"]


def test_a_date_of_tomorrow_does_not_help(office: SmartAbsen, kept: Rows, again: SmartAbsen) -> None:
    """Who was erased never comes back, whenever the rows say that they were made."""
    office.privacy.erase("E1", reason="asked for it")
    put_back(office, [{**row, "created_at": row["created_at"].replace(year=2090)} for row in kept])
    again.train()
    assert in_model(again) == {2}


def test_the_next_start_erases_them_again(office: SmartAbsen, kept: Rows, again: SmartAbsen) -> None:
    """And so does ``privacy apply``."""
    office.privacy.erase("E1", reason="asked for it")

    def count() -> int:
        with again.services.database.read() as session:
            return len(session.scalars(select(TemplateRow.id).where(TemplateRow.karyawan_id == 1)).all())

    put_back(office, kept)
    with GalleryWatch(again.services, poll_s=0.02):
        wait_until(lambda: count() == 0)
    put_back(office, kept)
    assert again.privacy.apply_tombstones() == 1
    assert count() == 0 and not [person for person in again.employees() if person.code == "ERASED-1" and person.active]


def test_who_agreed_again_is_trained(office: SmartAbsen, again: SmartAbsen, draw: Draw) -> None:
    """The tombstone of a face is about the pictures of before."""
    office.privacy.erase("E1", reason="asked for it", scope="face")
    enrol(office, draw, 1, photos=2)
    again.train()
    assert in_model(again) == {1, 2}
    assert not [message for message, _ in again.remarks if message == ERASED]
