"""Federated averaging: one site is plain training, more rounds learn more, and what it costs is counted."""

import pytest
import torch

from common.features.patches import Batch
from common.networks.acceleration import Acceleration
from common.recognizers import averaging
from common.recognizers.averaging import averaged, leaving
from common.recognizers.methods.dnn import RECOGNIZER, DnnConfig, Settings
from common.settings import RuntimeConfig
from common.spaces import Vectors

CLASSES = 3
SETTINGS = Settings(dnn=DnnConfig(hidden=8, layers=1))
SPACE = Vectors(set="six", size=6, scale="session")
RAW = Vectors(set="six", size=6, scale="raw")


def site(seed, count=24, scale=1.0):
    labels = torch.arange(count) % CLASSES
    values = 2 * torch.eye(6)[labels] + torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))
    return Batch(scale * values, labels)


SITES = [site(0), site(1, 48), site(2)]


def right(weights, space=SPACE, scale=1.0):
    tested = site(9, 300, scale)
    acceleration = Acceleration.of(RuntimeConfig(device="cpu", threads=1))
    predictor = RECOGNIZER.predictor(weights, SETTINGS, space, CLASSES, acceleration)
    return float((predictor.examples(tested.values).argmax(dim=1) == tested.labels).float().mean())


def of_rounds(rounds, sites=SITES, space=SPACE):
    return averaged(sites, SETTINGS, space, CLASSES, rounds, seed=0)


def test_more_rounds_learn_more_and_none_learns_nothing():
    scores = [right(of_rounds(rounds)) for rounds in (0, 5, 60)]
    assert scores[0] < 0.6 < scores[2]
    assert scores[0] < scores[1] < scores[2]


def test_it_is_the_same_each_time_and_another_seed_is_another():
    one, again = of_rounds(2), of_rounds(2)
    assert all(torch.equal(one[name], again[name]) for name in one)
    other = averaged(SITES, SETTINGS, SPACE, CLASSES, 2, seed=1)
    assert not torch.equal(one["layers.0.weight"], other["layers.0.weight"])


def test_sites_weigh_as_many_utterances_as_they_have():
    mean = averaging._mean([torch.tensor([0.0]), torch.tensor([3.0])], [2 / 3, 1 / 3])
    assert mean.tolist() == pytest.approx([1.0])


def test_each_site_starts_a_round_from_what_all_of_them_share(monkeypatch):
    begun = []

    def tune(network, *_):
        begun.append(network.dense[0].weight.detach().clone())
        network.dense[0].weight.data += 1

    monkeypatch.setattr(averaging, "_tune", tune)
    of_rounds(2)
    first, second = begun[:3], begun[3:]
    assert all(torch.equal(one, first[0]) for one in first)
    assert len(second) == 3
    assert all(torch.allclose(one, first[0] + 1) for one in second)


def test_raw_numbers_are_made_alike_by_all_sites_together():
    raw = of_rounds(60, [Batch(1000 * one.values, one.labels) for one in SITES], RAW)
    assert right(raw, RAW, 1000) > 0.6
    assert set(raw) == set(RECOGNIZER.shapes(SETTINGS, RAW, CLASSES))


def test_every_round_is_a_release_and_raw_numbers_take_one_more():
    numbers = 6 * 8 + 8 + 8 * 3 + 3
    told = leaving(SETTINGS, SPACE, CLASSES, 20)
    assert (told.releases, told.bytes) == (20, 20 * 4 * numbers)
    raw = leaving(SETTINGS, RAW, CLASSES, 20)
    assert (raw.releases, raw.bytes) == (21, 20 * 4 * numbers + 4 * 2 * 6)


def test_each_round_has_a_network_of_every_site_and_the_last_is_what_all_come_to():
    rounds = list(averaging.each_round(SITES, SETTINGS, SPACE, CLASSES, 3, seed=0))
    assert [len(one.told) for one in rounds] == [0] + [len(SITES)] * 3
    last, whole = rounds[-1], of_rounds(3)
    assert all(torch.equal(last.shared[name], whole[name]) for name in whole)
    assert not torch.equal(last.told[0]["layers.0.weight"], last.shared["layers.0.weight"])
