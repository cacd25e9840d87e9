"""Real speech and samples as one source: each as often as any other."""

from dataclasses import dataclass

import torch

from common.features.patches import Batch
from common.training.mixture import Together


@dataclass(frozen=True)
class Numbers:
    """So many examples of one value."""

    value: float
    count: int

    def batch(self, step, size, stream):
        return Batch(torch.full((size, 1), float(self.value)), torch.zeros(size, dtype=torch.int64))

    def everything(self):
        return self.batch(0, self.count, "")


def test_each_example_is_as_likely_as_any_other():
    together = Together(Numbers(0, 30), Numbers(1, 90), (30, 90), seed=1)
    drawn = torch.cat([together.batch(step, 20, "train").values for step in range(200)])
    assert len(drawn) == 4000
    assert 0.72 < drawn.mean() < 0.78


def test_the_same_step_is_the_same_batch():
    together = Together(Numbers(0, 1), Numbers(1, 1), (1, 1), seed=1)
    sums = [float(together.batch(step, 20, "train").values.sum()) for step in (3, 4, 5, 6, 7)]
    assert sums == [float(together.batch(step, 20, "train").values.sum()) for step in (3, 4, 5, 6, 7)]
    assert len({*sums}) > 1


def test_read_whole_it_is_both():
    whole = Together(Numbers(0, 30), Numbers(1, 90), (30, 90), seed=1).everything()
    assert whole.values.flatten().tolist() == [0.0] * 30 + [1.0] * 90
