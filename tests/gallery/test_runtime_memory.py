"""Self-tests of runtimes are made once for each model and machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smartabsen import SmartAbsen
from smartabsen.gallery import runtime_memory
from smartabsen.gallery.runtime_memory import FILE_NAME, RuntimeMemory
from smartabsen.kernel.domain import CheckLevel
from smartabsen.recognition.execution import Trial


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def tests_made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stand in for the self-test: OpenVINO is the faster one; return the files it was made on."""
    made: list[Path] = []

    def pretend(path: Path, *, threads: int) -> tuple[Trial, ...]:
        made.append(path)
        return Trial("onnxruntime", 10.0, 1.0), Trial("openvino", 5.0, 1.0)

    monkeypatch.setattr(runtime_memory, "try_runtimes", pretend)
    return made


def test_a_self_test_is_made_once(tmp_path: Path, model: Path, tests_made: list[Path]) -> None:
    """The next process, and the next use, read what the first one found."""
    home = tmp_path / "home"
    assert [RuntimeMemory(home).choose(model, 1) for _ in range(3)] == ["openvino"] * 3
    assert tests_made == [model]


def test_another_model_or_other_threads_are_tried_anew(tmp_path: Path, model: Path, tests_made: list[Path]) -> None:
    """What was measured holds for what was measured."""
    memory = RuntimeMemory(tmp_path / "home")
    memory.choose(model, 1)
    memory.choose(model, 2)
    model.write_bytes(b"other weights")
    memory.choose(model, 1)
    assert len(tests_made) == 3


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}'])
def test_a_damaged_file_costs_a_new_test(tmp_path: Path, model: Path, tests_made: list[Path], content: str) -> None:
    """It is replaced, and nothing else happens."""
    (tmp_path / FILE_NAME).write_text(content)
    assert RuntimeMemory(tmp_path).choose(model, 1) == "openvino"
    assert any("openvino" in str(value) for value in json.loads((tmp_path / FILE_NAME).read_text()).values())


def test_a_home_that_cannot_be_written_works_all_the_same(tmp_path: Path, model: Path, tests_made: list[Path]) -> None:
    """The test is then made by each process."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert RuntimeMemory(blocked).choose(model, 1) == "openvino"


def runtimes(flags: dict[str, object]) -> list[tuple[CheckLevel, dict[str, str]]]:
    with SmartAbsen.open(flags=flags) as app:
        checks = [check for check in app.check_health() if check.name == "runtime"]
    return [(check.level, dict(check.params)) for check in checks if "part" in dict(check.params)]


def test_doctor_fails_where_the_wanted_gpu_is_not_used(flags: dict[str, object]) -> None:
    """Runtimes fall back in silence, engines know no device; who paid for a GPU wants to know."""
    for device, level in (("auto", CheckLevel.OK), ("cpu", CheckLevel.OK), ("cuda", CheckLevel.FAIL)):
        found = runtimes({**flags, "recognition.device": device})
        assert [each[0] for each in found] == [level, level], device


@pytest.mark.shared
def test_doctor_shows_what_the_openvino_engine_runs_on(flags: dict[str, object], models_dir: Path) -> None:
    """It has one device: another one that was asked for is a failure. Embeddings are of single precision."""
    real = {**flags, "engine": "openvino", "models_dir": str(models_dir)}
    (_, detector), (level, embedder) = runtimes(real)
    assert (level, embedder["device"], embedder["precision"]) == (CheckLevel.OK, "cpu", "f32")
    assert detector["precision"] in ("f32", "bf16")
    assert [level for level, _ in runtimes({**real, "recognition.device": "cuda"})] == [CheckLevel.FAIL] * 2
