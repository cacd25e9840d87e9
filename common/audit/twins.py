"""An audit from its coins to its verdict, a twin at a time, so that it can be stopped and gone on with.

Owns the order of things. Must not know how a twin is fitted, nor where its scores are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from common.audit.coins import Coins, check_coins, members, throw
from common.audit.density import Utterances, planted, scores, squared_distances
from common.audit.findings import Findings, findings
from common.audit.places import Place
from common.audit.reconstruction import Decoder, Targets
from common.audit.verdict import PLANTED, Limits, Score, Verdict, is_noticed, judged, unable
from common.errors import UserError
from common.scoring.confusion import Floats
from common.scoring.labelled import Labelled
from common.seeds import derive_seed, torch_stream
from common.synthesizers.synthesizer import Sampler

AT_ONCE = 256
"""Samples in memory before they are placed."""
Twin = Callable[[int, NDArray[np.int64]], Sampler]
"""Fits the twin of this number to these utterances."""


@dataclass(frozen=True, eq=False)
class Told:
    """Of one twin.

    Args:
        density: scores [1 + planted shares, utterances], as it is and had copies been among its samples.
        reconstruction: scores [1, utterances]; [0, utterances] where its samples do not follow from latents.
        recovered: what was left of the distance to samples of its own, [1] or [0].
    """

    density: Floats
    reconstruction: Floats
    recovered: Floats


@dataclass(frozen=True)
class Audit:
    """Of one release.

    Args:
        utterances: all that it was fitted to, placed.
        place: puts samples where they are compared.
        limits: that lead to a verdict.
        seed: of coins and of samples; nobody who sees the release may know it.
        targets: the same utterances as a decoder would make them; None where no decoder makes such examples.
    """

    utterances: Utterances
    place: Place
    limits: Limits
    seed: int
    targets: Targets | None = None

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

    def scores_of(self, number: int, fit: Twin) -> Told:
        """Of one twin: by what it makes, and by what it can make."""
        chosen = members(self.coins()[number])
        sampler = fit(number, chosen)
        made = self.draw(sampler, number)
        unit = self.utterances.unit()
        squares = squared_distances(self.utterances, made)
        seed = derive_seed(self.seed, "planted", number)
        worse = (planted(self.utterances, made, squares, chosen, share, unit, seed) for share in PLANTED)
        density = np.stack([scores(self.utterances, one, unit) for one in (squares, *worse)])
        if self.targets is None or not isinstance(sampler, Decoder):
            return Told(density, np.empty((0, len(self.utterances))), np.empty(0))
        recovered = self.targets.recovered(sampler, derive_seed(self.seed, "recovered", number))
        return Told(density, self.targets.scores(sampler)[None], np.array([recovered]))

    def verdict(self, told: Sequence[Told]) -> Verdict:
        """From the scores of all twins."""
        density = np.stack([one.density for one in told])
        reconstruction = np.stack([one.reconstruction for one in told])
        among = 1 + reconstruction.shape[1]
        found: dict[Score, Findings] = {"density": self.findings(density[:, 0], among)}
        if among > 1:
            found["reconstruction"] = self.findings(reconstruction[:, 0], among)
        recovered = float(np.median([one.recovered for one in told])) if among > 1 else None
        speakers = len(np.unique(self.utterances.speakers))
        return judged(found, self._noticed(density, among), speakers, self.limits, recovered)

    def _noticed(self, density: Floats, among: int) -> float | None:
        """The smallest share of planted copies that is noticed, and every larger one too."""
        before, noticed = self.findings(density[:, 0], among), None
        for share, number in reversed(list(zip(PLANTED, range(1, density.shape[1]), strict=True))):
            if not is_noticed(self.findings(density[:, number], among), before, self.limits):
                break
            noticed = share
        return noticed

    def findings(self, told: Floats, among: int = 1) -> Findings:
        """From scores [twins, utterances], which are one of several."""
        own = self.utterances
        seed = derive_seed(self.seed, "interval")
        return findings(told, self.coins(), own.labels, own.speakers, seed, among=among)

    def run(self, fit: Twin) -> Verdict:
        """All of it at once."""
        return self.foregone() or self.verdict([self.scores_of(number, fit) for number in range(self.limits.twins)])

    def draw(self, sampler: Sampler, number: int) -> Labelled:
        """Samples of the emotions that there are, evenly."""
        emotions = torch.from_numpy(np.unique(self.utterances.labels))
        wanted = emotions.repeat(-(-self.limits.samples // len(emotions)))
        parts = [
            self.place(sampler.sample(part, torch_stream(self.seed, "samples", number, place)))
            for place, part in enumerate(wanted.split(AT_ONCE))
        ]
        return Labelled(np.concatenate(parts), wanted.numpy())
