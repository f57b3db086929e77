"""What people install is what is tested: the built wheel, alone in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .conftest import missing

ROOT = Path(__file__).parents[1]
SCRIPT = '''
from pathlib import Path

from smartabsen import PunchResult, SmartAbsen, SmartAbsenError


def record(home: Path, code: str) -> PunchResult | None:
    """Record a punch by hand."""
    with SmartAbsen.open(flags={"home": str(home)}) as app:
        try:
            return app.punch(code, note="forgot")
        except SmartAbsenError as error:
            print(error.code, error.exit_code)
            return None
'''
"""What a user's own program may look like."""

pytestmark = pytest.mark.slow


class Installed:
    """The wheel in an empty environment, which borrows other packages from this one."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=os.name == "posix")
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        packages = Path(self.run("-c", "import site; print(site.getsitepackages()[-1])").stdout.strip())
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
        # Only their folders: a line of a .pth file there, such as that of an editable installation, is not followed.
        borrowed = [path for path in sys.path if Path(path).name == "site-packages"]
        (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python there, far from the sources."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("SMARTABSEN", "PYTHON"))
        }
        return subprocess.run(
            [str(self.python), *arguments],
            env={**environment, "SMARTABSEN_LANGUAGE": "en", **variables},
            cwd=self.python.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=1_200,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it as ``pip install`` does; the build backend is among the packages for development."""
    if find_spec("hatchling") is None:
        missing("no hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed") / "environment", wheel)


def test_the_wheel_is_what_runs(installed: Installed) -> None:
    """The package comes from the wheel, with its catalogues, pages and scripts for the database."""
    found = installed.run("-c", "import smartabsen; print(smartabsen.__file__)").stdout.strip()
    assert Path(found).is_relative_to(installed.python.parents[1])
    assert installed.run("-m", "smartabsen", "--version").returncode == 0
    helps = {installed.run("-m", "smartabsen", "--help", SMARTABSEN_LANGUAGE=each).stdout for each in ("en", "id")}
    assert len(helps) == 2


def test_a_home_is_made_and_used_by_what_is_installed(installed: Installed, tmp_path: Path) -> None:
    """Every migration is in the wheel, and the commands that need no face work."""
    home = {"SMARTABSEN_HOME": str(tmp_path / "home"), "SMARTABSEN_ENGINE": "fake"}
    assert installed.run("-m", "smartabsen", "enroll", "Contoh", "--no-photos", "--code", "E1", **home).returncode == 0
    done = installed.run("-m", "smartabsen", "punch", "E1", "--json", **home)
    assert json.loads(done.stdout)["status"] == "ok", done.stderr


def test_no_test_and_no_benchmark_is_in_the_wheel(wheel: Path) -> None:
    """Only the package and what the packaging tools write."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"smartabsen"}


@pytest.mark.parametrize(
    ("line", "wrong"), [("", ""), ("number: int = record(Path('home'), 'E1')\n", "Incompatible types in assignment")]
)
def test_mypy_checks_a_users_script_against_it(installed: Installed, tmp_path: Path, line: str, wrong: str) -> None:
    """Strictly, and it knows what a call returns."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + line, encoding="utf-8")
    command = ["-m", "mypy", "--strict", "--python-executable", str(installed.python), "--no-incremental", "script.py"]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
    )
    assert (done.returncode, wrong in done.stdout) == (1 if wrong else 0, True), done.stdout


@pytest.mark.shared
def test_the_demonstration_runs(installed: Installed, models_dir: Path, tmp_path: Path) -> None:
    """All six are recorded, and the stranger is refused."""
    done = installed.run(
        "-m", "smartabsen", "demo", "--engine", "sface", "--keep", str(tmp_path / "home"), "--json",
        SMARTABSEN_MODELS_DIR=str(models_dir),
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)["data"]
    assert (report["recorded"], report["refused"] > 0) == (6, True)
