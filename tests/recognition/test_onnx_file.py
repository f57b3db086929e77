"""The outside of ONNX files, without the library that knows all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from smartabsen.kernel.errors import ModelDamagedError
from smartabsen.recognition.onnx_file import read_onnx

Shape = list[int | str]


def write_model(path: Path, inputs: list[Shape], outputs: list[Shape], operators: tuple[str, ...] = ("Relu",)) -> Path:
    """Write a file that describes such a model, with some weights; what it computes does not matter."""
    given = [helper.make_tensor_value_info(f"in{i}", TensorProto.FLOAT, shape) for i, shape in enumerate(inputs)]
    made = [helper.make_tensor_value_info(f"out{i}", TensorProto.FLOAT, shape) for i, shape in enumerate(outputs)]
    nodes = [helper.make_node(name, ["in0"], ["out0"]) for name in operators]
    weights = [helper.make_tensor("weights", TensorProto.FLOAT, [4000], [0.5] * 4000)]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", given, made, weights)), path)
    return path


def test_shapes_and_operators_are_read(tmp_path: Path) -> None:
    """Sizes that a model leaves open are None."""
    path = write_model(tmp_path / "a.onnx", [["N", 3, 112, 112]], [["N", 512], [7, 0]], ("Conv", "PRelu"))
    model = read_onnx(path)
    assert model.inputs == ((None, 3, 112, 112),)
    assert model.outputs == ((None, 512), (7, None))
    assert model.operators == ("Conv", "PRelu")
    assert not model.quantised


@pytest.mark.parametrize("operator", ["DynamicQuantizeLinear", "ConvInteger", "QLinearConv"])
def test_a_quantised_model_is_recognised(tmp_path: Path, operator: str) -> None:
    """By the operators that compute with integers."""
    assert read_onnx(write_model(tmp_path / "a.onnx", [[1]], [[1]], ("Conv", operator))).quantised


@pytest.mark.parametrize(
    "content",
    [b"", b"<!DOCTYPE html><html><body>404</body></html>" * 50, bytes(5000), b"\xff" * 5000, b"PK\x03\x04" * 1000],
    ids=["empty", "web page", "zeros", "ones", "zip"],
)
def test_what_is_no_onnx_file_is_named(tmp_path: Path, content: bytes) -> None:
    """The error has the path."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelDamagedError, match=r"model\.onnx"):
        read_onnx(path)


@pytest.mark.parametrize("cut", [1, 100, 10_000, 16_000])
def test_a_download_that_stopped_is_noticed(tmp_path: Path, cut: int) -> None:
    """Even when only the last weights are missing, which the description says nothing of."""
    path = write_model(tmp_path / "model.onnx", [[1, 3, 8, 8]], [[1, 4]])
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ModelDamagedError, match="cut off"):
        read_onnx(path)


def external() -> TensorProto:
    """A tensor whose numbers lie in another file."""
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [1], [0.5])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


def with_weights(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(external())


def with_constant(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=external()))


def with_sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().values.CopyFrom(external())


def with_branch(model: onnx.ModelProto) -> None:
    branch = helper.make_graph([helper.make_node("Constant", [], ["c"], value=external())], "branch", [], [])
    model.graph.node.append(helper.make_node("If", ["in0"], ["c"], then_branch=branch))


def with_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="f").node.append(helper.make_node("Constant", [], ["c"], value=external()))


def with_default(model: onnx.ModelProto) -> None:
    model.functions.add(name="f").attribute_proto.append(helper.make_attribute("a", external()))


@pytest.mark.parametrize(
    "put",
    [with_weights, with_constant, with_sparse, with_branch, with_function, with_default],
    ids=lambda put: put.__name__,
)
def test_weights_in_another_file_are_refused_wherever_they_stand(
    tmp_path: Path, put: Callable[[onnx.ModelProto], None]
) -> None:
    """The other file may be any file of this machine."""
    path = write_model(tmp_path / "a.onnx", [[1]], [[1]])
    model = onnx.load(path)
    put(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelDamagedError, match="weights lie in another file"):
        read_onnx(path)


def test_a_second_graph_is_refused(tmp_path: Path) -> None:
    """Readers of Protocol Buffers merge the two: what was looked at is not what would run."""
    path = write_model(tmp_path / "a.onnx", [[1]], [[1]])
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(ModelDamagedError, match="several"):
        read_onnx(path)


@pytest.mark.shared
def test_it_reads_what_the_onnx_library_reads(models_dir: Path) -> None:
    """On all real files, without taking the weights into memory."""
    paths = sorted(models_dir.rglob("*.onnx"))
    assert len(paths) >= 6
    for path in paths:
        graph = onnx.load(path).graph
        model = read_onnx(path)
        for ours, theirs in ((model.inputs, graph.input), (model.outputs, graph.output)):
            sizes = [tuple(dim.dim_value or None for dim in value.type.tensor_type.shape.dim) for value in theirs]
            assert list(ours) == sizes
        assert list(model.operators) == [node.op_type for node in graph.node]
