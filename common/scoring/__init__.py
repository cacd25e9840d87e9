"""Scores with their n and interval: confusions, folds and seeds, comparison of modes, quality of samples.

Owns every definition of a score. Must not know the project's networks, nor who predicted or generated. Measures of
vectors are imported from the module of their family.
"""

from common.scoring.comparison import Comparison, compare, gap_closed, share_of, sign_flip_p_value
from common.scoring.confusion import AVERAGED_OVER, METRICS, Confusion, Metric
from common.scoring.intervals import Score, bootstrap
from common.scoring.outcome import Outcome, Summary
from common.scoring.samples import Quality, density_and_coverage, frechet_distance, kernel_distance, quality

__all__ = [
    "AVERAGED_OVER",
    "METRICS",
    "Comparison",
    "Confusion",
    "Metric",
    "Outcome",
    "Quality",
    "Score",
    "Summary",
    "bootstrap",
    "compare",
    "density_and_coverage",
    "frechet_distance",
    "gap_closed",
    "kernel_distance",
    "quality",
    "share_of",
    "sign_flip_p_value",
]
