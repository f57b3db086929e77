"""What reaches stdout and stderr: terminals, pipes, and streams that cannot print every letter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from smartabsen.cli import tables
from smartabsen.cli.output import Output
from smartabsen.kernel.domain import Employee

ARABIC, CHINESE = "محمد", "王小明"


def terminal(width: int) -> tuple[Output, StringIO]:
    """An output on a terminal of this width, and what it prints."""
    screen = StringIO()
    out = Output(as_json=False, quiet=False)
    out.stdout = Console(file=screen, force_terminal=True, width=width, color_system=None, markup=False)
    return out, screen


@pytest.fixture
def crowd(siti: Employee) -> tuple[Employee, ...]:
    """Employees with names that are long, wide, from right to left, or look like markup."""
    names = ("A very long name of a person who has got four given names " * 2, CHINESE * 20, ARABIC, "[red]x[/red]")
    return tuple(replace(siti, code=f"E{number:03}", name=name) for number, name in enumerate(names))


def test_tables_fit_a_terminal_of_80_columns(crowd: tuple[Employee, ...]) -> None:
    """Long and wide names are folded, codes stay whole, nothing is cut off."""
    out, screen = terminal(80)
    tables.show_employees(out, crowd)
    lines = screen.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert all(any(line.startswith(each.code) for line in lines) for each in crowd)
    assert sum(line.count("明") for line in lines) == 20


def test_a_pipe_gets_plain_rows_one_a_line(program: Any, crowd: tuple[Employee, ...]) -> None:
    """grep and cut work: no colours, no lines, no folding, no trailing blanks."""
    program.prepare = lambda library: setattr(library, "people", crowd)
    lines = program("employee", "list").stdout.splitlines()
    assert len(lines) == 1 + len(crowd)
    assert all(each.name.strip() in line for each, line in zip(crowd, lines[1:], strict=True))
    assert not any("\x1b" in line or line.endswith(" ") for line in lines)


def test_an_empty_list_is_a_remark(program: Any) -> None:
    """A pipe gets nothing, a person a sentence."""
    program.prepare = lambda library: setattr(library, "people", ())
    result = program("employee", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No employees.\n")


def test_a_name_cannot_steer_the_terminal(program: Any, siti: Employee) -> None:
    """Escape sequences in a name from a file are shown, not obeyed."""
    program.prepare = lambda library: setattr(library, "people", (replace(siti, name="\x1b[2Jx\ny"),))
    assert "\N{REPLACEMENT CHARACTER}[2Jx y" in program("employee", "list").stdout


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv.pop(1))
names = sys.argv.pop(1).split("|")
import conftest
from dataclasses import replace
from smartabsen.cli import session
from smartabsen.cli.app import main

def open_app(flags):
    library = conftest.FakeApp(flags, Path("."))
    library.people = tuple(replace(conftest.SITI, name=name) for name in names)
    return library

session.open_app = open_app
main()
"""


def command_line(names: list[str], *arguments: str) -> list[str]:
    """The program in an interpreter of its own, with employees of these names."""
    return [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), "|".join(names), *arguments]


@pytest.mark.parametrize("as_json", [False, True])
def test_a_stream_in_cp1252_takes_any_name(tmp_path: Path, as_json: bool) -> None:
    """A console of old Windows prints what it can; JSON loses nothing."""
    names = [CHINESE, ARABIC, "Zoë “Zo” Ñandú", "Ani 😀", "\udcff"]
    done = subprocess.run(
        command_line(names, "employee", "list", *(["--json"] if as_json else [])),
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode("cp1252")
    if as_json:
        assert [each["name"] for each in json.loads(shown)["data"]["employees"]] == names
    else:
        assert len(shown.splitlines()) == 1 + len(names)
        assert names[2] in shown


@pytest.mark.parametrize(
    "arguments", [("employee", "list"), ("employee", "list", "--json"), ("report", "--format", "csv")]
)
def test_a_reader_that_went_away_is_no_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """``smartabsen employee list | head -0`` ends without a complaint."""
    with subprocess.Popen(
        command_line(["Siti"], *arguments), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(("share", "text"), [(1.0, "100 %"), (0.99999, "99.99 %"), (0.9, "90 %"), (0.0, "0 %")])
def test_a_percentage_never_rounds_a_miss_away(share: float, text: str) -> None:
    """100 % means all."""
    assert tables.percent(share) == text


def test_progress_shows_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes and --quiet get no bar."""
    out = Output(as_json=False, quiet=False)
    screen = StringIO()
    out.stderr = Console(file=screen, force_terminal=True, width=80)
    with out.progress("Photos") as advance:
        assert advance is not None
        advance(3, 7)
    assert "3/7" in screen.getvalue()
    out.quiet = True
    with out.progress("Photos") as advance:
        assert advance is None
    with Output(as_json=False, quiet=False).progress("Photos") as advance:
        assert advance is None
