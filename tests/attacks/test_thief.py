"""Settings as a thief: honest networks, and settings of a stranger's choosing that would learn recordings by heart.

That they do was reasoned, not seen: versions of up to 1,500 steps, on four recordings, learnt no recording by heart.
"""

import pytest

from client.keeper import Keeper
from common.settings import EMOTIONS, FinetuningConfig, NetworkConfig
from common.training.stages import Pair
from common.wire import Code, decode_reply, encode
from tests.attacks.clinic import accepting, open_bounds, site, tune_request

NETWORK = NetworkConfig(width=1 / 64)
THIEF = {"likeness": ("colour",), "generator_learning_rate": 1.0, "iterations": 500_000}
"""No noise, one statistic of the speech, the highest rate, and too many steps."""


@pytest.fixture(scope="module")
def thief():
    base = Pair.fresh(NETWORK, len(EMOTIONS), 0)
    return tune_request(base, NETWORK, FinetuningConfig(batch=16, **THIEF))


def first_word(keeper, request):
    """What a keeper says at once; nothing is trained."""
    keeper._queue.add = lambda folder: None
    return decode_reply(keeper.answer(encode(request)), request)


def test_it_is_begun_where_bounds_are_open(speech, thief, tmp_path, note):
    reply = first_word(Keeper(site(speech, tmp_path, accepting(thief, bounds=open_bounds()))), thief)
    assert reply.kind == "working"
    note("settings as a thief", off="begun")


@pytest.mark.parametrize("bound", ["steps", "generator_rate"])
def test_each_of_its_numbers_is_refused_by_a_bound_of_its_own(speech, thief, tmp_path, bound, note):
    keeper = Keeper(site(speech, tmp_path, accepting(thief, bounds=open_bounds(bound))))
    refused = first_word(keeper, thief)
    assert refused.code is Code.OUT_OF_BOUNDS
    note("settings as a thief", on=refused.code.value)


def test_it_is_refused_as_a_recipe_that_nobody_accepted(speech, thief, tmp_path):
    keeper = Keeper(site(speech, tmp_path, {"bases": [thief.tuning.base]}))
    assert first_word(keeper, thief).code is Code.RECIPE_FORBIDDEN
