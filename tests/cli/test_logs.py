"""``smartabsen logs``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smartabsen import SmartAbsen
from smartabsen.cli.app import app
from smartabsen.cli.logs_view import KINDS
from smartabsen.kernel import i18n
from smartabsen.kernel.domain import SecurityKind


@pytest.fixture(autouse=True)
def language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands set the language of the process."""
    monkeypatch.setattr(i18n, "_process_language", [])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which a login was refused, and one was not."""
    with SmartAbsen.open(flags={"home": str(tmp_path)}) as opened:
        opened.security.note(SecurityKind.LOGIN_REFUSED, actor="siti", reason="wrong", address="192.0.2.7")
        opened.security.note(SecurityKind.LOGIN, actor="si\x1b[31mti\n", address="192.0.2.8")
    return tmp_path


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["logs", "--home", str(home), "--language", "en", *arguments])


def test_events_are_listed_filtered_by_kind_address_and_time(home: Path) -> None:
    """The last ones, the oldest of them first."""

    def kinds(*arguments: str) -> list[str]:
        done = run(home, "--json", *arguments)
        assert done.exit_code == 0, done.output
        return [each["kind"] for each in json.loads(done.stdout)["data"]["events"]]

    assert kinds() == ["login.refused", "login.ok"]
    assert kinds("--kind", "login.ok") == ["login.ok"]
    assert kinds("--kind", "login") == ["login.refused", "login.ok"]
    assert kinds("--address", "192.0.2.7") == ["login.refused"]
    assert kinds("--limit", "1") == ["login.ok"]
    assert kinds("--since", "2999-01-01") == []
    assert kinds("--since", "1h") == ["login.refused", "login.ok"]


def test_a_terminal_is_not_steered_by_what_is_in_the_log(home: Path) -> None:
    """Names come from elsewhere."""
    shown = run(home).stdout
    assert "192.0.2.7" in shown and "Login refused" in shown
    assert "\x1b[31m" not in shown


def test_a_kind_that_does_not_exist_is_refused_with_those_there_are(home: Path) -> None:
    """A typing error must not look like a quiet night."""
    done = run(home, "--kind", "logn")
    assert done.exit_code == 2
    assert "login.refused" in done.stderr


def test_a_home_without_a_log_has_no_events(tmp_path: Path) -> None:
    """Which is no error."""
    assert run(tmp_path).exit_code == 0


def test_every_kind_has_a_name_for_people() -> None:
    """So that no bare word is shown."""
    assert set(KINDS) == set(SecurityKind)
