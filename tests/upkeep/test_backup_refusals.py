"""Every reason to refuse a backup, and every way for a restore to fail, without touching what lives."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import ConflictError, DatabaseError, IntegrityError, SchemaError, SmartAbsen, StorageError
from smartabsen.store import dumps
from smartabsen.upkeep.restored_files import StagedFiles

from ..backup_parts import flip, kinds, punch_keys, rewrite, state, used

__all__ = ["kinds", "used"]


@pytest.mark.parametrize("beside", [True, False], ids=["with its digest", "without"])
@pytest.mark.parametrize("where", [0.0, 0.3, 0.9])
def test_a_flipped_bit_is_refused_by_name_and_nothing_is_touched(used: SmartAbsen, where: float, beside: bool) -> None:
    """By the digest beside the file, and without that by the digests inside."""
    made = used.backups.create()
    # Padding between members carries nothing: hit a member's content instead.
    with tarfile.open(made.path) as tar:
        members = [member for member in tar if member.size]
    member = members[min(len(members) - 1, int(where * len(members)))]
    flip(made.path, member.offset_data + member.size // 2)
    if not beside:
        made.path.with_name(f"{made.path.name}.sha256").unlink()
    before = state(used)
    for use in (used.backups.verify, used.backups.restore):
        with pytest.raises(IntegrityError, match=made.path.name):
            use(made.path)
    assert state(used) == before


@pytest.mark.parametrize("keep", [0, 100, 5_000])
def test_a_cut_backup_is_refused(used: SmartAbsen, keep: int) -> None:
    """As a full disk or a broken copy leaves it."""
    made = used.backups.create()
    made.path.write_bytes(made.path.read_bytes()[:keep])
    made.path.with_name(f"{made.path.name}.sha256").unlink()
    with pytest.raises(IntegrityError, match="damaged"):
        used.backups.restore(made.path)


def test_a_backup_of_a_newer_program_is_refused(used: SmartAbsen) -> None:
    """Its schema is unknown here."""
    made = used.backups.create()
    rewrite(made.path, schema="9999")
    with pytest.raises(SchemaError, match="newer smartabsen"):
        used.backups.restore(made.path)
    rewrite(made.path, format=99)
    with pytest.raises(IntegrityError, match="format"):
        used.backups.restore(made.path)


def test_a_name_that_leads_out_of_the_directory_is_refused(used: SmartAbsen, tmp_path: Path) -> None:
    """An archive from elsewhere writes nowhere but into its own place."""
    made = used.backups.create()
    content = b"evil"
    entry = {"name": "../../evil", "size": 4, "sha256": __import__("hashlib").sha256(content).hexdigest()}
    with tarfile.open(made.path) as tar:
        files = json.loads(tar.extractfile(tar.next()).read())["files"]  # type: ignore[union-attr, arg-type]
    rewrite(made.path, files=[*files, entry])
    with tarfile.open(made.path, "a") as tar:
        info = tarfile.TarInfo("../../evil")
        info.size = 4
        tar.addfile(info, io.BytesIO(content))
    with pytest.raises(IntegrityError, match="none of ours"):
        used.backups.verify(made.path)
    assert not list(tmp_path.rglob("evil"))


def test_a_backup_of_another_installation_is_refused_unless_forced(
    used: SmartAbsen, tmp_path: Path, kinds: dict[str, object]
) -> None:
    """Nobody replaces one shop's attendance by another's by mistake."""
    if "database_url" in kinds:
        pytest.skip("the same rule; a second server database is not needed for it")
    with SmartAbsen.open(flags={**kinds, "home": str(tmp_path / "other")}) as other:
        other.enrol("Other", [], code="X1")
        made = other.backups.create()
    before = state(used)
    with pytest.raises(ConflictError, match="another installation"):
        used.backups.restore(made.path)
    assert state(used) == before
    used.backups.restore(made.path, force_foreign=True)
    assert [person.code for person in used.employees()] == ["X1"]


def test_a_broken_audit_trail_in_a_backup_is_refused(used: SmartAbsen) -> None:
    """A record that was edited before the backup does not come in by the back door."""
    with used.services.database.connect(exclusive=True) as connection:
        connection.execute(text("UPDATE audit SET actor = 'x' WHERE number = 1"))
    made = used.backups.create()
    with pytest.raises(IntegrityError, match="who did what"):
        used.backups.restore(made.path)


@pytest.mark.parametrize("step", ["staged", "safety", "swap"])
def test_a_failure_at_any_step_leaves_what_lives_as_it_was(
    used: SmartAbsen, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """And what was prepared is gone."""
    made = used.backups.create()
    used.punch("E2", key="later")
    before = state(used)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("It broke here.")

    if step == "staged":
        monkeypatch.setattr(type(used.backups), "_prepare", staticmethod(fail))
    elif step == "safety":
        monkeypatch.setattr(dumps, "dump", fail)
    else:
        monkeypatch.setattr(dumps, "_swap_sqlite", fail)
        monkeypatch.setattr(dumps, "_swap_server", fail)
    with pytest.raises(DatabaseError, match="broke here"):
        used.backups.restore(made.path)
    assert state(used) == before
    assert list(used.settings.home.glob(".restoring-*")) == []
    if used.services.database.path is None:
        with used.services.database.connect() as connection:
            names = connection.scalars(text("SHOW DATABASES")).all()
        assert [name for name in names if f"{used.services.database.url.database}_" in name] == []


def test_a_place_that_cannot_be_written_is_found_before_the_database_is_replaced(used: SmartAbsen) -> None:
    """Else the database would be the backup's, and the trained model another one's."""
    made = used.backups.create()
    used.punch("E2", key="later")
    assets = used.settings.assets_dir
    shutil.rmtree(assets)
    assets.write_text("a file where the directory should be")
    with pytest.raises(StorageError, match=assets.name):
        used.backups.restore(made.path)
    assert punch_keys(used) == {"first", "later"}
    assert not list(used.settings.home.rglob("*.restoring"))


def test_a_failure_after_the_swap_says_so_and_where_the_state_before_is(
    used: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody believes that the old data is still in force; it comes back from the safety copy."""
    made = used.backups.create()
    used.punch("E2", key="later")

    def fail(*_: object) -> None:
        raise StorageError("It broke here.")

    with monkeypatch.context() as patch:
        patch.setattr(StagedFiles, "place", fail)
        with pytest.raises(StorageError, match=r"is in place, but .*broke here") as failed:
            used.backups.restore(made.path)
    safety = next(one.path for one in used.backups.list() if "before-restore" in one.path.name)
    assert str(safety) in failed.value.hint
    assert punch_keys(used) == {"first"}
    used.backups.restore(safety)
    assert punch_keys(used) == {"first", "later"}


def test_the_trail_names_what_a_restore_replaced(used: SmartAbsen) -> None:
    """Entries since the backup are gone from the trail: their head and the backup that has them stand in it."""
    made = used.backups.create()
    used.punch("E2", key="later")
    head = used.audit.verify().head
    done = used.backups.restore(made.path)
    (entry,) = used.audit.entries(action="backup.restore")
    assert done.safety is not None
    assert (entry.details["replaced"], entry.details["safety"]) == (str(head), done.safety.name)
