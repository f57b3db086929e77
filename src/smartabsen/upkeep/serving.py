"""What a web server needs before it starts: checked, said in words, and refused where it cannot work."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from .._version import __version__
from ..app.bootstrap import Services
from ..gallery.guard import check_guard
from ..kernel.domain import Check, CheckLevel, SecurityKind
from ..kernel.errors import ConfigError, DatabaseAwayError, SmartAbsenError, StorageError
from ..kernel.i18n import N_
from ..org.addresses import host_names, is_local, is_private, public_url
from ..org.hashing import HASHING
from ..org.security_settings import note_settings
from ..recognition.runtime import MAX_DEFAULT_THREADS, count_cores
from ..store.tls import read_certificate
from ..trust.audit import note
from .clock_care import check_clock, check_zone
from .readiness import RememberedReadiness, check_readiness

RENEW_BEFORE: Final = timedelta(days=30)
REST_S: Final = 0.3
PATIENCE_S: Final = 1.3
"""Longer than one vain question to a silent database takes, and short enough for another one within three seconds."""
_BACKLOG: Final = 1024
_HASHING_PATIENCE_S: Final = 30.0


class Serving:
    """The web server of an installation.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._noted_by = 0
        self._readiness = RememberedReadiness(lambda: check_readiness(services))

    def check_readiness(self) -> tuple[Check, ...]:
        """Return what :func:`.readiness.check_readiness` found within the last seconds."""
        return self._readiness.rows()

    @property
    def address(self) -> str:
        """The address that QR codes carry."""
        return public_url(self._services.settings)

    def host_names(self) -> frozenset[str]:
        """Return the names by which browsers may ask for this server; see :func:`.addresses.host_names`."""
        return host_names(self._services.settings)

    def check_secret(self) -> None:
        """Refuse a server in production whose secret is missing or weak.

        Raises:
            ConfigError: It is.
            StorageError: The home's own cannot be read or made.
        """
        secret = self._services.secret
        if self._services.settings.server.production and (secret.weak or secret.origin != "setting"):
            raise ConfigError(
                N_("A server in production needs a secret of its own: SMARTABSEN_SECRET_KEY is missing or weak."),
                hint=N_("Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"),
            )

    def expect_many(self) -> None:
        """Let requests that queue behind those that met a silent database not wait for it as well, and none for the
        removal of what has expired.
        """
        self._services.tidying.expect_many()
        self._services.database.expect_many(rest_s=REST_S, patience_s=PATIENCE_S)

    def share_cores(self) -> None:
        """Let this process recognise as many faces at once as its share of the cores; called before it does any."""
        settings, server = self._services.settings, self._services.settings.server
        processes = server.workers if server.production and os.name == "posix" else 1
        share = max(1, count_cores() // processes)
        at_once = server.recognitions or share
        # One thread each by itself: two faces side by side are done sooner than one after the other by two threads.
        threads = settings.recognition.threads or max(1, min(share // at_once, MAX_DEFAULT_THREADS))
        self._services.recognise_at_once(at_once, threads=threads)

    def limit_hashing(self, *, shared: bool) -> None:
        """Keep people who sign in from holding all threads of the server, hashing or waiting for their turn at it.

        A quarter of the threads is for other pages, and one at least where there are several.

        Args:
            shared: The processes that this one forks from now on take turns together. POSIX only.
        """
        threads = self._services.settings.server.threads
        HASHING.limit(inside=max(1, threads - max(1, threads // 4)), patience_s=_HASHING_PATIENCE_S)
        if shared:
            HASHING.share()

    def check_proxies(self) -> None:
        """Refuse a server in production whose visitors all would seem to come from the proxy before it.

        Raises:
            ConfigError: The public address is https, this server is not, and no proxy is trusted.
        """
        server = self._services.settings.server
        if server.production and server.public_url.startswith("https:") and not server.https and not server.proxies:
            raise ConfigError(
                N_("{address} is https, and this server is not: there is a proxy before it that is not trusted."),
                hint=N_("Set server.proxies to the number of proxies; else all visitors seem to come from the proxy."),
                address=self.address,
            )

    def listen(self) -> socket.socket:
        """Listen on the address that the settings name; port 0 takes a free one, which the settings then name.

        Raises:
            ConfigError: The port is in use, or not for this user, or the address is not of this machine.
        """
        server = self._services.settings.server
        listener = _listen(server.host, server.port)
        self._services.use_port(listener.getsockname()[1])
        return listener

    def prepare(self) -> tuple[Check, ...]:
        """Check what can be checked before a server starts, and make log and database agree.

        A database that is away, as after a power cut, keeps no server from starting: it answers 503 until the database
        is back. Nor does a log that cannot be written, which the next punch completes.

        Returns:
            A row for each thing: what is not fine is to be told.

        Raises:
            ConfigError: A server in production without a good secret or behind a proxy that is not trusted, a
                certificate that cannot be used.
            DatabaseError: The database refuses, or is not to be used by this program, or Redis refuses the password:
                waiting would not mend it.
        """
        services = self._services
        self.check_secret()
        self.check_proxies()
        self._knock_at_redis()
        return (*check_server(services), *check_zone(services), *check_guard(services), *self._look_at_data())

    def note_start(self) -> None:
        """Write to the security log and the audit trail that the server starts, and which settings changed since.

        A database that is away keeps no server from starting: the log has it all the same.
        """
        self._noted_by = os.getpid()
        services = self._services
        server = services.settings.server
        changed = note_settings(services.settings.home / "logs", services.loaded)
        if changed:
            services.security.note(SecurityKind.SETTINGS_CHANGED, actor=services.actor, **changed)
            self._note("security.settings", settings=", ".join(f"{name}: {how}" for name, how in changed.items()))
        facts = {
            "version": __version__,
            "https": "yes" if server.https else "no",
            "workers": str(server.workers if server.production else 1),
        }
        services.security.note(SecurityKind.SERVER_STARTED, actor=services.actor, **facts)
        self._note("server.start", **facts)

    def note_stop(self) -> None:
        """Write to the security log and the audit trail that the server has ended; a worker that ends says nothing."""
        if os.getpid() != self._noted_by:
            return
        self._services.security.note(SecurityKind.SERVER_STOPPED, actor=self._services.actor)
        self._note("server.stop")

    def _note(self, action: str, **details: str) -> None:
        with suppress(SmartAbsenError):
            note(self._services, action, details=details)

    def _knock_at_redis(self) -> None:
        redis = self._services.redis
        if redis is not None:
            with suppress(DatabaseAwayError):
                # One that is away is waited for, as a database is; its row is told among the others.
                redis.ping()

    def _look_at_data(self) -> Iterator[Check]:
        services = self._services
        try:
            services.active_model()
            services.reconcile_log()
        except DatabaseAwayError as exc:
            services.log_unchecked = True
            fix = N_(
                "The server starts all the same: it answers 503 until the database is back, and goes on by itself."
            )
            yield _row("database", CheckLevel.WARN, exc.message_id, fix, **exc.params)
            return
        except StorageError as exc:
            services.log_behind = True
            yield _row("log", CheckLevel.WARN, exc.message_id, exc.hint_id, **exc.params)
        yield from check_clock(services)
        yield from (row for row in check_readiness(services) if row.name != "database")


def check_server(services: Services) -> Iterator[Check]:
    """Yield a row for each part of the server's settings. Raises ConfigError for a certificate that cannot be used."""
    for check in _CHECKS:
        yield from check(services)


def _check_secret_row(services: Services) -> Iterator[Check]:
    secret = services.secret
    if secret.weak:
        fix = N_("Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'")
        yield _row("secret", CheckLevel.WARN, N_("The server's secret is short or can be guessed."), fix)
    elif secret.origin == "home":
        yield _row("secret", CheckLevel.OK, N_("The home keeps a secret of its own; production needs one that is set."))
    else:
        yield _row("secret", CheckLevel.OK, N_("The server's secret is set."))


def _check_certificate(services: Services) -> Iterator[Check]:
    server = services.settings.server
    if server.tls_cert is None:
        if not is_local(public_url(services.settings)) and not server.public_url.startswith("https:"):
            yield _row(
                "https",
                CheckLevel.WARN,
                N_("Other computers get plain http, and browsers give no camera there."),
                N_("smartabsen tls init, then serve with --tls-cert and --tls-key; or put a proxy before it."),
            )
        return
    if server.tls_key is None:
        raise ConfigError(
            N_("There is a certificate but no key for it."), hint=N_("Give both: --tls-cert FILE --tls-key FILE.")
        )
    facts = read_certificate(server.tls_cert, server.tls_key)
    places: dict[str, object] = {
        "date": f"{facts.expires_at.astimezone(services.site_zone):%Y-%m-%d}",
        "path": server.tls_cert,
    }
    if facts.expires_at <= datetime.now(UTC):
        raise ConfigError(
            N_("The certificate {path} expired on {date}."), hint=N_("Renew it: smartabsen tls init"), **places
        )
    if facts.expires_at - datetime.now(UTC) < RENEW_BEFORE:
        fix = N_("Renew it: smartabsen tls init")
        yield _row("https", CheckLevel.WARN, N_("The certificate {path} expires on {date}."), fix, **places)
    else:
        yield _row("https", CheckLevel.OK, N_("The certificate {path} is valid until {date}."), **places)


def _check_address(services: Services) -> Iterator[Check]:
    settings = services.settings
    address = public_url(settings)
    if is_local(address):
        yield _row(
            "phones",
            CheckLevel.WARN,
            N_("Phones cannot reach {address}: it leads to this computer only."),
            N_("Let the network in with --host 0.0.0.0, or set SMARTABSEN_PUBLIC_URL."),
            address=address,
        )
    else:
        yield _row("phones", CheckLevel.OK, N_("Phones reach the server at {address}."), address=address)
    if address.startswith("https:") and not settings.server.https and not settings.server.proxies:
        yield _row(
            "proxies",
            CheckLevel.WARN,
            N_("{address} is https, and this server is not: there is a proxy before it that is not trusted."),
            N_("Set server.proxies to the number of proxies; else all visitors seem to come from the proxy."),
            address=address,
        )
    if settings.signin.phone == "any" and not is_private(address):
        yield _row(
            "signin",
            CheckLevel.WARN,
            N_("The server can be reached from outside, and any phone may confirm a sign-in."),
            N_("Pair the phones (smartabsen phone pair CODE) and set signin.phone to paired."),
        )
    else:
        yield _row("signin", CheckLevel.OK, N_("Phones that may confirm: {phones}"), phones=settings.signin.phone)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        # Elsewhere it lets two programs have one port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise _port_error(exc, host, port) from exc
    return listener


def _port_error(error: OSError, host: str, port: int) -> SmartAbsenError:
    places = {"host": host, "port": port}
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            N_("Port {port} of {host} is in use by another program."),
            hint=N_("End the other one, or choose another port: --port 5002."),
            **places,
        )
    if error.errno == errno.EACCES:
        return ConfigError(
            N_("Port {port} of {host} is not for ordinary users."),
            hint=N_("Choose one above 1023, and let a proxy listen on 443."),
            **places,
        )
    return ConfigError(
        N_("The server cannot listen on {host}: {problem}"),
        hint=N_("Take 127.0.0.1 for this computer alone, 0.0.0.0 for its networks."),
        problem=error.strerror or error,
        **places,
    )


def _row(name: str, level: CheckLevel, detail: str, fix: str = "", /, **params: object) -> Check:
    return Check(name, level, detail, fix, tuple((key, str(each)) for key, each in params.items()))


_CHECKS: Final[tuple[Callable[[Services], Iterator[Check]], ...]] = (
    _check_secret_row,
    _check_certificate,
    _check_address,
)
