"""The site's own dice: every random draw behind the door comes from a secret that never leaves.

Owns the secret's file and the seeds that grow from it. Must not know what is drawn.

Were a seed the server's choice, whoever knew all recordings but one could compute the release for each guess of the
last one, and compare.
"""

import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import UserError
from common.files import atomic_write

SECRET = "secret"  # noqa: S105 - the name of a file
BYTES = 32
PRIVATE, OTHERS = 0o600, 0o077


@dataclass(frozen=True)
class Dice:
    """Seeds for whatever is drawn at one site."""

    _secret: bytes = field(repr=False)

    def tuning(self, run: str, session: str) -> int:
        """The seed of all that a tuning draws.

        >>> Dice(b"a" * 32).tuning("run-1", "03+08") == Dice(b"a" * 32).tuning("run-1", "03+08")
        True
        >>> Dice(b"a" * 32).tuning("run-1", "03+08") == Dice(b"b" * 32).tuning("run-1", "03+08")
        False
        """
        return self._seed("tuning", run, session)

    def scoring(self, work: str) -> int:
        """The seed of the noise on a scoring's counts."""
        return self._seed("scoring", work)

    def _seed(self, *names: str) -> int:
        message = b"\x1f".join(name.encode() for name in names)
        return int.from_bytes(hmac.digest(self._secret, message, "sha256")[:8], "big") >> 1


def write_secret(path: Path, secret: bytes | None = None) -> None:
    """Make a site's secret, which nobody else can read at any moment; a simulation brings its own."""
    atomic_write(path, (secret or secrets.token_bytes(BYTES)).hex().encode() + b"\n", mode=PRIVATE)


def read_dice(path: Path) -> Dice:
    """The dice of a site, or the reason why its secret cannot be trusted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        remedy = f"bring it back from a copy; or make a new one: (umask 077; openssl rand -hex {BYTES} > {path})"
        raise UserError("the site's secret is missing", where=path, remedy=remedy) from None
    except OSError as error:
        why = "put a plain file there, not a link" if path.is_symlink() else error.strerror
        raise UserError("the site's secret cannot be read", where=path, remedy=why) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UserError("the site's secret is no plain file", where=path, remedy="put one there")
    with os.fdopen(descriptor, "rb") as stream:
        if mode & OTHERS:
            raise UserError("others can read the site's secret", where=path, remedy=f"chmod 600 {path}")
        return Dice(_unspelled(stream.read(4 * BYTES), path))


def _unspelled(text: bytes, path: Path) -> bytes:
    try:
        secret = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != BYTES:
        remedy = f"{2 * BYTES} hexadecimal digits are wanted: `openssl rand -hex {BYTES}` makes some"
        raise UserError("the site's secret is empty or damaged", where=path, remedy=remedy)
    return secret
