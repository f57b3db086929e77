"""Keys, privacy and the change of an engine on the command line, on a real installation with drawn faces."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from smartabsen.cli.app import app
from smartabsen.kernel import i18n
from smartabsen.recognition.detectors.fake import draw_face

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs the program in a temporary home."""
    before = list(i18n._process_language)

    def call(*arguments: str, **kwargs: Any) -> Result:
        common = ("--home", str(tmp_path / "home"))
        engine = () if "--engine" in arguments else ("--engine", "fake")
        return CliRunner().invoke(app, [*arguments, *common, *engine], prog_name="smartabsen", **kwargs)

    yield call
    i18n._process_language[:] = before


@pytest.fixture
def enrolled(run: Run, tmp_path: Path) -> Run:
    """Siti with a face and a consent, Budi without a consent."""
    for person, (code, name, consent) in enumerate((("E1", "Siti", ["--consent"]), ("E2", "Budi", [])), start=1):
        image = np.full((240, 320, 3), 90, dtype=np.uint8)
        draw_face(image, person, centre_xy=(160, 120), size_px=150)
        cv2.imwrite(str(tmp_path / f"{code}.png"), image)
        assert run("enroll", name, str(tmp_path / f"{code}.png"), "--code", code, *consent).exit_code == 0
    return run


def data(result: Result) -> dict[str, Any]:
    """The data of a --json answer."""
    found: dict[str, Any] = json.loads(result.stdout)["data"]
    return found


def test_the_first_enrolment_says_where_the_key_lies(run: Run, tmp_path: Path) -> None:
    """On stderr, where a person reads it, and not a second time."""
    image = np.full((240, 320, 3), 90, dtype=np.uint8)
    draw_face(image, 1, centre_xy=(160, 120), size_px=150)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    first = run("enroll", "Siti", str(tmp_path / "a.png"), "--code", "E1")
    second = run("train")
    assert "keys.json" in first.stderr and "keys.json" not in second.stderr
    key = json.loads((tmp_path / "home" / "secrets" / "keys.json").read_text())["keys"][0]["key"]
    assert key not in first.output + first.stderr


def test_who_agreed_is_shown_and_who_did_not_too(enrolled: Run) -> None:
    """Show prints the consents; doctor names those without; a consent can be added."""
    assert len(data(enrolled("employee", "show", "E1", "--json"))["consents"]) == 1
    assert "No consent" in enrolled("employee", "show", "E2").stderr
    assert "Budi (E2)" in enrolled("doctor").stdout
    assert data(enrolled("privacy", "consent", "E2", "--json"))["consents"][0]["text_version"] == "1"
    assert "Budi (E2)" not in enrolled("doctor").stdout


def test_the_text_is_printed_in_either_language(run: Run) -> None:
    """With its version and digest for scripts."""
    assert "I agree that my face" in run("privacy", "consent-text").stdout
    assert "saya setuju wajah saya" in run("privacy", "consent-text", "--language", "id").stdout
    assert len(data(run("privacy", "consent-text", "--json"))["sha256"]) == 64


def test_keys_are_checked_and_rotated(enrolled: Run) -> None:
    """Counts before and after; nothing of a key is printed."""
    before = data(enrolled("keys", "check", "--json"))
    rotated = data(enrolled("keys", "rotate", "--json"))
    assert (rotated["made"], rotated["rows"]) == (True, 4)
    assert "2" in enrolled("keys", "check").stdout
    after = data(enrolled("keys", "check", "--json"))
    assert before["templates"] != after["templates"] == {rotated["active"]: 2}
    assert enrolled("keys", "init").exit_code == 0


def test_a_rotation_tells_of_rows_that_keep_their_old_seal(enrolled: Run, tmp_path: Path) -> None:
    """A seal that was moved does not open: exit code 7, and not a word of success alone."""
    connection = sqlite3.connect(tmp_path / "home" / "smartabsen.db")
    with connection:
        connection.execute("UPDATE templates SET karyawan_id = 3 - karyawan_id")
    connection.close()
    rotated = enrolled("keys", "rotate", "--json")
    assert (rotated.exit_code, data(rotated)["rows"], data(rotated)["left"]) == (7, 2, 2)
    again = enrolled("keys", "rotate")
    assert again.exit_code == 7 and "keep their old seal: 2. No other key is made" in again.stderr
    assert enrolled("keys", "check", "--delete-broken", "--yes").exit_code == 0
    mended = enrolled("keys", "rotate", "--json")
    assert (mended.exit_code, data(mended)["made"], data(mended)["left"]) == (0, True, 0)


def test_without_its_key_recognition_says_what_mends_it(enrolled: Run, tmp_path: Path) -> None:
    """Exit code 6 and one line; attendance works."""
    enrolled("train")
    (tmp_path / "home" / "secrets" / "keys.json").unlink()
    refused = enrolled("recognize", str(tmp_path / "E1.png"))
    assert refused.exit_code == 6 and "Put the key file back" in refused.stderr
    assert enrolled("keys", "check").exit_code == 6
    assert enrolled("punch", "E1").exit_code == 0 and enrolled("report").exit_code == 0
    assert enrolled("keys", "init").exit_code == 6
    assert enrolled("keys", "init", "--discard-lost").exit_code == 2
    assert enrolled("keys", "init", "--discard-lost", "--yes").exit_code == 0
    assert enrolled("enroll", "Siti", str(tmp_path / "E1.png"), "--code", "E1").exit_code == 0


def test_a_person_is_exported_and_erased(enrolled: Run, tmp_path: Path) -> None:
    """Nothing without a yes; a dry run shows what would go."""
    enrolled("punch", "E1")
    enrolled("train")
    assert enrolled("privacy", "export", "E1", "--output", str(tmp_path / "out")).exit_code == 0
    assert (tmp_path / "out" / "person.json").exists() and (tmp_path / "out" / "faces" / "01.jpg").exists()
    assert enrolled("privacy", "export", "E1", "--output", str(tmp_path / "out")).exit_code == 1
    assert data(enrolled("privacy", "erase", "E1", "--dry-run", "--json"))["rows"]["templates"] == 1
    refused = enrolled("privacy", "erase", "E1", "--reason", "asked for it")
    assert refused.exit_code == 2 and "--yes" in refused.stderr
    assert enrolled("privacy", "erase", "E1", "--face-only", "--reason", "no more consent", "--yes").exit_code == 0
    assert data(enrolled("employee", "show", "E1", "--json"))["templates"] == []
    erased = data(enrolled("privacy", "erase", "E1", "--reason", "asked for it", "--yes", "--json"))
    assert enrolled("employee", "show", "E1").exit_code == 1
    assert enrolled("employee", "show", erased["pseudonym"]).exit_code == 0
    assert data(enrolled("privacy", "apply", "--json")) == {"applied": 0}
    assert data(enrolled("privacy", "purge", "--dry-run", "--json"))["dry_run"] is True
    assert enrolled("privacy", "purge").exit_code == 0


def test_an_engine_is_compared_before_it_is_changed(enrolled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dry run and shadow change nothing; the change wants a yes."""
    from dataclasses import replace

    from smartabsen.recognition import engines

    spec = replace(engines.ENGINES["fake"], name="other")
    monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "other": spec})
    enrolled("train")
    compared = data(enrolled("reembed", "--engine", "other", "--dry-run", "--json"))
    assert (compared["embedded"], compared["switched"], compared["without_crops"]) == (2, False, [])
    assert enrolled("reembed", "--engine", "other", "--shadow").exit_code == 0
    assert enrolled("reembed", "--engine", "other").exit_code == 2
    changed = enrolled("reembed", "--engine", "other", "--yes")
    assert changed.exit_code == 0 and "engine is changed" in changed.stdout


def test_an_erasure_asks_why(enrolled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal; in a script --reason says it. What names the person is refused, for the reason stays."""
    refused = enrolled("privacy", "erase", "E1", "--yes")
    assert refused.exit_code == 2 and "--reason" in refused.stderr
    named = enrolled("privacy", "erase", "E1", "--reason", "Siti asked for it", "--yes")
    assert named.exit_code != 0 and "names the person" in named.stderr
    monkeypatch.setattr("smartabsen.cli.output.Output.can_ask", lambda _: True)
    assert enrolled("privacy", "erase", "E1", input="asked for it\ny\n").exit_code == 0
    monkeypatch.undo()
    entry = data(enrolled("audit", "list", "--action", "privacy.erase", "--json"))["entries"][0]
    assert (entry["details"]["reason"], entry["subject"]) == ("asked for it", "ERASED-1")


def test_no_face_is_enrolled_without_consent_by_default(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and what to do."""
    monkeypatch.delenv("SMARTABSEN_PRIVACY_CONSENT")
    image = np.full((240, 320, 3), 90, dtype=np.uint8)
    draw_face(image, 1, centre_xy=(160, 120), size_px=150)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    asked = ("enroll", "Siti", str(tmp_path / "a.png"), "--code", "E1")
    refused = run(*asked)
    assert refused.exit_code == 1 and "Siti has not agreed" in refused.stderr and "--consent" in refused.stderr
    assert run(*asked, "--consent").exit_code == 0


def test_reasons_are_in_the_record(enrolled: Run) -> None:
    """Of a deactivation, a new key, a copy for the person."""
    assert enrolled("employee", "deactivate", "E1", "--reason", "left", "--yes").exit_code == 0
    assert enrolled("keys", "rotate", "--reason", "yearly").exit_code == 0
    found = data(enrolled("audit", "list", "--json"))["entries"]
    reasons = {entry["action"]: entry["details"].get("reason") for entry in found}
    assert (reasons["employee.deactivate"], reasons["keys.rotate"]) == ("left", "yearly")
