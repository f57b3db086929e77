"""The settings file as a backup may hold it: without secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ..kernel.reading import parse_toml, read_text

_SECRET_LINE: Final = re.compile(r"^\s*[\"']?([\w.\"']*(password|secret|url|key)[\w.\"']*)\s*=", re.IGNORECASE)
# A password that was not percent-encoded may itself hold any sign.
_PRIVATE_URL: Final = re.compile(r"(?i)://.*@|[?&]\w*(pass|pwd|secret|token|key|auth)\w*=")


def public_settings(path: Path) -> str:
    """Return the settings file without lines that hold secrets; empty where that cannot be made sure."""
    try:
        text = read_text(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    lines = [line for line in text.splitlines() if not _SECRET_LINE.match(line) and not _PRIVATE_URL.search(line)]
    kept = "\n".join(lines) + "\n"
    try:
        parse_toml(kept)
    except ValueError:
        return ""
    return kept
