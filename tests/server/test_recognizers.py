"""A recognizer is trained from the bank alone, once, and alike whenever it was stopped."""

import pytest
import torch

from common.config import CampaignConfig, SamplingConfig
from common.errors import UserError
from common.networks import arrangement, learned_weights
from common.recognizers.card import AUDITS
from common.training.checkpoint import TENSORS
from common.training.phases import Interrupted
from common.training.reporters import Reporter
from common.wire import weights_digest
from server.bank import Bank
from server.recognizers import Recognizers
from server.requests import Requests


class Steps(Reporter):
    """Counts trainings."""

    def __init__(self):
        self.begun = []

    def begin(self, stage, first, iterations):
        self.begun.append(first)


@pytest.fixture(scope="module")
def bank(tmp_path_factory, config, base, client_of):
    """Three generators."""
    bank, requests = Bank(tmp_path_factory.mktemp("bank")), Requests("run", config, base, per_speaker=False)
    for session in "ABC":
        bank.add(client_of(session).say(requests.tune("0", session).request))
    return bank


@pytest.fixture
def releases(bank):
    return bank.banked()


@pytest.fixture
def recognizers_of(tmp_path, config, bank):
    def make(folder="run", **changed):
        return Recognizers(tmp_path / folder, config.model_copy(update=changed), bank)

    return make


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_one_that_is_trained_is_left_as_it_is(recognizers_of, releases):
    recognizers, steps = recognizers_of(), Steps()
    recognizers.train("fold", releases, steps)
    recognizers.train("fold", releases[::-1], steps)
    assert steps.begun == [0]


def test_the_same_generators_make_the_same_recognizer_and_others_another(recognizers_of, releases):
    recognizers_of().train("fold", releases)
    recognizers_of("elsewhere").train("fold", releases)
    recognizers_of("other").train("fold", releases[:2])
    recognizers_of("other").train("other", releases)
    one = recognizers_of().load("fold")
    assert same(one, recognizers_of("elsewhere").load("fold"))
    assert not same(one, recognizers_of("other").load("fold"))
    assert not same(one, recognizers_of("other").load("other"))


def test_how_long_a_tuning_took_changes_nothing(recognizers_of, releases, bank, config, base, client_of, tmp_path):
    slower, requests = Bank(tmp_path / "slower"), Requests("run", config, base, per_speaker=False)
    for session in "ABC":
        release = client_of(session).say(requests.tune("0", session).request)
        slower.add(release.model_copy(update={"card": release.card.model_copy(update={"seconds": 77})}))
    recognizers_of().train("fold", releases)
    others = Recognizers(tmp_path / "other", config, slower)
    others.train("fold", slower.banked())
    assert {banked.name for banked in slower.banked()}.isdisjoint(banked.name for banked in releases)
    assert same(recognizers_of().load("fold"), others.load("fold"))


def test_one_that_was_stopped_goes_on_and_ends_alike(recognizers_of, releases):
    recognizers_of("whole").train("fold", releases)
    recognizers, steps = recognizers_of(), Steps()
    with pytest.raises(Interrupted):
        recognizers.train("fold", releases, steps, stop=lambda: True)
    recognizers.train("fold", releases, steps)
    assert steps.begun == [0, 1]
    assert same(recognizers.load("fold"), recognizers_of("whole").load("fold"))


def test_what_was_begun_from_other_generators_is_not_gone_on_with(recognizers_of, releases, tmp_path):
    recognizers, steps = recognizers_of(), Steps()
    with pytest.raises(Interrupted):
        recognizers.train("fold", releases[:2], steps, stop=lambda: True)
    recognizers.train("fold", releases, steps)
    assert steps.begun == [0, 0]
    assert [path.name for path in (tmp_path / "run" / "recognizers" / "fold").iterdir()] == ["model"]


def test_damaged_weights_are_trained_again(recognizers_of, releases):
    recognizers = recognizers_of()
    recognizers.train("fold", releases)
    before = recognizers.load("fold")
    (recognizers.where("fold") / TENSORS).write_bytes(b"half")
    with pytest.raises(UserError, match="truncated"):
        recognizers.load("fold")
    recognizers.train("fold", releases)
    assert same(recognizers.load("fold"), before)


def test_the_digest_is_what_the_weights_hash_to_on_the_wire(recognizers_of, releases):
    recognizers = recognizers_of()
    recognizers.train("fold", releases)
    assert recognizers.digest("fold") == weights_digest({"recognizer": learned_weights(recognizers.load("fold"))})


def test_a_process_that_drew_its_pool_first_can_train(recognizers_of, releases):
    for table in vars(arrangement).values():
        if hasattr(table, "cache_clear"):
            table.cache_clear()
    recognizers_of().train("fold", releases)


@pytest.mark.parametrize(
    ("pools", "samples"),
    [([["a", "b"]], 8), ([["b", "c"], ["a", "c"], ["a", "b"]], 12), ([["a"], ["b"]], 16), ([["a", "b"], ["a"]], 16)],
    ids=["one fold", "shared by folds", "not shared", "of two sizes"],
)
def test_room_is_asked_for_every_sample_that_will_lie_on_the_disk(recognizers_of, releases, pools, samples):
    pools = [[releases["abc".index(name)] for name in pool] for pool in pools]
    patch = 2 * 128 * 128
    sampling = SamplingConfig(per_emotion=2)
    enough = CampaignConfig(pool_gigabytes=samples * patch / 1e9)
    recognizers_of(sampling=sampling, campaign=enough).require_room(pools)
    scant = CampaignConfig(pool_gigabytes=(samples * patch - 1) / 1e9)
    with pytest.raises(UserError, match=r"more than campaign\.pool_gigabytes grants"):
        recognizers_of(sampling=sampling, campaign=scant).require_room(pools)


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_several_trained_at_once_are_what_each_is_alone(recognizers_of, releases, config, threads):
    pools = {"AB": releases[:2], "BC": releases[:0:-1]}
    alone = recognizers_of("alone")
    for name, pool in pools.items():
        alone.train(name, pool)
    runtime = config.runtime.model_copy(update={"threads": threads})
    together, told = recognizers_of("together", runtime=runtime), []

    def heard(name):
        told.append(name)
        return Reporter()

    assert sorted(together.train_all(pools, heard)) == ["AB", "BC"]
    assert all(same(together.load(name), alone.load(name)) for name in pools)
    assert list(together.train_all(pools, heard)) == told == ["AB", "BC"]


def test_a_model_tells_what_the_audit_of_each_of_its_releases_said(recognizers_of, releases, monkeypatch):
    approved = releases[0].model_copy(update={"card": releases[0].card.model_copy(update={"audit": "approved"})})
    card = recognizers_of()._card([approved, *releases[1:]], seed=0)
    said = dict.fromkeys((one.name for one in releases), "not made") | {approved.name: "let go by a steward"}
    assert card.audit == {AUDITS: said}
