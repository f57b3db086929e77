"""Consent to face recognition on the command line: said with an option, or asked for with the text."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("agrees", [True, False])
def test_enroll_asks_for_a_demanded_consent_at_a_terminal(
    program: Any, monkeypatch: pytest.MonkeyPatch, agrees: bool
) -> None:
    """With the text, its version and whom it is about; without a terminal nothing is asked, and the library refuses."""
    monkeypatch.setenv("SMARTABSEN_PRIVACY_CONSENT", "require")
    asked = ("enroll", "Siti", "a.jpg", "--code", "E001")
    program(*asked)
    assert program.library.calls[-1][2]["consent"] is False
    monkeypatch.setattr("smartabsen.cli.output.Output.can_ask", lambda _: True)
    result = program(*asked, input="y\n" if agrees else "\n")
    assert "Text of the consent." in result.stderr
    assert "Siti has read this text (version 7) and agrees? [y/N]" in result.stderr
    assert program.library.calls[-1][2]["consent"] is agrees
    assert "agrees?" not in program(*asked, "--consent").stderr
