"""What the command line shows of certificates, and of the way that phones come to trust them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..kernel.errors import InvalidInputError
from ..kernel.i18n import _, describe_error
from .output import Output
from .session import terminal_of

if TYPE_CHECKING:
    from ..app.facade import SmartAbsen
    from ..upkeep.tls import TlsFiles


def files(made: TlsFiles) -> dict[str, Any]:
    """Return the files for scripts."""
    return {
        "authority": str(made.authority),
        "certificate": str(made.certificate),
        "key": str(made.key),
        "names": list(made.names),
        "expires_at": made.expires_at.isoformat(),
        "authority_sha256": made.fingerprint,
        "new_authority": made.new_authority,
        "authority_address": made.address,
    }


def show_files(app: SmartAbsen, made: TlsFiles) -> Callable[[Output], None]:
    """Return what shows the files, and what to do with them."""

    def show(out: Output) -> None:
        until = f"{made.expires_at.astimezone(ZoneInfo(app.settings.site.zone)):%Y-%m-%d}"
        out.line(_("Certificate: {path}, until {date}.", path=made.certificate, date=until))
        out.line(_("It is for: {names}", names=", ".join(made.names)))
        out.line()
        out.line(_("1. Start the server:"), "bold")
        out.line(f"   smartabsen serve --host 0.0.0.0 --tls-cert {made.certificate} --tls-key {made.key}")
        out.line(_("2. Scan this with each phone, install the certificate, and trust it (docs/server.md):"), "bold")
        try:
            out.block(app.tls.render_terminal(terminal_of(out.screen)))
        except InvalidInputError as exc:
            out.warn(" ".join(describe_error(exc)))
        out.line(f"   {made.address}")
        out.line(_("   Computers: import {path} among the trusted authorities.", path=made.authority))
        out.line(_("3. Compare the fingerprint (SHA-256) before you trust it:"), "bold")
        out.line(f"   {made.fingerprint}")

    return show
