"""The chain of the audit trail: whatever is done to a row behind our back is found."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from smartabsen.privacy.audit_check_rows import AuditProblem, ProblemKind, verify
from smartabsen.store import meta, schema
from smartabsen.store.database import Database
from smartabsen.trust import audit_rows, audit_search_rows
from smartabsen.trust.audit_rows import AuditHead
from smartabsen.trust.audit_search_rows import AuditFilter


def write(database: Database, count: int, *, first: int = 1) -> None:
    for number in range(first, first + count):
        with database.write() as session:
            audit_rows.append(
                session, actor="root", action="employee.add", subject=f"E{number}", details={"n": str(number)}
            )


def check(database: Database, known: AuditHead | None = None) -> list[tuple[ProblemKind, int]]:
    with database.read() as session:
        return [(problem.kind, problem.number) for problem in verify(session, *([known] if known else [])).problems]


def tamper(database: Database, *statements: str) -> None:
    with database.connect(exclusive=True) as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_entries_are_numbered_without_gaps_and_each_covers_the_one_before(database: Database) -> None:
    """Also when several belong to one transaction, and one was undone."""
    write(database, 2)
    with pytest.raises(KeyError), database.write() as session:
        audit_rows.append(session, actor="root", action="undone")
        raise KeyError
    with database.write() as session:
        audit_rows.append(session, actor="root", action="a")
        meta.compare_and_set(session, "x", expected=None, value="1")
        audit_rows.append(session, actor="root", action="b")
    with database.read() as session:
        found = list(audit_rows.entries(session))
        verdict = verify(session)
    assert [(one.number, one.action) for one in found] == [
        (1, "employee.add"), (2, "employee.add"), (3, "a"), (4, "b"),
    ]  # fmt: skip
    assert (verdict.entries, verdict.problems) == (4, ())
    assert verdict.head == AuditHead(4, found[-1].digest)


def test_an_entry_of_a_savepoint_that_was_undone_leaves_no_gap(database: Database) -> None:
    """What did not happen has no place in the chain."""
    with database.write() as session:
        audit_rows.append(session, actor="root", action="a")
        with pytest.raises(KeyError), session.begin_nested():
            audit_rows.append(session, actor="root", action="undone")
            raise KeyError
        audit_rows.append(session, actor="root", action="b")
    with database.read() as session:
        assert [(one.number, one.action) for one in audit_rows.entries(session)] == [(1, "a"), (2, "b")]
        assert verify(session).problems == ()


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["UPDATE audit SET subject = 'E9' WHERE number = 3"], (ProblemKind.CHANGED, 3)),
        (["UPDATE audit SET actor = 'nobody' WHERE number = 1"], (ProblemKind.CHANGED, 1)),
        (["UPDATE audit SET at_utc = '2020-01-01 00:00:00.000000' WHERE number = 6"], (ProblemKind.CHANGED, 6)),
        (["UPDATE audit SET details = '{}' WHERE number = 2"], (ProblemKind.CHANGED, 2)),
        (["DELETE FROM audit WHERE number = 3"], (ProblemKind.MISSING, 3)),
        (["DELETE FROM audit WHERE number = 1"], (ProblemKind.MISSING, 1)),
        (["DELETE FROM audit WHERE number >= 5"], (ProblemKind.CUT_OFF, 4)),
        (["DELETE FROM audit"], (ProblemKind.CUT_OFF, 0)),
        (
            [
                "UPDATE audit SET number = 99 WHERE number = 2",
                "UPDATE audit SET number = 2 WHERE number = 3",
                "UPDATE audit SET number = 3 WHERE number = 99",
            ],
            (ProblemKind.MOVED, 2),
        ),
        (
            [
                "INSERT INTO audit (at_utc, actor, action, subject, details)"
                " VALUES ('2026-11-02 00:00:00.000000', 'x', 'y', 'z', '{}')"
            ],
            (ProblemKind.FOREIGN, 7),
        ),
        *(
            (
                [
                    "INSERT INTO audit (at_utc, actor, action, subject, details, number)"
                    f" VALUES ('2026-11-02 00:00:00.000000', 'x', 'y', 'z', '{{}}', {number})"
                ],
                (ProblemKind.FOREIGN, 7),
            )
            for number in (0, -5)
        ),
    ],
)
def test_whatever_is_done_to_a_row_is_found(
    database: Database, statements: list[str], problem: tuple[ProblemKind, int]
) -> None:
    """Edited, deleted, cut off, reordered, slipped in: the place is named."""
    write(database, 6)
    assert check(database) == []
    tamper(database, *statements)
    assert problem in check(database)


def test_a_record_that_was_written_anew_shows_against_a_head_that_was_kept(database: Database) -> None:
    """Whoever can rewrite everything cannot rewrite what is elsewhere."""
    write(database, 4)
    with database.read() as session:
        kept = audit_rows.head(session)
    tamper(
        database, "DELETE FROM audit", f"UPDATE meta SET value = '0:{audit_rows.BEGINNING}' WHERE name = 'audit_head'"
    )
    write(database, 5, first=10)
    assert check(database) == []
    assert (ProblemKind.CHANGED, 4) in check(database, kept)
    tamper(
        database, "DELETE FROM audit WHERE number > 1",
        "UPDATE meta SET value = (SELECT CONCAT('1:', digest) FROM audit) WHERE name = 'audit_head'"
        if database.path is None
        else "UPDATE meta SET value = (SELECT '1:' || digest FROM audit) WHERE name = 'audit_head'",
    )  # fmt: skip
    assert check(database) == []
    assert check(database, kept) == [(ProblemKind.CUT_OFF, 1)]
    write(database, 1)
    assert AuditHead.parse(str(kept)) == kept


def test_many_writers_at_once_make_one_chain(database: Database) -> None:
    """Each gets a place of its own."""
    write(database, 1)

    def work(name: str) -> None:
        for step in range(5):
            database.run_write(lambda session, n=f"{name}-{step}": audit_rows.append(session, actor=n, action="x"))

    threads = [threading.Thread(target=work, args=[str(number)]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert (verify(session).entries, verify(session).problems) == (21, ())


def test_entries_of_before_the_chain_are_chained_by_the_upgrade(database: Database) -> None:
    """In the order in which they were added; running it again, as after a kill, changes nothing."""
    schema.upgrade(database)
    schema.downgrade(database, "0002")
    rows = (
        "INSERT INTO audit (at_utc, actor, action, subject, details)"
        " VALUES ('2026-11-02 00:00:00.000001', :a, 'x', '', '{}')"
    )
    with database.connect(exclusive=True) as connection:
        for name in ("Zoë", "b", "c"):
            connection.execute(text(rows), {"a": name})
    schema.upgrade(database)
    with database.read() as session:
        before = verify(session)
        assert [one.actor for one in audit_rows.entries(session)] == ["Zoë", "b", "c"]
    tamper(database, "UPDATE alembic_version SET version_num = '0002'")
    schema.upgrade(database)
    with database.read() as session:
        assert verify(session) == before
    assert (before.entries, before.problems) == (3, ())
    write(database, 1)
    assert check(database) == []


def test_many_entries_are_read_page_by_page(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missed or read twice at the edge of a page."""
    monkeypatch.setattr(audit_rows, "_PAGE", 3)
    with sqlite.write() as session:
        for _ in range(6):
            audit_rows.append(session, actor="root", action="x")
    with sqlite.read() as session:
        assert [one.number for one in audit_rows.entries(session)] == [1, 2, 3, 4, 5, 6]
        assert verify(session).problems == ()


def test_entries_are_found_by_who_what_and_whom(sqlite: Database) -> None:
    """A word finds its kind; a letter that means something to LIKE means itself."""
    with sqlite.write() as session:
        for actor, action, subject in (("a", "punch.manual", "E1"), ("b", "punch", "E2"), ("a", "punchy", "E1")):
            audit_rows.append(session, actor=actor, action=action, subject=subject)

    def found(**wanted: str) -> list[int]:
        with sqlite.read() as session:
            return [one.number for one in audit_rows.find(session, **wanted)]

    assert (found(action="punch"), found(actor="a"), found(subject="E1", action="punch")) == ([2, 1], [3, 1], [1])
    assert found(action="p%") == []


@pytest.mark.parametrize("text_", ["", "1", "1:ab", "x:" + "0" * 64, "1:" + "G" * 64])
def test_a_text_that_is_no_head_is_refused(text_: str) -> None:
    """A mistyped anchor must not pass as one."""
    with pytest.raises(ValueError, match=r"head|int"):
        AuditHead.parse(text_)


def test_a_place_is_taken_only_at_the_end_of_a_transaction(database: Database) -> None:
    """Two units that have added an entry and go on do not wait for each other before they commit."""
    if database.path is not None:
        pytest.skip("SQLite has one writer at a time")
    reached = threading.Barrier(2, timeout=5)

    def work(session: Session) -> None:
        audit_rows.append(session, actor="root", action="x")
        reached.wait()

    run: Callable[[], None] = lambda: database.run_write(work)  # noqa: E731
    with database.read() as session:
        verify(session)
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not reached.broken
    assert check(database) == []
    assert AuditProblem(ProblemKind.MOVED, 1) == AuditProblem(ProblemKind.MOVED, 1)


def test_entries_are_listed_by_their_place_in_the_chain(database: Database) -> None:
    """A row id is covered by no hash: to change it moves nothing in any list."""
    write(database, 3)
    tamper(database, "UPDATE audit SET id = 90 WHERE number = 1")
    with database.read() as session:
        for found in (
            audit_rows.latest(session),
            audit_rows.find(session, actor="root"),
            audit_search_rows.find_entries(session, AuditFilter()),
        ):
            assert [one.number for one in found] == [3, 2, 1]
        assert [one.number for one in audit_search_rows.find_entries(session, AuditFilter(), before=3, limit=1)] == [2]


@pytest.mark.parametrize("stored", ["{", "[1]", "", "no json"])
def test_damaged_details_are_shown_as_they_stand_and_the_row_is_named(database: Database, stored: str) -> None:
    """Nobody hides the rest of the record by damaging one row of it."""
    write(database, 3)
    tamper(database, f"UPDATE audit SET details = '{stored}' WHERE number = 2")
    with database.read() as session:
        for found in (
            audit_rows.latest(session),
            tuple(audit_rows.entries(session)),
            audit_search_rows.find_entries(session, AuditFilter()),
        ):
            assert [one.details for one in found if one.number == 2] == [{"unreadable": stored}]
            assert len(found) == 3
    assert (ProblemKind.CHANGED, 2) in check(database)
