"""An audit from its coins to its verdict, a twin at a time, so that it can be stopped and gone on with.

Owns the order of things. Must not know how a twin is fitted, nor where its scores are kept.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from common.audit.coins import Coins, check_coins, members, throw
from common.audit.density import Utterances, planted, scores, squared_distances
from common.audit.findings import Findings, findings
from common.audit.places import Place
from common.audit.verdict import PLANTED, Limits, Verdict, is_noticed, judged, unable
from common.errors import UserError
from common.scoring.confusion import Floats
from common.scoring.labelled import Labelled
from common.seeds import derive_seed, torch_stream
from common.synthesizers.synthesizer import Sampler

AT_ONCE = 256
"""Samples in memory before they are placed."""
Twin = Callable[[int, NDArray[np.int64]], Sampler]
"""Fits the twin of this number to these utterances."""


@dataclass(frozen=True)
class Audit:
    """Of one release.

    Args:
        utterances: all that it was fitted to, placed.
        place: puts samples where they are compared.
        limits: that lead to a verdict.
        seed: of coins and of samples; nobody who sees the release may know it.
    """

    utterances: Utterances
    place: Place
    limits: Limits
    seed: int

    def coins(self) -> Coins:
        """Who is in which twin."""
        return throw(self.utterances.labels, self.limits.twins, self.seed)

    def foregone(self) -> Verdict | None:
        """What can be said before any twin is fitted: that no audit of so few utterances can tell."""
        have, need = len(self.utterances), self.limits.utterances
        if have < need:
            return unable(f"{have} utterances are too few to tell; {need} are asked for")
        try:
            check_coins(self.coins())
        except UserError as error:
            return unable(str(error))
        return None

    def scores_of(self, number: int, fit: Twin) -> Floats:
        """[1 + planted shares, utterances]: of one twin, as it is and had copies been among its samples."""
        chosen = members(self.coins()[number])
        made = self.draw(fit(number, chosen), number)
        unit = self.utterances.unit()
        squares = squared_distances(self.utterances, made)
        seed = derive_seed(self.seed, "planted", number)
        worse = (planted(self.utterances, made, squares, chosen, share, unit, seed) for share in PLANTED)
        return np.stack([scores(self.utterances, one, unit) for one in (squares, *worse)])

    def verdict(self, told: Floats) -> Verdict:
        """From the scores of all twins [twins, 1 + planted shares, utterances]."""
        found = self.findings(told[:, 0])
        speakers = len(np.unique(self.utterances.speakers))
        noticed = None
        for share, number in reversed(list(zip(PLANTED, range(1, told.shape[1]), strict=True))):
            if not is_noticed(self.findings(told[:, number]), self.limits):
                break
            noticed = share
        return judged(found, noticed, speakers, self.limits)

    def findings(self, told: Floats) -> Findings:
        """From scores [twins, utterances]."""
        own = self.utterances
        return findings(told, self.coins(), own.labels, own.speakers, derive_seed(self.seed, "interval"))

    def run(self, fit: Twin) -> Verdict:
        """All of it at once."""
        return self.foregone() or self.verdict(
            np.stack([self.scores_of(number, fit) for number in range(self.limits.twins)])
        )

    def draw(self, sampler: Sampler, number: int) -> Labelled:
        """Samples of the emotions that there are, evenly."""
        emotions = torch.from_numpy(np.unique(self.utterances.labels))
        wanted = emotions.repeat(-(-self.limits.samples // len(emotions)))
        parts = [
            self.place(sampler.sample(part, torch_stream(self.seed, "samples", number, place)))
            for place, part in enumerate(wanted.split(AT_ONCE))
        ]
        return Labelled(np.concatenate(parts), wanted.numpy())
