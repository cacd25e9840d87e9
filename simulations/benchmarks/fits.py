"""How much of a processor a fit of each synthesizer of vectors takes, on as many rows as a session has.

Owns the rows that are made up for it and the clock. Must not know how a method trains.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from common.config import Config
from common.errors import UserError
from common.features.patches import Batch
from common.networks import Acceleration
from common.seeds import torch_stream
from common.spaces import Vectors
from common.synthesizers import SYNTHESIZERS, Fitting, Synthesizer, synthesizer
from common.training.phases import Surroundings

SPACE = Vectors(set="functionals", size=1715)
ROWS = 68
"""A fifth of EMO-DB's four emotions."""


@dataclass(frozen=True)
class Rows:
    """Vectors around a place for each emotion."""

    values: Tensor
    labels: Tensor

    @classmethod
    def made(cls, rows: int, size: int, classes: int) -> "Rows":
        """The same every time."""
        stream = torch_stream("bench fits")
        labels = torch.arange(rows) % classes
        places = torch.randn(classes, size, generator=stream)
        return cls(0.8 * torch.randn(rows, size, generator=stream) + 0.6 * places[labels], labels)

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """Asked only whether there are labels."""
        return Batch(self.values[:size], self.labels[:size])

    def everything(self) -> Batch:
        """All."""
        return Batch(self.values, self.labels)


def bench_fits(
    config: Config,
    names: Sequence[str] = (),
    rows: int = ROWS,
    tell: Callable[[str, dict[str, Any]], None] = lambda name, found: None,
) -> dict[str, Any]:
    """Of each method, or of those that are named: processor seconds of one fit, and its steps."""
    methods = [synthesizer(name) for name in names] or [one for one in SYNTHESIZERS if one.spaces == {Vectors}]
    if patches := [one.name for one in methods if Vectors not in one.spaces]:
        raise UserError(
            "no synthesizer of vectors", where=", ".join(patches), remedy="`eyesoff bench step` times those"
        )
    figures: dict[str, Any] = {"rows": rows, "size": SPACE.size, "threads": torch.get_num_threads(), "fits": {}}
    for one in methods:
        figures["fits"][one.name] = found = _timed(one, config, rows)
        tell(one.name, found)
    return figures


def _timed(one: Synthesizer[Any], config: Config, rows: int) -> dict[str, Any]:
    source, labels = Rows.made(rows, SPACE.size, config.corpus.classes), config.corpus.emotions
    settings, acceleration = one.settings_of(config), Acceleration.of(config.runtime)
    fitting = Fitting(lambda balanced: source, {}, labels, SPACE, config.seed, Surroundings(acceleration))
    before = time.process_time()
    with acceleration.entered():
        one.fit(fitting, settings)
    taken = time.process_time() - before
    steps = one.cost(settings, SPACE, config.corpus.classes).steps
    return {"processor_seconds": round(taken, 2), "steps": steps}
