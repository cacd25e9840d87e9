"""What is measured of samples that are vectors, beside what a synthesizer was fitted to and what it never saw.

Owns which measures there are, what each is told against, and their names. Must not know a measure's definition
(`common.scoring`), nor how samples are made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.errors import UserError
from common.scoring.discrepancy import discrepancy
from common.scoring.hidden import hidden_distance
from common.scoring.labelled import Labelled
from common.scoring.memorization import nearest_neighbour_ratio
from common.scoring.spread import spread
from common.scoring.transfer import Side, transfer
from common.seeds import numpy_stream

VERSION = 1
"""Raise it when what is measured changes, so that stored units are measured anew."""
Told = dict[str, float]


@dataclass(frozen=True)
class Compared:
    """Samples, and the real vectors on both sides of a fold, all in the same scale."""

    fitted: Side
    unseen: Side
    made: Labelled
    emotions: Sequence[str]
    seed: int


def vector_measures(compared: Compared) -> dict[str, float | None]:
    """By name; nothing stands where a fold's speech is too little for a measure."""
    told: dict[str, float | None] = {}
    for names, measured in MEASURES.items():
        try:
            told |= measured(compared)
        except UserError:
            told |= dict.fromkeys(names)
    return told


def drawn_feature(size: int, seed: int) -> int:
    """The number of a vector that a histogram shows: by seed, so that nobody picks a good one."""
    return int(numpy_stream(seed, "histogram").integers(size))


def side_of(vectors: Labelled, speakers: Sequence[str]) -> Side:
    """A single speaker cannot be kept apart from another: then C is chosen over parts by chance."""
    return Side(vectors, speakers if len(set(speakers)) > 1 else None)


def _spread(compared: Compared) -> Told:
    return {"spread": spread(compared.fitted.vectors, compared.made).ratio}


def _discrepancy(compared: Compared) -> Told:
    found = discrepancy(compared.fitted.vectors, compared.made, seed=compared.seed)
    return {"mmd": found.biased, "mmd_floor": found.floor}


def _transfer(compared: Compared) -> Told:
    found = transfer(compared.fitted, compared.unseen, compared.made, compared.emotions, seed=compared.seed)
    return {name: getattr(found, name).uar for name in TRANSFER}


def _hidden(compared: Compared) -> Told:
    fitted, unseen = compared.fitted.vectors, compared.unseen.vectors
    every = Labelled([*fitted.values, *unseen.values], [*fitted.labels, *unseen.labels])
    return {"metric_3": hidden_distance(every, fitted, compared.made, seed=compared.seed)}


def _nearness(compared: Compared) -> Told:
    sides = compared.fitted.vectors, compared.unseen.vectors
    return {"nearness": nearest_neighbour_ratio(*sides, compared.made, seed=compared.seed).ratio}


TRANSFER = ("metric_1_set_1", "metric_1_set_2", "metric_2_set_1", "metric_2_set_2")
MEASURES: dict[tuple[str, ...], Callable[[Compared], Told]] = {
    ("spread",): _spread,
    ("mmd", "mmd_floor"): _discrepancy,
    TRANSFER: _transfer,
    ("metric_3",): _hidden,
    ("nearness",): _nearness,
}
OF_VECTORS = tuple(name for names in MEASURES for name in names)
