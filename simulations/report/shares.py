"""How much of real speech's score each mode reaches, from the stored counts.

Owns which seeds are shared. Must not know how a share is worded.
"""

from common.scoring import Score, share_of
from simulations.comparison.modes import REAL
from simulations.comparison.results import outcome_of
from simulations.comparison.schema import Results


def shares_of_real(results: Results) -> dict[str, Score]:
    """Of every mode but `real` itself, over the seeds that both have whole; nothing where real scores nothing."""
    real = results.modes.get(REAL)
    if real is None or not real.macro_f1 or not real.macro_f1.mean:
        return {}
    shares = {}
    for name, mode in results.modes.items():
        seeds = sorted(set(mode.whole_seeds) & set(real.whole_seeds))
        one, other = (outcome_of(results, results.counts[which], seeds) for which in (name, REAL))
        if name != REAL and one and other:
            shares[name] = share_of(one, other, seed=results.seeds[0])
    return shares
