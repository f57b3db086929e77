"""PReLU rewritten: the same function, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from smartabsen.kernel.errors import ModelDamagedError
from smartabsen.recognition.prelu import rewrite_prelu
from smartabsen.recognition.runtime import load_onnx


def write_model(path: Path, slope: NDArray[np.float32]) -> Path:
    """Write two PReLUs of that slope, one behind the other: (1, 4, 6, 5) -> (1, 4, 6, 5)."""
    nodes = [helper.make_node("PRelu", [one, "slope"], [other]) for one, other in (("in", "half"), ("half", "out"))]
    graph = helper.make_graph(
        nodes,
        "prelu",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 4, 6, 5])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4, 6, 5])],
        [numpy_helper.from_array(slope, "slope")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), path)
    return path


def test_the_function_stays(tmp_path: Path) -> None:
    """For slopes below zero, between, and above one; and the file stays as it was."""
    slope = np.array([-0.7, 0.0, 0.3, 2.5], dtype=np.float32).reshape(4, 1, 1)
    path = write_model(tmp_path / "a.onnx", slope)
    before = path.read_bytes()
    rewritten = rewrite_prelu(path)
    assert rewritten is not None and path.read_bytes() == before
    assert "PRelu" not in {node.op_type for node in onnx.load_from_string(rewritten).graph.node}
    blob = np.random.default_rng(0).normal(size=(1, 4, 6, 5)).astype(np.float32)
    (original,), (other,) = (
        load_onnx(path, threads=1, rewritten=model).run(None, {"in": blob}) for model in (None, rewritten)
    )
    assert np.allclose(original, other, atol=1e-5)


@pytest.mark.parametrize("shape", [(1,), (5,), (4, 6, 5), (1, 4, 1, 1)])
def test_slopes_of_other_shapes_stay(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """What is not one slope for each channel cannot be written as a convolution."""
    assert rewrite_prelu(write_model(tmp_path / "a.onnx", np.full(shape, 0.5, dtype=np.float32))) is None


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    """The error has the path."""
    path = tmp_path / "page.onnx"
    path.write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(ModelDamagedError, match=r"page\.onnx"):
        rewrite_prelu(path)
