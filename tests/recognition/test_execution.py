"""What ONNX models run on: chosen by name or by a self-test, and the same numbers everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from smartabsen.kernel.errors import MissingDependencyError, ModelDamagedError, UnknownBackendError
from smartabsen.recognition import execution, runtime
from smartabsen.recognition.execution import (
    Execution,
    Trial,
    available_devices,
    choose_runtime,
    open_onnx,
    try_runtimes,
)

SLOPES = np.array([[[-0.5]], [[0.25]], [[1.5]]], dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small network of an open batch: (N, 3, 8, 8) -> (N, 192), a PReLU scaled by two."""
    nodes = [
        helper.make_node("PRelu", ["in", "slopes"], ["bent"]),
        helper.make_node("Mul", ["bent", "two"], ["scaled"]),
        helper.make_node("Flatten", ["scaled"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", 192])],
        [numpy_helper.from_array(np.array(2.0, dtype=np.float32), "two"), numpy_helper.from_array(SLOPES, "slopes")],
    )
    path = tmp_path / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize("name", execution.RUNTIMES)
def test_every_runtime_gives_the_same_numbers(model: Path, name: str) -> None:
    """What it runs on does not show in the result, and a result stays when the model runs again."""
    runner = open_onnx(model, threads=1, execution=Execution(runtime=name))
    blob = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    (first,) = runner.run(blob)
    runner.run(-blob)
    bent = np.where(blob > 0, blob, SLOPES * blob)
    assert np.allclose(first, 2 * bent.reshape(2, -1), atol=1e-6)
    assert (runner.runs_on.runtime, runner.runs_on.device) == (name, "cpu")


def test_a_model_without_anything_to_rewrite_runs_as_it_is(model: Path) -> None:
    """And the runner says so."""
    plain = onnx.load(model)
    plain.graph.node[0].op_type = "Mul"
    onnx.save(plain, model)
    runner = open_onnx(model, threads=1, execution=Execution(runtime="onnxruntime-rewritten"))
    assert runner.runs_on.runtime == "onnxruntime"
    assert [trial.runtime for trial in try_runtimes(model, threads=1)] == ["onnxruntime", "openvino"]


def test_auto_asks_what_is_faster_here(model: Path) -> None:
    """The answer is the installation's to remember; by itself ONNX Runtime is taken."""
    asked: list[tuple[Path, int]] = []

    def choose(path: Path, threads: int) -> str:
        asked.append((path, threads))
        return "openvino"

    assert open_onnx(model, threads=2, execution=Execution(device="cpu", choose=choose)).runs_on.runtime == "openvino"
    assert asked == [(model, 2)]
    assert open_onnx(model, threads=1, execution=Execution(device="cpu")).runs_on.runtime == "onnxruntime"


@pytest.mark.parametrize(
    ("exact", "has_bfloat16", "runtime"),
    [(False, True, "openvino"), (False, False, "onnxruntime"), (True, True, "onnxruntime")],
)
def test_auto_takes_bfloat16_only_where_it_may_and_can(
    model: Path, monkeypatch: pytest.MonkeyPatch, exact: bool, has_bfloat16: bool, runtime: str
) -> None:
    """A model that may be run inexactly goes to OpenVINO on a processor with bfloat16; others run as they did."""
    monkeypatch.setattr(execution, "has_bfloat16", lambda: has_bfloat16)
    runs_on = open_onnx(model, threads=1, execution=Execution(device="cpu", exact=exact)).runs_on
    assert runs_on.runtime == runtime


def test_a_device_that_is_not_there_gives_the_processor_and_says_so(model: Path) -> None:
    """Work goes on; the real device can be seen."""
    absent = next(name for name in ("coreml", "cuda") if name not in available_devices())
    assert open_onnx(model, threads=1, execution=Execution(device=absent)).runs_on.device == "cpu"


@pytest.mark.parametrize("wanted", [Execution(runtime="tensorflow"), Execution(device="tpu")])
def test_an_unknown_name_is_refused_with_the_known_ones(model: Path, wanted: Execution) -> None:
    """Who mistypes reads the right names."""
    with pytest.raises(UnknownBackendError, match="Known: auto, "):
        open_onnx(model, threads=1, execution=wanted)


def test_a_runtime_that_is_not_installed_says_what_to_install(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO is an extra."""
    monkeypatch.setattr(runtime, "find_spec", lambda _name: None)
    with pytest.raises(MissingDependencyError) as caught:
        open_onnx(model, threads=1, execution=Execution(runtime="openvino"))
    assert "smartabsen[openvino]" in caught.value.hint


def test_a_self_test_times_what_is_installed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its agreement to ONNX Runtime and the model as it is; without the extra only those of ONNX Runtime."""
    trials = {trial.runtime: trial for trial in try_runtimes(model, threads=1)}
    assert set(trials) == {"onnxruntime", "onnxruntime-rewritten", "openvino"}
    assert all(trial.milliseconds > 0 and trial.cosine > 0.99999 for trial in trials.values())
    monkeypatch.setattr(execution, "find_spec", lambda _name: None)
    assert {trial.runtime for trial in try_runtimes(model, threads=1)} == {"onnxruntime", "onnxruntime-rewritten"}


def test_a_self_test_of_what_is_no_model_names_the_file(tmp_path: Path) -> None:
    """A web page under a model's name is told as such."""
    path = tmp_path / "page.onnx"
    path.write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(ModelDamagedError, match=r"page\.onnx"):
        try_runtimes(path, threads=1)


@pytest.mark.parametrize(
    ("openvino", "chosen"),
    [
        (Trial("openvino", 8.0, 1.0), "openvino"),
        (Trial("openvino", 9.5, 1.0), "onnxruntime"),
        (Trial("openvino", 12.0, 1.0), "onnxruntime"),
        (Trial("openvino", 1.0, 0.9957), "onnxruntime"),
        (Trial("openvino", float("inf"), 0.0), "onnxruntime"),
    ],
    ids=["faster", "hardly faster", "slower", "other numbers", "failed"],
)
def test_the_faster_runtime_is_chosen_when_it_agrees(openvino: Trial, chosen: str) -> None:
    """Speed never buys other embeddings: the gallery was made with these."""
    assert choose_runtime([Trial("onnxruntime", 10.0, 1.0), openvino]) == chosen


@pytest.mark.shared
def test_real_embeddings_do_not_depend_on_the_runtime(models_dir: Path) -> None:
    """The reason why a template's identity does not name its runtime."""
    path = models_dir / "insightface" / "buffalo_sc" / "w600k_mbf.onnx"
    blob = np.random.default_rng(1).normal(0, 0.5, (3, 3, 112, 112)).astype(np.float32)
    one, *others = (
        open_onnx(path, threads=1, execution=Execution(runtime=name)).run(blob)[0] for name in execution.RUNTIMES
    )
    for other in others:
        cosines = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        assert cosines.min() > 0.999999


@pytest.mark.gpu
def test_a_gpu_is_used_where_it_is_asked_for(model: Path) -> None:
    """ONNX Runtime falls back silently; the runner must not."""
    if "cuda" not in available_devices():
        pytest.skip("no CUDA in the installed ONNX Runtime")
    assert open_onnx(model, threads=1, execution=Execution(device="cuda")).runs_on.device == "cuda"
