"""The rules of the house that a reader of the sources can check; docs/architecture.md is its map."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "smartabsen"

_ADAPTERS = {"recognition", "camera", "store"}
_SUBJECTS = {"attendance", "gallery", "qr"}
_ABOVE = {"kiosk", "privacy", "upkeep"}
_FACES = {"cli", "web"}
_BELOW_PEOPLE = {"kernel", "config", *_ADAPTERS, "trust", "org"}
MAY_IMPORT: dict[str, set[str]] = {
    "_version": set(),
    "kernel": {"_version"},
    "config": {"kernel"},
    **{place: {"kernel"} for place in _ADAPTERS},
    "trust": {"kernel", "config", "store"},
    "org": {"kernel", "config", "store", "trust"},
    "people": _BELOW_PEOPLE,
    **dict.fromkeys(_SUBJECTS, _BELOW_PEOPLE | {"people"}),
    **dict.fromkeys(_ABOVE, _BELOW_PEOPLE | {"people", "_version"} | _SUBJECTS),
    "app": _BELOW_PEOPLE | {"people", "_version"} | _SUBJECTS | _ABOVE,
    **dict.fromkeys(_FACES, {"kernel", "config", "trust", "org", "people", "app", "_version"} | _SUBJECTS | _ABOVE),
    # The package itself: its lazy public API, and `python -m smartabsen`.
    "": {"kernel", "config", "camera", "app", "_version"} | _SUBJECTS | _ABOVE,
    "__main__": {"cli"},
}
"""Each place, and the places below it, which it may import."""

PARTS = "app.bootstrap"
"""Holds all parts of an installation; services of every place still take it whole."""

KNOWN_UPWARDS: dict[str, set[str]] = {
    "attendance.csv_sync": {"privacy.audit_erasure_rows", "privacy.erasure_rows"},
    "attendance.desk": {"kiosk.camera_trouble_rows"},
    "attendance.punch": {"qr.pin_rows"},
    "attendance.punch_rows": {"privacy.erasure_rows"},
    "gallery.enrolments": {"privacy.privacy"},
    "gallery.gallery_watch": {"privacy.erase", "privacy.erasure_rows"},
    "gallery.identify": {"privacy.erase"},
    "gallery.stored_gallery": {"privacy.resealing_rows"},
    "gallery.template_rows": {"privacy.erasure_rows"},
    "kiosk.start": {"upkeep.clock_care"},
    "org.users": {"qr.render"},
    "people.people": {"gallery.template_rows", "gallery.train"},
    "privacy.erased_here": {"kiosk.punch_queue"},
    "qr.phones": {"attendance.punch"},
    "store.database": {"trust.trail_keeper"},
    "store.redis_store": {"org.web_session_rows"},
    "trust.audit": {
        "people.employee_rows",
        "privacy.attendance_check_rows",
        "privacy.audit_check_rows",
        "privacy.record_check_rows",
        "privacy.resealing_rows",
    },
    "upkeep.backups": {"privacy.audit_check_rows", "privacy.resealing_rows"},
    "upkeep.databases": {"kiosk.punch_queue"},
    "upkeep.doctor": {"kiosk.camera_trouble_rows", "privacy.doctor_privacy"},
    "upkeep.restored_files": {"kiosk.punch_queue"},
}
"""Imports that still point up or to the side, and are to go: none may be added, and none stay listed that is gone."""

MAY_IMPORT_TOO = {"cli.serve_view": {"web"}}
"""Modules that may import more than their place: what starts the web server."""

ROWS = "*_rows"
"""Modules of queries, which only their own place should use."""
KNOWN_FOREIGN_ROWS = 116
"""Places that still use another one's queries; the number may only become smaller."""

OWNERS: dict[str, set[str]] = {
    "typer": {"cli"},
    "rich": {"cli"},
    "flask": {"web"},
    "flask_babel": {"web"},
    "flask_bootstrap": {"web"},
    "flask_wtf": {"web"},
    "werkzeug": {"web"},
    "gunicorn": {"web"},
    "bcrypt": {"org.passwords", "qr.pin_rows"},
    "cryptography": {"store", "trust", "org.second_factor_rows"},
    "pyrage": {"upkeep.archive"},
    "redis": {"store"},
    "sqlalchemy": {"store", ROWS, "trust.trail_keeper"},
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
"""Third-party libraries, and the places, modules or kinds of modules that may import them."""

MOST_MODULES = 45
VAGUE_NAMES = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}


@dataclass(frozen=True, slots=True)
class Module:
    """A module below ``smartabsen``: dotted name without that prefix, whether it is a package, and its syntax."""

    name: str
    is_package: bool
    tree: ast.Module

    @property
    def place(self) -> str:
        """The place that it belongs to, as ``store``; the package itself is the empty one."""
        return self.name.partition(".")[0]

    @property
    def homes(self) -> set[str]:
        """What it counts as where a library has owners: its place, itself, and the kind of its name."""
        return {self.place, self.name, *({ROWS} if self.name.endswith("_rows") else ())}

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
NAMES = {module.name for module in MODULES}


def wrong_directions(module: Module) -> list[str]:
    """Imports of places that the module's place may not know."""
    allowed = MAY_IMPORT[module.place] | {module.place} | MAY_IMPORT_TOO.get(module.name, set())
    inside = [name.split(".") for name in module.imports() if name.split(".")[0] == "smartabsen"]
    # `from smartabsen import x` of a place that is no module is the public API: everybody's, and nobody's inside.
    return [".".join(names) for names in inside if (names[1] if len(names) > 1 else "") not in allowed]


def upwards(module: Module) -> set[str]:
    """Modules of places that the module's place may not know, without the prefix of the package."""
    wrong = {name.removeprefix("smartabsen.") for name in wrong_directions(module)}
    return {name if name in NAMES else name.rpartition(".")[0] for name in wrong} - {PARTS}


def foreign_rows(module: Module) -> set[str]:
    """Queries of other places that the module uses; ``app`` builds with them."""
    if module.place == "app":
        return set()
    names = {name.removeprefix("smartabsen.") for name in module.imports() if name.startswith("smartabsen.")}
    found = {name if name in NAMES else name.rpartition(".")[0] for name in names}
    return {name for name in found if name.endswith("_rows") and name.partition(".")[0] != module.place}


def foreign_libraries(module: Module) -> list[str]:
    """Imports of libraries that belong to somebody else."""
    return [name for name in module.imports() if not OWNERS.get(name.partition(".")[0], module.homes) & module.homes]


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
    if module.place in {*_ADAPTERS, *_FACES, "app", ""}:
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
    """A place knows those below it and nobody else, but for what is listed and is to go."""
    found = {module.name: upwards(module) for module in MODULES}
    assert {name: targets for name, targets in found.items() if targets} == KNOWN_UPWARDS


def test_the_map_shows_the_folders() -> None:
    """The picture has every place and no other, and the table says of each what it is."""
    map_of_the_house = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = re.search(r"## The picture\n\n((?:    .*\n|\n)+)", map_of_the_house)
    assert picture
    drawn = {
        word
        for line in picture[1].splitlines()
        for word in re.split(r"\s{3,}", line.strip())
        if word and word in MAY_IMPORT
    }
    folders = {path.parent.name for path in SOURCES.glob("*/__init__.py")}
    named = re.findall(r"`([a-z_/]+\.py)`", map_of_the_house)
    assert not [name for name in named if not ((ROOT / name).exists() or (SOURCES / name).exists())]
    assert drawn == folders == set(re.findall(r"^\| `(\w+)` \|", map_of_the_house, re.M))


def test_few_use_the_queries_of_another_place() -> None:
    """Another place is used by what it does; those that still read its rows become fewer."""
    assert sum(len(foreign_rows(module)) for module in MODULES) == KNOWN_FOREIGN_ROWS


def test_a_folder_can_be_seen_at_one_look() -> None:
    """No place is so full that nobody finds a module in it."""
    folders = Counter(path.parent for path in SOURCES.rglob("*.py"))
    assert not {folder.name: count for folder, count in folders.items() if count > MOST_MODULES}


def test_each_library_has_one_owner() -> None:
    """A library is wrapped where it belongs and reached from nowhere else."""
    assert not describe({module.name: foreign_libraries(module) for module in MODULES})


def test_use_cases_get_their_backends_by_name() -> None:
    """Only ``app`` may know a concrete backend."""
    backends = registered_backends(MODULES)
    assert backends
    assert not describe({module.name: concrete_backends(module, backends) for module in MODULES})


def test_only_the_command_line_prints_and_exits() -> None:
    """Below it, results are returned and errors are raised."""
    assert not describe({module.name: printing(module) for module in MODULES if module.place != "cli"})


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
        ("gallery.train", "from ..cli import app", ["smartabsen.cli.app"]),
        ("gallery.train", "from ..kiosk import run", ["smartabsen.kiosk.run"]),
        ("gallery.train", "from smartabsen import SmartAbsen", ["smartabsen.SmartAbsen"]),
        ("cli.commands.train", "from ...app.facade import SmartAbsen\nfrom .. import data", []),
        ("camera.video", "from ..kernel.domain import Face\nfrom .base import Frame", []),
    ],
)
def test_a_wrong_direction_is_found_however_it_is_written(name: str, source: str, wrong: list[str]) -> None:
    """Relative, absolute, inside a function."""
    assert wrong_directions(Module(name, False, ast.parse(source))) == wrong


@pytest.mark.parametrize(
    ("name", "source", "wrong"),
    [
        ("gallery.photos", "import cv2", ["cv2"]),
        ("store.csv_log", "from rich.table import Table", ["rich.table.Table"]),
        ("people.people", "import sqlalchemy", ["sqlalchemy"]),
        ("people.employee_rows", "import sqlalchemy", []),
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
    use_case = Module("gallery.train", False, ast.parse("from ..m.knn import Knn\nfrom ..m.base import Matcher"))
    assert concrete_backends(use_case, registered_backends([registry])) == ["smartabsen.m.knn.Knn"]
    bootstrap = Module("app.bootstrap", False, use_case.tree)
    assert concrete_backends(bootstrap, registered_backends([registry])) == []


def test_prints_and_missing_docstrings_are_found() -> None:
    """The two small rules see what they should."""
    module = Module("gallery.train", False, ast.parse('def f():\n    print("x")\n\ndef _g():\n    sys.exit(1)\n'))
    assert (printing(module), undocumented(module)) == ([2, 5], ["f"])
