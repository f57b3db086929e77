"""Files of people, as they come out of the spreadsheets of Indonesian offices."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from smartabsen.kernel.errors import InvalidInputError, NotFoundError
from smartabsen.store import sheets
from smartabsen.store.sheets import read_table

TEXT = "Kode;Nama;Jabatan;Foto\r\nE001;Siti Café;Kasir;a.jpg|b.jpg\r\n;;;\r\nE002;Budi;;\r\n"


def write(tmp_path: Path, content: bytes | str, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def workbook(tmp_path: Path, rows: list[list[Any]], formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, number_format in (formats or {}).items():
        book.active[cell].number_format = number_format
    book.save(tmp_path / "people.xlsx")
    return tmp_path / "people.xlsx"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-8"),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("cp1252"),
        TEXT.replace(";", ",").encode(),
        TEXT.replace(";", "\t").encode("utf-16"),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace("Kode;Nama", 'code;" NAME "').replace("Jabatan;Foto", "Position;PHOTOS").encode(),
    ],
    ids=["utf-8", "utf-8 with BOM", "utf-16", "cp1252", "comma", "tab", "line feeds", "English"],
)
def test_a_csv_is_read_however_excel_wrote_it(tmp_path: Path, content: bytes) -> None:
    """Every encoding, separator and language gives the same rows; empty ones are passed over but counted."""
    table = read_table(write(tmp_path, content))

    assert [(row.line, dict(row.values)) for row in table.rows] == [
        (2, {"code": "E001", "name": "Siti Café", "position": "Kasir", "photos": "a.jpg|b.jpg", "consent": ""}),
        (4, {"code": "E002", "name": "Budi", "position": "", "photos": "", "consent": ""}),
    ]


def test_rows_keep_all_their_cells_for_the_file_of_rejects(tmp_path: Path) -> None:
    """Columns that nobody asked for, and their order, stay as they were; so do short rows."""
    table = read_table(write(tmp_path, "Catatan,KODE,Nama Karyawan,\nbaru,1001, Siti ,x\n,1002,Budi\n"))

    assert table.header == ("Catatan", "KODE", "Nama Karyawan", "")
    assert [row.cells for row in table.rows] == [("baru", "1001", "Siti", "x"), ("", "1002", "Budi")]
    assert table.rows[1].values == {"code": "1002", "name": "Budi", "position": "", "photos": "", "consent": ""}


def test_a_cell_may_hold_separators_and_line_breaks(tmp_path: Path) -> None:
    """Quoted cells keep them, and the numbers of lines stay those of an editor."""
    table = read_table(write(tmp_path, 'code,name\nE1,"Siti, S.E.\nManager"\nE2,Budi\n'))

    assert [(row.line, row.values["name"]) for row in table.rows] == [(2, "Siti, S.E.\nManager"), (4, "Budi")]


def test_excels_own_line_that_names_the_separator_is_honoured(tmp_path: Path) -> None:
    """`sep=;` is not the header, and counts as a line."""
    table = read_table(write(tmp_path, "sep=;\r\nkode;nama\r\nE1;Siti, S.E.\r\n"))

    assert [(row.line, row.values["name"]) for row in table.rows] == [(3, "Siti, S.E.")]


def test_a_sheet_gives_what_a_person_sees(tmp_path: Path) -> None:
    """Numbers as codes, leading zeros that a format shows, dates, and empty rows passed over."""
    path = workbook(
        tmp_path,
        [
            ["Kode", "Nama", "Jabatan", "Masuk", "Jam"],
            [1001, "Siti", None, datetime.fromisoformat("2026-11-30"), time(8, 0)],
            [None, None, None, None, None],
            [7.0, " Budi ", 2.5, date(2026, 1, 2), datetime.fromisoformat("2026-01-02 07:30")],
        ],
        {"A4": "0000"},
    )

    table = read_table(path)

    assert [(row.line, row.cells) for row in table.rows] == [
        (2, ("1001", "Siti", "", "2026-11-30", "08:00")),
        (4, ("0007", "Budi", "2.5", "2026-01-02", "2026-01-02 07:30")),
    ]
    assert table.rows[0].values["code"] == "1001"


def test_a_sheet_is_told_from_its_content(tmp_path: Path) -> None:
    """A workbook that somebody named .csv is read as a workbook."""
    path = workbook(tmp_path, [["kode", "nama"], ["E1", "Siti"]])

    assert read_table(path.rename(tmp_path / "people.csv")).rows[0].values["name"] == "Siti"


def test_a_formula_gives_its_last_value(tmp_path: Path) -> None:
    """What Excel computed when it saved the file, never the formula itself."""
    path = workbook(tmp_path, [["kode", "nama"], ["E1", "=A2"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b"<f>A2</f><v />" in parts[sheet] or b"<f>A2</f><v></v>" in parts[sheet]
    computed = parts[sheet].replace(b"<f>A2</f><v />", b"<f>A2</f><v>42</v>").replace(b"<v></v>", b"<v>42</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (parts | {sheet: computed}).items():
            archive.writestr(name, content)

    assert read_table(path).rows[0].values["name"] == "42"


def other_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Index/Document.iwa", b"numbers")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "old Excel file"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), "with a password"),
        ("a.xlsx", b"kode;nama\nE1;Siti\n", "no CSV and no XLSX"),
        ("a.xlsx", b"PK\x03\x04 cut off", "no CSV and no XLSX"),
        ("a.numbers", other_zip(), "no CSV and no XLSX"),
        ("a.csv", b"kode,nama\n\0\0\0", "no CSV and no XLSX"),
        ("a.csv", b"kode,nama\n\x81\x8d", "no CSV and no XLSX"),
        ("a.csv", b"\xff\xfek", "no CSV and no XLSX"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\r\n ; ;\r\n", "is empty"),
        ("a.csv", b"nama;jabatan\nSiti;Kasir\n", "no column “code”. Its columns: nama, jabatan"),
        ("a.csv", b"kode;nama;CODE\n1;2;3\n", "“code” more than once: kode, CODE"),
        ("a.csv", b'kode;nama\nE1;"Siti\nE2;Budi\n', "at line 2"),
        ("a.pdf", b"%PDF-1.7", "no CSV and no XLSX"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """Each mistake has its own sentence, and none is read half."""
    with pytest.raises(InvalidInputError, match=words):
        read_table(write(tmp_path, content, name))


def test_a_damaged_workbook_is_refused_wherever_it_is_damaged(tmp_path: Path) -> None:
    """A changed byte gives the same table or our error, never one of the libraries below."""
    path = workbook(tmp_path, [["kode", "nama"], ["E1", "Siti"]])
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 41):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            assert read_table(path).rows[0].values["name"] == "Siti"
        except InvalidInputError:
            refused += 1
    assert refused > 10


def test_what_is_missing_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its content is looked at, and before a small file unpacks to a large one."""
    with pytest.raises(NotFoundError, match="nothing"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_table(tmp_path)
    path = workbook(tmp_path, [["kode", "nama"]] + [["E1", "Siti"]] * 50)
    monkeypatch.setattr(sheets, "MAX_ROWS", 20)
    with pytest.raises(InvalidInputError, match="more than 20 rows"):
        read_table(path)
    monkeypatch.setattr(sheets, "_MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InvalidInputError, match="rows"):
        read_table(path)
    monkeypatch.setattr(sheets, "MAX_BYTES", 1000)
    with pytest.raises(InvalidInputError, match="larger than"):
        read_table(path)


@pytest.mark.parametrize("title", ["NIK", "NIP", "No. Induk", "NIS", "Nomor Karyawan"])
def test_the_number_of_an_office_or_a_school_is_the_code(tmp_path: Path, title: str) -> None:
    """Indonesian lists of people have one of these."""
    table = read_table(write(tmp_path, f"{title};Nama\n007;Siti\n"))
    assert table.rows[0].values["code"] == "007"


def test_a_code_of_its_own_goes_before_such_a_number(tmp_path: Path) -> None:
    """NIK can be the number of the identity card."""
    table = read_table(write(tmp_path, "NIK,Kode,Nama\n3171,E1,Siti\n"))
    assert (table.rows[0].values["code"], table.reading.unused) == ("E1", ("NIK",))
    with pytest.raises(InvalidInputError, match="more than once"):
        read_table(write(tmp_path, "NIK,NIP,Nama\n3171,E1,Siti\n"))


@pytest.mark.parametrize(
    ("encoding", "separator", "expected"),
    [
        ("cp1252", ";", "cp1252"),
        ("utf-8", ",", "utf-8-sig"),
        ("utf-8-sig", ";", "utf-8-sig"),
        ("utf-16", "\t", "utf-16"),
    ],
)
def test_a_table_says_how_it_was_written(tmp_path: Path, encoding: str, separator: str, expected: str) -> None:
    """What is given back can be written the same way."""
    content = f"kode{separator}nama\nE1{separator}Ré\n".encode(encoding)
    form = read_table(write(tmp_path, content)).format
    assert (form.header, form.separator, form.encoding) == (("kode", "nama"), separator, expected)


@pytest.mark.parametrize("tag", [b"<row></row>", b"<row/>", b"<x:row r='1'/>"])
def test_a_book_with_more_rows_than_a_sheet_can_have_is_refused_before_it_is_parsed(
    tag: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file of millions of empty rows kept a processor busy."""
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + tag * 1_100_000)
    monkeypatch.setattr("openpyxl.load_workbook", lambda *_, **__: pytest.fail("it was parsed"))
    with pytest.raises(InvalidInputError, match="more than"):
        read_table(path)
