"""Proving again who one is before users, roles, phones and PINs change; nothing that was typed is lost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient

from smartabsen import Role, SmartAbsen

from ..pages import csrf_of, post
from .conftest import PASSWORD, set_proved_at
from .test_roles import CASES

GUARDED = (
    "admin.add_user",
    "admin.user_password",
    "admin.user_active",
    "admin.user_role",
    "admin.end_user_sessions",
    "admin.reset_totp",
    "admin.pair_phone",
    "admin.revoke_phone",
    "admin.set_pin",
    "admin.remove_pin",
    "admin.begin_totp",
    "admin.turn_totp_off",
    "admin.renew_recovery_codes",
)


@pytest.fixture
def stale(admin: FlaskClient) -> FlaskClient:
    """An administrator who typed the password eleven minutes ago."""
    set_proved_at(admin, datetime.now(UTC) - timedelta(minutes=11))
    return admin


def hidden_fields(page: str) -> dict[str, str]:
    """What a page sends on."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found if name != "csrf_token"}


@pytest.mark.parametrize("endpoint", GUARDED)
def test_nothing_goes_on_without_the_password(stale: FlaskClient, endpoint: str) -> None:
    """The page that asks carries every field, and no other request is let through."""
    case = CASES[endpoint]
    token = csrf_of(stale.get("/admin/account").text)
    asked = stale.post(case.path, data={"csrf_token": token, **case.form})
    assert asked.status_code == 403
    assert 'name="confirm_password"' in asked.text
    assert hidden_fields(asked.text) == case.form
    assert f'action="{case.path}"' in asked.text
    wrong = stale.post(case.path, data={"csrf_token": token, **case.form, "confirm_password": "wrong"})
    assert (wrong.status_code, hidden_fields(wrong.text)) == (403, case.form)


def test_what_was_typed_goes_on_with_the_password(stale: FlaskClient, library: SmartAbsen) -> None:
    """With signs that HTML knows, too; afterwards nobody is asked for a while."""
    odd = 'lima <b> & "kuda" makan rumput'
    page = stale.get("/admin/users").text
    asked = post(stale, "/admin/users", page, name="tini", role="viewer", password=odd, repeated=odd)
    assert "tini" not in {user.name for user in library.users.list_users()}
    again = post(stale, "/admin/users", asked.text, **hidden_fields(asked.text), confirm_password=PASSWORD)
    assert again.status_code == 302
    assert library.users.check_password("tini", odd).user is not None
    assert post(stale, "/admin/users/budi/role", page, role="admin").status_code == 302
    assert library.users.get("budi").role is Role.ADMIN


def test_a_login_is_a_proof_for_some_minutes(admin: FlaskClient, library: SmartAbsen) -> None:
    """Whoever has just typed the password is not asked at once; a proof from the future is none."""
    page = admin.get("/admin/users").text
    assert post(admin, "/admin/users/budi/role", page, role="viewer").status_code == 302
    set_proved_at(admin, datetime.now(UTC) + timedelta(hours=1))
    assert post(admin, "/admin/users/budi/role", page, role="viewer").status_code == 403


def test_wrong_passwords_there_are_counted_as_at_the_door(stale: FlaskClient, library: SmartAbsen) -> None:
    """Whoever finds a desk left open does not guess without end: behind both counters the right one is refused."""
    page = stale.get("/admin/users").text
    for _ in range(10):
        assert post(stale, "/admin/users/budi/role", page, role="admin", confirm_password="x").status_code == 403
    right = post(stale, "/admin/users/budi/role", page, role="admin", confirm_password=PASSWORD)
    assert right.status_code == 403
    assert library.users.get("budi").role is Role.VIEWER


def test_a_client_that_takes_json_is_told_in_json(stale: FlaskClient) -> None:
    """It gets no page."""
    token = csrf_of(stale.get("/admin/account").text)
    answer = stale.post(
        "/admin/users/budi/role",
        data={"csrf_token": token, "role": "admin"},
        headers={"Accept": "application/json"},
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "confirmation_needed")  # type: ignore[index]


def test_what_changes_nobodys_rights_asks_for_nothing(stale: FlaskClient) -> None:
    """Looking, correcting and editing go on."""
    page = stale.get("/admin/employees/1").text
    assert post(stale, "/admin/employees/1", page, name="Ani Contoh").status_code == 302
