"""What the tests of backups share: a used installation, its state, and ways to hurt a backup."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import SmartAbsen
from smartabsen.store.copying import table_digest
from smartabsen.store.tables import Base
from smartabsen.upkeep import archive

from .installation import Draw

State = tuple[dict[str, str], dict[str, bytes], bytes]


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def kinds(request: pytest.FixtureRequest, flags: dict[str, object]) -> dict[str, object]:
    """Settings of an installation on each kind of database."""
    if request.param == "mariadb":
        flags["database_url"] = request.getfixturevalue("mariadb_url")
    return flags


@pytest.fixture
def used(kinds: dict[str, object], draw: Draw) -> Iterator[SmartAbsen]:
    """An installation with people, a trained model, punches and a settings file with secrets in it."""
    home = Path(str(kinds["home"]))
    home.mkdir(mode=0o700)
    (home / "smartabsen.toml").write_text(
        '[site]\nname = "Toko Contoh"\n[server]\nsecret_key = "do-not-copy-this"\n', encoding="utf-8"
    )
    with SmartAbsen.open(flags=kinds) as app:
        for number in (1, 2):
            photos = [draw(f"{number}-{size}.png", number, size_px=size) for size in (130, 145)]
            app.enrol(f"Contoh {number}", photos, code=f"E{number}")
        app.train()
        app.punch("E1", key="first")
        yield app


def state(app: SmartAbsen) -> State:
    """Everything that a restore must bring back: rows, log, model."""
    with app.services.database.read() as session:
        tables = {one.name: table_digest(session, one).digest for one in Base.metadata.sorted_tables}
    log = {path.name: path.read_bytes() for path in app.settings.csv_dir.glob("*.csv")}
    return tables, log, (app.settings.assets_dir / "model_knn.npz").read_bytes()


def punch_keys(app: SmartAbsen) -> set[str]:
    with app.services.database.read() as session:
        return set(session.scalars(text("SELECT idempotency_key FROM punches")))


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x40
    path.write_bytes(bytes(content))


def rewrite(path: Path, **facts: object) -> None:
    """Make a backup that says something else of itself, with all digests right."""
    with tarfile.open(path) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    manifest = json.loads(members[0][1])
    manifest.pop("checksum")
    manifest.update(facts)
    manifest["checksum"] = archive._checksum(manifest)
    members[0] = (members[0][0], json.dumps(manifest).encode())
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    path.with_name(f"{path.name}.sha256").unlink(missing_ok=True)
