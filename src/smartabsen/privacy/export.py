"""Everything about one person, in files for that person: JSON for programs, CSV for spreadsheets, faces as pictures."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ..app.bootstrap import Services
from ..gallery import crop_rows, template_rows
from ..kernel.errors import ConflictError, KeyMissingError, SealBrokenError
from ..kernel.i18n import N_, current_language
from ..kernel.texts import checked_text
from ..people import employee_rows
from ..store.database import Session
from ..store.files import write_atomically
from ..store.sheet_writer import write_csv
from ..store.tables import NOTE_LENGTH
from ..trust import audit_rows
from ..trust.audit import AuditTrail
from . import erasure_rows

FORMAT = 1


@dataclass(frozen=True, slots=True)
class PersonExport:
    """What was written.

    Attributes:
        directory: Where it lies.
        files: Names of the files in it.
        rows: Number of rows by table.
        faces_missing: Why embeddings and faces are not among them, as a message id; empty where they are.
    """

    directory: Path
    files: tuple[str, ...]
    rows: dict[str, int]
    faces_missing: str = ""


def export_person(services: Services, code: str, directory: Path, *, reason: str = "") -> PersonExport:
    """Write everything that is kept about one person, and nothing about anybody else, into a new private directory.

    Secrets (hashes of PINs and of phones' credentials) are left out: they would help only somebody else. Of the audit
    trail, what was done and when is in it, not who did it: that is about another person.

    Args:
        reason: Why, for the audit trail: a request of the person, for example.

    Raises:
        NotFoundError: There is no such employee.
        ConflictError: The directory exists and holds something.
        StorageError: It cannot be written.
    """
    told = {"reason": checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH)}
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConflictError(
            N_("{path} exists already, and nothing is overwritten."),
            hint=N_("Name a directory that does not exist yet."),
            path=directory,
        )
    with services.database.read() as session:
        employee = employee_rows.get(session, code)
        tables: dict[str, list[dict[str, Any]]] = erasure_rows.rows_of(session, employee.id)
        tables["audit"] = audit_rows.about(session, employee.code)
        faces_missing, pictures = _add_faces(services, session, employee.id, tables)
    AuditTrail(services).note_reading("privacy.export", subject=employee.code, details=told)
    with _whole_or_nothing(directory):
        separator = services.settings.report.separator(current_language())
        written = _write(directory, tables, pictures, separator=separator)
    counts = {name: len(rows) for name, rows in tables.items() if rows}
    return PersonExport(directory, ("person.json", *written), counts, faces_missing)


def _write(
    directory: Path, tables: dict[str, list[dict[str, Any]]], pictures: Mapping[str, bytes], *, separator: str
) -> list[str]:
    written = []
    for name, rows in tables.items():
        if rows:
            header = tuple(dict.fromkeys(column for row in rows for column in row if column != "embedding_f32_base64"))
            cells = [[_cell(row.get(column)) for column in header] for row in rows]
            write_csv(directory / f"{name}.csv", header, cells, separator=separator)
            written.append(f"{name}.csv")
    for name, picture in pictures.items():
        write_atomically(directory / "faces" / name, picture)
        written.append(f"faces/{name}")
    document = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "tables": _plain(tables)}
    write_atomically(directory / "person.json", (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode())
    return written


@contextmanager
def _whole_or_nothing(directory: Path) -> Iterator[None]:
    """Take away what was written when it could not be completed: the same command works again after a full disk."""
    found = directory.exists()
    try:
        yield
    except BaseException:
        for path in directory.iterdir() if directory.exists() else ():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        if not found and directory.exists():
            directory.rmdir()
        raise


def _add_faces(
    services: Services, session: Session, employee_id: int, tables: dict[str, list[dict[str, Any]]]
) -> tuple[str, dict[str, bytes]]:
    """Add embeddings to the rows of templates, and return the kept faces by file name; or why that cannot be done."""
    ring = services.key_chain.ring()
    try:
        embeddings = {one.id: one.embedding for one in template_rows.of_employee(session, employee_id, ring=ring)}
        kept = list(crop_rows.of_employee(session, employee_id, ring=ring))
    except (KeyMissingError, SealBrokenError) as exc:
        return exc.message_id, {}
    for row in tables.get("templates", []):
        row["embedding_f32_base64"] = base64.b64encode(embeddings[row["id"]].tobytes()).decode("ascii")
    return "", {f"{number:02d}.jpg": one.crop.picture for number, one in enumerate(kept, start=1)}


def _plain(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{column: _json(value) for column, value in row.items()} for row in rows] for name, rows in tables.items()
    }


def _json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _cell(value: Any) -> str:
    plain = _json(value)
    return "" if plain is None else str(plain)
