"""What the server says while nobody can log in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smartabsen import SmartAbsen
from smartabsen.cli import serve_view
from smartabsen.cli.output import Output


@pytest.mark.parametrize(("production", "terminal"), [(True, True), (False, False), (False, True)])
def test_the_setup_secret_is_shown_in_a_terminal_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    production: bool,
    terminal: bool,
) -> None:
    """In production and as a service, whose output is kept, the command is named, and no secret is made."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    flags = {"home": str(tmp_path), "language": "en", "server.production": production}
    with SmartAbsen.open(flags=flags) as app:
        serve_view.tell_setup(Output(as_json=False, quiet=False), app)
        made = len(app.audit.entries(action="user.setup_secret"))
    said = " ".join(capsys.readouterr().err.split())
    if terminal and not production:
        assert "/admin/setup and type" in said and made == 1
    else:
        assert "smartabsen user setup" in said and made == 0
