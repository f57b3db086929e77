"""What the command line says while the web server starts and runs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ..domain import Check, CheckLevel
from ..i18n import _
from ..messages import fill
from .output import Output

if TYPE_CHECKING:
    from ..core.app import SmartAbsen


def serve(out: Output, app: SmartAbsen, stop: threading.Event) -> float:
    """Check, say what was found, and serve until somebody ends it; return for how many seconds.

    Raises:
        ConfigError: It cannot start like this.
    """
    # Imported here: no other command needs a web server.
    from ..web.server import serve as run

    for row in app.serving.prepare():
        tell(out, row)
    started = time.monotonic()
    run(app, stop=stop, ready=lambda: _tell_address(out, app))
    return time.monotonic() - started


def tell(out: Output, row: Check) -> None:
    """Show a row that is not fine, with what mends it."""
    if row.level is CheckLevel.OK:
        return
    out.warn(" ".join(part for part in (fill(row.detail, row.params), fill(row.fix, row.params)) if part))


def _tell_address(out: Output, app: SmartAbsen) -> None:
    server = app.settings.server
    if server.production:
        out.note(_("{workers} workers with {threads} threads each.", workers=server.workers, threads=server.threads))
    out.screen.print(_("The server runs at {address}. Ctrl-C ends it.", address=app.serving.address), highlight=False)
