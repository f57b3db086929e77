"""The commands that measure, on a real installation with the fake engine: what people and scripts see."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from smartabsen import SmartAbsen
from smartabsen.cli.app import app as program
from smartabsen.domain import Outcome, Refusal
from smartabsen.recognition.detectors.fake import draw_face
from smartabsen.store import refusals

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
            refusals.add_many(session, [near, Refusal(at, "pintu", Outcome.TOO_DARK, 31.5, 40.0, None, 0.1)])
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

    run("calibrate", "--target-fpir", "0.5", "--force")
    assert not told("train", "--force")
    image = np.full((240, 320, 3), 90, dtype=np.uint8)
    draw_face(image, 7, centre_xy=(160, 120), size_px=160)
    cv2.imwrite(str(tmp_path / "new.png"), image)
    assert told("enroll", "Contoh 7", str(tmp_path / "new.png"), "--code", "E7")
    assert told("train", "--force")
    (tmp_path / "people.csv").write_text("code,name\nE8,Contoh 8\n")
    assert told("import", str(tmp_path / "people.csv"))
