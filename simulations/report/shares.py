"""How much of real speech's score each mode reaches, from the stored counts.

Owns the way from stored counts back to outcomes. Must not know how a share is worded.
"""

from collections.abc import Mapping
from typing import Any

from common.scoring import Confusion, Outcome, Score, share_of
from simulations.comparison.modes import REAL


def shares_of_real(results: Mapping[str, Any]) -> dict[str, Score]:
    """Of every mode but `real` itself, over the seeds that both have whole; nothing where real scores nothing."""
    real = results["modes"].get(REAL)
    if real is None or not real["macro_f1"] or not real["macro_f1"]["mean"]:
        return {}
    shares = {}
    for name, mode in results["modes"].items():
        seeds = sorted(set(mode["whole_seeds"]) & set(real["whole_seeds"]))
        if name != REAL and seeds:
            one, other = (_outcome(results, which, seeds) for which in (name, REAL))
            shares[name] = share_of(one, other, seed=results["settings"]["seed"])
    return shares


def _outcome(results: Mapping[str, Any], mode: str, seeds: list[int]) -> Outcome:
    counts = results["counts"][mode]
    return Outcome.of(
        {
            (seed, fold, speaker): Confusion(tuple(results["labels"]), matrix)
            for seed in seeds
            for fold, speakers in counts[str(seed)].items()
            for speaker, matrix in speakers.items()
        }
    )
