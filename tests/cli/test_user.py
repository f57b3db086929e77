"""``smartabsen user`` on a real installation."""

from __future__ import annotations

import base64
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smartabsen import SmartAbsen
from smartabsen.cli import serve_view
from smartabsen.cli.app import app
from smartabsen.cli.output import Output
from smartabsen.org import passwords
from smartabsen.org.second_factor_rows import code_at

PASSWORD = "empat kuda makan rumput"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands in one home; ``typed`` is what comes on stdin."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))

    def call(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["user", *arguments], prog_name="smartabsen", input=typed)

    return call


def data(result: Result) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.stdout)["data"]
    return answer


def test_a_user_is_added_listed_disabled_and_enabled(run: Run) -> None:
    """The password comes on stdin and is in no output."""
    added = run("add", "siti", "--role", "admin", "--json", typed=f"{PASSWORD}\n")
    run("add", "budi", typed=f"{PASSWORD}\n")
    assert (added.exit_code, data(added)["user"]["role"]) == (0, "admin")
    assert PASSWORD not in added.output

    assert data(run("disable", "budi", "--json"))["user"]["active"] is False
    assert "disabled" in run("list").stdout
    assert data(run("enable", "budi", "--json"))["user"]["active"] is True
    assert data(run("role", "budi", "admin", "--json"))["user"]["role"] == "admin"
    assert [user["name"] for user in data(run("list", "--json"))["users"]] == ["budi", "siti"]
    assert run("passwd", "budi", typed="lima kuda makan rumput\n").exit_code == 0


def test_what_cannot_be_is_one_line_with_what_to_do(run: Run) -> None:
    """A weak password, an unknown user, the last administrator."""
    weak = run("add", "siti", typed="short\n")
    assert (weak.exit_code, "too short" in weak.stderr) == (2, True)
    unknown = run("passwd", "nobody", typed=f"{PASSWORD}\n")
    assert (unknown.exit_code, "no user" in unknown.stderr) == (1, True)
    run("add", "siti", "--role", "admin", typed=f"{PASSWORD}\n")
    last = run("disable", "siti")
    assert (last.exit_code, "last administrator" in last.stderr) == (1, True)


def test_the_setup_secret_is_printed_alone_while_there_is_no_user(run: Run) -> None:
    """A script can use it as it is."""
    result = run("setup")
    assert result.exit_code == 0
    assert [len(group) for group in result.stdout.strip().split("-")] == [4] * 5
    assert "user setup" in run("list").stderr
    run("add", "siti", typed=f"{PASSWORD}\n")
    assert run("setup").exit_code == 1


def test_a_server_without_users_says_how_the_first_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it prints in a terminal works in the browser's form, once."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with SmartAbsen.open(flags={"home": str(tmp_path / "home")}) as library:
        serve_view.tell_setup(Output(as_json=False, quiet=True), library)
        said = capsys.readouterr().err
        secret = re.search(r"(?:[A-Z2-9]{4}-){4}[A-Z2-9]{4}", said)
        assert secret is not None and "/admin/setup" in said
        assert library.users.set_up(secret[0], "siti", PASSWORD).name == "siti"


def test_a_password_that_is_given_is_changed_at_the_first_sign_in(run: Run) -> None:
    """The list and the answer say so."""
    added = data(run("add", "siti", "--role", "admin", "--json", typed=f"{PASSWORD}\n"))["user"]
    assert (added["must_change_password"], added["second_factor"]) == (True, False)
    changed = data(run("passwd", "siti", "--json", typed="lima kuda makan rumput\n"))["user"]
    assert changed["must_change_password"] is True
    assert "given password" in run("list").stdout


def test_sessions_are_listed_and_ended(run: Run, tmp_path: Path) -> None:
    """All of a user's, or one by its name in the list."""
    run("add", "siti", "--role", "admin", typed=f"{PASSWORD}\n")
    assert "Nobody is signed in" in run("sessions", "siti").stderr
    with SmartAbsen.open(flags={"home": str(tmp_path / "home")}) as library:
        siti = library.users.get("siti")
        for _ in range(3):
            library.web_sessions.create(
                {}, idle_s=60, absolute_s=600, user_id=siti.id, address="192.0.2.7", label="Firefox, Windows"
            )
    listed = data(run("sessions", "siti", "--json"))["sessions"]
    assert [(each["address"], each["browser"]) for each in listed] == [("192.0.2.7", "Firefox, Windows")] * 3
    assert listed[0]["id"] in run("sessions", "siti").stdout
    assert data(run("sign-out", "siti", "--session", listed[0]["id"], "--json")) == {"ended": 1}
    assert run("sign-out", "siti", "--session", listed[0]["id"]).exit_code == 1
    assert "Sessions ended: 2" in run("sign-out", "siti").stdout
    assert data(run("sessions", "siti", "--json"))["sessions"] == []
    assert run("sessions", "nobody").exit_code == 1


def test_a_second_factor_is_removed(run: Run, tmp_path: Path) -> None:
    """With an entry in the audit trail; where there is none, it says so."""
    run("add", "siti", "--role", "admin", typed=f"{PASSWORD}\n")
    assert run("totp-off", "siti").exit_code == 1
    with SmartAbsen.open(flags={"home": str(tmp_path / "home")}) as library:
        siti = library.users.get("siti")
        enrolment = library.users.begin_totp(siti)
        secret = base64.b32decode(enrolment.secret)
        library.users.turn_totp_on(siti, enrolment.ticket, code_at(secret, int(time.time()) // 30))
    assert data(run("list", "--json"))["users"][0]["second_factor"] is True
    assert data(run("totp-off", "siti", "--json"))["user"]["second_factor"] is False
    trail = CliRunner().invoke(app, ["audit", "list", "--json"], prog_name="smartabsen").stdout
    assert "user.totp_off" in trail
