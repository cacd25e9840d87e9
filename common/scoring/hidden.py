"""How far samples lie from real vectors in what a small network makes of them.

Owns metric 3 of Sahu et al. (2020). Must not know a recognizer of the project, nor how samples are made.
"""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.scoring.confusion import Floats
from common.scoring.labelled import Labelled, check_comparable
from common.scoring.samples import frechet_distance

WIDTH = 64
LAYERS = 4
LAYER = 3
"""The hidden one that is looked at."""
EPOCHS = 30


def hidden_distance(every_real: Labelled, real: Labelled, synthetic: Labelled, *, seed: int) -> float:
    """Section 4.4.3, equation 10: Frechet distance of the third hidden layer; lower is better.

    The network is trained on all real vectors, test fold included, as in the paper: it measures and does not recognize.
    """
    hidden = embedder(every_real, seed=seed)
    return frechet_distance(hidden(real), hidden(synthetic))


def embedder(vectors: Labelled, *, seed: int) -> Callable[[Labelled], Floats]:
    """A network d-64-64-64-64-K with ReLU, trained for 30 epochs, as far as its third hidden layer."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    if len(np.unique(vectors.labels)) < 2:
        raise UserError("the network of metric 3 needs vectors of two classes or more")
    # It is never stopped early: the paper's number of epochs is the whole rule.
    network = MLPClassifier((WIDTH,) * LAYERS, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(vectors.values, vectors.labels)
    layers: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
    layers = list(zip(network.coefs_, network.intercepts_, strict=True))[:LAYER]

    def hidden(shown: Labelled) -> Floats:
        check_comparable(vectors, shown)
        values = shown.values
        for weights, offset in layers:
            values = np.maximum(values @ weights + offset, 0)
        return values

    return hidden
