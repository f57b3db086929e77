"""What an ONNX file takes and gives, and which operators it has: what tells models apart before one is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..kernel.reading import read_bytes
from .runtime import loading

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from onnx import TensorProto, ValueInfoProto

Shape: TypeAlias = tuple[int | None, ...]
"""Sizes of a tensor; None where the model leaves a size open."""


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
    with loading(path):
        import onnx
        from google.protobuf.message import DecodeError

        try:
            model = onnx.load_model_from_string(read_bytes(path))
        except DecodeError as exc:
            raise ValueError("it is cut off, or no ONNX file") from exc
        if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(model)):
            # Any path may be named there, also one out of the models directory.
            raise ValueError("its weights lie in another file; save the model with all its data inside")
        inputs, outputs = _shapes(model.graph.input), _shapes(model.graph.output)
        if not inputs or not outputs:
            raise ValueError("it describes no inputs and outputs")
        return OnnxFile(path, inputs, outputs, tuple(node.op_type for node in model.graph.node))


def _tensors(message: Message) -> Iterator[TensorProto]:
    """Yield the tensors of a message, wherever the format lets them stand: weights, attributes, branches, functions."""
    from onnx import TensorProto

    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        # A repeated field, or one message.
        for part in (value,) if hasattr(value, "ListFields") else value:
            if isinstance(part, TensorProto):
                yield part
            else:
                yield from _tensors(part)


def _shapes(values: Iterable[ValueInfoProto]) -> tuple[Shape, ...]:
    return tuple(tuple(size.dim_value or None for size in value.type.tensor_type.shape.dim) for value in values)
