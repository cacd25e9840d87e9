"""Whole utterances heard window by window: packed into batches of one size, and gathered again.

Owns that. Must not know the network that hears, nor how its answers become one.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import torch
from torch import Tensor

from common.features.patches import windows
from common.training.phases import Interrupted


def heard(
    utterances: Iterable[Tensor],
    hop: int,
    at_once: int,
    forward: Callable[[Tensor], Tensor],
    stop: Callable[[], bool],
    stage: str,
) -> tuple[Tensor, Tensor]:
    """Of scaled log-mels [mels, n] of any lengths: the utterance of each window, and what was put out for it."""
    owners: list[Tensor] = []
    answers: list[Tensor] = []
    for done, (numbers, patches) in enumerate(_packed(utterances, hop, at_once)):
        if stop():
            raise Interrupted(stage, done)
        owners.append(numbers)
        answers.append(forward(patches).double().cpu())
    return torch.cat(owners), torch.cat(answers)


def means_of(owners: Tensor, numbers: Tensor) -> Tensor:
    """[windows, classes] -> [utterances, classes].

    >>> means_of(torch.tensor([0, 0, 1]), torch.tensor([[1.0], [3.0], [5.0]])).tolist()
    [[2.0], [5.0]]
    """
    counts = torch.bincount(owners).to(numbers.dtype)[:, None]
    return torch.zeros(len(counts), numbers.shape[1], dtype=numbers.dtype).index_add_(0, owners, numbers) / counts


def _packed(utterances: Iterable[Tensor], hop: int, at_once: int) -> Iterator[tuple[Tensor, Tensor]]:
    every = ((number, window) for number, scaled in enumerate(utterances) for window in windows(scaled, hop))
    while batch := list(islice(every, at_once)):
        yield torch.tensor([number for number, _ in batch]), torch.stack([window for _, window in batch])
