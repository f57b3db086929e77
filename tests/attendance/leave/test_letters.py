"""Letters of requests for leave: checked with the other seals, and handed out to their owner."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import text

from smartabsen import SmartAbsen
from smartabsen.attendance.leave.model import LeaveAsk, Letter

MONDAY = date(2026, 11, 2)
CONTENT = b"%PDF-1.4 sample"


def with_letters(app: SmartAbsen) -> None:
    """Two people, each with a letter."""
    for number in (1, 2):
        app.enrol(f"Contoh {number}", [], code=f"E00{number}")
        letter = Letter("../surat.PDF", CONTENT + bytes([number]))
        app.leave_book.add(f"E00{number}", LeaveAsk("sakit", MONDAY, MONDAY, letter=letter))


def test_a_check_of_the_keys_opens_letters_too(app: SmartAbsen) -> None:
    """One that was moved to somebody else's request does not open, and can be deleted."""
    with_letters(app)
    found = app.keys.check()
    assert (found.intact, sum(found.letters.values())) == (True, 2)
    with app.services.database.write() as session:
        session.execute(
            text(
                "UPDATE leave_attachments SET content = (SELECT content FROM leave_attachments WHERE id = 2),"
                " digest = (SELECT digest FROM leave_attachments WHERE id = 2) WHERE id = 1"
            )
        )
    found = app.keys.check()
    assert [(one.kind, one.code, one.problem) for one in found.broken] == [("letter", "E001", "broken")]
    assert not found.intact
    assert app.keys.check(delete_broken=True).deleted == 1
    assert app.keys.check().intact


def test_the_key_of_a_letter_is_not_forgotten(app: SmartAbsen) -> None:
    """What it seals opens after a rotation that drops old keys."""
    with_letters(app)
    app.keys.rotate(forget_old=True)
    assert [each.content for each in app.leave_book.open_letters(1)] == [CONTENT + bytes([1])]


def test_a_persons_copy_has_the_letters(app: SmartAbsen, tmp_path: Path) -> None:
    """Opened, under names of ours, and nobody else's."""
    with_letters(app)
    done = app.privacy.export("E001", tmp_path / "copy")
    assert "letters/1-1.pdf" in done.files
    assert (tmp_path / "copy" / "letters" / "1-1.pdf").read_bytes() == CONTENT + bytes([1])
    assert len(list((tmp_path / "copy" / "letters").iterdir())) == 1
