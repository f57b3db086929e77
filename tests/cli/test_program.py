"""The program as a whole: its help, its list of commands, its options."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from smartabsen import __version__
from smartabsen.cli.app import COMMANDS, app
from smartabsen.cli.groups import DeferredCommand
from smartabsen.kernel.i18n import use_language

HEAVY = "cv2 insightface onnxruntime openvino dlib sklearn numpy sqlalchemy alembic flask pydantic PIL qrcode openpyxl"


def run_python(code: str, *arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **kwargs)


def run_program(*arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Run the program in an interpreter of its own."""
    return run_python("from smartabsen.cli.app import main; main()", *arguments, **kwargs)


def all_commands() -> Iterator[tuple[str, ...]]:
    """Every command line without its arguments: nouns, and the commands of nouns that have several."""
    root: Any = get_command(app)
    for name, deferred in root.commands.items():
        assert isinstance(deferred, DeferredCommand)
        yield (name,)
        for inner in getattr(deferred.load(), "commands", ()):
            yield name, inner


def is_noun(path: tuple[str, ...]) -> bool:
    """Whether a command only gathers others, as ``employee`` does."""
    return any(each[: len(path)] == path and each != path for each in all_commands())


def test_help_loads_none_of_the_heavy_libraries() -> None:
    """``--help`` answers at once: no model runtime, database or validation library is imported for it."""
    code = f"""
import sys
from smartabsen.cli.app import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
loaded = sorted(set({HEAVY!r}.split()) & set(sys.modules))
assert not loaded, loaded
"""
    done = run_python(code, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "run-kiosk" in done.stdout


@pytest.mark.parametrize("command", [(), *all_commands()], ids=" ".join)
def test_every_help_ends_with_an_example_of_that_command(command: tuple[str, ...]) -> None:
    """The last line of a help can be typed as it stands."""
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="smartabsen")
    assert result.exit_code == 0, result.output
    body, _, example = result.stdout.rpartition("Example:")
    assert body
    lines = [line.strip() for line in example.strip().splitlines()]
    assert all(line.startswith(" ".join(("smartabsen", *command))) for line in lines), lines


def test_what_typer_says_in_a_help_is_in_the_current_language() -> None:
    """Headings, marks and the options that Typer adds speak Indonesian too."""
    with use_language("id"):
        root = CliRunner().invoke(app, ["--help"], prog_name="smartabsen", env={"COLUMNS": "200"}).stdout
        enroll = CliRunner().invoke(app, ["enroll", "--help"], prog_name="smartabsen", env={"COLUMNS": "200"}).stdout
    for word in ("Opsi", "Perintah", "Tampilkan bantuan ini lalu keluar.", "Pasang pelengkapan otomatis"):
        assert word in root
    for word in ("Argumen", "Opsi", "[wajib]", "[bawaan: 5]", "Tampilkan bantuan ini lalu keluar."):
        assert word in enroll


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    """The sentences that are known without importing a command are its own first sentences."""
    for name, (module, summary) in COMMANDS.items():
        command = DeferredCommand(name, module, summary).load()
        assert command.help.partition("\n")[0] == summary
        assert command.name == name


@pytest.mark.parametrize("command", [path for path in all_commands() if not is_noun(path)])
def test_the_options_of_every_command_stand_after_its_name(command: tuple[str, ...]) -> None:
    """Scripts write ``smartabsen recognize A --json``, not ``smartabsen --json recognize A``."""
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="smartabsen")
    for option in ("--json", "--home", "--engine", "--device", "--language", "--quiet", "--debug"):
        assert option in result.stdout


def test_the_version_is_printed() -> None:
    """``--version`` prints one line for people and scripts."""
    done = run_program("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"smartabsen {__version__}\n", "")


def test_a_usage_error_is_json_too() -> None:
    """A script that made a mistake gets the envelope and exit code 2."""
    done = run_program("recognize", "--json")
    assert done.returncode == 2
    assert done.stdout == (
        '{"command": "recognize", "status": "failed", "data": null, "errors": [{"code": "usage", '
        '"message": "IMAGE is missing.", "hint": "See: smartabsen recognize --help"}]}\n'
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["recogniz", "a.jpg"], "There is no command recogniz. Did you mean recognize?"),
        (["employee", "lst"], "There is no command lst. Did you mean list?"),
        (["train", "--forc"], "There is no option --forc. Did you mean --force?"),
        (["train", "--min-accuracy", "2"], "--min-accuracy cannot be used: at most 1 is wanted."),
        (["enroll", "Siti", "--code", "E1"], "Give either photos, or --camera, or --no-photos."),
        (["enroll", "Siti", "a.jpg"], "--code is missing."),
        (
            ["report", "--from", "soon"],
            "“soon” is no date: write 30/11/2025, 30 November 2025 or 2025-11-30, the day before the month.",
        ),
        (["report", "--format", "xlsx"], "xlsx needs --output FILE."),
        (["report", "--output", "a.pdf"], "--output writes csv or xlsx."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_one_sentence_and_where_to_read_on(
    program: Any, arguments: list[str], sentence: str
) -> None:
    """Usage errors say what is wrong on stderr, exit with 2 and leave stdout to results."""
    result = program(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == f"Error: {sentence}"
    assert result.stderr.splitlines()[1].startswith("See: smartabsen")


def test_without_a_command_the_help_is_shown_and_the_exit_code_says_so() -> None:
    """``smartabsen`` alone helps a person and stops a script."""
    result = CliRunner().invoke(app, [], prog_name="smartabsen")
    assert result.exit_code == 2
    assert "run-kiosk" in result.output


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("smartabsen rec", ["recognize"]),
        ("smartabsen employee de", ["deactivate"]),
        ("smartabsen train --fo", ["--force"]),
    ],
)
def test_the_shell_completes_commands_and_options(words: str, completions: list[str]) -> None:
    """Typer's completion works through commands that are not imported yet."""
    environ = {
        "_SMARTABSEN_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "PATH": "",
    }
    done = run_program(env=environ)
    assert done.stdout.split() == completions, done.stderr


def test_a_reader_that_closes_the_pipe_is_no_error() -> None:
    """``smartabsen --help | head`` prints no complaint."""
    code = "from smartabsen.cli.app import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_program_ends_without_what_hangs_in_a_driver() -> None:
    """With its exit code and all it said; taking the interpreter apart under such a thread aborted it (SIGABRT)."""
    code = """
import atexit, threading
from smartabsen.cli import app
from smartabsen.kernel.driver_threads import DriverThread

def ends_so(**_):
    print("done")
    raise SystemExit(7)

atexit.register(print, "taken apart")
app.app = ends_so
hang = threading.Event()
if {hangs}:
    DriverThread(hang.wait, name="camera").start()
app.main()
"""
    for hangs, said in ((True, "done\n"), (False, "done\ntaken apart\n")):
        done = run_python(code.format(hangs=hangs))
        assert (done.returncode, done.stdout) == (7, said), done.stderr
