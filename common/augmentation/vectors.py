"""Further vectors of a class from its own: copies, copies with noise, points between neighbours.

Owns the three. Must not know features, nor how many of a class are good.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.errors import UserError
from common.seeds import numpy_stream

Values = NDArray[Any]
Classes = NDArray[np.int64]

DEVIATION = 0.5
"""Of the noise, where a feature's own deviation is 1."""
NEIGHBOURS = 5
"""Among which SMOTE chooses; fewer where a class has fewer."""


def copying(values: ArrayLike, classes: ArrayLike, wanted: ArrayLike, names: Sequence[str], *, seed: int) -> Values:
    """The vectors themselves, each as often as any other of its class or once more.

    >>> copying([[0.0], [1.0]], [0, 1], [1, 1, 0], ("sad", "happy"), seed=0).ravel().tolist()
    [1.0, 1.0, 0.0]
    """

    def make(own: Values, count: int, stream: np.random.Generator) -> Values:
        return own[_evenly(len(own), count, stream)]

    return _made(values, classes, wanted, names, seed, make)


def noise(values: ArrayLike, classes: ArrayLike, wanted: ArrayLike, names: Sequence[str], *, seed: int) -> Values:
    """Copies with Gaussian noise, as Yi & Mak (2020), section V-B; vectors are in normalised units."""

    def make(own: Values, count: int, stream: np.random.Generator) -> Values:
        copies = own[_evenly(len(own), count, stream)]
        return copies + DEVIATION * stream.normal(size=copies.shape)

    return _made(values, classes, wanted, names, seed, make)


def smote(values: ArrayLike, classes: ArrayLike, wanted: ArrayLike, names: Sequence[str], *, seed: int) -> Values:
    """Points by chance on the line from a vector to one of its nearest of the same class (Chawla et al. 2002)."""
    present = np.bincount(np.asarray(classes, dtype=np.int64), minlength=len(names))
    if alone := [names[number] for number in map(int, np.unique(wanted)) if present[number] == 1]:
        remedy = "leave the class out or use copying"
        raise UserError(
            "SMOTE needs two utterances of a class, but there is one", where=", ".join(alone), remedy=remedy
        )

    def make(own: Values, count: int, stream: np.random.Generator) -> Values:
        from sklearn.neighbors import NearestNeighbors

        near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(own) - 1)).fit(own).kneighbors(return_distance=False)
        starts = _evenly(len(own), count, stream)
        ends = near[starts, stream.integers(near.shape[1], size=count)]
        return np.asarray(own[starts] + stream.uniform(size=(count, 1)) * (own[ends] - own[starts]))

    return _made(values, classes, wanted, names, seed, make)


Make = Callable[[Values, int, np.random.Generator], Values]


def _made(
    values: ArrayLike, classes: ArrayLike, wanted: ArrayLike, names: Sequence[str], seed: int, make: Make
) -> Values:
    """As `wanted` is ordered; each class is drawn on its own, so that it does not hang on the others."""
    real, owners, asked = np.asarray(values), np.asarray(classes), np.asarray(wanted, dtype=np.int64)
    if real.ndim != 2 or len(real) != len(owners):
        raise UserError(f"values of shape {real.shape} stand against {len(owners)} classes")
    made = np.empty((len(asked), real.shape[1]), dtype=real.dtype)
    for number in map(int, np.unique(asked)):
        own, places = real[owners == number], asked == number
        if not len(own):
            raise UserError("nothing can be made of a class without an utterance", where=names[number])
        made[places] = make(own, int(places.sum()), numpy_stream(seed, "augmentation", names[number]))
    return made


def _evenly(have: int, count: int, stream: np.random.Generator) -> Classes:
    """Numbers below `have`, each as often as any other or once more; who comes once more is chance."""
    return np.resize(stream.permutation(have), count)


METHODS = {"copying": copying, "noise": noise, "smote": smote}
