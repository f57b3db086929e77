"""After an older backup was restored, row ids are given out again: nothing outside the database hits another person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from smartabsen import Outcome, SmartAbsen
from smartabsen.attendance.punch import attempt_by_face
from smartabsen.gallery import model_file, template_rows
from smartabsen.gallery.identify import load_gallery
from smartabsen.kernel.domain import ClockReading, Employee, KnownPerson, Punch, Role, SignInState, VerifyOutcome
from smartabsen.kernel.errors import ConflictError, NotFoundError, NotTrainedError
from smartabsen.kiosk.punch_writer import RESTORED, PunchWriter, Written
from smartabsen.kiosk.start import PunchesOf, open_without_waiting
from smartabsen.org.user_rows import add as add_user
from smartabsen.store import meta
from smartabsen.store.tables import ErasureRow, Karyawan, PunchRow, TemplateRow

from ..backup_parts import kinds, used
from ..installation import Draw

__all__ = ["kinds", "used"]


@pytest.fixture
def elsewhere(used: SmartAbsen, kinds: dict[str, object], tmp_path: Path) -> Iterator[SmartAbsen]:
    """A kiosk with a home of its own on the same database."""
    home = tmp_path / "kiosk"
    url = kinds.get("database_url", f"sqlite:///{used.services.database.path}")
    flags = {**kinds, "home": str(home), "database_url": url, "keys_file": str(used.services.key_chain.path)}
    with SmartAbsen.open(flags=flags) as app:
        yield app


def add(app: SmartAbsen, draw: Draw, person: int) -> Employee:
    """Enrol a drawn person and train; return them."""
    app.enrol(f"Contoh {person}", [draw(f"{person}-{size}.png", person, size_px=size) for size in (130, 145)],
              code=f"E{person}")  # fmt: skip
    app.train()
    return app.get_employee(f"E{person}")


def attempt(app: SmartAbsen, who: Employee, key: str, *, person: str | None = None) -> Punch:
    person = who.uuid if person is None else person
    punch = attempt_by_face(app.services, who.id, similarity=0.9, reading=ClockReading(datetime.now(UTC), True),
                            person=person, code=who.code)  # fmt: skip
    return replace(punch, key=key)


def deliver(app: SmartAbsen) -> list[Written]:
    """Run the writer of a kiosk until its queue is empty."""
    writer = PunchWriter(PunchesOf(app.services), app.services.punch_queue, app.services.clock)
    while app.services.punch_queue.count():
        writer._wake.wait(0.01)
    writer.close()
    return writer.answers()


def recorded(app: SmartAbsen) -> dict[str, str]:
    """Whose each punch is, by its key."""
    query = select(PunchRow.idempotency_key, Karyawan.kode).join(Karyawan, Karyawan.id == PunchRow.karyawan_id)
    with app.services.database.read() as session:
        return {row[0]: row[1] for row in session.execute(query)}


def give_row_id_out_again(app: SmartAbsen, draw: Draw) -> tuple[Employee, Employee]:
    """Restore a backup from before somebody was added, and add somebody else: both have had one row id."""
    made = app.backups.create()
    gone = add(app, draw, 3)
    app.backups.restore(made.path)
    come = add(app, draw, 4)
    assert (come.id, come.uuid != gone.uuid) == (gone.id, True)
    return gone, come


def test_a_waiting_punch_reaches_nobody_else_after_a_restore(
    used: SmartAbsen, elsewhere: SmartAbsen, draw: Draw
) -> None:
    """It is kept aside with the code that it was made for, and shown; that of somebody who is there arrives."""
    made = used.backups.create()
    gone, stays = add(used, draw, 3), used.get_employee("E2")
    open_without_waiting(elsewhere.services)
    queue = elsewhere.services.punch_queue
    for who, key in ((gone, "gone"), (stays, "stays")):
        queue.add(attempt(elsewhere, who, key), database_id=queue.find_fact("database_id"))

    used.backups.restore(made.path)
    come = add(used, draw, 4)
    assert come.id == gone.id
    answers = deliver(elsewhere)

    assert recorded(used) == {"first": "E1", "stays": "E2"}
    (kept,) = queue.refused()
    assert (kept.punch.key, kept.punch.code) == ("gone", "E3")
    assert {dict(row.params).get("code") for row in elsewhere.check_health() if row.name == "queue"} == {"E3", None}
    assert [one.punch.code for one in elsewhere.databases.status().aside] == ["E3"]
    assert RESTORED in {str(one.trouble.message_id) for one in answers if one.trouble is not None}


def test_a_kiosk_whose_model_is_of_another_state_passes_on_what_waits_and_names_the_restore(
    used: SmartAbsen, elsewhere: SmartAbsen, draw: Draw
) -> None:
    """The refusal says what happened and what to do; doctor does not advise the command that was just refused."""
    with used.services.database.write() as session:
        # The backup is of the time before the first training.
        session.execute(text("DELETE FROM meta WHERE name IN ('active_version', 'trained_model')"))
    made = used.backups.create()
    gone, stays = add(used, draw, 3), used.get_employee("E2")
    open_without_waiting(elsewhere.services)
    queue = elsewhere.services.punch_queue
    for who, key in ((gone, "gone"), (stays, "stays")):
        queue.add(attempt(elsewhere, who, key), database_id=queue.find_fact("database_id"))
    used.backups.restore(made.path)

    (fix,) = (row.fix for row in elsewhere.check_health() if row.name == "queue")
    assert "smartabsen train" in fix
    with pytest.raises(NotTrainedError, match="An older backup was restored on 2"):
        open_without_waiting(elsewhere.services)
    assert recorded(used) == {"first": "E1", "stays": "E2"}
    assert [one.punch.code for one in queue.refused()] == ["E3"]
    ((_, told),) = [one for one in elsewhere.remarks if "were passed on" in one[0]]
    assert dict(told) == {"passed": "1", "aside": "1", "waiting": "0"}


@pytest.mark.parametrize("restored", [False, True], ids=["no restore", "restore"])
def test_a_queue_of_the_version_before_is_delivered_only_where_its_row_ids_are_certain(
    used: SmartAbsen, draw: Draw, restored: bool
) -> None:
    """Such a file has row ids alone: certain in a database in whose place no backup was ever put."""
    who = used.get_employee("E2")
    if restored:
        used.backups.restore(used.backups.create().path)
    queue = used.services.punch_queue
    with used.services.database.read() as session:
        identity = meta.database_id(session)
    old_file(queue.path, attempt(used, who, "old"), identity)

    deliver(used)

    assert recorded(used) == ({"first": "E1"} if restored else {"first": "E1", "old": "E2"})
    assert [one.punch.key for one in queue.refused()] == (["old"] if restored else [])


def test_an_old_queue_punch_does_not_reach_somebody_who_was_added_after_it(used: SmartAbsen, draw: Draw) -> None:
    """As after a file of the database was put back by hand, of which nobody told."""
    before = attempt(used, used.get_employee("E2"), "old")
    late = add(used, draw, 3)
    with used.services.database.read() as session:
        identity = meta.database_id(session)
    old_file(used.services.punch_queue.path, replace(before, employee_id=late.id), identity)
    deliver(used)
    assert recorded(used) == {"first": "E1"}
    assert len(used.services.punch_queue.refused()) == 1


def old_file(path: Path, punch: Punch, identity: str) -> None:
    """Write a queue as the version before made it, with one punch."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS waiting")
        connection.execute(
            "CREATE TABLE waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
            " employee_id INTEGER NOT NULL, at_utc TEXT NOT NULL, work_date TEXT NOT NULL, method TEXT NOT NULL,"
            " kiosk TEXT NOT NULL, similarity REAL, liveness REAL, model_digest TEXT NOT NULL, note TEXT NOT NULL,"
            " clock_trusted INTEGER NOT NULL, database_id TEXT NOT NULL, refused TEXT NOT NULL DEFAULT '')"
        )
        values = (
            punch.key,
            punch.employee_id,
            punch.at.isoformat(),
            punch.work_date.isoformat(),
            "face",
            "k",
            identity,
        )
        connection.execute(
            "INSERT INTO waiting (key, employee_id, at_utc, work_date, method, kiosk, similarity, model_digest, note,"
            " clock_trusted, database_id) VALUES (?, ?, ?, ?, ?, ?, 0.9, '', '', 1, ?)",
            values,
        )


def test_a_kiosk_that_still_holds_the_model_of_before_records_nobody_else(used: SmartAbsen, draw: Draw) -> None:
    """Its model names the person by the UUID: the database knows nobody of that name, whoever has the row id."""
    gone, come = (None, None)
    made = used.backups.create()
    gone = add(used, draw, 3)
    running = load_gallery(used.services)
    used.backups.restore(made.path)
    come = add(used, draw, 4)
    assert come.id == gone.id and running.person(come.id) == gone.uuid
    with pytest.raises(NotFoundError):
        PunchesOf(used.services).record(attempt(used, come, "wrong", person=running.person(come.id)))
    assert recorded(used) == {"first": "E1"}


def test_a_model_of_the_version_before_is_made_anew_with_names(
    used: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file has row ids alone; at the first start it is made of the templates again."""
    trained = model_file.load_model(used.settings.assets_dir, used.services.key_chain.ring())
    with monkeypatch.context() as patch:
        patch.setattr(model_file, "_FORMAT", 3)
        model_file.save_model(used.settings.assets_dir, replace(trained, people={}), used.services.key_chain.ring())
    assert not load_gallery(used.services).person(1)
    gallery = open_without_waiting(used.services).gallery
    assert (gallery.version, gallery.person(1)) == (trained.version, used.get_employee("E1").uuid)


def test_the_trained_model_follows_a_new_name_and_a_model_that_lacks_names(
    used: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kiosk says while its database is away is what the database said last."""
    used.rename_employee("E1", "Contoh Baru")
    assert open_without_waiting(used.services).gallery.member(1).name == "Contoh Baru"
    ring, assets = used.services.key_chain.ring(), used.settings.assets_dir
    trained = model_file.load_model(assets, ring)
    with monkeypatch.context() as patch:
        patch.setattr(model_file, "_FORMAT", 4)
        people = {row: KnownPerson(one.uuid) for row, one in trained.people.items()}
        model_file.save_model(assets, replace(trained, people=people), ring)
    assert load_gallery(used.services).member(1).code == ""
    assert open_without_waiting(used.services).gallery.member(1).code == "E1"


def test_without_a_name_and_after_a_restore_a_face_records_nobody(used: SmartAbsen) -> None:
    """A model without names is believed only while row ids were never given out twice."""
    who = used.get_employee("E2")
    used.backups.restore(used.backups.create().path)
    with pytest.raises(ConflictError):
        PunchesOf(used.services).record(attempt(used, who, "nobody", person=""))
    assert recorded(used) == {"first": "E1"}


def test_an_erasure_hits_neither_the_queue_nor_the_faces_of_who_got_the_row_id(used: SmartAbsen, draw: Draw) -> None:
    """The tombstone of somebody who was added after the backup stays, and means nobody who is there."""
    made = used.backups.create()
    gone = add(used, draw, 3)
    used.privacy.erase("E3", scope="all", reason="asked for it")
    used.backups.restore(made.path)
    come = add(used, draw, 4)
    assert come.id == gone.id
    queue = used.services.punch_queue
    queue.add(attempt(used, come, "mine"), database_id="")
    queue.add(replace(attempt(used, gone, "theirs"), code="E3"), database_id="")
    used.services.erased_here.follow(thorough=True)
    with used.services.database.read() as session:
        assert session.scalar(select(ErasureRow.karyawan_uuid)) == gone.uuid
    assert [one.punch.key for one in queue.oldest()] == ["mine"]
    assert [face.employee.code for face in used.identify([draw("who.png", 4)])[0].faces if face.employee] == ["E4"]


def test_sessions_of_before_end_with_a_restore(used: SmartAbsen) -> None:
    """They name users by their row ids."""
    made = used.backups.create()
    session = used.web_sessions.create({}, idle_s=600, absolute_s=600, user_id=1)
    used.services.database.run_write(
        lambda session: add_user(session, name="admin", role=Role.ADMIN, password_hash="x").id
    )
    used.backups.restore(made.path)
    assert used.web_sessions.load(session) is None


def test_what_works_once_does_not_work_again_after_a_restore(used: SmartAbsen) -> None:
    """An invitation, and a request to sign in, that were open in the backup and used since."""
    invitation = used.phones.start_pairing("E1")
    asked = used.signin.generate_qr_code("session")
    made = used.backups.create()
    used.phones.complete_pairing(invitation.token)
    assert used.signin.verify_qr_code(asked.token, number=asked.number) is VerifyOutcome.CONFIRMED
    assert used.signin.collect("session") is not None
    used.backups.restore(made.path)
    assert used.phones.find_pairing(invitation.token) is None
    assert used.signin.find_ask(asked.token) is None
    assert used.signin.verify_qr_code(asked.token, number=asked.number) is VerifyOutcome.INVALID
    assert used.signin.get_verification_status("session") is SignInState.DEAD


def test_a_phone_that_was_revoked_since_the_backup_stays_revoked(used: SmartAbsen) -> None:
    """Who found the lost phone is nobody again; other phones go on, and the record says what was done."""
    lost, kept = (used.phones.complete_pairing(used.phones.start_pairing(code).token) for code in ("E1", "E2"))
    made = used.backups.create()
    used.phones.revoke(lost.phone_id)
    used.backups.restore(made.path)
    assert used.phones.find_phone(lost.value) is None
    found = used.phones.find_phone(kept.value)
    assert found is not None and found.employee.code == "E2"
    assert [entry.subject for entry in used.audit.entries(action="phone.revoke")] == ["E1"]
    assert used.audit.verify().problems == ()


def test_a_seal_is_bound_to_the_person_and_not_to_the_row_id(used: SmartAbsen, draw: Draw) -> None:
    """A template of before the restore, put into the row of whoever has its row id now, does not open."""
    made = used.backups.create()
    gone = add(used, draw, 3)
    with used.services.database.read() as session:
        row = session.scalars(select(TemplateRow).where(TemplateRow.karyawan_id == gone.id)).first()
    assert row is not None
    used.backups.restore(made.path)
    come = add(used, draw, 4)

    def put(session: object) -> None:
        session.execute(  # type: ignore[attr-defined]
            update(TemplateRow)
            .where(TemplateRow.karyawan_id == come.id)
            .values(embedding=row.embedding, photo_digest=TemplateRow.photo_digest)
        )

    used.services.database.run_write(put)
    used.services.database.run_write(
        lambda session: session.execute(
            text("UPDATE templates SET photo_digest = :digest WHERE id = (SELECT * FROM (SELECT min(id) FROM templates"
                 " WHERE karyawan_id = :id) AS one)"), {"digest": row.photo_digest, "id": come.id}
        )
    )  # fmt: skip
    with used.services.database.read() as session:
        found = template_rows.gallery(session, used.services.engine.identity, ring=used.services.key_chain.ring())
    assert come.id not in found.employee_ids.tolist()
    assert {one.code for one in found.damaged} == {"E4"}


def test_the_web_attendance_records_by_name_as_well(used: SmartAbsen, draw: Draw) -> None:
    """Punches by hand and phone carry the UUID of whom was asked for."""
    assert used.punch("E2", key="by-hand").outcome is Outcome.RECOGNIZED
    gone, come = give_row_id_out_again(used, draw)
    assert (gone.code, come.code) == ("E3", "E4")
    assert recorded(used) == {"first": "E1", "by-hand": "E2"}
