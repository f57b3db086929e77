"""Bulk enrolment through the facade, with the fake engine."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smartabsen import ConflictError, ImportReport, ImportVerdict, InvalidInputError, NotFoundError, SmartAbsen
from smartabsen.kernel.messages import fill

from ..installation import Draw


@pytest.fixture
def people(tmp_path: Path, draw: Draw) -> Path:
    """Six people with two photos each, the list as an Indonesian Excel writes it."""
    lines = ["Kode;Nama;Jabatan"]
    for person in range(1, 7):
        lines.append(f"E{person};Rénata Contoh {person};Kasir")
        draw(f"photos/E{person}/a.png", person)
        draw(f"photos/e{person}/b.png", person, size_px=140)
    path = tmp_path / "people.csv"
    path.write_text("\r\n".join(lines), encoding="cp1252")
    return path


def verdicts(report: ImportReport) -> list[tuple[str, ImportVerdict, str]]:
    return [(row.code, row.verdict, row.reason) for row in report.rows]


def templates(app: SmartAbsen) -> dict[str, int]:
    return {person.code: person.templates for person in app.employees()}


def test_people_are_imported_and_a_second_import_doubles_nothing(app: SmartAbsen, people: Path) -> None:
    """All are there with their photos, and once."""
    report = app.import_people(people, photos_dir=people.parent / "photos")
    assert verdicts(report) == [(f"E{person}", ImportVerdict.IMPORTED, "") for person in range(1, 7)]
    assert templates(app) == {f"E{person}": 2 for person in range(1, 7)}
    assert app.get_employee("E1").name == "Rénata Contoh 1"
    again = app.import_people(people, photos_dir=people.parent / "photos")
    assert {row.verdict for row in again.rows} == {ImportVerdict.SKIPPED}
    assert templates(app) == {f"E{person}": 2 for person in range(1, 7)}


def test_two_persons_under_one_code_are_told(app: SmartAbsen, people: Path, draw: Draw) -> None:
    """The row is imported and names the photos, in a dry run as well."""
    draw("photos/E1/c.png", 9)
    for dry_run in (True, False):
        row = app.import_people(people, photos_dir=people.parent / "photos", dry_run=dry_run).rows[0]
        assert (row.verdict, row.reason, "c.png" in fill(row.detail, row.params)) == (
            ImportVerdict.IMPORTED,
            "mixed",
            True,
        )


def test_a_dry_run_shows_the_same_table_and_writes_nothing(app: SmartAbsen, people: Path, draw: Draw) -> None:
    """Verdicts of a dry run are those of the import, duplicates within the file included."""
    with people.open("a", encoding="cp1252") as sink:
        sink.write("\r\nE7;Contoh 7;Kasir\r\nE8;Contoh 8;Kasir\r\n")
    draw("photos/E7.png", 3, size_px=150)  # the face of E3
    photos = people.parent / "photos"
    dry = app.import_people(people, photos_dir=photos, dry_run=True)
    assert app.employees() == ()
    real = app.import_people(people, photos_dir=photos)
    assert verdicts(dry) == verdicts(real)
    assert verdicts(real)[6:] == [
        ("E7", ImportVerdict.REJECTED, "duplicate_face"),
        ("E8", ImportVerdict.IMPORTED, "no_photos"),
    ]
    assert dict(real.rows[6].params)["code"] == "E3"


def test_a_dry_run_finds_the_face_of_the_first_person_again(app: SmartAbsen, tmp_path: Path, draw: Draw) -> None:
    """Also the first one of the file counts as somebody, though nobody is stored."""
    draw("photos/E1.png", 1)
    draw("photos/E2.png", 1, size_px=150)
    (tmp_path / "two.csv").write_text("kode,nama\nE1,Contoh Satu\nE2,Contoh Dua\n")
    dry = app.import_people(tmp_path / "two.csv", photos_dir=tmp_path / "photos", dry_run=True)
    real = app.import_people(tmp_path / "two.csv", photos_dir=tmp_path / "photos")
    assert verdicts(dry) == verdicts(real)
    assert verdicts(dry)[1] == ("E2", ImportVerdict.REJECTED, "duplicate_face")


def test_an_interrupted_import_goes_on_where_it_stopped(app: SmartAbsen, people: Path) -> None:
    """Ctrl-C leaves whole people; the same command brings the rest, and nothing is lost or doubled."""
    photos = people.parent / "photos"

    def press_ctrl_c(done: int, _total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    report = app.import_people(people, photos_dir=photos, on_progress=press_ctrl_c)
    assert report.interrupted
    assert [row.verdict for row in report.rows] == [ImportVerdict.IMPORTED] * 2 + [ImportVerdict.PENDING] * 4
    assert templates(app) == {"E1": 2, "E2": 2}
    again = app.import_people(people, photos_dir=photos)
    assert [row.verdict for row in again.rows] == [ImportVerdict.SKIPPED] * 2 + [ImportVerdict.IMPORTED] * 4
    assert templates(app) == {f"E{person}": 2 for person in range(1, 7)}


def test_update_brings_new_names_and_photos_and_fail_writes_nothing(app: SmartAbsen, people: Path, draw: Draw) -> None:
    """--on-conflict update changes what is there; fail refuses the whole file."""
    photos = people.parent / "photos"
    app.import_people(people, photos_dir=photos)
    people.write_text("code,name,position\nE1,New Name,Boss\nE9,Contoh 9,\n", encoding="utf-8")
    draw("photos/E1/c.png", 1, size_px=120)
    draw("photos/E9.png", 9)
    with pytest.raises(ConflictError, match="E1"):
        app.import_people(people, photos_dir=photos, on_conflict="fail")
    assert len(app.employees()) == 6
    report = app.import_people(people, photos_dir=photos, on_conflict="update")
    assert verdicts(report) == [("E1", ImportVerdict.UPDATED, ""), ("E9", ImportVerdict.IMPORTED, "")]
    assert (app.get_employee("E1").name, app.get_employee("E1").templates) == ("New Name", 3)


def test_rejected_rows_are_written_so_that_they_can_be_mended_and_imported(
    app: SmartAbsen, people: Path, draw: Draw
) -> None:
    """The file of rejects has the columns of its source and the reasons, and opens in the same spreadsheet."""
    draw("photos/E2/a.png")
    draw("photos/e2/b.png")
    report = app.import_people(people, photos_dir=people.parent / "photos")
    rejects = people.parent / "rejects.csv"
    app.write_rejects(report, rejects)
    with rejects.open(encoding="cp1252", newline="") as source:
        (row,) = csv.DictReader(source, delimiter=";")
    assert list(row) == ["verdict", "reason", "detail", "Kode", "Nama", "Jabatan"]
    assert (row["Kode"], row["Nama"], row["verdict"], row["reason"]) == (
        "E2", "Rénata Contoh 2", "rejected", "no_face",
    )  # fmt: skip
    again = app.import_people(rejects, photos_dir=people.parent / "photos")
    app.write_rejects(again, rejects)
    assert rejects.read_text(encoding="cp1252").splitlines()[0] == "verdict;reason;detail;Kode;Nama;Jabatan"
    draw("photos/E2/a.png", 2)
    mended = app.import_people(rejects, photos_dir=people.parent / "photos")
    assert [row.verdict for row in mended.rows] == [ImportVerdict.IMPORTED]
    assert not [text for text, _ in app.remarks if "column" in text]
    with pytest.raises(InvalidInputError, match=r"\.csv or \.xlsx"):
        app.write_rejects(report, people.parent / "rejects.txt")


def test_a_directory_that_does_not_exist_is_an_error(app: SmartAbsen, people: Path) -> None:
    """A mistyped --photos is not an import without photos."""
    with pytest.raises(NotFoundError, match="nowhere"):
        app.import_people(people, photos_dir=people.parent / "nowhere")


@pytest.mark.slow
def test_worker_processes_give_the_same_result_and_need_no_main_guard(
    people: Path, flags: dict[str, object], tmp_path: Path
) -> None:
    """A plain script imports with two workers: it is not run again by them, and every photo is there."""
    script = tmp_path / "script.py"
    script.write_text(
        "from smartabsen import SmartAbsen\n"
        "print('once')\n"
        f"with SmartAbsen.open(flags={flags!r}) as app:\n"
        f"    report = app.import_people({str(people)!r}, photos_dir={str(people.parent / 'photos')!r}, workers=2)\n"
        "    print([row.verdict.value for row in report.rows])\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert run.stdout.splitlines() == ["once", str(["imported"] * 6)], run.stderr
    assert complaints(run.stderr.splitlines()) == []
    with SmartAbsen.open(flags=flags) as app:
        assert templates(app) == {f"E{person}": 2 for person in range(1, 7)}


def complaints(lines: list[str]) -> list[str]:
    """Return the lines of stderr without those of loky's resource tracker.

    On a busy machine it tells, now and then, of a semaphore that was "leaked" and that it then does not find: removed
    by the program's own end while the tracker ended too. Nothing is left behind, and no worker says it.
    """
    return [line for line in lines if "resource_tracker" not in line and line.strip() != "warnings.warn("]


TERMINATED = """
import sys, time
from smartabsen.cli.app import main
from smartabsen.gallery.photo_pool import PhotoPool

examine = PhotoPool.examine

def slowly(self, photos):
    for exam in examine(self, photos):
        print("ready", file=sys.stderr, flush=True)
        time.sleep(0.5)
        yield exam

PhotoPool.examine = slowly
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_sigterm_ends_an_import_like_ctrl_c(people: Path, tmp_path: Path) -> None:
    """A service manager stops it: whole people are stored, the answer says which, and no worker complains."""
    command = [sys.executable, "-c", TERMINATED, "import", str(people), "--photos", str(people.parent / "photos")]
    command += ["--workers", "2", "--json", "--quiet", "--home", str(tmp_path / "home"), "--engine", "fake"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = [process.stderr.readline() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        answer = json.loads(process.stdout.read())
        assert process.wait(timeout=60) == 130
        lines += process.stderr.readlines()
    # The first enrolment of a home tells of its key.
    assert {line for line in complaints(lines) if not line.startswith("A key was made")} == {"ready\n"}
    assert (answer["status"], answer["data"]["interrupted"]) == ("partial", True)
    assert answer["data"]["imported"] >= 1 and answer["data"]["pending"] >= 1


def remarks(app: SmartAbsen) -> list[str]:
    return [fill(*remark) for remark in app.remarks]


def test_a_forgotten_folder_of_photos_is_remarked_and_made_good_by_the_right_command(
    app: SmartAbsen, people: Path
) -> None:
    """Nobody is left without a face because the first try lacked --photos."""
    report = app.import_people(people)
    assert {row.reason for row in report.rows} == {"no_photos"}
    assert [text for text in remarks(app) if "--photos DIR" in text]
    again = app.import_people(people, photos_dir=people.parent / "photos")
    assert {row.verdict for row in again.rows} == {ImportVerdict.UPDATED}
    assert templates(app) == {f"E{person}": 2 for person in range(1, 7)}
    assert app.get_employee("E1").position == "Kasir"
    third = app.import_people(people, photos_dir=people.parent / "photos")
    assert {row.verdict for row in third.rows} == {ImportVerdict.SKIPPED}


def test_photos_do_not_go_to_somebody_else_who_has_the_code(app: SmartAbsen, people: Path) -> None:
    """An existing employee of another name is left alone, with or without a face."""
    app.enrol("Orang Lain", [], code="E1")
    report = app.import_people(people, photos_dir=people.parent / "photos")
    assert (report.rows[0].verdict, templates(app)["E1"]) == (ImportVerdict.SKIPPED, 0)


def test_photos_that_cannot_complete_somebody_reject_the_row(app: SmartAbsen, people: Path, draw: Draw) -> None:
    """It is no update when nothing was changed."""
    app.import_people(people)
    for name in ("a", "b"):
        draw(f"photos/{'E' if name == 'a' else 'e'}1/{name}.png")
    report = app.import_people(people, photos_dir=people.parent / "photos")
    assert (report.rows[0].verdict, report.rows[0].reason) == (ImportVerdict.REJECTED, "no_face")


def test_columns_that_are_not_used_are_named(app: SmartAbsen, tmp_path: Path, draw: Draw) -> None:
    """A misspelt title does not look like a file without photos."""
    path = tmp_path / "people.csv"
    path.write_text("NIK,Nama,fotoo\n1001,Contoh,a.png\n")
    assert app.import_people(path).rows[0].code == "1001"
    assert [text for text in remarks(app) if "fotoo" in text and "photos (foto)" in text]
