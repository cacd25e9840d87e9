"""Who judges whom, and which samples stay; an emotion is the brightness of its patch, so that an ear is easily made."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from common.config import SamplingConfig
from common.networks.acceleration import Acceleration
from common.training.phases import Surroundings
from server import consensus
from server.consensus import JUDGES, SoftPool, judged_pool
from server.pool import KeptPool, Source

CLASSES = 4


class Painter:
    """Paints each class as bright as it is numbered, and every third patch as the next class if it lies."""

    def __init__(self, *, lies):
        self.lies = lies

    def sample(self, wanted, stream, latent_scale=1.0):
        told = torch.rand(len(wanted), generator=stream) < 1 / 3 if self.lies else torch.zeros(len(wanted)).bool()
        shown = torch.where(told, (wanted + 1) % CLASSES, wanted)
        return (shown / CLASSES).view(-1, 1, 1, 1).expand(-1, 1, 128, 128).clone()


class Ear(torch.nn.Module):
    """Hears each patch as what it is, and is sure of it."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, patches):
        return 9 * torch.nn.functional.one_hot((patches[:, 0, 0, 0] * CLASSES).round().long(), CLASSES).float()


class Deaf(Ear):
    """Hears the first emotion in everything."""

    def forward(self, patches):
        return torch.tensor([1.0, 0, 0, 0]).expand(len(patches), -1)


@pytest.fixture
def heard(monkeypatch):
    """What each judge was trained on, instead of training any; its kind can be chosen."""
    pools = []

    def listen(patches, config, seed, around):
        pools.append(patches)
        return listen.kind()

    listen.kind = Ear
    monkeypatch.setattr(consensus, "train_recognizer", listen)
    return pools, listen


@pytest.fixture
def judging(config, tmp_path):
    """A function from settings to the pool of an honest source and two liars."""

    def make(sources=3, **settings):
        told = config.model_copy(update={"sampling": SamplingConfig(per_emotion=24, **settings)})
        around = Surroundings(Acceleration.from_runtime(config.runtime))
        given = [Source(f"s{n}", n, lambda n=n: Painter(lies=n > 0)) for n in range(sources)]
        return judged_pool(tmp_path, given, told, around)

    return make


def truth_of(pool):
    """The share of samples that show what their label says."""
    batch = pool.take(np.arange(len(pool)))
    shown = (batch.patches[:, 0, 0, 0] * CLASSES).round().long()
    return (shown == batch.labels).float().mean()


def test_nobody_is_judged_unless_it_is_asked_for(judging, heard):
    assert isinstance(judging(), KeptPool)
    assert heard[0] == []


def test_samples_that_the_others_hear_as_something_else_do_not_stay(judging, heard):
    assert truth_of(judging()) < 0.85
    pool = judging(consensus=True)
    assert truth_of(pool) == 1
    assert len(pool) == CLASSES * 24
    assert torch.bincount(pool.take(np.arange(len(pool))).labels).tolist() == [24] * CLASSES


def test_each_source_is_judged_by_a_recognizer_of_all_others(judging, heard):
    pool = judging()
    judging(consensus=True)
    names = [[file.name for file in judge.files] for judge in heard[0]]
    every = [file.name for file in pool.files]
    assert names == [every[1:], [every[0], every[2]], every[:2]]


def test_a_judge_that_hears_nothing_right_cannot_empty_the_pool(judging, heard):
    heard[1].kind = Deaf
    pool = judging(consensus=True)
    assert len(pool) == CLASSES * 24
    assert torch.bincount(pool.take(np.arange(len(pool))).labels).tolist() == [24] * CLASSES


def test_soft_labels_are_what_the_judge_thinks_of_each_sample(judging, heard):
    pool = judging(soft_labels=True)
    assert isinstance(pool, SoftPool)
    batch = pool.batch(0, 64, "train")
    assert batch.labels.sum(dim=1) == pytest.approx([1.0] * 64)
    shown = (batch.patches[:, 0, 0, 0] * CLASSES).round().long()
    assert torch.equal(batch.labels.argmax(dim=1), shown)
    again = pool.batch(0, 64, "train")
    assert torch.equal(again.patches, batch.patches)
    assert truth_of(pool.pool) < 0.85


def test_one_source_alone_has_nobody_to_judge_it(judging, heard):
    assert isinstance(judging(sources=1, consensus=True, soft_labels=True), KeptPool)
    assert heard[0] == []


def test_what_was_judged_is_not_judged_again(judging, heard, tmp_path):
    first = judging(consensus=True)
    second = judging(consensus=True)
    assert len(heard[0]) == 3
    assert first == second
    assert len(list((tmp_path / JUDGES).iterdir())) == 1


def test_a_judge_is_a_recognizer_of_the_same_recipe(judging, config, tmp_path):
    pool = judging(soft_labels=True)
    assert pool.targets.shape == (CLASSES * 24, CLASSES)
    assert pool.targets.sum(dim=1) == pytest.approx([1.0] * len(pool.targets), abs=1e-5)
    assert pool.pool.files[0].is_file()


@pytest.mark.parametrize("setting", ["consensus", "soft_labels"])
def test_samples_that_are_not_kept_cannot_be_judged(setting):
    with pytest.raises(ValidationError, match="set keep = true"):
        SamplingConfig(keep=False, **{setting: True})
