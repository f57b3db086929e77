"""The house rules of DESIGN.md that a reader of the sources can check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "smartabsen"

_BOTTOM = {"_version", "dates", "domain", "driver_threads", "errors", "i18n", "locking", "reading", "registry"}
_BACKENDS = {"recognition", "camera", "qr", "attendance", "store"}
_FACES = {"cli", "web"}
MAY_IMPORT: dict[str, set[str]] = {
    "_version": set(),
    "errors": set(),
    "domain": set(),
    "driver_threads": set(),
    "locking": set(),
    "i18n": {"errors"},
    "registry": {"errors", "i18n"},
    "reading": {"errors", "i18n"},
    "dates": {"errors", "i18n"},
    "messages": {"domain", "i18n"},
    "config": {"domain", "errors", "i18n", "reading"},
    **dict.fromkeys(_BACKENDS, _BOTTOM),
    "core": _BOTTOM | _BACKENDS | {"config", "messages"},
    **{face: _BOTTOM | {"config", "core", "messages"} for face in _FACES},
    # The package itself: its lazy public API, and `python -m smartabsen`.
    "": _BOTTOM | {"config", "core", "camera", "qr"},
    "__main__": {"cli"},
}
"""Each part of the package, and the parts that it may import."""

MAY_IMPORT_TOO = {"cli.serve_view": {"web"}}
"""Modules that may import more than their part: what starts the web server."""

OWNERS: dict[str, set[str]] = {
    "typer": {"cli"},
    "rich": {"cli"},
    "flask": {"web"},
    "flask_babel": {"web"},
    "flask_bootstrap": {"web"},
    "flask_wtf": {"web"},
    "werkzeug": {"web"},
    "gunicorn": {"web"},
    "bcrypt": {"store"},
    "cryptography": {"store"},
    "pyrage": {"store"},
    "redis": {"store"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "insightface": {"recognition"},
    "onnx": {"recognition"},
    "onnxruntime": {"recognition"},
    "openvino": {"recognition"},
    "dlib": {"recognition"},
    "_dlib_pybind11": {"recognition"},
    "face_recognition_models": {"recognition"},
    "sklearn": {"recognition"},
    "faiss": {"recognition"},
    "threadpoolctl": {"recognition"},
    "qrcode": {"qr"},
    "cv2": {"recognition", "camera", "qr"},
    "openpyxl": {"store"},
    "pydantic": {"config"},
    "pymysql": set(),
    # Typer carries a click of its own, Flask uses another one.
    "click": set(),
    # Loading a pickle runs whatever it holds.
    "pickle": set(),
    "joblib": set(),
}
"""Third-party libraries, and who may import them."""

VAGUE_NAMES = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}


@dataclass(frozen=True, slots=True)
class Module:
    """A module below ``smartabsen``: dotted name without that prefix, whether it is a package, and its syntax."""

    name: str
    is_package: bool
    tree: ast.Module

    @property
    def part(self) -> str:
        """The part of the package that it belongs to, as ``core``; the package itself is the empty one."""
        return self.name.partition(".")[0]

    def imports(self) -> Iterator[str]:
        """Yield the absolute dotted name of everything it imports, at any depth, for types or for real."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        own = ["smartabsen", *filter(None, self.name.split("."))]
        package = own if self.is_package else own[:-1]
        above = package[: len(package) - (node.level - 1)]
        return ".".join([*above, *filter(None, [node.module])])


def read_module(path: Path) -> Module:
    """Read one file of the package."""
    parts = path.relative_to(SOURCES).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Module(name, is_package, ast.parse(path.read_text(encoding="utf-8")))


MODULES = [read_module(path) for path in sorted([*SOURCES.rglob("*.py"), *SOURCES.rglob("*.pyi")])]


def wrong_directions(module: Module) -> list[str]:
    """Imports of parts that the module's part may not know."""
    allowed = MAY_IMPORT[module.part] | {module.part} | MAY_IMPORT_TOO.get(module.name, set())
    inside = [name.split(".") for name in module.imports() if name.split(".")[0] == "smartabsen"]
    # `from smartabsen import x` of a part that is no module is the public API: everybody's, and nobody's inside.
    return [".".join(names) for names in inside if (names[1] if len(names) > 1 else "") not in allowed]


def foreign_libraries(module: Module) -> list[str]:
    """Imports of libraries that belong to another part."""
    return [name for name in module.imports() if module.part not in OWNERS.get(name.partition(".")[0], {module.part})]


def registered_backends(modules: list[Module]) -> set[str]:
    """Modules that a registry loads by name: what ``Registration("smartabsen.x.y:Class")`` points to."""
    return {
        _text(node.args[0], module).partition(":")[0]
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Registration" and node.args
    }


def _text(node: ast.expr, module: Module) -> str:
    """The string that an expression stands for: a literal, or one with the module's own ``__name__`` in it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value, module) for value in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else f"smartabsen.{module.name}"


def concrete_backends(module: Module, backends: set[str]) -> list[str]:
    """Backends that a use case imports by itself instead of by name."""
    if module.part != "core" or module.name == "core.bootstrap":
        return []
    return [name for name in module.imports() if {name, name.rpartition(".")[0]} & backends]


def undocumented(module: Module) -> list[str]:
    """Public functions and classes of the module without a docstring."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [node for node in module.tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    return [node.name for node in public if not ast.get_docstring(node)]


def printing(module: Module) -> list[int]:
    """Lines that print or end the process, which is the command line's to do."""
    names = [(node.lineno, ast.unparse(node.func)) for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return [line for line, name in names if name in {"print", "sys.exit", "exit", "quit"}]


def describe(violations: dict[str, list[str]] | dict[str, list[int]]) -> str:
    """Return the violations one a line; empty where there are none."""
    return "\n".join(f"{where or 'smartabsen'}: {what}" for where, what in violations.items() if what)


def test_imports_point_down() -> None:
    """Faces know the core, the core knows its backends, backends know the vocabulary only and never each other."""
    assert not describe({module.name: wrong_directions(module) for module in MODULES})


def test_each_library_has_one_owner() -> None:
    """A library is wrapped where it belongs and reached from nowhere else."""
    assert not describe({module.name: foreign_libraries(module) for module in MODULES})


def test_use_cases_get_their_backends_by_name() -> None:
    """Only the bootstrap of the core may know a concrete backend."""
    backends = registered_backends(MODULES)
    assert backends
    assert not describe({module.name: concrete_backends(module, backends) for module in MODULES})


def test_only_the_command_line_prints_and_exits() -> None:
    """Below it, results are returned and errors are raised."""
    assert not describe({module.name: printing(module) for module in MODULES if module.part != "cli"})


def test_what_is_public_says_what_it_is() -> None:
    """Every public function and class has a docstring."""
    assert not describe({module.name: undocumented(module) for module in MODULES})


def test_files_have_a_subject() -> None:
    """None is named for having none. The longest are printed: places to look at, not to split for their length."""
    files = [path for folder in ("src", "tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    for name in sorted(lengths, key=lengths.__getitem__, reverse=True)[:5]:
        print(f"{lengths[name]:5} {name}")
    assert not [path for path in files if path.name in VAGUE_NAMES]


@pytest.mark.parametrize(
    ("name", "source", "wrong"),
    [
        ("camera.video", "from ..store import tables", ["smartabsen.store.tables"]),
        ("camera.video", "from ..store.tables import Base", ["smartabsen.store.tables.Base"]),
        ("camera.video", "from .. import store", ["smartabsen.store"]),
        ("recognition.detectors.haar", "def f():\n    from ...camera import base", ["smartabsen.camera.base"]),
        ("cli.commands.train", "import smartabsen.store.tables", ["smartabsen.store.tables"]),
        ("store.tables", "from ..config import Settings", ["smartabsen.config.Settings"]),
        ("core.train", "from ..cli import app", ["smartabsen.cli.app"]),
        ("core.train", "from smartabsen import SmartAbsen", ["smartabsen.SmartAbsen"]),
        ("cli.commands.train", "from ...core.app import SmartAbsen\nfrom .. import data", []),
        ("camera.video", "from ..domain import Face\nfrom .base import Frame", []),
    ],
)
def test_a_wrong_direction_is_found_however_it_is_written(name: str, source: str, wrong: list[str]) -> None:
    """Relative, absolute, inside a function."""
    assert wrong_directions(Module(name, False, ast.parse(source))) == wrong


@pytest.mark.parametrize(
    ("name", "source", "wrong"),
    [
        ("core.photos", "import cv2", ["cv2"]),
        ("store.csv_log", "from rich.table import Table", ["rich.table.Table"]),
        ("cli.app", "import click", ["click"]),
        ("cli.app", "import typer\nimport json", []),
        ("camera.video", "def f():\n    import cv2", []),
    ],
)
def test_a_library_of_somebody_else_is_found(name: str, source: str, wrong: list[str]) -> None:
    """Anywhere in the module."""
    assert foreign_libraries(Module(name, False, ast.parse(source))) == wrong


def test_a_backend_imported_by_a_use_case_is_found() -> None:
    """The registry names it, so nobody else may."""
    registry = Module("m", True, ast.parse('R = {"knn": Registration(f"{__name__}.knn:Knn")}'))
    use_case = Module("core.train", False, ast.parse("from ..m.knn import Knn\nfrom ..m.base import Matcher"))
    assert concrete_backends(use_case, registered_backends([registry])) == ["smartabsen.m.knn.Knn"]
    bootstrap = Module("core.bootstrap", False, use_case.tree)
    assert concrete_backends(bootstrap, registered_backends([registry])) == []


def test_prints_and_missing_docstrings_are_found() -> None:
    """The two small rules see what they should."""
    module = Module("core.train", False, ast.parse('def f():\n    print("x")\n\ndef _g():\n    sys.exit(1)\n'))
    assert (printing(module), undocumented(module)) == ([2, 5], ["f"])
