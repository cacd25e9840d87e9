"""Samples that are made of the recordings themselves, where the recordings are: copies, copies with noise, SMOTE.

Owns how a fold's speech is handed to such a method, and the source that a recognizer reads. Must not know a method's
own rule (`common.augmentation`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from common.augmentation.vectors import METHODS
from common.features.patches import Batch
from common.seeds import derive_seed, numpy_stream
from common.synthesizers.pool import given_numbers, turns
from common.training.draws import everything
from common.training.standard import standard_for
from simulations.comparison.job import Job


@dataclass(frozen=True)
class Augmented:
    """Vectors, each as likely as any other."""

    values: Tensor
    labels: Tensor
    seed: int

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream."""
        chosen = torch.from_numpy(numpy_stream(self.seed, stream, step).integers(len(self), size=size))
        return Batch(self.values[chosen], self.labels[chosen])

    def everything(self) -> Batch:
        """Each once."""
        return Batch(self.values, self.labels)


def augmented(job: Job, method: str, numbers: tuple[int, ...]) -> Augmented:
    """So many of each emotion, of the real speech that a synthesizer of this fold would be fitted to."""
    fold, setting = job.setting.folds[job.unit.place], job.setting
    whole = everything(setting.features.of(fold.fitted).examples(setting.scaling, 0, balanced=False))
    standard = standard_for(setting.space, whole.values)
    rows = whole.values if standard is None else standard.apply(whole.values)
    wanted, seed = turns(numbers), derive_seed(job.unit.seed, method, job.unit.place, fold.repeat)
    made = METHODS[method](rows.numpy(), whole.labels.numpy(), wanted, job.config.corpus.emotions, seed=seed)
    values = torch.from_numpy(made).float()
    return Augmented(values if standard is None else standard.undo(values), torch.from_numpy(wanted), seed)


def evenly(job: Job, per_emotion: int) -> tuple[int, ...]:
    """As many of each emotion that there is speech of."""
    held = job.setting.folds[job.unit.place].fitted.held
    (numbers,) = given_numbers([held], per_emotion, job.config.corpus.classes)
    return numbers
