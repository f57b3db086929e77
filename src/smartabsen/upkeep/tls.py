"""https on a network of one's own: a private authority, the server's certificate, and how phones come to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..app.bootstrap import Services
from ..kernel.errors import NotFoundError
from ..kernel.i18n import N_
from ..kernel.reading import no_permission_to_read, read_bytes
from ..org.addresses import own_names, public_url
from ..qr.terminal import Terminal
from ..store import tls as store


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What ``tls init`` made.

    Attributes:
        authority: The certificate that phones and computers must trust.
        certificate, key: For ``server.tls_cert`` and ``server.tls_key``.
        names: What the certificate is for.
        expires_at: Of the certificate, UTC.
        fingerprint: SHA-256 of the authority, as phones show it.
        new_authority: Whether it was made now.
        address: Where a phone fetches the authority while the server runs.
    """

    authority: Path
    certificate: Path
    key: Path
    names: tuple[str, ...]
    expires_at: datetime
    fingerprint: str
    new_authority: bool
    address: str


class Tls:
    """Certificates in the home of an installation, in ``tls/``.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self._settings = services.settings
        directory = services.settings.home / "tls"
        self._authority, self._authority_key = directory / "ca.crt", directory / "ca.key"
        self._certificate, self._key = directory / "server.crt", directory / "server.key"

    def init(self, names: tuple[str, ...] = (), *, new_authority: bool = False) -> TlsFiles:
        """Make the server's certificate, and the authority where there is none yet. Run it again to renew.

        Args:
            names: Further names and addresses of the server, besides those that the machine knows.
            new_authority: Make a new authority, too: all phones must trust it again.

        Raises:
            ConfigError: The authority is damaged, or was not made for one of the names.
            StorageError: A file cannot be written.
        """
        wanted = tuple(dict.fromkeys(name.strip().lower() for name in (*names, *own_names()) if name.strip()))
        makes_authority = new_authority or not self._authority.exists()
        if makes_authority:
            title = f"smartabsen {self._settings.site.name or wanted[0]}"
            store.make_authority(self._authority, self._authority_key, name=title, names=wanted)
        made = store.make_certificate(
            self._certificate,
            self._key,
            authority=self._authority,
            authority_key=self._authority_key,
            names=wanted,
        )
        return TlsFiles(
            authority=self._authority,
            certificate=self._certificate,
            key=self._key,
            names=made.names,
            expires_at=made.expires_at,
            fingerprint=store.read_certificate(self._authority).sha256,
            new_authority=makes_authority,
            address=self.address,
        )

    @property
    def address(self) -> str:
        """Where a phone fetches the authority while the server runs."""
        settings = self._settings
        server = settings.server.model_copy(update={"tls_cert": self._certificate})
        if server.host == "127.0.0.1":
            # Certificates are made for the network.
            server = server.model_copy(update={"host": "0.0.0.0"})  # noqa: S104 - for its address only
        return public_url(settings.model_copy(update={"server": server})) + "/ca.crt"

    def read_authority(self) -> bytes:
        """Return the authority's certificate (PEM), which everybody may know.

        Raises:
            NotFoundError: There is none.
        """
        try:
            return read_bytes(self._authority)
        except PermissionError as exc:
            raise no_permission_to_read(self._authority) from exc
        except OSError as exc:
            raise NotFoundError(
                N_("This server has no certificate authority of its own."), hint=N_("Make one: smartabsen tls init")
            ) from exc

    def render_terminal(self, terminal: Terminal) -> str:
        """Return the QR that leads a phone to the authority, as lines of text.

        Raises:
            InvalidInputError: The terminal is too narrow.
        """
        return terminal.draw_qr(self.address)
