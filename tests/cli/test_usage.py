"""Command lines that are wrong, and what of them is left to the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smartabsen.kernel import i18n


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("report --employee", "Opsi --employee memerlukan nilai."),
        ("train --force=1", "Opsi --force tidak memakai nilai."),
        ("report --format nope", "--format tidak dapat digunakan: pilih salah satu dari table, csv, json, xlsx."),
        ("run-kiosk --max-seconds x", "--max-seconds tidak dapat digunakan: nilainya harus berupa angka."),
        ("enroll X --shots 0 --code a", "--shots tidak dapat digunakan: nilainya paling sedikit 1."),
        ("train --min-accuracy 2", "--min-accuracy tidak dapat digunakan: nilainya paling besar 1."),
        ("import p.csv --workers x", "--workers tidak dapat digunakan: nilainya harus berupa bilangan bulat."),
        ("employee list extra", "Argumen ini berlebih: extra."),
    ],
)
def test_a_wrong_command_line_is_told_in_the_persons_language(program: Any, line: str, message: str) -> None:
    """No sentence of a library, and the help that is named is that of the command."""
    with i18n.use_language("id"):
        result = program(*line.split())
    command = " ".join(word for word in line.split()[:2] if word in ("employee", "list", line.split()[0]))
    assert result.exit_code == 2
    assert result.stderr == f"Kesalahan: {message}\nLihat: smartabsen {command} --help\n"


def test_an_unreadable_photo_is_the_librarys_to_judge(program: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """One without permission among good ones gets its verdict like one that is missing."""
    photo = tmp_path / "locked.jpg"
    photo.touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    for line in (["enroll", "Siti", str(photo), "--code", "E1"], ["recognize", str(photo)], ["import", str(photo)]):
        assert program(*line).exit_code == 0, line
