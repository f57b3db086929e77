"""``models``: what is listed, verified, fetched."""

from __future__ import annotations

from typing import Any

import pytest

from smartabsen.kernel.errors import LicenceError, ModelError


@pytest.mark.parametrize(("state", "exit_code"), [("installed", 0), ("missing", 0), ("different", 6)])
def test_models_verify_fails_on_files_that_differ(program: Any, state: str, exit_code: int) -> None:
    """A missing pack is no damage; a changed file is."""
    program.prepare = lambda library: setattr(library, "model_state", state)
    code, answer = program.json("models", "verify")
    assert (code, answer["data"]["models"][0]["state"]) == (exit_code, state)


def test_models_verify_shows_what_is_expected_and_what_is_there(program: Any) -> None:
    """Both digests in full, for people and for scripts."""
    program.prepare = lambda library: vars(library).update(model_state="different", published="11ee")
    shown = program("models", "verify").stdout.splitlines()
    assert shown[3:] == [
        "    a.xml is not the published file:",
        "        expected SHA-256 11ee",
        "        found    SHA-256 00ff",
    ]
    (file,) = program.json("models", "verify")[1]["data"]["models"][0]["files"]
    assert file == {"name": "a.xml", "sha256": "00ff", "published_sha256": "11ee"}


def test_addresses_in_a_hint_stand_on_lines_of_their_own(program: Any) -> None:
    """They can be copied; everything else of an error is one line."""
    error = ModelError("No\nnetwork.", hint="Download:\n{urls}", urls="https://a.example/x\nhttps://a.example/y")
    program.prepare = lambda library: library.raises.update(pull_models=error)
    assert program("models", "pull", "yunet").stderr.splitlines() == [
        "Error: No network.", "Download:", "https://a.example/x", "https://a.example/y",
    ]  # fmt: skip


def test_models_path_prints_the_bare_path(program: Any) -> None:
    """A shell can use it as it is."""
    assert program("models", "path").stdout == f"{program.library.settings.models_dir}\n"


def test_a_licence_is_accepted_by_option_or_at_the_terminal_only(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script without the option is refused; a person may read it and say yes."""
    program.prepare = lambda library: library.raises.update(pull_models=LicenceError("Research only."))
    assert program.json("models", "pull", "buffalo_l")[0] == 6
    assert [call[2]["accept_noncommercial"] for call in program.library.calls] == [False]
    monkeypatch.setattr("smartabsen.cli.output.Output.can_ask", lambda _: True)
    result = program("models", "pull", "buffalo_l", input="y\n")
    assert "Research only. Do you accept that?" in result.stderr
    assert [call[2]["accept_noncommercial"] for call in program.library.calls] == [False, True]
