"""A secret cut into shares of which so many give it back and fewer tell nothing; keys, pads and seals from a secret.

Owns Shamir's scheme and what is derived from secrets by hashing. Must not know what is kept secret.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from common.errors import UserError

PRIME = 2**521 - 1
SECRET = 32
"""Bytes of a secret."""
SHARE = 66
"""Bytes of a share."""
SEAL = 32
"""Bytes by which a seal is longer than what it holds."""
Token = Callable[[int], bytes]
"""So many bytes that nobody can guess, such as `secrets.token_bytes`."""


def cut(secret: bytes, holders: int, threshold: int, token: Token) -> list[bytes]:
    """A share for each holder, number 1 on (Shamir 1979): a random polynomial whose value at 0 is the secret."""
    if len(secret) != SECRET or not 1 <= threshold <= holders:
        raise UserError(f"a secret of {len(secret)} bytes cannot be cut for {threshold} of {holders} holders")
    # 16 bytes more than the prime has: what is left after division is as good as even.
    line = [int.from_bytes(secret), *(int.from_bytes(token(SHARE + 16)) % PRIME for _ in range(threshold - 1))]
    return [_value(line, place).to_bytes(SHARE) for place in range(1, holders + 1)]


def joined(shares: Mapping[int, bytes]) -> bytes:
    """The secret, from the shares of as many holders as were asked for or more; by the holder's number."""
    total = 0
    for place, share in shares.items():
        above, below = 1, 1
        for other in shares:
            if other != place:
                above, below = above * other % PRIME, below * (other - place) % PRIME
        total += int.from_bytes(share) * above * pow(below, -1, PRIME)
    whole = total % PRIME
    if whole >> (8 * SECRET):
        raise UserError("shares do not belong together", remedy="repeat the round")
    return whole.to_bytes(SECRET)


def derived(secret: bytes, *words: str) -> bytes:
    """A key for these words; whoever has it learns neither the secret nor another key."""
    return hmac.digest(secret, b"\x1f".join(word.encode() for word in words), "sha256")


def pad(key: bytes, size: int) -> bytes:
    """So many bytes that look random to whoever lacks the key; a key serves one pad."""
    return hashlib.shake_256(key).digest(size)


def sealed(key: bytes, content: bytes) -> bytes:
    """Hidden and marked; a key serves one content."""
    hidden = _xor(content, pad(derived(key, "hide"), len(content)))
    return hidden + hmac.digest(derived(key, "mark"), hidden, "sha256")


def unsealed(key: bytes, seal: bytes, whose: str) -> bytes:
    """The content, or an error that names who is said to have sealed it."""
    hidden, mark = seal[:-SEAL], seal[-SEAL:]
    if not hmac.compare_digest(hmac.digest(derived(key, "mark"), hidden, "sha256"), mark):
        remedy = "it is another round's, or of someone who has not exchanged keys with this site"
        raise UserError("a seal does not fit", where=whose, remedy=remedy)
    return _xor(hidden, pad(derived(key, "hide"), len(hidden)))


def _value(line: list[int], place: int) -> int:
    value = 0
    for coefficient in reversed(line):
        value = (value * place + coefficient) % PRIME
    return value


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
