"""Static files, and how much of an answer travels.

All files lie in one folder whose name is made of their contents, so browsers keep them for ever and never ask again;
modules that import each other by a relative path stay in it. A new release has a new folder.
"""

from __future__ import annotations

import gzip
import io
import mimetypes
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from flask import Flask, abort, request
from werkzeug.wrappers import Response

from .admin.access import ROUTES as ADMIN_ROUTES

ENDPOINT: Final = "static"
_FOREVER: Final = "public, max-age=31536000, immutable"
_SHORT: Final = "public, max-age=300"
_OWN: Final = Path(__file__).parent / "static"
_BOOTSTRAP: Final = "static/bootstrap5/css/bootstrap.min.css"
_LEAST_BYTES: Final = 860
"""Below it a packed answer is hardly smaller; everything fits into one packet."""


@dataclass(frozen=True)
class Asset:
    """A file that does not change while the server runs."""

    content: bytes
    content_type: str

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip; packed once, where somebody asks for it."""
        return gzip.compress(self.content, 9, mtime=0)

    @cached_property
    def etag(self) -> str:
        """What tells this content from any other."""
        return sha256(self.content).hexdigest()[:32]


class Assets:
    """All static files: our own, and the style sheet that Bootstrap's package brings for the dashboard."""

    def __init__(self) -> None:
        self._files = {name: Asset(path.read_bytes(), _type_of(name)) for name, path in _find_files()}
        digest = sha256()
        for name, asset in sorted(self._files.items()):
            digest.update(f"{name} {asset.etag}\n".encode())
        self.version = digest.hexdigest()[:16]

    def find(self, name: str) -> Asset | None:
        """Return a file by its name."""
        return self._files.get(name)


def init_app(app: Flask) -> None:
    """Answer the static files, let ``url_for("static", ...)`` lead to the folder of today, and pack pages."""
    assets = Assets()

    def answer(filename: str, version: str = "") -> Response:
        asset = assets.find(filename)
        if asset is None:
            abort(404)
        return _answer(asset, kept=version == assets.version)

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == ENDPOINT:
            values.setdefault("version", assets.version)

    app.add_url_rule("/static/<path:filename>", ENDPOINT, answer)
    app.add_url_rule("/static/v-<version>/<path:filename>", ENDPOINT, answer)
    app.url_defaults(add_version)
    app.after_request(_pack_page)


def _find_files() -> Iterator[tuple[str, Path]]:
    for path in _OWN.iterdir():
        if path.is_file():
            yield path.name, path
    package = find_spec("flask_bootstrap")
    assert package is not None and package.origin is not None, "it is a dependency"
    bootstrap = Path(package.origin).parent / _BOOTSTRAP
    yield bootstrap.name, bootstrap


def _type_of(name: str) -> str:
    # Windows asks its registry, where any program may have written another type for .js.
    known = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
    return known.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _answer(asset: Asset, *, kept: bool) -> Response:
    packed = _accepts_gzip()
    response = Response(asset.packed if packed else asset.content, content_type=asset.content_type)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = _FOREVER if kept else _SHORT
    response.set_etag(f"{asset.etag}{'-gzip' if packed else ''}")
    response.make_conditional(request)
    return response


def _pack_page(response: Response) -> Response:
    """Pack a page for visitors.

    Pages of the dashboard are sent as they are: they show what was searched for beside data of people, and the length
    of what is packed together tells about it (BREACH). Pages for visitors repeat nothing that another site could
    choose beside a secret that stays the same: token, number and code are new each time, and the CSRF token is signed
    anew. Their length varies all the same.
    """
    wanted = response.mimetype == "text/html" and request.endpoint not in ADMIN_ROUTES
    if not wanted or response.is_streamed or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    content = response.get_data()
    if len(content) >= _LEAST_BYTES and _accepts_gzip():
        response.set_data(_pack(content))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _pack(content: bytes) -> bytes:
    # The name of the file, which nobody reads, makes the length vary ("Heal the BREACH", Palacios and others, 2022).
    name = "x" * (1 + secrets.randbelow(64))
    packed = io.BytesIO()
    with gzip.GzipFile(filename=name, mode="wb", fileobj=packed, compresslevel=6, mtime=0) as file:
        file.write(content)
    return packed.getvalue()


def _accepts_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0
