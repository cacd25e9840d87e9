"""Vectors with the class of each, as measures take them.

Owns the check that they can be measured at all. Must not know whether they are real or made.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError
from common.scoring.confusion import Floats
from common.seeds import numpy_stream


@dataclass(frozen=True, eq=False)
class Labelled:
    """Values [n, d], all finite, and class numbers [n]; arrays or tensors come in, arrays are kept.

    >>> Labelled([[0.5], [1.5], [2.5]], [0, 1, 1]).counts(3).tolist()
    [1, 2, 0]
    """

    values: Floats
    labels: NDArray[np.int64]

    def __init__(self, values: ArrayLike, labels: ArrayLike) -> None:
        cloud, classes = np.asarray(values, dtype=np.float64), np.asarray(labels)
        if cloud.ndim != 2 or not cloud.size:
            raise UserError(f"vectors have shape {cloud.shape}, but [n, d] is asked for, both at least 1")
        if classes.shape != (len(cloud),) or classes.dtype.kind not in "iu" or (classes < 0).any():
            raise UserError(f"{len(cloud)} vectors ask for as many class numbers", where=f"shape {classes.shape}")
        if not np.isfinite(cloud).all():
            row, column = np.argwhere(~np.isfinite(cloud))[0]
            raise UserError("vectors are not all finite", where=f"row {row}, feature {column}")
        object.__setattr__(self, "values", cloud)
        object.__setattr__(self, "labels", classes.astype(np.int64))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Labelled":
        return Labelled(self.values[rows], self.labels[rows])

    def counts(self, classes: int) -> NDArray[np.int64]:
        """How many there are of each class."""
        return np.bincount(self.labels, minlength=classes)

    def halves(self, *, seed: int) -> tuple["Labelled", "Labelled"]:
        """Two halves by chance, every class split as evenly as it can be; an odd one goes to either by turns."""
        shuffled = numpy_stream(seed, "halves").permutation(len(self))
        by_class = shuffled[np.argsort(self.labels[shuffled], kind="stable")]
        return self[np.sort(by_class[::2])], self[np.sort(by_class[1::2])]


def check_comparable(one: Labelled, other: Labelled) -> None:
    """That both have the same features."""
    if one.values.shape[1] != other.values.shape[1]:
        widths = f"{one.values.shape[1]} against {other.values.shape[1]}"
        raise UserError("vectors differ in their number of features", where=widths)
