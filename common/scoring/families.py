"""Many comparisons at once: what a p-value is worth among its family.

Owns the correction. Must not know what was compared.
"""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from common.errors import UserError

K = TypeVar("K")


def holm(p_values: Mapping[K, float]) -> dict[K, float]:
    """p-values that hold for the whole family: below 0.05 is sure, whatever the others show (Holm 1979).

    The chance that any of the family is called different and is not stays below 0.05, however they hang together.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    given = np.array(list(p_values.values()), dtype=np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise UserError("a p-value lies between 0 and 1", where=", ".join(map(str, p_values.values())))
    order = np.argsort(given, kind="stable")
    corrected = np.empty_like(given)
    raised = given[order] * np.arange(len(given), 0, -1)
    corrected[order] = np.maximum.accumulate(raised).clip(max=1)
    return dict(zip(p_values, map(float, corrected), strict=True))
