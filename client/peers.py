"""The keys that a site shares with other sites, so that what it adds to a sum can be read by nobody.

Owns their files, one for each other site. Must not know what is summed. A key is made at one site and brought to the
other by the two stewards, past any server; it never stands in a message.
"""

import os
import re
import secrets
import stat
from pathlib import Path

from common.errors import UserError
from common.files import atomic_write, require_owner
from common.privacy.sharing import SECRET

PEERS = "peers"
PRIVATE, OTHERS = 0o600, 0o077
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")


class Peers:
    """Those of one site, below its state folder."""

    def __init__(self, state: Path) -> None:
        self.folder = state / PEERS

    def names(self) -> tuple[str, ...]:
        """Whose keys are here."""
        return tuple(sorted(path.name for path in self.folder.glob("*") if not path.name.startswith(".")))

    def keep(self, peer: str, key: bytes, *, of: str = "") -> None:
        """Store the key that is shared with a peer; one that is there already is never replaced unseen."""
        if not NAME.fullmatch(peer) or peer == of:
            raise UserError("not the name of another site", where=ascii(peer), remedy="name its session")
        require_owner(self.folder.parent)
        path = self.folder / peer
        if os.path.lexists(path):
            remedy = f"delete {path} at both sites first, if its stewards want another"
            raise UserError(f"there is a key for {peer} already", where=path, remedy=remedy)
        write_key(path, key)

    def key(self, peer: str) -> bytes | None:
        """The key that is shared with a peer; None where there is none."""
        path = self.folder / peer
        return read_key(path) if os.path.lexists(path) else None


def new_key() -> bytes:
    """One that nobody can guess."""
    return secrets.token_bytes(SECRET)


def write_key(path: Path, key: bytes) -> None:
    """Put a key where nobody else can read it at any moment."""
    atomic_write(path, key.hex().encode() + b"\n", mode=PRIVATE)


def read_key(path: Path) -> bytes:
    """The key in a file, or the reason why it cannot be trusted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        why = "put a plain file there, not a link" if path.is_symlink() else error.strerror
        raise UserError("a key cannot be read", where=path, remedy=why) from None
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise UserError("a key is no plain file", where=path, remedy="put one there")
        if mode & OTHERS:
            raise UserError("others can read a key", where=path, remedy=f"chmod 600 {path}")
        text = stream.read(4 * SECRET)
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != SECRET:
        remedy = "`eyesoff keeper peer make` makes one, for both sites"
        raise UserError("a key is empty or damaged", where=path, remedy=remedy)
    return key
