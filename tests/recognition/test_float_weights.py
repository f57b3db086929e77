"""Weights in blocks of integers, and weights among the inputs, made plain: the same function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from smartabsen.kernel.errors import ModelDamagedError
from smartabsen.recognition.execution import Execution, open_onnx
from smartabsen.recognition.float_weights import plain_bytes
from smartabsen.recognition.runtime import load_onnx

ROWS, COLUMNS, BLOCK = 3, 10, 4


def write_model(path: Path, *, block: int, axis: int = 1, listed: bool = False, activations: bool = False) -> Path:
    """Write ``in (1, 10) @ W (3, 10).T`` with W as int8: one scale for each block, row or column."""
    rng = np.random.default_rng(0)
    shape = (ROWS, -(-COLUMNS // block)) if block else ((ROWS, COLUMNS)[axis],)
    weights = {
        "numbers": rng.integers(-127, 128, (ROWS, COLUMNS)).astype(np.int8),
        "scales": rng.uniform(0.01, 0.1, shape).astype(np.float32),
        "zeros": rng.integers(-5, 6, shape).astype(np.int8),
        "shape": np.array([ROWS, COLUMNS], dtype=np.int64),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["numbers", "scales", "zeros"], ["w"], axis=axis, block_size=block),
        helper.make_node("Reshape", ["w", "shape"], ["weights"]),
        helper.make_node("Dropout", ["in"], ["kept"]),
        helper.make_node("Gemm", ["kept", "weights"], ["out"], transB=1),
    ]
    if activations:
        nodes[2:3] = [
            helper.make_node("DynamicQuantizeLinear", ["in"], ["q", "s", "z"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["kept"]),
        ]
    given = [helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, COLUMNS])]
    if listed:
        given.append(helper.make_tensor_value_info("numbers", TensorProto.INT8, [ROWS, COLUMNS]))
        given.append(helper.make_tensor_value_info("left_over", TensorProto.FLOAT, [ROWS, COLUMNS]))
    graph = helper.make_graph(
        nodes,
        "g",
        given,
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, ROWS])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)
    return path


@pytest.mark.parametrize(("block", "axis"), [(BLOCK, 1), (0, 0), (0, 1)], ids=["blocks", "rows", "columns"])
def test_the_numbers_are_those_of_the_operator(tmp_path: Path, block: int, axis: int) -> None:
    """As ONNX Runtime computes them from the file; the last block of a row is a short one."""
    path = write_model(tmp_path / "a.onnx", block=block, axis=axis)
    before = path.read_bytes()
    plain = plain_bytes(path)
    assert plain is not None and path.read_bytes() == before
    assert {node.op_type for node in onnx.load_from_string(plain).graph.node} == {"Gemm"}
    blob = np.random.default_rng(1).normal(size=(1, COLUMNS)).astype(np.float32)
    (as_filed,), (as_plain,) = (
        load_onnx(path, threads=1, rewritten=model).run(None, {"in": blob}) for model in (None, plain)
    )
    assert np.allclose(as_filed, as_plain, atol=1e-5)


def test_weights_and_what_is_left_over_are_no_inputs(tmp_path: Path) -> None:
    """A model that lists them is opened with its one real input."""
    runner = open_onnx(write_model(tmp_path / "a.onnx", block=BLOCK, listed=True), threads=1, execution=Execution())
    (out,) = runner.run(np.ones((1, COLUMNS), dtype=np.float32))
    assert out.shape == (1, ROWS)


def test_a_model_that_computes_with_integers_stays(tmp_path: Path) -> None:
    """Its answers are its makers'."""
    assert plain_bytes(write_model(tmp_path / "a.onnx", block=BLOCK, activations=True)) is None


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    """The error has the path."""
    path = tmp_path / "page.onnx"
    path.write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(ModelDamagedError, match=r"page\.onnx"):
        plain_bytes(path)
