"""Key pairs by which the server knows a site's relay, and secrets in general: made, and kept to their owner.

Owns their form, which is Flower's: a NIST elliptic curve in OpenSSH's format without a passphrase, since no person is
there when a process starts.
"""

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)

from common.errors import UserError
from common.files import atomic_write

PRIVATE, STRANGERS = 0o600, 0o077


def new_pair(private: Path, public: Path) -> None:
    """Make a pair and write both halves."""
    key = ec.generate_private_key(ec.SECP384R1())
    write_private(private, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    atomic_write(public, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b"\n")


def new_secret(path: Path) -> None:
    """Make a secret that two processes of the server share."""
    write_private(path, secrets.token_hex(32).encode())


def write_private(path: Path, content: bytes) -> None:
    """Write what is its owner's alone; nobody else can read it at any moment."""
    atomic_write(path, content, mode=PRIVATE)


def strangers_may_read(path: Path) -> bool:
    """Whether any other user of this machine can."""
    return bool(path.stat().st_mode & STRANGERS)


def check_pair(private: Path, public: Path) -> None:
    """Refuse two halves that Flower would not take, or that are not of one pair."""
    try:
        key = load_ssh_private_key(private.read_bytes(), None)
    except FileNotFoundError:
        raise UserError(
            "the site's key is missing", where=private, remedy="copy it from where `init` made it"
        ) from None
    except (OSError, ValueError) as error:
        remedy = "OpenSSH's format without a passphrase is wanted; `eyesoff deploy init` makes one"
        raise UserError("the site's key cannot be read", where=f"{private} ({error})", remedy=remedy) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UserError("the site's key is on no NIST curve", where=private, remedy="Flower takes no other")
    if key.public_key() != read_public(public):
        raise UserError("not the two halves of one pair", where=f"{private} and {public}", remedy="copy both again")


def read_public(path: Path) -> ec.EllipticCurvePublicKey:
    """The half of a pair that the server is told."""
    try:
        key = load_ssh_public_key(path.read_bytes())
    except OSError as error:
        raise UserError("cannot read a public key", where=path, remedy=error.strerror) from None
    except ValueError:
        raise UserError("not a public key in OpenSSH's format", where=path, remedy="copy it again") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UserError("a public key on no NIST curve", where=path, remedy="Flower takes no other")
    return key
