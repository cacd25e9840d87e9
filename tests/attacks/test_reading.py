"""One granted tuning must not hand over recordings: what a server reads with the rules off, and with the rules on."""

import pytest
from torch.nn import functional

from client.bases import SMALL_GRADIENT, read_base
from client.door import Door
from client.keeper import Keeper
from common.config import load_config
from common.settings import EMOTIONS
from common.synthesizers.methods.eskimez import FINETUNING, gradient_over_epsilon, pair_of
from common.training.pretrained import SHIPPED, shipped_weights
from common.wire import Code
from tests.attacks.clinic import accepting, crops, open_bounds, said, site, tune_request
from tests.attacks.judging import likeness
from tests.attacks.reading import BRIGHT, Recipe, distract, hostile_pair, read_patch

SMALL = Recipe(side=32)
"""A stolen picture of 32 x 32 pixels needs networks of an eighth of the paper's width, so this takes seconds."""


@pytest.fixture(scope="module")
def pair():
    return hostile_pair(SMALL)


@pytest.fixture(scope="module")
def request_(pair):
    return tune_request(pair, SMALL.network, SMALL.finetuning, SMALL.optimizer, BRIGHT)


@pytest.fixture(scope="module")
def public(speech, tmp_path_factory):
    """Patches of people whom the attacker knows."""
    elsewhere = site(speech, tmp_path_factory.mktemp("public")).model_copy(update={"holds": "elsewhere"})
    return crops(Keeper(elsewhere), BRIGHT, SMALL.side, hop=16)[0]


def hidden_patch(keeper, tuning, side):
    """The patch that the site drew in its one step: its own dice say which, and only the judge may look."""
    seed = keeper._dice.tuning(tuning.run, tuning.session)
    patches = keeper._door.examples(BRIGHT, seed, balanced=True)
    return functional.avg_pool2d(patches.batch(0, 1, FINETUNING).patches, 128 // side).flatten(1)


def test_one_step_gives_a_recording_away_where_every_bound_is_open(speech, pair, request_, public, tmp_path, note):
    keeper = Keeper(site(speech, tmp_path, accepting(request_, bounds=open_bounds()), precision="auto"))
    reply = said(keeper, request_)
    picture = read_patch(pair, reply.released, SMALL).flatten()
    found = likeness(picture, hidden_patch(keeper, request_.tuning, SMALL.side), public, public)
    keeper.stop()
    note("reading: one step", off=found)
    assert found.own > 0.9
    assert found.is_read


@pytest.fixture
def unread(monkeypatch):
    """Nothing may ask the door for patches."""

    def never(*_, **__):
        raise AssertionError("speech was read")

    monkeypatch.setattr(Door, "examples", never)


NARROW = {"precisions": ["fp16"], "tunings_a_day": 1, "minimum_utterances": 6}


@pytest.mark.parametrize("rules", [None, NARROW], ids=["default", "narrowed"])
def test_its_networks_are_refused_before_any_speech_is_read(speech, request_, tmp_path, note, unread, rules):
    refused = said(Keeper(site(speech, tmp_path, rules)), request_)
    assert refused.code is Code.BASE_FORBIDDEN
    note("reading: one step", on=refused.code.value)


def test_its_settings_are_refused_where_its_networks_were_accepted(speech, request_, tmp_path, unread):
    refused = said(Keeper(site(speech, tmp_path, {"bases": [request_.tuning.base]})), request_)
    assert refused.code is Code.RECIPE_FORBIDDEN


@pytest.mark.parametrize(
    "bound",
    ["steps", "batch", "generator_rate", "discriminator_rate", "beta1", "beta2", "scaling_low"],
)
def test_each_bound_alone_refuses_it_where_all_was_accepted(speech, request_, tmp_path, unread, bound):
    rules = accepting(request_, bounds=open_bounds(bound))
    assert said(Keeper(site(speech, tmp_path, rules)), request_).code is Code.OUT_OF_BOUNDS


def test_a_gradient_below_adams_epsilon_is_refused_where_all_else_is_open(speech, request_, tmp_path, unread):
    keeper = Keeper(site(speech, tmp_path, accepting(request_, bounds=open_bounds("gradient"))))
    assert said(keeper, request_).code is Code.OUT_OF_BOUNDS
    keeper.stop()


@pytest.fixture(scope="module")
def distracting():
    pair = hostile_pair(SMALL)
    distract(pair)
    return pair


class TestNetworksThatHideSmallGradientsBehindAFewLargeOnes:
    """They would pass a look at each layer's mean gradient."""

    def test_pass_whoever_looks_at_the_mean_square(self, distracting, monkeypatch):
        monkeypatch.setattr(
            "common.synthesizers.methods.eskimez._size", lambda gradient: gradient.square().mean().sqrt()
        )
        assert gradient_over_epsilon(distracting) > SMALL_GRADIENT

    def test_are_refused(self, speech, distracting, tmp_path, unread):
        request = tune_request(distracting, SMALL.network, SMALL.finetuning, SMALL.optimizer, BRIGHT)
        keeper = Keeper(site(speech, tmp_path, accepting(request, bounds=open_bounds("gradient"))))
        assert said(keeper, request).code is Code.OUT_OF_BOUNDS
        keeper.stop()

    @pytest.mark.parametrize("preset", SHIPPED)
    def test_are_told_from_those_that_come_with_eyesoff(self, preset):
        pair = pair_of(read_base(shipped_weights(preset)).weights, load_config(preset).network, len(EMOTIONS))
        assert gradient_over_epsilon(pair) > SMALL_GRADIENT
