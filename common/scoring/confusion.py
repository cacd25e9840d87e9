"""What a recognizer got right and wrong, as counts, and the three averages that are read from them.

Owns the confusion matrix and the definitions of macro F1, UAR and accuracy. Must not know who predicted.

Conventions, those of scikit-learn with `zero_division=0`: a precision, recall or F1 whose denominator is
zero is 0. Macro F1 and UAR are means over the classes that the truth holds, which is `f1_score` over those
labels and `balanced_accuracy_score`: a fold cannot be asked for an emotion that it has no recording of.
What is taken for an absent class is still wrong, for it is missing where it belongs. Of confusions that are
added first, such as those of all folds, it is the truth of all of them.

Counts that carry noise may be negative. They are summed as they are, for noise around zero cancels in a sum and what is
cut at zero would not; only a share is kept within 0 and 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError

Floats = NDArray[np.float64]
Counts = NDArray[Any]
Metric = Literal["macro_f1", "uar", "accuracy"]


def recall(counts: Counts) -> Floats:
    """Of what was a class, the share that was called it; [..., K, K] to [..., K]."""
    return _share(_hits(counts), counts.sum(axis=-1))


def f1(counts: Counts) -> Floats:
    """Harmonic mean of precision and recall; [..., K, K] to [..., K]."""
    return _share(2 * _hits(counts), counts.sum(axis=-2) + counts.sum(axis=-1))


def held(counts: Counts) -> NDArray[np.bool_]:
    """Whether the truth holds each class; [..., K, K] to [..., K]."""
    return np.asarray(counts.sum(axis=-1) > 0)


def macro_f1(counts: Counts) -> Floats:
    """Mean F1 over the classes that the truth holds; [..., K, K] to [...]."""
    there = held(counts)
    return _share(np.where(there, f1(counts), 0).sum(axis=-1), there.sum(axis=-1))


def uar(counts: Counts) -> Floats:
    """Mean recall over the classes that the truth holds; [..., K, K] to [...]."""
    return _share(recall(counts).sum(axis=-1), held(counts).sum(axis=-1))


def accuracy(counts: Counts) -> Floats:
    """Share of utterances that were called what they are; [..., K, K] to [...]."""
    return _share(_hits(counts).sum(axis=-1), counts.sum(axis=(-2, -1)))


AVERAGED_OVER = "the emotions that the truth holds"
"""What macro F1 and UAR are means over, as results and reports call it."""
METRICS: dict[Metric, Callable[[Counts], Floats]] = {"macro_f1": macro_f1, "uar": uar, "accuracy": accuracy}


@dataclass(frozen=True, eq=False)
class Confusion:
    """`counts[true, predicted]` in the order of `labels`; at least one utterance, or it does not come to be.

    >>> scored = Confusion(("sad", "happy"), [[3, 1], [0, 4]])
    >>> scored.n, scored.accuracy, round(scored.macro_f1, 3)
    (8, 0.875, 0.873)
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]

    def __init__(self, labels: Sequence[str], counts: ArrayLike, *, noised: bool = False) -> None:
        object.__setattr__(self, "labels", tuple(labels))
        object.__setattr__(self, "counts", _checked(self.labels, counts, noised=noised))

    @classmethod
    def of(cls, labels: Sequence[str], true: ArrayLike, predicted: ArrayLike) -> Self:
        """Count pairs of class numbers.

        >>> Confusion.of(("sad", "happy"), true=[0, 0, 1], predicted=[0, 1, 1]).counts.tolist()
        [[1, 1], [0, 1]]
        """
        classes = len(labels)
        rows, columns = (_class_numbers(numbers, classes) for numbers in (true, predicted))
        if rows.shape != columns.shape:
            raise UserError(f"{rows.size} true labels stand against {columns.size} predicted ones")
        counts = np.bincount(rows * classes + columns, minlength=classes * classes)
        return cls(labels, counts.reshape(classes, classes))

    def __add__(self, other: "Confusion") -> "Confusion":
        if self.labels != other.labels:
            orders = f"{', '.join(self.labels)} against {', '.join(other.labels)}"
            raise UserError("confusions of different label orders cannot be added", where=orders)
        return Confusion(self.labels, self.counts + other.counts, noised=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Confusion):
            return NotImplemented
        return self.labels == other.labels and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.labels, self.counts.tobytes()))

    @property
    def n(self) -> int:
        """Utterances scored."""
        return int(self.counts.sum())

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes that occur."""
        return float(macro_f1(self.counts))

    @property
    def uar(self) -> float:
        """Mean recall over the classes that occur."""
        return float(uar(self.counts))

    @property
    def accuracy(self) -> float:
        """Share of utterances called what they are."""
        return float(accuracy(self.counts))


def _hits(counts: Counts) -> Counts:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _share(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """The quotient, and 0 where there is nothing to take a share of."""
    share: Floats = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
    return share.clip(0, 1)


def _checked(labels: tuple[str, ...], counts: ArrayLike, *, noised: bool) -> NDArray[np.int64]:
    """An own, read-only copy of counts that may have come over the wire."""
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise UserError("a confusion needs two or more different labels", where=", ".join(labels) or "none given")
    try:
        given = np.asarray(counts)
    except ValueError:
        raise UserError("confusion counts have rows of unequal length") from None
    square = (len(labels), len(labels))
    if given.shape != square:
        raise UserError(f"confusion counts have shape {given.shape}, but the labels ask for {square}")
    if given.dtype.kind not in "iu":
        raise UserError(f"confusion counts are {given.dtype}, not whole numbers")
    whole = given.astype(np.int64)
    if (whole < 0).any() and not noised:
        raise UserError("confusion counts are negative", where=given.tolist())
    if not whole.any():
        raise UserError("a confusion without an utterance has no score", remedy="check that the test side is not empty")
    whole.flags.writeable = False
    return whole


def _class_numbers(numbers: ArrayLike, classes: int) -> NDArray[np.int64]:
    given = np.atleast_1d(np.asarray(numbers))
    if given.size and given.dtype.kind not in "iu":
        raise UserError(f"class numbers are {given.dtype}, not whole numbers")
    outside = given[(given < 0) | (given >= classes)]
    if outside.size:
        raise UserError(f"class number {outside[0]} stands outside 0 to {classes - 1}")
    return given.astype(np.int64).ravel()
