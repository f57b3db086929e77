"""The way from a request to the library."""

from __future__ import annotations

import logging
from typing import Final, cast

from flask import current_app

from ..app.facade import SmartAbsen
from ..kernel.messages import fill

EXTENSION: Final = "smartabsen"
"""Key of the library among the Flask application's extensions."""
_log: Final = logging.getLogger(__name__)
_logged: Final[set[str]] = set()


def library() -> SmartAbsen:
    """Return the library of the current application."""
    return cast(SmartAbsen, current_app.extensions[EXTENSION])


def log_remarks(app: SmartAbsen) -> None:
    """Write what operators should know (damaged templates, a log that is locked) into the server's log, each once."""
    for message, params in app.remarks:
        remark = fill(message, params)
        if remark not in _logged:
            _logged.add(remark)
            _log.warning("%s", remark)
