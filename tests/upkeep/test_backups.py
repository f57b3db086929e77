"""Backups: the restore drill, and every reason to refuse one without touching what lives."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from smartabsen import IntegrityError, InvalidInputError, KeyMissingError, SmartAbsen
from smartabsen.cli.app import app as program
from smartabsen.store.database import Database
from smartabsen.upkeep import archive

from ..backup_parts import flip, kinds, punch_keys, state, used
from ..installation import Draw

__all__ = ["kinds", "used"]


def test_the_restore_drill(used: SmartAbsen, draw: Draw) -> None:
    """After a backup much happens; the restore brings back rows, log, model and a chain that goes on."""
    before = state(used)
    made = used.backups.create()
    used.enrol("Contoh 3", [draw("3.png", 3), draw("3b.png", 3, size_px=150)], code="E3")
    used.punch("E3", key="later")
    used.train()
    with used.services.database.connect(exclusive=True) as connection:
        connection.execute(text("DELETE FROM templates"))

    done = used.backups.restore(made.path)

    assert done.changed and done.safety is not None
    tables, log, model = state(used)
    assert {name: digest for name, digest in tables.items() if name not in ("audit", "meta")} == {
        name: digest for name, digest in before[0].items() if name not in ("audit", "meta")
    }
    assert (log, model) == before[1:]
    assert punch_keys(used) == {"first"}
    assert used.audit.verify().problems == ()
    assert [one.action for one in used.audit.entries(limit=1)] == ["backup.restore"]
    assert used.punch("E2").employee.code == "E2"
    assert [face.employee.code for face in used.identify([draw("who.png", 2)])[0].faces if face.employee] == ["E2"]

    again = used.backups.restore(done.safety)
    assert again.changed
    assert punch_keys(used) == {"first", "later"}


def test_a_backup_holds_neither_secrets_nor_keys_and_is_private(used: SmartAbsen, tmp_path: Path) -> None:
    """The settings come along without what nobody else may know."""
    made = used.backups.create()
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    (tmp_path / "out").mkdir()
    archive.extract_archive(made.path, tmp_path / "out")
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert "smartabsen.toml" in names and "assets/model_knn.npz" in names
    assert not any("key" in name or "secret" in name for name in names)
    assert "Toko Contoh" in (tmp_path / "out" / "smartabsen.toml").read_text()
    assert b"do-not-copy-this" not in made.path.read_bytes()
    assert list(used.backups.directory.glob(".*")) == []


def test_a_new_home_is_filled_from_a_backup(used: SmartAbsen, tmp_path: Path, kinds: dict[str, object]) -> None:
    """On another machine, with the settings that are no secrets."""
    if "database_url" in kinds:
        pytest.skip("the home of a server's installation has no database in it")
    made = used.backups.create()
    other = tmp_path / "other"
    keys = str(used.services.key_chain.path)
    with SmartAbsen.open(flags={**kinds, "home": str(other), "keys_file": keys}) as fresh:
        assert fresh.backups.restore(made.path).safety is None
        assert state(fresh)[1:] == state(used)[1:]
        assert (other / "smartabsen.toml").read_text().startswith("[site]")
        assert punch_keys(fresh) == {"first"}


def test_faces_that_no_key_here_opens_are_said_before_anything_is_changed(
    used: SmartAbsen, tmp_path: Path, kinds: dict[str, object]
) -> None:
    """Whoever means the attendance alone says so; with the key in place nobody is asked."""
    made = used.backups.create()
    used.punch("E2", key="later")
    (key_id,) = used.services.key_chain.ring().ids
    kept = used.services.key_chain.path.rename(tmp_path / "kept.json")
    with SmartAbsen.open(flags=kinds) as app:
        before = state(app)
        for dry_run in (True, False):
            with pytest.raises(KeyMissingError, match=key_id) as caught:
                app.backups.restore(made.path, dry_run=dry_run)
        assert "--without-key" in caught.value.hint and made.path.name in str(caught.value)
        assert state(app) == before
        assert app.backups.restore(made.path, without_key=True).changed
        assert punch_keys(app) == {"first"}
    kept.rename(used.services.key_chain.path)
    with SmartAbsen.open(flags=kinds) as app:
        assert app.backups.restore(made.path, dry_run=True).manifest.files


def test_a_punch_that_waits_in_the_queue_is_in_the_backup(used: SmartAbsen) -> None:
    """It was promised to somebody, too."""
    from smartabsen.attendance.punch import attempt_by_face
    from smartabsen.kernel.domain import Punch

    reading = used.services.clock.now()
    waiting: Punch = attempt_by_face(used.services, 2, similarity=0.9, reading=reading)
    used.services.punch_queue.add(waiting, database_id="")
    made = used.backups.create()
    (one,) = used.services.punch_queue.oldest()
    used.services.punch_queue.remove(one.number)
    used.backups.restore(made.path)
    assert [one.punch for one in used.services.punch_queue.oldest()] == [waiting]


def test_a_dry_run_checks_everything_and_changes_nothing(used: SmartAbsen) -> None:
    """Not even a safety copy is made."""
    made = used.backups.create()
    used.punch("E2", key="later")
    before = state(used)
    assert not used.backups.restore(made.path, dry_run=True).changed
    assert state(used) == before
    assert len(used.backups.list()) == 1


def test_a_damaged_database_is_replaced_and_kept_under_another_name(used: SmartAbsen, kinds: dict[str, object]) -> None:
    """The very case that backups are for."""
    if "database_url" in kinds:
        pytest.skip("a server keeps its own files")
    made = used.backups.create()
    used.services.database.close()
    database = used.settings.home / "smartabsen.db"
    database.write_bytes(b"noise " * 5_000)
    done = used.backups.restore(made.path)
    assert done.safety is not None and done.safety.read_bytes().startswith(b"noise")
    assert punch_keys(used) == {"first"}


def test_what_must_not_come_back_is_taken_out_before_the_swap(used: SmartAbsen) -> None:
    """The hook sees the live and the restored database."""
    made = used.backups.create()

    def erase(live: Database, restored: Database) -> None:
        with live.read() as session:
            assert session.scalar(text("SELECT count(*) FROM karyawan")) == 2
        with restored.connect(exclusive=True) as connection:
            connection.execute(text("DELETE FROM templates WHERE karyawan_id = 2"))

    used.backups.before_swap.append(erase)
    used.backups.restore(made.path)
    assert used.templates_of("E2") == ()


def test_backups_are_listed_and_old_ones_go(used: SmartAbsen) -> None:
    """The newest first; a safety copy stays for a week and as long as the backups of its time."""
    for _ in range(3):
        made = used.backups.create()
    used.backups.restore(made.path)
    (used.backups.directory / "notes.txt").write_text("mine")
    assert len(used.backups.list()) == 4
    newest = used.backups.create(keep=2)
    names = [one.path.name for one in used.backups.list()]
    assert len(names) == 3 and newest.path.name in names
    assert sum("before-restore" in name for name in names) == 1
    assert (used.backups.directory / "notes.txt").exists()
    (safety,) = (one.path for one in used.backups.list() if one.safety)
    safety.rename(safety.with_name("smartabsen-20260101T000000Z-before-restore.tar"))
    used.backups.create(keep=2)
    assert not [one for one in used.backups.list() if one.safety]


def test_an_encrypted_backup_needs_its_own_key(used: SmartAbsen, tmp_path: Path) -> None:
    """Without it nothing can be read, and a flipped bit is found all the same."""
    pyrage = pytest.importorskip("pyrage")
    keys = [pyrage.x25519.Identity.generate() for _ in range(2)]
    paths = [tmp_path / f"key-{number}.txt" for number in range(2)]
    for key, path in zip(keys, paths, strict=True):
        path.write_text(f"# created: today\n{key}\n")
    made = used.backups.create(recipient=str(keys[0].to_public()))
    assert made.encrypted and b"Contoh" not in made.path.read_bytes()
    assert list(used.backups.directory.glob(".*")) == []
    assert used.backups.verify(made.path, identity=paths[0]).kind in ("sqlite", "server")
    with pytest.raises(InvalidInputError, match="is encrypted"):
        used.backups.verify(made.path)
    with pytest.raises(InvalidInputError, match="another key"):
        used.backups.restore(made.path, identity=paths[1])
    with pytest.raises(InvalidInputError, match="no public key"):
        used.backups.create(recipient="age1nonsense")
    used.punch("E2", key="later")
    used.backups.restore(made.path, identity=paths[0])
    assert punch_keys(used) == {"first"}
    flip(made.path, made.path.stat().st_size - 100)
    made.path.with_name(f"{made.path.name}.sha256").unlink()
    with pytest.raises(IntegrityError, match="damaged"):
        used.backups.restore(made.path, identity=paths[0])


def test_the_safety_copy_of_a_restore_is_encrypted_as_backups_are(
    used: SmartAbsen, kinds: dict[str, object], tmp_path: Path
) -> None:
    """Whoever wants no readable backup on the disk gets none behind their back."""
    pyrage = pytest.importorskip("pyrage")
    key = pyrage.x25519.Identity.generate()
    identity = tmp_path / "key.txt"
    identity.write_text(f"{key}\n")
    with SmartAbsen.open(flags={**kinds, "backup.recipient": str(key.to_public())}) as app:
        made = app.backups.create()
        done = app.backups.restore(made.path, identity=identity)
        assert done.safety is not None and done.safety.name.endswith("-before-restore.tar.age")
        assert b"Contoh" not in done.safety.read_bytes()
        app.backups.verify(done.safety, identity=identity)


def test_a_backup_under_load_has_every_punch_that_was_acknowledged_before(used: SmartAbsen) -> None:
    """And a database that is whole."""
    acknowledged: list[str] = []
    stop = threading.Event()

    def punch() -> None:
        with SmartAbsen.open(flags={**used_flags, "attendance.cooldown_s": 0}) as app:
            number = 0
            while not stop.is_set():
                number += 1
                app.punch("E1", key=f"load-{number}")
                acknowledged.append(f"load-{number}")

    used_flags = {
        "home": str(used.settings.home),
        "engine": "fake",
        "database_url": used.settings.database_url,
    }
    thread = threading.Thread(target=punch)
    thread.start()
    promised: list[tuple[Path, set[str]]] = []
    try:
        for _ in range(3):
            known = set(acknowledged)
            promised.append((used.backups.create().path, known))
    finally:
        stop.set()
        thread.join()
    for path, known in promised:
        used.backups.restore(path)
        assert known <= punch_keys(used)


def test_the_command_line_makes_checks_and_restores(used: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file name goes from one command to the next."""
    monkeypatch.setenv("SMARTABSEN_HOME", str(used.settings.home))
    monkeypatch.setenv("SMARTABSEN_ENGINE", "fake")
    if used.settings.database_url:
        monkeypatch.setenv("SMARTABSEN_DATABASE_URL", used.settings.database_url)

    def run(*arguments: str) -> dict[str, object]:
        result = CliRunner().invoke(program, [*arguments, "--json"], prog_name="smartabsen")
        assert result.exit_code == 0, result.output
        data: dict[str, object] = json.loads(result.stdout)["data"]
        return data

    path = str(run("backup", "create")["path"])
    assert [one["path"] for one in run("backup", "list")["backups"]] == [path]  # type: ignore[attr-defined]
    assert run("backup", "verify", path)["audit_head"]
    assert run("backup", "restore", path, "--dry-run")["changed"] is False
    assert run("backup", "restore", path, "--yes")["changed"] is True
    missing = CliRunner().invoke(program, ["backup", "verify", f"{path}.none"], prog_name="smartabsen")
    assert missing.exit_code == 1


def test_an_older_database_is_backed_up_before_its_upgrade(used: SmartAbsen) -> None:
    """“backup create && db upgrade” works in this order, and the backup can be restored after the upgrade."""
    from smartabsen.store import schema

    schema.downgrade(used.services.database, "0002")
    used.services.database.close()
    flags = {"home": str(used.settings.home), "engine": "fake", "database_url": used.settings.database_url}
    with SmartAbsen.open(flags=flags) as app:
        made = app.backups.create()
        app.databases.upgrade()
        app.backups.restore(made.path, force_foreign=True)
        assert app.audit.verify().problems == ()
        assert punch_keys(app) == {"first"}
