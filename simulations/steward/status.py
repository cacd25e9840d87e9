"""How a site stands, from its own files: what it holds, its policy in words, its quotas, what waits, and certificates.

Owns the collecting and the lines. Must not know a keeper at work: the socket tells of that.
"""

import ssl
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from client.inbox import inbox
from client.ledger import entries, verify
from client.policy import load_policy
from client.seen import note_of
from client.site import Site
from client.spending import Spending
from client.standing import Quota, history_of, quotas
from client.survey import survey
from common.errors import UserError
from simulations.report.wording import many
from simulations.steward.policy_words import in_words

AUTHORITY = Path("relay") / "ca.crt"
"""Where a site's folder has the certificate by which its relay judges the server, beside the keeper's folder."""


@dataclass(frozen=True)
class Standing:
    """Of one site at one moment.

    Args:
        session: the site's alias.
        holds: what would be used of its recordings; empty where nothing can be.
        left_out: why the others would not be, or why nothing is.
        policy: in words.
        quotas: rule by rule.
        problems: with the ledger; none where its chain is whole or it has not begun.
        waiting: releases that wait for the steward.
        certificates: file to the day until which it is good.
    """

    session: str
    holds: str
    left_out: tuple[str, ...]
    policy: tuple[str, ...]
    quotas: tuple[Quota, ...]
    problems: tuple[str, ...]
    waiting: int
    certificates: dict[str, str]

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"quotas": [asdict(quota) | {"left": quota.left} for quota in self.quotas]}

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"site {self.session} holds {self.holds or 'nothing that can be used'}"
        yield from (f"  left out: {reason}" for reason in self.left_out)
        yield "policy:"
        yield from (f"  {line}" for line in self.policy)
        yield "quotas:"
        yield from (f"  {quota.line()}" for quota in self.quotas)
        yield from (f"WARNING, the ledger: {problem}" for problem in self.problems)
        waits = f"{many(self.waiting, 'release')} {'waits' if self.waiting == 1 else 'wait'} for your answer"
        yield f"{waits}: eyesoff keeper inbox" if self.waiting else "no release waits for your answer"
        yield from (f"certificate {name}: good until {until}" for name, until in self.certificates.items())


def standing_of(site: Site, folder: Path, now: datetime) -> Standing:
    """Of a site whose file lies in this folder."""
    policy = load_policy(site.policy)
    known = entries(site.ledger) if site.ledger.exists() else ()
    try:
        surveyed = survey(site)
        holds, left_out = surveyed.held(), tuple(surveyed.reasons())
    except UserError as error:
        holds, left_out = "", (" ".join(str(error).split()),)
    return Standing(
        session=site.session,
        holds=holds,
        left_out=left_out,
        policy=tuple(in_words(policy)),
        quotas=quotas(history_of(known, now), Spending(site.ledger).read(), policy),
        problems=_problems(site.ledger),
        waiting=sum(one.held for one in inbox(site)),
        certificates=dict(_certificates(folder.parent / AUTHORITY)),
    )


def _problems(ledger: Path) -> tuple[str, ...]:
    if ledger.exists():
        return verify(ledger).problems
    return ("it is gone, and the note of its last entry is there",) if note_of(ledger).exists() else ()


def _certificates(path: Path) -> Iterator[tuple[str, str]]:
    """The day on which each authority in a file ends, where this user can see the file."""
    reader = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        reader.load_verify_locations(path)
    except (OSError, ssl.SSLError):
        return
    for number, one in enumerate(reader.get_ca_certs(), start=1):
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(one["notAfter"])), UTC)
        yield f"{path}{f' ({number})' if number > 1 else ''}", f"{ends:%Y-%m-%d}"
