"""ONNX models made plain: weights as the single-precision numbers they stand for, and not among the graph's inputs.

Some published files keep weights as integers of 8 bits with one scale for each block of a row (``DequantizeLinear``
with ``block_size``, opset 21), and list weights as inputs that a caller could give. ONNX Runtime asks for those inputs
and restores the weights at each run (SFace: 42 ms; plain: 25), and OpenVINO refuses blocked scales. What is computed
here is what the operator's definition says, once, when the model is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, load, numpy_helper

from .onnx_file import read_onnx
from .runtime import loading

_PACKED: Final = "DequantizeLinear"
_COMPUTES_WITH_INTEGERS: Final = frozenset({"QuantizeLinear", "DynamicQuantizeLinear"})
_DROPPED: Final = "Dropout"
"""Does nothing when a model is used, and only then is it run here."""


def read_plain(path: Path) -> tuple[ModelProto, bool]:
    """Read an ONNX model and make it plain.

    Args:
        path: An ONNX file with all its weights inside; it stays as it is.

    Returns:
        The model, and whether it differs from the file.

    Raises:
        ModelDamagedError: The file is no ONNX model.
    """
    with loading(path):
        model: ModelProto = load(path, load_external_data=False)
        graph = model.graph
        folded = _fold(graph)
        hidden = _hide_weights(graph)
        return model, folded or hidden


def plain_bytes(path: Path) -> bytes | None:
    """Return the plain model as the content of an ONNX file; None where the file is plain already.

    Raises:
        ModelDamagedError: The file is no ONNX model.
    """
    outside = read_onnx(path)
    if len(outside.inputs) == 1 and _PACKED not in outside.operators:
        return None
    model, changed = read_plain(path)
    return bytes(model.SerializeToString()) if changed else None


def _fold(graph: GraphProto) -> bool:
    """Compute weights that the graph would restore from integers at each run.

    A graph that makes integers of its activations too computes with them, and stays as it is.
    """
    if any(node.op_type in _COMPUTES_WITH_INTEGERS for node in graph.node):
        return False
    known: dict[str, NDArray[Any]] = {}
    weights = {one.name: one for one in graph.initializer}

    def value(name: str) -> NDArray[Any] | None:
        if name in known:
            return known[name]
        return numpy_helper.to_array(weights[name]) if name in weights else None

    nodes: list[NodeProto] = []
    renamed: dict[str, str] = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in renamed:
                node.input[place] = renamed[name]
        inputs = [array for name in node.input if (array := value(name)) is not None]
        is_constant = len(inputs) == len(node.input)
        if node.op_type == _PACKED and is_constant:
            known[node.output[0]] = _dequantize(node, *inputs)
        elif node.op_type == "Reshape" and is_constant:
            known[node.output[0]] = inputs[0].reshape([int(size) for size in inputs[1]])
        elif node.op_type == _DROPPED:
            renamed[node.output[0]] = node.input[0]
        else:
            nodes.append(node)
    if not known:
        return False
    used = {name for node in nodes for name in node.input}
    kept = [one for name, one in weights.items() if name in used]
    folded = [numpy_helper.from_array(array, name) for name, array in known.items() if name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *folded])
    return True


def _hide_weights(graph: GraphProto) -> bool:
    """Take weights, and inputs that nothing uses, out of the list of inputs."""
    weights = {one.name for one in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    real = [one for one in graph.input if one.name in used and one.name not in weights]
    if len(real) == len(graph.input):
        return False
    del graph.input[:]
    graph.input.extend(real)
    return True


def _dequantize(
    node: NodeProto, numbers: NDArray[Any], scales: NDArray[Any], zero_points: NDArray[Any] | None = None
) -> NDArray[np.float32]:
    """Return ``(numbers - zero_points) * scales`` as ``DequantizeLinear`` of opset 21 defines it.

    Scales are one number, one for each slice along ``axis``, or one for each block of ``block_size`` along it.
    """
    settings = {one.name: one.i for one in node.attribute}
    axis, block = settings.get("axis", 1), settings.get("block_size", 0)

    def spread(each: NDArray[Any]) -> NDArray[Any]:
        if each.ndim == 0 or each.size == 1:
            return each.reshape(())
        if block:
            return np.take(np.repeat(each, block, axis=axis), np.arange(numbers.shape[axis]), axis=axis)
        return each.reshape([-1 if place == axis % numbers.ndim else 1 for place in range(numbers.ndim)])

    shifted = numbers.astype(np.int32) - (spread(zero_points).astype(np.int32) if zero_points is not None else 0)
    plain: NDArray[np.float32] = (shifted.astype(np.float32) * spread(scales)).astype(np.float32)
    return plain
