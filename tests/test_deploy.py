"""The files of ``deploy/``: units that systemd reads, commands and settings that exist, rights that suffice."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartabsen import SmartAbsen
from smartabsen.cli.app import app as program
from smartabsen.config import load_settings
from tests.faults.conftest import server
from tests.faults.server import PrivateServer

__all__ = ["server"]

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("smartabsen*.service"))
TIMERS = sorted(path.name for path in DEPLOY.glob("smartabsen*.timer"))
PASSWORD = "/etc/smartabsen/database-password"


def read_unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / name, encoding="utf-8")
    return unit


def commands_of(name: str) -> Iterator[list[str]]:
    for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
        if line.startswith(("ExecStart=", "ExecStartPost=")):
            path, *arguments = line.partition("=")[2].split()
            assert path == "/opt/smartabsen/bin/smartabsen"
            yield arguments


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_commands_that_exist(name: str) -> None:
    """With options that they have."""
    from typer.main import get_command

    for arguments in commands_of(name):
        found: Any = get_command(program)
        words = [each for each in arguments if not each.startswith("-") and not each.isdigit()]
        for word in words:
            found = found.commands[word]
            found = found.load() if hasattr(found, "load") else found
        known = {option for param in found.params for option in param.opts}
        assert {each for each in arguments if each.startswith("-")} <= known


@pytest.mark.parametrize("name", UNITS)
def test_the_settings_of_a_unit_exist(name: str) -> None:
    """Those in comments as well: somebody takes the mark away and believes that it works."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    given = dict(re.findall(r"^#?Environment=(SMARTABSEN_\w+)=(.*)$", text, re.MULTILINE))
    assert given["SMARTABSEN_HOME"] == "/var/lib/smartabsen"
    load_settings(environ=given)
    assert set(re.findall(r"LoadCredential=database-password:(\S+)", text)) == {PASSWORD}
    assert given["SMARTABSEN_DATABASE_PASSWORD_FILE"] == "%d/database-password"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("name", [*UNITS, *TIMERS])
def test_systemd_reads_a_unit(tmp_path: Path, name: str) -> None:
    """Without an unknown key; the paths of the example are replaced by some that exist."""
    for other in (*UNITS, *TIMERS):
        text = (DEPLOY / other).read_text(encoding="utf-8")
        (tmp_path / other).write_text(
            text.replace("/opt/smartabsen/bin/smartabsen", "/bin/true").replace("/etc/smartabsen.env", "/dev/null")
        )
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "smartabsen" in line] == []


def test_every_timer_has_its_unit_and_what_must_be_done_by_itself_has_a_timer() -> None:
    """Backups, and the retention periods, which nothing else carries out."""
    assert {name.replace(".timer", ".service") for name in TIMERS} <= set(UNITS)
    timed = [" ".join(command[:2]) for name in TIMERS for command in commands_of(name.replace(".timer", ".service"))]
    assert {"backup create", "privacy purge"} <= set(timed)


def test_a_wrong_setting_is_not_tried_for_ever() -> None:
    """Exit codes 2 and 3 end the restarts; a database that is away never does."""
    for name in ("smartabsen.service", "smartabsen-kiosk.service"):
        service = read_unit(name)["Service"]
        assert service["RestartPreventExitStatus"] == "2 3" and service["Restart"] in ("always", "on-failure")


def test_the_password_of_the_database_is_one_file() -> None:
    """The server is made with what the program is told to read, and its rights are given when it is made."""
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^    file: (\S+)$", compose, re.MULTILINE) == [PASSWORD]
    assert f"> {PASSWORD}" in compose
    settings = dict(re.findall(r"^#   (SMARTABSEN_\w+)=(\S+)$", compose, re.MULTILINE))
    assert settings["SMARTABSEN_DATABASE_PASSWORD_FILE"] == PASSWORD
    load_settings(environ=settings)
    (mounted,) = re.findall(r"- \./(\S+):/docker-entrypoint-initdb\.d/\S+\.sql:ro", compose)
    assert (DEPLOY / mounted).is_file()


@pytest.mark.slow
@pytest.mark.mariadb
def test_the_rights_of_the_guide_suffice(server: PrivateServer, tmp_path: Path) -> None:
    """Somebody who types what docs/database.md says can work, make a backup and restore it."""
    guide = (ROOT / "docs" / "database.md").read_text(encoding="utf-8")
    statements = re.findall(r"^    ((?:CREATE|GRANT) .*);$", guide, re.MULTILINE)
    rights = (DEPLOY / "mariadb-rights.sql").read_text(encoding="utf-8")
    given = re.findall(r"^(GRANT .*);$", rights, re.MULTILINE)
    assert len(statements) == 4 and given[0].replace("'", "") == statements[-1].replace("'", "")
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP DATABASE smartabsen")
        cursor.execute("DROP USER IF EXISTS ''@'localhost'")
        for statement in statements:
            cursor.execute(statement.replace("'...'", "'secret'"))
    password = tmp_path / "database-password"
    password.write_text("secret\n")
    url = server.url.replace("root@", "smartabsen@")
    flags = {"home": str(tmp_path / "home"), "engine": "fake", "database_url": url, "database.password_file": password}
    with SmartAbsen.open(flags=flags) as app:
        app.enrol("Contoh", [], code="E1")
        made = app.backups.create()
        app.punch("E1")
        assert app.backups.restore(made.path).changed
        assert [entry.action for entry in app.audit.entries(limit=1)] == ["backup.restore"]
