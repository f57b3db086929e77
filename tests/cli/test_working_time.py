"""The commands policy, overtime and leave, on a real installation."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smartabsen import SmartAbsen
from smartabsen.cli.app import app as program
from smartabsen.kernel.actors import acting_as


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one employee."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMARTABSEN_SITE_ZONE", "Asia/Jakarta")
    with SmartAbsen.open(flags={"engine": "fake"}) as app:
        app.enrol("Contoh Satu", [], code="E001")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, list(arguments), prog_name="smartabsen")


def answer(*arguments: str, code: int = 0) -> dict[str, Any]:
    """The data of a command; the whole envelope where it fails."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    envelope: dict[str, Any] = json.loads(result.stdout)
    data: dict[str, Any] = envelope["data"] if code == 0 else envelope
    return data


def test_overtime_is_explained_with_units_wage_amount_and_steps(home: Path) -> None:
    """Units and the wage of an hour as decimal strings, whole rupiah, each step with its article."""
    data = answer("overtime", "explain", "--wage", "5000000", "--week", "5", "--day", "holiday", "--hours", "10")
    assert (data["units"], data["hour_wage"], data["amount"]) == ("23", "28901.734104", 664_740)
    assert data["parts"][1] == {"from_hour": 8, "to_hour": 9, "multiplier": 3, "article": "PP 35/2021 art. 31(3)"}
    assert data["ruleset"] == "id-2021"


@pytest.mark.parametrize(
    ("more", "amount"),
    [
        (["--wage", "5.000.000", "--week", "6", "--day", "workday", "--hours", "1:30"], 72_254),
        (["--wage", "5000000", "--week", "6", "--day", "workday", "--hours", "1.5"], 72_254),
        (["--daily", "150000", "--week", "6", "--day", "workday", "--hours", "2"], 75_867),
        (
            ["--wage", "3000000", "--fixed", "1000000", "--variable", "2000000", "--week", "5", "--day", "workday",
             "--hours", "3"],
            143_064,
        ),
        (["--wage", "5000000", "--week", "6", "--day", "shortest-day", "--hours", "8", "--hour-rounding", "floor"],
         606_921),
        (["--wage", "1000000", "--minimum", "4000000", "--week", "5", "--day", "rest-day", "--hours", "5"], 231_214),
        (["--wage", "5000000", "--week", "5", "--day", "holiday", "--hours", "13", "--past-tiers", "4x"], 1_011_561),
    ],
)  # fmt: skip
def test_overtime_takes_wages_and_hours_as_people_write_them(home: Path, more: list[str], amount: int) -> None:
    """By month or by day, with a minimum, in any notation."""
    assert answer("overtime", "explain", *more)["amount"] == amount


@pytest.mark.parametrize(
    "more",
    [
        ["--wage", "5000000", "--week", "5", "--day", "holiday", "--hours", "13"],
        ["--wage", "5000000", "--week", "5", "--day", "shortest-day", "--hours", "1"],
        ["--wage", "5000000", "--daily", "1", "--week", "5", "--day", "workday", "--hours", "1"],
        ["--week", "5", "--day", "workday", "--hours", "1"],
        ["--wage", "5e6", "--week", "5", "--day", "workday", "--hours", "1"],
        ["--wage", "5000000", "--week", "4", "--day", "workday", "--hours", "1"],
        ["--wage", "5000000", "--week", "5", "--day", "workday", "--hours", "1", "--on", "2020-01-01"],
    ],
)
def test_overtime_that_the_law_does_not_know_is_refused(home: Path, more: list[str]) -> None:
    """With the exit code of a wrong command line."""
    assert answer("overtime", "explain", *more, code=2)["errors"]


def test_an_order_goes_through_consent_and_approval(home: Path) -> None:
    """And the list has names and durations."""
    order = answer("overtime", "order", "E001", "2026-12-04", "--minutes", "300", "--reason", "closing")
    assert (order["state"], order["food_due"], order["findings"][0]["cap"]) == ("ordered", True, 240)
    answer("overtime", "consent", str(order["id"]))
    assert answer("overtime", "approve", str(order["id"]))["state"] == "in_force"
    (listed,) = answer("overtime", "list", "--from", "2026-12-01", "--to", "2026-12-31")["orders"]
    assert (listed["name"], listed["minutes"]) == ("Contoh Satu", 300)
    assert "Contoh Satu" in run("overtime", "list", "--from", "1/12/2026", "--to", "31/12/2026").stdout
    assert answer("overtime", "approve", "77", code=1)["errors"][0]["code"] == "not_found"


def test_leave_is_asked_for_approved_by_two_and_withdrawn(home: Path) -> None:
    """The command line is one of the two who approve."""
    answer("leave", "grant", "E001", "--kind", "tahunan", "--days", "3", "--expires", "2099-12-31")
    asked = answer("leave", "request", "E001", "--kind", "tahunan", "--from", "2098-12-05", "--to", "2098-12-08")
    assert (asked["days"], asked["state"], asked["half"]) == (2.0, "requested", None)
    first = answer("leave", "approve", str(asked["id"]))
    assert (first["state"], first["steps_done"], first["steps_wanted"]) == ("requested", 1, 2)
    assert answer("leave", "approve", str(asked["id"]), code=1)["errors"][0]["code"] == "denied"
    with acting_as("hr"):
        assert answer("leave", "approve", str(asked["id"]))["state"] == "approved"
    (balance,) = answer("leave", "balance", "E001")["balances"]
    assert (balance["kind"], balance["days"]) == ("tahunan", 1.0)
    assert balance["days"] == sum(entry["days"] for entry in balance["entries"])
    assert answer("leave", "withdraw", str(asked["id"]))["state"] == "withdrawn"
    assert answer("leave", "balance", "E001")["balances"][0]["free"] == 3.0
    assert "withdrawn" in run("leave", "list").stdout
    half = answer("leave", "request", "E001", "--kind", "tahunan", "--from", "2098-12-08", "--to", "2098-12-08",
                  "--half", "morning")  # fmt: skip
    assert (half["days"], half["half"]) == (0.5, "morning")
    assert answer("leave", "reject", str(half["id"]))["state"] == "rejected"


def test_hr_enters_leave_with_a_letter_and_reads_it(home: Path) -> None:
    """For one person at once; a department that is not there is told."""
    letter = home / "surat.pdf"
    letter.write_bytes(b"%PDF-1.4 sample")
    added = answer("leave", "add", "E001", "--kind", "sakit", "--from", "2026-12-01", "--to", "2026-12-02",
                   "--attach", str(letter))  # fmt: skip
    assert (added["state"], added["letters"]) == ("approved", ["surat.pdf"])
    (written,) = answer("leave", "letters", str(added["id"]), "--to", str(home / "out"))["files"]
    assert Path(written).read_bytes() == letter.read_bytes()
    period = ("--kind", "tahunan", "--from", "2026-12-01", "--to", "2026-12-02")
    assert answer("leave", "add", "--department", "X", *period, code=1)["errors"][0]["code"] == "not_found"
    assert answer("leave", "add", *period, code=2)["errors"]
    assert answer("leave", "add-kind", "libur-toko", "--name", "Libur toko", "--balance")["account"] == "libur-toko"
    assert {"sakit", "libur-toko"} <= {each["kind"] for each in answer("leave", "kinds")["kinds"]}


def test_policies_are_set_with_a_date_and_listed(home: Path) -> None:
    """What may be set stands beside what is decided."""
    entry = answer("policy", "set", "leave_steps=1", "--valid-from", "2026-12-01", "--employee", "E001")
    assert (entry["key"], entry["value"], entry["scope"], entry["of"]) == ("leave_steps", "1", "employee", "E001")
    listed = answer("policy", "list")
    assert [each["key"] for each in listed["policies"]] == ["leave_steps"]
    assert {"hour_rounding", "past_tiers", "grace", "critical"} <= {each["key"] for each in listed["keys"]}
    for wrong in ("leave_steps", "leave_steps=3", "leave_steps=x"):
        assert answer("policy", "set", wrong, "--valid-from", "2026-12-01", code=2)["errors"]
    with SmartAbsen.open(flags={"engine": "fake"}) as app:
        assert app.policies.on("E001", app.today() + timedelta(days=3650)).leave_steps == 1


def test_the_orders_of_a_week_are_added_up_by_person(home: Path) -> None:
    """Names and durations, day by day; what was taken back does not count."""
    for day, minutes in (("2026-12-01", 60), ("2026-12-04", 90), ("2026-12-05", 30), ("2026-12-08", 45)):
        order = answer("overtime", "order", "E001", day, "--minutes", str(minutes))
    answer("overtime", "cancel", str(order["id"]))
    answer("overtime", "consent", "1")
    answer("overtime", "approve", "1")
    data = answer("overtime", "list", "--week", "4/12/2026")
    assert data["weeks"] == [
        {"week": "2026-11-30", "code": "E001", "name": "Contoh Satu", "minutes": 180, "in_force_minutes": 60,
         "by_day": [0, 60, 0, 0, 90, 30, 0]}
    ]  # fmt: skip
    assert "3:00" in run("overtime", "list", "--week", "2026-12-04").stdout
    assert answer("overtime", "list", "--week", "2026-12-04", "--from", "2026-12-01", code=2)["errors"]


def test_departments_and_sites_are_named_by_leave_and_policies(home: Path) -> None:
    """Leave for a department, a policy of a site, annual leave of who has been there for a year."""
    run("department", "add", "GUDANG", "--name", "Gudang")
    run("site", "add", "JKT2", "--name", "Jakarta", "--zone", "Asia/Jakarta")
    run("employee", "set", "E001", "--department", "GUDANG", "--site", "JKT2", "--joined", "2020-02-03")
    period = ("--from", "2098-12-01", "--to", "2098-12-02")
    added = answer("leave", "add", "--department", "GUDANG", "--kind", "wfh", *period)
    assert [each["code"] for each in added["requests"]] == ["E001"]
    assert answer("policy", "set", "grace=7", "--valid-from", "2020-01-01", "--site", "JKT2")["of"] == "JKT2"
    (due,) = answer("leave", "annual", "--on", "2098-12-01", "--dry-run")["granted"]
    assert (due["code"], due["date"], due["days"], due["expires"]) == ("E001", "2098-02-03", 12.0, "2099-02-02")
    assert len(answer("leave", "annual", "--on", "2098-12-01")["granted"]) == 1
    assert answer("leave", "annual", "--on", "2098-12-31")["granted"] == []
    assert "12" in run("leave", "balance", "E001").stdout


def test_a_change_of_the_calendar_says_which_leave_it_changes(home: Path) -> None:
    """Joint leave takes a day, worked after all gives it back; a holiday in approved leave gives its day back."""
    answer("leave", "grant", "E001", "--kind", "tahunan", "--days", "12")
    answer("leave", "add", "E001", "--kind", "tahunan", "--from", "2098-12-01", "--to", "2098-12-03")
    (given,) = answer("calendar", "add", "2098-12-02", "Contoh", "--kind", "public")["leave"]
    assert (given["given_back"], given["days"]) == (1.0, 2.0)
    (taken,) = answer("calendar", "add", "2098-12-24", "Cuti bersama", "--kind", "joint")["leave"]
    assert (taken["given_back"], taken["kind"]) == (-1.0, "cuti-bersama")
    assert answer("leave", "balance", "E001")["balances"][0]["days"] == 9.0
    answer("calendar", "work", "2098-12-24", "--employee", "E001")
    assert answer("leave", "balance", "E001")["balances"][0]["days"] == 10.0
    assert answer("leave", "recount", "--from", "2098-12-01", "--to", "2098-12-31")["changed"] == []


def test_kinds_of_leave_have_names_in_both_languages(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law's; all of them are known."""
    from smartabsen.attendance.leave.texts import LABELS
    from smartabsen.attendance.policy.rulesets import all_rulesets

    assert {each.code for ruleset in all_rulesets() for each in ruleset.leave} == set(LABELS)
    for language, label in (("en", "Annual leave"), ("id", "Cuti tahunan")):
        monkeypatch.setenv("SMARTABSEN_LANGUAGE", language)
        kinds = {each["kind"]: each["label"] for each in answer("leave", "kinds")["kinds"]}
        assert kinds["tahunan"] == label
