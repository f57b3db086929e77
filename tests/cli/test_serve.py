"""What the command line says of certificates; the server itself is tested in ``tests/web``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smartabsen.cli.app import app
from smartabsen.kernel import i18n


@pytest.fixture(autouse=True)
def language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands set the language of the process."""
    monkeypatch.setattr(i18n, "_process_language", [])


def test_tls_init_tells_scripts_where_the_files_are(tmp_path: Path) -> None:
    """And what phones must trust."""
    done = CliRunner().invoke(app, ["tls", "init", "--name", "absen.lan", "--home", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)["data"]
    assert Path(data["certificate"]).is_file() and "absen.lan" in data["names"]
    assert data["authority_address"].endswith("/ca.crt")


def test_tls_init_says_what_to_do_with_them(tmp_path: Path) -> None:
    """The command to start the server, a QR for phones, the fingerprint to compare."""
    done = CliRunner().invoke(app, ["tls", "init", "--home", str(tmp_path)])
    assert "smartabsen serve --host 0.0.0.0 --tls-cert" in done.stdout
    assert "##" in done.stdout or "█" in done.stdout
    assert "SHA-256" in done.stdout
