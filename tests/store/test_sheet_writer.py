"""Tables that go out to spreadsheets."""

from __future__ import annotations

import csv
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

import openpyxl
import pytest

from smartabsen.kernel.errors import StorageError
from smartabsen.store.sheet_writer import Sheet, csv_text, write_csv, write_xlsx
from smartabsen.store.sheets import read_table

HEADER = ("Kode", "Nama", "Tanggal", "Masuk", "Menit", "Catatan")
JAKARTA = timezone(timedelta(hours=7))
ROW = ("=E1", "Zoë\n😀", date(2026, 11, 2), datetime(2026, 11, 2, 7, 58, 12, 99, tzinfo=JAKARTA), 480, None)


def test_a_csv_shows_local_clocks_and_runs_nothing() -> None:
    """Dates and times in ISO form as the clock showed them; formulas and line breaks disarmed."""
    assert csv_text(HEADER, [ROW, ("E2", "", None, time(8, 0), 0.5, "-1")]) == (
        "Kode,Nama,Tanggal,Masuk,Menit,Catatan\n"
        "'=E1,Zoë 😀,2026-11-02,2026-11-02 07:58:12,480,\n"
        "E2,,,08:00:00,0.5,'-1\n"
    )


def test_a_csv_file_opens_in_excel_and_in_our_own_reader(tmp_path: Path) -> None:
    """It starts with the byte order mark."""
    path = tmp_path / "out" / "report.csv"

    write_csv(path, HEADER, [ROW])

    assert path.read_bytes().startswith(b"\xef\xbb\xbfKode,")
    assert read_table(path).rows[0].values["name"] == "Zoë 😀"


def test_a_sheet_has_real_dates_and_numbers_and_text_that_stays_text(tmp_path: Path) -> None:
    """HR can sort and sum; a name that starts with = is a name; control characters do not break the file."""
    path = tmp_path / "report.xlsx"

    rows = [ROW, ("E2", "bell \a", None, time(8, 0, 1), 30)]
    write_xlsx(path, Sheet("Absensi: 11/2026 [Jakarta] " * 2, HEADER, rows))

    sheet = openpyxl.load_workbook(path).active
    assert [cell.value for cell in sheet[1]] == list(HEADER)
    assert [cell.value for cell in sheet[2]] == [
        "=E1",
        "Zoë 😀",
        datetime.fromisoformat("2026-11-02"),
        datetime.fromisoformat("2026-11-02 07:58:12"),
        480,
        None,
    ]
    assert sheet["A2"].data_type == "s"
    assert [sheet[cell].number_format for cell in ("C2", "D2", "D3")] == [
        "yyyy-mm-dd",
        "yyyy-mm-dd hh:mm:ss",
        "hh:mm:ss",
    ]
    assert (sheet["B3"].value, sheet["D3"].value, sheet["E3"].value) == ("bell", time(8, 0, 1), 30)
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["D"].width >= len("2026-11-02 07:58:12")
    assert len(sheet.title) <= 31


def test_a_place_that_cannot_be_written_is_an_error_of_storage(tmp_path: Path) -> None:
    """For both kinds of file."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        write_csv(tmp_path / "file" / "report", HEADER, [])
    with pytest.raises(StorageError):
        write_xlsx(tmp_path / "file" / "report", Sheet("days", HEADER, []))


def test_a_csv_has_the_separator_and_the_encoding_that_are_wanted(tmp_path: Path) -> None:
    """A letter that the encoding lacks is no reason to lose the file: then it is UTF-8."""
    path = tmp_path / "a.csv"
    write_csv(path, ["a", "b"], [["é", "1;2"]], separator=";", encoding="cp1252")
    assert path.read_bytes() == b'a;b\n\xe9;"1;2"\n'
    write_csv(path, ["a"], [["Łukasz"]], encoding="cp1252")
    assert path.read_text(encoding="utf-8-sig") == "a\nŁukasz\n"


@pytest.mark.parametrize("text", ["＝1+1", "＋62 812", "－1", "＠SUM(A1)", " ＝1"])
def test_signs_in_full_width_are_disarmed_too(tmp_path: Path, text: str) -> None:
    """Excel takes them for the plain ones; in a workbook the cell stays a text when somebody edits it."""
    cell = next(csv.reader([csv_text(["a"], [[text]]).splitlines()[1]]))[0]
    assert cell.startswith("'")
    write_xlsx(tmp_path / "a.xlsx", Sheet("a", ["a"], [[text], ["Contoh"]]))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert (sheet["A2"].data_type, sheet["A2"].quotePrefix, sheet["A3"].quotePrefix) == ("s", True, False)
