"""The plan of an import: rows checked and photos found before anything is written."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from smartabsen.kernel.domain import TableFormat
from smartabsen.people.people_file import PhotoFolder, PlannedRow, plan_rows
from smartabsen.store.sheets import Table, TableRow


def row(line: int, code: str, name: str = "Contoh", photos: str = "", position: str = "") -> TableRow:
    values = {"code": code, "name": name, "position": position, "photos": photos, "consent": ""}
    return TableRow(line, values, tuple(values.values()))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("E001/b.jpg", "E001/a.JPG", "E001/notes.txt", "e002.png", "side.jpg", "sub/c.jpg", "secret.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def plan(folder: Path, *rows: TableRow) -> list[PlannedRow]:
    table = Table(("code", "name", "position", "photos", "consent"), rows, TableFormat(separator=","))
    return list(plan_rows(table, rows, folder=PhotoFolder(folder), existing={}, now=datetime.now(UTC)))


def names(planned: PlannedRow) -> list[str]:
    return [Path(photo).name for photo in planned.photos]


def test_photos_are_found_by_code_whatever_the_case(photos: Path) -> None:
    """DIR/<code>/* and DIR/<code>.jpg, pictures only, sorted."""
    first, second, third = plan(photos, row(2, "e001"), row(3, "E002"), row(4, "E003"))
    assert (names(first), names(second), names(third)) == (["a.JPG", "b.jpg"], ["e002.png"], [])


def test_photos_named_in_the_row_are_taken_instead(photos: Path) -> None:
    """Several are separated by |; Windows' separators work."""
    (planned,) = plan(photos, row(2, "E001", photos=r"side.jpg | sub\c.jpg"))
    assert names(planned) == ["side.jpg", "c.jpg"]


def test_a_named_photo_that_is_not_there_rejects_the_row(photos: Path) -> None:
    """The reason names it."""
    (planned,) = plan(photos, row(2, "E001", photos="side.jpg|gone.jpg"))
    assert planned.reason == "photo_missing"
    assert dict(planned.params)["names"] == "gone.jpg"


@pytest.mark.parametrize("code", ["../secret", "..", "sub/c", ".", "/etc"])
def test_a_code_reaches_no_other_directory(photos: Path, code: str) -> None:
    """A code is looked up in a list of names and never joined to a path."""
    (planned,) = plan(photos / "sub", row(2, code))
    assert planned.photos == ()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([row(2, "")], "missing_code"),
        ([row(2, "E1", name="")], "missing_name"),
        ([row(2, "E1"), row(3, " e1 ")], "duplicate_code"),
        ([row(2, "E" * 100)], "too_long"),
        ([row(2, "E1", name="x" * 300)], "too_long"),
    ],
)
def test_a_wrong_row_has_its_reason(tmp_path: Path, rows: list[TableRow], reason: str) -> None:
    """The last of these rows is rejected before any photo is opened."""
    assert plan(tmp_path, *rows)[-1].reason == reason


def test_a_row_with_more_cells_than_columns_is_rejected(tmp_path: Path) -> None:
    """“Siti, S.Kom” without quotes does not become somebody called Siti whose job is S.Kom."""
    shifted = TableRow(
        2,
        {"code": "E1", "name": "Siti", "position": " S.Kom", "photos": "Kasir", "consent": ""},
        ("E1", "Siti", "S.Kom", "Kasir", "", "x"),
    )
    assert plan(tmp_path, shifted)[0].reason == "too_many_cells"
