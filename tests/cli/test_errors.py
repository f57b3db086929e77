"""The one place where errors become text."""

from __future__ import annotations

from typing import Any

import pytest

from smartabsen.kernel import errors
from smartabsen.kernel.errors import SmartAbsenError


def tree(cls: type[SmartAbsenError] = SmartAbsenError) -> list[type[SmartAbsenError]]:
    """An error class and all below it."""
    return [cls, *(each for sub in cls.__subclasses__() for each in tree(sub))]


def fail(program: Any, error: BaseException) -> None:
    """Let ``employees`` raise."""
    program.prepare = lambda library: library.raises.update(employees=error)


@pytest.mark.parametrize("cls", tree(), ids=lambda cls: cls.code)
def test_every_error_has_its_exit_code_and_its_code_in_json(program: Any, cls: type[SmartAbsenError]) -> None:
    """Scripts tell errors apart by exit code and by stable code."""
    fail(program, cls("It is {what}.", hint="Mend {what}.", what="broken"))
    exit_code, answer = program.json("employee", "list")
    assert exit_code == cls.exit_code
    assert answer == {
        "command": "employee list",
        "status": "failed",
        "data": None,
        "errors": [{"code": cls.code, "message": "It is broken.", "hint": "Mend broken."}],
    }


def test_people_get_one_line_and_what_to_do_next(program: Any) -> None:
    """A known error has no traceback and leaves stdout empty; the library is closed."""
    fail(program, errors.CameraBusyError("Busy.", hint="Wait."))
    result = program("employee", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (4, "", "Error: Busy.\nWait.\n")
    assert program.library.closed


def test_a_bug_is_one_line_too_until_somebody_asks_for_more(program: Any) -> None:
    """An unexpected exception names itself; its traceback comes with --debug."""
    fail(program, ZeroDivisionError("by nought"))
    result = program("employee", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: This is a bug in smartabsen: ZeroDivisionError: by nought\n")
    assert "Traceback" not in result.output
    assert "Traceback" in program("employee", "list", "--debug").stderr
    assert "Traceback" in program("--debug", "employee", "list").stderr


def test_ctrl_c_exits_with_130(program: Any) -> None:
    """An interrupted command says so in a word."""
    fail(program, KeyboardInterrupt())
    result = program("employee", "list")
    assert (result.exit_code, result.stderr) == (130, "Error: Interrupted.\n")
    exit_code, answer = program.json("employee", "list")
    assert (exit_code, answer["errors"][0]["code"]) == (130, "interrupted")


def test_an_error_cannot_steer_the_terminal(program: Any) -> None:
    """Names in messages come from files of others: escape sequences are not passed on."""
    fail(program, errors.NotFoundError("No {name}.", name="\x1b[2J\nroot"))
    assert program("employee", "list").stderr == "Error: No \N{REPLACEMENT CHARACTER}[2J root.\n"


def test_settings_that_cannot_be_read_are_listed_all_the_same(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error about an unknown setting sends people to ``config show``, which must then help."""
    monkeypatch.setenv("SMARTABSEN_ENGNE", "dlib")
    result = program("config", "show")
    assert result.exit_code == 3
    assert "SMARTABSEN_ENGNE" in result.stderr
    assert "\nengine\n    Recognition engine" in result.stdout
