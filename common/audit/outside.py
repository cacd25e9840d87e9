"""The same attack from outside: whose speech a bank's releases were fitted to, for whoever has the speech of all.

Owns the comparison of releases with each other. Must not know a bank.

Here no coin was thrown: members of a release are a session, strangers are other sessions. So what is told may be a
voice or a room and not an utterance, and no epsilon follows from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.audit.coins import IN, OUT, Coins
from common.audit.density import scores, squared_distances
from common.audit.findings import Findings, calibrated, findings
from common.audit.twins import Audit
from common.errors import UserError
from common.scoring.confusion import Floats
from common.seeds import derive_seed
from common.synthesizers.synthesizer import Sampler


@dataclass(frozen=True)
class Outside:
    """What releases tell of membership.

    Args:
        found: over all releases; an interval over utterances, or over speakers where there are enough.
        each: the AUC of each release alone.
        members: utterances that some release was fitted to.
        strangers: utterances that none was.
    """

    found: Findings
    each: Mapping[str, float]
    members: int
    strangers: int


def from_outside(audit: Audit, samplers: Mapping[str, Sampler], owners: Sequence[str]) -> Outside:
    """Of releases by session; `owners` are the sessions of the utterances."""
    if len(samplers) < 2:
        remedy = "each is judged beside the others: audit a bank of several"
        raise UserError(f"{len(samplers)} release(s) cannot be audited from outside", remedy=remedy)
    sessions = np.array(owners)
    coins: Coins = np.stack([np.where(sessions == name, IN, OUT) for name in samplers]).astype(np.int8)
    unit = audit.utterances.unit()
    told = np.stack(
        [
            scores(audit.utterances, squared_distances(audit.utterances, audit.draw(sampler, number)), unit)
            for number, sampler in enumerate(samplers.values())
        ]
    )
    labels, speakers = audit.utterances.labels, audit.utterances.speakers
    found = findings(told, coins, labels, speakers, derive_seed(audit.seed, "interval"))
    own = calibrated(told, coins, labels)
    each = {name: _auc(row, thrown) for name, row, thrown in zip(samplers, own, coins, strict=True)}
    members = int((coins == IN).any(axis=0).sum())
    return Outside(found, each, members, len(owners) - members)


def _auc(row: Floats, thrown: np.ndarray) -> float:
    inside, outside = (row[np.isfinite(row) & (thrown == kind)] for kind in (IN, OUT))
    apart = inside[:, None] - outside
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())
