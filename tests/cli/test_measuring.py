"""The commands that measure, on a real installation with the fake engine: what people and scripts see."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from smartabsen import SmartAbsen
from smartabsen.cli import calibration_view
from smartabsen.cli.app import app as program
from smartabsen.cli.output import Output
from smartabsen.gallery import refusal_rows
from smartabsen.gallery.calibration_record import put_record
from smartabsen.kernel.domain import Outcome, Rate, Refusal
from smartabsen.recognition.detectors.fake import draw_face

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three drawn people with three photos each, and two refusals."""
    with SmartAbsen.open(flags={"home": str(tmp_path / "home"), "engine": "fake"}) as app:
        for person in range(1, 4):
            photos = []
            for shade in (60, 80, 100):
                image = np.full((240, 320, 3), shade + person, dtype=np.uint8)
                draw_face(image, person, centre_xy=(160, 120), size_px=160)
                photos.append(tmp_path / f"{person}-{shade}.png")
                cv2.imwrite(str(photos[-1]), image)
            app.enrol(f"Contoh {person}", photos, code=f"E{person}")
        with app.services.database.write() as session:
            at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
            near = Refusal(at, "pintu", Outcome.UNKNOWN, 0.47, 0.5, 0.3, 0.1)
            refusal_rows.add_many(session, [near, Refusal(at, "pintu", Outcome.TOO_DARK, 31.5, 40.0, None, 0.1)])
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    """Run a command on that home; return the exit code and stdout."""

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(program, ["--home", str(home), "--engine", "fake", *arguments])
        return result.exit_code, result.stdout

    return invoke


def test_evaluate_shows_and_prints_the_same_figures(run: Run) -> None:
    """The enrolled gallery, with the count behind every rate."""
    exit_code, text = run("evaluate")
    assert exit_code == 0 and "Rank 1 among 3 people" in text and "all of 9: above" in text
    exit_code, text = run("evaluate", "--json")
    figures = json.loads(text)["data"]["figures"]
    assert (figures["rank_1"]["count"], figures["rank_1"]["trials"]) == (9, 9)
    assert figures["fnir_at_fpir_0.01"] == {"claimed": False, "trials": 9}


def test_calibrate_refuses_what_nine_photos_cannot_support(run: Run) -> None:
    """Exit code 1 with the report still there; forced, it is stored and says so."""
    exit_code, text = run("calibrate", "--target-fpir", "0.001", "--json")
    answer = json.loads(text)
    assert (exit_code, answer["data"]["stored"], answer["errors"][0]["code"]) == (1, False, "accuracy_gate")
    exit_code, text = run("calibrate", "--target-fpir", "0.001", "--force")
    assert exit_code == 0 and "Threshold and margin" in text and "Look alike" in text


def test_why_tells_reason_and_distance(run: Run) -> None:
    """The newest first, in the time of the site."""
    exit_code, text = run("why")
    assert exit_code == 0 and "similarity 0.470" in " ".join(text.split()) and "2026-11-24 08:00:00" in text
    exit_code, text = run("why", "--last", "1", "--json")
    (refusal,) = json.loads(text)["data"]["refusals"]
    assert (refusal["outcome"], refusal["message"]) == ("too_dark", "Too dark.")
    assert [refusal[name] for name in ("measure", "value", "limit", "short_by")] == ["brightness", 31.5, 40.0, 8.5]
    assert refusal["advice"] == "More light in front of the people, not behind them."


def test_who_enrols_learns_that_the_calibration_no_longer_fits(run: Run, home: Path, tmp_path: Path) -> None:
    """Enrolling, importing and training say so, each with what to do; the one that fits is not mentioned."""
    program_arguments = ["--home", str(home), "--engine", "fake"]

    def told(*arguments: str) -> bool:
        result = CliRunner().invoke(program, [*program_arguments, *arguments])
        assert result.exit_code == 0, result.output
        return "The calibration no longer fits" in result.stderr

    run("calibrate", "--target-fpir", "0.05", "--force")
    assert not told("train", "--force")
    image = np.full((240, 320, 3), 90, dtype=np.uint8)
    draw_face(image, 7, centre_xy=(160, 120), size_px=160)
    cv2.imwrite(str(tmp_path / "new.png"), image)
    assert told("enroll", "Contoh 7", str(tmp_path / "new.png"), "--code", "E7")
    assert told("train", "--force")
    (tmp_path / "people.csv").write_text("code,name\nE8,Contoh 8\n")
    assert told("import", str(tmp_path / "people.csv"))


def test_a_choice_is_told_in_percent_beside_the_engines_own(run: Run) -> None:
    """A rare target has its digits, and one form serves all shares."""
    exit_code, text = run("calibrate", "--target-fpir", "0.00000001", "--force")
    assert exit_code == 0
    assert "0.0000010 %" in text and "0.0000 %" not in text and "e-" not in text
    assert "0.600 / 0.100 (automatic, for 3 people)" in text
    assert "reached: 100.00 % of 99.00 %" in text


def test_train_says_what_its_threshold_rests_on(run: Run) -> None:
    """In words, and for scripts."""
    assert "no reference for this model" in " ".join(run("train")[1].split())
    automatic = json.loads(run("train", "--json")[1])["data"]["automatic"]
    assert (automatic["people"], automatic["target_fpir"], automatic["rests_on"]) == (3, 0.001, "engine")
    assert automatic["in_use"] and automatic["reference"] is None


def test_codes_that_are_one_person_are_listed_until_somebody_decides(home: Path, run: Run, tmp_path: Path) -> None:
    """The command compares, lists, and remembers what was said."""
    assert "Nobody looks like" in run("employee", "duplicates")[1]
    image = np.full((240, 320, 3), 80, np.uint8)
    draw_face(image, 1, centre_xy=(160, 120), size_px=150)
    cv2.imwrite(str(tmp_path / "again.png"), image)
    enrolled = run("enroll", "Contoh lain", str(tmp_path / "again.png"), "--code", "E99", "--allow-duplicate")
    assert enrolled[0] == 0
    assert run("employee", "duplicates", "--known", "--json")[1].count("E99") == 0
    exit_code, text = run("employee", "duplicates", "--json")
    (pair,) = json.loads(text)["data"]["pairs"]
    assert exit_code == 0 and {pair["employee"]["code"], pair["other"]["code"]} >= {"E99"}
    codes = pair["employee"]["code"], pair["other"]["code"]
    assert run("employee", "different", *codes)[0] != 0, "a reason must be given"
    assert run("employee", "different", *codes, "--reason", "twins")[0] == 0
    assert json.loads(run("employee", "duplicates", "--anew", "--json")[1])["data"]["pairs"] == []
    assert run("employee", "duplicates", "--anew", "--known")[0] == 2


def test_a_target_beyond_sense_is_a_usage_error(run: Run) -> None:
    """One stranger in two is no target."""
    exit_code, text = run("calibrate", "--target-fpir", "0.5", "--json")
    assert (exit_code, json.loads(text)["errors"][0]["code"]) == (2, "invalid_input")
    assert run("calibrate", "--forget", "--force")[0] == 2


def test_a_choice_below_the_engines_own_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So is one that the gate of train would refuse."""
    with SmartAbsen.open(flags={"home": str(home), "engine": "fake"}) as app:
        report = app.calibration.calibrate(0.05, force=True)
    choice = dataclasses.replace(report.choice, threshold=0.4)
    lax = dataclasses.replace(report, choice=choice, gate=dataclasses.replace(report.gate, recognised=Rate(1, 9)))
    calibration_view.show(Output(as_json=False, quiet=False), lax)
    printed = capsys.readouterr()
    assert "The threshold chosen, 0.400, lies below the engine's own, 0.600" in printed.err
    assert "“smartabsen train” would refuse it" in printed.err and "not reached: 11.11 % of 99.00 %" in printed.out
    calibration_view.show(Output(as_json=False, quiet=False), report)
    assert capsys.readouterr().err == "In force from the next “smartabsen train” on.\n"


def test_a_refused_choice_says_what_stays_in_force(home: Path, run: Run) -> None:
    """And what the trained model decides with, until the next training."""
    run("train")
    result = CliRunner().invoke(
        program, ["--home", str(home), "--engine", "fake", "calibrate", "--target-fpir", "0.001"]
    )
    assert result.exit_code == 1
    assert "In force stays for the next training: 0.600 / 0.100 (automatic, for 3 people)." in result.stderr
    assert "The trained model in use decides with 0.600 / 0.100." in result.stderr
    assert "9 photos of 3 people are too few for any target up to 5.00 %" in result.stderr


def test_train_tells_what_an_outgrown_calibration_was_and_what_it_uses(home: Path, run: Run) -> None:
    """Old figures, the people they were made for, and the stricter ones that came into use."""
    with SmartAbsen.open(flags={"home": str(home), "engine": "fake"}) as app:
        record = app.calibration.calibrate(0.05, force=True).record
        with app.services.database.write() as session:
            put_record(session, dataclasses.replace(record, people=1, templates=3, threshold=0.345, margin=0.02))
    result = CliRunner().invoke(program, ["--home", str(home), "--engine", "fake", "train"])
    assert result.exit_code == 0
    assert "threshold 0.345, margin 0.020 were chosen on " in result.stderr
    assert "for 1 people and 3 templates; now there are 3 and 9." in result.stderr
    assert (
        "uses the stricter of it and of what fits so many people" in result.stderr
        and "threshold 0.600" in result.stderr
    )
    assert "0.600 / 0.100 (the stricter of the automatic and of those for 1 people)" in result.stdout
    data = json.loads(run("train", "--json")[1])["data"]
    assert (data["threshold"], data["calibrated"], data["calibration"]["outgrown"]) == (0.6, False, True)
    assert data["gate"]["asks"] == "recognised"


def test_train_tells_what_its_trials_can_say(run: Run) -> None:
    """Nine photos are above 71.7 %, and prove no 99 %: in use, and said so."""
    exit_code, text = run("train")
    assert exit_code == 0
    assert text.count("all of 9: above 71.69 % (confidence 95 %)") == 2
    assert "So few photos prove little: the true share may be as low as 71.69 %." in text and "299 photos" in text
    data = json.loads(run("train", "--json")[1])["data"]
    assert (data["rank_1"]["count"], data["rank_1"]["trials"], round(data["rank_1"]["low"], 4)) == (9, 9, 0.7169)
    assert data["gate"]["passed"] and not data["gate"]["proven"]
    assert "prove little" not in run("train", "--min-accuracy", "0.7")[1]


def test_a_calibration_is_forgotten(run: Run) -> None:
    """With what it was; a second time there is none."""
    run("calibrate", "--target-fpir", "0.05", "--force")
    exit_code, text = run("calibrate", "--forget")
    assert exit_code == 0 and "for 3 people" in text
    exit_code, text = run("calibrate", "--forget", "--json")
    assert (exit_code, json.loads(text)["errors"][0]["code"]) == (1, "not_found")
