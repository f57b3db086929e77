"""The base installation, which has no dlib: the program in processes in which its packages cannot be found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smartabsen import SmartAbsen

ABSENT = '''
import sys

class WithoutDlib:
    """Stands before the finder of installed packages; to it these are not installed."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"dlib", "_dlib_pybind11", "face_recognition_models"}:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [WithoutDlib(one) if "PathFinder" in str(one) else one for one in sys.meta_path]
'''


class Installation:
    """The program without dlib, on a home and a models directory with SFace's files only."""

    def __init__(self, folder: Path, models_dir: Path) -> None:
        self.home = folder / "home"
        self.models_dir = folder / "models"
        self.models_dir.mkdir()
        (self.models_dir / "sface").symlink_to(models_dir / "sface")
        (folder / "python").mkdir()
        (folder / "python" / "sitecustomize.py").write_text(ABSENT)
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(folder / "python"), os.environ.get("PYTHONPATH")])),
            "SMARTABSEN_HOME": str(self.home),
            "SMARTABSEN_MODELS_DIR": str(self.models_dir),
            "SMARTABSEN_LANGUAGE": "en",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program."""
        return subprocess.run(
            [sys.executable, "-m", "smartabsen", *arguments],
            env=self._environment, capture_output=True, text=True, check=False, timeout=1_200,
        )  # fmt: skip

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed, and return its data."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, (done.stdout, done.stderr)
        return json.loads(done.stdout)["data"]


@pytest.fixture
def installation(tmp_path: Path, models_dir: Path) -> Installation:
    return Installation(tmp_path, models_dir)


def people(lfw_dir: Path, count: int) -> list[list[Path]]:
    """Return three photos of each of so many people."""
    folders = [sorted(folder.glob("*.jpg")) for folder in sorted(lfw_dir.iterdir()) if folder.is_dir()]
    return [files[:3] for files in folders if len(files) >= 3][:count]


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("detector", ["auto", "haar"])
def test_the_whole_work_is_done_with_sface(installation: Installation, lfw_dir: Path, detector: str) -> None:
    """Enrol, train and recognise; Haar in front takes its landmarks from YuNet."""
    two = people(lfw_dir, 2)
    for number, files in enumerate(two, start=1):
        report = installation.json(
            "enroll", f"Contoh {number}", *map(str, files[:2]), "--code", f"E{number}", "--consent",
            "--detector", detector,
        )  # fmt: skip
        assert report["accepted"] >= 1, report
    assert installation.json("train")["activated"]
    seen = installation.json("recognize", *(str(files[2]) for files in two), "--detector", detector)
    codes = [face["employee"]["code"] for picture in seen["images"] for face in picture["faces"] if face["employee"]]
    assert codes == ["E1", "E2"]


@pytest.mark.shared
@pytest.mark.slow
def test_doctor_and_the_list_of_models_know_that_dlib_is_not_there(installation: Installation) -> None:
    """No check crashes; the engine that is taken is SFace, and the better one is named with its lines."""
    checks = {row["name"]: row for row in json.loads(installation.run("doctor", "--json").stdout)["data"]["checks"]}
    assert checks["engine"]["level"] == "ok" and checks["engine"]["detail"].startswith("sface:")
    assert "smartabsen models pull open" in checks["stronger"]["fix"]
    assert {pack["name"]: pack["state"] for pack in installation.json("models", "list")["models"]}["dlib"] == "missing"
    pulled = installation.run("models", "pull", "dlib")
    assert pulled.returncode == 1 and "pip install 'smartabsen[dlib]'" in pulled.stderr


@pytest.mark.shared
@pytest.mark.slow
def test_a_home_of_dlib_says_what_to_install_and_is_led_over(installation: Installation, lfw_dir: Path) -> None:
    """One clear line with both ways; the comparison needs no dlib."""
    flags = {"home": str(installation.home), "models_dir": str(installation.models_dir), "engine": "dlib"}
    two = people(lfw_dir, 2)
    with SmartAbsen.open(flags=flags) as app:
        for number, files in enumerate(two, start=1):
            app.enrol(f"Contoh {number}", files[:2], code=f"E{number}", consent=True)
        app.train()
    refused = installation.run("recognize", str(two[0][2]))
    assert refused.returncode == 3
    assert "pip install 'smartabsen[dlib]'" in refused.stderr and "smartabsen reembed --engine sface" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert installation.run("reembed", "--engine", "sface", "--yes").returncode == 0
    seen = installation.json("recognize", str(two[0][2]))
    assert seen["images"][0]["faces"][0]["employee"]["code"] == "E1"


@pytest.mark.shared
@pytest.mark.slow
def test_the_demonstration_runs(installation: Installation) -> None:
    """All six are recorded and the stranger is refused; without its files nothing is said of the liveness check."""
    report = installation.json("demo", "--engine", "sface")
    assert (report["engine"], report["recorded"], report["refused"] > 0) == ("sface", 6, True)
    assert report["photograph_refused"] is None
