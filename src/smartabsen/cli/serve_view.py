"""What the command line says while the web server starts and runs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..kernel.domain import Check, CheckLevel
from ..kernel.i18n import _
from ..kernel.messages import fill
from .output import Output

if TYPE_CHECKING:
    from ..app.facade import SmartAbsen
    from ..upkeep.overtime import Overtime


def serve(out: Output, app: SmartAbsen, stop: threading.Event, overtime: Overtime) -> float:
    """Check, say what was found, and serve until somebody ends it; return for how many seconds.

    Raises:
        ConfigError: It cannot start like this.
    """
    # Imported here: no other command needs a web server.
    from ..web.server import serve as run

    with app.serving.listen() as listener:
        rows = app.serving.prepare()
        for row in rows:
            tell(out, row)
        if "database" not in [row.name for row in rows] and app.users.needs_setup():
            tell_setup(out, app)
        started = time.monotonic()
        app.serving.note_start()
        try:
            run(app, listener, stop=stop, ready=lambda: _tell_address(out, app), overtime=overtime)
        finally:
            app.serving.note_stop()
    return time.monotonic() - started


def tell_setup(out: Output, app: SmartAbsen) -> None:
    """Show how the first administrator is made; a secret that was shown before is void.

    What is no terminal keeps what it is given, as the journal of a service does, and others read it: there the command
    is named, and no secret made.
    """
    if app.settings.server.production or not out.stderr.is_terminal:
        out.warn(_("Nobody can use the dashboard yet. Make the first administrator: smartabsen user setup"))
        return
    out.warn(
        _(
            "Nobody can use the dashboard yet. Open {address}/admin/setup and type {secret}; it works once.",
            address=app.serving.address,
            secret=app.users.issue_setup_secret(),
        )
    )


def tell(out: Output, row: Check) -> None:
    """Show a row that is not fine, with what mends it."""
    if row.level is CheckLevel.OK:
        return
    out.warn(" ".join(part for part in (fill(row.detail, row.params), fill(row.fix, row.params)) if part))


def _tell_address(out: Output, app: SmartAbsen) -> None:
    server = app.settings.server
    if server.production:
        out.note(_("{workers} workers with {threads} threads each.", workers=server.workers, threads=server.threads))
    zone = app.settings.site.zone
    now = f"{app.now().astimezone(ZoneInfo(zone)):%H:%M}"
    out.note(_("It is {time} at the site ({zone}).", time=now, zone=zone))
    out.screen.print(_("The server runs at {address}. Ctrl-C ends it.", address=app.serving.address), highlight=False)
