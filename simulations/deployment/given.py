"""Certificates of an authority that somebody else runs, such as a hospital's: looked at, then taken for the proxy.

Owns what is looked at, and the one line that says what is wrong. Must not know how a command is spelled. The SuperLink
behind the proxy keeps the deployment's own certificate: nobody but the proxy and the server's processes reaches it.
"""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from common.errors import UserError
from common.files import atomic_write
from simulations.deployment.certificates import is_authority, names_of, read_certificates
from simulations.deployment.commands import PROXY
from simulations.deployment.keys import write_private
from simulations.deployment.layout import Layout


def take(layout: Layout, host: str, authority: Path, certificate: Path, key: Path) -> list[str]:
    """Use them in this deployment, where they are good for the name by which sites reach it; a line for each change."""
    check(authority, certificate, key, host, datetime.now(UTC))
    bundle = _bundle([*read_certificates(layout.server.authority), *read_certificates(authority)])
    write_private(layout.proxy.key(PROXY), key.read_bytes())
    atomic_write(layout.proxy.certificate(PROXY), certificate.read_bytes())
    own = [layout.server.authority, layout.proxy.authority]
    handed = [layout.site(name).authority for name in layout.sites if layout.site(name).authority.exists()]
    for path in (*own, *handed):
        atomic_write(path, bundle)
    told = [f"certificate of the proxy: {layout.proxy.certificate(PROXY)}"]
    told += [f"trusted beside the deployment's own authority: {path}" for path in (*own, *handed)]
    return [
        *told,
        f"sites that have their folder already need the new {layout.server.authority.name} in its relay part",
    ]


def check(authority: Path, certificate: Path, key: Path, host: str, now: datetime) -> None:
    """Raise the first thing that is wrong with them, in one line."""
    above, chain = read_certificates(authority), read_certificates(certificate)
    leaf = chain[0]
    for one in above:
        if not is_authority(one):
            raise UserError("this is no authority's certificate", where=authority, remedy="ask for the authority's own")
    if is_authority(leaf):
        remedy = "its first certificate must be the server's, those of authorities between follow"
        raise UserError("this is an authority's certificate, not a server's", where=certificate, remedy=remedy)
    _check_key(key, leaf, certificate)
    for path, one in [(certificate, one) for one in chain] + [(authority, one) for one in above]:
        _check_dates(path, one, now)
    _check_names(certificate, leaf, host)
    _check_use(certificate, leaf)
    if why := _complaint(authority, certificate, key, host):
        remedy = "put the certificates of authorities between the two into the server's file, after its own"
        raise UserError(f"{authority} does not vouch for this certificate ({why})", where=certificate, remedy=remedy)


def _check_key(path: Path, leaf: x509.Certificate, certificate: Path) -> None:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise UserError("cannot read the key", where=path, remedy=error.strerror) from None
    except TypeError:
        remedy = f"nobody is there to type it: openssl pkey -in {path.name} -out plain.key"
        raise UserError("the key has a passphrase", where=path, remedy=remedy) from None
    except ValueError:
        raise UserError("not a private key", where=path, remedy="it begins with -----BEGIN PRIVATE KEY-----") from None
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise UserError(
            "the key is not this certificate's", where=f"{path} and {certificate}", remedy="copy both again"
        )


def _check_dates(path: Path, one: x509.Certificate, now: datetime) -> None:
    name = one.subject.rfc4514_string()
    if now > one.not_valid_after_utc:
        what = f"the certificate of {name} expired on {one.not_valid_after_utc:%Y-%m-%d}"
        raise UserError(what, where=path, remedy="ask for a new one")
    if now < one.not_valid_before_utc:
        what = f"the certificate of {name} is not valid before {one.not_valid_before_utc:%Y-%m-%d}"
        raise UserError(what, where=path, remedy="is this machine's clock right?")


def _check_names(path: Path, leaf: x509.Certificate, host: str) -> None:
    try:
        names = names_of(leaf)
    except x509.ExtensionNotFound:
        remedy = f"ask for one with the subject alternative name {host}"
        raise UserError("the certificate names no host", where=path, remedy=remedy) from None
    if host not in names and f"*.{host.partition('.')[2]}" not in names:
        remedy = f"sites reach the server as {host}: ask for that name, or mend EYESOFF_SERVER"
        raise UserError(f"the certificate is good for {', '.join(names)}, not for {host}", where=path, remedy=remedy)


def _check_use(path: Path, leaf: x509.Certificate) -> None:
    try:
        uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.SERVER_AUTH not in uses:
        raise UserError(
            "the certificate may not be a server's", where=path, remedy="ask for one for server authentication"
        )


def _complaint(authority: Path, certificate: Path, key: Path, host: str) -> str:
    """What a client that trusts this authority alone says of a handshake, made in memory; empty where all is well."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(authority))
    try:
        server.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        return f"{error.reason}"
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up, server_hostname=host)
    answering = server.wrap_bio(up, down, server_side=True)
    for _ in range(10):
        for one in (asking, answering):
            try:
                one.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
            except ssl.SSLError as error:
                return f"{error.reason}"
    return ""


def _bundle(certificates: Sequence[x509.Certificate]) -> bytes:
    """Each once, in the form that TLS libraries read."""
    return b"".join(dict.fromkeys(one.public_bytes(Encoding.PEM) for one in certificates))
