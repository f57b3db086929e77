"""Certificates for https in a network of one's own."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from smartabsen.kernel.errors import ConfigError
from smartabsen.store.tls import make_authority, make_certificate, read_certificate

NAMES = ("absen", "absen.local", "192.168.1.20", "127.0.0.1")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A directory with an authority and a server's certificate."""
    make_authority(tmp_path / "ca.crt", tmp_path / "ca.key", name="Toko Contoh", names=NAMES)
    make_certificate(
        tmp_path / "server.crt",
        tmp_path / "server.key",
        authority=tmp_path / "ca.crt",
        authority_key=tmp_path / "ca.key",
        names=NAMES,
    )
    return tmp_path


def test_a_certificate_says_what_it_is_for_and_phones_accept_how_long(made: Path) -> None:
    """Longer than 398 days is refused by phones."""
    facts = read_certificate(made / "server.crt", made / "server.key")
    assert facts.names == NAMES
    assert timedelta(days=390) < facts.expires_at - datetime.now(UTC) < timedelta(days=398)
    assert len(facts.sha256.split(":")) == 32


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_keys_are_for_their_owner_alone(made: Path) -> None:
    """Nobody else on the machine reads them."""
    assert {stat.S_IMODE((made / name).stat().st_mode) for name in ("ca.key", "server.key")} == {0o600}


def test_the_authority_is_worth_nothing_for_other_names(made: Path) -> None:
    """Who trusts it for this server trusts it for no other, whatever is signed with its key."""
    authority = x509.load_pem_x509_certificate((made / "ca.crt").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [one.value for one in constraints.value.permitted_subtrees or [] if isinstance(one, x509.DNSName)] == [
        "absen",
        "absen.local",
    ]
    with pytest.raises(ConfigError, match=r"not made for bank\.example"):
        make_certificate(
            made / "x.crt",
            made / "x.key",
            authority=made / "ca.crt",
            authority_key=made / "ca.key",
            names=("bank.example",),
        )


def test_a_file_that_is_none_is_refused(made: Path) -> None:
    """Missing, something else, or the key of another certificate."""
    (made / "text.crt").write_text("no certificate")
    for name in ("text.crt", "missing.crt"):
        with pytest.raises(ConfigError, match="no certificate or key"):
            read_certificate(made / name)
    with pytest.raises(ConfigError, match="does not belong"):
        read_certificate(made / "server.crt", made / "ca.key")
