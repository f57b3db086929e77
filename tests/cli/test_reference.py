"""``docs/cli.md`` is made from the commands themselves: ``python tests/cli/test_reference.py`` writes it anew."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parents[2] / "docs" / "cli.md"

HEAD = """# The command line

Written from the commands themselves by `python tests/cli/test_reference.py`; a test compares.

Results go to stdout, remarks and errors to stderr. `--json` prints one object
`{"command", "status", "data", "errors"}` on stdout: `errors` is a list of `{"code", "message", "hint"}`, and
`status` follows from the exit code. `run-kiosk --json` prints a line for each decision instead, one when its
camera is lost or back, and a last one with the summary.

| exit code | status | meaning |
|---|---|---|
| 0 | ok | done; an enrolment is done when one photo was accepted |
| 1 | failed | failed: nothing accepted, not found, the accuracy gate, a failed check, a bug |
| 2 | failed | the command line or a file given cannot be used |
| 3 | failed | configuration |
| 4 | failed | camera |
| 5 | failed | database |
| 6 | failed | model |
| 7 | partial | partly done: some rows, pictures or people could not be served; see each command |
| 130 | failed or partial | interrupted; partial when the command could still say what it did |
"""


def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with its path, each noun before its own."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner.load() if hasattr(inner, "load") else inner, (*path, name))


def parameter(param: Any) -> str:
    """One row about an option or argument."""
    is_option = param.param_type_name == "option"
    name = ", ".join(param.opts) if is_option else param.metavar
    takes_value = is_option and not param.is_flag
    value = param.metavar or "\\|".join(map(str, param.type_descriptor.choices or ())) or "N"
    required = " Required." if param.required else ""
    default = f" Default: {param.default}." if takes_value and param.default else ""
    return f"| `{name}{' ' + value if takes_value else ''}` | {param.help}{required}{default} |"


def describe(path: tuple[str, ...], command: Any, common: set[str]) -> str:
    """The section about one command."""
    rows = [parameter(param) for param in command.params if param.name not in common]
    table = ["", "| | |", "|---|---|", *rows] if rows else []
    example = command.epilog.partition("\n\n")[2].splitlines()
    title = f"{'#' * len(path)} {' '.join(path)}"
    return "\n".join(["", title, "", command.help.replace("<", "\\<"), *table, "", "```sh", *example, "```", ""])


def reference() -> str:
    """The whole document."""
    from typer.main import get_command

    from smartabsen.cli.app import app

    root: Any = get_command(app)
    shared = [param for param in root.params if param.rich_help_panel]
    names = {param.name for param in shared}
    options = ["", "## Options of every command", "", "| | |", "|---|---|", *map(parameter, shared), ""]
    sections = [
        describe(path, command, names) for path, command in walk(root, ("smartabsen",)) if path != ("smartabsen",)
    ]
    return HEAD + "\n".join(options) + "".join(sections)


def test_the_reference_says_what_the_commands_say() -> None:
    """A changed option is a changed document."""
    done = subprocess.run([sys.executable, __file__, "-"], capture_output=True, check=True, timeout=60)
    assert REFERENCE.read_text(encoding="utf-8") == done.stdout.decode()


if __name__ == "__main__":
    os.environ["SMARTABSEN_LANGUAGE"] = "en"
    if sys.argv[1:] == ["-"]:
        sys.stdout.buffer.write(reference().encode())
    else:
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(reference(), encoding="utf-8")
