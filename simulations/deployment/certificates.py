"""The deployment's own certificate authority, and the certificates that it gives its server.

Owns how certificates are made and judged. Must not know who uses them. No public authority is asked: the sites are
handed this one's certificate with their keys, and trust nothing else.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from common.errors import UserError
from common.files import atomic_write
from simulations.deployment.keys import write_private

SKEW = timedelta(minutes=5)
"""How long before its making a certificate is valid, for clocks that are a little behind."""
AUTHORITY_DAYS, SERVER_DAYS = 3650, 365
HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


@dataclass(frozen=True)
class Authority:
    """Whoever signs."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def new_authority(key: Path, certificate: Path, *, now: datetime | None = None) -> Authority:
    """Make an authority and write it down; the key is for its owner's eyes."""
    now = now or datetime.now(UTC)
    private = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "eyesoff deployment authority")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    signed = (
        _certificate(name, name, private.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA384())
    )
    _write(private, signed, key, certificate)
    return Authority(private, signed)


def read_authority(key: Path, certificate: Path) -> Authority:
    """The authority that was made earlier."""
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError):
        remedy = "certificates are made where the authority's key is kept"
        raise UserError("cannot read the authority's key", where=key, remedy=remedy) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise UserError("not an authority of `eyesoff deploy init`", where=key)
    return Authority(private, read_certificate(certificate))


def issue(
    authority: Authority,
    names: Sequence[str],
    key: Path,
    certificate: Path,
    *,
    days: int = SERVER_DAYS,
    now: datetime | None = None,
) -> None:
    """Give whoever answers at these names and addresses a key and a certificate."""
    now = now or datetime.now(UTC)
    private = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    issuer = authority.certificate.subject
    above = authority.key.public_key()
    signed = (
        _certificate(subject, issuer, private.public_key(), now, days)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
        .sign(authority.key, hashes.SHA384())
    )
    _write(private, signed, key, certificate)


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a file."""
    return read_certificates(path)[0]


def read_certificates(path: Path) -> list[x509.Certificate]:
    """All certificates of a file: a server's with those of authorities above it, or several authorities'."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise UserError("cannot read a certificate", where=path, remedy=error.strerror) from None
    except ValueError:
        remedy = "copy it again from where it was made; it begins with -----BEGIN CERTIFICATE-----"
        raise UserError("not a certificate", where=path, remedy=remedy) from None


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The host names and addresses that a certificate is good for."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(name.value) for name in names)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def is_vouched(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> bool:
    """Whether the first of a chain comes from one of these, by way of the others of the chain or not."""
    first, *others = chain
    if any(is_signed_by(first, authority) for authority in authorities):
        return True
    return bool(others) and is_signed_by(first, others[0]) and is_vouched(others, authorities)


def is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether this authority made that certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:  # the library raises several kinds for several ways of not fitting
        return False
    return True


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + timedelta(days=days))
    )


def require_name(name: str) -> None:
    """Refuse what no certificate can be good for."""
    if not HOST.fullmatch(name) and not _is_address(name):
        remedy = "letters, digits, hyphens and dots, such as fed.example.org; others as xn--.. (IDNA)"
        raise UserError("not a host name or address", where=repr(name), remedy=remedy)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _general_name(name: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(name)) if _is_address(name) else x509.DNSName(name)


def _write(private: ec.EllipticCurvePrivateKey, signed: x509.Certificate, key: Path, certificate: Path) -> None:
    write_private(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    atomic_write(certificate, signed.public_bytes(Encoding.PEM))
