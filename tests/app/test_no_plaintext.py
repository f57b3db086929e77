"""No embedding and no picture lies in plain: not in database, model, temporary files, nor in what is said."""

from __future__ import annotations

import base64
import logging
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import MetaData, inspect, select

from smartabsen import SmartAbsen
from smartabsen.recognition.embedders.fake import FakeEmbedder

from ..installation import Draw

PICTURES = (b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xdb", b"JFIF", b"\x89PNG\r\n")
PREFIX = 64


@pytest.fixture
def embeddings(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Every embedding that is made while the test runs, of photos and of faces at the camera."""
    seen: list[np.ndarray] = []
    embed = FakeEmbedder.embed

    def remember(self: FakeEmbedder, crops: list[np.ndarray]) -> np.ndarray:
        made = embed(self, crops)
        seen.extend(made)
        return made

    monkeypatch.setattr(FakeEmbedder, "embed", remember)
    return seen


def traces(embedding: np.ndarray) -> Iterator[bytes]:
    """What would give an embedding away: its first bytes and a piece from its middle, as they are and in base64."""
    whole = embedding.astype("<f4").tobytes()
    for start in (0, 4 * (len(embedding) // 3)):
        piece = whole[start : start + PREFIX]
        yield piece
        for shift in range(3):
            # Base64 of a piece depends on where it begins, modulo 3.
            yield base64.b64encode(piece[shift : shift + 48])
    yield ",".join(f"{value:.6f}" for value in embedding[:6]).encode()


def database_content(app: SmartAbsen) -> bytes:
    """Every value of every row, whatever the kind of database."""
    with app.services.database.connect() as connection:
        tables = MetaData()
        tables.reflect(connection)
        assert "templates" in inspect(connection).get_table_names()
        values = chain.from_iterable(row for table in tables.sorted_tables for row in connection.execute(select(table)))
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def test_a_scan_finds_no_embedding_and_no_picture(
    kind: str,
    request: pytest.FixtureRequest,
    flags: dict[str, object],
    draw: Draw,
    embeddings: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After enrolment, training, recognition, an evaluation, a kiosk, a rotation, and again after an erasure."""
    caplog.set_level(logging.DEBUG)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    if kind == "mariadb":
        flags["database_url"] = request.getfixturevalue("mariadb_url")
    told: list[str] = []
    with SmartAbsen.open(flags=flags) as app:
        for person in (1, 2):
            files = [draw(f"photos/{person}-{number}.png", person, size_px=130 + 12 * number) for number in range(3)]
            told.append(repr(app.enrol(f"Contoh {person}", files, code=f"E{person}", consent=True)))
        told.append(repr(app.train()))
        told.append(repr(app.identify([draw("x.png", 1)])))
        told.append(repr(app.evaluation.of_folder(tmp_path)))
        for number in range(8):
            draw(f"film/{number}.png", 1, shade=90)
        app.run_kiosk(camera=str(tmp_path / "film"), on_event=lambda event: told.append(repr(event)))
        told.append(repr(app.keys.rotate()))
        told.append(repr(app.check_health()))
        contents = [database_content(app)]
        (cache,) = (app.settings.home / "cache").iterdir()
        contents.append(cache.read_bytes())
        app.privacy.erase("E2", reason="asked for it")
        app.services.database.close()
        contents += [database_content(app)]
        home = app.settings.home
    assert len(embeddings) > 8
    files = [path for folder in (home, temporary) for path in folder.rglob("*") if path.is_file()]
    assert {"model_knn.npz", "keys.json"} <= {path.name for path in files}
    contents += [path.read_bytes() for path in files]
    out, err = capfd.readouterr()
    contents += [text.encode() for text in (*told, out, err, caplog.text)]
    everything = b"\n".join(contents)

    wanted = [*PICTURES, *(trace for one in embeddings for trace in traces(one))]
    assert [trace[:16] for trace in wanted if trace in everything] == []


def test_the_scan_would_find_one(embeddings: list[np.ndarray], draw: Draw, flags: dict[str, object]) -> None:
    """A test of the test: an embedding in any of the forms is noticed."""
    with SmartAbsen.open(flags=flags) as app:
        app.enrol("Contoh 1", [draw("a.png", 1)], code="E1")
    whole = embeddings[0].astype("<f4").tobytes()
    for hidden in (b"xx" + whole, base64.b64encode(b"x" + whole), base64.b64encode(whole)):
        assert any(trace in hidden for trace in traces(embeddings[0]))
