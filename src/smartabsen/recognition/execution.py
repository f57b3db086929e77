"""What an ONNX model runs on: ONNX Runtime or OpenVINO, on the processor or on a GPU.

ONNX Runtime is there twice: with the model as its file has it, and with what is slow in it rewritten
(:mod:`.prelu`). A file whose weights are packed is made plain first, for every runtime (:mod:`.float_weights`).

Which model is one question and what executes it another one. All of them compute in single precision: the numbers agree
to rounding (cosine 1.000000 between both runtimes with the real weights), so a template's identity does not depend on
the runtime, and a gallery may be used by machines that differ. bfloat16, which OpenVINO would take by itself on newer
processors, is faster and moves embeddings (cosine 0.9957 at worst over 20 photos of retail-0095); only detectors and
the engine ``open``, of which it was measured that it recognises people as well, are run in it (``docs/speed.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import FloatArray
from ..kernel.errors import SmartAbsenError, UnknownBackendError
from ..kernel.i18n import N_
from .onnx_file import read_onnx
from .runtime import RunsOn, find_openvino_facts, has_bfloat16, load_onnx, load_openvino_onnx, require_package

ONNXRUNTIME: Final = "onnxruntime"
REWRITTEN: Final = "onnxruntime-rewritten"
OPENVINO: Final = "openvino"
RUNTIMES: Final = (ONNXRUNTIME, REWRITTEN, OPENVINO)
CPU: Final = "cpu"
PROVIDERS: Final = {"cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider", CPU: "CPUExecutionProvider"}
"""Devices in the order in which ``auto`` takes them, and ONNX Runtime's names for them."""
LEAST_COSINE: Final = 0.9999
"""A runtime whose outputs are less like ONNX Runtime's than this is not chosen."""
CLEARLY: Final = 0.9
"""The part of ONNX Runtime's time that another runtime may take at most to be chosen."""
_ROUNDS: Final = 7
_OPEN_SIZES: Final = (1, 3, 480, 640)
"""What is tried where a model leaves a size open: one picture of a webcam."""

ChooseRuntime = Callable[[Path, int], str]
"""Names the runtime for a model file and a number of threads."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What ONNX models shall run on.

    Attributes:
        runtime: ``auto``, or one of :data:`RUNTIMES`.
        device: ``auto``, or one of :data:`PROVIDERS`. Devices other than the processor are ONNX Runtime's, with the
            model as its file has it.
        choose: Decides for ``auto``; by itself ONNX Runtime is taken.
        exact: Compute in single precision. Without, ``auto`` takes OpenVINO in bfloat16 where the processor has it.
    """

    runtime: str = "auto"
    device: str = "auto"
    choose: ChooseRuntime = lambda _path, _threads: ONNXRUNTIME
    exact: bool = True


class OnnxRunner(Protocol):
    """A loaded ONNX model with one input.

    Attributes:
        runs_on: What really executes it.
    """

    runs_on: RunsOn

    def run(self, blob: FloatArray) -> list[NDArray[Any]]:
        """Return its outputs, in the order of the file; they stay valid when it runs again."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """How one runtime did in a self-test.

    Attributes:
        runtime: Which.
        milliseconds: Of the processor, the shortest run; infinite where it failed. Time by the clock grows by what else
            the machine does, and a first start that chose by it on a busy day would be remembered.
        cosine: The least cosine of an output to ONNX Runtime's; 0 where it failed.
    """

    runtime: str
    milliseconds: float
    cosine: float


def open_onnx(path: Path, *, threads: int, execution: Execution) -> OnnxRunner:
    """Open an ONNX file on the runtime and the device that were asked for.

    A GPU that cannot be used gives the processor: ``runs_on`` of the result says so, and ``doctor`` does.

    Raises:
        UnknownBackendError: There is no such runtime or device.
        MissingDependencyError: The package of the runtime is not installed.
        ModelDamagedError: The file is no ONNX model.
    """
    _check_name(N_("runtime"), execution.runtime, RUNTIMES)
    _check_name(N_("device"), execution.device, tuple(PROVIDERS))
    device = _find_device(execution)
    runtime = execution.runtime
    if runtime == "auto":
        if device != CPU:
            runtime = ONNXRUNTIME
        else:
            runtime = execution.choose(path, threads) if execution.exact or not has_bfloat16() else OPENVINO
    if runtime == OPENVINO:
        return _OpenvinoRunner(path, threads=threads, exact=execution.exact)
    if runtime == REWRITTEN:
        from .prelu import rewrite_prelu

        return _OnnxruntimeRunner(path, threads=threads, device=CPU, rewritten=rewrite_prelu(path))
    return _OnnxruntimeRunner(path, threads=threads, device=device)


def _plain_bytes(path: Path) -> bytes | None:
    from .float_weights import plain_bytes

    return plain_bytes(path)


def try_runtimes(path: Path, *, threads: int) -> tuple[Trial, ...]:
    """Run a model a few times on each runtime that can, ONNX Runtime first; takes about a second.

    Raises:
        ModelDamagedError: The file is no ONNX model.
    """
    from .prelu import rewrite_prelu

    shape = [size or known for size, known in zip(read_onnx(path).inputs[0], _OPEN_SIZES, strict=True)]
    blob = np.random.default_rng(0).normal(0.0, 0.5, shape).astype(np.float32)
    runners: dict[str, OnnxRunner] = {ONNXRUNTIME: _OnnxruntimeRunner(path, threads=threads, device=CPU)}
    trials = []
    others: dict[str, Callable[[], OnnxRunner]] = {}
    rewritten = rewrite_prelu(path)
    if rewritten is not None:
        others[REWRITTEN] = partial(_OnnxruntimeRunner, path, threads=threads, device=CPU, rewritten=rewritten)
    if find_spec(OPENVINO) is not None:
        others[OPENVINO] = partial(_OpenvinoRunner, path, threads=threads)
    for name, load in others.items():
        try:
            runners[name] = load()
        except SmartAbsenError:
            trials.append(Trial(name, float("inf"), 0.0))
    outputs = {name: runner.run(blob) for name, runner in runners.items()}
    times: dict[str, list[float]] = {name: [] for name in runners}
    # In turns: what else the program does meets all of them alike.
    for _ in range(_ROUNDS):
        for name, runner in runners.items():
            start = process_time()
            runner.run(blob)
            times[name].append(1e3 * (process_time() - start))
    return (
        *(Trial(name, min(times[name]), _compare(outputs[name], outputs[ONNXRUNTIME])) for name in runners),
        *trials,
    )


def choose_runtime(trials: Sequence[Trial]) -> str:
    """Return the fastest runtime whose outputs agree; ONNX Runtime unless another one is clearly faster."""
    agreeing = {trial.runtime: trial.milliseconds for trial in trials if trial.cosine >= LEAST_COSINE}
    fastest = min(agreeing, key=lambda name: agreeing[name], default=ONNXRUNTIME)
    if agreeing.get(fastest, 0.0) > CLEARLY * agreeing.get(ONNXRUNTIME, float("inf")):
        return ONNXRUNTIME
    return fastest


class _OnnxruntimeRunner:
    def __init__(self, path: Path, *, threads: int, device: str, rewritten: bytes | None = None) -> None:
        providers = list(dict.fromkeys([PROVIDERS[device], PROVIDERS[CPU]]))
        model = rewritten if rewritten is not None else _plain_bytes(path)
        self._session: Any = load_onnx(path, threads=threads, providers=providers, rewritten=model)
        self._input = self._session.get_inputs()[0].name
        used = self._session.get_providers()[0]
        where = next((name for name, provider in PROVIDERS.items() if provider == used), used)
        precision = "mixed" if where == "coreml" else "f32"
        self.runs_on = RunsOn(ONNXRUNTIME if rewritten is None else REWRITTEN, where, precision)

    def run(self, blob: FloatArray) -> list[NDArray[Any]]:
        outputs: list[NDArray[Any]] = self._session.run(None, {self._input: blob})
        return outputs


class _OpenvinoRunner:
    def __init__(self, path: Path, *, threads: int, exact: bool = True) -> None:
        self._request: Any = load_openvino_onnx(path, threads=threads, plain=_plain_bytes(path), exact=exact)
        self._outputs: Any = self._request.get_compiled_model().outputs
        self.runs_on = find_openvino_facts(self._request)

    def run(self, blob: FloatArray) -> list[NDArray[Any]]:
        result = self._request.infer({0: np.ascontiguousarray(blob)}, share_inputs=True)
        # Results lie in the request's own memory.
        return [np.array(result[output]) for output in self._outputs]


def available_devices() -> tuple[str, ...]:
    """Return the devices that the installed ONNX Runtime was built for; whether they work shows at loading."""
    require_package(ONNXRUNTIME, install="smartabsen")
    import onnxruntime

    built_for = onnxruntime.get_available_providers()
    return tuple(name for name, provider in PROVIDERS.items() if provider in built_for)


def _find_device(execution: Execution) -> str:
    if execution.runtime in (OPENVINO, REWRITTEN):
        return CPU
    devices = available_devices()
    if execution.device == "auto":
        return devices[0] if devices else CPU
    return execution.device if execution.device in devices else CPU


def _check_name(kind: str, name: str, known: tuple[str, ...]) -> None:
    if name not in ("auto", *known):
        raise UnknownBackendError(
            N_("There is no {kind} named “{name}”. Known: {known}."),
            kind=kind,
            name=name,
            known=", ".join(("auto", *known)),
        )


def _compare(outputs: list[NDArray[Any]], reference: list[NDArray[Any]]) -> float:
    return min(_cosine(one.ravel(), other.ravel()) for one, other in zip(outputs, reference, strict=True))


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    if one.shape != other.shape:
        return 0.0
    one, other = one.astype(np.float64), other.astype(np.float64)
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0.0:
        return float(not one.any() and not other.any())
    return float(one @ other) / lengths
