"""Sums of numbers of several sites of which the server sees the sum alone (Bonawitz et al. 2017).

Owns the four steps of a round, at a site and at the server, and the fixed point in which sums are exact. Must not know
transport, nor what is summed.

1. Every site sends the others, through the server and sealed, shares of two secrets: one for a mask of its own, one
   that opens the keys of its masks with the others.
2. Every site sends its numbers, masked by both; the masks between two sites cancel in the sum.
3. The server says whose numbers have arrived. Every site tells, of each other site, one share: of its own mask, if its
   numbers are there; of its keys, if they are not. Never both, and once: both together would lay its numbers bare.
4. The server takes the masks off the sum.

A site may go away at any point; a round ends as long as more than half of its sites stay. What is hidden from the
server stays hidden as long as it has not won over half of the sites. The stewards exchange the sites' secrets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError
from common.privacy.sharing import SEAL, SECRET, SHARE, Token, cut, derived, joined, pad, sealed, unsealed

Words = NDArray[np.uint64]
"""Numbers in fixed point, added modulo 2^64."""
FRACTION = 24
"""Bits behind the point: steps of 6e-8."""
FEWEST = 3
"""Sites: in a sum of two, each would see the other."""


def to_grid(values: ArrayLike, sites: int) -> Words:
    """Numbers in fixed point, of which so many sites' sum fits."""
    given = np.asarray(values, dtype=np.float64)
    largest = 2.0 ** (63 - FRACTION) / sites
    if not (np.abs(given) < largest).all():
        raise UserError(f"numbers to sum are finite and below {largest:.3g}", remedy="clip vectors to a smaller norm")
    return np.asarray(np.rint(given * 2**FRACTION).astype(np.int64).view(np.uint64))


def from_grid(total: Words) -> NDArray[np.float64]:
    """Back from fixed point."""
    return np.asarray(total.view(np.int64) / 2**FRACTION)


@dataclass(frozen=True, slots=True)
class Round:
    """One summation: a name that no other round has, who may take part, how many numbers each brings."""

    name: str
    sites: tuple[str, ...]
    size: int

    def __post_init__(self) -> None:
        if len(self.sites) < FEWEST or list(self.sites) != sorted(set(self.sites)):
            where = ", ".join(self.sites) or "none"
            raise UserError(f"a sum needs {FEWEST} different sites or more, in the order of their names", where=where)
        if self.size < 1:
            raise UserError("a sum needs a number of each site")

    @property
    def threshold(self) -> int:
        """Sites that must stay: more than half."""
        return len(self.sites) // 2 + 1

    def number(self, site: str) -> int:
        """Of a site, from 1 on."""
        if site not in self.sites:
            raise UserError("a stranger to this round", where=site, remedy=f"it is among {', '.join(self.sites)}")
        return self.sites.index(site) + 1

    @property
    def sent(self) -> int:
        """Bytes that a site sends in all three steps, where nobody goes away."""
        others = len(self.sites) - 1
        seals, keys = others * (2 * SHARE + SEAL), others * SECRET + SEAL
        return seals + keys + 8 * self.size + len(self.sites) * SHARE

    def words(self) -> str:
        """All that a key hangs on."""
        return "\x1e".join((self.name, *self.sites, str(self.size)))


@dataclass(frozen=True, eq=False)
class Opening:
    """What a site sends first: a seal for each other site, and its keys, to be opened where it goes away."""

    site: str
    seals: Mapping[str, bytes]
    keys: bytes


@dataclass(eq=False)
class Site:
    """One site in one round; it lives as long as the round and answers each step once.

    Whoever makes it never makes another for the same round: its numbers would be masked twice by the same masks.

    Args:
        round: the same at all.
        name: its own.
        secrets: one shared with each other site.
        token: unguessable bytes.
    """

    round: Round
    name: str
    secrets: Mapping[str, bytes]
    token: Token
    _shares: dict[str, bytes] = field(default_factory=dict, init=False)
    _masked: bool = field(default=False, init=False)
    _revealed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.round.number(self.name)
        if missing := [other for other in self._others() if len(self.secrets.get(other, b"")) < SECRET]:
            remedy = "let the stewards exchange keys"
            raise UserError(f"{self.name} shares no secret of {SECRET} bytes", where=", ".join(missing), remedy=remedy)
        self._own, self._opener = self.token(SECRET), self.token(SECRET)

    def open(self) -> Opening:
        """Step 1."""
        count, threshold = len(self.round.sites), self.round.threshold
        own, opener = (cut(secret, count, threshold, self.token) for secret in (self._own, self._opener))
        both = dict(zip(self.round.sites, map(bytes.__add__, own, opener), strict=True))
        self._shares[self.name] = both[self.name]
        seals = {other: sealed(self._key(other, "share", self.name), both[other]) for other in self._others()}
        keys = b"".join(self._key(other, "mask") for other in self._others())
        return Opening(self.name, seals, sealed(self._opener, keys))

    def mask(self, values: ArrayLike, seals: Mapping[str, bytes]) -> Words:
        """Step 2, with the seals of those others that take part."""
        if self._masked or self.name not in self._shares:
            raise UserError("a site masks its numbers once, after it has opened the round", where=self.name)
        self._receive(seals)
        masked = to_grid(values, len(self.round.sites))
        if masked.shape != (self.round.size,):
            raise UserError(f"{self.round.size} numbers are summed, not {masked.shape}", where=self.name)
        self._masked = True
        masked = masked + _mask(self._own, self.round.size)
        for other in seals:
            masked = masked + _between(self.name, other, self._key(other, "mask"), self.round.size)
        return masked

    def check(self, seals: Mapping[str, bytes]) -> None:
        """Refuse what step 2 would, before anybody makes numbers for it."""
        self._receive(seals)

    def gone_on(self, seals: Mapping[str, bytes]) -> None:
        """To be after step 2 again, with the same token's bytes, where the process that took it has ended since."""
        self.open()
        self._receive(seals)
        self._masked = True

    def reveal(self, present: frozenset[str]) -> dict[str, bytes]:
        """Step 3: of each that takes part, one share; `present` are those whose numbers the server has."""
        if self._revealed or not self._masked:
            raise UserError("a site tells its shares once, after it has masked its numbers", where=self.name)
        if strangers := sorted(present - self._shares.keys()):
            raise UserError("numbers of sites that take no part", where=", ".join(strangers))
        _check_enough(len(present), self.round)
        self._revealed = True
        return {site: both[:SHARE] if site in present else both[SHARE:] for site, both in sorted(self._shares.items())}

    def _receive(self, seals: Mapping[str, bytes]) -> None:
        for other, seal in seals.items():
            if other not in self._others():
                raise UserError("a stranger to this round", where=other)
            self._shares[other] = unsealed(self._key(other, "share", other), seal, other)
        _check_enough(len(self._shares), self.round)

    def _others(self) -> list[str]:
        return [site for site in self.round.sites if site != self.name]

    def _key(self, other: str, *words: str) -> bytes:
        return derived(self.secrets[other], self.round.words(), *words)


@dataclass(eq=False)
class Collector:
    """The server in one round."""

    round: Round
    openings: dict[str, Opening] = field(default_factory=dict, init=False)
    _closed: bool = field(default=False, init=False)
    _masked: dict[str, Words] = field(default_factory=dict, init=False)
    _told: dict[str, dict[str, bytes]] = field(default_factory=dict, init=False)

    def opened(self, opening: Opening) -> None:
        """Step 1, of one site."""
        self._once(opening.site, self.openings)
        if self._closed:
            raise UserError("the round has begun without this site", where=opening.site)
        self.openings[opening.site] = opening

    def seals_for(self, site: str) -> dict[str, bytes]:
        """What the others have sealed for it; from now on nobody else takes part."""
        self._closed = True
        return {other: opening.seals[site] for other, opening in self.openings.items() if other != site}

    def add(self, site: str, masked: Words) -> None:
        """Step 2, of one site."""
        self._once(site, self._masked)
        if site not in self.openings:
            raise UserError("numbers of a site that takes no part", where=site)
        if masked.dtype != np.uint64 or masked.shape != (self.round.size,):
            raise UserError(f"{self.round.size} words are summed, not {masked.dtype} {masked.shape}", where=site)
        self._masked[site] = masked

    @property
    def present(self) -> frozenset[str]:
        """Whose numbers are there."""
        return frozenset(self._masked)

    def told(self, site: str, shares: Mapping[str, bytes]) -> None:
        """Step 3, of one site."""
        self._once(site, self._told)
        if shares.keys() != self.openings.keys() or any(len(share) != SHARE for share in shares.values()):
            raise UserError("a site told other shares than it was asked for", where=site)
        self._told[site] = dict(shares)

    def total(self) -> Words:
        """Step 4: the sum over those who are present."""
        _check_enough(len(self._told), self.round)
        total = np.zeros(self.round.size, dtype=np.uint64)
        for masked in self._masked.values():
            total = total + masked
        for site in self.openings:
            secret = joined({self.round.number(holder): shares[site] for holder, shares in self._told.items()})
            if site in self.present:
                total = total - _mask(secret, self.round.size)
            else:
                total = total - self._left_behind(site, secret)
        return total

    def _left_behind(self, site: str, opener: bytes) -> Words:
        """The masks between those present and one who went away."""
        keys = unsealed(opener, self.openings[site].keys, site)
        others = [other for other in self.round.sites if other != site]
        left = np.zeros(self.round.size, dtype=np.uint64)
        for place, other in enumerate(others):
            if other in self.present:
                key = keys[place * SECRET : (place + 1) * SECRET]
                left = left + _between(other, site, key, self.round.size)
        return left

    def _once(self, site: str, given: Mapping[str, object]) -> None:
        self.round.number(site)
        if site in given:
            raise UserError("a site answers each step of a round once", where=f"{site}, {self.round.name}")


def _mask(key: bytes, size: int) -> Words:
    return np.frombuffer(pad(key, 8 * size), dtype="<u8").astype(np.uint64)


def _between(site: str, other: str, key: bytes, size: int) -> Words:
    """What `site` adds for `other`: the other adds the same with the other sign."""
    mask = _mask(key, size)
    return mask if site < other else np.negative(mask)


def _check_enough(count: int, asked: Round) -> None:
    if count < asked.threshold:
        remedy = "repeat the round"
        raise UserError(f"{count} of {len(asked.sites)} sites are left, {asked.threshold} are needed", remedy=remedy)
