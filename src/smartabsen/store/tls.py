"""A private certificate authority and the certificate of one server: for https on a network without a public name.

The authority may sign for the names it was made for and for private addresses only (RFC 5280, 4.2.1.10): a phone that
trusts it trusts it for this server, and a stolen key of it is worth nothing elsewhere.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..kernel.errors import ConfigError
from ..kernel.i18n import N_
from ..kernel.reading import no_permission_to_read, read_bytes
from .files import write_atomically

AUTHORITY_LIFETIME: Final = timedelta(days=3650)
SERVER_LIFETIME: Final = timedelta(days=397)
"""Phones refuse server certificates that are valid for much longer."""
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7",
                   "fe80::/10", "::1/128")  # fmt: skip
_MAX_PEM_BYTES: Final = 1_000_000
"""A file with a chain of certificates has some thousands."""
_CLOCK_SKEW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says.

    Attributes:
        names: DNS names and addresses it is for.
        expires_at: UTC.
        sha256: Fingerprint, hex with colons, as phones show it.
    """

    names: tuple[str, ...]
    expires_at: datetime
    sha256: str


def make_authority(cert_path: Path, key_path: Path, *, name: str, names: tuple[str, ...]) -> CertificateFacts:
    """Make a certificate authority that may sign for these DNS names and for private addresses.

    Args:
        name: What phones call it in their list.
        names: DNS names; addresses among them are covered when they are private.

    Raises:
        StorageError: A file cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    networks = [_network(one) for one in (*_PRIVATE, *filter(_is_address, names))]
    permitted = [x509.DNSName(one) for one in names if not _is_address(one)]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.NameConstraints([*permitted, *networks], None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(cert_path, key_path, certificate, key)
    return _facts(certificate)


def make_certificate(
    cert_path: Path, key_path: Path, *, authority: Path, authority_key: Path, names: tuple[str, ...]
) -> CertificateFacts:
    """Make the certificate of a server for DNS names and addresses, signed by an authority.

    Raises:
        ConfigError: The authority's files cannot be read, or it may not sign for one of the names.
        StorageError: A file cannot be written.
    """
    issuer, issuer_key = _load(authority), _load_key(authority_key)
    _check_permitted(issuer, names)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    alternative = [
        x509.IPAddress(ipaddress.ip_address(one)) if _is_address(one) else x509.DNSName(one) for one in names
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + SERVER_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    _write(cert_path, key_path, certificate, key)
    return _facts(certificate)


def read_certificate(cert_path: Path, key_path: Path | None = None) -> CertificateFacts:
    """Return what a certificate file (PEM) says.

    Args:
        key_path: Also check that this key belongs to it.

    Raises:
        ConfigError: A file is missing, is none, or the key belongs to another certificate.
    """
    certificate = _load(cert_path)
    if key_path is not None and _load_key(key_path).public_key() != certificate.public_key():
        raise ConfigError(
            N_("The key {key} does not belong to the certificate {certificate}."),
            hint=N_("Make both anew: smartabsen tls init"),
            key=key_path,
            certificate=cert_path,
        )
    return _facts(certificate)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _network(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_network(text))


def _check_permitted(issuer: x509.Certificate, names: tuple[str, ...]) -> None:
    constraints = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = constraints.permitted_subtrees or []
    dns = [one.value for one in permitted if isinstance(one, x509.DNSName)]
    networks = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
    for name in names:
        if _is_address(name):
            address = ipaddress.ip_address(name)
            allowed = any(address in network for network in networks)  # type: ignore[operator]
        else:
            allowed = any(name == one or name.endswith(f".{one}") for one in dns)
        if not allowed:
            raise ConfigError(
                N_("The certificate authority of this home was not made for {name}."),
                hint=N_("Make a new one, and let the phones trust it again: smartabsen tls init --new-authority"),
                name=name,
            )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _write(cert_path: Path, key_path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_atomically(
        key_path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    write_atomically(cert_path, certificate.public_bytes(serialization.Encoding.PEM))


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_bytes(path, most=_MAX_PEM_BYTES))
    except PermissionError as exc:
        raise no_permission_to_read(path) from exc
    except (OSError, ValueError) as exc:
        raise _unusable(path) from exc


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(read_bytes(path, most=_MAX_PEM_BYTES), password=None)
    except PermissionError as exc:
        raise no_permission_to_read(path) from exc
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise _unusable(path) from exc
    # The keys of others may be RSA; what is used of both is the same.
    return key  # type: ignore[return-value]


def _unusable(path: Path) -> ConfigError:
    return ConfigError(
        N_("{path} is no certificate or key that can be used."),
        hint=N_("Give PEM files without a password, or make them: smartabsen tls init"),
        path=path,
    )


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(one.value) for one in found)
    except x509.ExtensionNotFound:
        names = ()
    digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    return CertificateFacts(names, certificate.not_valid_after_utc, digest)
