"""Downloads: whole and verified, or not at all."""

import hashlib
import io
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from smartabsen.kernel.errors import ModelDamagedError, ModelError, StorageError
from smartabsen.upkeep.downloads import fetch

CONTENT = b"weights" * 100_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes | Exception) -> None:
    def urlopen(_request: Any, timeout: float) -> io.BytesIO:
        assert timeout > 0
        if isinstance(content, Exception):
            raise content
        return io.BytesIO(content)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)


def get(target: Path, url: str = "https://models.example/a.zip", **kwargs: Any) -> None:
    fetch(url, target, sha256=DIGEST, size_bytes=len(CONTENT), **kwargs)


def test_the_file_appears_whole_with_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was published is what lies there, and the last progress is the whole."""
    serve(monkeypatch, CONTENT)
    seen: list[tuple[int, int]] = []
    get(tmp_path / "new" / "a.zip", on_progress=lambda done, total: seen.append((done, total)))
    assert (tmp_path / "new" / "a.zip").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("answer", [b"<html>login</html>", CONTENT[:-1], CONTENT + b"x", CONTENT[:-1] + b"X"])
def test_other_bytes_are_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """A login page, a cut, a longer and a changed file are no model; a good file that was there stays."""
    (tmp_path / "a.zip").write_bytes(b"old")
    serve(monkeypatch, answer)
    with pytest.raises(ModelDamagedError):
        get(tmp_path / "a.zip")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.zip", b"old")]


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the address, the hint the way by hand."""
    serve(monkeypatch, urllib.error.URLError("no route to host"))
    with pytest.raises(ModelError, match=r"models\.example.*no route to host") as caught:
        get(tmp_path / "a.zip")
    assert "models path" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_only_https_is_fetched(tmp_path: Path) -> None:
    """A file:// or http:// address is refused before anything is opened."""
    with pytest.raises(ModelError, match="https"):
        get(tmp_path / "a.zip", url="file:///etc/hostname")


def test_a_directory_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    """A file where the directory should be is told as such."""
    (tmp_path / "models").write_text("a file")
    with pytest.raises(StorageError, match="models"):
        get(tmp_path / "models" / "a.zip")
