"""Each command: what it asks of the library, what scripts and people get."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from smartabsen.kernel import i18n
from smartabsen.kernel.domain import Check, CheckLevel, ImageResult, ImportRow, ImportVerdict, Outcome, PhotoVerdict

from . import conftest


def last_call(program: Any) -> tuple[Any, ...]:
    """The library's method that was called last, with its arguments, remarks on the engine aside."""
    return [call for call in program.library.calls if call[0] not in ("engine_choice", "pack_to_fetch")][-1]


# --- settings ----------------------------------------------------------------------------------------------


def test_options_of_every_command_become_settings(program: Any) -> None:
    """Before the command or after it: what stands after wins."""
    program("--engine", "dlib", "--home", "/one", "employee", "list", "--home", "/two", "--device", "cpu")
    assert program.library.flags == {"home": Path("/two"), "engine": "dlib", "recognition.device": "cpu"}


def test_the_language_is_that_of_the_settings(program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote it into the file of the home is spoken to in it."""
    monkeypatch.delenv("SMARTABSEN_LANGUAGE")
    (tmp_path / "smartabsen.toml").write_text('language = "id"')
    program("employee", "list")
    assert i18n.current_language() == "id"


def test_the_language_holds_for_errors_in_the_settings_too(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--language`` is known before the settings are read."""
    monkeypatch.setenv("SMARTABSEN_ENGNE", "dlib")
    assert program("employee", "list", "--language", "id").exit_code == 3
    assert i18n.current_language() == "id"


def test_the_detector_is_a_setting_of_the_run(program: Any) -> None:
    """``--detector`` is handed on by its setting's name, and only when it was given."""
    program("recognize", "a.jpg", "--detector", "haar")
    assert program.library.flags == {"recognition.detector": "haar"}
    program("recognize", "a.jpg")
    assert program.library.flags == {}


def test_licence_notices_go_to_stderr_even_when_quiet(program: Any) -> None:
    """Nobody is surprised by a licence; the engine remark is what --quiet hides."""
    program.prepare = lambda library: setattr(library, "notices", ("For research only.",))
    assert program("recognize", "a.jpg").stderr.splitlines() == [
        "Engine dlib: the built-in engine",
        "For research only.",
    ]
    result = program("recognize", "a.jpg", "--quiet", "--json")
    assert result.stderr == "For research only.\n"


# --- people ------------------------------------------------------------------------------------------------


def test_enroll_answers_with_a_verdict_for_each_photo(program: Any) -> None:
    """One accepted photo makes an enrolment; the refused one has its reason and what to do."""
    exit_code, answer = program.json("enroll", "Siti Rahma", "front.jpg", "night.jpg", "--code", "E001")
    assert (exit_code, answer["status"], answer["data"]["accepted"]) == (0, "ok", 1)
    front, night = answer["data"]["photos"]
    assert (front["outcome"], front["quality"]["face_px"]) == ("accepted", 120.2)
    assert (night["photo"], night["outcome"]) == ("night.jpg", "too_dark")
    assert (night["message"], night["hint"]) == ("Too dark.", "Face the light.")
    _, arguments, options = last_call(program)
    assert arguments == ("Siti Rahma", [Path("front.jpg"), Path("night.jpg")])
    assert options["code"] == "E001"


def test_enroll_fails_when_no_photo_was_accepted(program: Any) -> None:
    """Exit code 1, and the verdicts are still there."""
    refused = PhotoVerdict("a.jpg", Outcome.UNREADABLE, detail="It ends after {n} bytes.", params=(("n", "12"),))
    program.prepare = lambda library: setattr(library, "verdicts", (refused,))
    exit_code, answer = program.json("enroll", "Siti", "a.jpg", "--code", "E001")
    assert (exit_code, answer["status"], answer["errors"][0]["code"]) == (1, "failed", "refused")
    assert answer["data"]["photos"][0]["message"] == "It ends after 12 bytes."


def test_enroll_takes_a_person_without_a_face(program: Any) -> None:
    """Nobody is forced to be recognised."""
    program.prepare = lambda library: setattr(library, "verdicts", ())
    exit_code, answer = program.json("enroll", "Siti", "--no-photos", "--code", "E001")
    assert (exit_code, answer["data"]["photos"], last_call(program)[1]) == (0, [], ("Siti", []))


def test_enroll_names_whom_a_refused_face_looks_like(program: Any) -> None:
    """The person at the desk learns who is enrolled already."""
    program.prepare = lambda library: setattr(
        library, "verdicts", (PhotoVerdict("a.jpg", Outcome.DUPLICATE_FACE, similar_to=library.people[0]),)
    )
    assert "Looks like Siti Rahma (E001)." in program("enroll", "Ani", "a.jpg", "--code", "E002").stdout


def test_enroll_guides_a_person_at_the_camera(program: Any) -> None:
    """Each shot is asked for and judged on stderr while it happens."""
    result = program("enroll", "Siti", "--camera", "0", "--shots", "2", "--code", "E001")
    assert "Photos wanted: 1" in result.stderr
    assert "Too dark. Face the light." in result.stderr
    assert (last_call(program)[2]["camera"], last_call(program)[2]["shots"]) == ("0", 2)


def rows(*verdicts: ImportVerdict) -> Any:
    """Prepare an import with these verdicts."""
    made = tuple(
        ImportRow(
            n,
            f"E{n}",
            "Name",
            "",
            verdict,
            reason="no_photo",
            detail="No photo for {code}.",
            params=(("code", f"E{n}"),),
        )
        for n, verdict in enumerate(verdicts, start=2)
    )
    return lambda library: setattr(library, "rows", made)


@pytest.mark.parametrize(
    ("verdicts", "exit_code", "status", "errors"),
    [
        ((ImportVerdict.IMPORTED, ImportVerdict.SKIPPED), 0, "ok", []),
        ((ImportVerdict.IMPORTED, ImportVerdict.REJECTED), 7, "partial", ["partly_done"]),
        ((ImportVerdict.REJECTED,), 1, "failed", ["refused"]),
        ((ImportVerdict.PENDING,), 1, "failed", ["refused"]),
        ((), 0, "ok", []),
    ],
)
def test_import_says_how_much_of_it_was_done(
    program: Any, verdicts: tuple[ImportVerdict, ...], exit_code: int, status: str, errors: list[str]
) -> None:
    """The exit code tells all, some and none apart; data has each row."""
    program.prepare = rows(*verdicts)
    code, answer = program.json("import", "people.csv")
    assert (code, answer["status"], [error["code"] for error in answer["errors"]]) == (exit_code, status, errors)
    assert answer["data"]["imported"] == verdicts.count(ImportVerdict.IMPORTED)
    assert answer["data"]["rejected"] == verdicts.count(ImportVerdict.REJECTED)
    assert [row["verdict"] for row in answer["data"]["rows"]] == [verdict.value for verdict in verdicts]


def test_import_shows_code_verdict_and_reason_of_each_row(program: Any) -> None:
    """The row in JSON and the row in the table say the same."""
    program.prepare = rows(ImportVerdict.IMPORTED, ImportVerdict.REJECTED)
    row = program.json("import", "people.csv")[1]["data"]["rows"][1]
    assert (row["code"], row["verdict"], row["reason"], row["message"]) == (
        "E3", "rejected", "no_photo", "No photo for E3.",
    )  # fmt: skip
    result = program("import", "people.csv", "--dry-run")
    assert "rejected  No photo for E3." in result.stdout
    assert "imported 1, rejected 1." in result.stdout
    assert "dry run" in result.stderr


def test_import_takes_the_columns_that_a_script_names(program: Any) -> None:
    """Titles may hold commas in quotes, and an empty one says that no column is taken."""
    program("import", "people.csv", "--columns", 'code=NIK, name="Nama, lengkap",position=', "--sheet", "Data")
    given = last_call(program)[2] if last_call(program)[0] == "import_people" else program.library.calls[1][2]
    assert (given["sheet"], given["columns"]) == ("Data", {"code": "NIK", "name": "Nama, lengkap", "position": ""})
    for wrong in ("NIK", "code=NIK,code=NIP", "code"):
        assert program("import", "people.csv", "--columns", wrong).exit_code == 2


def test_report_reads_dates_as_people_type_them(program: Any) -> None:
    """The day stands before the month; a day that does not exist is called so."""
    program("report", "--from", "1/11/2026", "--to", "30 November 2026")
    assert last_call(program)[1] == (date(2026, 11, 1), date(2026, 11, 30))
    refused = program("report", "--from", "31/02/2026")
    assert refused.exit_code == 2
    assert "does not exist" in refused.output


def test_an_interrupted_import_shows_what_it_did_and_how_to_go_on(program: Any) -> None:
    """Ctrl-C in an import: exit code 130 with the rows so far."""
    program.prepare = lambda library: setattr(library, "interrupted", True)
    exit_code, answer = program.json("import", "people.csv")
    assert (exit_code, answer["status"], answer["data"]["imported"]) == (130, "partial", 1)
    assert "same command again" in answer["errors"][0]["hint"]


def test_import_writes_the_rejects_where_it_is_told(program: Any, tmp_path: Path) -> None:
    """``--rejects`` hands the whole report on."""
    program("import", "people.csv", "--rejects", str(tmp_path / "r.csv"), "--workers", "1", "--on-conflict", "update")
    assert (tmp_path / "r.csv").exists()
    (imported,) = [call[2] for call in program.library.calls if call[0] == "import_people"]
    assert (imported["workers"], imported["on_conflict"]) == (1, "update")


def test_employee_show_has_templates_without_embeddings(program: Any) -> None:
    """A face's numbers never leave by the command line."""
    exit_code, answer = program.json("employee", "show", "E001")
    assert exit_code == 0
    assert answer["data"]["employee"]["code"] == "E001"
    assert set(answer["data"]["templates"][0]) == {"id", "source", "model", "photo_digest", "quality"}


@pytest.mark.parametrize("verb", ["rename", "deactivate", "activate"])
def test_employee_commands_answer_with_the_employee_as_it_is_now(program: Any, verb: str) -> None:
    """Each change calls its method once; a script says yes itself where a person would be asked."""
    arguments = {"rename": ["E001", "Siti R."], "deactivate": ["E001", "--yes"], "activate": ["E001"]}[verb]
    exit_code, answer = program.json("employee", verb, *arguments)
    assert (exit_code, answer["data"]["employee"]["code"]) == (0, "E001")
    assert [call[0] for call in program.library.calls] == [f"{verb}_employee"]
    assert last_call(program)[1] == tuple(argument for argument in arguments if argument != "--yes")


def test_somebody_without_a_face_is_told_as_added(program: Any) -> None:
    """“0 of 0 photos” would look like a fault."""
    program.prepare = lambda library: setattr(library, "verdicts", ())
    assert program("enroll", "Siti", "--no-photos", "--code", "E001").stdout == (
        "Siti Rahma (E001) is added without a face, and punches by hand: smartabsen punch E001\n"
    )


def test_a_photo_at_the_camera_is_taken_before_it_is_judged(program: Any) -> None:
    """“Accepted” is said once, at the end: all photos together show whose face it is."""
    result = program("enroll", "Siti", "--camera", "0", "--code", "E001")
    assert "Photo taken." in result.stderr
    assert "Accepted." not in result.stderr


def test_deactivate_wants_yes_where_nobody_can_be_asked(program: Any) -> None:
    """A script that lost its terminal changes nothing by that."""
    result = program("employee", "deactivate", "E001")
    assert (result.exit_code, "--yes" in result.stderr) == (2, True)
    assert "deactivate_employee" not in [call[0] for call in program.library.calls]


@pytest.mark.parametrize(("answer", "exit_code"), [("y\n", 0), ("\n", 1), ("", 130)])
def test_deactivate_asks_on_a_terminal(
    program: Any, monkeypatch: pytest.MonkeyPatch, answer: str, exit_code: int
) -> None:
    """The answer is no until somebody says yes; --yes does not ask."""
    monkeypatch.setattr("smartabsen.cli.output.Output.can_ask", lambda _: True)
    result = program("employee", "deactivate", "E001", input=answer)
    assert "Siti Rahma can no longer punch." in result.stderr
    assert result.exit_code == exit_code
    assert (last_call(program)[0] == "deactivate_employee") is (exit_code == 0)
    assert program("employee", "deactivate", "E001", "--yes").exit_code == 0


@pytest.mark.parametrize(("answer", "pulled"), [("y\n", True), ("\n", False)])
@pytest.mark.parametrize(
    "command", [("enroll", "Siti Rahma", "a.jpg", "--code", "E001", "--consent"), ("import", "p.csv")]
)
def test_the_first_enrolment_offers_to_fetch_an_engine(
    program: Any, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], answer: str, pulled: bool
) -> None:
    """At a terminal, where none is there; nobody is asked otherwise."""
    monkeypatch.setitem(conftest._ANSWERS, "pack_to_fetch", lambda app: "sface")
    program(*command)
    assert "pull_models" not in [call[0] for call in program.library.calls]
    monkeypatch.setattr("smartabsen.cli.output.Output.can_ask", lambda _: True)
    assert "Fetch “sface” now" in program(*command, input=answer).stderr
    assert ("pull_models" in [call[0] for call in program.library.calls]) is pulled


# --- recognition -------------------------------------------------------------------------------------------


def test_train_answers_with_the_keys_that_scripts_know(program: Any) -> None:
    """The report of a training, with numbers that are JSON numbers."""
    exit_code, answer = program.json("train")
    assert exit_code == 0
    known = "engine employees templates threshold margin leave_one_out_accuracy confused version"
    assert {key: answer["data"][key] for key in known.split()} == {
        "engine": "dlib", "employees": 6, "templates": 24, "threshold": 0.5, "margin": 0.05,
        "leave_one_out_accuracy": 1.0, "confused": [], "version": "abcdef012345",
    }  # fmt: skip


def test_evaluate_needs_a_folder_for_pairs_and_cache(program: Any) -> None:
    """They say nothing about the enrolled gallery: exit code 2."""
    for options in (("--pairs", "x"), ("--no-cache",)):
        exit_code, answer = program.json("evaluate", *options)
        assert (exit_code, answer["errors"][0]["code"]) == (2, "invalid_input")


def test_a_model_that_the_gate_refused_is_shown_and_fails(program: Any) -> None:
    """Exit code 1 with the report still there, so that people see whom to look at."""
    program.prepare = lambda library: setattr(library, "accuracy", 0.9)
    exit_code, answer = program.json("train")
    assert (exit_code, answer["status"], answer["errors"][0]["code"]) == (1, "failed", "accuracy_gate")
    assert answer["data"]["activated"] is False
    result = program("train")
    assert "90 %" in result.stdout
    assert "Not activated: leave-one-out accuracy 90 %, demanded 99 %." in result.stderr
    assert program("train", "--force").exit_code == 0
    assert program("train", "--min-accuracy", "0.5").exit_code == 0


def test_recognize_answers_in_the_order_given(program: Any, tmp_path: Path) -> None:
    """One entry for each picture, in the shape that scripts know."""
    exit_code, answer = program.json("recognize", "a.jpg", "b.jpg", "--draw", str(tmp_path))
    assert exit_code == 0
    first, second = answer["data"]["images"]
    assert (first["image"], second["image"]) == ("a.jpg", "b.jpg")
    assert first["faces"] == [
        {
            "box_xyxy": [10.0, 20.0, 110.0, 140.0],
            "outcome": "recognized",
            "employee": {"code": "E001", "name": "Siti Rahma"},
            "similarity": 0.8123,
            "margin": 0.4,
        }
    ]
    assert (second["faces"][0]["outcome"], second["faces"][0]["employee"]) == ("unknown", None)
    assert last_call(program)[1:] == (([Path("a.jpg"), Path("b.jpg")],), {"draw_dir": tmp_path})


@pytest.mark.parametrize(("readable", "exit_code"), [(True, 7), (False, 1)])
def test_pictures_that_cannot_be_read_change_the_exit_code(program: Any, readable: bool, exit_code: int) -> None:
    """Some unreadable is partly done, all unreadable is a failure."""
    bad = ImageResult("bad.jpg", (), Outcome.UNREADABLE)
    program.prepare = lambda library: setattr(library, "images", (bad, *library.images[: int(readable)]))
    code, answer = program.json("recognize", "bad.jpg", "a.jpg")
    assert code == exit_code
    assert answer["data"]["images"][0]["outcome"] == "unreadable"


# --- attendance --------------------------------------------------------------------------------------------


def test_punch_greets_with_name_time_and_status(program: Any) -> None:
    """Time is the site's, whatever the machine's zone."""
    result = program("punch", "E001", "--note", "camera broken", "--key", "k1")
    assert result.stdout == "Good morning, Siti Rahma. 07:55, Present.\n"
    assert last_call(program)[1:] == (("E001",), {"note": "camera broken", "key": "k1"})
    answer = program.json("punch", "E001")[1]
    assert (answer["data"]["status"], answer["data"]["outcome"]) == ("Hadir", "recognized")


def test_report_has_days_in_the_words_of_the_database(program: Any) -> None:
    """``--json`` and ``--format json`` give the same object."""
    exit_code, answer = program.json("report", "--from", "2026-11-01", "--to", "2026-11-30")
    day = answer["data"]["days"][0]
    assert exit_code == 0
    assert {key: day[key] for key in ("code", "name", "date", "jam_masuk", "jam_pulang", "status")} == {
        "code": "E001", "name": "Siti Rahma", "date": "2026-11-02", "jam_masuk": "07:55:00", "jam_pulang": None,
        "status": "Hadir",
    }  # fmt: skip
    assert last_call(program)[1] == (date(2026, 11, 1), date(2026, 11, 30))
    plain = program("report", "--from", "2026-11-01", "--to", "2026-11-30", "--format", "json").stdout
    assert plain == program("report", "--from", "2026-11-01", "--to", "2026-11-30", "--json").stdout


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (datetime(2026, 11, 30, 17, 40, tzinfo=UTC), date(2026, 11, 1), date(2026, 11, 30)),
        (datetime(2026, 12, 1, 1, 0, tzinfo=UTC), date(2026, 12, 1), date(2026, 12, 1)),
    ],
    ids=["forty minutes past midnight", "in the morning"],
)
def test_report_covers_this_month_to_the_work_date_of_the_site(
    program: Any, now: datetime, first: date, last: date
) -> None:
    """Without dates: who punches after midnight is in the report of the day that they worked."""
    program.prepare = lambda app: setattr(app, "clock_at", now)
    program("report")
    assert next(one for one in program.library.calls if one[0] == "report")[1] == (first, last)


def test_report_writes_csv_to_stdout_and_files_where_told(program: Any, tmp_path: Path) -> None:
    """CSV into a pipe is UTF-8 without a mark; the suffix of a file says what it is."""
    result = program("report", "--format", "csv")
    assert list(csv.reader(result.stdout.splitlines()))[1] == ["2026-11-02", "E001", "Siti Rahma"]
    assert not result.stdout.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")
    assert program("report", "--output", str(tmp_path / "r.xlsx")).exit_code == 0
    assert last_call(program)[2] == {"format": "xlsx", "totals": False}
    assert program("report", "--format", "csv", "--totals").exit_code == 0
    assert last_call(program)[2] == {"totals": True}
    assert program("report", "--totals").exit_code == 2


# --- the rest ----------------------------------------------------------------------------------------------


def test_doctor_shows_what_mends_each_finding(program: Any) -> None:
    """A failed check fails the command; a warning does not."""
    warning = Check("camera", CheckLevel.WARN, "No camera {n}.", "Plug one in.", (("n", "0"),))
    program.prepare = lambda library: setattr(library, "checks", (*library.checks, warning))
    result = program("doctor")
    assert (result.exit_code, result.stdout) == (
        0, "ok  python: 3.11\nwarning  camera: No camera 0.\n    Plug one in.\n",
    )  # fmt: skip
    program.prepare = lambda library: setattr(library, "checks", (replace(warning, level=CheckLevel.FAIL),))
    code, answer = program.json("doctor")
    assert (code, answer["status"], answer["data"]["checks"][0]["fix"]) == (1, "failed", "Plug one in.")


@pytest.mark.parametrize("content", ["engine = ", "colour = 1"])
def test_doctor_runs_with_a_broken_settings_file(program: Any, tmp_path: Path, content: str) -> None:
    """That is what it is for: the file is a row among the others."""
    (tmp_path / "smartabsen.toml").write_text(content)
    code, answer = program.json("doctor")
    checks = {each["name"]: each for each in answer["data"]["checks"]}
    assert (code, checks["python"]["level"], checks["settings"]["level"]) == (1, "ok", "fail")
    assert "smartabsen.toml" in checks["settings"]["detail"]
    assert checks["settings"]["fix"]


def test_config_show_has_value_and_origin(program: Any) -> None:
    """Every setting says where its value comes from."""
    answer = program.json("config", "show", "--engine", "dlib")[1]
    settings = {each["name"]: each for each in answer["data"]["settings"]}
    assert (settings["engine"]["value"], settings["engine"]["origin"]) == ("dlib", "flag")
    assert settings["attendance.start"]["value"] == "08:00:00"
    assert "engine = dlib  [flag]" in program("config", "show", "--engine", "dlib").stdout
