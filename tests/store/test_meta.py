"""Facts about the database, and the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import pytest

from smartabsen.kernel.domain import ModelIdentity
from smartabsen.store import meta
from smartabsen.store.database import Database
from smartabsen.trust import audit_rows

DLIB, ARCFACE = ModelIdentity("dlib", "ab" * 32, 128), ModelIdentity("insightface", "cd" * 32, 512)


def test_a_fact_is_replaced(database: Database) -> None:
    """The last value counts; a fact that was never stored is None."""
    with database.write() as session:
        meta.put(session, meta.ACTIVE_VERSION, "one")
        meta.put(session, meta.ACTIVE_VERSION, "two")

    with database.read() as session:
        assert meta.find(session, meta.ACTIVE_VERSION) == "two"
        assert meta.find(session, "unknown") is None


def test_the_first_enrolment_fixes_the_model(database: Database) -> None:
    """Whoever claims another one later gets the first one back."""
    with database.write() as session:
        assert meta.find_active_model(session) is None
        assert meta.claim_active_model(session, DLIB) == DLIB
    with database.write() as session:
        assert meta.claim_active_model(session, ARCFACE) == DLIB

    with database.read() as session:
        assert meta.find_active_model(session) == DLIB


def test_a_model_is_replaced_only_where_it_is_still_the_expected_one(database: Database) -> None:
    """Compare and set: who holds an old view changes nothing."""
    with database.write() as session:
        meta.claim_active_model(session, DLIB)
        assert meta.replace_active_model(session, DLIB, ARCFACE)
        assert not meta.replace_active_model(session, DLIB, DLIB)
        assert meta.find_active_model(session) == ARCFACE


@pytest.mark.slow
def test_of_several_processes_that_claim_a_fact_one_gets_it(
    database: Database, database_url: str, run_workers: Callable[..., list[str]]
) -> None:
    """Exactly one is told that it was first, and its value stands."""
    with database.write():
        pass

    answers = [answer.strip() for answer in run_workers(4, "claim", database_url)]

    assert sorted(answers) == ["False"] * 3 + ["True"]
    with database.read() as session:
        assert meta.find(session, "first") == str(answers.index("True"))


def test_the_audit_trail_keeps_who_did_what_to_whom(database: Database) -> None:
    """The newest entry comes first, with its details and its time in UTC."""
    with database.write() as session:
        audit_rows.append(session, actor="root@kiosk", action="employee.add", subject="E001")
        audit_rows.append(
            session, actor="root@kiosk", action="employee.rename", subject="E001", details={"to": "Zoë 😀"}
        )

    with database.read() as session:
        newest, oldest = audit_rows.latest(session)
        assert audit_rows.latest(session, limit=1) == (newest,)
    assert (newest.actor, newest.action, newest.subject, newest.details) == (
        "root@kiosk",
        "employee.rename",
        "E001",
        {"to": "Zoë 😀"},
    )
    assert oldest.details == {}
    assert newest.at.tzinfo is UTC and newest.at >= oldest.at


def test_an_undone_transaction_leaves_no_trace_of_what_did_not_happen(database: Database) -> None:
    """An entry is part of the transaction it tells of."""
    with pytest.raises(KeyError), database.write() as session:
        audit_rows.append(session, actor="root", action="employee.add")
        raise KeyError

    with database.read() as session:
        assert audit_rows.latest(session) == ()
