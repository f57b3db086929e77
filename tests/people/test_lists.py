"""Lists as offices in Indonesia keep them: sheets, dates, photos by code, and what is said of each row."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from smartabsen import ImportReport, ImportVerdict, InvalidInputError, SmartAbsen
from smartabsen.kernel.domain import TableQuestion
from smartabsen.kernel.i18n import use_language
from smartabsen.kernel.messages import fill

from ..installation import Draw

Sheets = dict[str, list[list[Any]]]
MakeBook = Callable[..., Path]


@pytest.fixture
def book(tmp_path: Path) -> MakeBook:
    """Write a workbook of sheets by name; ``change`` gets it before it is saved."""

    def make(sheets: Sheets, change: Callable[[Any], None] = lambda _book: None) -> Path:
        made = openpyxl.Workbook()
        made.remove(made.active)
        for name, rows in sheets.items():
            sheet = made.create_sheet(name)
            for row in rows:
                sheet.append(row)
        change(made)
        made.save(tmp_path / "people.xlsx")
        return tmp_path / "people.xlsx"

    return make


def verdicts(report: ImportReport) -> list[tuple[str, str, str]]:
    return [(row.code, row.verdict.value, row.reason) for row in report.rows]


def remarks(app: SmartAbsen) -> str:
    return "\n".join(fill(*remark) for remark in app.remarks)


def csv_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


# --- Numbers ---------------------------------------------------------------------------------------------------


def test_numbers_of_sixteen_digits_are_refused_with_what_to_do(app: SmartAbsen, book: MakeBook) -> None:
    """H01: a spreadsheet keeps 15 digits; no code with a false last digit is made, and the others go on."""

    def as_number(made: Any) -> None:
        made["S"]["A2"].number_format = "0"

    rows = [["NIK", "Nama"], [3201010101900000, "Adi Contoh"], ["3201010102910003", "Budi Contoh"]]
    report = app.import_people(book({"S": rows}, as_number))
    assert verdicts(report) == [
        ("3201010101900000", "rejected", "long_number"),
        ("3201010102910003", "imported", "no_photos"),
    ]
    assert "Format the column as Text" in fill(report.rows[0].detail, report.rows[0].params)
    assert [person.code for person in app.employees()] == ["3201010102910003"]


def test_codes_are_what_the_format_shows(app: SmartAbsen, book: MakeBook) -> None:
    """H02: 7 in the format "E"000 is E007; what no rule shows for certain is refused."""

    def formats(made: Any) -> None:
        made["S"]["A2"].number_format = '"E"000'
        made["S"]["A3"].number_format = "0.0"

    rows = [["Kode", "Nama"], [7, "Adi Contoh"], [8, "Budi Contoh"]]
    report = app.import_people(book({"S": rows}, formats), dry_run=True)
    assert verdicts(report) == [("E007", "imported", "no_photos"), ("8", "rejected", "shown_otherwise")]


def test_a_formula_without_a_result_is_no_empty_cell(app: SmartAbsen, book: MakeBook) -> None:
    """Whoever wrote the file did not compute it: the code would be missing, and a job silently empty."""
    rows = [
        ["Kode", "Nama", "Jabatan"],
        ["=A9", "Adi Contoh", "Staf"],
        ["E2", "Budi Contoh", "=C9"],
        ["E3", "Cici", ""],
    ]
    report = app.import_people(book({"S": rows}), dry_run=True)
    assert [row.reason for row in report.rows] == ["cell_uncomputed", "cell_uncomputed", "no_photos"]


def test_a_code_that_excel_shortened_in_a_csv_is_refused(app: SmartAbsen, tmp_path: Path) -> None:
    """3,20101E+15 stands for a number that nobody can tell any more; rounded ones are remarked."""
    path = csv_file(tmp_path, "kode;nama\n3,20101E+15;Adi\n3201010101900000;Budi\n3201010102910000;Cici\n")
    report = app.import_people(path, dry_run=True)
    assert [row.reason for row in report.rows] == ["long_number", "no_photos", "no_photos"]
    assert "end in 0" in remarks(app)


# --- Dates and consent -------------------------------------------------------------------------------------------


def test_consents_have_the_dates_that_people_wrote(app: SmartAbsen, tmp_path: Path) -> None:
    """H03: the day before the month, on the day of the site."""
    path = csv_file(
        tmp_path, "kode;nama;persetujuan\nE001;Adi;30/11/2025\nE002;Budi;01/12/2025\nE003;Cici;1 Des 2025\n"
    )
    report = app.import_people(path)
    assert {row.verdict for row in report.rows} == {ImportVerdict.IMPORTED}
    days = [app.privacy.consents(code)[0].at.isoformat() for code in ("E001", "E002", "E003")]
    assert days == ["2025-11-29T17:00:00+00:00", "2025-11-30T17:00:00+00:00", "2025-11-30T17:00:00+00:00"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_bad_date_refuses_its_row_and_the_others_go_on(
    home: dict[str, object], tmp_path: Path, dry_run: bool
) -> None:
    """H04: the future, the nineteenth century and a day that does not exist; a dry run finds the same."""
    lines = ["kode,nama,setuju", "E1,Adi,ya", "E2,Budi,2031-01-05", "E3,Cici,05/01/1890", "E4,Dedi,31/02/2026"]
    path = csv_file(tmp_path, "\n".join([*lines, "E5,Eka,mungkin", "E6,Feri,ya", 'E7,Gani,"Tidak, 1 Desember 2025"\n']))
    with SmartAbsen.open(flags=home) as app:
        report = app.import_people(path, dry_run=dry_run)
    assert verdicts(report) == [
        ("E1", "imported", "no_photos"),
        ("E2", "rejected", "consent_in_future"),
        ("E3", "rejected", "unknown_consent"),
        ("E4", "rejected", "unknown_consent"),
        ("E5", "rejected", "unknown_consent"),
        ("E6", "imported", "no_photos"),
        ("E7", "rejected", "unknown_consent"),
    ]
    assert "does not exist" in fill(report.rows[3].detail, report.rows[3].params)


def test_whoever_did_not_agree_is_not_made_to_by_the_option(
    flags: dict[str, object], tmp_path: Path, draw: Draw
) -> None:
    """--consent speaks for the cells that say nothing, never against one that says no."""
    draw("photos/E1.png", 1)
    draw("photos/E2.png", 2)
    path = csv_file(tmp_path, "kode,nama,setuju\nE1,Adi,tidak\nE2,Budi,\n")
    with SmartAbsen.open(flags={**flags, "privacy.consent": "require"}) as app:
        report = app.import_people(path, photos_dir=tmp_path / "photos", consent=True)
    assert verdicts(report) == [("E1", "rejected", "no_consent"), ("E2", "imported", "")]


def test_a_dry_run_finds_whatever_the_import_refuses(app: SmartAbsen, tmp_path: Path) -> None:
    """Lengths, signs, doubles and names that no file can have: the same verdicts, and no row ends the import."""
    lines = [
        "kode,nama,jabatan,foto",
        "E1,Adi,,",
        "e1,Adi lagi,,",
        "E\u200b2,Budi,,",
        "=1+1,Cici,,",
        f"E4,{'x' * 300},,",
    ]
    lines += [
        f"E5,Dedi,,{'y' * 400}.jpg",
        "\ufdfa" * 20 + ",Eka,,",
        "E7,\u202eFeri,,",
        ",Gita,,",
        "E9,,,",
        "E10,Hani,,",
    ]
    path = csv_file(tmp_path, "\n".join(lines) + "\n")
    dry = app.import_people(path, dry_run=True)
    assert app.employees() == ()
    assert verdicts(app.import_people(path)) == verdicts(dry)
    assert [row.verdict.value for row in dry.rows] == ["imported", *["rejected"] * 9, "imported"]
    assert "letters and digits" in fill(dry.rows[3].detail, dry.rows[3].params)


# --- Photos ------------------------------------------------------------------------------------------------------


def test_photos_as_people_name_them_find_their_code(app: SmartAbsen, tmp_path: Path, draw: Draw) -> None:
    """H11: CODE_1, "CODE (2)", code-3 in a flat folder; not where that is the code of somebody else."""
    for place, name in enumerate(("K001_1", "K001 (2)", "k001-3", "K003", "K003-1", "WhatsApp Image")):
        draw(f"f/{name}.png", 3 if name == "K003" else 4 if name == "K003-1" else 1, size_px=130 + 5 * place)
    path = csv_file(tmp_path, "kode,nama\nK001,Ani Contoh\nK003,Cici Contoh\nK003-1,Dewi Contoh\n")
    report = app.import_people(path, photos_dir=tmp_path / "f", consent=True, dry_run=True)
    assert [sorted(Path(each.photo).stem for each in row.photos) for row in report.rows] == [
        ["K001 (2)", "K001_1", "k001-3"],
        ["K003"],
        ["K003-1"],
    ]
    assert report.unclaimed_files == ("WhatsApp Image.png",)
    assert "WhatsApp Image.png" in remarks(app)


def test_files_that_no_row_claims_are_named_and_those_of_refused_rows_are_not(
    app: SmartAbsen, tmp_path: Path, draw: Draw
) -> None:
    """Pictures of other kinds and in folders below count; what systems leave behind does not."""
    for name in ("f/E1.png", "f/E2.png", "f/X9/a.png", "f/E1/deep/b.png"):
        draw(name, 1)
    for name in ("E1.gif", "Thumbs.db", ".DS_Store"):
        (tmp_path / "f" / name).write_bytes(b"x")
    path = csv_file(tmp_path, "kode,nama\nE1,Adi Contoh\nE2,\n")
    report = app.import_people(path, photos_dir=tmp_path / "f", consent=True, dry_run=True)
    assert report.unclaimed_files == ("E1.gif", str(Path("E1/deep/b.png")), str(Path("X9/a.png")))


def test_no_remark_advises_the_option_that_was_given(app: SmartAbsen, tmp_path: Path) -> None:
    """A folder without a fitting photo is named; --photos is advised only where it is missing."""
    (tmp_path / "f").mkdir()
    path = csv_file(tmp_path, "kode,nama\nE1,Adi Contoh\n")
    app.import_people(path, photos_dir=tmp_path / "f", dry_run=True)
    assert "belongs to a row" in remarks(app) and "--photos" not in remarks(app)


# --- Sheets ------------------------------------------------------------------------------------------------------

HR = [
    [None, "PT CONTOH JAYA"],
    [None, "Daftar Karyawan per November 2026"],
    [],
    [None, "No", "ID Karyawan", "Nama Karyawan", "Posisi", "Departemen", "Tgl Masuk"],
    [None, 1, "K001", "Ani Contoh", "Staf", "Gudang", "01/02/2020"],
    [None, 2, "K002", "Budi Contoh", "Kasir", "Toko", "03/04/2021"],
    [None, "Total", None, 2],
    [],
    [None, None, None, None, None, "Mengetahui,"],
]


def test_the_titles_of_a_real_list_are_found(app: SmartAbsen, book: MakeBook) -> None:
    """A heading above, an empty column before, the list on the second sheet, a total and a signature below."""

    def merge(made: Any) -> None:
        made["Data"].merge_cells("B1:G1")

    report = app.import_people(book({"Sampul": [["Laporan"]], "Data": HR}, merge), dry_run=True)
    assert [(row.line, row.code, row.name, row.position) for row in report.rows] == [
        (5, "K001", "Ani Contoh", "Staf"),
        (6, "K002", "Budi Contoh", "Kasir"),
    ]
    reading = report.reading
    assert (reading.sheet, reading.header_line) == ("Data", 4)
    assert dict(reading.columns) == {"code": "ID Karyawan", "name": "Nama Karyawan", "position": "Posisi"}
    assert reading.unused == ("No", "Departemen", "Tgl Masuk")
    assert reading.passed_lines == (7, 9)
    assert "Departemen, Tgl Masuk" in remarks(app)


def test_a_person_without_a_code_is_refused_and_not_passed_over(app: SmartAbsen, tmp_path: Path) -> None:
    """Only rows that are nobody's are left out: repeated titles, numbers of columns, totals."""
    path = csv_file(
        tmp_path, "kode,nama,jabatan\n1,2,3\nE1,Adi,x\nkode,nama,jabatan\n,Budi,x\nE3,Jumlah,x\nJumlah,3,\n"
    )
    report = app.import_people(path, dry_run=True)
    assert verdicts(report) == [
        ("E1", "imported", "no_photos"),
        ("", "rejected", "missing_code"),
        ("E3", "imported", "no_photos"),
    ]
    assert report.reading.passed_lines == (2, 4, 7)


def test_a_second_row_of_titles_is_passed_over_and_said(app: SmartAbsen, tmp_path: Path) -> None:
    """As below merged cells; a row without code and name between people stays a rejected one."""
    path = csv_file(
        tmp_path, "NIP,Nama,Jabatan,\n,,Struktural,Fungsional\nE1,Adi Contoh,Kepala,\n,,Staf,\nE2,Budi Contoh,,Analis\n"
    )
    report = app.import_people(path, dry_run=True)
    assert verdicts(report) == [
        ("E1", "imported", "no_photos"),
        ("", "rejected", "missing_code"),
        ("E2", "imported", "no_photos"),
    ]
    assert report.reading.passed_lines == (2,)


def test_several_sheets_with_people_are_asked_about(app: SmartAbsen, book: MakeBook) -> None:
    """A script says which; without anybody to ask, nothing is guessed."""
    path = book({"Toko": [["kode", "nama"], ["E1", "Adi"]], "Gudang": [["kode", "nama"], ["E2", "Budi"]]})
    with pytest.raises(InvalidInputError, match="Toko, Gudang"):
        app.import_people(path, dry_run=True)
    assert app.import_people(path, dry_run=True, sheet="gudang").rows[0].code == "E2"
    asked: list[TableQuestion] = []

    def answer(question: TableQuestion) -> int:
        asked.append(question)
        return 1

    assert app.import_people(path, dry_run=True, ask=answer).rows[0].code == "E2"
    assert asked == [TableQuestion("sheet", "", ("Toko", "Gudang"))]
    with pytest.raises(InvalidInputError, match="no sheet “Kantor”"):
        app.import_people(path, sheet="Kantor")


def test_columns_are_named_by_scripts_and_asked_for_at_a_terminal(app: SmartAbsen, tmp_path: Path) -> None:
    """Titles that nobody knows, and two that both could be the code."""
    path = csv_file(tmp_path, "Laporan,,\nNIP,NIK,Pegawai Tetap\nE1,3171,Adi Contoh\n")
    with pytest.raises(InvalidInputError, match="more than once"):
        app.import_people(path, dry_run=True)
    columns = {"code": "NIP", "nama": "pegawai tetap"}
    row = app.import_people(path, dry_run=True, columns=columns).rows[0]
    assert (row.code, row.name) == ("E1", "Adi Contoh")
    asked = app.import_people(path, dry_run=True, ask=lambda question: {"code": 0, "name": 2}[question.column])
    assert (asked.rows[0].code, asked.rows[0].name) == ("E1", "Adi Contoh")
    with pytest.raises(InvalidInputError, match="does not have the one column “Nomor”"):
        app.import_people(path, columns={"code": "Nomor"})
    with pytest.raises(InvalidInputError, match="no column “umur”"):
        app.import_people(path, columns={"umur": "NIP"})


def test_rows_that_a_filter_hides_are_imported_and_remarked(app: SmartAbsen, book: MakeBook) -> None:
    """Nobody is left out, or taken in, without a word."""

    def hide(made: Any) -> None:
        made["S"].row_dimensions[3].hidden = True

    rows = [["kode", "nama"], ["E1", "Adi"], ["E2", "Budi"], ["E3", "Cici"]]
    report = app.import_people(book({"S": rows}, hide), dry_run=True)
    assert [row.code for row in report.rows] == ["E1", "E2", "E3"]
    assert report.reading.hidden_lines == (3,)
    assert "rows 3" in remarks(app)


def test_a_csv_for_people_takes_the_separator_of_their_excel(app: SmartAbsen, book: MakeBook, tmp_path: Path) -> None:
    """With Indonesian a semicolon, else a comma; a setting goes before both."""
    report = app.import_people(book({"S": [["kode", "nama"], ["", "Adi"]]}), dry_run=True)
    for language, separator in (("id", ";"), ("en", ",")):
        with use_language(language):
            app.write_rejects(report, tmp_path / "rejects.csv")
        assert f"kode{separator}nama" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")


def test_many_people_without_photos_are_stored_together_and_a_rival_costs_one_row(
    app: SmartAbsen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody else adds a code meanwhile, the other rows of its transaction are stored all the same."""
    from smartabsen.gallery import import_people as module

    path = csv_file(tmp_path, "kode,nama,setuju\n" + "".join(f"E{number},Contoh {number},ya\n" for number in range(5)))
    plan_rows = module.plan_rows

    def with_a_rival(*args: Any, **kwargs: Any) -> Any:
        yield from plan_rows(*args, **kwargs)
        app.enrol("Orang Lain", [], code="E3")

    monkeypatch.setattr(module, "plan_rows", with_a_rival)
    report = app.import_people(path)
    assert {person.code: person.name for person in app.employees()}["E3"] == "Orang Lain"
    assert len(app.employees()) == 5
    assert [row.verdict.value for row in report.rows].count("imported") >= 4


def test_many_people_are_updated_together(app: SmartAbsen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction for each would take minutes for ten thousand rows; each change is still in the trail."""
    lines = [f"E{number},Contoh {number},Staf\n" for number in range(5)]
    app.import_people(csv_file(tmp_path, "kode,nama,jabatan\n" + "".join(lines)))
    database = app.services.database
    run_write, calls = database.run_write, []

    def counted(work: Any, **kwargs: Any) -> Any:
        calls.append(work)
        return run_write(work, **kwargs)

    monkeypatch.setattr(database, "run_write", counted)
    path = csv_file(tmp_path, "kode,nama,jabatan\n" + "".join(lines).replace("Staf", "Kasir"))
    report = app.import_people(path, on_conflict="update")
    assert len(calls) == 1
    assert {row.verdict for row in report.rows} == {ImportVerdict.UPDATED}
    assert {person.position for person in app.employees()} == {"Kasir"}
    assert app.audit.verify().entries == 10


def test_who_has_a_face_is_not_called_one_who_cannot_be_recognised(app: SmartAbsen, tmp_path: Path, draw: Draw) -> None:
    """A list without photos brings new positions to people who were enrolled before."""
    draw("photos/E1.png", 1)
    path = csv_file(tmp_path, "kode,nama,jabatan\nE1,Adi Contoh,Staf\n")
    app.import_people(path, photos_dir=tmp_path / "photos", consent=True)
    path = csv_file(tmp_path, "kode,nama,jabatan\nE1,Adi Contoh,Kasir\n")
    (row,) = app.import_people(path, on_conflict="update").rows
    assert (row.verdict, row.reason, row.detail) == (ImportVerdict.UPDATED, "", "")
    assert "nobody can be recognised" not in remarks(app)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX pseudo-terminal")
def test_a_terminal_is_asked_which_column_is_meant(flags: dict[str, object], tmp_path: Path) -> None:
    """A wrong number is asked again, and no bar draws over the question."""
    import pty

    path = csv_file(tmp_path, "NIP,NIK,Pegawai Tetap\nE1,3171,Adi Contoh\n")
    command = [sys.executable, "-m", "smartabsen", "import", str(path), "--dry-run", "--language", "en"]
    command += ["--home", str(flags["home"]), "--engine", "fake"]
    ours, theirs = pty.openpty()
    os.write(ours, b"9\n1\n3\n")
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        assert process.stdout is not None
        shown = process.stdout.read()
        assert process.wait(timeout=120) == 0
    told = os.read(ours, 65_536).decode()
    os.close(theirs)
    os.close(ours)
    assert "E1    Adi Contoh" in shown
    assert "Which column is the code?" in told and "A number from 1 to 2." in told
    assert "Photos" not in told
