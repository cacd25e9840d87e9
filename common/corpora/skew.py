"""Skewed sessions for study: each keeps much of some emotions and little or nothing of others.

Owns which utterances are kept. Must not know who trains on them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.seeds import numpy_stream
from common.settings import Skew

MOSTLY = 2 / 3
"""The share of a session's utterances from which on one emotion stands for the session."""


def skewed(manifest: Manifest, concentration: float, seed: int) -> Manifest:
    """The corpus with every session's emotions skewed by a Dirichlet draw of its own (Hsu et al. 2019).

    The emotion with the largest share of a draw keeps all of its utterances and each other one a part in proportion,
    chosen by chance. A small concentration leaves emotions without an utterance; an infinite one keeps everything. What
    is kept at one concentration is kept of the same session whatever other sessions the corpus has.
    """
    if not concentration > 0:
        raise UserError("a concentration is above 0", where=f"skew {concentration:g}", remedy="try 1.0 or 0.3")
    kept = [utterance for session in manifest.sessions for utterance in _kept(manifest, session, concentration, seed)]
    paths = {utterance.path for utterance in kept}
    return manifest.where(lambda utterance: utterance.path in paths)


def as_set(manifest: Manifest, skew: Skew, seed: int) -> Manifest:
    """The corpus as settings have it: skewed, or all of it."""
    return manifest if skew == "none" else skewed(manifest, skew, seed)


def warn_of_skew(counts: Mapping[str, Sequence[int]]) -> str | None:
    """A sentence for whoever is about to normalise by session, where that would hide emotions; else nothing.

    Mean and deviation of a session that says mostly one emotion are those of the emotion, and taking them out takes it
    out: a reader of such sessions fell from 0.70 to 0.43. `counts` are utterances by session, in label order.
    """
    lacking = [session for session, held in counts.items() if not all(held)]
    leaning = [session for session, held in counts.items() if max(held) > MOSTLY * sum(held) and all(held)]
    named = [f"{', '.join(lacking)} hold{'s' * (len(lacking) == 1)} not every emotion"] if lacking else []
    named += [f"{', '.join(leaning)} hold{'s' * (len(leaning) == 1)} mostly one emotion"] if leaning else []
    if not named:
        return None
    told = " and ".join(named)
    return f"{told}: normalising each session by itself takes out what its emotions have in common; choose another way"


def _kept(manifest: Manifest, session: str, concentration: float, seed: int) -> Sequence[Utterance]:
    own = defaultdict(list)
    for utterance in manifest.utterances:
        if utterance.session == session:
            own[utterance.emotion].append(utterance)
    stream = numpy_stream(seed, "skew", session, f"{concentration:g}")
    shares = stream.dirichlet([concentration] * len(own))
    kept: list[Utterance] = []
    for emotion, share in zip(sorted(own, key=str), shares, strict=True):
        order = stream.permutation(len(own[emotion]))
        kept += [own[emotion][number] for number in order[: round(len(order) * share / max(shares))]]
    return kept
