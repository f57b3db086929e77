"""The benchmarks measure what they say; how fast things are is never asserted."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import pytest
from bench import greeting, startup
from bench.__main__ import PARTS, Part, Section, parse_names, run
from bench.pictures import gallery_photos, read

from smartabsen import SmartAbsen


@pytest.mark.shared
@pytest.mark.slow
def test_who_walks_up_to_a_watched_kiosk_is_greeted(
    shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the watch of a live camera and the model of liveness, whatever time the machine takes."""
    monkeypatch.setattr(greeting, "PATIENCE_S", 300.0)
    people = gallery_photos(shared_dir)[:2]
    flags = {"home": str(tmp_path), "engine": "openvino", "models_dir": str(shared_dir / "models")}
    with SmartAbsen.open(flags={**flags, "liveness.threshold": "0.0"}) as app:
        for number, photos in enumerate(people):
            app.enrol(f"Contoh {number}", photos[:4], code=f"E{number}", consent=True)
        app.train()
        (greeted,) = greeting.measure(app, [[cv2.resize(read(people[0][4]), (380, 380))]], watched=True)
    assert greeted.greeted == 1


def test_parts_are_named_in_a_list() -> None:
    """Unknown names are refused with those that exist."""
    assert parse_names("matching, startup") == ("matching", "startup")
    with pytest.raises(argparse.ArgumentTypeError, match=r"no such part: speed\. Known: startup"):
        parse_names("matching,speed")


def test_each_part_is_a_module_with_a_command_line() -> None:
    """Every part can be run as `python -m bench.NAME`."""
    folder = Path(startup.__file__).parent
    assert [part.name for part in PARTS if not (folder / f"{part.name}.py").is_file()] == []


def test_a_part_without_its_photos_is_skipped_and_fails(tmp_path: Path) -> None:
    """A report without a part must not look like a whole one."""
    section = run(Part("accuracy", "Accuracy", needs_shared=True), quick=True, shared=tmp_path)
    assert section == Section(
        "## Accuracy\n\n**Skipped: there are no weights and photos in ../shared (or BENCH_SHARED).**\n", passed=False
    )


def test_a_part_that_fails_says_so(tmp_path: Path) -> None:
    """Its exit code stands in the report, and the whole run fails."""
    section = run(Part("matching", "Matching", quick=("--no-such-option",)), quick=True, shared=tmp_path)
    assert not section.passed
    assert "**Failed with exit code 2.**" in section.text
