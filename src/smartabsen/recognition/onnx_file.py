"""What an ONNX file takes and gives, read from its description without loading the weights.

A pack of 500 MB is told apart in milliseconds this way, where opening each file as a session takes seconds. Only the
fields needed here are read; their numbers are those of ``onnx.proto`` in the encoding of Protocol Buffers
(https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from ..kernel.reading import open_file
from .runtime import loading

Shape: TypeAlias = tuple[int | None, ...]
"""Sizes of a tensor; None where the model leaves a size open."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_GRAPH, _MODEL_FUNCTION = 7, 25
_GRAPH_NODE, _GRAPH_WEIGHTS, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SPARSE_WEIGHTS = 1, 5, 11, 12, 15
_FUNCTION_NODE, _FUNCTION_DEFAULTS = 7, 11
_TENSOR_LOCATION, _EXTERNAL = 14, 1
_NODE_OPERATOR, _NODE_ATTRIBUTE = 4, 5
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE_TENSORS = (5, 10), (6, 11), (22, 23)
_SPARSE_PARTS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """The outside of an ONNX model.

    Attributes:
        path: The file.
        inputs: Shapes of its inputs.
        outputs: Shapes of its outputs.
        operators: Operator of each node, in order.
    """

    path: Path
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    operators: tuple[str, ...]

    @property
    def quantised(self) -> bool:
        """Whether it computes with integers, scaled by what the whole batch contains."""
        return any("Quantize" in name or "Integer" in name or name.startswith("QLinear") for name in self.operators)


def read_onnx(path: Path) -> OnnxFile:
    """Read the outside of an ONNX model.

    Raises:
        ModelDamagedError: The file is no ONNX model, is cut off, or has weights in another file.
    """
    with loading(path), open_file(path) as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _read_graph(path, data)


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a message: its number, and where its content lies (for an integer, the value itself)."""

    number: int
    start: int
    end: int
    integer: int | None


def _read_graph(path: Path, data: mmap.mmap) -> OnnxFile:
    # All of them, so that a file that is cut off behind the graph is noticed too.
    parts = list(_fields(data, _Field(0, 0, len(data), None)))
    graphs = [part for part in parts if part.number == _MODEL_GRAPH]
    if len(graphs) != 1:
        raise ValueError("it has no graph, or several")
    (graph,) = graphs
    _refuse_external(data, graph)
    for function in (part for part in parts if part.number == _MODEL_FUNCTION):
        for field in _fields(data, function):
            if field.number == _FUNCTION_NODE:
                _refuse_external_in_node(data, field)
            elif field.number == _FUNCTION_DEFAULTS:
                _refuse_external_in_attribute(data, field)
    inputs: list[Shape] = []
    outputs: list[Shape] = []
    operators: list[str] = []
    for field in _fields(data, graph):
        if field.number == _GRAPH_NODE:
            operator = _only(data, field, _NODE_OPERATOR)
            operators.append(data[operator.start : operator.end].decode())
        elif field.number == _GRAPH_INPUT:
            inputs.append(_shape(data, field))
        elif field.number == _GRAPH_OUTPUT:
            outputs.append(_shape(data, field))
    if not inputs or not outputs:
        raise ValueError("it describes no inputs and outputs")
    return OnnxFile(path=path, inputs=tuple(inputs), outputs=tuple(outputs), operators=tuple(operators))


def _refuse_external(data: mmap.mmap, graph: _Field) -> None:
    """Refuse weights that lie in another file, wherever in the graph a tensor may stand."""
    for field in _fields(data, graph):
        if field.number == _GRAPH_WEIGHTS:
            _refuse_external_tensor(data, field)
        elif field.number == _GRAPH_SPARSE_WEIGHTS:
            _refuse_external_sparse(data, field)
        elif field.number == _GRAPH_NODE:
            _refuse_external_in_node(data, field)


def _refuse_external_in_node(data: mmap.mmap, node: _Field) -> None:
    for attribute in _only_those(data, node, _NODE_ATTRIBUTE):
        _refuse_external_in_attribute(data, attribute)


def _refuse_external_in_attribute(data: mmap.mmap, attribute: _Field) -> None:
    for field in _fields(data, attribute):
        if field.number in _ATTRIBUTE_TENSORS:
            _refuse_external_tensor(data, field)
        elif field.number in _ATTRIBUTE_GRAPHS:
            _refuse_external(data, field)
        elif field.number in _ATTRIBUTE_SPARSE_TENSORS:
            _refuse_external_sparse(data, field)


def _refuse_external_sparse(data: mmap.mmap, sparse: _Field) -> None:
    for part in _fields(data, sparse):
        if part.number in _SPARSE_PARTS and part.integer is None:
            _refuse_external_tensor(data, part)


def _refuse_external_tensor(data: mmap.mmap, tensor: _Field) -> None:
    if any(part.integer == _EXTERNAL for part in _only_those(data, tensor, _TENSOR_LOCATION)):
        # Any path may be named there, also one out of the models directory.
        raise ValueError("its weights lie in another file; save the model with all its data inside")


def _only_those(data: mmap.mmap, message: _Field, number: int) -> Iterator[_Field]:
    return (field for field in _fields(data, message) if field.number == number)


def _shape(data: mmap.mmap, value_info: _Field) -> Shape:
    """ValueInfoProto.type (2) -> TypeProto.tensor_type (1) -> shape (2) -> dim (1) -> dim_value (1)."""
    tensor = _only(data, _only(data, value_info, 2), 1)
    sizes: list[int | None] = []
    for shape in _fields(data, tensor):
        if shape.number == 2:
            for dimension in _fields(data, shape):
                known = [field.integer for field in _fields(data, dimension) if field.number == 1]
                sizes.append(known[0] if known and known[0] else None)
    return tuple(sizes)


def _only(data: mmap.mmap, message: _Field, number: int) -> _Field:
    for field in _fields(data, message):
        if field.number == number:
            return field
    raise ValueError(f"a field is missing (number {number})")


def _fields(data: mmap.mmap, message: _Field) -> Iterator[_Field]:
    position = message.start
    while position < message.end:
        key, position = _varint(data, position, message.end)
        number, kind, integer, start = key >> 3, key & 7, None, position
        if kind == _VARINT:
            integer, position = _varint(data, position, message.end)
        elif kind == _BYTES:
            length, start = _varint(data, position, message.end)
            position = start + length
        elif kind in (_FIXED32, _FIXED64):
            position += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("it is no Protocol Buffers file")
        if number == 0 or position > message.end:
            raise ValueError("it is cut off, or no ONNX file")
        yield _Field(number, start, position, integer)


def _varint(data: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < 64:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("it is cut off, or no ONNX file")
