"""A training step recorded once and played back: a GPU then repeats its thousand kernels without being told each.

Owns when a step is recorded, and the memory that must lie still for that. Must not know what a step computes.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from common.training.draws import Draw

Metrics = dict[str, Tensor]
"""Numbers of one step, left on the device; the one called "loss" is what a phase descends."""
Work = Callable[[Draw], Metrics]
"""What the device does in a step, and its numbers."""
Tape = Callable[[Callable[[], Tensor]], tuple[Callable[[], object], Tensor]]
"""Records work without doing it: how to play it back, and where its result will lie."""

WARM_UP = 3
"""Steps taken as they are before one is recorded: in them libraries choose kernels and tables find their place."""


class Recorder:
    """Does the work of steps, by playback where there is a tape and the work is the same as before."""

    def __init__(self, tape: Tape | None) -> None:
        self._tape = tape
        self._forget(None)

    def _forget(self, key: Hashable) -> None:
        self._key, self._taken = key, 0
        self._play: Callable[[], object] | None = None
        self._draw: Draw | None = None
        self._names: list[str] = []

    def do(self, key: Hashable, work: Work, draw: Draw) -> Metrics:
        """One step's work; `key` names all that a recording would fix beside the draw."""
        if self._tape is None:
            return work(draw)
        if key != self._key:
            self._forget(key)
        self._taken += 1
        if self._taken <= WARM_UP:
            return work(draw)
        if self._draw is None or self._play is None:
            self._draw = still = {name: value.clone() for name, value in draw.items()}
            self._play, self._numbers = self._tape(lambda: self._numbered(work(still)))
        for name, place in self._draw.items():
            place.copy_(draw[name])
        self._play()
        # A copy, for the next playback writes where this one did.
        return dict(zip(self._names, self._numbers.clone().unbind(), strict=True))

    def _numbered(self, metrics: Metrics) -> Tensor:
        self._names = list(metrics)
        return torch.stack([value.float() for value in metrics.values()])


def cuda_tape(work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
    """A CUDA graph, recorded on the stream that is current."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        result = work()
    return graph.replay, result


@contextmanager
def recorder(device: torch.device, *, recorded: bool) -> Iterator[Recorder]:
    """To be had for as long as a stage lasts, on a stream of its own, for the usual one cannot be recorded."""
    if not recorded:
        yield Recorder(None)
        return
    with torch.cuda.device(device):
        usual, own = torch.cuda.current_stream(), torch.cuda.Stream()
        own.wait_stream(usual)
        with torch.cuda.stream(own):
            yield Recorder(cuda_tape)
        usual.wait_stream(own)
